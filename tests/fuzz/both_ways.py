"""Lines read together and the same lines read alone, in a form in which they can be compared."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from probable_cause.arrow_schema import arrow_schema
from probable_cause.errors import RejectedLineError
from probable_cause.families import parse_line, parse_lines
from probable_cause.schemas import PARSED

SCHEMA = arrow_schema(PARSED)
Event = dict[str, Any]
Found = tuple[list[Event], str | None]  # a line's events, and the reason why it was rejected


def alone(family: str, line: str, form: str | None = None) -> Found:
    """What parse_line makes of a line."""
    try:
        return [_present(event) for event in parse_line(family, line, form)], None
    except RejectedLineError as fault:
        return [], fault.reason


def together(family: str, lines: list[str], form: str | None = None) -> list[Found]:
    """What parse_lines makes of each line."""
    columns, index, rejects = parse_lines(family, lines, form)
    table = pa.table({name: pa.array(values, SCHEMA.field(name).type) for name, values in columns.items()})
    events: list[list[Event]] = [[] for _ in lines]
    for line, event in zip(index, table.to_pylist(maps_as_pydicts="strict"), strict=True):
        events[line].append(_present(event))
    reasons = {line: reason for line, reason, _ in rejects}
    return [(found, reasons.get(line)) for line, found in enumerate(events)]


def _present(event: Event) -> Event:
    return {name: value for name, value in event.items() if value not in (None, [], {}) and name != "family"}
