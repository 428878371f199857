"""Two Spark workers against one: the pipeline down to the folded rows, on executors of one core and process each.

    python -m benchmarks.workers [--events 1000000] [--times 3] [--json FILE]

Records lie in the executors' memory when the clock starts. Each number of workers has a Spark of its own, after the
other; the driver is beside them on the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import options
from benchmarks.compare import WARM_UP_OF_SPARK, timed
from benchmarks.speed import folded, groups, in_memory
from benchmarks.workload import World, records
from probable_cause import pipeline, session, settings, wiring
from probable_cause.decode import decode_batches
from probable_cause.lookup_cache import lookup_frame
from probable_cause.schemas import EVENT
from probable_cause.sources import routing_of

WORKERS = (1, 2)


def measure(workers: int, events: int, seed: int, times: int) -> dict[str, Any]:
    """The fastest run on so many workers, in this process."""
    configuration = settings.load(overrides={"log_groups": groups()})
    scope = wiring.scope_of(configuration)
    path = os.environ.get("PYTHONPATH", str(Path.cwd()))
    spark = session.build("bench", f"local-cluster[{workers},1,2048]", {"spark.executorEnv.PYTHONPATH": path})
    world = World()
    source = in_memory(spark, [data for _, data in records(events, seed, world)])
    lookup = lookup_frame(spark, world.lookup())
    hop = decode_batches(routing_of(configuration.log_groups), pipeline.prefilter(scope))

    def whole() -> int:
        kept = pipeline.of_interest_or_rejected(source.mapInArrow(hop, EVENT), scope)
        return int(folded(kept, lookup, scope).num_rows)

    began = time.perf_counter()
    while time.perf_counter() - began < WARM_UP_OF_SPARK:
        whole()
    seconds, cpu, rows = min((timed(whole) for _ in range(times)), key=lambda one: one[0])
    spark.stop()
    return {"workers": workers, "events": events, "rows": rows, "seconds": round(seconds, 2), "cpu": round(cpu, 1)}


def main() -> None:
    parser = options.parser(__doc__, 1_000_000, 3)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.one, chosen.events, chosen.seed, chosen.times)))
        return
    rows = []
    for workers in WORKERS:
        command = [sys.executable, "-m", "benchmarks.workers", "--one", str(workers)]
        command += [f"--{name}={getattr(chosen, name)}" for name in ("events", "seed", "times")]
        rows.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1]))
        print("   ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    print(f"speed-up {rows[0]['seconds'] / rows[1]['seconds']:.2f}")
    options.keep({"seed": chosen.seed, "rows": rows}, chosen.json)


if __name__ == "__main__":
    main()
