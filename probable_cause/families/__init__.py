"""Log lines of the four families -> canonical events (the columns of schemas.PARSED). Pure functions of text.

Each module has `parse(message, format) -> list of events`: usually one, several where a wrapper holds several records.
An event is a dict of the columns that the line gives; a line that can't be read raises RejectedLineError.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from probable_cause.errors import RejectedLineError
from probable_cause.families import (
    app_columns,
    application,
    aws_config,
    cloudtrail,
    cloudtrail_columns,
    flow_columns,
    vpc_flow,
)
from probable_cause.families.blocks import Block, Columns, joined
from probable_cause.families.flow_format import read_format

FAMILIES: dict[str, ModuleType] = {
    "cloudtrail": cloudtrail,
    "aws_config": aws_config,
    "vpc_flow": vpc_flow,
    "application": application,
}

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
    try:
        blocks, rest = _together(family, messages, format)
    except RejectedLineError as fault:
        return {}, [], [(line, fault.reason, fault.detail) for line in range(len(messages))]
    single, rejects = _one_by_one(family, messages, format, rest)
    whole = joined([*blocks, single])
    return whole.columns, whole.lines, rejects


def _together(family: str, messages: list[str], format: str | None) -> tuple[list[Block], Iterable[int]]:
    """(blocks of what many lines at once gave, the lines that are left)."""
    if family == "vpc_flow":
        columns, lines, rest = flow_columns.parse_plain(messages, read_format(format))
        return [Block(columns, lines.tolist())], rest.tolist()
    if family == "application":
        blocks, rest = app_columns.parse_plain(messages)
        return blocks, rest.tolist()
    if family == "cloudtrail":
        return cloudtrail_columns.parse_plain(messages)
    return [], range(len(messages))


def _one_by_one(family: str, messages: list[str], format: str | None, lines: Iterable[int]) -> tuple[Block, Rejects]:
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
    return Block({name: [event.get(name) for event in events] for name in sorted(names)}, index), rejects
