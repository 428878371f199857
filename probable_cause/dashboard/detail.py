"""One application in full: the verdict judged now, the events it rests on, and what was believed before.

Pure but for reading the tables given; nothing is written. Times are ISO 8601 UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from probable_cause.state import state_record
from probable_cause.state.application import load_events
from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.state.tables import Tables
from probable_cause.verdict import VerdictModel, judge
from probable_cause.verdict.types import LAYERS, LayerVerdict, RootCause, Verdict, event_to_dict, iso

_EVENTS = 400  # at most in one answer: those of the verdict, then the newest


def application(tables: Tables, application_id: str, now: datetime, model: VerdictModel) -> dict[str, Any] | None:
    """Verdict, events and ledger of an application, judged at `now` without writing; None when nothing is known of it.

    Numbers that decay are left to the reader (`relevance`, `half_life_seconds`, `last_seen` are in every event), so
    that the content, and with it the ETag, stays the same while nothing happens.
    """
    stored = load_events(tables, application_id)
    current = current_items(tables, application_id)
    if not stored and not current:
        return None
    events = {key: one.event for key, one in stored.items()}
    previous = state_record.previous_records(current, stored)
    verdict = judge(list(events.values()), now, model, previous, application_id=application_id)
    shown = _order(verdict, events.values())
    return {
        "application_id": application_id,
        "health": verdict.health,
        "since": current.get(state_record.current_key(state_record.OVERALL), {}).get("Since"),
        "why_none": verdict.why_none,
        "root_cause": _root_cause(verdict.root_cause, current) if verdict.root_cause else None,
        "layers": {
            name: _layer(layer, current.get(state_record.current_key(name), {}))
            for name, layer in verdict.layers.items()
        },
        "ranking": [{"event_key": one.event.event_key, "strength": round(one.strength, 2)} for one in verdict.ranking],
        "resolved_by": dict(verdict.resolved_by),
        "events": [event(one) for one in shown[:_EVENTS]],
        "events_left_out": max(len(shown) - _EVENTS, 0),
    }


def event(one: EventOfInterest) -> dict[str, Any]:
    """An event of interest with what decay, timeline, ledger and operator need."""
    return {
        **event_to_dict(one),
        "episode": one.episode,
        "outcome": one.outcome,
        "error_code": one.error_code,
        "addresses": list(one.addresses),
        "symptom": one.symptom,
        "half_life_seconds": one.half_life_seconds,
        "window_seconds": one.window_seconds,
        "status_by": one.status_by,
        "status_at": iso(one.status_at) if one.status_at else None,
        "status_reason": one.status_reason,
        "ledger": {name: iso(at) for name, at in one.ledger.items()},
        "bursts": [[iso(start), iso(end)] for start, end in one.bursts],
    }


def history(tables: Tables, application_id: str) -> dict[str, Any]:
    """Past records of the layers, and what was believed when; both newest first."""
    items = tables.states.query(application_id, newest_first=True)
    past = [item for item in items if not item["StateKey"].endswith("#current")]
    records = [_record(item) for item in past if "Verdict" not in item]
    beliefs = [_belief(item) for item in past if "Verdict" in item]
    return {
        "records": sorted(records, key=lambda one: one["since"] or "", reverse=True),
        "beliefs": sorted(beliefs, key=lambda one: one["since"] or "", reverse=True),
    }


def current_items(tables: Tables, application_id: str) -> dict[str, dict[str, Any]]:
    """The current items of an application by StateKey. History under the same hash key is not read."""
    keys = [state_record.current_key(name) for name in (*LAYERS, state_record.OVERALL)]
    found = ((key, tables.states.get({"ApplicationId": application_id, "StateKey": key})) for key in keys)
    return {key: item for key, item in found if item is not None}


def _order(verdict: Verdict, events: Iterable[EventOfInterest]) -> list[EventOfInterest]:
    ranked = [one.event.event_key for one in verdict.ranking]
    place = {key: index for index, key in enumerate(ranked)}
    last = len(place)
    return sorted(events, key=lambda one: (place.get(one.event_key, last), -one.last_seen.timestamp(), one.event_key))


def _layer(layer: LayerVerdict, item: Mapping[str, Any]) -> dict[str, Any]:
    key = layer.event.event_key if layer.event else None
    return {
        "state": layer.state,
        "deferred_from": layer.deferred_from,
        "event_key": key,
        "symptoms": list(layer.symptoms),
        "since": item.get("Since") if item.get("EventKey") == key else None,
    }


def _root_cause(cause: RootCause, current: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    call = cause.inverse.call
    return {
        "event_key": cause.event.event_key,
        "confidence": round(cause.confidence, 2),
        "strength": round(cause.strength, 2),
        "factors": {name: round(value, 2) for name, value in cause.factors.items()},
        "evidence": [{"text": one.text, "event_ids": list(one.event_ids)} for one in cause.evidence],
        "rivals": [
            {"event_key": one.event.event_key, "confidence": round(one.confidence, 2), "why_lower": one.why_lower}
            for one in cause.rivals
        ],
        "gaps": list(cause.gaps),
        "proposed_inverse": {
            "text": cause.inverse.text,
            "call": None
            if call is None
            else {"service": call.service, "operation": call.operation, "parameters": dict(call.parameters)},
        },
        "same_change": list(cause.same_change),
        "ledger": _ledger(cause.event, current),
    }


def _ledger(cause: EventOfInterest, current: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """From the event to the written verdict: the layer's item that shows the event knows when that was.

    An item is written again when its symptoms change, so the first writing after the event was processed is meant.
    """
    ledger = {name: iso(at) for name, at in cause.ledger.items()}
    shown = [item for item in current.values() if item.get("EventKey") == cause.event_key]
    written = [at for item in shown for at in (item.get("Since"), item.get("Ledger", {}).get("written")) if at]
    after = [at for at in written if at >= ledger.get("processed", "")]
    return {**ledger, "written": min(after)} if after else ledger


def _record(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event_type": item["StateKey"].split("#", 1)[0],
        "since": item.get("Since"),
        "until": item.get("Until"),
        "state": item.get("State"),
        "deferred_from": item.get("DeferredFrom"),
        "event_key": item.get("EventKey"),
        "summary": item.get("EventContextSummary"),
        "actor": item.get("Actor"),
        "count": item.get("Count"),
        "first_seen": item.get("FirstSeenDate"),
        "last_seen": item.get("LastSeenDate"),
        "status": item.get("Status"),
    }


def _belief(item: Mapping[str, Any]) -> dict[str, Any]:
    told = json.loads(item["Verdict"])
    cause = told.get("root_cause")
    return {
        "since": item.get("Since"),
        "health": told["health"],
        "summary": cause["event"]["summary"] if cause else None,
        "event_key": cause["event"]["event_key"] if cause else None,
        "actor": cause["event"].get("actor") if cause else None,
        "confidence": round(cause["confidence"], 2) if cause else None,
        "why_none": told.get("why_none"),
        "layers": {name: layer["state"] for name, layer in told["layers"].items()},
    }
