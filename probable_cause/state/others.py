"""What a flood of causes leaves of an application: its foremost causes, and one item that counts all others.

fold.bounded does so within a batch, before rows come to the driver; here it is done over batches, for a flood that
lasts. Standard library only; no clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from probable_cause.schemas import OTHERS, OTHERS_SUMMARY
from probable_cause.state.event_item import Repeats
from probable_cause.state.event_of_interest import EventOfInterest

NO_LIMIT = 2**31


def admitted(rows: Iterable[Repeats], events: Iterable[EventOfInterest], most: int) -> list[Repeats]:
    """The rows of one batch and application, the foremost first; at the end, for each layer, those without room as one.

    A cause that has an item goes on with it. A new one gets an item if fewer than `most` unresolved causes of its
    layer and role, within their window, are at least as relevant: what a flood is made of can't keep out what weighs
    more. Over the few different relevances that rules have, items stay bounded as well.

    Args:
        events: what the application has.
    """
    known: dict[tuple[str, str], dict[str, tuple[float, datetime]]] = defaultdict(dict)
    for event in events:
        if event.status != "resolved":
            causes = known[event.event_type, event.role]
            until = event.expires_from_ranking_at
            causes[event.cause_id] = max(causes.get(event.cause_id, (0.0, until)), (event.relevance, until))
    own: list[Repeats] = []
    others: dict[str, list[Repeats]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (-row.relevance, -row.count, row.cause_id)):
        causes = known[row.event_type, row.role]
        if row.role == OTHERS or not _has_room(row, causes, most):
            others[row.event_type].append(row)
        else:
            own.append(row)
            causes[row.cause_id] = (row.relevance, row.last_seen)
    return own + [merged(some) for some in others.values()]


def _has_room(row: Repeats, causes: dict[str, tuple[float, datetime]], most: int) -> bool:
    if len(causes) < most:
        return True
    _, until = causes.get(row.cause_id, (0.0, None))
    if until is not None and until >= row.last_seen:
        return True
    return sum(relevance >= row.relevance and until >= row.last_seen for relevance, until in causes.values()) < most


def merged(rows: Sequence[Repeats]) -> Repeats:
    """One row that counts the events of all, as fold.bounded makes it. It names no call, actor or resource."""
    newest = max(rows, key=lambda row: (row.last_seen, row.relevance, row.cause_id))
    return replace(
        newest,
        cause_id=OTHERS,
        role=OTHERS,
        rule_id=OTHERS,
        action=None,
        outcome=None,
        error_code=None,
        actor=None,
        actor_type=None,
        symptom=None,
        resource_ids=(),
        addresses=(),
        explains=(),
        resolves=(),
        edges=(),
        summary=OTHERS_SUMMARY,
        relevance=max(row.relevance for row in rows),
        first_seen=min(row.first_seen for row in rows),
        last_seen=newest.last_seen,
        count=sum(row.count for row in rows),
        occurrences=tuple(sorted(one for row in rows for one in row.occurrences)),
    )
