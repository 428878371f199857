"""What the keys of a log object can tell: worked out once for all objects that have the same keys.

Logs repeat a handful of shapes, and app_keys names some two hundred keys: looking for each in every object would cost
more than all other reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from probable_cause.families import app_keys as names

_LONGEST = 4096  # characters of keys that are worth remembering
_NOTES = {
    "service": names.SERVICE,
    "trace_id": names.TRACE_ID,
    "span_id": names.SPAN_ID,
    "request_id": names.REQUEST_ID,
    "thread": names.THREAD,
    **names.OTHER,
}
Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """Those of an object's keys that may tell a thing; the first with a value counts. `notes` are (field, keys)."""

    level: Keys
    time: Keys
    logger: Keys
    message: Keys
    client: Keys
    client_port: Keys
    upstream: Keys
    error_type: Keys
    error_text: Keys
    stack: Keys
    notes: tuple[tuple[str, Keys], ...]


def shape_of(keys: Iterable[str]) -> Shape:
    """The shape of an object with these keys, in lower case."""
    keys = tuple(keys)
    return _remembered(keys) if sum(map(len, keys)) <= _LONGEST else _shape(keys)


def _shape(keys: Keys) -> Shape:
    present = frozenset(keys)

    def of(wanted: list[str]) -> Keys:
        return tuple(key for key in wanted if key in present)

    return Shape(
        level=of(names.LEVEL),
        time=of(names.TIME),
        logger=of(names.LOGGER),
        message=of(names.MESSAGE),
        client=of(names.CLIENT),
        client_port=of(names.CLIENT_PORT),
        upstream=of(names.UPSTREAM),
        error_type=of(names.ERROR_TYPE),
        error_text=of(names.ERROR_TEXT),
        stack=of(names.STACK),
        notes=tuple((field, found) for field, wanted in _NOTES.items() if (found := of(wanted))),
    )


_remembered = lru_cache(maxsize=1024)(_shape)
