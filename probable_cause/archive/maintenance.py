"""Keeps the archive small and quick: few large files, no days past retention, no files that nothing refers to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from probable_cause.archive import delta

UNREFERENCED = timedelta(days=7)  # Delta's own default: a reader or a rollback may need a file for so long


@dataclass(frozen=True)
class Maintained:
    """What was done to one table: files removed and added by compaction, and whether days were dropped."""

    table: str
    removed: int
    added: int
    dropped: bool


def maintain(
    spark: SparkSession, path: str, now: datetime, retention: timedelta, unreferenced: timedelta = UNREFERENCED
) -> list[Maintained]:
    """Drops days older than `retention`, compacts, and removes unreferenced files, table by table.

    Compaction leaves a day alone that is one file already; Z-order would write all days anew each time, and gains
    nothing while a day is one file (docs/archive.md).

    Of state_history a day is dropped only where each of its items has a newer version: else a quiet application could
    not be rebuilt.

    Raises:
        EnvironmentFaultError: no Delta in this session.
    """
    delta.require(spark)
    done = []
    for table in delta.PARTITIONS:
        if not delta.exists(spark, path, table):
            continue
        known = delta.delta_table(spark, path, table)
        dropped = _drop(spark, path, table, known, (now - retention).date(), now)
        metrics = known.optimize().executeCompaction().first()["metrics"]
        known.vacuum(unreferenced / timedelta(hours=1))
        done.append(Maintained(table, metrics["numFilesRemoved"], metrics["numFilesAdded"], dropped))
    return done


def _drop(spark: SparkSession, path: str, table: str, known: Any, oldest: date, now: datetime) -> bool:
    old = f"day < date'{oldest.isoformat()}'"
    rows = delta.read(spark, path, table)
    if not rows.where(old).limit(1).count():
        return False
    if table == delta.STATES:
        newest = rows.groupBy("table", "item_key").agg({"observed_at": "max"})
        newest = newest.withColumnRenamed("max(observed_at)", "observed_at")
        kept = rows.where(old).join(newest, ["table", "item_key", "observed_at"], "left_semi").select(*rows.columns)
        # Under today's date first, then the old days go: a crash between leaves them twice, which is harmless.
        delta.append(kept.withColumn("day", F.lit(now.date())), path, table)
    known.delete(old)
    return True
