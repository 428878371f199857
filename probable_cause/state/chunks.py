"""Reads the chunks of events that items have listed (identity.py). A chunk never changes, so what was read is kept."""

from __future__ import annotations

import struct
import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from probable_cause.state.event_item import Repeats, Stored
from probable_cause.state.identity import chunk_key, covering, second
from probable_cause.state.tables import Table

MOST_KEPT = 2_000_000  # hashes, of 8 bytes


class Chunks:
    """Of one events table. Safe to use from several threads; forgets the chunks that were not asked for longest."""

    def __init__(self, events: Table, most: int = MOST_KEPT) -> None:
        self._events, self._most = events, most
        self._kept: OrderedDict[int, array[int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def counted(self, existing: Sequence[Stored], repeats: Repeats) -> set[int]:
        """Hashes of those of `repeats` that a chunk of `existing` holds. No read where all of them are news."""
        known = set().union(*(one.seen.hashes() for one in existing))
        # By its own id and, where it has one, by that of the other way on which it may have come.
        asked = {event_id: second(at) for at, *ids in repeats.occurrences for event_id in {ids[0], ids[-1]} - known}
        found: set[int] = set()
        for stored in existing:
            for chunk in covering(stored.seen, asked.values()):
                content = self._content(stored.event.application_id, stored.event.event_key, chunk.digest)
                within = (one for one, at in asked.items() if chunk.first <= at <= chunk.last)
                found |= _held(content, within)
        return found

    def _content(self, application_id: str, event_key: str, digest: int) -> array[int]:
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
                return self._kept[digest]
        # A chunk past its time may be gone: then nothing is known of its events any more.
        packed = (self._events.get(chunk_key(application_id, event_key, digest)) or {}).get("Ids", b"")
        content = array("q", struct.unpack(f">{len(packed) // 8}q", packed))
        with self._lock:
            if digest not in self._kept:
                self._kept[digest] = content
                self._size += len(content)
            while self._size > self._most and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])
        return content


def _held(content: array[int], wanted: Iterable[int]) -> set[int]:
    found = set()
    for one in wanted:
        place = bisect_left(content, one)
        if place < len(content) and content[place] == one:
            found.add(one)
    return found
