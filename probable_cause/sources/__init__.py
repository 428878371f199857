"""Where log lines come from: our Kinesis source, EMR's connector, files. All become schemas.EVENT in one hop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from probable_cause.envelope import MAX_DECOMPRESSED
from probable_cause.prefilter import NOTHING, Prefilter
from probable_cause.routing import Routing
from probable_cause.sources.files import bundle_records, parse_lines, read_records
from probable_cause.sources.options import NAME, Options

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["bundle_records", "parse_lines", "read_events", "read_records", "read_stream", "routing_of"]


class LogGroup(Protocol):
    """An entry of the setting `log_groups`."""

    @property
    def pattern(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def format(self) -> str | None: ...
    @property
    def application_id(self) -> str | None: ...


def routing_of(log_groups: Iterable[LogGroup], max_decompressed: int = MAX_DECOMPRESSED) -> Routing:
    """The setting `log_groups` as the plain values that travel to the executors."""
    groups = tuple((group.pattern, group.family, group.format, group.application_id) for group in log_groups)
    return Routing(groups, max_decompressed)


def read_events(spark: SparkSession, path: str, routing: Routing) -> DataFrame:
    """schemas.EVENT of the records in a file or folder, as files.read_records() finds them."""
    from probable_cause.decode import decode_batches
    from probable_cause.schemas import EVENT

    return read_records(spark, path).mapInArrow(decode_batches(routing), EVENT)


def read_stream(
    spark: SparkSession,
    *,
    stream_name: str,
    log_groups: Iterable[LogGroup],
    region: str | None = None,
    endpoint_url: str | None = None,
    starting_position: str = "TRIM_HORIZON",
    lag: float = 1.0,
    max_span: float = 30.0,
    on_trimmed: str = "fail",
    max_decompressed: int = MAX_DECOMPRESSED,
    role_arn: str | None = None,
    shards_per_task: int = 8,
    prefilter: Prefilter = NOTHING,
) -> DataFrame:
    """A Kinesis stream of CloudWatch Logs subscription records as a streaming DataFrame of schemas.EVENT.

    Args:
        stream_name: its name, or its ARN (another account's).
        log_groups: which family each log group carries; the first match wins.
        region: of the stream; None: the environment's.
        endpoint_url: of an emulator or a VPC endpoint; None: AWS.
        starting_position: of a new checkpoint: TRIM_HORIZON or LATEST.
        lag: seconds behind now at which a batch of a busy shard ends.
        max_span: seconds of stream time that one batch may cover per shard.
        on_trimmed: fail, or skip (a rejected row with reason `trimmed` takes the place of the gap).
        max_decompressed: bytes above which a record is rejected.
        role_arn: a role to take on before reading.
        shards_per_task: at most so many shards are read by one Spark task.
        prefilter: which lines are only counted.

    Raises:
        SettingsError: with every faulty option.
    """
    # Spark is imported when it is used: the source's logic is tested, and used by the CLI, without it.
    from probable_cause.sources.kinesis import KinesisDataSource

    spark.dataSource.register(KinesisDataSource)
    options = {
        "streamName": stream_name,
        "region": region,
        "endpointUrl": endpoint_url,
        "roleArn": role_arn,
        "startingPosition": starting_position,
        "lagMs": round(lag * 1000),
        "maxSpanMs": round(max_span * 1000),
        "onTrimmed": on_trimmed,
        "routing": routing_of(log_groups).to_json(),
        "maxDecompressed": max_decompressed,
        "shardsPerTask": shards_per_task,
        "prefilter": prefilter.to_json(),
    }
    given = {key: str(value) for key, value in options.items() if value is not None}
    Options.parse(given)  # here, and not in a Python worker that hands on its text only
    return spark.readStream.format(NAME).options(**given).load()
