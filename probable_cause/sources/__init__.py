"""Where records come from: our Kinesis source, EMR's connector, files. All become schemas.EVENT in one hop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probable_cause.envelope import MAX_DECOMPRESSED
from probable_cause.routing import Routing
from probable_cause.sources.files import bundle_records, read_records

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["bundle_records", "read_records", "read_stream"]


def read_stream(
    spark: SparkSession,
    *,
    stream: str,
    routing: Routing,
    region: str | None = None,
    endpoint_url: str | None = None,
    starting_position: str = "TRIM_HORIZON",
    lag_s: float = 1.0,
    max_span_s: float = 30.0,
    on_trimmed: str = "fail",
    max_decompressed: int = MAX_DECOMPRESSED,
    role_arn: str | None = None,
    shards_per_task: int = 8,
) -> DataFrame:
    """A Kinesis stream of CloudWatch Logs subscription records as a streaming DataFrame of schemas.EVENT.

    Args:
        stream: its name, or its ARN (another account's).
        routing: which family each log group carries.
        region: of the stream; None: the environment's.
        endpoint_url: of an emulator or VPC endpoint; None: AWS.
        starting_position: of a new checkpoint: TRIM_HORIZON or LATEST.
        lag_s: seconds behind now at which a batch of a busy shard ends.
        max_span_s: seconds of stream time that one batch may cover per shard.
        on_trimmed: fail, or skip (a rejected row with reason `trimmed` takes the place of the gap).
        max_decompressed: bytes above which a record is rejected.
        role_arn: a role to take on before reading.
        shards_per_task: at most so many shards are read by one Spark task.

    Faulty options are raised when the query starts, all together.
    """
    # Spark is imported when it is used: the source's logic is tested, and used by the CLI, without it.
    from probable_cause.sources.kinesis import NAME, KinesisDataSource

    spark.dataSource.register(KinesisDataSource)
    options = {
        "streamName": stream,
        "region": region,
        "endpointUrl": endpoint_url,
        "roleArn": role_arn,
        "startingPosition": starting_position,
        "lagMs": round(lag_s * 1000),
        "maxSpanMs": round(max_span_s * 1000),
        "onTrimmed": on_trimmed,
        "routing": routing.to_json(),
        "maxDecompressed": max_decompressed,
        "shardsPerTask": shards_per_task,
    }
    given = {key: str(value) for key, value in options.items() if value is not None}
    return spark.readStream.format(NAME).options(**given).load()
