"""Reads one range of a shard: the records between two sequence numbers, all of them, or an error.

A pure function of the range: Spark calls it again for every action, task attempt and replay.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from probable_cause.errors import SourceError
from probable_cause.sources.faults import ExpiredIterator, InvalidPosition, ShardGone
from probable_cause.sources.positions import Position, Range
from probable_cause.sources.scout import ADVICE
from probable_cause.sources.stream import KinesisRecord, Page, Stream

log = logging.getLogger(__name__)
T = TypeVar("T")

PAGE_RECORDS = 10_000  # the most that Kinesis gives; it stops at 10 MiB anyhow
SECONDS_PER_CALL = 0.2  # Kinesis' limits for one shard, shared by all its readers: 5 calls a second ...
SECONDS_PER_BYTE = 1 / (2 * 1024**2)  # ... and 2 MiB a second
CLOCK_MARGIN = 600.0  # seconds by which this machine's clock may differ from Kinesis'
END_PATIENCE = 60.0  # seconds that a record which the scout saw may stay away
TIP_LOOKS = 3  # empty answers without a lag, after which a closed shard counts as read (emulators never say `end`)


@dataclass(frozen=True)
class Gap:
    """Records of a shard that Kinesis no longer has. `position` stands for them: behind `after`."""

    shard: str
    after: str | None
    detail: str

    @property
    def position(self) -> str:
        return f"{self.shard}:{self.after or 'TRIM_HORIZON'}"


@dataclass
class RangeReader:
    """Reads `part`. `on_trimmed` is fail or skip; with skip a Gap takes the place of what is no longer there."""

    stream: Stream
    part: Range
    on_trimmed: str
    _last: str | None = field(init=False)  # the newest record that was handed on
    _idle: int = 0
    _gapped: bool = False

    def __post_init__(self) -> None:
        self._last = self.part.start.seq

    def pages(self) -> Iterator[list[KinesisRecord] | Gap]:
        """The range's records in order, a page at a time.

        Raises:
            SourceError: Kinesis has no longer all of them (and on_trimmed is fail), or does not give the last one.
        """
        try:
            iterator = yield from self._open()
            yield from self._read(iterator)
        except ShardGone:
            yield from self._gap("the shard was removed")

    def _open(self) -> Generator[Gap, None, str]:
        """Returns the first iterator. A position older than the stream's retention is checked: if its own record is
        still there, so is all that follows."""
        start = self.part.start
        try:
            if self._older_than_retention() and not self._still_there(start.seq):
                yield from self._gap("the position is older, and its record is gone")
            return self.stream.after(self.part.shard, start)
        except InvalidPosition as exc:
            yield from self._gap(f"Kinesis does not know the position: {exc}")
            return self.stream.after(self.part.shard, Position())

    def _older_than_retention(self) -> bool:
        covered = self.part.start.covered
        kept_for = self.part.retention_hours * 3600 - CLOCK_MARGIN
        return covered is not None and self.stream.clock() - covered / 1000 > kept_for

    def _still_there(self, seq: str | None) -> bool:
        if seq is None:
            return False
        page = self.stream.page(self.stream.from_record(self.part.shard, seq), 1)
        return bool(page.records) and page.records[0].seq == seq

    def _read(self, iterator: str) -> Iterator[list[KinesisRecord] | Gap]:
        deadline = self.stream.clock() + END_PATIENCE
        while True:
            asked = self.stream.clock()
            try:
                page = self.stream.page(iterator, PAGE_RECORDS)
            except ExpiredIterator:
                iterator = self.stream.after(self.part.shard, Position(self._last, self.part.start.at))
                continue
            records, finished = self._wanted(page)
            if records:
                yield records
                deadline = self.stream.clock() + END_PATIENCE  # after it: who takes the records may take their time
            if finished:
                return
            if page.next is None or (page.records and self._passed(page.records[-1])):
                yield from self._gap("the last record of the batch is gone")
                return
            if self.stream.clock() > deadline:
                raise SourceError(
                    f"Shard {self.part.shard} of stream {self.stream.connection.name} no longer gives record "
                    f"{self.part.end}. Was the stream deleted and created anew? Then use a new checkpoint folder."
                )
            iterator = page.next
            spent = self.stream.clock() - asked
            self.stream.pause(max(0.0, SECONDS_PER_CALL - spent, page.size * SECONDS_PER_BYTE - spent))

    def _wanted(self, page: Page) -> tuple[list[KinesisRecord], bool]:
        """The page's records that belong to the range, and whether the range ends with them."""
        end = self.part.end
        records = [record for record in page.records if self._last is None or int(record.seq) > int(self._last)]
        if end is None:
            self._idle = self._idle + 1 if page.caught_up else 0
            finished = page.next is None or self._idle >= TIP_LOOKS
        else:
            finished = any(record.seq == end for record in records)
            records = [record for record in records if int(record.seq) <= int(end)]
        if records:
            self._last = records[-1].seq
        return records, finished

    def _passed(self, record: KinesisRecord) -> bool:
        return self.part.end is not None and int(record.seq) > int(self.part.end)

    def _gap(self, why: str) -> Iterator[Gap]:
        if self._gapped:
            return
        self._gapped = True
        detail = (
            f"Records of shard {self.part.shard} of stream {self.stream.connection.name} behind "
            f"{self._last or 'its beginning'} may be lost: {why}; the stream keeps them {self.part.retention_hours} h."
        )
        if self.on_trimmed != "skip":
            raise SourceError(f"{detail} {ADVICE}")
        log.warning("%s Going on behind the gap (stream.on_trimmed is skip).", detail)
        yield Gap(self.part.shard, self._last, detail)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; while one is worked on, a thread fetches the next."""
    done = object()
    with ThreadPoolExecutor(1, "read-ahead") as pool:
        coming = pool.submit(next, items, done)
        while (item := coming.result()) is not done:
            coming = pool.submit(next, items, done)
            yield item  # type: ignore[misc]
