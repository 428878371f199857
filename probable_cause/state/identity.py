"""Which log events a cause has counted already, so that one delivered again counts once (I1 of the design contract).

Every item remembers the newest of its events itself: time and hash, written with the count in one conditional write.
What no longer fits goes into chunks: items of their own, of hashes only, that never change. The item lists its chunks
with the span of event time that each covers. An event that comes back has the same time, so only a chunk that covers
it can hold it; new events are younger than all chunks and cost no read.

    in the item   SeenEvents  12 bytes an event: epoch seconds, hash
                  SeenChunks  16 bytes a chunk: first and last second, digest of its content
    in a chunk    Ids         8 bytes an event: hashes, ascending

A chunk is named after its content and written before the item that lists it: a crash between the two leaves a chunk
that nobody lists, and two drivers that race can't exchange each other's. Standard library only; no clock.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from probable_cause.state import tables
from probable_cause.state.tables import Write

DAY = 86_400.0
MOST_CHUNKS = 1024  # of one item: 16 KiB of it
MOST_IDS = 32_000  # of one chunk: 256 KB of an item's 400
_PREFIX = "(seen) "  # no application: AWS tags and log groups can't give this name to one
_LAST_SECOND = 2**32 - 1


class Chunk(NamedTuple):
    """`first` and `last` are epoch seconds; `digest` names the content."""

    first: int
    last: int
    digest: int


@dataclass(frozen=True)
class Seen:
    """What one item remembers: (epoch seconds, hash) of its newest events, ascending, and its chunks, oldest first."""

    events: tuple[tuple[int, int], ...] = ()
    chunks: tuple[Chunk, ...] = ()

    def hashes(self) -> set[int]:
        """Of the events that are remembered in the item itself."""
        return {one for _, one in self.events}


def second(millis: int) -> int:
    """The second of an event's time, as it is remembered: years that four bytes can't hold share the first or last."""
    return min(max(millis // 1000, 0), _LAST_SECOND)


def covering(seen: Seen, seconds: Iterable[int]) -> list[Chunk]:
    """The chunks that may hold an event of one of `seconds`."""
    asked = sorted(set(seconds))
    found = []
    for chunk in seen.chunks:
        place = bisect_left(asked, chunk.first)
        if place < len(asked) and asked[place] <= chunk.last:
            found.append(chunk)
    return found


def remember(
    seen: Seen, new: Iterable[tuple[int, int]], most: int, horizon: float
) -> tuple[Seen, list[tuple[Chunk, bytes]]]:
    """`seen` with `new` (epoch seconds, hash), and the content of the chunks that this makes.

    Args:
        most: how many events the item itself may remember; above that it keeps the newest half.
        horizon: seconds of event time, counted back from the newest event, for which chunks are listed.
    """
    events = sorted((*seen.events, *new))
    made = []
    if len(events) > most:
        keep = most // 2
        for start in range(0, len(events) - keep, MOST_IDS):
            part = events[start : min(start + MOST_IDS, len(events) - keep)]
            content = array("q", sorted(one for _, one in part))
            packed = struct.pack(f">{len(content)}q", *content)
            digest = int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest())
            made.append((Chunk(part[0][0], part[-1][0], digest), packed))
        events = events[len(events) - keep :]
    newest = events[-1][0] if events else 0
    listed = [one for one in (*seen.chunks, *(chunk for chunk, _ in made)) if one.last >= newest - horizon]
    return Seen(tuple(events), tuple(listed[-MOST_CHUNKS:])), made


def chunk_key(application_id: str, event_key: str, digest: int) -> dict[str, str]:
    """Where a chunk lies: in the events table, beside the applications' own items."""
    return {"ApplicationId": f"{_PREFIX}{application_id}", "EventKey": f"{event_key}#{digest:016x}"}


def chunk_write(application_id: str, event_key: str, chunk: Chunk, content: bytes, expires_at: int) -> Write:
    """Writes a chunk; again and again if need be, it is always the same.

    Args:
        expires_at: epoch seconds after which the table may drop it.
    """
    key = chunk_key(application_id, event_key, chunk.digest)
    return Write(key, {"Ids": content, tables.EXPIRES_AT: expires_at}, whole=True)


def is_chunk(item: Mapping[str, Any]) -> bool:
    """Whether an item of the events table is no event of interest but a chunk."""
    return str(item["ApplicationId"]).startswith(_PREFIX)


def to_attributes(seen: Seen) -> dict[str, Any]:
    """The attributes of the item; an attribute that a version before wrote is taken away."""
    events = b"".join(struct.pack(">Iq", *one) for one in seen.events)
    chunks = b"".join(struct.pack(">IIQ", *one) for one in seen.chunks)
    return {"SeenEvents": events or None, "SeenChunks": chunks or None, "SeenEventIds": None}


def from_attributes(item: Mapping[str, Any], last_seen: int) -> Seen:
    """Of an item, also one that a version before wrote, which kept hashes alone.

    Args:
        last_seen: epoch seconds, taken as the time of hashes that have none.
    """
    old = item.get("SeenEventIds", b"")
    events = [(last_seen, one) for (one,) in struct.iter_unpack(">q", old)]
    events += struct.iter_unpack(">Iq", item.get("SeenEvents", b""))
    chunks = tuple(Chunk(*one) for one in struct.iter_unpack(">IIQ", item.get("SeenChunks", b"")))
    return Seen(tuple(events), chunks)
