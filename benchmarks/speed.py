"""`make bench`, first part: events per second from records in memory, as ratios within one run.

    python -m benchmarks.speed [--events 1000000] [--seed 1] [--json FILE]

Rows: envelope only (the floor), + families (the whole hop), + rules, the whole pipeline down to the folded rows, each
in the same engine on the same records; and a plain Python loop that opens and reads lines with orjson and split, as a
Lambda would be written, on one core.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from benchmarks import options
from benchmarks.workload import World, records
from probable_cause import pipeline, session, settings, sink, wiring
from probable_cause.decode import decode_batches
from probable_cause.envelope import open_record
from probable_cause.lookup_cache import lookup_frame
from probable_cause.schemas import EVENT
from probable_cause.sources import routing_of

ARRIVED = datetime(2026, 3, 1, 12, 15, tzinfo=UTC)


def envelope_only(batches: Any) -> Any:
    """The floor: records opened, their lines handed on as text."""
    for batch in batches:
        for data in batch.column("data"):
            for payload in open_record(data.as_py(), 64 * 1024**2):
                yield pa.RecordBatch.from_pydict({"message": payload.messages})


def plain_python(payloads: list[bytes]) -> int:
    """A consumer as a Lambda would be written: every line read, those of interest counted."""
    import gzip

    found = 0
    for data in payloads:
        payload = orjson.loads(gzip.decompress(data))
        group = payload["logGroup"]
        for event in payload["logEvents"]:
            message = event["message"]
            if group == "/vpc/flow":
                found += message.split(" ")[12] == "REJECT"
            elif group.startswith("/app"):
                found += "error" in message.lower()
            else:
                found += orjson.loads(message).get("readOnly") is False
    return found


def best_of(times: int, run: Callable[[], Any]) -> float:
    """Seconds of the fastest of several runs: the others were disturbed by somebody else."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def measure(events: int, seed: int, times: int) -> dict[str, Any]:
    """All rows of the table, with the input's hash."""
    world = World()
    made = list(records(events, seed, world))
    payloads = [data for _, data in made]
    digest = hashlib.sha256(b"".join(payloads)).hexdigest()[:16]
    lines = sum(len(one.messages) for data in payloads for one in open_record(data, 64 * 1024**2))
    configuration = settings.load(overrides={"log_groups": groups()})
    scope = wiring.scope_of(configuration)
    routing = routing_of(configuration.log_groups)
    spark = session.build("bench", "local[2]", {"spark.driver.memory": "4g"})
    source = in_memory(spark, payloads)
    lookup = lookup_frame(spark, world.lookup()).persist()
    lookup.count()
    decoded = source.mapInArrow(decode_batches(routing), EVENT)
    wanted = source.mapInArrow(decode_batches(routing, pipeline.prefilter(scope)), EVENT)
    # Where every line is read, every accepted flow would be of what is usual: the job reads samples.
    kept = pipeline.of_interest_or_rejected(decoded, replace(scope, rules=scope.rules.of_interest()))
    steps: dict[str, Callable[[], Any]] = {
        "envelope only": lambda: drain(source.mapInArrow(envelope_only, "message string")),
        "envelope + families": lambda: drain(decoded),
        "envelope + families + rules": lambda: drain(kept),
        "whole pipeline, prefilter": lambda: folded(pipeline.of_interest_or_rejected(wanted, scope), lookup, scope),
        "whole pipeline": lambda: folded(kept, lookup, scope),
        "plain Python, one core": lambda: plain_python(payloads),
    }
    for run in steps.values():
        run()  # warm
    seconds = {name: best_of(times, run) for name, run in steps.items()}
    rows = folded(kept, lookup, scope).num_rows
    spark.stop()
    floor = seconds["envelope only"]
    return {
        "events": lines,
        "seed": seed,
        "input": digest,
        "rules": len(scope.rules.rules),
        "lookup_rows": world.lookup_rows,
        "folded_rows": rows,
        "rows": [
            {"what": name, "seconds": round(s, 3), "events_per_s": round(lines / s), "of_floor": round(floor / s, 3)}
            for name, s in seconds.items()
        ],
    }


def groups() -> list[dict[str, str]]:
    """conf log_groups of the workload."""
    return [
        {"pattern": "^/aws/cloudtrail", "family": "cloudtrail"},
        {"pattern": "^/aws/config", "family": "aws_config"},
        {"pattern": "^/vpc/flow", "family": "vpc_flow"},
        {"pattern": "^/app/(?P<application_id>[^/]+)", "family": "application"},
    ]


def in_memory(spark: SparkSession, payloads: list[bytes]) -> DataFrame:
    """The records, held by Spark in memory on both cores."""
    table = pa.table(
        {
            "shard_id": ["shard-0"] * len(payloads),
            "sequence_number": [str(number) for number in range(len(payloads))],
            "arrived_at": pa.array([ARRIVED] * len(payloads), pa.timestamp("us", tz="UTC")),
            "data": payloads,
        }
    )
    frame = spark.createDataFrame(table).repartition(2).persist()
    frame.count()
    return frame


def folded(kept: DataFrame, lookup: DataFrame, scope: pipeline.Scope) -> pa.Table:
    """schemas.FOLDED of what a batch kept, as the sink has it folded."""
    with sink.held(kept, lookup, scope) as batch:
        return batch.folded()


def drain(frame: DataFrame) -> None:
    """Computes every row and keeps none."""
    frame.write.format("noop").mode("overwrite").save()


def main() -> None:
    chosen = options.parser(__doc__, 1_000_000, 3).parse_args()
    told = measure(chosen.events, chosen.seed, chosen.times)
    print(f"{told['events']} events, seed {told['seed']}, input {told['input']}, {told['rules']} rules")
    for row in told["rows"]:
        print(f"{row['what']:<30} {row['seconds']:8.2f} s {row['events_per_s']:>10} events/s  {row['of_floor']:.2f}")
    options.keep(told, chosen.json)


if __name__ == "__main__":
    main()
