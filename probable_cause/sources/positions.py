"""Where the reading of a stream stands, as it lies in Spark's offset log. Pure values; no AWS, no Spark.

An offset is one line of JSON:

    {"v": 1, "stream": "logs", "created": 1795549000000, "retention_hours": 24,
     "shards": {"shardId-000000000000": {"p": "4965...", "t": 1795549022082},
                "shardId-000000000001": {"done": 1795549010000}}}

`p` is the sequence number of the last record taken, `t` (epoch ms) says up to when the shard's records are taken, `at`
(epoch ms) stands for a shard that is read from a time on, and `done` (epoch ms) for a closed shard that is read to its
end. The first offset of a new checkpoint is `{"v": 1, "stream": "logs", "initial": "TRIM_HORIZON"}`: it must be the
same at every start, because Spark logs the end of the first batch but not its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from probable_cause.errors import SourceError

VERSION = 1


@dataclass(frozen=True)
class Position:
    """Where one shard stands. All None: before its oldest record (TRIM_HORIZON)."""

    seq: str | None = None  # the last record taken
    at: int | None = None  # epoch ms: nothing taken yet, begin with what arrived from then on
    covered: int | None = None  # epoch ms: what arrived before is taken
    done: int | None = None  # epoch ms at which the end of a closed shard was found

    def to_json(self) -> dict[str, Any]:
        pairs = {"at": self.at, "done": self.done, "p": self.seq, "t": self.covered}
        return {key: value for key, value in pairs.items() if value is not None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Position:
        return cls(value.get("p"), value.get("at"), value.get("t"), value.get("done"))

    def moved_from(self, earlier: Position | None) -> bool:
        """Whether a batch is needed to come here."""
        before = earlier or Position()
        return (self.seq, self.done is None, self.at) != (before.seq, before.done is None, before.at)


@dataclass(frozen=True)
class Offset:
    """Where the stream stands. `initial` is set, and nothing else known, before the first look at the stream."""

    stream: str
    initial: str | None = None
    created: int | None = None  # epoch ms of the stream's creation: a stream made anew has other records
    retention_hours: int = 24
    shards: Mapping[str, Position] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Keys in a fixed order: Spark compares offsets as text, another order would be an endless row of batches."""
        if self.initial:
            return {"v": VERSION, "stream": self.stream, "initial": self.initial}
        return {
            "v": VERSION,
            "stream": self.stream,
            "created": self.created,
            "retention_hours": self.retention_hours,
            "shards": {shard: self.shards[shard].to_json() for shard in sorted(self.shards)},
        }

    @classmethod
    def from_json(cls, value: Any, stream: str) -> Offset:
        """An offset out of the checkpoint.

        Raises:
            SourceError: it was written by something else, or for another stream than `stream`.
        """
        if not isinstance(value, dict) or value.get("v") != VERSION:
            raise SourceError(
                f"The checkpoint's offset is {value!r:.200}, not one of this source in version {VERSION}. "
                "Give the job a new checkpoint folder, or start the version that wrote this one."
            )
        if value.get("stream") != stream:
            raise SourceError(
                f"The checkpoint belongs to stream {value.get('stream')!r}, the job reads {stream!r}. "
                "Set stream.name back, or give the job a new checkpoint folder."
            )
        shards = {shard: Position.from_json(position) for shard, position in value.get("shards", {}).items()}
        return cls(stream, value.get("initial"), value.get("created"), value.get("retention_hours", 24), shards)


@dataclass(frozen=True)
class Range:
    """What one batch reads of one shard: the records behind `start` up to and including `end`; None: to its end."""

    shard: str
    start: Position
    end: str | None
    seconds: float  # of stream time, as far as known: how much it is likely to hold
    retention_hours: int = 24


def ranges(start: Offset, end: Offset, unknown_seconds: float) -> list[Range]:
    """The ranges between two offsets. `unknown_seconds` is assumed for a shard whose start has no time yet."""
    if start.initial == "LATEST":  # the first batch only fixes where each shard begins
        return []
    found = []
    for shard, target in sorted(end.shards.items()):
        origin = start.shards.get(shard, Position())
        if origin.done is not None or not target.moved_from(origin):
            continue
        if target.seq is None and target.done is None:  # begun, not yet read
            continue
        if target.done is not None and target.seq is not None and target.seq == origin.seq:
            continue  # its last record was taken before; only now is known that it was the last
        known = target.covered is not None and origin.covered is not None
        seconds = (target.covered - origin.covered) / 1000 if known else unknown_seconds  # type: ignore[operator]
        found.append(Range(shard, origin, target.seq, max(seconds, 0.0), end.retention_hours))
    return found


def grouped(parts: list[Range], most: int, seconds: float) -> list[list[Range]]:
    """Ranges by task: at most `most` in one, and no more than `seconds` of stream time unless it is a single range.

    Live, a batch is a second or so of each shard and one task takes several; catching up, each shard has its own.
    """
    groups: list[list[Range]] = []
    load = 0.0
    for part in parts:
        if not groups or len(groups[-1]) >= most or load + part.seconds > seconds:
            groups.append([])
            load = 0.0
        groups[-1].append(part)
        load += part.seconds
    return groups


def lag_by_shard(offset: Mapping[str, Any], now_ms: int) -> dict[str, int]:
    """Milliseconds that each shard's position is behind `now_ms`, out of an offset as query progress shows it.

    A quiet shard's position is renewed with the next batch only; shards that are read to their end are left out.
    """
    shards = {shard: Position.from_json(value) for shard, value in offset.get("shards", {}).items()}
    return {
        shard: max(now_ms - position.covered, 0)
        for shard, position in shards.items()
        if position.done is None and position.covered is not None
    }
