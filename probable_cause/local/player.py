"""Plays an incident bundle into the account: its lines through PutLogEvents, its operator, its moments of truth.

A bundle's instants are moved so that it begins when the demo's clock says so; the clock then jumps from moment to
moment, so that hours of a scenario pass in seconds while every instant keeps its distance from the others.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from probable_cause.decode import Routing, decode_records
from probable_cause.evaluation.bundle import Bundle, OperatorAction, Truth
from probable_cause.local.account import LogWriter, put_raw
from probable_cause.local.shift import shift_text
from probable_cause.settings import Settings
from probable_cause.state.moments import from_millis, to_millis


@dataclass(frozen=True)
class Step:
    """What happens at one instant of a bundle: records that arrived until then, then an action or a truth."""

    at: datetime
    records: tuple[Mapping[str, Any], ...]
    actions: tuple[OperatorAction, ...]
    truths: tuple[Truth, ...]


def steps(bundle: Bundle) -> Iterator[Step]:
    """The bundle in order of time; every record lies in the first step that is at or after its arrival."""
    instants = sorted({action.at for action in bundle.operator} | {truth.at for truth in bundle.truth})
    records = sorted(bundle.records, key=lambda record: record.arrival)
    before: datetime | None = None
    for instant in instants:
        yield Step(
            at=instant,
            records=tuple(r.raw for r in records if r.arrival <= instant and (before is None or r.arrival > before)),
            actions=tuple(action for action in bundle.operator if action.at == instant),
            truths=tuple(truth for truth in bundle.truth if truth.at == instant),
        )
        before = instant


def starts_at(bundle: Bundle) -> datetime:
    """The earliest instant of a bundle."""
    return min([record.arrival for record in bundle.records] + [truth.at for truth in bundle.truth])


def ends_at(bundle: Bundle) -> datetime:
    """The latest moment of truth or action of a bundle."""
    return max([action.at for action in bundle.operator] + [truth.at for truth in bundle.truth])


def log_groups(bundle: Bundle) -> set[str]:
    """The log groups that the bundle's records come from."""
    return {record.raw["payload"]["logGroup"] for record in bundle.records if "payload" in record.raw}


class Player:
    """Puts the records of steps into CloudWatch Logs, or raw bytes on the stream, moved by `span`."""

    def __init__(self, settings: Settings, routing: Routing) -> None:
        self._settings, self._routing = settings, routing
        self._writer = LogWriter(settings)

    def put(self, step: Step, span: timedelta, pace: Callable[[], None] = lambda: None) -> int:
        """Puts a step's records; returns how many rows the job will see of them, rejected ones included."""
        rows = 0
        by_stream: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for record in step.records:
            if "payload" not in record:
                data = base64.b64decode(record["data_base64"])
                put_raw(self._settings, data, "raw")
                rows += decode_records([(data, step.at, "")], self._routing).num_rows
                continue
            payload = record["payload"]
            for event in payload["logEvents"]:
                near = from_millis(event["timestamp"])
                message = shift_text(event["message"], near, span)
                by_stream[payload["logGroup"], payload["logStream"]].append((to_millis(near + span), message))
        for (group, stream), events in by_stream.items():
            rows += self._rows(group, events)
            self._writer.put(group, stream, events)
            pace()
        return rows

    def _rows(self, group: str, events: list[tuple[int, str]]) -> int:
        """How many rows these lines become: one line may hold several events. Counted by the job's own decoder."""
        payload = {
            "messageType": "DATA_MESSAGE",
            "owner": "123456789012",
            "logGroup": group,
            "logStream": "counted",
            "subscriptionFilters": ["counted"],
            "logEvents": [
                {"id": str(index), "timestamp": millis, "message": message}
                for index, (millis, message) in enumerate(events)
            ],
        }
        return decode_records([(json.dumps(payload).encode(), from_millis(events[0][0]), "")], self._routing).num_rows
