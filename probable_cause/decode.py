"""The one Python hop: a subscription record's bytes -> canonical events, as Arrow batches of schemas.EVENT.

The same functions run inside the Kinesis source's read() and, for other sources, in `mapInArrow`. Nothing readable is
lost: a line, payload or record that can't be read becomes a row with `reject_reason` and its text in `message`.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from probable_cause.arrow_schema import TIMESTAMP, arrow_schema
from probable_cause.envelope import Payload, open_record
from probable_cause.errors import RejectedLineError
from probable_cause.parsing import Batches, Parsed, clean, parse, parse_batches
from probable_cause.prefilter import NOTHING, Prefilter, passed_over, sampling_less, span_of
from probable_cause.python_worker import forget_archives
from probable_cause.routing import Route, Routing
from probable_cause.schemas import EVENT

__all__ = ["Record", "Route", "Routing", "arrow_schema", "decode", "decode_batches", "decode_records", "parse_batches"]

T = TypeVar("T")
Record = tuple[bytes, datetime | None, str]  # data, arrival in Kinesis (aware), position as `shard:sequence`

# An output batch ends at whichever comes first: large enough for speed, small enough for a worker's memory.
BATCH_LINES, BATCH_CHARACTERS = 20_000, 16 * 1024**2
PARSED_LINES = 1_000  # of one output batch, parsed: Spark works on them while the next are parsed
_ORIGINAL = 8 * 1024  # characters kept of a line beside its message: the tables take no more
_REJECT_MESSAGE = 64 * 1024  # characters kept of a record that can't be opened


@dataclass
class _Lines:
    """Lines of one family and format, in parallel lists; `origin` is the number of the payload that each is from."""

    messages: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)

    def only(self, chosen: np.ndarray) -> _Lines:
        """Those of the lines for which `chosen` is true."""
        kept = np.flatnonzero(chosen).tolist()
        columns = (self.messages, self.ids, self.delivered, self.origin)
        return _Lines(*([values[line] for line in kept] for values in columns))  # type: ignore[arg-type]

    def parts(self, size: int) -> Iterator[_Lines]:
        """The same lines in order, `size` at a time."""
        for start in range(0, len(self.ids), size):
            part = slice(start, start + size)
            yield _Lines(self.messages[part], self.ids[part], self.delivered[part], self.origin[part])


@dataclass
class _Chunk:
    """What one output batch is made of."""

    lines: dict[tuple[str, str | None], _Lines] = field(default_factory=dict)
    origins: list[dict[str, Any]] = field(default_factory=list)  # owner, log_group, log_stream, ... of each payload
    rejects: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0
    count: int = 0

    def add(self, record: Record, routing: Routing) -> None:
        data, arrived_at, position = record
        where = {"arrived_at": arrived_at, "position": position}
        try:
            payloads = open_record(data, routing.max_decompressed)
        except RejectedLineError as fault:
            raw = base64.b64encode(data[:_REJECT_MESSAGE]).decode()[:_REJECT_MESSAGE]
            self._reject(where, fault.reason, fault.detail, raw)
            return
        for payload in payloads:
            self.add_payload(payload, routing.route(payload.log_group) if payload.log_group else None, where)

    def add_payload(self, payload: Payload, route: Route | None, where: dict[str, Any]) -> None:
        """`route` is None for a log group that no entry of the settings names: its lines are rejected."""
        origin = where | {"owner": payload.owner, "log_group": payload.log_group, "log_stream": payload.log_stream}
        for fault in payload.faults:
            self._reject(origin, fault.reason, fault.detail, fault.text)
        if route is None:
            detail = f"no entry of log_groups matches {payload.log_group!r}; add one"
            for event_id, time, message in zip(payload.ids, payload.timestamps, payload.messages, strict=True):
                line = origin | {"event_id": event_id, "delivered_at": time * 1000}
                self._reject(line, "unknown_log_group", detail, message)
            return
        lines = self.lines.setdefault((route.family, route.format), _Lines())
        lines.messages += payload.messages
        lines.ids += payload.ids
        lines.delivered += payload.timestamps
        lines.origin += [len(self.origins)] * len(payload.ids)
        self.origins.append(origin | {"application_id": route.application_id})
        self.count += len(payload.ids)
        self.size += sum(map(len, payload.messages))

    def _reject(self, origin: dict[str, Any], reason: str, detail: str, message: str) -> None:
        self.rejects.append(origin | {"reject_reason": reason, "reject_detail": clean(detail), "message": message})
        self.count += 1
        self.size += len(message)

    def batches(self, prefilter: Prefilter) -> Batches:
        """schemas.EVENT: batches of each family, one of what no family saw and of how many lines were passed over."""
        others = self.rejects
        span = span_of(prefilter, (payload["arrived_at"] for payload in self.origins))
        for (family, form), lines in self.lines.items():
            skipped = passed_over(prefilter, family, form, lines.messages, lines.delivered, span)
            if skipped.any():
                others = [*others, {"family": family, "skipped_lines": int(skipped.sum())}]
                lines = lines.only(~skipped)
            for part in lines.parts(PARSED_LINES):
                yield _event_batch(family, form, part, self.origins)
        if others:
            yield pa.RecordBatch.from_pylist(others, schema=arrow_schema(EVENT))


def decode(records: Iterable[Record], routing: Routing, prefilter: Prefilter = NOTHING) -> Batches:
    """Records -> batches of schemas.EVENT, of bounded size. The same records give the same rows in the same order.

    Lines that `prefilter` passes over are counted in `skipped_lines` of a row a family and batch.
    """
    return _in_chunks(records, lambda chunk, record: chunk.add(record, routing), prefilter)


def decode_payloads(payloads: Iterable[tuple[Payload, Route | None, str]]) -> Batches:
    """As decode(), of lines that files brought: (payload, its route, position). They arrived at no known time."""

    def add(chunk: _Chunk, given: tuple[Payload, Route | None, str]) -> None:
        payload, route, position = given
        chunk.add_payload(payload, route, {"arrived_at": None, "position": position})

    return _in_chunks(payloads, add, NOTHING)


def _in_chunks(given: Iterable[T], add: Callable[[_Chunk, T], None], prefilter: Prefilter) -> Batches:
    """The batches of all that is `given`, each of what `add` put into one chunk until it was full."""
    chunk, number = _Chunk(), 1
    for one in given:
        add(chunk, one)
        if chunk.count >= BATCH_LINES or chunk.size >= BATCH_CHARACTERS:
            yield from chunk.batches(sampling_less(prefilter, number))
            chunk, number = _Chunk(), number + 1
    yield from chunk.batches(sampling_less(prefilter, number))


def decode_records(records: Iterable[Record], routing: Routing, prefilter: Prefilter = NOTHING) -> pa.RecordBatch:
    """As decode(), in one batch."""
    schema = arrow_schema(EVENT)
    batches = list(decode(records, routing, prefilter))
    return pa.concat_batches(batches) if batches else pa.RecordBatch.from_pylist([], schema=schema)


def decode_batches(routing: Routing, prefilter: Prefilter = NOTHING) -> Callable[[Iterable[pa.RecordBatch]], Batches]:
    """The function for `mapInArrow` that turns schemas.RECORD into schemas.EVENT."""

    def hop(batches: Iterable[pa.RecordBatch]) -> Batches:
        forget_archives()
        return decode((record for batch in batches for record in _records(batch)), routing, prefilter)

    return hop


def _records(batch: pa.RecordBatch) -> Iterator[Record]:
    for row in batch.to_pylist():
        yield row["data"] or b"", row["arrived_at"], f"{row['shard_id']}:{row['sequence_number']}"


def _event_batch(family: str, form: str | None, lines: _Lines, origins: list[dict[str, Any]]) -> pa.RecordBatch:
    """The lines of one family as schemas.EVENT: events first, then the rejected lines."""
    parsed = parse(family, lines.messages, form)
    schema = arrow_schema(EVENT)
    rejected = len(parsed.rejects)
    line_of_row = [*parsed.index, *(line for line, _, _ in parsed.rejects)]
    rows = None if parsed.one_each(len(lines.ids)) else pa.array(line_of_row, pa.int64())

    def by_row(values: list[Any], kind: pa.DataType) -> pa.Array:
        """What the lines have, for each row."""
        array = pa.array(values, kind)
        return array if rows is None else pc.take(array, rows)

    columns = {
        name: pa.concat_arrays([column, pa.nulls(rejected, column.type)]) if rejected else column
        for name, column in zip(parsed.events.schema.names, parsed.events.columns, strict=True)
    }
    origin = by_row(lines.origin, pa.int64())
    for name in ("owner", "log_group", "log_stream", "application_id", "arrived_at", "position"):
        columns[name] = pc.take(pa.array([payload[name] for payload in origins], schema.field(name).type), origin)
    delivered = pc.multiply(by_row(lines.delivered, pa.int64()), 1000).cast(TIMESTAMP)
    columns["delivered_at"] = delivered
    columns["event_id"] = by_row(lines.ids, pa.string()) if parsed.at_most_one_each() else _event_ids(lines.ids, parsed)
    none = pa.nulls(len(parsed.index), pa.string())
    for name, words in (
        ("reject_reason", [reason for _, reason, _ in parsed.rejects]),
        ("reject_detail", [clean(detail) for _, _, detail in parsed.rejects]),
    ):
        columns[name] = pa.concat_arrays([none, pa.array(words, pa.string())])
    columns["family"] = pa.repeat(family, len(line_of_row))
    columns["skipped_lines"] = pa.nulls(len(line_of_row), pa.int64())
    line, message = by_row(lines.messages, pa.string()), columns["message"]
    columns["message"] = pc.coalesce(message, line)
    # Null where the parser gave no message of its own, or the whole line as one.
    original = pc.if_else(pc.not_equal(message, line), line, pa.scalar(None, pa.string()))
    columns["original"] = pc.utf8_slice_codeunits(original, 0, _ORIGINAL)
    # An application line's own clock is often local time without a zone: CloudWatch's timestamp is the better one.
    own_time = columns["event_time"]
    columns["event_time"] = delivered if family == "application" else pc.coalesce(own_time, delivered)
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _event_ids(ids: list[str], parsed: Parsed) -> pa.Array:
    """CloudWatch's event id of each row; where one line gave several events, with `/1`, `/2`, ... behind it."""
    total, seen = Counter(parsed.index), Counter[int]()
    words = []
    for line in parsed.index:
        seen[line] += 1
        words.append(f"{ids[line]}/{seen[line]}" if total[line] > 1 else ids[line])
    return pa.array([*words, *(ids[line] for line, _, _ in parsed.rejects)], pa.string())
