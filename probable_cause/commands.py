"""What the command line says of one or all applications: pure functions from tables and an instant to values.

The CLI prints them as text or as JSON; nothing here prints.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from probable_cause.schemas import UNATTRIBUTED
from probable_cause.state import lookups, state_record
from probable_cause.state.application import applications, load_events
from probable_cause.state.moments import from_text, to_text
from probable_cause.state.tables import Tables
from probable_cause.state.unattributed import Missing, missing
from probable_cause.verdict import Verdict, VerdictModel, judge
from probable_cause.verdict.types import LAYERS

_SEVERITY = {"failing": 0, "degraded": 1, "healthy": 2}


def verdict_of(tables: Tables, application_id: str, now: datetime, model: VerdictModel) -> Verdict:
    """The verdict at `now`, judged from the stored events; nothing is written."""
    events = load_events(tables, application_id)
    current = {item["StateKey"]: item for item in tables.states.query(application_id) if "#current" in item["StateKey"]}
    previous = state_record.previous_records(current, events)
    known = [stored.event for stored in events.values()]
    return judge(known, now, model, previous, application_id=application_id)


def believed_at(tables: Tables, application_id: str, as_of: datetime) -> dict[str, Any] | None:
    """The verdict (as JSON values) that was believed at `as_of`, or None when there was none yet."""
    told = None
    for item in tables.states.query(application_id, prefix=f"{state_record.OVERALL}#"):
        if item["StateKey"].endswith("#verdict") and from_text(item["Since"]) <= as_of:
            told = json.loads(item["Verdict"])
    return told


def overview(tables: Tables, now: datetime, model: VerdictModel) -> list[dict[str, Any]]:
    """All applications, what hurts most first: id, health, root cause, confidence, and each layer's cause."""
    verdicts = [verdict_of(tables, application_id, now, model) for application_id in sorted(applications(tables))]
    return [one.to_dict() for one in sorted(verdicts, key=lambda one: (_SEVERITY[one.health], -_hurts(one)))]


def _hurts(verdict: Verdict) -> float:
    return max((ranked.relevance for ranked in verdict.ranking), default=0.0)


def history(tables: Tables, application_id: str, layer: str | None) -> list[dict[str, Any]]:
    """Past and present records of each probable cause, newest first."""
    records = []
    for one in (layer,) if layer else LAYERS:
        for item in tables.states.query(application_id, prefix=f"{one}#", newest_first=True):
            if not item["StateKey"].endswith("#current"):
                records.append({name: value for name, value in item.items() if name != "ExpiresAt"})
    return sorted(records, key=lambda record: str(record["Since"]), reverse=True)


def unattributed(tables: Tables, accepted_cidrs: Sequence[str]) -> list[Missing]:
    """The addresses, resources and log groups of stored events that belong to no application."""
    events = [stored.event for stored in load_events(tables, UNATTRIBUTED).values()]
    return missing(events, lookups.rows(tables), accepted_cidrs)


def ago(moment: datetime, now: datetime) -> str:
    """`42 s ago`, `5 min ago`, `3 h ago`, `2 d ago`."""
    span = now - moment
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if span >= 2 * unit:
            return f"{span // unit} {name} ago"
    return f"{max(span // timedelta(seconds=1), 0)} s ago"


def event_line(event: dict[str, Any], now: datetime) -> str:
    """One event of a verdict's JSON as a line: summary, count, who, when."""
    who = f", by {event['actor']}" if event.get("actor") else ""
    count = f" ×{event['count']}" if event["count"] > 1 else ""
    status = "" if event["status"] == "open" else f" [{event['status']}]"
    return f"{event['summary']}{count}{who}, {ago(from_text(event['last_seen']), now)}{status}"


def as_json(value: Any) -> str:
    """One JSON document; instants as text, bytes as their length."""

    def plain(other: Any) -> Any:
        if isinstance(other, datetime):
            return to_text(other)
        if isinstance(other, bytes):
            return f"{len(other)} bytes"
        return str(other)

    return json.dumps(value, indent=2, ensure_ascii=False, default=plain)


def explanation(told: dict[str, Any]) -> list[str]:
    """A verdict's JSON in sentences, as `explain` prints it; every sentence with the event ids it rests on."""
    lines = [f"{told['application_id']} is {told['health']} at {told['at']}."]
    root = told["root_cause"]
    if root is None:
        lines.append(f"No probable cause. {told['why_none'] or ''}".strip())
    else:
        lines.append(f"Root cause: {root['event']['summary']} (confidence {root['confidence']:.0%}).")
        lines += [f"  {sentence['text']}{_ids(sentence['event_ids'])}" for sentence in root["evidence"]]
        if root["rivals"]:
            lines.append("Considered too:")
            lines += [
                f"  {rival['event']['summary']} ({rival['confidence']:.0%}): {rival['why_lower']}"
                for rival in root["rivals"]
            ]
        lines += [f"Missing: {gap}" for gap in root["gaps"]]
        inverse = root["proposed_inverse"]
        lines.append(f"To undo: {inverse['text']}")
        if inverse["call"]:
            lines.append(f"  {json.dumps(inverse['call'], sort_keys=True)}")
    for name, layer in told["layers"].items():
        event = layer["event"]
        shown = "-" if event is None else f"{event['summary']} ×{event['count']}"
        origin = f", deferred from {layer['deferred_from']}" if layer["deferred_from"] else ""
        lines.append(f"{name:>12}: {shown} ({layer['state'].replace('_', ' ')}{origin})")
    return lines


def _ids(event_ids: list[str]) -> str:
    return f" [{', '.join(event_ids)}]" if event_ids else ""
