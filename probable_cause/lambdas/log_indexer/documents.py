"""A Kinesis record -> documents for OpenSearch, under the same field names as the canonical event. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from probable_cause.decode import Record, decode_records
from probable_cause.routing import Routing

PREFIX = "logs"
# Where a document comes from in the stream says nothing to who searches.
_LEFT_OUT = {"arrived_at", "position", "owner", "record", "original", "delivered_at"}
_MOST = 32_000  # characters of a text field; Lucene refuses terms of more than 32766 bytes, and nobody reads further


@dataclass(frozen=True)
class Document:
    """`id` is the same for every delivery of a line, so that a redelivery replaces it. `index` is a day of a family."""

    index: str
    id: str
    body: dict[str, Any]


def documents(records: Iterable[Record], routing: Routing) -> Iterator[Document]:
    """One document a line; lines that no parser takes go to `logs-rejected-<day>`, with their reason."""
    events = decode_records(records, routing).to_pylist(maps_as_pydicts="lossy")
    seen: dict[str, int] = {}
    for event in events:
        at = event["event_time"] or event["delivered_at"] or event["arrived_at"]
        family = event["family"] if event["reject_reason"] is None else "rejected"
        body = {name: _plain(value) for name, value in event.items() if value is not None and name not in _LEFT_OUT}
        body["@timestamp"] = _plain(at) if at else None
        body["account_id"] = event["account_id"] or event["owner"]
        day = at.strftime("%Y.%m.%d") if at else "undated"
        yield Document(f"{PREFIX}-{family or 'rejected'}-{day}", _id(event, seen), _without_nothing(body))


def _id(event: dict[str, Any], seen: dict[str, int]) -> str:
    """CloudWatch's event id with where it was written; a line of several events numbers them."""
    where = event["event_id"] or event["position"] or event["message"] or ""
    text = "\n".join(str(part) for part in (event["owner"], event["log_group"], event["log_stream"], where))
    number = seen[text] = seen.get(text, -1) + 1
    return hashlib.sha256(f"{text}\n{number}".encode()).hexdigest()[:40]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, str):
        return value[:_MOST]
    if isinstance(value, dict):
        # One flat field for free keys: a mapping of its own for each would grow without end.
        return [f"{name}={text}"[:_MOST] for name, text in value.items() if text is not None]
    return value


def _without_nothing(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value not in (None, [], {})}
