"""VPC and transit gateway flow log lines -> canonical events. One line at a time; flow_columns.py does many at once.

A line is read with its format only: its length says nothing, as many formats have the same number of fields. What
does not fit the format is rejected, so that a wrong format shows as rejects and not as wrong events.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from probable_cause.errors import RejectedLineError
from probable_cause.families.flow_format import (
    ACTIONS,
    COLUMNS,
    STATUSES,
    FlowFormat,
    field_name,
    is_header,
    read_format,
)
from probable_cause.families.jsontext import load
from probable_cause.families.values import any_time, epoch_time, first, integer, is_ip

_BLANK = " \t\r\n\0\ufeff"
_TEXTS = ("message", "@message", "log", "event", "record", "line", "raw")  # where a wrapper keeps the line
_LISTS = ("detail", "fields", "extractedFields", "logEvents", "Records", "records", "data")
_NAMED = frozenset({"srcaddr", "dstaddr", "interface-id", "tgw-id"})  # an object with one of these is a record
_MILLISECONDS = 10**11  # seconds would be past the year 5000


def parse(message: str, form: str | None = None) -> list[dict[str, Any]]:
    """The event of a flow log line; events, where a JSON array wraps several.

    Raises:
        RejectedLineError: empty_line, header_line, missing_fields, surplus_fields, bad_ip, bad_number, bad_action,
            bad_status, bad_format, not_json, truncated_json.
    """
    line = message.strip(_BLANK)
    if not line:
        raise RejectedLineError("empty_line", "the line is blank")
    layout = read_format(form)
    if line[0] == '"' and layout.delimiter and f'"{layout.delimiter}' in line:  # each value quoted, as CSV exports are
        return [_event(layout, _tokens(line.replace('"', ""), layout))]
    if line[0] in '{["':
        return _wrapped(load(line), layout, 0)
    return [_event(layout, _tokens(line, layout))]


def _tokens(line: str, layout: FlowFormat) -> list[str]:
    tokens = line.split() if layout.delimiter is None else [token.strip() for token in line.split(layout.delimiter)]
    if is_header(tokens[:1]) and is_header(tokens):
        raise RejectedLineError("header_line", "the line names the fields")
    if len(tokens) != len(layout.fields):
        reason = "missing_fields" if len(tokens) < len(layout.fields) else "surplus_fields"
        raise RejectedLineError(reason, f"{len(tokens)} fields, the format has {len(layout.fields)}")
    return tokens


def _event(layout: FlowFormat, tokens: list[str]) -> dict[str, Any]:
    event: dict[str, Any] = {"family": "vpc_flow"}
    fields: dict[str, str] = {}
    times: dict[str, datetime | None] = {}
    status = None
    for field, token in zip(layout.fields, tokens, strict=True):
        if token in ("-", ""):
            continue
        column, kind, most = COLUMNS.get(field, ("", "text", 0))
        if kind == "text":
            if column:
                event[column] = token
            else:
                fields[field.replace("-", "_")] = token
        elif kind == "number":
            event[column] = _number(field, token, most)
        elif kind == "address":
            if not is_ip(token):
                raise RejectedLineError("bad_ip", f"{field} is {token!r:.60}; is the format the right one?")
            event[column] = token
        elif kind == "time":
            event[column], times[column] = _time(field, token, most)
        elif kind == "action":
            event[column] = _one_of("bad_action", field, token, ACTIONS)
        else:
            status = fields["log_status"] = _one_of("bad_status", field, token, STATUSES)
    event["event_time"] = times.get("start") or times.get("end")
    event["outcome"] = _outcome(event.get("action"), status)
    event["fields"] = fields
    return event


def _outcome(action: str | None, status: str | None) -> str | None:
    """NODATA and SKIPDATA tell of the whole window, whatever values the record still carries."""
    if status in ("NODATA", "SKIPDATA"):
        return status.lower()
    return action.lower() if action else None


def _number(field: str, token: str, most: int) -> int:
    number = integer(token, most)
    if number is None:
        raise RejectedLineError(
            "bad_number", f"{field} is {token!r:.60}, expected 0 to {most}; is the format the right one?"
        )
    return number


def _time(field: str, token: str, most: int) -> tuple[int, datetime | None]:
    """(epoch seconds, time). Some exports write milliseconds, objects also ISO 8601."""
    if "T" in token or ":" in token:
        found = any_time(token)
        if found is not None:
            return int(found.timestamp()), found
    number = _number(field, token, most)
    time = epoch_time(number)
    if time is None:
        raise RejectedLineError("bad_number", f"{field} is {token}, which is no time")
    return (int(time.timestamp()) if number >= _MILLISECONDS else number), time


def _one_of(reason: str, field: str, token: str, allowed: frozenset[str]) -> str:
    word = token.upper()
    if word not in allowed:
        raise RejectedLineError(reason, f"{field} is {token!r:.60}, allowed are {', '.join(sorted(allowed))} and -")
    return word


def _token(item: Any) -> str:
    """A value of an object as a line would have it. Exports through data frames make floats of numbers."""
    if isinstance(item, float) and item.is_integer():
        return str(int(item))
    return "-" if item is None else str(item).strip()


def _wrapped(value: Any, layout: FlowFormat, depth: int) -> list[dict[str, Any]]:
    """A line inside JSON: as text under a key, as an object of named fields (the format is then not needed), or a
    list of either."""
    if isinstance(value, str) and depth < 4:
        line = value.strip(_BLANK)
        if line[:1] in ("{", "["):
            return _wrapped(load(line), layout, depth + 1)
        if line:
            return [_event(layout, _tokens(line, layout))]
    elif isinstance(value, list) and depth < 4:
        events = [event for item in value for event in _wrapped(item, layout, depth + 1)]
        if events:
            return events
    elif isinstance(value, dict):
        named = {field_name(key): item for key, item in value.items()}
        if _NAMED & named.keys():
            return [_event(FlowFormat(tuple(named)), [_token(item) for item in named.values()])]
        inner = first(value, *_TEXTS, *_LISTS)
        if inner is not None and depth < 4:
            return _wrapped(inner, layout, depth + 1)
    raise RejectedLineError("missing_fields", "the JSON holds neither a flow log line nor its fields by name")
