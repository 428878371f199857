"""Offsets as they lie in Spark's log, and the ranges between two of them."""

from __future__ import annotations

import json

import pytest

from probable_cause.errors import SourceError
from probable_cause.sources.lineage import Shard, born, first_positions, kept, orphans
from probable_cause.sources.positions import Offset, Position, Range, grouped, lag_by_shard, ranges

A, B, C, D = (f"shardId-{number:012d}" for number in range(4))
OPEN = Position("10", covered=1000)


def offset(**shards: Position) -> Offset:
    return Offset(
        "logs", None, 5, 24, {{"a": A, "b": B, "c": C, "d": D}[name]: value for name, value in shards.items()}
    )


@pytest.mark.parametrize(
    "value",
    [
        Offset("logs", "TRIM_HORIZON"),
        Offset("logs", "LATEST"),
        offset(a=OPEN, b=Position(done=7), c=Position(at=3), d=Position()),
        offset(a=Position("49680530595631135702144296274440584394681567971425386498", covered=1, done=2)),
    ],
)
def test_an_offset_comes_back_as_it_was(value: Offset) -> None:
    assert Offset.from_json(json.loads(json.dumps(value.to_json())), "logs") == value


def test_equal_offsets_are_equal_text() -> None:
    one, other = offset(a=OPEN, b=OPEN), offset(b=OPEN, a=OPEN)
    assert json.dumps(one.to_json()) == json.dumps(other.to_json())


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"v": 2, "stream": "logs"}, "version 1"),
        ({"shard-commit": 1}, "not one of this source"),
        ("text", "new checkpoint folder"),
        ({"v": 1, "stream": "other", "initial": "LATEST"}, "belongs to stream 'other', the job reads 'logs'"),
    ],
)
def test_what_can_t_be_continued_says_so(value: object, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        Offset.from_json(value, "logs")


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (offset(a=OPEN), offset(a=OPEN), []),
        (offset(a=OPEN), offset(a=Position("10", covered=99_000)), []),  # a renewed time is no range
        (offset(a=OPEN), offset(a=Position("12", covered=3500)), [Range(A, OPEN, "12", 2.5)]),
        (offset(), offset(a=OPEN), [Range(A, Position(), "10", 30.0)]),  # a child, from its beginning
        (offset(a=OPEN), offset(a=Position(done=5)), [Range(A, OPEN, None, 30.0)]),
        (offset(a=OPEN), offset(a=Position("10", covered=1000, done=5)), []),  # its end was reached before
        (offset(a=OPEN), offset(a=Position("11", covered=2000, done=5)), [Range(A, OPEN, "11", 1.0)]),
        (offset(a=Position(done=5)), offset(a=Position(done=5)), []),
        (offset(), offset(a=Position(), b=Position(at=5)), []),  # begun, nothing read yet
        (offset(b=Position(at=5)), offset(b=OPEN), [Range(B, Position(at=5), "10", 30.0)]),
        (Offset("logs", "TRIM_HORIZON"), offset(b=OPEN), [Range(B, Position(), "10", 30.0)]),
        (Offset("logs", "TRIM_HORIZON"), offset(b=Position(done=5)), [Range(B, Position(), None, 30.0)]),
        (Offset("logs", "LATEST"), offset(a=Position(at=5), b=Position(done=5)), []),
        (offset(a=OPEN, b=OPEN), offset(a=OPEN), []),  # forgotten
    ],
)
def test_ranges(start: Offset, end: Offset, expected: list[Range]) -> None:
    assert ranges(start, end, unknown_seconds=30.0) == expected


@pytest.mark.parametrize(
    ("seconds", "most", "expected"),
    [
        ([], 3, []),
        ([1, 1, 1, 1], 3, [[1, 1, 1], [1]]),
        ([1, 1, 1, 1], 1, [[1], [1], [1], [1]]),
        ([30, 30, 1], 8, [[30], [30], [1]]),
        ([20, 9, 2, 100, 1], 8, [[20, 9], [2], [100], [1]]),
    ],
)
def test_tasks_take_several_small_ranges_or_one_large(
    seconds: list[float], most: int, expected: list[list[float]]
) -> None:
    parts = [Range(A, Position(), "1", second) for second in seconds]
    assert [[part.seconds for part in group] for group in grouped(parts, most, 30.0)] == expected


def test_lag_by_shard() -> None:
    end = offset(a=Position("1", covered=4000), b=Position("1", covered=9000), c=Position(done=1), d=Position())
    assert lag_by_shard(end.to_json(), 8000) == {A: 4000, B: 0}
    assert lag_by_shard(Offset("logs", "LATEST").to_json(), 8000) == {}


# Lineage: a split of A into B and C, then a merge of B and C into D.
LISTED = [Shard(A, (), True), Shard(B, (A,), True), Shard(C, (A,), True), Shard(D, (B, C))]
DONE = Position(done=1000)


@pytest.mark.parametrize(
    ("tracked", "ready"),
    [
        ({A: OPEN}, []),
        ({A: DONE}, [B, C]),
        ({A: DONE, B: DONE}, [C]),
        ({A: DONE, B: DONE, C: OPEN}, []),
        ({A: DONE, B: DONE, C: DONE}, [D]),
        ({A: DONE, B: DONE, C: DONE, D: Position()}, []),
    ],
)
def test_a_child_is_begun_when_all_its_parents_are_drained(tracked: dict[str, Position], ready: list[str]) -> None:
    assert born(LISTED, tracked) == ready
    assert orphans(LISTED, tracked) == []


def test_a_child_whose_other_parent_is_long_gone_waits_for_the_one_that_is_left() -> None:
    listed = [Shard(B, (), True), Shard(D, (B, C))]
    assert born(listed, {B: OPEN}) == []
    assert born(listed, {B: DONE}) == [D]


def test_a_shard_whose_ancestors_are_gone_is_an_orphan() -> None:
    assert orphans([Shard(D, (B, C))], {A: DONE}) == [D]
    assert born([Shard(D, (B, C))], {A: DONE}) == []


def test_a_new_checkpoint_begins_at_the_oldest_generation_or_at_the_open_shards() -> None:
    assert first_positions(LISTED, "TRIM_HORIZON", 5) == {A: Position()}
    assert first_positions(LISTED[1:], "TRIM_HORIZON", 5) == {B: Position(), C: Position()}
    done = Position(done=5)
    assert first_positions(LISTED, "LATEST", 5) == {A: done, B: done, C: done, D: Position(at=5)}


def test_a_drained_shard_is_kept_while_it_is_listed_young_or_needed() -> None:
    later = 1000 + 3_600_000
    everything = {A: DONE, B: DONE, C: DONE, D: OPEN}
    assert kept(LISTED, everything, later) == everything
    assert kept(LISTED[1:], everything, later - 1) == everything, "one incomplete listing must not forget it"
    assert kept(LISTED[1:], everything, later) == {B: DONE, C: DONE, D: OPEN}
    assert B in kept([LISTED[2], LISTED[3]], {B: DONE, C: OPEN}, later), "D is yet to come"
    assert kept([], {A: OPEN}, later) == {A: OPEN}, "an unread shard is never forgotten"
