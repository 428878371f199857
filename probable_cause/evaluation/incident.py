"""What an incident bundle holds (design contract 3.6), as frozen values. No logic."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from probable_cause.state.event_of_interest import Status

NONE = "none"  # root_cause: no cause is named
HEALTHY = "healthy"
ACTIONS = ("acknowledge", "resolve")


@dataclass(frozen=True)
class Record:
    """One Kinesis record: when it arrived, and its line of records.jsonl (with payload or data_base64)."""

    arrival: datetime
    raw: Mapping[str, Any]

    @property
    def data(self) -> bytes:
        """The bytes as Kinesis would hand them over: gzip'd JSON of a payload, or the very bytes that were recorded."""
        if "payload" not in self.raw:
            return base64.b64decode(self.raw["data_base64"])
        text = json.dumps(self.raw["payload"], separators=(",", ":"), ensure_ascii=False)
        # An unpaired surrogate is valid JSON but no UTF-8: it stays escaped.
        return gzip.compress(text.encode("utf-8", "backslashreplace"), compresslevel=1, mtime=0)


@dataclass(frozen=True)
class OperatorAction:
    at: datetime
    action: str
    application_id: str
    event_type: str
    cause: str | None = None
    who: str = "operator"
    reason: str | None = None

    @property
    def status(self) -> Status:
        """What the action makes of an event."""
        return "acknowledged" if self.action == "acknowledge" else "resolved"


@dataclass(frozen=True)
class Expected:
    """What one place must name. None: not compared."""

    event_type: str | None = None
    action: str | None = None
    resource_id: str | None = None
    deferred_from: str | None = None


@dataclass(frozen=True)
class ExpectedCount:
    count: int
    event_type: str | None = None
    action: str | None = None
    resource_id: str | None = None


@dataclass(frozen=True)
class Truth:
    """The truth at an instant. `root_cause` is None when it is not judged, NONE when no cause may be named."""

    at: datetime
    application_id: str
    root_cause: Expected | str | None = None
    layers: Mapping[str, Expected | str] = field(default_factory=dict)
    counts: tuple[ExpectedCount, ...] = ()

    def told(self) -> str:
        """The expectation in one line."""
        parts = [] if self.root_cause is None else [f"root cause {_told(self.root_cause)}"]
        parts += [f"{layer} {_told(expected)}" for layer, expected in self.layers.items()]
        parts += [f"{one.count} x {_told(one)}" for one in self.counts]
        return "; ".join(parts) or "nothing is expected"


def _told(expected: Expected | ExpectedCount | str) -> str:
    if isinstance(expected, str):
        return expected
    if isinstance(expected, Expected) and expected.deferred_from:
        return f"deferred from {expected.deferred_from}"
    shown = [expected.event_type, expected.action, expected.resource_id and f"on {expected.resource_id}"]
    return " ".join(one for one in shown if one)


@dataclass(frozen=True)
class Bundle:
    """One incident. The lookups are rows with the keys of the lookup tables of design contract 3.6."""

    name: str
    path: Path
    description: str
    settings: Mapping[str, Any]
    lookup_by_ip: tuple[Mapping[str, str], ...]
    lookup_by_resource: tuple[Mapping[str, str], ...]
    operator: tuple[OperatorAction, ...]
    truth: tuple[Truth, ...]
    records: tuple[Record, ...]
    kind: str = ""  # `class` of the file
    difficulty: str = ""
    split: str = ""
    remarks: tuple[str, ...] = ()
