"""The store of rejected records: what it holds, and their replay once a parser, a setting or a rule has been mended.

    <rejects.path>/epoch=3/batch=41/part-*.json      the rejects of a batch, as the sink wrote them: schemas.EVENT
    <rejects.path>/epoch=3/batch=41/remaining.json   what a replay has left of them; it stands for all the rest

A replay sends the lines through the stream's own parsers, stages and tables. It goes by portions: a portion's events
are added, then the store is written without them. A crash between the two adds nothing twice: events are known by id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
from pyspark.sql import SparkSession

from probable_cause import pipeline
from probable_cause.arrow_schema import arrow_schema
from probable_cause.decode import Record, Routing, decode
from probable_cause.envelope import GZIP
from probable_cause.schemas import EVENT
from probable_cause.sink import Sink
from probable_cause.storage import Folder

PORTION = (
    1000  # rows; fewer than the event ids that an item remembers, so that each portion can be told from its replay
)
_REMAINING = "remaining.json"
_TIMES = ("event_time", "delivered_at", "arrived_at")
_BY_CLOCK = {"event_in_the_future", "event_too_old"}  # these lines were read; only their time was refused
_LOST = {"trimmed"}  # nothing of these was ever here
_CUT = 65_536  # characters that the store keeps of a record (decode.py)

Row = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """The rejects of one batch."""

    name: str
    rows: list[Row]


@dataclass(frozen=True)
class Replayed:
    """What a replay did: rows looked at, those that could be read now, those that stay, and applications touched."""

    rows: int
    accepted: int
    remaining: int
    applications: tuple[str, ...]


def stored(store: Folder) -> Iterator[Stored]:
    """All batches with rejects, oldest first."""
    for epoch in sorted(store.folders(), key=_number):
        for batch in sorted(store.folders(epoch), key=_number):
            name = f"{epoch}/{batch}"
            rows = _rows(store, name)
            if rows:
                yield Stored(name, rows)


def matching(rows: Iterable[Row], family: str | None, reason: str | None) -> list[Row]:
    """The rows of a family (`unknown`: none could be told) and a reason; None: of any."""
    return [
        row
        for row in rows
        if (family is None or row.get("family", "unknown") == family)
        and (reason is None or row["reject_reason"] == reason)
    ]


def counts(batches: Iterable[Stored]) -> Counter[tuple[str, str]]:
    """(family, reason) -> number of rows."""
    return Counter((row.get("family", "unknown"), row["reject_reason"]) for one in batches for row in one.rows)


def replay(
    spark: SparkSession,
    store: Folder,
    routing: Routing,
    sink: Sink,
    family: str | None = None,
    reason: str | None = None,
    at_point: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Sends the store's lines through the pipeline again; what is read now leaves the store.

    Args:
        sink: over the tables; its lease is not needed.
        at_point: for tests, called where a crash may fall.

    Raises:
        TableError: a table is missing or refuses.
    """
    looked_at = accepted = left = 0
    touched: set[str] = set()
    for batch in stored(store):
        chosen = [row for row in matching(batch.rows, family, reason) if _replayable(row)]
        remaining = list(batch.rows)
        for start in range(0, len(chosen), PORTION):
            portion = chosen[start : start + PORTION]
            again, applications = _again(spark, portion, routing, sink)
            at_point("added")
            touched.update(applications)
            gone = {id(row) for row in portion}
            remaining = [row for row in remaining if id(row) not in gone] + again
            store.write(f"{batch.name}/{_REMAINING}", b"".join(orjson.dumps(row) + b"\n" for row in remaining))
            looked_at, accepted = looked_at + len(portion), accepted + len(portion) - len(again)
            at_point("stored")
        if not remaining:
            store.remove(batch.name)
        left += len(remaining)
    return Replayed(looked_at, max(accepted, 0), left, tuple(sorted(touched)))


def _again(spark: SparkSession, rows: list[Row], routing: Routing, sink: Sink) -> tuple[list[Row], tuple[str, ...]]:
    """Adds what can be read of the rows; the rows that are rejected still, with the reason of now."""
    schema = arrow_schema(EVENT)
    by_clock = [row for row in rows if row["reject_reason"] in _BY_CLOCK]
    batches = [*decode((record_of(row) for row in rows if row["reject_reason"] not in _BY_CLOCK), routing)]
    batches.append(pa.RecordBatch.from_pylist([_event(row) for row in by_clock], schema=schema))
    events = spark.createDataFrame(pa.Table.from_batches(batches, schema=schema))
    kept = pipeline.of_interest_or_rejected(events, sink.scope).persist()
    try:
        again = pipeline.rejected(kept).toArrow().to_pylist(maps_as_pydicts="lossy")
        # Named by what it holds: a portion that is sent again after a crash is known by its name.
        name = hashlib.blake2b(orjson.dumps(rows), digest_size=8).hexdigest()
        touched = sink.write_beside(kept, f"rejects.{name}", sum(one.num_rows for one in batches))
    finally:
        kept.unpersist()
    return [{name: value for name, value in row.items() if value is not None} for row in again], touched


def record_of(row: Mapping[str, Any]) -> Record:
    """The Kinesis record that would have brought a rejected row: its line alone in a payload, or its own bytes."""
    arrived_at = _moment(row.get("arrived_at"))
    position = str(row.get("position", ""))
    message = str(row.get("message", ""))
    if row.get("log_group") is None:
        try:
            data = base64.b64decode(message, validate=True)
        except (binascii.Error, ValueError):
            data = b""
        # A broken part of a payload is kept as its text, a record that could not be opened as base64.
        return (data if data.startswith((GZIP, b"{", b"[")) else message.encode()), arrived_at, position
    delivered_at = _moment(row.get("delivered_at"))
    event: Any = {"id": row.get("event_id"), "message": message}
    if row.get("event_id") is None:  # a log event that was none; its text is the whole of it
        try:
            event = orjson.loads(message)
        except orjson.JSONDecodeError:
            event = message
    elif delivered_at is not None:
        event["timestamp"] = round(delivered_at.timestamp() * 1000)
    payload = {
        "messageType": "DATA_MESSAGE",
        "owner": row.get("owner"),
        "logGroup": row["log_group"],
        "logStream": row.get("log_stream"),
        "logEvents": [event],
    }
    return orjson.dumps(payload), arrived_at, position


def _replayable(row: Mapping[str, Any]) -> bool:
    whole = row.get("log_group") is not None or len(str(row.get("message", ""))) < _CUT
    return whole and row["reject_reason"] not in _LOST


def _event(row: Mapping[str, Any]) -> Row:
    """schemas.EVENT of a row whose line was read when it was rejected."""
    event = {name: value for name, value in row.items() if name not in ("reject_reason", "reject_detail")}
    event |= {name: _moment(row.get(name)) for name in _TIMES}
    return event | {"fields": list(row.get("fields", {}).items())}


def _rows(store: Folder, batch: str) -> list[Row]:
    names = [name for name in store.files(batch) if name.endswith(".json")]
    names = [_REMAINING] if _REMAINING in names else names
    return [orjson.loads(line) for name in names for line in store.read(f"{batch}/{name}").splitlines() if line]


def _moment(text: str | datetime | None) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else text


def _number(name: str) -> tuple[int, str]:
    digits = name.partition("=")[2]
    return (int(digits) if digits.isdigit() else 0), name
