"""Short ways to write events of interest in tests: minutes after T0 in place of datetimes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from probable_cause.state.event_of_interest import EventOfInterest

T0 = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
HOUR = 3600


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def cause(
    action: str, minute: float, layer: str = "cloudsystem", resource: str = "i-0a1b2c3d4e5f", **more: Any
) -> EventOfInterest:
    last = more.pop("last", minute)
    values: dict[str, Any] = {
        "application_id": "shop",
        "event_type": layer,
        "cause_id": f"{action} on {resource}",
        "episode": 1,
        "role": "cause",
        "rule_id": action,
        "family": "cloudtrail",
        "relevance": 8.0,
        "half_life_seconds": 24 * HOUR,
        "window_seconds": 72 * HOUR,
        "first_seen": at(minute),
        "last_seen": at(last),
        "count": 1,
        "summary": f"{action} on {resource}",
        "message": "{}",
        "action": action,
        "actor": "kim",
        "actor_type": "person",
        "resource_ids": (resource,),
        "explains": ("connectivity", "availability"),
        "sample_event_ids": (f"id-{action}-{minute}",),
    }
    return EventOfInterest(**(values | more))


def symptom(
    kind: str | None, minute: float, layer: str = "application", last: float | None = None, **more: Any
) -> EventOfInterest:
    family = "vpc_flow" if layer == "network" else "application"
    values: dict[str, Any] = {
        "application_id": "shop",
        "event_type": layer,
        "cause_id": f"{kind} in {layer}",
        "episode": 1,
        "role": "symptom",
        "rule_id": f"{kind}-{layer}",
        "family": family,
        "relevance": 7.0,
        "half_life_seconds": HOUR,
        "window_seconds": 6 * HOUR,
        "first_seen": at(minute),
        "last_seen": at(minute if last is None else last),
        "count": 5,
        "summary": f"{kind} seen",
        "message": flow(minute) if family == "vpc_flow" else f"ERROR {kind}",
        "symptom": kind,
        "explains": (),
        "sample_event_ids": (f"id-{kind}-{minute}",),
    }
    return EventOfInterest(**(values | more))


def recovery(
    action: str, minute: float, resolves: str, resource: str = "i-0a1b2c3d4e5f", **more: Any
) -> EventOfInterest:
    return cause(
        action, minute, resource=resource, **({"role": "recovery", "resolves": (resolves,), "explains": ()} | more)
    )


def flow(minute: float, window: int = 60) -> str:
    start = int(at(minute).timestamp())
    return f"2 123456789012 eni-0a 10.1.1.10 10.1.2.20 41000 5432 6 3 180 {start} {start + window} REJECT OK"


def trail(**parameters: Any) -> str:
    return json.dumps({"eventName": "X", "requestParameters": parameters})
