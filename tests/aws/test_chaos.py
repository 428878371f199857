"""The short form of `make chaos`: one campaign on the second pair of emulators, and the oracle's own negatives."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import campaign, oracle
from tests.chaos.workload import Maker, Shape

KINDS = ("point write SystemStateRecordsByApplication before", "worker", "jvm")
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_the_job_under_fire(tmp_path: Path) -> None:
    options = campaign.Options(
        seed=20261125,
        kinds=KINDS,
        shape=Shape(events=8000, applications=3, poison=0.3, redelivered=0.3),
        reshards=1,
        seconds=60,
    )
    result = campaign.run(options, tmp_path)
    log = "\n".join(path.read_text(errors="replace")[-20_000:] for path in tmp_path.glob("chaos*.log"))
    assert not result.differences, "\n".join([*result.differences[:10], log])
    assert not result.by_itself
    assert result.kills.total() >= 2, "it was killed"
    assert result.stream.redelivered > 0
    assert result.rejects.cells >= 3
    assert result.events.cells > 100
    assert result.beat["LagMax"] < 600_000, "lag by shard is told"
    assert "Rejects" in result.beat
    (health,) = [json.loads(path.read_text()) for path in tmp_path.glob("chaos*/health.json")]
    assert (health["state"], health["healthy"]) == ("stopped", False)
    assert "health and metrics are at http://127.0.0.1:" in log
    emf = [line for path in tmp_path.glob("chaos*.log") for line in path.read_text().splitlines() if '{"_aws"' in line]
    assert json.loads(emf[-1][emf[-1].index('{"_aws"') :])["Job"].startswith("chaos")


def items() -> tuple[list[dict[str, Any]], dict[oracle.Key, dict[str, Any]]]:
    """Right items, made of the truth itself."""
    stream = Maker(1, Shape(events=3000, applications=2), START).make()
    wanted = oracle.expected(stream.facts)
    right = []
    for (application, key), cells in wanted.items():
        plain = {name: min(value) if isinstance(value, set) else value for name, value in cells.items()}
        right.append({"ApplicationId": application, "EventKey": key, "Status": "open", **plain})
    return right, wanted


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, None),
        ({"Count": -1}, "Count"),
        ({"FirstSeenDate": "2026-03-01T00:00:00.000Z"}, "FirstSeenDate"),
        ({"EventMessage": "somebody else's"}, "EventMessage"),
        ({"Status": "acknowledged"}, "flags"),
        ({"ApplicationId": "nobody"}, "missing"),
    ],
)
def test_the_oracle_sees_one_wrong_cell(change: dict[str, Any], says: str | None) -> None:
    right, wanted = items()
    right[0] = {**right[0], **change}
    found = oracle.compare(right, wanted).differences
    assert (not found) if says is None else any(says in one for one in found)


def test_the_same_seed_makes_the_same_stream() -> None:
    one, two, other = (Maker(seed, Shape(events=4000), START).make() for seed in (5, 5, 6))
    assert one.records == two.records
    assert one.facts == two.facts
    assert one.records != other.records


def test_an_action_that_was_overwritten_unseen_is_found() -> None:
    from tests.chaos.operators import Operators

    item = ("shop", "network#x#1")
    chain = [(item, None, ("acknowledged", "a", "t1")), (item, "t1", ("open", "b", "t2"))]
    good = Operators(None, [], 0, actions=list(chain))  # type: ignore[arg-type]
    assert good.flags() == ({item: {("open", "b", "t2")}}, [])
    fork = Operators(None, [], 0, actions=[*chain, (item, "t1", ("acknowledged", "c", "t3"))])  # type: ignore[arg-type]
    assert len(fork.flags()[1]) == 1
    assert replace(good, actions=[(item, "t9", ("open", "a", "t1"))]).flags()[1], "nobody set t9"
