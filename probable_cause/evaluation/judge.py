"""Compares one moment of truth with what was answered. Only the keys that the truth gives are compared. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from probable_cause.evaluation.incident import HEALTHY, NONE, Expected, ExpectedCount, Truth
from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict.types import LayerVerdict, Verdict

_VERSION = re.compile(r"(?<=[a-z])20\d{6}(v\d+)?$")


@dataclass(frozen=True)
class Check:
    """One comparison: what it is about (`root_cause`, `layer network`, `count REJECT`), and whether it held."""

    about: str
    holds: bool
    expected: str
    answered: str

    def fault(self) -> str:
        """The failed check as one line."""
        return f"{self.about}: expected {self.expected}, answered {self.answered}"


def faults_of(truth: Truth, verdict: Verdict, events: Sequence[EventOfInterest]) -> list[str]:
    """What differs from the truth, one line each; nothing when all of it holds."""
    return [check.fault() for check in checks(truth, verdict, events) if not check.holds]


def checks(truth: Truth, verdict: Verdict, events: Sequence[EventOfInterest]) -> list[Check]:
    """Every comparison that the truth asks for.

    Args:
        events: all events of interest of the application, of any status: the counts are theirs.
    """
    found = []
    if truth.root_cause is not None:
        found.append(_root_cause(truth.root_cause, verdict))
    found += [_layer(name, expected, verdict.layers[name]) for name, expected in truth.layers.items()]
    found += [_count(expected, events) for expected in truth.counts]
    return found


def names(expected: Expected, event: EventOfInterest, resource_ids: Iterable[str] = ()) -> bool:
    """Whether an answered cause is the expected one.

    Args:
        resource_ids: further resources that the answer names for the same change.
    """
    return (
        expected.event_type in (None, event.event_type)
        and (expected.action is None or _same_action(expected.action, event.action))
        and (
            expected.resource_id is None or _names_resource(expected.resource_id, (*event.resource_ids, *resource_ids))
        )
    )


def rank_of(expected: Expected, verdict: Verdict) -> int | None:
    """The place (1 is first) of the expected cause in the answer: the root cause, then its rivals; None: not there.

    What is known to be the root cause's own change in another form (Config's view of the call) counts as it.
    """
    root = verdict.root_cause
    if root is None:
        return None
    if names(expected, root.event, root.resource_ids):
        return 1
    for place, rival in enumerate(root.rivals, 2):
        if names(expected, rival.event):
            return place
    return None


def _same_action(expected: str, answered: str | None) -> bool:
    """Equal but for an API version behind the name: Lambda's UpdateFunctionCode20150331v2 is UpdateFunctionCode."""
    return answered is not None and _VERSION.sub("", expected) == _VERSION.sub("", answered)


def _names_resource(expected: str, resource_ids: Iterable[str]) -> bool:
    """By id, by ARN, or an id as the last part of an ARN."""
    wanted = {expected, _last_part(expected)}
    return any(one in wanted or _last_part(one) in wanted for one in resource_ids)


def _last_part(text: str) -> str:
    return text.replace("/", ":").rsplit(":", 1)[-1] if text.startswith("arn:") else text


def _root_cause(expected: Expected | str, verdict: Verdict) -> Check:
    root = verdict.root_cause
    answered = NONE if root is None else _told(root.event)
    if isinstance(expected, str):
        return Check("root_cause", root is None, expected, answered)
    return Check("root_cause", rank_of(expected, verdict) == 1, _told_expected(expected), answered)


def _layer(name: str, expected: Expected | str, answered: LayerVerdict) -> Check:
    told = answered.state if answered.event is None else _told(answered.event)
    if answered.deferred_from:
        told = f"deferred from {answered.deferred_from}: {told}"
    about = f"layer {name}"
    if expected == HEALTHY:
        return Check(about, answered.event is None, HEALTHY, told)
    assert isinstance(expected, Expected)
    holds = answered.event is not None and names(expected, answered.event)
    if expected.deferred_from is not None:
        holds = holds and answered.deferred_from == expected.deferred_from
    return Check(about, holds, _told_expected(expected), told)


def _count(expected: ExpectedCount, events: Sequence[EventOfInterest]) -> Check:
    """One item has the count, or all fitting items together: a truth that names no resource may mean either."""
    wanted = Expected(expected.event_type, expected.action, expected.resource_id)
    fitting = [one.count for one in events if one.role != "recovery" and names(wanted, one)]
    holds = expected.count in fitting or expected.count == sum(fitting)
    what = " ".join(one for one in (expected.event_type, expected.action, expected.resource_id) if one)
    return Check(f"count {what}", holds, str(expected.count), " + ".join(map(str, fitting)) or "0")


def _told(event: EventOfInterest) -> str:
    return f"{event.event_type} {event.action or event.summary} on {', '.join(event.resource_ids[:3]) or '-'}"


def _told_expected(expected: Expected) -> str:
    if expected.deferred_from:
        return f"deferred from {expected.deferred_from}"
    parts = [expected.event_type, expected.action, expected.resource_id and f"on {expected.resource_id}"]
    return " ".join(one for one in parts if one)
