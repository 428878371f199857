"""How cost grows: the pipeline's CPU seconds and seconds, by events, applications and rules, in one run.

    python -m benchmarks.growth [--events 250000] [--json FILE] [--svg docs/growth.svg]

One thing grows at a time, from `x1`; everything else stays. Events are those of workload.py, which lie in memory when
the clock starts, and go down to the folded rows. Applications share the same number of addresses and instances, so that
more of them are more rows of the final table. Of rules, those that match the workload are in each set, and the others
are from the catalogue in its own proportions, so that each set keeps the same rows. Of several runs the one with the
fewest CPU seconds is told. Slope: the exponent e of cost = c * x^e, by least squares over the logarithms; 0 is flat, 1
is as the thing itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from benchmarks import options
from benchmarks.compare import timed
from benchmarks.rules import few, matching
from benchmarks.speed import folded, groups, in_memory
from benchmarks.workload import World, records
from probable_cause import pipeline, session, settings, wiring
from probable_cause.decode import decode_batches
from probable_cause.lookup_cache import lookup_frame
from probable_cause.pipeline import Scope
from probable_cause.routing import Routing
from probable_cause.schemas import EVENT
from probable_cause.sources import routing_of

TIMES_EVENTS, TIMES_APPLICATIONS, TIMES_RULES = (1, 2, 4, 8), (1, 10, 100), (1, 3, 10, 30)
FEWEST_APPLICATIONS, WARM_UP_RUNS = 5, 4


@dataclass(frozen=True)
class Point:
    """Seconds of one run, CPU seconds over all its processes, and the rows of the final table."""

    times: int
    events: int
    rows: int
    seconds: float
    cpu: float


@dataclass(frozen=True)
class Bench:
    """The session and what all points share."""

    spark: SparkSession
    routing: Routing
    repeats: int

    def point(self, times: int, made: tuple[list[bytes], World], scope: Scope, events: int) -> Point:
        """The fewest CPU seconds of some runs."""
        payloads, world = made
        source = in_memory(self.spark, payloads)
        lookup = lookup_frame(self.spark, world.lookup()).persist()
        hop = decode_batches(self.routing, pipeline.prefilter(scope))

        def whole() -> int:
            kept = pipeline.of_interest_or_rejected(source.mapInArrow(hop, EVENT), scope)
            return int(folded(kept, lookup, scope).num_rows)

        whole()
        seconds, cpu, rows = min((timed(whole) for _ in range(self.repeats)), key=lambda one: one[1])
        source.unpersist()
        lookup.unpersist()
        return Point(times, events, rows, round(seconds, 3), round(cpu, 2))


def measure(events: int, seed: int, repeats: int) -> dict[str, list[Point]]:
    """The points of each curve, ascending."""
    configuration = settings.load(overrides={"log_groups": groups()})
    scope = wiring.scope_of(configuration)
    spark = session.build("bench-growth", "local[2]", {"spark.driver.memory": "4g"})
    bench = Bench(spark, routing_of(configuration.log_groups), repeats)

    def traffic(lines: int, world: World) -> tuple[list[bytes], World]:
        return [data for _, data in records(lines, seed, world)], world

    base = traffic(events, World())
    for _ in range(WARM_UP_RUNS):  # Java is slow until it has run for a while
        bench.point(1, base, scope, events)
    every = in_memory(spark, base[0]).mapInArrow(decode_batches(bench.routing, pipeline.prefilter(scope)), EVENT)
    needed = matching(every, scope.rules)
    fewest = len(scope.rules) // TIMES_RULES[-1]
    curves: Mapping[str, tuple[Sequence[int], Callable[[int], Point]]] = {
        "events": (TIMES_EVENTS, lambda x: bench.point(x, traffic(x * events, World()), scope, x * events)),
        "applications": (
            TIMES_APPLICATIONS,
            lambda x: bench.point(x, traffic(events, World(x * FEWEST_APPLICATIONS)), scope, events),
        ),
        "rules": (
            TIMES_RULES,
            lambda x: bench.point(
                x, base, replace(scope, rules=few(scope.rules, needed, max(x * fewest, len(needed)))), events
            ),
        ),
    }
    found = {name: [point(x) for x in grown] for name, (grown, point) in curves.items()}
    spark.stop()
    return found


def slope(points: Sequence[Point], cost: Callable[[Point], float]) -> float:
    """The exponent by which a cost grows."""
    pairs = [(math.log(one.times), math.log(cost(one))) for one in points]
    mean_x, mean_y = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
    above = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    return above / sum((x - mean_x) ** 2 for x, _ in pairs)


def of_a_million(point: Point) -> float:
    """CPU seconds for a million events."""
    return point.cpu / point.events * 1e6


def draw(curves: Mapping[str, Sequence[Point]], file: Path) -> None:
    """CPU seconds for a million events over how many times as much of each thing there is."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "growth"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(curves), figsize=(9, 3), sharey=True, layout="constrained")
    for axis, (name, points) in zip(axes, curves.items(), strict=True):
        axis.plot([one.times for one in points], [of_a_million(one) for one in points], marker="o")
        axis.set(xscale="log", xlabel=f"{name}, times as many", title=f"slope {slope(points, of_a_million):+.2f}")
        axis.set_xticks([one.times for one in points], [f"x{one.times}" for one in points])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("CPU seconds, a million events")
    axes[0].set_ylim(bottom=0)
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    parser = options.parser(__doc__, 250_000, 3)
    parser.add_argument("--svg", type=Path, help="file for the curves")
    chosen = parser.parse_args()
    curves = measure(chosen.events, chosen.seed, chosen.times)
    print(
        f"seed {chosen.seed}; x1: {chosen.events} events, {FEWEST_APPLICATIONS} applications or 500, all rules or few"
    )
    told: dict[str, Any] = {}
    for name, points in curves.items():
        print(f"\n{name:<14}{'events':>10}{'rows':>8}{'seconds':>9}{'CPU s':>8}{'CPU s a million':>17}")
        for one in points:
            print(
                f"x{one.times:<13}{one.events:>10}{one.rows:>8}{one.seconds:>9.2f}{one.cpu:>8.2f}"
                f"{of_a_million(one):>17.1f}"
            )
        print(f"slope of CPU seconds for a million events: {slope(points, of_a_million):+.2f}")
        told[name] = {"slope": round(slope(points, of_a_million), 3), "points": [vars(one) for one in points]}
    if chosen.svg:
        draw(curves, chosen.svg)
    options.keep({"seed": chosen.seed, "curves": told}, chosen.json)


if __name__ == "__main__":
    main()
