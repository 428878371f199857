"""Log lines of the four families -> canonical events (the columns of schemas.PARSED). Pure functions of text.

Each module has `parse(message, format) -> list of events`: usually one, several where a wrapper holds several records.
An event is a dict of the columns that the line gives; a line that can't be read raises RejectedLineError.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pyarrow as pa

from probable_cause.arrow_schema import arrow_schema
from probable_cause.errors import RejectedLineError
from probable_cause.families import application, aws_config, cloudtrail, vpc_flow
from probable_cause.families.flow_columns import parse_plain
from probable_cause.families.flow_format import read_format
from probable_cause.schemas import PARSED

FAMILIES: dict[str, ModuleType] = {
    "cloudtrail": cloudtrail,
    "aws_config": aws_config,
    "vpc_flow": vpc_flow,
    "application": application,
}

Columns = dict[str, Any]  # name -> list or Arrow array, all of one length
Rejects = list[tuple[int, str, str]]  # line, reason, detail


def parse_line(family: str, message: str, format: str | None = None) -> list[dict[str, Any]]:
    """The events of one line: dicts of the columns of schemas.PARSED, absent keys left out.

    Args:
        family: one of FAMILIES.
        format: the field list of a flow log; other families have none.

    Raises:
        RejectedLineError: the line can't be read; it says why.
    """
    if not message.isascii():
        message = message.encode("utf-8", "replace").decode()  # lone surrogates can't be written as UTF-8
    events: list[dict[str, Any]] = FAMILIES[family].parse(message, format)
    return events


def parse_lines(family: str, messages: list[str], format: str | None = None) -> tuple[Columns, list[int], Rejects]:
    """Many lines at once: (columns of the events, in parallel; the line of each event; rejected lines).

    A column is a list or an Arrow array; columns that no line has may be missing. The events of one line stand in its
    order, the lines in any.
    """
    if family != "vpc_flow":
        return _one_by_one(family, messages, format, range(len(messages)))
    try:
        layout = read_format(format)
    except RejectedLineError as fault:
        return {}, [], [(line, fault.reason, fault.detail) for line in range(len(messages))]
    plain, lines, rest = parse_plain(messages, layout)
    if not len(rest):
        return plain, lines.tolist(), []
    columns, index, rejects = _one_by_one(family, messages, format, rest.tolist())
    if not len(lines) or not index:
        return (plain if len(lines) else columns), [*lines.tolist(), *index], rejects
    return _joined(plain, len(lines), columns, len(index)), [*lines.tolist(), *index], rejects


def _one_by_one(
    family: str, messages: list[str], format: str | None, lines: Iterable[int]
) -> tuple[Columns, list[int], Rejects]:
    events: list[dict[str, Any]] = []
    index: list[int] = []
    rejects: Rejects = []
    for line in lines:
        try:
            found = parse_line(family, messages[line], format)
        except RejectedLineError as fault:
            rejects.append((line, fault.reason, fault.detail))
            continue
        events += found
        index += [line] * len(found)
    names = set().union(*events) if events else set()
    return {name: [event.get(name) for event in events] for name in sorted(names)}, index, rejects


def _joined(first: Columns, first_rows: int, second: Columns, second_rows: int) -> Columns:
    """Two blocks of columns, one below the other."""
    schema = arrow_schema(PARSED)
    joined = {}
    for name in first.keys() | second.keys():
        kind = schema.field(name).type
        blocks = [
            pa.array(block[name], kind) if name in block else pa.nulls(rows, kind)
            for block, rows in ((first, first_rows), (second, second_rows))
        ]
        joined[name] = pa.concat_arrays([block.cast(kind) for block in blocks])
    return joined
