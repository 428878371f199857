"""Tables in known states, filled the way the job fills them: repeats are added, then verdicts are renewed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from probable_cause.state.application import add_repeats, load_events, renew
from probable_cause.state.event_item import Repeats, batch_stamp, operator_write
from probable_cause.state.event_of_interest import Status
from probable_cause.state.memory import memory_tables
from probable_cause.state.moments import to_millis
from probable_cause.state.tables import Tables, Write
from probable_cause.verdict.model import DEFAULT

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = 3600

# Lines that try to be more than text.
HOSTILE = {
    "script": "<script>window.__owned=1</script><img src=x onerror=window.__owned=2>",
    "ansi": "\x1b[31mERROR\x1b[0m \x1b]0;title\x07connection refused",
    "bidi": "user \u202egnp.exe\u2066 refused \u2069; \u0645\u0631\u062d\u0628\u0627 db down",
    "long": "connection refused to db-1 " + "x" * 8100 + " end",
    "nul": "a\x00b\rc\nd\te\x7f",
}


@dataclass
class Scene:
    """Tables and the instant that they are looked at."""

    tables: Tables = field(default_factory=memory_tables)
    now: datetime = NOON
    batch: int = 0

    def clock(self) -> datetime:
        return self.now

    def see(self, application_id: str, *seen: Repeats) -> None:
        """What one batch of the job does with these, two seconds after the last line arrived."""
        self.batch += 1
        at = min(max(one.arrived_at or one.last_seen for one in seen) + timedelta(seconds=2), self.now)
        add_repeats(self.tables, application_id, seen, batch_stamp(1, self.batch), 2048, at)
        renew(self.tables, application_id, at, DEFAULT)

    def act(self, application_id: str, event_key: str, status: Status, who: str, at: datetime, reason: str) -> None:
        """What a person does with one event of interest, and the verdict that follows."""
        event = load_events(self.tables, application_id)[event_key].event
        assert self.tables.events.apply(operator_write(event, status, who, at, reason))
        renew(self.tables, application_id, at, DEFAULT)

    def copy(self) -> Scene:
        """The same state in tables of its own."""
        other = Scene(now=self.now, batch=self.batch)
        for mine, its in ((self.tables.events, other.tables.events), (self.tables.states, other.tables.states)):
            keys = (mine.definition.hash_key, mine.definition.range_key or "")
            for item in mine.scan():
                its.apply(Write({key: item.pop(key) for key in keys}, item))
        return other


def seen(application_id: str, event_type: str, cause_id: str, at: datetime, count: int = 1, **more: Any) -> Repeats:
    """`count` events of one cause, spread evenly over `spread` seconds from `at`."""
    spread = more.pop("spread", count - 1)
    moments = [at + timedelta(seconds=spread * i / max(count - 1, 1)) for i in range(count)]
    ids = [f"{application_id}/{cause_id}/{to_millis(moment)}/{i}" for i, moment in enumerate(moments)]
    values: dict[str, Any] = {
        "application_id": application_id,
        "event_type": event_type,
        "cause_id": cause_id,
        "role": "symptom",
        "rule_id": "test-rule",
        "family": "application",
        "relevance": 6.0,
        "half_life_seconds": HOUR,
        "window_seconds": 6 * HOUR,
        "first_seen": moments[0],
        "last_seen": moments[-1],
        "count": count,
        "summary": cause_id,
        "message": f"original line of {cause_id}",
        "action": None,
        "outcome": None,
        "error_code": None,
        "actor": None,
        "actor_type": None,
        "resource_ids": (),
        "addresses": (),
        "explains": (),
        "symptom": None,
        "resolves": (),
        "occurrences": tuple((to_millis(m), _hash(i)) for m, i in zip(moments, ids, strict=True)),
        "sample_event_ids": tuple(dict.fromkeys((ids[0], ids[-1]))),
        "delivered_at": moments[-1] + timedelta(seconds=1.2),
        "arrived_at": moments[-1] + timedelta(seconds=1.6),
    }
    return Repeats(**{**values, **more})


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def change(application_id: str, event_type: str, action: str, resource: str, at: datetime, **more: Any) -> Repeats:
    """An API call by a person, as CloudTrail records it."""
    actor = more.pop("actor", "dana")
    parameters = more.pop("parameters", {"groupId": resource})
    line = {"eventName": action, "eventTime": at.isoformat(), "requestParameters": parameters}
    values: dict[str, Any] = {
        "role": "cause",
        "family": "cloudtrail",
        "relevance": 8.0,
        "half_life_seconds": 24 * HOUR,
        "window_seconds": 72 * HOUR,
        "summary": f"{action} on {resource}",
        "message": json.dumps(line),
        "action": action,
        "outcome": "success",
        "actor": actor,
        "actor_type": "person",
        "resource_ids": (resource,),
        "explains": ("connectivity", "timeout", "availability"),
    }
    return seen(application_id, event_type, f"{action} on {resource}", at, **{**values, **more})


def refused(application_id: str, at: datetime, count: int, **more: Any) -> Repeats:
    """REJECT records of a flow log."""
    line = "2 123456789012 eni-0a1b2c3d 10.0.1.10 10.0.2.20 49152 5432 6 3 180 1772366400 1772366460 REJECT OK"
    values: dict[str, Any] = {
        "family": "vpc_flow",
        "action": "REJECT",
        "outcome": "reject",
        "symptom": "connectivity",
        "summary": "REJECT on Instance 10.0.1.10",
        "message": line,
        "addresses": ("10.0.1.10", "10.0.2.20"),
    }
    return seen(application_id, "network", "REJECT 10.0.1.10", at, count, **{**values, **more})


def errors(application_id: str, at: datetime, count: int, message: str | None = None, **more: Any) -> Repeats:
    """Connection errors in an application's own log."""
    values: dict[str, Any] = {
        "action": "db_connection_error",
        "symptom": "connectivity",
        "summary": "database connection refused",
        "message": message or "ERROR c.z.hikari.pool.HikariPool - Connection to 10.0.2.20:5432 refused, 30000ms",
    }
    return seen(application_id, "application", "db_connection_error", at, count, **{**values, **more})


def incident() -> Scene:
    """The scene that most tests look at, in tables of its own."""
    return _incident_once().copy()


@lru_cache(maxsize=1)
def _incident_once() -> Scene:
    return add_incident(Scene())


def add_incident(scene: Scene, application_id: str = "shop") -> Scene:
    """A reboot that nobody acknowledged, then a group change that cuts the database off; a pipeline deployed before."""
    now = scene.now
    account = "123456789012"

    def ago(minutes: float) -> datetime:
        return now - timedelta(minutes=minutes)

    scene.see(
        application_id,
        change(application_id, "cloudsystem", "RebootInstances", "i-0abc12def", ago(100), actor="kim", relevance=7.0),
        seen(
            application_id, "application", "deploy", ago(48), role="cause", family="cloudtrail", relevance=5.0,
            half_life_seconds=24 * HOUR, window_seconds=72 * HOUR, action="UpdateService", outcome="success",
            summary="UpdateService on shop-web", actor=f"arn:aws:sts::{account}:assumed-role/deploy-pipeline/run",
            actor_type="pipeline", explains=("errors", "crash"), resource_ids=("shop-web",),
        ),
    )  # fmt: skip
    scene.see(
        application_id,
        change(
            application_id, "network", "RevokeSecurityGroupIngress", "sg-0a1b2c3d", ago(12),
            parameters={
                "groupId": "sg-0a1b2c3d",
                "ipPermissions": {"items": [{
                    "ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432,
                    "ipRanges": {"items": [{"cidrIp": "10.0.1.0/24"}]},
                }]},
            },
        ),
    )  # fmt: skip
    for minute in range(10):
        at = ago(11 - minute)
        scene.see(
            application_id,
            refused(application_id, at, 20 + minute % 4, spread=55),
            errors(application_id, at + timedelta(seconds=30), 9 + minute % 3, spread=25),
        )
    return scene


def deferral(scene: Scene | None = None, application_id: str = "checkout") -> Scene:
    """A reboot that somebody acknowledged; then refused flows, for which the network layer has no cause of its own."""
    scene = scene or Scene()
    at = scene.now - timedelta(minutes=25)
    reboot = change(
        application_id, "cloudsystem", "RebootInstances", "i-0fed98cba", at, actor="sam", explains=("connectivity",)
    )
    scene.see(application_id, reboot)
    scene.see(application_id, refused(application_id, at + timedelta(seconds=45), 42, spread=600))
    key = f"cloudsystem#{reboot.cause_id}#1"
    scene.act(application_id, key, "acknowledged", "robin", at + timedelta(minutes=12), "planned kernel update")
    return scene


def recovered(scene: Scene | None = None, application_id: str = "search") -> Scene:
    """An instance that was stopped and started again; the start ends the stop, and a person resolved the errors."""
    scene = scene or Scene()
    at = scene.now - timedelta(minutes=50)
    scene.see(application_id, change(application_id, "cloudsystem", "StopInstances", "i-0777", at, rule_id="stop"))
    scene.see(application_id, errors(application_id, at + timedelta(seconds=20), 30, spread=300))
    start = at + timedelta(minutes=8)
    scene.see(
        application_id,
        change(application_id, "cloudsystem", "StartInstances", "i-0777", start, role="recovery", resolves=("stop",)),
    )
    key = "application#db_connection_error#1"
    scene.act(application_id, key, "resolved", "robin", start + timedelta(minutes=3), "instance is back")
    return scene


def many(count: int) -> Scene:
    """`count` applications: one in ten failing, some degraded, the others healthy."""
    scene = Scene()
    actions = ("ModifyDBInstance", "RevokeSecurityGroupIngress", "UpdateFunctionCode", "RebootInstances")
    for number in range(count):
        name = f"service-{number:03d}"
        at = scene.now - timedelta(minutes=5 + number % 90)
        layer = ("network", "cloudsystem", "application")[number % 3]
        if number % 10 == 0:
            scene.see(
                name,
                change(name, layer, actions[number % 4], f"r-{number:05x}", at, actor=f"person-{number % 7}"),
                refused(name, at + timedelta(seconds=30), 5 + number % 40),
            )
        elif number % 10 == 1:
            scene.see(name, errors(name, at, 3, relevance=3.0))
        else:
            scene.see(name, change(name, layer, actions[number % 4], f"r-{number:05x}", at, relevance=4.0))
    return scene
