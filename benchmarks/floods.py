"""What a flood costs: a batch of ordinary events alone, with repeats of one cause, and with as many different causes.

    python -m benchmarks.floods [--events 20000] [--times 4] [--json FILE]

All in one batch through the sink, over tables in memory: seconds until the verdicts stand and the shares of them that
items and verdicts took (the rest is Spark's), items and writes of the flooded application, whether its counts add up to
the events, and the JVM's heap so far. A verdict's share is all of its step: its application's items read, judged, and
its records written. Each batch is written several times, into new tables; the fastest is reported, for a stream's Java
is warm.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from benchmarks import options
from benchmarks.archive import sink_in_memory
from probable_cause import pipeline, session
from probable_cause.schemas import EVENT, column_names
from probable_cause.sink import BatchReport, Sink

CALM = 500  # applications with an error each
_LETTERS = "translate(cast(id as string), '0123456789', 'abcdefghij')"
_AT = "timestamp '2026-03-01T12:00:00Z'"


def lines(spark: SparkSession, number: int, application: str, words: str) -> DataFrame:
    """schemas.EVENT of error lines. `application` and `words` are SQL over `id`."""
    values = {
        **dict.fromkeys(column_names(EVENT), "null"),
        "event_id": f"concat({application}, ' ', id)",
        "family": "'application'",
        "level": "'ERROR'",
        "message": f"concat('could not do ', {words})",
        "application_id": application,
        "log_group": f"concat('/app/', {application})",
        "event_time": f"{_AT} + make_dt_interval(0, 0, 0, id / 10000)",
        "arrived_at": f"{_AT} + interval 5 minutes",
        "fields": "cast(map() as map<string, string>)",
        "resource_ids": "cast(array() as array<string>)",
    }
    rows = spark.range(number, numPartitions=2).selectExpr(*(f"{sql} as {name}" for name, sql in values.items()))
    return rows.to(spark.createDataFrame([], EVENT).schema)


@dataclass
class Written:
    """A batch that was written: what the sink said of it, and which shares of its time went where."""

    report: BatchReport
    sink: Sink
    items: float
    verdicts: float


def _written(batch: DataFrame, folder: Path) -> Written:
    sink = sink_in_memory(folder)
    reports: list[BatchReport] = []
    folded = 0.0
    # Applications are written by several threads, which wait for each other: of a part's time counts what it worked.
    worked, before = Counter[str](), threading.local()

    def at_point(name: str) -> None:
        nonlocal folded
        if name == "folded":
            folded = time.perf_counter()
            return
        now = time.thread_time()
        worked[name] += now - getattr(before, "now", 0.0)
        before.now = now

    sink.on_report = reports.append
    sink.at_point = at_point
    kept = pipeline.of_interest_or_rejected(batch, sink.scope)
    began = time.perf_counter()
    sink.write_batch(kept, 0)
    share = (1 - (folded - began) / reports[0].seconds) / worked.total()
    return Written(reports[0], sink, share * worked["events written"], share * worked["verdict written"])


def measure(events: int, times: int) -> list[dict[str, Any]]:
    """A row a batch."""
    spark = session.build("bench-floods", "local[2]")
    floods = {"calm": None, "repeats of one cause": "'it'", "different causes": _LETTERS}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, words in [("warm-up", "'it'"), *floods.items()]:
            parts = [lines(spark, CALM, "concat('calm-', id)", "'it'")]
            parts += [lines(spark, events, "'flooded'", words)] if words else []
            batch = reduce(DataFrame.unionByName, parts)
            best = min((_written(batch, Path(folder)) for _ in range(times)), key=lambda one: one.report.seconds)
            items = best.sink.tables.events.query("flooded")
            memory = spark.sparkContext._jvm.java.lang.Runtime.getRuntime()
            rows.append(
                {
                    "batch": name,
                    "events_of_flood": events if words else 0,
                    "seconds": round(best.report.seconds, 2),
                    "share_of_items": round(best.items, 3),
                    "share_of_verdicts": round(best.verdicts, 3),
                    "writes": best.report.writes,
                    "items": len(items),
                    "counted": sum(int(item["Count"]) for item in items),
                    "heap_mb": round(memory.totalMemory() / 2**20),
                }
            )
    spark.stop()
    return rows[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--json", type=Path, help="file for the figures")
    chosen = parser.parse_args()
    rows = measure(chosen.events, chosen.times)
    for row in rows:
        print("   ".join(f"{name} {value}" for name, value in row.items()))
    options.keep(rows, chosen.json)


if __name__ == "__main__":
    main()
