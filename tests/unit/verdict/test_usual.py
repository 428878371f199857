"""How usual a change is, and what that does to the ranking."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probable_cause.verdict import DEFAULT, judge, usual
from tests.unit.verdict.events import at, cause, recovery, symptom

DAY = 1440  # minutes
CI = {"actor": "ci", "actor_type": "pipeline"}
OUTAGE = symptom("connectivity", 10, last=20)


def change(action: str, minute: float, resource: str = "sg-0aaaaaaaa1", **more):
    return cause(action, minute, layer="network", resource=resource, **(CI | more))


def before(days: int, action: str = "Authorize", **more):
    """The same on other resources, on so many days before."""
    return [change(action, -DAY * (1 + day), f"sg-0bbbbbb{day:03}", **more) for day in range(days)]


@pytest.mark.parametrize(
    ("past", "want"),
    [
        pytest.param([], 0, id="never before"),
        pytest.param(before(3), 3, id="on three days"),
        pytest.param(before(3) + before(3, actor="other"), 3, id="by another as well"),
        pytest.param(before(3, actor="other"), 0, id="by another only"),
        pytest.param(before(3, "Revoke"), 0, id="another call only"),
        pytest.param(before(1) + [change("Authorize", -DAY + 3, "sg-0c")], 1, id="twice on one day"),
        pytest.param([change("Authorize", -30, "sg-0c")], 0, id="earlier on the same day"),
        pytest.param([change("Authorize", DAY, "sg-0c")], 0, id="on a later day"),
        pytest.param([replace(one, status="resolved") for one in before(2)], 2, id="resolved ones count"),
        pytest.param([recovery("Authorize", -DAY, "Revoke", **CI)], 1, id="a recovery is a change, too"),
        pytest.param([replace(symptom("auth", -DAY), action="Authorize", actor="ci")], 0, id="a symptom is none"),
    ],
)
def test_counts_the_days_before_on_which_the_same_caller_made_the_same_call(past, want):
    now = change("Authorize", 5)
    assert usual.earlier(now, usual.days([*past, now])) == want


def test_a_cause_that_repeats_daily_is_usual_by_its_own_bursts():
    daily = change("Authorize", -3 * DAY, last=5, bursts=tuple((at(-DAY * n), at(-DAY * n)) for n in (3, 2, 1, 0)))
    assert usual.earlier(daily, usual.days([daily])) == 3


def test_nobody_has_no_habits():
    unknown = change("Authorize", 5, actor=None)
    assert usual.earlier(unknown, usual.days([*before(3, actor=None), unknown])) == 0


@pytest.mark.parametrize(("kind", "days"), [("pipeline", 5), ("service", 5), ("pipeline", 1)])
def test_a_usual_change_of_automation_ranks_below_an_unusual_one(kind, days):
    """The usual change came closer before the outage, so time alone would name it."""
    past = before(days, actor_type=kind)
    routine = change("Authorize", 9.95, "sg-0aaaaaaaa1", actor_type=kind)
    rare = change("Replace", 9.9, "sg-0cccccccc3", actor_type=kind)
    assert judge([routine, rare, OUTAGE], at(21)).root_cause.event.action == "Authorize"
    found = judge([*past, routine, rare, OUTAGE], at(21)).root_cause
    assert found.event.action == "Replace"
    told = f"{days} day{'s' if days > 1 else ''} before"
    lower = next(one for one in found.rivals if one.event.event_key == routine.event_key)
    assert lower.why_lower == f"It is usual: its caller made such a change on {told}."


def test_the_explanation_says_how_usual_the_named_cause_is():
    found = judge([*before(4), change("Authorize", 9), OUTAGE], at(21)).root_cause
    assert found.evidence[0].text.endswith("the caller was ci, a pipeline, who made such a change on 4 days before.")
    assert found.factors["actor"] == pytest.approx(DEFAULT.actor["pipeline"] * 5**-DEFAULT.usual_exponent)


def test_what_a_person_does_every_day_weighs_as_before():
    kim = {"actor": "kim", "actor_type": "person"}
    alone = judge([change("Authorize", 9, **kim), OUTAGE], at(21)).root_cause
    daily = judge([*before(6, **kim), change("Authorize", 9, **kim), OUTAGE], at(21)).root_cause
    assert daily.event == alone.event and daily.factors["actor"] == alone.factors["actor"]
