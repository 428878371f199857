"""JSON objects and logfmt pairs of application lines, many at once: the plain ones, by the keys that they have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from probable_cause.arrow_schema import TIMESTAMP
from probable_cause.families import app_keys
from probable_cause.families.app_json import time_of, word_of
from probable_cause.families.app_levels import DEBUG, INFO, TRACE, level_of
from probable_cause.families.app_plain import FEWEST, TELLING, tells
from probable_cause.families.app_shape import Keys, Shape, shape_of
from probable_cause.families.blocks import Block, distinct, fields_of, joined

# logfmt: a value, and a line without its values. Its first key in lower case: services' own lines start with others.
_VALUE = r'(?:"[^"]*"|[^ "]*)'
_PAIRS = re.compile(r"[a-z][\w.@/-]*=(?: [A-Za-z_@][\w.@/-]*=){1,63}", re.ASCII)
# What objects with these keys say depends on more than one of them.
_OTHER_KEYS = frozenset({"type", "rcode", "resourcelogs"})
_BUNYAN = frozenset({"hostname", "v"})
_QUIET = frozenset({TRACE, DEBUG, INFO})

Rows = list[tuple[int, dict[str, Any], str]]  # line, object, its text
Values = Any  # of one key: a sequence, or an Arrow array


def read_json_lines(text: pa.Array, lines: np.ndarray) -> Block:
    """As app_json.read_values() and what follows, for objects of the same keys at once."""
    rows: Rows = []
    for line, record in zip(lines.tolist(), text.to_pylist(), strict=True):
        try:
            rows.append((line, orjson.loads(record), record))
        except orjson.JSONDecodeError:
            continue
    return _objects(rows)


def read_logfmt_lines(text: pa.Array, lines: np.ndarray) -> Block:
    """As app_logfmt.read_logfmt() and what follows, for texts of the same keys at once."""
    blocks = []
    shapes = pc.replace_substring_regex(text, f"={_VALUE}", "=").dictionary_encode()
    members = np.argsort(shapes.indices.to_numpy(), kind="stable")
    counts = np.bincount(shapes.indices.to_numpy(), minlength=len(shapes.dictionary))
    for chosen, form in zip(np.split(members, np.cumsum(counts)[:-1]), shapes.dictionary.to_pylist(), strict=True):
        if len(chosen) >= FEWEST and _PAIRS.fullmatch(form):
            blocks.append(_of_pairs(text.take(pa.array(chosen)), lines[chosen], form[:-1].split("= ")))
    return joined(blocks)


def _of_pairs(text: pa.Array, lines: np.ndarray, keys: list[str]) -> Block:
    lowered = [key.lower() for key in keys]
    shape = shape_of(lowered)
    if len(set(lowered)) < len(keys) or not _is_plain(frozenset(lowered), shape):
        return Block({}, [])
    pairs = (f"{re.escape(key)}=(?P<v{number}>{_VALUE})" for number, key in enumerate(keys))
    found = pc.extract_regex(text, f"^{' '.join(pairs)}$")
    values = [pc.utf8_trim(pc.struct_field(found, f"v{number}"), '"') for number in range(len(keys))]
    parts = [part for key, value in zip(keys, values, strict=True) for part in (f'","{key}":"', value)]
    record = pc.binary_join_element_wise('{"' + parts[0][3:], *parts[1:], '"}', "")  # plain text needs no escapes
    return _of_shape(shape, dict(zip(lowered, values, strict=True)), lines, record)


def _objects(rows: Rows) -> Block:
    """The events of objects that are plain, shape by shape."""
    shapes: dict[tuple[str, ...], Rows] = {}
    for row in rows:
        shapes.setdefault(tuple(row[1]), []).append(row)
    blocks = []
    for keys, members in shapes.items():
        lowered = [key.lower() for key in keys]
        shape = shape_of(lowered)
        if len(members) < FEWEST or len(set(lowered)) < len(keys) or not _is_plain(frozenset(lowered), shape):
            continue
        lines, objects, records = zip(*members, strict=True)
        values = dict(zip(lowered, zip(*map(dict.values, objects), strict=True), strict=True))
        if not any(dict in set(map(type, values[key])) for key in app_keys.NESTED.intersection(lowered)):
            blocks.append(_of_shape(shape, values, np.array(lines), pa.array(records, pa.string())))
    return joined(blocks)


def _is_plain(keys: frozenset[str], shape: Shape) -> bool:
    """Whether an object with these keys tells its level and message and nothing of an error, a client or more."""
    says_more = shape.client or shape.upstream or shape.error_text or shape.stack
    return (
        bool(shape.level and shape.message) and not says_more and keys.isdisjoint(_OTHER_KEYS) and not keys >= _BUNYAN
    )


def _of_shape(shape: Shape, values: Mapping[str, Values], lines: np.ndarray, record: pa.Array) -> Block:
    """The events of objects of one shape, without those that are not plain."""
    columns = {
        "level": _each(_quiet_level, values[shape.level[0]], pa.string()),
        "message": _each(_text, values[shape.message[0]], pa.string()),
        "record": record,
    }
    notes = {}
    plain = columns["level"].is_valid().to_numpy(zero_copy_only=False) & ~tells(columns["message"], TELLING)

    def first(keys: Keys, function: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
        """What the first of the keys says. Where it says nothing another might: such an object is not plain."""
        nonlocal plain
        found = _each(function, values[keys[0]], kind)
        if len(keys) > 1:
            plain = plain & found.is_valid().to_numpy(zero_copy_only=False)
        return found

    if shape.logger:
        columns["logger"] = first(shape.logger, word_of, pa.string())
    if shape.time:
        columns["event_time"] = first(shape.time, time_of, TIMESTAMP)
    for field, keys in shape.notes:
        notes[field] = first(keys, _number if field == "status" else word_of, pa.string())
    columns["fields"] = fields_of(list(notes.items()), len(lines))
    chosen = np.flatnonzero(plain)
    return Block({name: column.take(pa.array(chosen)) for name, column in columns.items()}, lines[chosen].tolist())


def _each(function: Callable[[Any], Any], values: Values, kind: pa.DataType) -> pa.Array:
    """function(value) of each value."""
    if isinstance(values, pa.Array):
        return distinct(values, function, kind)
    if set(map(type, values)) == {str}:
        return distinct(pa.array(values, pa.string()), function, kind)
    return pa.array([function(value) for value in values], kind)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> str | None:
    word = word_of(value)
    return word if word and word.isdigit() else None


def _quiet_level(value: Any) -> str | None:
    level = level_of(value) if isinstance(value, str) and value.isalpha() else None
    return level if level in _QUIET else None
