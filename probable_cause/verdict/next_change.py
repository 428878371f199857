"""When time alone changes a verdict: decay, a window that passes, one curve that falls below another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict import layers
from probable_cause.verdict.judge import decide
from probable_cause.verdict.model import DEFAULT, VerdictModel
from probable_cause.verdict.relations import Relations

_TICK = timedelta(milliseconds=1)
_LOOKED_AT = 12  # turning points; if nothing has changed by then, the last of them is when to look again


def next_change_at(events: Sequence[EventOfInterest], now: datetime, model: VerdictModel = DEFAULT) -> datetime | None:
    """The next instant after `now` at which time alone changes the verdict, to the second; None if it never does.

    With very many events it may be an instant before, at which nothing has changed yet: ask again then.

    Between two of the events' own turning points (an event is no longer recent, a window passes, two curves of
    different half-lives cross) everything decays monotonously, so a change inside such a span is found by halving.
    """
    relations = Relations(model, events=events)

    def signature(at: datetime) -> tuple[Any, ...]:
        return decide(events, at, relations).signature()

    before = signature(now)
    start = now
    turns = _turning_points(events, now)
    for turn in turns[:_LOOKED_AT]:
        if signature(turn - _TICK) != before:
            low, high = start, turn - _TICK
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                low, high = (middle, high) if signature(middle) == before else (low, middle)
            return high
        if signature(turn + _TICK) != before:
            return turn + _TICK
        start = turn + _TICK
    return start if len(turns) > _LOOKED_AT else None


def _turning_points(events: Sequence[EventOfInterest], now: datetime) -> list[datetime]:
    live = [one for one in events if one.status != "resolved" and now <= one.expires_from_ranking_at]
    found = {one.expires_from_ranking_at for one in live} | {layers.recent_until(one) for one in live}
    recent = [one for one in live if one.is_recent(now)]
    for first, second in itertools.combinations(recent, 2):
        if first.event_type == second.event_type and first.half_life_seconds != second.half_life_seconds:
            found.add(_crossing(first, second))
    return sorted(one for one in found if one > now)


def _crossing(first: EventOfInterest, second: EventOfInterest) -> datetime:
    """When two curves meet: log2(r1) - (t - l1)/h1 = log2(r2) - (t - l2)/h2, solved for t."""
    origin = first.last_seen
    shift = (second.last_seen - origin).total_seconds()
    slope = 1 / first.half_life_seconds - 1 / second.half_life_seconds
    height = math.log2(max(first.relevance, 1e-9) / max(second.relevance, 1e-9)) - shift / second.half_life_seconds
    return origin + timedelta(seconds=max(min(height / slope, 1e9), -1e9))
