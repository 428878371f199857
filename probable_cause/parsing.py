"""Log lines of one family -> typed Arrow columns, or a reason for each line that can't be read.

One code path for the stream, the files and the `parse` command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from probable_cause.arrow_schema import arrow_schema
from probable_cause.errors import RejectedLineError
from probable_cause.families import parse_lines
from probable_cause.schemas import PARSED

Batches = Iterator[pa.RecordBatch]
RESULT = "index bigint, ok boolean, result_json string"
# Microseconds of year 1 and year 9999: what Python's and Spark's timestamps can both hold.
_EARLIEST, _LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999


@dataclass
class Parsed:
    """Lines of one family, parsed. `events` has schemas.PARSED, `index` names the line of each of its rows; `rejects`
    are (line, reason, detail)."""

    events: pa.RecordBatch
    index: list[int]
    rejects: list[tuple[int, str, str]]

    def one_each(self, lines: int) -> bool:
        """Whether every line gave one event, in order: the usual case, and a quick one."""
        return not self.rejects and self.index == list(range(lines))

    def at_most_one_each(self) -> bool:
        """Whether no line gave several events."""
        return len(set(self.index)) == len(self.index)


def parse(family: str, messages: list[str], form: str | None) -> Parsed:
    """Parses `messages` and gives typed columns. A line on which a parser fails is rejected, alone."""
    try:
        return _parse(family, messages, form)
    except Exception as exc:  # whatever a hostile line does to a parser, its neighbours must not suffer: halve, retry
        if len(messages) <= 1:
            fault = exc if isinstance(exc, RejectedLineError) else None
            reason, detail = (fault.reason, fault.detail) if fault else ("parser_error", f"{type(exc).__name__}: {exc}")
            empty = pa.RecordBatch.from_pylist([], schema=arrow_schema(PARSED))
            return Parsed(empty, [], [(line, reason, detail[:1000]) for line in range(len(messages))])
    half = len(messages) // 2
    left, right = parse(family, messages[:half], form), parse(family, messages[half:], form)
    return Parsed(
        pa.concat_batches([left.events, right.events]),
        left.index + [line + half for line in right.index],
        left.rejects + [(line + half, reason, detail) for line, reason, detail in right.rejects],
    )


def _parse(family: str, messages: list[str], form: str | None) -> Parsed:
    schema = arrow_schema(PARSED)
    columns, index, rejects = parse_lines(family, messages, form)
    arrays = [
        pa.array(columns[column.name], column.type) if column.name in columns else pa.nulls(len(index), column.type)
        for column in schema
    ]
    events = pa.RecordBatch.from_arrays(arrays, schema=schema)
    events = events.set_column(0, schema.field("family"), pa.repeat(family, len(index)))
    span = pc.min_max(events.column("event_time").cast(pa.int64()))
    if span["min"].is_valid and not (span["min"].as_py() >= _EARLIEST and span["max"].as_py() <= _LATEST):
        raise RejectedLineError("bad_timestamp", "the event's time is outside the years 1 to 9999")
    parsed = Parsed(events, list(index), list(rejects))
    if not parsed.one_each(len(messages)):  # a line that gave nothing must not vanish
        seen = {*index, *(line for line, _, _ in rejects)}
        missing = (line for line in range(len(messages)) if line not in seen)
        parsed.rejects += [(line, "no_event", "the line holds no event") for line in missing]
    return parsed


def parse_batches(family: str, form: str | None = None) -> Callable[[Iterable[pa.RecordBatch]], Batches]:
    """The function for `mapInArrow` behind `probable-cause parse`: (index bigint, line string) -> RESULT, one row a
    line, `result_json` being the command's whole output line."""
    schema = arrow_schema(RESULT)

    def hop(batches: Iterable[pa.RecordBatch]) -> Batches:
        for batch in batches:
            results = parse_results(family, batch.column("line").to_pylist(), form)
            texts = [orjson.dumps(result).decode() for result in results]
            accepted = pa.array([result["ok"] for result in results], pa.bool_())
            arrays = [batch.column("index"), accepted, pa.array(texts, pa.string())]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return hop


def parse_results(family: str, lines: list[str], form: str | None = None) -> list[dict[str, Any]]:
    """For each line `{"ok": true, "event": {...}}` or `{"ok": false, "reason": ..., "detail": ...}`. Of a line that
    holds several events, `event` is the first and `events` has all."""
    parsed = parse(family, lines, form)
    results: list[dict[str, Any]] = [{} for _ in lines]
    for line, event in zip(parsed.index, parsed.events.to_pylist(maps_as_pydicts="lossy"), strict=True):
        event["message"] = lines[line] if event["message"] is None else event["message"]
        document, earlier = event_json(event), results[line]
        if not earlier:
            results[line] = {"ok": True, "event": document}
        else:
            earlier.setdefault("events", [earlier["event"]]).append(document)
    for line, reason, detail in parsed.rejects:
        results[line] = {"ok": False, "reason": reason, "detail": clean(detail)}
    return results


def event_json(event: dict[str, Any]) -> dict[str, Any]:
    """A row of schemas.PARSED as plain JSON values: times in ISO 8601 with milliseconds and Z, absent as null."""
    return {"event_id": None} | {
        name: value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in event.items()
    }


def clean(text: str | None) -> str:
    """Text that can be written as UTF-8."""
    return (text or "").encode("utf-8", "replace").decode()
