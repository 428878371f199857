"""Blocks of events as columns: what the readers of many lines at once give, and how blocks become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from probable_cause.arrow_schema import arrow_schema
from probable_cause.schemas import PARSED

Columns = dict[str, Any]  # column of schemas.PARSED -> list or Arrow array, all of one length


@dataclass(frozen=True)
class Block:
    """Events as columns, those that no event has left out; `lines` names the line of each event."""

    columns: Columns
    lines: list[int]


def joined(blocks: Sequence[Block]) -> Block:
    """The blocks, one below the other."""
    blocks = [block for block in blocks if block.lines]
    if len(blocks) < 2:
        return blocks[0] if blocks else Block({}, [])
    columns: Columns = {}
    for column in arrow_schema(PARSED):
        if any(column.name in block.columns for block in blocks):
            columns[column.name] = pa.concat_arrays(
                [
                    pa.array(block.columns[column.name], column.type).cast(column.type)
                    if column.name in block.columns
                    else pa.nulls(len(block.lines), column.type)
                    for block in blocks
                ]
            )
    return Block(columns, [line for block in blocks for line in block.lines])


def distinct(column: pa.Array, function: Callable[[Any], Any], kind: pa.DataType) -> pa.Array:
    """function(value) of each value, called once for each that is different."""
    words = column.dictionary_encode()
    return pa.array([function(word) for word in words.dictionary.to_pylist()], kind).take(words.indices)


def fields_of(others: Sequence[tuple[str, pa.Array]], rows: int) -> pa.Array:
    """The column `fields` of (name, texts) of their own names: an entry for each text that is not null."""
    kind = pa.map_(pa.string(), pa.string())
    if not others:
        none = pa.array([], pa.string())
        return pa.MapArray.from_arrays(pa.array(np.zeros(rows + 1, np.int32)), none, none)
    width = len(others)
    # Value of column c in row r stands at c * rows + r; the map wants them row by row.
    order = np.arange(rows * width).reshape(width, rows).T.ravel()
    values = pa.concat_arrays([column for _, column in others]).take(pa.array(order))
    keys = pa.DictionaryArray.from_arrays(
        pa.array(np.tile(np.arange(width, dtype=np.int32), rows)), pa.array([name for name, _ in others], pa.string())
    ).dictionary_decode()
    counts = np.full(rows, width)
    if values.null_count:
        present = values.is_valid()
        counts = present.to_numpy(zero_copy_only=False).reshape(rows, width).sum(axis=1)
        values, keys = values.filter(present), keys.filter(present)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.MapArray.from_arrays(pa.array(offsets), keys, values).cast(kind)
