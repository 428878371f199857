"""A batch's size decides how it is folded, never what comes out."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from probable_cause import pipeline, settings, sink, wiring
from probable_cause.lookup_cache import lookup_frame
from probable_cause.pipeline import FEW_FOLDED, ONE_TASK, Scope, Size
from probable_cause.rules.model import RuleSet
from probable_cause.schemas import INTEREST, OTHERS
from probable_cause.state.lookups import Row
from tests.spark.rows import frame, interest, reject

SEED = 20_261_128
OWN_CAUSES = 5
# Rows up to which a batch is folded by one task, and up to which the driver takes what comes of it as it is.
WAYS = {
    "few": (ONE_TASK, FEW_FOLDED),
    "many": (1, FEW_FOLDED),
    "few that concern many": (ONE_TASK, 2),
}


@pytest.fixture(scope="module")
def scope() -> Scope:
    return wiring.scope_of(settings.load(overrides={"floods": {"own_causes": OWN_CAUSES}}), RuleSet(()))


@pytest.fixture
def lookup(spark: SparkSession) -> DataFrame:
    owners = [(f"10.1.1.{number}", f"app{number % 3}", "Instance") for number in range(40)]
    return lookup_frame(
        spark, [Row(*one) for one in [*owners, ("i-1", "app1", "Instance"), ("i-1", "app2", "Instance")]]
    )


def rows(seed: int) -> list[dict[str, Any]]:
    """Refused flows and calls; some are delivered twice, and no layer of an application has more than OWN_CAUSES."""
    rng = random.Random(seed)
    some = [reject(f"f{n}", f"10.1.1.{rng.randrange(60)}", "10.1.1.1") for n in range(40)]
    some += [interest(f"c{n}", resource_ids=[rng.choice(["i-1", "i-2"])]) for n in range(20)]
    return some + rng.sample(some, 10)


def texts(folded: pa.Table) -> list[str]:
    return sorted(map(str, folded.to_pylist()))


@pytest.mark.parametrize("cause_template", ["{action}", "{source_ip}"])  # repeats; more causes than OWN_CAUSES
def test_the_size_of_a_batch_does_not_change_what_comes_out(
    spark: SparkSession, lookup: DataFrame, scope: Scope, monkeypatch: pytest.MonkeyPatch, cause_template: str
) -> None:
    given = frame(spark, INTEREST, [{**row, "cause_template": cause_template} for row in rows(SEED)]).repartition(3)
    expected = texts(pipeline.by_cause(given, lookup, scope).toArrow())
    assert len(expected) > 3
    assert any(OTHERS in one for one in expected) == (cause_template == "{source_ip}")
    for way, (one_task, few_folded) in WAYS.items():
        monkeypatch.setattr(pipeline, "ONE_TASK", one_task)
        monkeypatch.setattr(pipeline, "FEW_FOLDED", few_folded)
        with sink.held(given, lookup, scope) as batch:
            assert texts(batch.folded()) == expected, f"{way}, seed {SEED}"


def physical(frame: DataFrame) -> Any:
    return frame._jdf.queryExecution().executedPlan()


@pytest.mark.parametrize(("fold", "shuffles"), [(pipeline.by_cause_of_few, 0), (pipeline.by_cause, 2)])
def test_few_rows_are_folded_without_a_shuffle(
    spark: SparkSession, lookup: DataFrame, scope: Scope, fold: Callable[..., DataFrame], shuffles: int
) -> None:
    given = frame(spark, INTEREST, rows(SEED)).repartition(3).persist()
    try:
        given.count()
        plan = physical(fold(given, lookup, scope)).toString()
        assert plan.partition("InMemoryRelation")[0].count("Exchange ") == shuffles
    finally:
        given.unpersist()


def test_the_lookup_table_does_not_become_part_of_rows(spark: SparkSession, lookup: DataFrame, scope: Scope) -> None:
    """Ten thousand keys copied with each event would be all of a batch's time."""
    plan = physical(pipeline.by_cause(frame(spark, INTEREST, rows(SEED)), lookup, scope))

    def outputs(node: Any) -> list[str]:
        below = node.children()
        return [
            *(node.output().apply(i).name() for i in range(node.output().size())),
            *(name for i in range(below.size()) for name in outputs(below.apply(i))),
        ]

    names = outputs(plan)
    assert "event_time" in names
    assert "lookup" not in names


def test_a_batch_is_counted_by_what_it_holds(spark: SparkSession, lookup: DataFrame, scope: Scope) -> None:
    given = [
        interest("a"),
        interest("b"),
        interest("u", role="baseline"),
        interest("r", rule_id=None, role=None, reject_reason="not_json"),
    ]
    with sink.held(frame(spark, INTEREST, given), lookup, scope) as batch:
        assert batch.size == Size(rejects=1, usual=1, interest=2)
        assert batch.kept.count() == 4
    with sink.held(frame(spark, INTEREST, given[3:]), lookup, scope) as batch:
        assert batch.folded().num_rows == 0
