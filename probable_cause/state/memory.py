"""The tables in memory, with the same conditional writes: for `evaluate`, for trying rules, and for tests."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Sequence
from typing import Any

from probable_cause.state import tables
from probable_cause.state.tables import TableDefinition, Tables, Write


class MemoryTable:
    """A table of one process. `writes` counts the writes that were applied."""

    def __init__(self, definition: TableDefinition) -> None:
        self.definition = definition
        self.writes = 0
        # By hash and range key; an item is kept as bytes, so that nobody can change it from outside.
        self._items: dict[str, dict[str, bytes]] = {}
        self._lock = threading.Lock()

    def _key(self, item: dict[str, Any]) -> tuple[str, str]:
        range_key = self.definition.range_key
        return item[self.definition.hash_key], item[range_key] if range_key else ""

    def query(self, hash_value: str, prefix: str = "", newest_first: bool = False) -> list[dict[str, Any]]:
        with self._lock:
            items = self._items.get(hash_value, {})
            keys = sorted((key for key in items if key.startswith(prefix)), reverse=newest_first)
            return [_read(items[key]) for key in keys]

    def get(self, key: dict[str, str]) -> dict[str, Any] | None:
        with self._lock:
            return self._get(*self._key(key))

    def get_all(self, keys: Sequence[dict[str, str]]) -> list[dict[str, Any] | None]:
        with self._lock:
            return [self._get(*self._key(key)) for key in keys]

    def _get(self, hash_value: str, range_value: str) -> dict[str, Any] | None:
        item = self._items.get(hash_value, {}).get(range_value)
        return None if item is None else _read(item)

    def scan(self) -> list[dict[str, Any]]:
        with self._lock:
            return [_read(items[key]) for _, items in sorted(self._items.items()) for key in sorted(items)]

    def apply(self, write: Write) -> bool:
        with self._lock:
            hash_value, range_value = self._key(write.key)
            current = self._get(hash_value, range_value) or {}
            if any(current.get(name) != value for name, value in write.expected.items()):
                return False
            if any(current.get(name) == value for name, value in write.excluded.items()):
                return False
            merged = {**({} if write.whole else current), **write.key, **write.attributes}
            item = pickle.dumps({name: value for name, value in merged.items() if value is not None})
            self._items.setdefault(hash_value, {})[range_value] = item
            self.writes += 1
            return True

    def delete(self, key: dict[str, str]) -> None:
        with self._lock:
            hash_value, range_value = self._key(key)
            self._items.get(hash_value, {}).pop(range_value, None)


def _read(item: bytes) -> dict[str, Any]:
    read: dict[str, Any] = pickle.loads(item)  # noqa: S301 - what apply() wrote
    return read


def memory_tables() -> Tables:
    """Four empty tables."""
    return Tables(*(MemoryTable(definition) for definition in tables.ALL))
