"""With the prefilter the job keeps the same rows and counts the same lines as without it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from benchmarks.incidents.generate import BUNDLES
from benchmarks.workload import World, records
from probable_cause import pipeline, settings
from probable_cause.decode import Record, decode_records
from probable_cause.evaluation.bundle import find, load_bundle
from probable_cause.pipeline import Scope
from probable_cause.prefilter import NOTHING, Prefilter
from probable_cause.routing import Routing
from probable_cause.sources import routing_of
from probable_cause.wiring import scope_of

USUAL = "flow-accept"
SCENARIOS = Path(__file__).parents[1] / "scenarios"
ARRIVED = datetime(2026, 3, 1, 12, 10, tzinfo=UTC)
GENERATED = Routing(
    (
        ("cloudtrail", "cloudtrail", None, None),
        ("config", "aws_config", None, None),
        ("^/vpc", "vpc_flow", None, None),
        ("^/app/(?P<application_id>.+)", "application", None, None),
    )
)


@pytest.fixture(scope="module")
def scope() -> Scope:
    return scope_of(settings.load(overrides={"network": {"baseline_lines": 5}}))


def generated() -> Iterable[tuple[list[Record], Routing]]:
    made = records(8_000, 3, World())
    yield [(data, ARRIVED, f"s:{number}") for number, (_, data) in enumerate(made)], GENERATED


def bundles() -> Iterable[tuple[list[Record], Routing]]:
    for folder in [*find([SCENARIOS]), *find([BUNDLES])[::12]]:
        bundle = load_bundle(folder)
        groups = settings.load(overrides=bundle.settings or None).log_groups
        rows = [(one.data, one.arrival, f"{folder.name}:{number}") for number, one in enumerate(bundle.records)]
        yield rows, routing_of(groups)


@pytest.mark.parametrize("given", [generated, bundles])
def test_keeps_the_same_and_counts_the_same(spark: SparkSession, scope: Scope, given):
    parts = list(given())
    without, within = (
        pa.Table.from_batches([decode_records(rows, routing, how) for rows, routing in parts])
        for how in (NOTHING, pipeline.prefilter(scope))
    )
    skipped = sum(count or 0 for count in within["skipped_lines"].to_pylist())
    print(f"{without.num_rows} lines, {skipped} passed over")  # noqa: T201
    assert skipped > without.num_rows / 25
    assert counts(without) == counts(within)
    whole, part = (kept(spark.createDataFrame(events), scope) for events in (without, within))
    assert [row for row in whole if row[2] != USUAL] == [row for row in part if row[2] != USUAL]
    # Of what is usual there are samples.
    assert {*part} <= {*whole}
    assert 0 < sum(row[2] == USUAL for row in part) < sum(row[2] == USUAL for row in whole)


def counts(events: pa.Table) -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for row in events.select(["family", "skipped_lines"]).to_pylist():
        found[row["family"]] = found.get(row["family"], 0) + (row["skipped_lines"] or 1)
    return found


def kept(events: DataFrame, scope: Scope) -> list[tuple[object, ...]]:
    chosen = ("position", "event_id", "rule_id", "reject_reason", "event_time", "message", "outcome", "level")
    rows = pipeline.of_interest_or_rejected(events, scope).select(*chosen).collect()
    assert rows
    return sorted((tuple(row) for row in rows), key=str)


def test_the_metric_counts_what_was_passed_over(spark: SparkSession):
    from pyspark.sql import Observation

    events = spark.createDataFrame(
        [("vpc_flow", 40), ("vpc_flow", None), (None, None), ("application", 2)], "family string, skipped_lines bigint"
    )
    seen = Observation("lines")
    events.observe(seen, *pipeline.line_counts()).collect()
    assert seen.get == {"cloudtrail": 0, "aws_config": 0, "vpc_flow": 41, "application": 2, "unknown": 1}


def test_a_prefilter_that_is_off_passes_nothing_over():
    rows, routing = next(iter(generated()))
    assert all(count is None for count in decode_records(rows, routing, Prefilter())["skipped_lines"].to_pylist())
