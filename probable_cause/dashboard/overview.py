"""All applications on one screen: rows from the current items of the state table, what hurts most first.

Pure; standard library only. The terminal view (`probable-cause top`) sorts by the same `hurts`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from probable_cause.state.lease import JOB
from probable_cause.state.moments import from_text
from probable_cause.state.state_record import OVERALL, current_key
from probable_cause.verdict.types import LAYERS

HEALTH_LEVELS = {"healthy": 0, "degraded": 1, "failing": 2}
_CURRENT = {current_key(layer) for layer in (*LAYERS, OVERALL)}
_ACCOUNT = re.compile(r"arn:[\w-]*:[\w-]*:[\w-]*:(\d{12})")
_SHOWN = {  # attribute of `<layer>#current` -> key of a row's event
    "EventKey": "event_key",
    "EventContextSummary": "summary",
    "Role": "role",
    "Action": "action",
    "Actor": "actor",
    "ActorType": "actor_type",
    "EventRelevance": "relevance",
    "HalfLifeSeconds": "half_life_seconds",
    "WindowSeconds": "window_seconds",
    "Count": "count",
    "FirstSeenDate": "first_seen",
    "LastSeenDate": "last_seen",
    "Status": "status",
    "StatusBy": "status_by",
    "StatusAt": "status_at",
}


def rows(state_items: Iterable[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """One row an application, sorted by `hurts`.

    Args:
        state_items: items of SystemStateRecordsByApplication, past records among them.
        now: for the order only; a row says nothing that time alone changes, so that it can be cached by its content.
    """
    by_application: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for item in state_items:
        if item["StateKey"] in _CURRENT and item["ApplicationId"] != JOB:
            by_application[item["ApplicationId"]][item["StateKey"]] = item
    found = [row(application_id, items) for application_id, items in by_application.items()]
    return sorted(found, key=lambda one: hurts(one, now))


def row(application_id: str, current: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One application from its current items by StateKey; any of them may be missing."""
    overall = current.get(current_key(OVERALL), {})
    layers = {layer: _layer(current.get(current_key(layer), {})) for layer in LAYERS}
    return {
        "application_id": application_id,
        "health": overall.get("Health", "healthy"),
        "since": overall.get("Since"),
        "root_cause": _root_cause(overall, layers),
        "why_none": overall.get("WhyNone"),
        "layers": layers,
        "accounts": _accounts(current.values()),
    }


def hurts(one: Mapping[str, Any], now: datetime) -> tuple[Any, ...]:
    """Sort key, what hurts most first: health, nobody on it yet, the cause's relevance now, confidence, the newest."""
    cause = one["root_cause"] or {}
    strongest = max((relevance_at(layer["event"], now) for layer in one["layers"].values()), default=0.0)
    since = from_text(one["since"]).timestamp() if one["since"] else 0.0
    return (
        -HEALTH_LEVELS.get(one["health"], 0),
        cause.get("status", "open") != "open",
        -round(max(relevance_at(cause, now), strongest), 1),
        -cause.get("confidence", 0.0),
        -since,
        one["application_id"],
    )


def relevance_at(event: Mapping[str, Any] | None, now: datetime) -> float:
    """base * 2^(-(now - last_seen) / half_life), 0 past the window; the base where the half-life is not known."""
    if not event or event.get("status") == "resolved":
        return 0.0
    base, half_life = float(event.get("relevance") or 0.0), event.get("half_life_seconds")
    if not half_life or not event.get("last_seen"):
        return base
    age = (now - from_text(event["last_seen"])).total_seconds()
    window = event.get("window_seconds")
    if window and age > window:
        return 0.0
    return float(base * 2.0 ** (-max(age, 0.0) / half_life))


def _layer(item: Mapping[str, Any]) -> dict[str, Any]:
    event = {key: item[attribute] for attribute, key in _SHOWN.items() if attribute in item}
    return {
        "state": item.get("State", "healthy"),
        "deferred_from": item.get("DeferredFrom"),
        "since": item.get("Since"),
        "symptoms": len(item.get("Symptoms", ())),
        "event": event if "event_key" in event else None,
    }


def _root_cause(overall: Mapping[str, Any], layers: Mapping[str, dict[str, Any]]) -> dict[str, Any] | None:
    if not overall.get("RootCause"):
        return None
    told = json.loads(overall["RootCause"])
    event = told["event"]
    kept = {key: event.get(key) for key in ("event_type", "resource_ids", *_SHOWN.values()) if key in event}
    # The verdict's text leaves decay out; a layer that shows the same event has it.
    shown: list[dict[str, Any]] = [one["event"] for one in layers.values() if one["event"]]
    same = [one for one in shown if one["event_key"] == event["event_key"]]
    return {**kept, **(same[0] if same else {}), "confidence": round(told["confidence"], 2)}


def _accounts(items: Iterable[Mapping[str, Any]]) -> list[str]:
    """AWS accounts that the shown events name, by the ARNs of their resources and actors."""
    named = [text for item in items for text in (*item.get("ResourceIds", ()), item.get("Actor") or "")]
    return sorted({match[1] for text in named for match in _ACCOUNT.finditer(text)})
