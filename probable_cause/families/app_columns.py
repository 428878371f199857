"""Many application lines at once, column by column: the everyday lines of the common dialects.

Only what is plain goes this way: printable ASCII of a quiet level, whose message names no address, resource or
trace and holds no line within the line. What such a line says is in its header, or under the keys of its object, and
patterns over all lines find it at a fraction of the cost. Other lines are named and left to application.parse, so that
both ways give the same events; tests/unit/families/test_app_columns.py holds that over every line the project knows.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from probable_cause.arrow_schema import TIMESTAMP
from probable_cause.families.app_access import request_time
from probable_cause.families.app_levels import of_status
from probable_cause.families.app_object_columns import read_json_lines, read_logfmt_lines
from probable_cause.families.app_plain import FEWEST, NAMING, TELLING, tells, tidy
from probable_cause.families.blocks import Block, distinct, fields_of
from probable_cause.families.values import iso_time

_AT = r"(?P<at>[1-9]\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?)"
_LEVEL = r"(?P<level>INFO|DEBUG|TRACE)"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
# Each is one of app_dialects.DIALECTS behind an ISO time, narrowed to what no other of them reads.
_DIALECTS = (
    # log4j, logback: date INFO  [thread] logger - message
    rf"^{_AT} +{_LEVEL} +\[(?P<thread>[^\]]*)\] +(?P<logger>[A-Za-z_][\w.$-]*) +- +(?P<message>.*)$",
    # Spring Boot: date INFO 1 --- [thread] logger : message
    rf"^{_AT} +{_LEVEL} +(?P<pid>\d+) --- +\[(?P<thread>[^\]]*)\] +(?P<logger>[A-Za-z_][\w.$-]*) +: (?P<message>.*)$",
    # Python's logging: date - logger - INFO - message
    rf"^{_AT} - (?P<logger>[A-Za-z_][\w.]*) - {_LEVEL} - (?P<message>.*)$",
)
# app_access's common and combined logs, answered well
_ACCESS = (
    rf"^(?P<client>{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}) -(?P<rest> [^ \[]+ "
    r"\[(?P<at>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r"\"(?P<request>[^\"]*)\" (?P<status>[123]\d\d) (?P<size>\d+|-).*)$"
)


def parse_plain(messages: Sequence[str]) -> tuple[list[Block], np.ndarray]:
    """(blocks of the events of plain lines, the lines that are left to be read one by one)."""
    lines = np.arange(len(messages))
    if len(messages) < FEWEST:
        return [], lines
    text = _texts(messages)
    left, first = tidy(text)
    rest = np.ones(len(messages), np.bool_)
    blocks = []
    for starts, read in _READERS:
        chosen = np.flatnonzero(left & np.isin(first, starts))
        if len(chosen):
            block = read(text.take(pa.array(chosen)), chosen)
            blocks.append(block)
            left[block.lines] = rest[block.lines] = False
    return blocks, lines[rest]


def _texts(messages: Sequence[str]) -> pa.Array:
    try:
        return pa.array(messages, pa.string())
    except UnicodeEncodeError:  # a lone surrogate: not plain
        return pa.array([message if message.isascii() else "" for message in messages], pa.string())


def _iso_times(words: pa.Array) -> pa.Array:
    """values.iso_time() of each; Arrow reads them all at once where they are dates that exist."""
    try:
        return pc.replace_substring(words, ",", ".").cast(pa.timestamp("us")).cast(TIMESTAMP)
    except pa.ArrowInvalid:
        return distinct(words, iso_time, TIMESTAMP)


# -- text --------------------------------------------------------------------------------------------------------------


def _fitting(
    text: pa.Array, lines: np.ndarray, pattern: str, group: str, telling: str
) -> tuple[dict[str, pa.Array], np.ndarray]:
    """(groups, lines) of the texts that the pattern fits and whose `group` does not hold `telling`."""
    found = pc.extract_regex(text, pattern)
    fits = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    chosen = fits[~tells(pc.struct_field(found, group).take(pa.array(fits)), telling)]
    kept = found.take(pa.array(chosen))
    groups = {field.name: pc.struct_field(kept, field.name) for field in found.type}
    return groups | {"text": text.take(pa.array(chosen))}, lines[chosen]


def _dialect(text: pa.Array, lines: np.ndarray, pattern: str) -> Block:
    groups, lines = _fitting(text, lines, pattern, "message", TELLING)
    others = [(name, _unless(pc.utf8_trim(groups[name], " "), "")) for name in ("thread", "pid") if name in groups]
    columns = {
        "event_time": _iso_times(groups["at"]),
        "level": groups["level"],
        "logger": groups["logger"],
        "message": groups["message"],
        "fields": fields_of(others, len(lines)),
    }
    return Block(columns, lines.tolist())


def _access(text: pa.Array, lines: np.ndarray) -> Block:
    groups, lines = _fitting(text, lines, _ACCESS, "rest", NAMING)
    others = [
        ("status", groups["status"]),
        ("request", _unless(groups["request"], "")),
        ("size", _unless(groups["size"], "-")),
        ("addresses", groups["client"]),
    ]
    columns = {
        "event_time": distinct(groups["at"], request_time, TIMESTAMP),
        "level": distinct(groups["status"], lambda status: of_status(int(status)), pa.string()),
        "message": groups["text"],
        "source_ip": groups["client"],
        "fields": fields_of(others, len(lines)),
    }
    return Block(columns, lines.tolist())


def _unless(words: pa.Array, nothing: str) -> pa.Array:
    return pc.if_else(pc.equal(words, nothing), pa.scalar(None, pa.string()), words)


# The first bytes of a reader's lines, and the reader: (texts, lines) -> block.
_DIGITS = np.frombuffer(b"0123456789", np.uint8)
_READERS: tuple[tuple[np.ndarray, Callable[[pa.Array, np.ndarray], Block]], ...] = (
    (np.frombuffer(b"{", np.uint8), read_json_lines),
    (np.frombuffer(string.ascii_lowercase.encode(), np.uint8), read_logfmt_lines),
    (_DIGITS, _access),
    *((_DIGITS, partial(_dialect, pattern=pattern)) for pattern in _DIALECTS),
)
