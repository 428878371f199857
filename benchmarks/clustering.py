"""How the archive's largest table is best laid out on disk: one run, one machine.

    python -m benchmarks.clustering [--events 3000000] [--days 3] [--times 3] [--layouts ...] [--json FILE]

Days of events_of_interest, as the stream leaves them (a file for each commit, in order of time), are laid out by
compaction alone, by compaction with Z-order, and by liquid clustering. Reported for each layout: seconds of OPTIMIZE,
of a second OPTIMIZE when nothing is new and of one after a further day; files and bytes of the table; and for each
query that a reader makes, files, bytes that were really read, and seconds (the median of --times).
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks import options
from benchmarks.archive import T0, batch, sink_in_memory
from probable_cause import pipeline, session
from probable_cause.archive import delta
from probable_cause.archive.writer import archived_events
from probable_cause.lookup_cache import lookup_frame
from probable_cause.state import lookups

APPLICATIONS = 500
COMMITS_A_DAY = 24
FIRST = T0.replace(hour=0)
BY = ("application_id", "event_time")


@dataclass(frozen=True)
class Layout:
    """`optimize` is given the table, None leaves it; `clustered` tables have no partitions."""

    optimize: Callable[[Any], Any] | None
    clustered: bool = False


LAYOUTS: Mapping[str, Layout] = {
    "as written": Layout(None),
    "compaction": Layout(lambda table: table.optimize().executeCompaction()),
    "Z-order": Layout(lambda table: table.optimize().executeZOrderBy(*BY)),
    "liquid": Layout(lambda table: table.optimize().executeCompaction(), clustered=True),
}


def sample(spark: SparkSession, work: Path) -> pa.Table:
    """A row of the table for each of twenty applications, from the pipeline itself."""
    sink = sink_in_memory(work)
    lookup = lookup_frame(spark, lookups.rows(sink.tables))
    kept = pipeline.of_interest(pipeline.of_interest_or_rejected(batch(spark, 0), sink.scope))
    found = archived_events(kept, lookup, sink.scope).dropDuplicates(["application_id"]).toArrow()
    return found.append_column("place", pa.array(range(found.num_rows)))


def rows(spark: SparkSession, samples: pa.Table, events: int, day: int, seed: int) -> DataFrame:
    """`events` rows of one day in order of time, in as many partitions as commits.

    A few applications have most of the events: the k-th has about 1/k of the first's.
    """
    start, step, dice = int(FIRST.timestamp()) + 86400 * day, 86400 / events, seed * 1000 + day
    made = spark.range(0, events, 1, COMMITS_A_DAY).selectExpr(
        f"id % {samples.num_rows} as place",
        f"'app' || int(pow({APPLICATIONS}, rand({dice}))) as application_id",
        f"timestamp_micros(bigint(({start} + id * {step}) * 1e6)) as event_time",
        f"sha2(string(id * 31 + {day}), 256) as hash",
        f"int(rand({dice + 1}) * 60000) as port",
    )
    known = spark.createDataFrame(samples.drop_columns(["application_id", "event_time"]))
    changed = {
        "arrived_at": "event_time + interval 5 minutes",
        "event_id": "substr(hash, 1, 56)",
        "message": "concat('2 123456789012 ', source_ip, ' ', port, ' ', substr(hash, 1, 9), ' 6 1 60 REJECT OK')",
        "natural_key": "substr(hash, 9, 40)",
        "day": "to_date(event_time)",
    }
    joined = made.join(F.broadcast(known), "place").withColumns({one: F.expr(how) for one, how in changed.items()})
    return joined.select(*(name for name in samples.column_names if name != "place"))


def queries(table: DataFrame, application: str = "app40") -> Mapping[str, DataFrame]:
    """What notebooks, `replay` and backfill ask."""
    day = (FIRST + timedelta(days=1)).date().isoformat()
    of_day = table.where(f"day = date'{day}'")
    hour = f"event_time between timestamp'{day} 14:00:00' and timestamp'{day} 15:00:00'"
    one = F.col("application_id") == application
    return {
        "an application, a day": of_day.where(one),
        "an application, an hour": of_day.where(one).where(hour),
        "an application, all days": table.where(one),
        "all of a day": of_day,
        "ids of a day (backfill)": of_day.select("event_id", "natural_key"),
        "counts of all days (notebook)": table.groupBy("day", "application_id", "rule_id").agg({"event_id": "count"}),
    }


def measure(events: int, days: int, seed: int, times: int, layouts: list[str]) -> dict[str, Any]:
    """All figures, by layout."""
    # Hadoop does not count what is read by its vectored calls.
    counted = {"spark.hadoop.parquet.hadoop.vectored.io.enabled": "false"}
    spark = session.build("clustering-benchmark", "local[2]", counted, archive=True)
    delta.require(spark)
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        samples = sample(spark, Path(folder))
        every = [rows(spark, samples, events // days, day, seed) for day in range(days + 1)]
        written = Path(folder) / "written"
        for day in every[:-1]:
            _append(spark, LAYOUTS["as written"], written, day)
        for name in layouts:
            path = Path(folder) / name.replace(" ", "-")
            if not LAYOUTS[name].clustered:
                shutil.copytree(written, path)
            told[name] = _layout(spark, LAYOUTS[name], path, every, times)
            print(name, json.dumps(told[name], indent=2), flush=True)
            shutil.rmtree(path)
    spark.stop()
    return told


def _layout(spark: SparkSession, layout: Layout, path: Path, days: list[DataFrame], times: int) -> dict[str, Any]:
    for day in days[:-1] if layout.clustered else ():
        _append(spark, layout, path, day)
    optimized = {name: _optimize(spark, layout, path) for name in ("first", "nothing new") if layout.optimize}
    table = delta.read(spark, str(path), delta.EVENTS)
    files = [Path(urlsplit(one).path) for one in table.inputFiles()]
    told = {
        "files": len(files),
        "megabytes": round(sum(one.stat().st_size for one in files) / 1e6, 1),
        "queries": {name: _read(spark, query, times) for name, query in queries(table).items()},
    }
    if layout.optimize:
        _append(spark, layout, path, days[-1])
        optimized["a further day"] = _optimize(spark, layout, path)
    return {"optimize": optimized, **told}


def _append(spark: SparkSession, layout: Layout, path: Path, day: DataFrame) -> None:
    if not layout.clustered:
        delta.append(day, str(path), delta.EVENTS)
        return
    from delta.tables import DeltaTable

    if not delta.exists(spark, str(path), delta.EVENTS):
        ordered = day.select(*BY, *(name for name in day.columns if name not in BY))
        made = DeltaTable.create(spark).location(str(path / delta.EVENTS)).addColumns(ordered.schema)
        made.clusterBy(*BY).execute()
    day.write.format("delta").mode("append").save(str(path / delta.EVENTS))


def _optimize(spark: SparkSession, layout: Layout, path: Path) -> dict[str, Any]:
    """Seconds, and the files and bytes that OPTIMIZE wrote."""
    assert layout.optimize
    known = delta.delta_table(spark, str(path), delta.EVENTS)
    began = time.perf_counter()
    metrics = layout.optimize(known).first()["metrics"]
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "files": metrics["numFilesAdded"],
        "megabytes": round((metrics["filesAdded"]["totalSize"] or 0) / 1e6, 1),
    }


def _read(spark: SparkSession, query: DataFrame, times: int) -> dict[str, Any]:
    """Of one query: files left by the bounds that Delta keeps of each, megabytes read, seconds."""
    seconds, sizes = [], []
    for number in range(times + 1):
        before, began = _bytes_read(spark), time.perf_counter()
        query.write.format("noop").mode("overwrite").save()
        if number:  # the first reads the table's log too
            seconds.append(time.perf_counter() - began)
            sizes.append(_bytes_read(spark) - before)
    return {
        "files": len(query.inputFiles()),
        "megabytes": round(statistics.median(sizes) / 1e6, 2),
        "seconds": round(statistics.median(seconds), 2),
    }


def _bytes_read(spark: SparkSession) -> int:
    """By this process from disk so far: Parquet reads only the pages that a query may need."""
    every = spark._jvm.org.apache.hadoop.fs.FileSystem.getAllStatistics()  # type: ignore[union-attr]
    return sum(one.getBytesRead() for one in every)


def main() -> None:
    parser = options.parser(__doc__, events=3_000_000, times=3)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--layouts", nargs="+", choices=list(LAYOUTS), default=list(LAYOUTS))
    chosen = parser.parse_args()
    told = measure(chosen.events, chosen.days, chosen.seed, chosen.times, chosen.layouts)
    options.keep(told, chosen.json)


if __name__ == "__main__":
    main()
