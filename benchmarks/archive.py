"""What the archive costs, and how fast the past is read: one run, one machine.

    python -m benchmarks.archive [--batches 40] [--lines 200000] [--items 10000] [--mixed 400000]
        [--parts latency ...] [--json FILE]

Reported: seconds of a batch, until its verdicts stand and whole, without and with the archive (p50, p95), whose drains
go on meanwhile; bytes of a million archived events; lines a second and GB an hour of a backfill of flow logs beside the
floor, which is reading and parsing the same files; seconds to rebuild lost items on the embedded AWS; lines a second
of an account's mixed traffic into the table of every event, and into that of what is of interest, and their bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from benchmarks import options
from benchmarks.speed import groups, in_memory
from benchmarks.workload import World, records
from probable_cause import backfill, pipeline, session, settings, wiring
from probable_cause.archive import delta, events
from probable_cause.archive.maintenance import maintain
from probable_cause.archive.writer import Archive, archived_events
from probable_cause.arrow_schema import arrow_schema
from probable_cause.clock import wall_clock
from probable_cause.decode import decode_batches
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.lookup_cache import lookup_frame
from probable_cause.schemas import EVENT
from probable_cause.sink import BatchReport, Sink
from probable_cause.sources import routing_of
from probable_cause.sources.archived import file_batches
from probable_cause.state import dynamodb, lookups
from probable_cause.state.lease import acquire
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Tables, Write

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVENTS_A_BATCH = 500
BATCHES = 10  # of the part "events"
WARM_UP = 12
HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
LINE = "2 123456789012 eni-{0} 10.1.1.{0} 10.2.2.{1} {2} 5432 6 1 60 {3} {4} {5} OK"


PARTS = ("latency", "backfill", "rebuild", "events")


def measure(batches: int, lines: int, items: int, mixed: int, parts: Sequence[str]) -> dict[str, Any]:
    """All figures."""
    spark = session.build("archive-benchmark", "local[2]", archive=True)
    delta.require(spark)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        measures = {
            "latency": lambda: _latency(spark, work, batches),
            "backfill": lambda: _backfill(spark, work, lines),
            "rebuild": lambda: _rebuild(spark, work, items),
            "events": lambda: _every_event(spark, work, mixed),
        }
        told = {name: figure for part in parts for name, figure in measures[part]().items()}
    spark.stop()
    return told


def _settings(work: Path) -> settings.Settings:
    places = {"checkpoint": str(work / "checkpoint"), "rejects": {"path": str(work / "rejected")}}
    return settings.load(overrides={**places, "archive": {"path": str(work / "archive")}})


def sink_in_memory(work: Path) -> Sink:
    """A sink over tables in memory, with twenty applications in its lookup table."""
    tables = memory_tables()
    rows = [{"ip": f"10.1.1.{number}", "application_id": f"app{number}"} for number in range(20)]
    lookups.put(tables, rows, [], T0)
    sink = wiring.sink_beside(_settings(work), tables)
    sink.lease = acquire(tables.states, "benchmark", "benchmark", T0)
    return sink


def batch(spark: SparkSession, number: int) -> Any:
    start = T0 + timedelta(seconds=number)
    rows = [
        {
            "event_id": f"{number}-{one}",
            "family": "vpc_flow",
            "action": "REJECT",
            "outcome": "reject",
            "source_ip": f"10.1.1.{one % 20}",
            "destination_ip": f"10.2.2.{one % 250}",
            "destination_port": 5432,
            "event_time": start,
            "arrived_at": start + timedelta(minutes=5),
            "interface_id": f"eni-{one % 20}",
            "fields": [],
            "message": LINE.format(one % 20, one % 250, 40000 + one, number, number + 60, "REJECT"),
            "position": f"shard:{number}",
        }
        for one in range(EVENTS_A_BATCH)
    ]
    return spark.createDataFrame(pa.Table.from_pylist(rows, schema=arrow_schema(EVENT)))


def _latency(spark: SparkSession, work: Path, batches: int) -> dict[str, Any]:
    sink = sink_in_memory(work)
    path = str(work / "archive")
    archive = Archive(spark, sink.tables, sink.scope, path, str(work / "checkpoint"), 5.0, 1e9, wall_clock)
    verdicts: dict[str, list[float]] = {"off": [], "on": []}
    wholes: dict[str, list[float]] = {"off": [], "on": []}
    reports: list[BatchReport] = []
    sink.on_report = reports.append
    # Half of the batches without it come before, half after: the machine warms up all the time.
    begin = WARM_UP + batches // 2
    end = begin + batches
    for number in range(WARM_UP + 2 * batches):
        kept = pipeline.of_interest_or_rejected(batch(spark, number), sink.scope)
        on = begin <= number < end or number < WARM_UP // 2
        if number == begin:
            archive.start()
        sink.archive = archive if on else None
        sink.write_batch(kept, number)
        if number >= WARM_UP:
            verdicts["on" if on else "off"].append(reports[-1].seconds)
            wholes["on" if on else "off"].append(reports[-1].seconds + reports[-1].archive_seconds)
        if number == end - 1:
            archive.stop()
    maintain(spark, path, wall_clock(), timedelta(days=36500))
    return {
        "seconds_to_verdicts": {name: _quantiles(some) for name, some in verdicts.items()},
        "seconds_of_batch": {name: _quantiles(some) for name, some in wholes.items()},
        "bytes_per_million_events": _bytes_per_million(spark, path, delta.EVENTS),
    }


def _bytes_per_million(spark: SparkSession, path: str, table: str) -> int:
    rows = delta.read(spark, path, table)
    size = sum(Path(urlsplit(one).path).stat().st_size for one in rows.inputFiles())
    return round(size / rows.count() * 1e6)


def _quantiles(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=20)
    return {"p50": round(statistics.median(seconds), 3), "p95": round(cuts[18], 3)}


def _backfill(spark: SparkSession, work: Path, lines: int) -> dict[str, Any]:
    folder, each, size = work / "vpcflowlogs", 10_000, 0
    folder.mkdir()
    start = int(T0.timestamp())
    for file in range(lines // each):
        # Of ten records one is refused, as on a network with something wrong.
        text = "\n".join(
            LINE.format(
                n % 20,
                n % 250,
                1024 + n % 60000,
                start + file,
                start + file + 60,
                "REJECT" if n % 10 == 0 else "ACCEPT",
            )
            for n in range(each)
        )
        content = f"{HEADER}\n{text}\n".encode()
        size += len(content)
        (folder / f"{file:04d}.log.gz").write_bytes(gzip.compress(content))
    sink, loaded = sink_in_memory(work), replace(_settings(work), checkpoint=str(work / "backfill"))
    files = [str(one) for one in sorted(folder.iterdir())]

    def floor() -> None:
        binary = spark.read.format("binaryFile").load(files).select("path", "content")
        hop = file_batches("flow", routing_of(()), None)
        binary.mapInArrow(hop, EVENT).write.format("noop").mode("overwrite").save()

    floor()
    began = time.perf_counter()
    floor()
    bare = time.perf_counter() - began
    warm = backfill.Task("flow", tuple(files[:1]))
    backfill.run(spark, loaded, warm, sink)
    began = time.perf_counter()
    done = backfill.run(spark, loaded, backfill.Task("flow", (str(folder),)), sink)
    whole = time.perf_counter() - began
    return {
        "backfill": {"lines_per_second": round(done.lines / whole), "gb_per_hour": round(size / whole * 3600 / 1e9, 1)},
        "floor": {"lines_per_second": round(done.lines / bare), "gb_per_hour": round(size / bare * 3600 / 1e9, 1)},
    }


def _rebuild(spark: SparkSession, work: Path, items: int) -> dict[str, Any]:
    path = str(work / "rebuild")
    original = memory_tables()
    for number in range(items):
        key = {"ApplicationId": f"app{number % 100}", "EventKey": f"network#cause {number}#1"}
        original.events.apply(Write(key, {"Count": number, "EventMessage": "x" * 500, "SeenEvents": bytes(240)}))
    scope = wiring.scope_of(_settings(work))
    Archive(spark, original, scope, path, str(work / "none"), 1e9, 1e9, wall_clock).drain()
    with embedded_aws(free_port(), work / "aws.log") as url:
        overrides = {"aws": {"endpoint_url": url}, "tables": {"create_missing": True}, "archive": {"path": path}}
        loaded = settings.load(overrides=overrides)
        began = time.perf_counter()
        written = backfill.rebuild(spark, loaded)
        seconds = time.perf_counter() - began
        tables: Tables = dynamodb.connect(loaded.region, url)
        assert tables.events.scan() and written == items
    return {"rebuild": {"items": items, "seconds": round(seconds, 1)}}


def _every_event(spark: SparkSession, work: Path, lines: int) -> dict[str, Any]:
    """The same records, a tenth of them a batch, into both tables; the first two batches warm up."""
    world, path, arrived = World(), str(work / "every"), str(work / "records")
    payloads = [data for _, data in records(lines, 1, world)]
    each = -(-len(payloads) // BATCHES)
    for start in range(0, len(payloads), each):
        held = in_memory(spark, payloads[start : start + each])
        held.write.mode("append").parquet(arrived)
        held.unpersist()
    loaded = settings.load(overrides={"log_groups": groups()})
    scope, routing = wiring.scope_of(loaded), routing_of(loaded.log_groups)
    lookup = lookup_frame(spark, world.lookup()).persist()

    def of_interest(batch: DataFrame, _: int) -> None:
        kept = pipeline.of_interest(pipeline.of_interest_or_rejected(batch, scope))
        delta.append(archived_events(kept, lookup, scope).coalesce(1), path, delta.EVENTS)

    def into(table: str, hop: Any, start: Callable[[DataFrame], StreamingQuery]) -> dict[str, Any]:
        source = spark.readStream.schema(spark.read.parquet(arrived).schema).option("maxFilesPerTrigger", 2)
        query = start(source.parquet(arrived).mapInArrow(hop, EVENT))
        query.processAllAvailable()
        query.stop()
        batches = [one for one in query.recentProgress if one.numInputRows][2:]
        seconds = sum(one.durationMs["triggerExecution"] for one in batches) / 1000
        measured = lines * sum(one.numInputRows for one in batches) / len(payloads)
        rows = delta.read(spark, path, table).count()
        maintain(spark, path, wall_clock(), timedelta(days=36500))
        return {
            "lines_per_second": round(measured / seconds),
            "rows_of_a_million_lines": round(rows / lines * 1e6),
            "bytes_per_million_events": _bytes_per_million(spark, path, table),
        }

    def every(frame: DataFrame) -> StreamingQuery:
        return events.write(events.parsed(frame, 1e9, 1e9), path, str(work / "every-checkpoint"), 0.0)

    def some(frame: DataFrame) -> StreamingQuery:
        return frame.writeStream.foreachBatch(of_interest).start()

    return {
        delta.ALL_EVENTS: into(delta.ALL_EVENTS, decode_batches(routing), every),
        delta.EVENTS: into(delta.EVENTS, decode_batches(routing, pipeline.prefilter(scope)), some),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--mixed", type=int, default=400_000)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    told = measure(chosen.batches, chosen.lines, chosen.items, chosen.mixed, chosen.parts)
    print(json.dumps(told, indent=2))
    options.keep(told, chosen.json)


if __name__ == "__main__":
    main()
