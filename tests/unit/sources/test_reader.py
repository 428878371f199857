"""The reader of one range: all of it, only it, or an error that says what to do."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from probable_cause.errors import SourceError
from probable_cause.sources.positions import Position, Range
from probable_cause.sources.reader import Gap, RangeReader, ahead
from tests.unit.sources.engine import stream_of
from tests.unit.sources.fake_kinesis import FakeKinesis

SHARD = "shardId-000000000000"


def filled(count: int = 50, **habits: float) -> FakeKinesis:
    kinesis = FakeKinesis(random.Random(2), **habits)  # type: ignore[arg-type]
    for number in range(count):
        kinesis.put(b"%d" % number)
        kinesis.pass_time(10)
    return kinesis


def seqs(kinesis: FakeKinesis) -> list[str]:
    return [str(record.seq) for record in kinesis.shards[SHARD].records]


def read(kinesis: FakeKinesis, start: Position, end: str | None, on_trimmed: str = "fail") -> list[bytes | Gap]:
    reader = RangeReader(stream_of(kinesis), Range(SHARD, start, end, 1.0, kinesis.retention_hours), on_trimmed)
    found: list[bytes | Gap] = []
    for page in reader.pages():
        found += [page] if isinstance(page, Gap) else [record.data for record in page]
    return found


@pytest.mark.parametrize(
    "habits", [{}, {"max_page": 1}, {"chance_empty": 0.7, "max_page": 7}, {"chance_throttle": 0.5}]
)
@pytest.mark.parametrize(("first", "last"), [(-1, 0), (-1, 49), (0, 1), (10, 30), (48, 49)])
def test_exactly_the_records_behind_start_up_to_and_with_end(habits: dict[str, float], first: int, last: int) -> None:
    kinesis = filled(**habits)
    start = Position() if first < 0 else Position(seqs(kinesis)[first])
    assert read(kinesis, start, seqs(kinesis)[last]) == [b"%d" % number for number in range(first + 1, last + 1)]


def test_a_range_from_a_time_on() -> None:
    kinesis = filled()
    at = kinesis.shards[SHARD].records[20].arrived_ms
    assert read(kinesis, Position(at=at), seqs(kinesis)[25]) == [b"%d" % number for number in range(20, 26)]


@pytest.mark.parametrize("first", [-1, 20, 49])
def test_to_the_end_of_a_closed_shard(first: int) -> None:
    kinesis = filled(max_page=7)
    kinesis.split(SHARD)
    start = Position() if first < 0 else Position(seqs(kinesis)[first])
    assert read(kinesis, start, None) == [b"%d" % number for number in range(first + 1, 50)]


def test_the_end_of_a_closed_shard_that_an_emulator_never_tells() -> None:
    kinesis = filled()  # open, so NextShardIterator is never null
    assert len(read(kinesis, Position(), None)) == 50


def test_an_iterator_that_expires_in_the_middle_is_renewed_without_a_record_twice() -> None:
    kinesis = filled(max_page=10)
    reader = RangeReader(stream_of(kinesis), Range(SHARD, Position(), seqs(kinesis)[-1], 1.0), "fail")
    found = []
    for page in reader.pages():
        assert not isinstance(page, Gap)
        found += [record.data for record in page]
        kinesis.pass_time(400_000)
    assert found == [b"%d" % number for number in range(50)]
    assert kinesis.calls.count("GetRecords") <= 10, "it goes on behind the last record, and not from the start again"


def test_pages_keep_to_the_shard_s_limits() -> None:
    """5 calls and 2 MiB a second, by the clock that the pauses move."""
    kinesis = FakeKinesis(random.Random(2), max_page=1)
    for _ in range(10):
        kinesis.put(b"x" * 1024**2)
    began = kinesis.now_ms
    assert len(read(kinesis, Position(), seqs(kinesis)[-1])) == 10
    assert kinesis.now_ms - began >= 9 * 500


def trimmed(hours_down: float) -> tuple[FakeKinesis, Position]:
    kinesis = filled(10)
    record = kinesis.shards[SHARD].records[4]
    kinesis.pass_time(hours_down * 3_600_000)
    kinesis.put(b"new")
    return kinesis, Position(str(record.seq), covered=record.arrived_ms)


def test_a_start_that_is_trimmed_fails_and_says_what_to_do() -> None:
    kinesis, start = trimmed(30)
    with pytest.raises(SourceError, match=rf"{SHARD}.*may be lost.*keeps them 24 h.*on_trimmed"):
        read(kinesis, start, seqs(kinesis)[-1])


def test_a_start_that_is_trimmed_gives_a_gap_and_what_is_left() -> None:
    kinesis, start = trimmed(30)
    gap, rest = read(kinesis, start, seqs(kinesis)[-1], "skip")
    assert isinstance(gap, Gap)
    assert gap.position == f"{SHARD}:{start.seq}"
    assert rest == b"new"


def test_within_the_retention_nothing_is_suspected() -> None:
    kinesis, start = trimmed(23)
    assert read(kinesis, start, seqs(kinesis)[-1])[-1] == b"new"
    assert kinesis.calls.count("GetShardIterator") == 1


@pytest.mark.parametrize("on_trimmed", ["fail", "skip"])
def test_a_whole_range_that_is_gone(on_trimmed: str) -> None:
    kinesis = filled(10)
    end = seqs(kinesis)[6]
    kinesis.pass_time(48 * 3_600_000)
    kinesis.put(b"much later")
    start = Position(seqs(kinesis)[3])  # no time known: only the missing end tells
    if on_trimmed == "fail":
        with pytest.raises(SourceError, match="last record of the batch is gone"):
            read(kinesis, start, end)
    else:
        assert [type(item) for item in read(kinesis, start, end, "skip")] == [Gap]


@pytest.mark.parametrize("on_trimmed", ["fail", "skip"])
def test_a_shard_that_is_gone(on_trimmed: str) -> None:
    kinesis = filled(10)
    start = Position(seqs(kinesis)[3])
    kinesis.split(SHARD)
    kinesis.pass_time(48 * 3_600_000)
    if on_trimmed == "fail":
        with pytest.raises(SourceError, match="the shard was removed"):
            read(kinesis, start, None)
    else:
        assert [type(item) for item in read(kinesis, start, None, "skip")] == [Gap]


def test_a_position_of_another_stream() -> None:
    kinesis = filled(10)
    with pytest.raises(SourceError, match="does not know the position"):
        read(kinesis, Position("99999999999999"), seqs(kinesis)[-1])


def test_behind_a_gap_no_record_is_read_again_that_an_earlier_batch_had() -> None:
    kinesis = filled(10)
    kinesis.refuses_positions = True
    gap, *rest = read(kinesis, Position(seqs(kinesis)[5]), seqs(kinesis)[8], "skip")
    assert isinstance(gap, Gap)
    assert rest == [b"6", b"7", b"8"]


def test_an_end_that_does_not_come_is_an_error_and_not_a_wait_for_ever() -> None:
    kinesis = filled(10)
    began = kinesis.now_ms
    with pytest.raises(SourceError, match="no longer gives record 99999999999999"):
        read(kinesis, Position(), "99999999999999")
    assert kinesis.now_ms - began < 120_000


def test_ahead_gives_the_same_items_and_works_one_ahead() -> None:
    fetched: list[int] = []
    second = threading.Event()

    def source() -> Iterator[int]:
        for number in range(5):
            fetched.append(number)
            if number == 1:
                second.set()
            yield number

    items = ahead(source())
    assert next(items) == 0
    assert second.wait(5), "the next is fetched while the first is worked on"
    assert list(items) == [1, 2, 3, 4]


def test_ahead_hands_on_errors() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise SourceError("gone")

    items = ahead(source())
    assert next(items) == 1
    with pytest.raises(SourceError, match="gone"):
        next(items)
