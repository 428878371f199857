"""What is plain about application lines that are read together, and what tells of more: over whole columns of text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

FEWEST = 32  # lines of one kind; fewer are read as fast one by one
_BLANK, _TILDE, _BACKSLASH = b" ~\\"
_LONGEST = 4000  # characters of a line: the readers of single lines look for headers in as many
# What text may name: addresses (also of peers), resources, traces.
NAMING = r"(?i)trace|arn:aws|-[0-9a-f]{8}|[0-9](?:\.[0-9]+){3}|::|(?:[0-9a-f]*:){7}"
# ... and a message: a request, an object, another header.
TELLING = rf"{NAMING}|^[\"{{ ]|^[0-9.]+:[0-9]|[}} ]$|^$"
_VERSION = r"\b[A-Z][A-Za-z]{0,19}/[0-9.]+"  # of a browser: four numbers with dots, but no address


def tidy(text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """(which texts are one line of printable ASCII without escapes and blanks around, first byte of each)."""
    _, offsets, data = text.buffers()
    ends = np.frombuffer(offsets, np.int32)[: len(text) + 1]
    marks = np.frombuffer(data, np.uint8)[: ends[-1]] if data else np.zeros(0, np.uint8)
    filled = (ends[1:] > ends[:-1]) & (ends[1:] - ends[:-1] <= _LONGEST)
    first, last = np.zeros(len(text), np.uint8), np.zeros(len(text), np.uint8)
    first[filled], last[filled] = marks[ends[:-1][filled]], marks[ends[1:][filled] - 1]
    good = filled & (first != _BLANK) & (last != _BLANK)
    odd = np.flatnonzero((marks < _BLANK) | (marks > _TILDE) | (marks == _BACKSLASH))
    good[np.searchsorted(ends, odd, "right") - 1] = False
    return good, first


def tells(text: pa.Array, pattern: str) -> np.ndarray:
    """Whether the pattern is in the texts, apart from versions of programs."""
    found: np.ndarray = pc.match_substring_regex(text, pattern).fill_null(True).to_numpy(zero_copy_only=False).copy()
    some = np.flatnonzero(found)
    if len(some):
        rest = pc.replace_substring_regex(text.take(pa.array(some)), _VERSION, "/")
        found[some] = pc.match_substring_regex(rest, pattern).fill_null(True).to_numpy(zero_copy_only=False)
    return found
