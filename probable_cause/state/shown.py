"""What every layer shows, as one attribute of `overall#current`, so that one change of one item tells a transition.

The responder reads it from the table's stream, where items of one renewal come one by one. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probable_cause.state.baseline import ACTION as SILENCE_ACTION
from probable_cause.state.event_of_interest import RECENT, EventOfInterest
from probable_cause.state.moments import to_text
from probable_cause.verdict.types import Verdict

# Attributes of a layer's own item (state_record) that a reader of transitions needs. The message is not among them.
_TOLD = (
    "State", "EventKey", "DeferredFrom", "Since", "Role", "RuleId", "EventContextSummary", "EventRelevance", "Action",
    "Actor", "ActorType", "ResourceIds", "SampleEventIds", "FirstSeenDate", "LastSeenDate", "Count",
    "Status", "StatusBy", "StatusAt", "StatusReason", "Ledger",
)  # fmt: skip


def layers(
    verdict: Verdict,
    items: Mapping[str, Mapping[str, Any]],
    before: Mapping[str, Mapping[str, Any]],
    events: Mapping[str, EventOfInterest],
) -> dict[str, dict[str, Any]]:
    """The attribute `Layers`: layer -> what its item tells, and `Ended`, what became of what it showed before.

    Args:
        items: layer -> its new `<layer>#current` item.
        before: `Layers` as the table has it.
        events: all stored events of the application by EventKey.
    """
    told = {}
    for layer, item in items.items():
        one = {name: item[name] for name in _TOLD if item.get(name) not in (None, [])}
        past = before.get(layer, {})
        if past.get("EventKey") and past["EventKey"] != one.get("EventKey"):
            one["Ended"] = _ended(past, one, verdict, events)
        elif "Ended" in past:
            one["Ended"] = past["Ended"]
        told[layer] = one
    return told


def _ended(
    past: Mapping[str, Any], now: Mapping[str, Any], verdict: Verdict, events: Mapping[str, EventOfInterest]
) -> dict[str, Any]:
    """How an event left its layer: `resolved` by an operator, `recovered`, `expired` with time, or `outranked`.

    Args:
        past: what the layer showed. A silence is known only while it lasts (baseline.py).
        now: what it shows.
    """
    event_key = past["EventKey"]
    event = events.get(event_key)
    ended: dict[str, Any] = {"EventKey": event_key, "How": "expired"}
    if event is None:
        if past.get("Action") == SILENCE_ACTION:
            refused = now.get("Action") == "REJECT"
            ended |= {"How": "outranked"} if refused else {"How": "recovered", "Reason": "accepted traffic is back"}
        return ended
    if event.status == "resolved":
        ended |= {"How": "resolved", "By": event.status_by, "Reason": event.status_reason}
        ended["At"] = to_text(event.status_at) if event.status_at else None
    elif event_key in verdict.resolved_by:
        recovery = events.get(verdict.resolved_by[event_key])
        ended |= {"How": "recovered", "By": recovery.actor if recovery else None}
        ended |= {"Reason": recovery.summary if recovery else None}
        ended["At"] = to_text(recovery.last_seen) if recovery else None
    elif event.relevance_at(verdict.at) >= RECENT:
        ended["How"] = "outranked"
    return {name: value for name, value in ended.items() if value is not None}
