"""Repeats become one row; relevance decays alike in Spark and in Python."""

from __future__ import annotations

import random

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from probable_cause.fold import bounded, fold
from probable_cause.relevance import relevance_at
from probable_cause.schemas import ATTRIBUTED, FOLDED, OTHERS, column_names
from probable_cause.state.event_item import Repeats
from probable_cause.state.event_of_interest import EventOfInterest
from tests.spark.rows import T0, at, frame, interest

DESCRIBED = f"{ATTRIBUTED}, cause_id string, summary string"


def described(event_id: str, seconds: float, **values: object) -> dict[str, object]:
    return {
        **interest(event_id, event_time=at(seconds)),
        "application_id": "shop",
        "cause_id": "RebootInstances on i-1",
        "summary": "reboot",
        "owned_resource_ids": ["i-1"],
        **values,
    }


def test_repeats_become_one_row(spark: SparkSession) -> None:
    rows = [
        described("a", 10, message="first", actor="ana"),
        described("b", 30, message="newest", original="ERROR newest", actor="ben", resource_ids=["i-1", "subnet-1"]),
        described("c", 20, message="between", actor="cid"),
        described("d", 5, application_id="other"),
        described("e", 5, event_type="network"),
        described("f", 50, role="recovery"),
    ]
    folded = fold(frame(spark, DESCRIBED, rows), listed=2)
    assert folded.columns == column_names(FOLDED)
    found = {
        (one.application_id, one.event_type, one.role): one
        for one in map(Repeats.from_row, folded.toArrow().to_pylist())
    }
    assert len(found) == 4
    shop = found["shop", "cloudsystem", "cause"]
    assert (shop.count, shop.first_seen, shop.last_seen) == (3, at(10), at(30))
    assert (shop.message, shop.original, shop.actor) == ("newest", "ERROR newest", "ben")
    assert found["shop", "network", "cause"].original is None, "the message is all of the line"
    assert shop.resource_ids == ("i-1", "subnet-1")
    assert shop.sample_event_ids == ("a", "b")
    # The newest two of three, ascending.
    assert [millis for millis, *_ in shop.occurrences] == [int(at(s).timestamp() * 1000) for s in (20, 30)]
    assert found["shop", "cloudsystem", "recovery"].cause_id == "recovery: RebootInstances on i-1"


def test_of_what_is_usual_spans_of_time_are_listed_and_the_others_left_out(spark: SparkSession) -> None:
    def usual(event_id: str, seconds: float, edge: str | None) -> dict[str, object]:
        return described(event_id, seconds, role="baseline", event_type="network", cause_id=edge or "-", edge=edge)

    rows = [usual("a", 10, "x"), usual("b", 299, "x"), usual("c", 610, "x"), usual("d", 0, "y"), usual("e", 700, None)]
    rows.append(described("f", 50, event_type="network", edge="x"))
    folded = fold(frame(spark, DESCRIBED, rows), listed=9)
    found = {(one.role, one.cause_id): one for one in map(Repeats.from_row, folded.toArrow().to_pylist())}
    first = int(T0.timestamp()) // 300
    assert (found["baseline", "x"].edges, found["baseline", "x"].buckets) == (("x",), (first, first + 2))
    assert found["baseline", "x"].occurrences == () and found["baseline", "x"].count == 3
    assert (found["baseline", "-"].edges, found["baseline", "-"].buckets) == ((), (first + 2,))
    cause = found["cause", "RebootInstances on i-1"]
    assert (cause.edges, cause.buckets, len(cause.occurrences)) == (("x",), (), 1)
    kept = [*map(Repeats.from_row, bounded(folded, 1, 9).toArrow().to_pylist())]
    assert sorted((one.role, one.cause_id) for one in kept) == [("baseline", "x"), ("cause", cause.cause_id)]


def test_of_too_many_causes_the_foremost_stay_and_the_others_are_one_row(spark: SparkSession) -> None:
    def causes(application: str, role: str, relevance: str) -> DataFrame:
        """200 causes, of 1 to 4 events each."""
        values = {
            **dict.fromkeys(column_names(DESCRIBED), "null"),
            "application_id": f"'{application}'",
            "event_type": "'network'",
            "role": f"'{role}'",
            "cause_id": "concat('cause ', lpad(id div 4, 4, '0'))",
            "relevance": relevance,
            "event_id": f"concat('{application} {role} ', id)",
            "event_time": f"timestamp '{T0.isoformat()}' + make_dt_interval(0, 0, 0, id)",
            "actor": "'ana'",
        }
        numbers = spark.range(800).where("id % 4 <= (id div 4) % 4")
        return spark.createDataFrame(
            numbers.selectExpr(*(f"{sql} as {name}" for name, sql in values.items())).toArrow(), DESCRIBED
        )

    few = frame(
        spark, DESCRIBED, [described("x", 10, application_id="calm"), described("y", 20, application_id="calm")]
    )
    described_ = causes("shop", "symptom", "if(id div 4 = 150, 9.0, 5.0)").unionByName(causes("shop", "cause", "3.0"))
    folded = fold(described_.unionByName(few), listed=300).persist()
    found = bounded(folded, 10, 300)
    assert found.columns == column_names(FOLDED)
    rows = [*map(Repeats.from_row, found.toArrow().to_pylist())]
    shop = {(one.role, one.cause_id): one for one in rows if one.application_id == "shop"}
    # The most relevant, then the most frequent, then the first by name: numbers with remainder 3 have 4 events.
    frequent = [f"cause {number:04d}" for number in range(3, 200, 4)]
    assert [*shop].count((OTHERS, OTHERS)) == 1
    assert {cause for role, cause in shop if role == "symptom"} == {"cause 0150", *frequent[:9]}
    assert {cause for role, cause in shop if role == "cause"} == {*frequent[:10]}
    others = shop[OTHERS, OTHERS]
    total = 2 * sum(1 + number % 4 for number in range(200))
    assert sum(one.count for one in shop.values()) == total
    assert others.count == total - (3 + 9 * 4) - 10 * 4
    assert len(others.occurrences) == 300
    assert (others.actor, others.resource_ids, others.relevance) == (None, (), 5.0)
    # What is not in a flood passes as it is; twice gives the same.
    calm = [row for row in folded.toArrow().to_pylist() if row["application_id"] == "calm"]
    assert [row for row in found.toArrow().to_pylist() if row["application_id"] == "calm"] == calm
    again = bounded(folded.repartition(3), 10, 300).toArrow().to_pylist()
    assert sorted(again, key=str) == sorted(found.toArrow().to_pylist(), key=str)


def test_relevance_is_the_same_in_spark_and_in_python(spark: SparkSession) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)
    cases = [
        (rng.uniform(0, 10), rng.randint(1, 200_000), rng.randint(1, 400_000), rng.uniform(-100, 500_000))
        for _ in range(300)
    ]
    cases += [
        (8.0, 3600, 21600, 0.0),
        (8.0, 3600, 21600, 21600.0),
        (8.0, 3600, 21600, 21600.001),
        (8.0, 3600, 21600, 3600.0),
    ]
    rows = [(base, half_life, window, T0, at(round(age, 3))) for base, half_life, window, age in cases]
    frame_ = spark.createDataFrame(rows, "base double, half_life bigint, window bigint, seen timestamp, now timestamp")
    found = frame_.select(
        relevance_at(F.col("now"), F.col("base"), F.col("seen"), F.col("half_life"), F.col("window")).alias("r")
    ).collect()
    for (base, half_life, window, seen, now), row in zip(rows, found, strict=True):
        event = EventOfInterest(
            "a", "network", "c", 1, "cause", "r", "vpc_flow", base, half_life, window, seen, seen, 1, "", ""
        )
        assert abs(row["r"] - event.relevance_at(now)) < 1e-9, (base, half_life, window, now)
