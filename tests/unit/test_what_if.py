"""Two timelines of what was said, compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from probable_cause import what_if
from probable_cause.what_if import Belief

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def beliefs(*told: tuple[int, str, str | None]) -> list[Belief]:
    return [Belief(T0 + timedelta(minutes=minute), health, cause, None) for minute, health, cause in told]


REBOOT = beliefs((0, "failing", "reboot"), (30, "healthy", None))


@pytest.mark.parametrize(
    ("before", "after", "spans"),
    [
        (REBOOT, REBOOT, []),
        (REBOOT, [], ["12:00-12:30 failing/nothing", "12:30- healthy/nothing"]),
        (REBOOT, beliefs((0, "failing", "group"), (30, "healthy", None)), ["12:00-12:30 failing/failing"]),
        (REBOOT, beliefs((10, "failing", "reboot"), (30, "healthy", None)), ["12:00-12:10 failing/nothing"]),
        (REBOOT, beliefs((0, "failing", "reboot")), ["12:30- healthy/failing"]),
    ],
)
def test_only_the_spans_that_differ(before: list[Belief], after: list[Belief], spans: list[str]) -> None:
    found = what_if.compare({"app1": before}, {"app1": after})
    told = [
        f"{one.since:%H:%M}-{f'{one.until:%H:%M}' if one.until else ''} "
        f"{one.before.health if one.before else 'nothing'}/{one.after.health if one.after else 'nothing'}"
        for one in found
    ]
    assert told == spans
    assert len(what_if.text(found)) == len(spans)
    assert all(one.to_dict()["application_id"] == "app1" for one in found)
