"""EMR's bundled connector (`aws-kinesis`) behind the same interface: the records it gives, through the same decode hop.

Ours is the default. This one reads in the JVM and can use enhanced fan-out, but a batch's content is not fixed when it
is replayed, so counts may differ after a crash; docs/kinesis-source.md says what else it does not hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from probable_cause.decode import decode_batches
from probable_cause.errors import SourceError
from probable_cause.routing import Routing
from probable_cause.schemas import EVENT

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FORMAT = "aws-kinesis"
# Its rows have no shard id; the partition key takes that place in a record's position.
RECORD_COLUMNS = (
    "partitionKey AS shard_id",
    "sequenceNumber AS sequence_number",
    "approximateArrivalTimestamp AS arrived_at",
    "data",
)


def read_emr_stream(
    spark: SparkSession,
    *,
    stream: str,
    routing: Routing,
    region: str,
    endpoint_url: str | None = None,
    starting_position: str = "TRIM_HORIZON",
    max_span_s: float = 30.0,
) -> DataFrame:
    """The stream as schemas.EVENT.

    Raises:
        SourceError: the connector's jar is not on Spark's class path.
    """
    options = connector_options(stream, region, endpoint_url, starting_position, max_span_s)
    try:
        records = spark.readStream.format(FORMAT).options(**options).load()
    except Exception as exc:
        if "DATA_SOURCE_NOT_FOUND" not in str(exc) and "ClassNotFound" not in str(exc):
            raise
        raise SourceError(
            f"Spark does not know the source {FORMAT}. It comes with EMR (7.1 and later); add its jar with --jars "
            "/usr/share/aws/kinesis/spark-sql-kinesis/lib/spark-streaming-sql-kinesis-connector.jar"
        ) from exc
    return records.selectExpr(*RECORD_COLUMNS).mapInArrow(decode_batches(routing), EVENT)


def connector_options(
    stream: str, region: str, endpoint_url: str | None, starting_position: str, max_span_s: float
) -> dict[str, str]:
    """The connector's options, set so that it loses least: its defaults go on silently over lost data."""
    return {
        "kinesis.streamName": stream,
        "kinesis.region": region,
        "kinesis.endpointUrl": endpoint_url or f"https://kinesis.{region}.amazonaws.com",
        "kinesis.startingPosition": starting_position,
        "kinesis.failOnDataLoss": "true",
        # 10 is its least; left out, a batch of a trickle of records never ends.
        "kinesis.maxFetchTimePerShardSec": str(max(10, round(max_span_s))),
        "kinesis.describeShardInterval": "30s",
        "kinesis.getRecords.fetchIntervalMs": "250",
    }
