"""A seeded stream for the chaos harness, and the truth about it: which events there are, and what can't be read.

Nothing of the product is used here. Lines are written as AWS and applications write them; what each must become
(application, layer, cause, instant) is noted where the line is made, never read back out of it.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

UNATTRIBUTED = "(unattributed)"
ACCOUNT = "123456789012"
SPAN = 2700  # seconds of event time that the stream covers
LINES = 400  # of a flow record


@dataclass(frozen=True)
class Fact:
    """One log event of interest, as one application must see it. `at` is epoch milliseconds."""

    application_id: str
    event_type: str
    cause: str
    summary: str | None
    role: str
    at: int
    event_id: str
    message: str


@dataclass(frozen=True)
class Shape:
    """How large and how nasty the stream is. Shares are of records."""

    events: int = 20_000
    applications: int = 6
    of_interest: float = 0.1  # of lines
    redelivered: float = 0.08
    poison: float = 0.01
    disorder: int = 12  # how many records one may be overtaken by


@dataclass
class Stream:
    """Records in the order in which they are put, and what they mean."""

    records: list[bytes] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    rejects: dict[str, int] = field(default_factory=dict)  # reason -> how many rows
    lines: int = 0
    redelivered: int = 0
    poison: int = 0

    def reject(self, reason: str, count: int = 1) -> None:
        self.rejects[reason] = self.rejects.get(reason, 0) + count


class World:
    """Who owns what: three instances an application, two clients that nobody owns."""

    def __init__(self, applications: int) -> None:
        self.applications = [f"app-{number:02}" for number in range(applications)]
        self.clients = ["10.250.0.1", "10.250.0.2"]

    def address(self, application: str, number: int) -> str:
        return f"10.{self.applications.index(application) + 1}.0.{number + 1}"

    def instance(self, application: str, number: int) -> str:
        return f"i-{self.applications.index(application):08x}{number:09x}"

    def lookup(self) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        """Rows by IP and by resource, as state.lookups.put() takes them."""
        by_ip, by_resource = [], []
        for one in self.applications:
            for number in range(3):
                by_ip.append(
                    {"ip": self.address(one, number), "application_id": one, "endpoint_type": "Instance"},
                )
                by_resource.append(
                    {
                        "resource_id": self.instance(one, number),
                        "application_id": one,
                        "resource_type": "AWS::EC2::Instance",
                    }
                )
        return by_ip, by_resource


class Maker:
    """Makes a stream from a seed. `start` is the instant of the first event."""

    def __init__(self, seed: int, shape: Shape, start: datetime, prefix: int = 0) -> None:
        self.dice = random.Random(seed)
        self.shape, self.start = shape, start
        self.world = World(shape.applications)
        self.stream = Stream()
        self._number = 0
        self._prefix = prefix  # event ids of two streams differ by it

    def make(self) -> Stream:
        """All of it: good records with redeliveries, poison between them, then put out of order."""
        good: list[bytes] = []
        while self.stream.lines < self.shape.events:
            good.append(self._record(self.stream.lines / self.shape.events))
        ordered: list[tuple[float, bytes]] = [(float(place), one) for place, one in enumerate(good)]
        for place, one in enumerate(good):
            if self.dice.random() < self.shape.redelivered:
                # At least once, and any time later: CloudWatch promises no more.
                ordered.append((place + self.dice.uniform(0.5, max(2.0, len(good) * 0.9)), one))
                self.stream.redelivered += 1
        for _ in range(round(self.shape.poison * len(good)) if self.shape.poison else 0):
            ordered.append((self.dice.uniform(0, len(good)), self._poison()))
            self.stream.poison += 1
        ordered = [(place + self.dice.uniform(0, self.shape.disorder), one) for place, one in ordered]
        self.stream.records = [one for _, one in sorted(ordered, key=lambda pair: pair[0])]
        return self.stream

    def _id(self) -> str:
        self._number += 1
        return f"{self._prefix:06}{self._number:050}"

    def _at(self, progress: float) -> datetime:
        seconds = progress * SPAN + self.dice.uniform(-120, 120)
        return self.start + timedelta(seconds=round(min(max(seconds, 0), SPAN)))

    def _record(self, progress: float) -> bytes:
        kind = self.dice.choices(("flow", "app", "trail"), (0.8, 0.15, 0.05))[0]
        if kind == "flow":
            return self._payload("/vpc/flow", [self._flow(progress) for _ in range(LINES)])
        if kind == "app":
            application = self.dice.choice(self.world.applications)
            return self._payload(f"/app/{application}", [self._app(progress, application) for _ in range(60)])
        return self._payload("/aws/cloudtrail", [self._trail(progress) for _ in range(10)])

    def _payload(self, group: str, events: list[dict[str, Any]]) -> bytes:
        self.stream.lines += len(events)
        return payload(group, events)

    def _interesting(self) -> bool:
        return self.dice.random() < self.shape.of_interest

    def _fact(self, application: str, layer: str, cause: str, summary: str | None, at: datetime, event: Any) -> None:
        role = "cause" if layer == "cloudsystem" else "symptom"
        moment = round(at.timestamp() * 1000)
        self.stream.facts.append(Fact(application, layer, cause, summary, role, moment, event["id"], event["message"]))

    def _flow(self, progress: float) -> dict[str, Any]:
        at = self._at(progress)
        refused = self._interesting()
        owner = self.dice.choice(self.world.applications)
        target = self.world.address(owner, self.dice.randrange(3))
        other = self.dice.choice(self.world.applications)
        from_client = self.dice.random() < 0.5
        source = self.dice.choice(self.world.clients) if from_client else self.world.address(other, 0)
        event = self._event(at, flow_line(source, target, at, "REJECT" if refused else "ACCEPT", self.dice))
        if refused:
            peer = UNATTRIBUTED if from_client else other
            place = f"address {source}" if from_client else f"Instance {source}"
            self._flow_fact(owner, f"REJECT on Instance {target}", at, event)
            if peer != owner:
                self._flow_fact(peer, f"REJECT on {place}", at, event)
        return event

    def _flow_fact(self, application: str, cause: str, at: datetime, event: Any) -> None:
        self._fact(application, "network", cause, cause, at, event)

    def _app(self, progress: float, application: str) -> dict[str, Any]:
        at = self._at(progress)
        if not self._interesting():
            return self._event(at, f"INFO order {self.dice.randrange(10**6)} accepted")
        told = f"dial tcp 10.0.2.{self.dice.randrange(250)}:6379: connect: connection refused"
        event = self._event(at, f"ERROR {told}")
        self._fact(application, "application", "connection failed", f"Connection failed: {told}", at, event)
        return event

    def _trail(self, progress: float) -> dict[str, Any]:
        at = self._at(progress)
        application = self.dice.choice(self.world.applications)
        instance = self.world.instance(application, self.dice.randrange(3))
        interesting = self._interesting()
        name = "RebootInstances" if interesting else "DescribeInstances"
        who = self.dice.choice(("ana", "ben"))
        event = self._event(at, trail_line(name, instance, who, at, self._number))
        if interesting:
            told = f"{who} rebooted {instance}"
            self._fact(application, "cloudsystem", f"RebootInstances on {instance}", told, at, event)
        return event

    def _event(self, at: datetime, message: str) -> dict[str, Any]:
        return {"id": self._id(), "timestamp": round(at.timestamp() * 1000), "message": message}

    def _poison(self) -> bytes:
        dice = self.dice
        good = payload("/vpc/flow", [self._event(self.start, "x")])
        kind = dice.choice(
            (
                "not_gzip",
                "corrupt_gzip",
                "not_json",
                "gzip_of_gzip",
                "control_message",
                "missing_field",
                "unknown_log_group",
                "missing_fields",
                "bad_number",
                "event_in_the_future",
                "event_too_old",
            )
        )
        self.stream.reject(kind)
        if kind == "not_gzip":
            return b"\x00\x01" + dice.randbytes(40)
        if kind == "corrupt_gzip":
            return good[: len(good) // 2]
        if kind == "not_json":
            return gzip.compress(b"{" + dice.randbytes(20).hex().encode())
        if kind == "gzip_of_gzip":
            return gzip.compress(good)
        if kind == "control_message":
            return gzip.compress(json.dumps({"messageType": "CONTROL_MESSAGE", "logEvents": []}).encode())
        if kind == "missing_field":
            return gzip.compress(json.dumps({"messageType": "DATA_MESSAGE", "logGroup": "/vpc/flow"}).encode())
        return self._poison_line(kind)

    def _poison_line(self, kind: str) -> bytes:
        """A record that opens, with one line that can't be taken, beside none that can."""
        target, now = self.world.address(self.world.applications[0], 0), self.start
        if kind == "unknown_log_group":
            return payload("/nobody/knows", [self._event(now, "ERROR connection refused \x1b[31m<script>")])
        if kind == "missing_fields":
            return payload("/vpc/flow", [self._event(now, "garbage '; DROP TABLE events; -- $(reboot)")])
        if kind == "bad_number":
            line = flow_line(target, target, now, "REJECT", self.dice).split()
            line[8] = "many"
            return payload("/vpc/flow", [self._event(now, " ".join(line))])
        years = timedelta(days=3650 if kind == "event_in_the_future" else -3650)
        return payload("/vpc/flow", [self._event(now, flow_line(target, target, now + years, "REJECT", self.dice))])


def payload(group: str, events: list[dict[str, Any]]) -> bytes:
    """A subscription record as CloudWatch Logs writes it."""
    body = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": group,
        "logStream": "s",
        "subscriptionFilters": ["probable-cause"],
        "logEvents": events,
    }
    return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), compresslevel=1, mtime=0)


def flow_line(source: str, target: str, at: datetime, action: str, dice: random.Random) -> str:
    start = int(at.timestamp())
    return (
        f"2 {ACCOUNT} eni-0a1b2c3d {source} {target} {dice.randrange(1024, 65536)} 443 6 1 "
        f"{dice.randrange(40, 9000)} {start} {start + 60} {action} OK"
    )


def trail_line(name: str, instance: str, who: str, at: datetime, number: int) -> str:
    record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "userName": who,
            "accountId": ACCOUNT,
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{who}",
        },
        "eventTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": {"instancesSet": {"items": [{"instanceId": instance}]}},
        "responseElements": None,
        "eventID": f"{number:032x}",
        "readOnly": name.startswith("Describe"),
        "eventType": "AwsApiCall",
        "recipientAccountId": ACCOUNT,
    }
    return json.dumps(record, separators=(",", ":"))


def slices(records: list[bytes], parts: int) -> Iterator[list[bytes]]:
    """The records in `parts` runs of about the same length."""
    for number in range(parts):
        yield records[number * len(records) // parts : (number + 1) * len(records) // parts]
