"""The driver's scout: how far may the next batch read? It fetches few records, and never decides by time alone.

For each shard that is read, the scout finds the sequence number of the last record of the next batch. A busy shard
costs one call for one record: the first that arrived `lag` ago, or `max_span` behind the position, whichever is
earlier. Arrival times only choose that record; what a batch holds is the records between two sequence numbers, the same
at every replay. A quiet shard has nothing that young: its short tail is read, and its iterator kept for the next look.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from probable_cause.errors import SourceError
from probable_cause.sources import lineage
from probable_cause.sources.faults import ExpiredIterator, InvalidPosition, ShardGone
from probable_cause.sources.positions import Offset, Position
from probable_cause.sources.stream import KinesisRecord, Page, Stream

log = logging.getLogger(__name__)

TAIL_RECORDS = 1000  # records of one call of a tail
TAIL_CALLS = 2  # calls with records; what is left is the next batch's
EMPTY_CALLS = 20  # empty answers on the way to a record are normal before the tip
QUIET_BYTES = 64 * 1024  # a tail above this is a busy shard's: the next look asks for one record instead
LIST_EVERY_MS = 10_000
HEARTBEAT_MS = 6 * 3_600_000  # a quiet shard's position is renewed at least so often: it must not look trimmed
THREADS = 32  # a call is a wait of about 10 ms: a look at 64 shards takes 0.1 s so, with 8 threads 0.33 s


@dataclass(frozen=True)
class Limits:
    """How far behind now a batch ends, and how much stream time it may cover. `on_trimmed`: fail | skip."""

    lag_ms: int
    max_span_ms: int
    on_trimmed: str


@dataclass
class Scout:
    """Looks at a stream. Keeps iterators of quiet shards and the list of shards; both can be lost at any time."""

    stream: Stream
    limits: Limits
    threads: int = THREADS
    _tails: dict[str, tuple[str | None, str]] = field(default_factory=dict)  # shard -> (seq before it, iterator)
    _listed: list[lineage.Shard] = field(default_factory=list)
    _listed_at: int | None = None
    _created: int = 0
    _retention_hours: int = 24
    _pool: ThreadPoolExecutor | None = None

    def latest(self, start: Offset) -> Offset:
        """The end of the next batch; `start` itself when there is nothing new.

        Raises:
            SourceError: the stream can't be read, or is not the one that `start` was taken from, or lost what
                `start` says is still to be read (unless on_trimmed is skip).
        """
        now = int(self.stream.clock() * 1000)
        self._list(now)
        if start.created is not None and start.created != self._created:
            raise SourceError(
                f"Stream {start.stream} was deleted and created anew since the checkpoint was written: its positions "
                "mean nothing in the new one. Give the job a new checkpoint folder."
            )
        if start.initial:
            shards = lineage.first_positions(self._listed, start.initial, now - self.limits.lag_ms)
        else:
            shards = dict(start.shards) | self._begun(start)
        closed = {shard.id for shard in self._listed if shard.closed}
        unread = [shard for shard, position in sorted(shards.items()) if position.done is None]
        if start.initial != "LATEST":
            found = self._in_parallel(lambda shard: self._look(shard, shards[shard], shard in closed, now), unread)
            shards.update(zip(unread, found, strict=True))
        if any(position.done is not None and not _done(start, shard) for shard, position in shards.items()):
            self._listed_at = None  # children are waiting
        if start.initial != "LATEST" and not any(self._news(start, shard, shards[shard]) for shard in unread):
            return start
        shards = lineage.kept(self._listed, shards, now)
        return Offset(start.stream, None, self._created, self._retention_hours, shards)

    def _news(self, start: Offset, shard: str, position: Position) -> bool:
        before = start.shards.get(shard, Position())
        stale = (position.covered or 0) - (before.covered or 0) > HEARTBEAT_MS
        return position.moved_from(before) or stale

    def _list(self, now: int) -> None:
        if self._listed_at is not None and now - self._listed_at < LIST_EVERY_MS:
            return
        summary = self.stream.summary()
        self._listed = self.stream.shards()
        self._created, self._retention_hours = summary.created, summary.retention_hours
        self._listed_at = now

    def _begun(self, start: Offset) -> dict[str, Position]:
        """The children whose turn it is."""
        ready = lineage.born(self._listed, start.shards)
        lost = lineage.orphans(self._listed, start.shards)
        if lost:
            trimmed = (
                f"Stream {start.stream}: shards between the checkpoint and {', '.join(lost[:5])} were removed unread: "
                f"the job was down longer than the stream keeps its records ({self._retention_hours} h)."
            )
            if self.limits.on_trimmed != "skip":
                raise SourceError(f"{trimmed} {ADVICE}")
            log.warning("%s Going on behind the gap (stream.on_trimmed is skip).", trimmed)
        return {shard: Position() for shard in (*ready, *lost)}

    def _in_parallel(self, look: Callable[[str], Position], shards: list[str]) -> list[Position]:
        if len(shards) < 2 or self.threads == 1:
            return [look(shard) for shard in shards]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads, "scout")
        return list(self._pool.map(look, shards))

    def _look(self, shard: str, position: Position, closed: bool, now: int) -> Position:
        """The position after the next batch; that of a shard without anything new differs in `covered` only."""
        try:
            iterator = self._kept_iterator(shard, position)
            if iterator is not None:
                try:
                    return self._tail(shard, position, iterator, now, calls=1)
                except ExpiredIterator:
                    pass
            return self._look_afresh(shard, position, closed, now)
        except ShardGone:
            # Kinesis removes a shard when the last of its records is too old. The reader says what that means.
            return replace(position, done=now, seq=None)

    def _kept_iterator(self, shard: str, position: Position) -> str | None:
        seq, iterator = self._tails.pop(shard, (None, None))
        return iterator if seq == position.seq else None

    def _look_afresh(self, shard: str, position: Position, closed: bool, now: int) -> Position:
        since = position.covered
        if since is None:
            page = self._first(self._behind(shard, position))
            if page.records:
                since = page.records[0].arrived_ms
            elif page.next is None:
                return replace(position, done=now)
            elif page.caught_up:
                self._tails[shard] = (position.seq, page.next)
                return replace(position, covered=now)
            else:
                return position
        record, certain = self._first_since(shard, min(now - self.limits.lag_ms, since + self.limits.max_span_ms))
        if record is not None and _is_behind(record, position):
            return Position(record.seq, covered=record.arrived_ms)
        if closed and certain and record is None:
            return Position(done=now)  # no more than max_span is left: the reader goes to the end
        return self._tail(shard, position, self._behind(shard, position), now, calls=TAIL_CALLS)

    def _behind(self, shard: str, position: Position) -> str:
        try:
            return self.stream.after(shard, position)
        except InvalidPosition:
            # Trimmed, or not of this shard: go on at the oldest record. The reader finds the gap.
            return self.stream.after(shard, Position())

    def _first(self, iterator: str) -> Page:
        """The answer with the first record from an iterator on, or the last empty one."""
        for _ in range(EMPTY_CALLS):
            page = self.stream.page(iterator, limit=1)
            if page.records or page.next is None or page.caught_up:
                break
            iterator = page.next
        return page

    def _first_since(self, shard: str, at_ms: int) -> tuple[KinesisRecord | None, bool]:
        """The first record that arrived at `at_ms` or later, and whether the answer is certain."""
        try:
            page = self._first(self.stream.since(shard, at_ms))
        except InvalidPosition:  # a time ahead of Kinesis' clock
            return None, False
        return (page.records[0] if page.records else None), bool(page.records or page.next is None or page.caught_up)

    def _tail(self, shard: str, position: Position, iterator: str, now: int, calls: int) -> Position:
        """Reads on from `position`, a little: to the tip, to the shard's end or to the last of `calls` answers."""
        last: KinesisRecord | None = None
        size = answers = 0
        for _ in range(EMPTY_CALLS):
            page = self.stream.page(iterator, TAIL_RECORDS)
            size += page.size
            if page.records:
                last = page.records[-1]
                answers += 1
            if page.next is None:
                return Position(last.seq if last else position.seq, position.at, position.covered, done=now)
            iterator = page.next
            if page.behind == 0 or answers >= calls:
                break
        if size <= QUIET_BYTES:
            self._tails[shard] = (last.seq if last else position.seq, iterator)
        if last is not None:
            return Position(last.seq, covered=last.arrived_ms)
        return replace(position, covered=now) if page.caught_up else position


ADVICE = (
    "What was lost can be read from an archive with jobs/backfill.py. Set stream.on_trimmed to skip to go on behind "
    "the gap, which is counted and kept as a rejected record; and see that the stream keeps its records longer."
)


def _done(start: Offset, shard: str) -> bool:
    position = start.shards.get(shard)
    return position is not None and position.done is not None


def _is_behind(record: KinesisRecord, position: Position) -> bool:
    return position.seq is None or int(record.seq) > int(position.seq)
