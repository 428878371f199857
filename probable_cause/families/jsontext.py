"""JSON text as logs hold it -> values. orjson reads what is well formed; a slower reader takes what producers really
write: single control characters in strings, lone surrogates, NaN, several values in one line, a byte order mark."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from probable_cause.errors import RejectedLineError

_BLANK = " \t\r\n\0\ufeff"
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_MAX_VALUES = 10_000  # values in one line; each Records[] array counts as one


def load(line: str) -> Any:
    """The JSON value of a line; a list of them, if the line holds several.

    Raises:
        RejectedLineError: empty_line, not_json, truncated_json.
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        pass
    line = line.strip(_BLANK).rstrip(",").rstrip(_BLANK)
    if not line:
        raise RejectedLineError("empty_line", "the line is blank")
    values = list(_values(line))
    return values[0] if len(values) == 1 else values


def try_load(line: str) -> Any:
    """As load(), None for what is no JSON."""
    try:
        return load(line)
    except RejectedLineError:
        return None


def _values(line: str) -> list[Any]:
    if line[0] not in '{["':
        raise RejectedLineError("not_json", f"starts with {line[:20]!r}, JSON starts with a brace")
    decoder = json.JSONDecoder(strict=False, parse_constant=lambda _: None)
    values: list[Any] = []
    at = 0
    while at < len(line):
        try:
            value, at = decoder.raw_decode(line, at)
        except RecursionError as fault:
            raise RejectedLineError("not_json", "nested too deeply") from fault
        except ValueError as fault:
            raise _fault(line, fault) from fault
        values.append(_clean(value))
        while at < len(line) and line[at] in _BLANK:
            at += 1
        if len(values) > _MAX_VALUES:
            raise RejectedLineError("not_json", f"more than {_MAX_VALUES} values in one line")
    return values


def _fault(line: str, fault: ValueError) -> RejectedLineError:
    """Why the line is no JSON. Text that ends before its braces are closed was cut on its way."""
    if _is_open(line):
        return RejectedLineError("truncated_json", f"the text ends inside the JSON, after {len(line)} characters")
    return RejectedLineError("not_json", str(fault)[:200])


def _is_open(line: str) -> bool:
    """Whether a string, object or list is still open at the end of the text."""
    rest = _STRING.sub("", line)
    return '"' in rest or rest.count("{") + rest.count("[") > rest.count("}") + rest.count("]")


def _clean(value: Any) -> Any:
    """The value without lone surrogates, which can't be written as UTF-8, and without what JSON can't hold."""
    try:
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as fault:
        raise RejectedLineError("not_json", f"holds what JSON can't: {fault}"[:200]) from fault
