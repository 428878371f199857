"""The optional table of every parsed event, by a query of its own: jobs/archive_events.py.

The query of the verdicts passes on only what rules ask for; most lines it does not even parse. So this one reads the
stream a second time, parses all of it, and writes by Delta's own streaming sink, whose commits carry the query's id and
the batch's (`txnAppId`, `txnVersion`): a batch that Spark runs again adds nothing.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from probable_cause import pipeline
from probable_cause.archive import delta


def parsed(events: DataFrame, max_future: float, max_past: float) -> DataFrame:
    """schemas.EVENT -> rows of the table: the events that could be read, with `day`. The rest is in rejected_records.

    Args:
        max_future, max_past: seconds beyond which an event's clock is wrong, as the stream has it.
    """
    known = pipeline.with_plausible_times(events.where("skipped_lines is null"), max_future, max_past)
    return (
        known.where("reject_reason is null")
        .drop("reject_reason", "reject_detail", "skipped_lines")
        .withColumn("day", F.expr("coalesce(to_date(event_time), date'1970-01-01')"))
    )


def write(rows: DataFrame, path: str, checkpoint: str, every: float) -> StreamingQuery:
    """Starts to append a streaming frame of parsed() to the table below `path`, a commit every `every` seconds."""
    return (
        delta.searched_first(rows)
        .writeStream.queryName("probable-cause-events")
        .format("delta")
        .option("checkpointLocation", checkpoint)
        .option("mergeSchema", "true")
        .partitionBy(*delta.PARTITIONS[delta.ALL_EVENTS])
        .trigger(processingTime=f"{int(every * 1000)} milliseconds")
        .start(f"{path.rstrip('/')}/{delta.ALL_EVENTS}")
    )
