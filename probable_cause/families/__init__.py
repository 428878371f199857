"""Log lines of the four families -> canonical events (the columns of schemas.PARSED). Pure functions of text.

Each module has `parse(message, format) -> list of events`: usually one, several where a wrapper holds several records.
An event is a dict of the columns that the line gives; a line that can't be read raises RejectedLineError.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from probable_cause.errors import RejectedLineError
from probable_cause.families import application, aws_config, cloudtrail, vpc_flow

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

    Columns that no line has may be missing.
    """
    events: list[dict[str, Any]] = []
    index: list[int] = []
    rejects: Rejects = []
    for line, message in enumerate(messages):
        try:
            found = parse_line(family, message, format)
        except RejectedLineError as fault:
            rejects.append((line, fault.reason, fault.detail))
            continue
        events += found
        index += [line] * len(found)
    names = set().union(*events) if events else set()
    return {name: [event.get(name) for event in events] for name in sorted(names)}, index, rejects
