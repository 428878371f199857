"""Plays an incident bundle into the account: its lines through PutLogEvents, its operator, its moments of truth.

A bundle's instants are moved so that it begins when the demo's clock says so; the clock then jumps from moment to
moment, so that hours of a scenario pass in seconds while every instant keeps its distance from the others.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from probable_cause.decode import Routing, decode_records
from probable_cause.evaluation.incident import Bundle
from probable_cause.evaluation.runner import Step
from probable_cause.local.account import LogWriter, put_raw
from probable_cause.local.shift import shift_text
from probable_cause.settings import Settings
from probable_cause.state.moments import from_millis, to_millis


def starts_at(bundle: Bundle) -> datetime:
    """The earliest instant of a bundle."""
    return min([record.arrival for record in bundle.records] + [truth.at for truth in bundle.truth])


def ends_at(bundle: Bundle) -> datetime:
    """The latest moment of truth or action of a bundle."""
    return max([action.at for action in bundle.operator] + [truth.at for truth in bundle.truth])


def log_groups(bundle: Bundle) -> set[str]:
    """The log groups that the bundle's records come from."""
    return {record.raw["payload"]["logGroup"] for record in bundle.records if "payload" in record.raw}


def _redelivered(bundle: Bundle) -> set[str]:
    """Ids of the log events that the bundle holds more than once."""
    ids = Counter(
        event["id"] for record in bundle.records for event in record.raw.get("payload", {}).get("logEvents", [])
    )
    return {event_id for event_id, count in ids.items() if count > 1}


def _moved(event: Mapping[str, Any], span: timedelta) -> dict[str, Any]:
    """A log event with every instant in it moved by `span`."""
    near = from_millis(event["timestamp"])
    return {
        "id": event["id"],
        "timestamp": to_millis(near + span),
        "message": shift_text(event["message"], near, span),
    }


class Player:
    """Puts the records of steps into CloudWatch Logs, or raw bytes on the stream, moved by `span`."""

    def __init__(self, settings: Settings, routing: Routing, bundles: Iterable[Bundle]) -> None:
        self._settings, self._routing = settings, routing
        self._redelivered = {event_id for bundle in bundles for event_id in _redelivered(bundle)}
        self._writer = LogWriter(settings)

    def put(self, step: Step, span: timedelta) -> int:
        """Puts a step's records; returns how many rows the job will see of them, rejected ones included."""
        rows = 0
        by_stream: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for record in step.records:
            payload = record.raw.get("payload")
            if payload is None:
                rows += self._put_bytes(record.data)
                continue
            moved = [_moved(event, span) for event in payload["logEvents"]]
            if any(event["id"] in self._redelivered or not event["message"] for event in moved):
                # PutLogEvents takes no empty line, and gives each line an id of its own, so that none can be put that
                # is delivered twice under one id: the exact bytes of such records go onto the stream.
                rows += self._put_bytes(gzip.compress(json.dumps({**payload, "logEvents": moved}).encode(), mtime=0))
            else:
                lines = by_stream[payload["logGroup"], payload["logStream"]]
                lines += [(event["timestamp"], event["message"]) for event in moved]
        for (group, stream), events in by_stream.items():
            rows += self._rows(group, events)
            self._writer.put(group, stream, events)
        return rows

    def _put_bytes(self, data: bytes) -> int:
        put_raw(self._settings, data, "raw")
        return int(decode_records([(data, None, "")], self._routing).num_rows)

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
        records = [(json.dumps(payload).encode(), from_millis(events[0][0]), "")]
        return int(decode_records(records, self._routing).num_rows)
