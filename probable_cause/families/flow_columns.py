"""Many flow log lines at once, column by column: Arrow's CSV reader splits them, whole columns are checked.

Only what is plain goes this way: text of printable ASCII with single blanks, as many tokens as the format has, every
value as the format says. All other lines are named and left to vpc_flow.parse, so that both ways give the same events
and the same reasons. A flow log is the bulk of an account's lines; one line at a time costs thirty times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from probable_cause.arrow_schema import TIMESTAMP
from probable_cause.families.blocks import Columns, fields_of
from probable_cause.families.flow_format import ACTIONS, COLUMNS, KNOWN, STATUSES, FlowFormat
from probable_cause.families.values import is_ip

_MILLISECONDS = 10**11  # as in vpc_flow: epoch numbers from here on are not seconds
_OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_IPV4 = rf"^{_OCTET}(?:\.{_OCTET}){{3}}$"
_NOT_PLAIN = bytes(number for number in range(32) if number != 10) + b"\x7f"
_JSON = ("{", "[", '"')  # a line may be wrapped in it
_QUOTES = tuple(mark.encode() for mark in _JSON)
# Starts of words that Arrow reads as numbers and we don't.
_ARROWS_OWN = (b"0x", b"0X", b"-0")
_FEWEST = 8  # below, splitting by hand is as fast


def parse_plain(messages: Sequence[str], layout: FlowFormat) -> tuple[Columns, np.ndarray, np.ndarray]:
    """(columns of schemas.PARSED as Arrow arrays, the line of each row, the lines that are left to be read one by one).
    Lines of both lists ascend."""
    lines = np.arange(len(messages))
    if layout.delimiter is not None or len(messages) < _FEWEST or len(set(layout.fields)) < len(layout.fields):
        return {}, lines[:0], lines
    text = "\n".join(messages).encode("utf-8", "replace")
    chosen = lines
    if text.count(b"\n") >= len(messages) or not _all_plain(text):
        plain = np.fromiter(map(_is_plain, messages), np.bool_, len(messages))
        chosen = lines[plain]
        if not len(chosen):
            return {}, chosen, lines
        text = "\n".join([messages[line] for line in chosen.tolist()]).encode()
    table, odd = _split(text, layout)
    if odd:
        chosen = np.delete(chosen, odd)
    columns, fits = _checked(table, layout)
    while fits is not None and len(chosen):  # a number is weighed only once all of its column are numbers
        chosen, table = chosen[fits], table.filter(pa.array(fits))
        columns, fits = _checked(table, layout)
    if not len(chosen):
        return {}, chosen, lines
    rest = lines[:0] if len(chosen) == len(lines) else np.setdiff1d(lines, chosen, assume_unique=True)
    return _events(columns, layout), chosen, rest


def _all_plain(text: bytes) -> bool:
    if not text.isascii() or len(text.translate(None, _NOT_PLAIN)) < len(text) or text[:1] in _QUOTES:
        return False
    if not text or text[:1] == b"\n" or text[-1:] == b"\n" or b"\n\n" in text:  # an empty line gives no row
        return False
    return not any(b"\n" + quote in text for quote in _QUOTES)


def _is_plain(message: str) -> bool:
    return message != "" and message.isascii() and message.isprintable() and not message.startswith(_JSON)


def _split(text: bytes, layout: FlowFormat) -> tuple[pa.Table, list[int]]:
    """(table with the columns 0, 1, ...; numbers of the lines that do not have as many tokens as the format).

    The numbers of flow logs are read as such, or as text, if one is none or is written as Arrow reads it and we don't.
    """
    odd: list[int] = []

    def skip(row: csv.InvalidRow) -> str:
        odd.append(row.number - 1)
        return "skip"

    names = [str(position) for position in range(len(layout.fields))]
    is_odd = any(b" " + mark in text or b"\n" + mark in text or text.startswith(mark) for mark in _ARROWS_OWN)
    numbers = pa.string() if is_odd else pa.int64()
    kinds = [COLUMNS.get(field, ("", "text", 0))[1] for field in layout.fields]
    for number in (numbers, pa.string()):
        types = [number if kind in ("number", "time") else pa.string() for kind in kinds]
        odd.clear()
        try:
            table = csv.read_csv(
                pa.py_buffer(text),
                read_options=csv.ReadOptions(
                    use_threads=False, column_names=names, block_size=max(1 << 20, len(text) + 1)
                ),
                parse_options=csv.ParseOptions(
                    delimiter=" ", quote_char=False, ignore_empty_lines=False, invalid_row_handler=skip
                ),
                convert_options=csv.ConvertOptions(
                    column_types=dict(zip(names, types, strict=True)), null_values=["-"], strings_can_be_null=True
                ),
            )
            break
        except pa.ArrowInvalid:
            if number == pa.string():
                raise
    return table, odd


def _checked(table: pa.Table, layout: FlowFormat) -> tuple[list[pa.Array], np.ndarray | None]:
    """(columns in their types, None) if every value is as the format says; else (anything, which lines are)."""
    columns: list[pa.Array] = []
    good: pa.Array | None = None
    for field, chunked in zip(layout.fields, table.columns, strict=True):
        column = chunked.chunk(0) if chunked.num_chunks == 1 else chunked.combine_chunks()
        _, kind, most = COLUMNS.get(field, ("", "text", 0))
        typed, fits = _CHECKS[kind](column, most)
        columns.append(typed)
        if fits is not None:
            good = fits if good is None else pc.and_(good, fits)
    return columns, None if good is None else good.to_numpy(zero_copy_only=False)


# Each check gives (the column in its type, None) or (anything, which values are as they should be).
def _text(column: pa.Array, _: int) -> tuple[pa.Array, pa.Array | None]:
    # An empty token is a double blank; a line of field names is a header.
    strange = pc.is_in(column, _NEVER_TEXT)
    return column, pc.invert(strange) if pc.any(strange).as_py() else None


def _number(column: pa.Array, most: int) -> tuple[pa.Array, pa.Array | None]:
    if pa.types.is_string(column.type):
        good = pc.fill_null(pc.match_substring_regex(column, "^[0-9]{1,18}$"), True)
        if not pc.all(good).as_py():
            return column, good
        column = pc.cast(column, pa.int64())
    ends = pc.min_max(column)
    least, greatest = ends["min"].as_py(), ends["max"].as_py()
    if least is not None and (least < 0 or greatest > most):
        fits = pc.and_(pc.greater_equal(column, 0), pc.less_equal(column, most))
        return column, pc.fill_null(fits, True)
    return column, None


def _time(column: pa.Array, _: int) -> tuple[pa.Array, pa.Array | None]:
    return _number(column, _MILLISECONDS - 1)


def _address(column: pa.Array, _: int) -> tuple[pa.Array, pa.Array | None]:
    good = pc.fill_null(pc.match_substring_regex(column, _IPV4), True)
    if not pc.all(good).as_py():
        others = pc.unique(column.filter(pc.invert(good))).to_pylist()
        known = pa.array([word for word in others if is_ip(word)], pa.string())
        good = pc.or_(good, pc.is_in(column, known))
        if not pc.all(good).as_py():
            return column, good
    return column, None


def _one_of(allowed: frozenset[str]) -> Callable[[pa.Array, int], tuple[pa.Array, pa.Array | None]]:
    words = pa.array([*sorted(allowed), None], pa.string())

    def check(column: pa.Array, _: int) -> tuple[pa.Array, pa.Array | None]:
        good = pc.is_in(column, words)
        return column, None if pc.all(good).as_py() else good

    return check


_NEVER_TEXT = pa.array(["", *sorted(KNOWN)], pa.string())
_CHECKS: dict[str, Callable[[pa.Array, int], tuple[pa.Array, pa.Array | None]]] = {
    "text": _text,
    "number": _number,
    "time": _time,
    "address": _address,
    "action": _one_of(ACTIONS),
    "status": _one_of(STATUSES),
}


def _events(columns: list[pa.Array], layout: FlowFormat) -> Columns:
    events: Columns = {}
    others: list[tuple[str, pa.Array]] = []
    status = None
    for field, column in zip(layout.fields, columns, strict=True):
        name, kind, _ = COLUMNS.get(field, ("", "text", 0))
        if kind == "status":
            status = column
        if name and kind != "status":
            events[name] = column
        else:
            others.append((field.replace("-", "_"), column))
    times = [events[name] for name in ("start", "end") if name in events]
    if times:
        events["event_time"] = pc.multiply(pc.coalesce(*times), 1_000_000).cast(TIMESTAMP)
    outcome = events["action"] if "action" in events else pa.nulls(len(columns[0]), pa.string())
    if status is not None:
        outcome = pc.if_else(pc.is_in(status, pa.array(["NODATA", "SKIPDATA"])), status, outcome)
    events["outcome"] = pc.ascii_lower(outcome)
    events["fields"] = fields_of(others, len(columns[0]))
    return events
