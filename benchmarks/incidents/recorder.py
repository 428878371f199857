"""Collects log lines of an incident and writes them as a bundle: records as a subscription puts them on Kinesis."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from benchmarks.incidents.actors import ACCOUNT

# How long after its event a line usually arrives on Kinesis: (least, most) in seconds.
DELAYS = {
    "cloudtrail": (120.0, 290.0),
    "aws_config": (60.0, 240.0),
    "vpc_flow": (70.0, 130.0),
    "application": (1.0, 3.0),
}
_PER_RECORD = 25  # log events that a subscription puts into one record here


@dataclass(frozen=True)
class _Line:
    arrival: datetime
    group: str
    stream: str
    time: datetime
    message: str
    id: str


@dataclass
class Recorder:
    """Lines in any order in, records.jsonl in order of arrival out. `draw` is the only source of chance."""

    draw: random.Random
    lines: list[_Line] = field(default_factory=list)
    raw: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    owner: str = ACCOUNT

    def add(
        self, family: str, group: str, stream: str, at: datetime, message: str, delay: float | None = None
    ) -> datetime:
        """Adds a line of an event at `at`; returns its arrival. `delay` in seconds, else drawn from DELAYS."""
        seconds = self.draw.uniform(*DELAYS[family]) if delay is None else delay
        arrival = at + timedelta(seconds=seconds)
        # CloudWatch's stamp: an application's own time, a flow record's start; CloudTrail and Config put theirs late.
        put_late = family in ("cloudtrail", "aws_config")
        time = arrival - timedelta(milliseconds=self.draw.randint(300, 900)) if put_late else at
        self.lines.append(_Line(arrival, group, stream, time, message, self.event_id(time)))
        return arrival

    def event_id(self, at: datetime) -> str:
        """56 digits whose head grows with time, as CloudWatch Logs numbers events."""
        return f"{(int(at.timestamp() * 1000) << 144) + self.draw.getrandbits(144):056d}"

    def add_raw(self, arrival: datetime, data: bytes) -> None:
        """A record of any bytes, as they would lie on Kinesis."""
        self.raw.append((arrival, {"arrival": stamp(arrival), "data_base64": base64.b64encode(data).decode()}))

    def duplicate(self, share: float, later: float = 20.0) -> None:
        """Delivers a share of the lines a second time, up to `later` seconds after the first: same event id."""
        for line in list(self.lines):
            if self.draw.random() < share:
                again = line.arrival + timedelta(seconds=self.draw.uniform(0.1, later))
                self.lines.append(_Line(again, line.group, line.stream, line.time, line.message, line.id))

    def records(self) -> list[dict[str, Any]]:
        """Lines of one stream that arrive within two seconds share a record, in order of arrival."""
        waiting: dict[tuple[str, str], list[_Line]] = {}
        batches: list[list[_Line]] = []
        for line in sorted(self.lines, key=lambda one: (one.arrival, one.id)):
            batch = waiting.get((line.group, line.stream))
            if batch is None or len(batch) >= _PER_RECORD or line.arrival - batch[0].arrival > timedelta(seconds=2):
                batch = waiting[line.group, line.stream] = []
                batches.append(batch)
            batch.append(line)
        found = [(batch[-1].arrival, self._record(batch)) for batch in batches] + self.raw
        return [record for _, record in sorted(found, key=lambda pair: pair[0])]

    def _record(self, batch: Sequence[_Line]) -> dict[str, Any]:
        payload = {
            "messageType": "DATA_MESSAGE",
            "owner": self.owner,
            "logGroup": batch[0].group,
            "logStream": batch[0].stream,
            "subscriptionFilters": ["to-probable-cause"],
            "logEvents": [
                {"id": line.id, "timestamp": int(line.time.timestamp() * 1000), "message": line.message}
                for line in sorted(batch, key=lambda one: (one.time, one.id))
            ],
        }
        return {"arrival": stamp(batch[-1].arrival), "payload": payload}


def stamp(at: datetime) -> str:
    """UTC, ISO 8601, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_bundle(folder: Path, incident: Mapping[str, Any], recorder: Recorder) -> int:
    """Writes incident.yml and records.jsonl; returns the bytes of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(dict(incident), sort_keys=False, width=110, allow_unicode=True)
    (folder / "incident.yml").write_text(text, encoding="utf-8")
    records = "".join(json.dumps(one, separators=(",", ":"), ensure_ascii=False) + "\n" for one in recorder.records())
    (folder / "records.jsonl").write_text(records, encoding="utf-8")
    return len(records.encode())
