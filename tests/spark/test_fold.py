"""Repeats become one row; relevance decays alike in Spark and in Python."""

from __future__ import annotations

import random

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from probable_cause.fold import fold
from probable_cause.relevance import relevance_at
from probable_cause.schemas import ATTRIBUTED, FOLDED, column_names
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
        described("b", 30, message="newest", actor="ben", resource_ids=["i-1", "subnet-1"]),
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
    assert (shop.message, shop.actor) == ("newest", "ben")
    assert shop.resource_ids == ("i-1", "subnet-1")
    assert shop.sample_event_ids == ("a", "b")
    # The newest two of three, ascending.
    assert [millis for millis, *_ in shop.occurrences] == [int(at(s).timestamp() * 1000) for s in (20, 30)]
    assert found["shop", "cloudsystem", "recovery"].cause_id == "recovery: RebootInstances on i-1"


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
