"""Which shards may be read: parents are drained before their children are begun. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from probable_cause.sources.positions import Position

# A drained shard that is no longer listed is forgotten after this: one incomplete listing must not bring it back.
FORGET_AFTER_MS = 3_600_000


@dataclass(frozen=True)
class Shard:
    """A shard as ListShards gives it. `parents` has one id after a split, two after a merge."""

    id: str
    parents: tuple[str, ...] = ()
    closed: bool = False


def first_positions(listed: Collection[Shard], initial: str, at_ms: int) -> dict[str, Position]:
    """Positions of a new checkpoint. TRIM_HORIZON: the shards without a listed parent, the others follow by lineage.
    LATEST: the open shards from `at_ms` on, the closed ones as if read."""
    if initial == "LATEST":
        return {shard.id: Position(done=at_ms) if shard.closed else Position(at=at_ms) for shard in listed}
    ids = {shard.id for shard in listed}
    return {shard.id: Position() for shard in listed if not ids.intersection(shard.parents)}


def born(listed: Collection[Shard], tracked: Mapping[str, Position]) -> list[str]:
    """Shards that may be begun now: all their parents that are still known are drained."""
    ids = {shard.id for shard in listed}
    ready = []
    for shard in listed:
        known = [parent for parent in shard.parents if parent in ids or parent in tracked]
        drained = all(parent in tracked and tracked[parent].done is not None for parent in known)
        if shard.id not in tracked and known and drained:
            ready.append(shard.id)
    return ready


def orphans(listed: Collection[Shard], tracked: Mapping[str, Position]) -> list[str]:
    """Shards that no known shard is a parent of. After the first look there is one only if the whole history between
    is gone: its ancestors were removed before they were read."""
    ids = {shard.id for shard in listed}
    return [
        shard.id
        for shard in listed
        if shard.id not in tracked and not any(parent in ids or parent in tracked for parent in shard.parents)
    ]


def kept(listed: Collection[Shard], tracked: Mapping[str, Position], now_ms: int) -> dict[str, Position]:
    """`tracked` without the drained shards that AWS has removed and that no shard to come is a child of."""
    ids = {shard.id for shard in listed}
    needed = {parent for shard in listed if shard.id not in tracked for parent in shard.parents}
    return {
        shard: position
        for shard, position in tracked.items()
        if position.done is None or shard in ids or shard in needed or now_ms - position.done < FORGET_AFTER_MS
    }
