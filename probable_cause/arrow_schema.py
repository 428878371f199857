"""Spark DDL -> Arrow schema, without Spark: UTC timestamps of microseconds, every column nullable."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")
_SIMPLE = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "binary": pa.binary(),
    "timestamp": TIMESTAMP,
}


@cache
def arrow_schema(ddl: str) -> pa.Schema:
    """The Arrow schema of a DDL string of schemas.py.

    Raises:
        KeyError: the DDL names a type that this job does not use.
    """
    return pa.schema([pa.field(*column) for column in _fields(ddl, " ")])


def _fields(ddl: str, separator: str) -> Iterator[tuple[str, pa.DataType]]:
    for column in _split(ddl):
        name, _, kind = column.strip().partition(separator)
        yield name.strip(), _arrow_type(kind.strip())


def _arrow_type(kind: str) -> pa.DataType:
    head, _, inner = kind.partition("<")
    inner = inner[:-1]
    if head == "array":
        return pa.list_(_arrow_type(inner))
    if head == "map":
        key, value = _split(inner)
        return pa.map_(_arrow_type(key.strip()), _arrow_type(value.strip()))
    if head == "struct":
        return pa.struct([pa.field(*column) for column in _fields(inner, ":")])
    return _SIMPLE[head]


def _split(text: str) -> list[str]:
    """Parts between the commas that no `<...>` encloses."""
    parts, depth = [""], 0
    for char in text:
        depth += (char == "<") - (char == ">")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts
