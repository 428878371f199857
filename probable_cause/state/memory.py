"""The tables in memory, with the same conditional writes: for `evaluate`, for trying rules, and for tests."""

from __future__ import annotations

import copy
import threading
from typing import Any

from probable_cause.state import tables
from probable_cause.state.tables import TableDefinition, Tables, Write


class MemoryTable:
    """A table of one process. `writes` counts the writes that were applied."""

    def __init__(self, definition: TableDefinition) -> None:
        self.definition = definition
        self.writes = 0
        self._items: dict[tuple[str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def _key(self, item: dict[str, Any]) -> tuple[str, str]:
        range_key = self.definition.range_key
        return item[self.definition.hash_key], item[range_key] if range_key else ""

    def query(self, hash_value: str, prefix: str = "", newest_first: bool = False) -> list[dict[str, Any]]:
        with self._lock:
            found = sorted((k, v) for k, v in self._items.items() if k[0] == hash_value and k[1].startswith(prefix))
            items = [copy.deepcopy(item) for _, item in found]
        return items[::-1] if newest_first else items

    def get(self, key: dict[str, str]) -> dict[str, Any] | None:
        with self._lock:
            return copy.deepcopy(self._items.get(self._key(key)))

    def scan(self) -> list[dict[str, Any]]:
        with self._lock:
            return [copy.deepcopy(item) for _, item in sorted(self._items.items())]

    def apply(self, write: Write) -> bool:
        with self._lock:
            current = self._items.get(self._key(write.key), {})
            if any(current.get(name) != value for name, value in write.expected.items()):
                return False
            if any(current.get(name) == value for name, value in write.excluded.items()):
                return False
            merged = {**current, **write.key, **copy.deepcopy(write.attributes)}
            self._items[self._key(write.key)] = {name: value for name, value in merged.items() if value is not None}
            self.writes += 1
            return True

    def delete(self, key: dict[str, str]) -> None:
        with self._lock:
            self._items.pop(self._key(key), None)


def memory_tables() -> Tables:
    """Four empty tables."""
    return Tables(*(MemoryTable(definition) for definition in tables.ALL))
