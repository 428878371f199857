"""How usual a change is: on how many earlier days the same caller made the same call on the application.

Learned from the events of interest themselves, which the table keeps for weeks after they left the ranking: nothing
else need be remembered, and a replay or a lost checkpoint changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict.factors import spans

Days = Mapping[tuple[str, str], frozenset[date]]  # (actor, action) -> the days on which that happened, UTC


def days(events: Iterable[EventOfInterest]) -> Days:
    """The days of every (actor, action) among causes and recoveries, whatever they touched and whatever their status.

    Of each cause the first and its newest intervals are known (state/bursts.py), so this is bounded by the items.
    """
    found: dict[tuple[str, str], set[date]] = defaultdict(set)
    for event in events:
        if event.role in ("cause", "recovery") and event.actor and event.action:
            found[event.actor, event.action].update(at.date() for span in spans(event) for at in span)
    return {key: frozenset(known) for key, known in found.items()}


def earlier(event: EventOfInterest, known: Days) -> int:
    """On how many days before that of its newest occurrence the event's caller made such a call; 0 of nobody known."""
    if not event.actor or not event.action:
        return 0
    return sum(one < event.last_seen.date() for one in known.get((event.actor, event.action), ()))
