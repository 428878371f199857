"""Counts, first and last seen, episodes, replays: I1 and I2 of the design contract, whatever the batching."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probable_cause.state.chunks import Chunks
from probable_cause.state.episodes import add
from probable_cause.state.event_item import (
    MESSAGE_BYTES,
    Repeats,
    Stored,
    batch_stamp,
    cut,
    from_item,
    operator_write,
    to_item,
)
from probable_cause.state.identity import DAY, MOST_CHUNKS, Chunk, Seen, is_chunk, to_attributes
from probable_cause.state.memory import memory_tables
from probable_cause.state.moments import from_millis, to_millis
from probable_cause.state.tables import Tables, Write

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
T0_SECOND = int(T0.timestamp())
HOUR = 3600


def repeats(seconds: Sequence[float], ids: Sequence[int] | None = None, **changes: object) -> Repeats:
    ids = list(range(len(seconds))) if ids is None else ids
    at = [T0 + timedelta(seconds=one) for one in seconds]
    plain = Repeats(
        application_id="shop",
        event_type="network",
        cause_id="REJECT on Instance 10.1.1.10",
        role="symptom",
        rule_id="flow-reject",
        family="vpc_flow",
        relevance=8.0,
        half_life_seconds=HOUR,
        window_seconds=6 * HOUR,
        first_seen=min(at),
        last_seen=max(at),
        count=len(at),
        summary="REJECT on Instance 10.1.1.10",
        message="2 123456789012 eni-1 ...",
        action="REJECT",
        outcome="reject",
        error_code=None,
        actor=None,
        actor_type=None,
        resource_ids=("eni-1",),
        addresses=("10.1.1.10",),
        explains=(),
        symptom="connectivity",
        resolves=(),
        occurrences=tuple(sorted((to_millis(moment), one) for moment, one in zip(at, ids, strict=True))),
        sample_event_ids=("id-0",),
        delivered_at=None,
        arrived_at=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def apply(tables: Tables, row: Repeats, batch: int, epoch: int = 1, remembered: int = 1000) -> int:
    existing = known(tables)
    counted = Chunks(tables.events).counted(existing, row)
    changes = add(existing, row, batch_stamp(epoch, batch), remembered, T0, DAY, counted)
    for change in changes:
        assert all(tables.events.apply(write) for write in (*change.chunks, change.write))
    return len(changes)


def known(tables: Tables) -> list[Stored]:
    return [from_item(item) for item in tables.events.query("shop")]


def stored(tables: Tables) -> list[tuple[int, int, datetime, datetime]]:
    events = sorted((from_item(item).event for item in tables.events.query("shop")), key=lambda one: one.episode)
    return [(one.episode, one.count, one.first_seen, one.last_seen) for one in events]


def test_213_repeats_are_one_item_whatever_the_batching() -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    rng = random.Random(seed)
    times = [rng.uniform(0, 5 * HOUR) for _ in range(213)]
    times = [round(one, 3) for one in times]
    for _ in range(20):
        tables = memory_tables()
        order = list(range(213))
        rng.shuffle(order)
        batch = 0
        while order:
            size = rng.randint(1, 60)
            chosen, order = order[:size], order[size:]
            apply(tables, repeats([times[i] for i in chosen], chosen), batch)
            batch += 1
        expected = (
            1,
            213,
            from_millis(to_millis(T0 + timedelta(seconds=min(times)))),
            T0 + timedelta(seconds=max(times)),
        )
        ((episode, count, first, last),) = stored(tables)
        assert (episode, count) == expected[:2]
        assert abs((first - expected[2]).total_seconds()) < 0.002
        assert abs((last - expected[3]).total_seconds()) < 0.002


def test_an_event_delivered_twice_counts_once() -> None:
    tables = memory_tables()
    apply(tables, repeats([0, 1, 2], [1, 2, 3]), 0)
    apply(tables, repeats([1, 2, 3], [2, 3, 4]), 1)
    assert stored(tables)[0][1] == 4


def test_a_replayed_batch_adds_nothing_even_when_its_ids_are_forgotten() -> None:
    tables = memory_tables()
    row = repeats([0, 1, 2, 3], [1, 2, 3, 4])
    many = replace(row, count=5000)  # more than could be listed
    apply(tables, many, 7, remembered=4)
    apply(tables, many, 7, remembered=4)
    assert stored(tables)[0][1] == 5000


def test_a_fresh_checkpoint_is_no_replay() -> None:
    """I3: batch ids start at 0 again, the epoch does not."""
    tables = memory_tables()
    apply(tables, replace(repeats([0, 1], [1, 2]), count=100), 5, epoch=1, remembered=2)
    apply(tables, replace(repeats([5, 6], [8, 9]), count=100), 0, epoch=2, remembered=2)
    assert stored(tables)[0][1] == 200


def test_silence_longer_than_the_window_opens_an_episode() -> None:
    tables = memory_tables()
    apply(tables, repeats([0, 10], [1, 2]), 0)
    apply(tables, repeats([6 * HOUR + 10], [3]), 1)  # just within
    apply(tables, repeats([12 * HOUR + 11], [4]), 2)  # a second too late
    assert [(number, count) for number, count, *_ in stored(tables)] == [(1, 3), (2, 1)]


def test_one_batch_with_a_silence_inside_gives_two_episodes() -> None:
    tables = memory_tables()
    apply(tables, repeats([0, 10, 7 * HOUR], [1, 2, 3]), 0)
    assert [(number, count) for number, count, *_ in stored(tables)] == [(1, 2), (2, 1)]


def test_a_repeat_after_resolution_opens_an_episode_and_a_late_one_does_not() -> None:
    tables = memory_tables()
    apply(tables, repeats([0, 10], [1, 2]), 0)
    event = from_item(tables.events.query("shop")[0]).event
    assert tables.events.apply(operator_write(event, "resolved", "ana", T0 + timedelta(seconds=60), "fixed"))
    apply(tables, repeats([30, 90], [3, 4]), 1)
    assert [(number, count) for number, count, *_ in stored(tables)] == [(1, 3), (2, 1)]


def test_the_stream_never_touches_what_an_operator_set() -> None:
    """I2."""
    tables = memory_tables()
    apply(tables, repeats([0], [1]), 0)
    event = from_item(tables.events.query("shop")[0]).event
    assert tables.events.apply(operator_write(event, "acknowledged", "ana", T0, "known"))
    apply(tables, repeats([1], [2]), 1)
    after = from_item(tables.events.query("shop")[0]).event
    assert (after.status, after.status_by, after.status_reason, after.count) == ("acknowledged", "ana", "known", 2)


def test_a_write_on_an_item_that_an_operator_changed_meanwhile_does_not_pass() -> None:
    tables = memory_tables()
    apply(tables, repeats([0], [1]), 0)
    before = [from_item(item) for item in tables.events.query("shop")]
    ((_, write, _),) = add(before, repeats([100], [2]), batch_stamp(1, 1), 10, T0)
    assert tables.events.apply(operator_write(before[0].event, "resolved", "ana", T0 + timedelta(seconds=50), None))
    assert not tables.events.apply(write)


def test_two_operators_do_not_overwrite_each_other() -> None:
    tables = memory_tables()
    apply(tables, repeats([0], [1]), 0)
    event = from_item(tables.events.query("shop")[0]).event
    assert tables.events.apply(operator_write(event, "acknowledged", "ana", T0, None))
    assert not tables.events.apply(operator_write(event, "resolved", "ben", T0, None))


def test_items_turn_into_events_and_back() -> None:
    tables = memory_tables()
    apply(tables, repeats([0, 1.5], [1, 2]), 0)
    item = tables.events.query("shop")[0]
    event = from_item(item).event
    again = to_item(event)
    assert {name: item[name] for name in again} == again
    assert item["FirstSeenDate"] == "2026-03-01T12:00:00.000Z"
    assert item["LastSeenDate"] == "2026-03-01T12:00:01.500Z"


def test_the_original_line_is_kept_beside_what_it_says() -> None:
    tables = memory_tables()
    lines = [("refused", "ERROR refused"), ("whole", None), ("again", "WARN again")]
    for number, (message, original) in enumerate(lines):
        apply(tables, repeats([number], [number], message=message, original=original), number)
        (item,) = tables.events.query("shop")
        assert item["EventMessage"] == (original or message)
        event = from_item(item).event
        assert (event.message, event.original, event.line) == (message, original, original or message)


@pytest.mark.parametrize(
    ("text", "length"),
    [("x", 1), ("x" * MESSAGE_BYTES, MESSAGE_BYTES), ("x" * 20000, MESSAGE_BYTES), ("é" * 20000, MESSAGE_BYTES)],
)
def test_messages_are_whole_up_to_8_kib(text: str, length: int) -> None:
    assert len(cut(text).encode()) == length
    assert text.startswith(cut(text))


def test_an_item_remembers_only_so_many_events_itself() -> None:
    tables = memory_tables()
    apply(tables, repeats(range(50), range(50)), 0, remembered=10)
    (one,) = known(tables)
    assert len(one.seen.events) == 5
    assert [(chunk.first, chunk.last) for chunk in one.seen.chunks] == [(T0_SECOND, T0_SECOND + 44)]
    assert stored(tables)[0][1] == 50


@pytest.mark.parametrize("remembered", [2, 10, 1000])
def test_a_redelivery_counts_once_however_many_newer_events_there_are(remembered: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)
    tables = memory_tables()
    times = [rng.randrange(3600) for _ in range(600)]
    for batch, first in enumerate(range(0, 600, 20)):
        ids = list(range(first, first + 20))
        ids += [rng.randrange(first + 20) for _ in range(10)]  # once more, some of them from long ago
        ids = list(dict.fromkeys(ids))
        apply(tables, repeats([times[i] for i in ids], ids), batch, remembered=remembered)
        assert stored(tables)[0][1] == first + 20
    assert len(known(tables)[0].seen.events) <= remembered


def test_beyond_the_horizon_nothing_is_remembered() -> None:
    tables = memory_tables()
    long = {"window_seconds": 72 * HOUR}
    apply(tables, repeats(range(50), range(50), **long), 0, remembered=10)
    apply(tables, repeats([25 * HOUR + one for one in range(50)], range(100, 150), **long), 1, remembered=10)
    assert len(known(tables)[0].seen.chunks) == 1, "the first is no longer listed"
    apply(tables, repeats([7], [7], **long), 2, remembered=10)
    assert stored(tables)[0][1] == 101


def test_a_crash_between_the_chunk_and_the_item_that_lists_it() -> None:
    """What a chunk holds that no item lists was not counted: it is counted when the batch comes again."""
    tables = memory_tables()
    apply(tables, repeats(range(8), range(8)), 0, remembered=10)
    row = repeats(range(8, 50), range(8, 50))
    (change,) = add(known(tables), row, batch_stamp(1, 1), 10, T0)
    assert all(tables.events.apply(chunk) for chunk in change.chunks)
    for epoch, batch in ((1, 1), (2, 0)):  # the replay, then the same events from a new checkpoint
        apply(tables, row, batch, epoch, remembered=10)
        assert stored(tables)[0][1] == 50


def test_chunks_of_two_drivers_that_race_do_not_mix() -> None:
    tables = memory_tables()
    apply(tables, repeats(range(8), range(8)), 0, remembered=10)
    before = known(tables)
    (ours,) = add(before, repeats(range(10, 30), range(10, 30)), batch_stamp(1, 1), 10, T0)
    (theirs,) = add(before, repeats(range(30, 60), range(30, 60)), batch_stamp(2, 0), 10, T0)
    writes = [*ours.chunks, *theirs.chunks]
    assert all(tables.events.apply(write) for write in writes)
    assert tables.events.apply(theirs.write)
    assert not tables.events.apply(ours.write)
    apply(tables, repeats(range(10, 30), range(10, 30)), 2, remembered=10)
    assert stored(tables)[0][1] == 8 + 30 + 20


def test_an_item_of_the_version_before_is_taken_over() -> None:
    tables = memory_tables()
    apply(tables, repeats([0, 1, 2], [1, 2, 3]), 0)
    key = {"ApplicationId": "shop", "EventKey": tables.events.query("shop")[0]["EventKey"]}
    old = struct.pack(">3q", 1, 2, 3)
    assert tables.events.apply(Write(key, {"SeenEvents": None, "SeenEventIds": old}))
    apply(tables, repeats([1, 2, 5], [2, 3, 4]), 1)
    assert stored(tables)[0][1] == 4
    assert "SeenEventIds" not in tables.events.query("shop")[0]


def test_an_event_from_before_the_resolution_is_never_of_the_episode_after_it() -> None:
    tables = memory_tables()
    apply(tables, repeats([0], [1]), 0)
    event = known(tables)[0].event
    assert tables.events.apply(operator_write(event, "resolved", "ana", T0 + timedelta(seconds=60), None))
    apply(tables, repeats([90], [2]), 1)
    apply(tables, repeats([30], [3]), 2)  # late
    assert [(number, count) for number, count, *_ in stored(tables)] == [(1, 2), (2, 1)]


def test_an_episode_is_described_by_its_own_newest_event() -> None:
    tables = memory_tables()
    apply(tables, repeats([0], [1], message="first"), 0)
    assert tables.events.apply(
        operator_write(known(tables)[0].event, "resolved", "ana", T0 + timedelta(seconds=60), None)
    )
    apply(tables, repeats([30, 90], [2, 3], message="newest"), 1)
    apply(tables, repeats([40], [4], message="late"), 2)
    assert [one.event.message for one in known(tables)] == ["late", "newest"]


def test_the_largest_item_and_chunk_fit_into_dynamodb() -> None:
    """400 KB is its limit; the longest message, the longest lists and the fullest memory together stay below it."""
    tables = memory_tables()
    wide = {
        "message": "x" * MESSAGE_BYTES,
        "original": "y" * MESSAGE_BYTES,
        "resource_ids": tuple(f"arn:aws:ec2:eu-west-1:123456789012:instance/{n:0>60}" for n in range(40)),
        "addresses": tuple(f"2001:db8::{n}" for n in range(40)),
    }
    apply(tables, repeats([n / 30 for n in range(60_000)], range(60_000), **wide), 0, remembered=1024)
    chunks = [Chunk(0, 1, n) for n in range(MOST_CHUNKS)]
    (item,) = tables.events.query("shop")
    item |= {k: v for k, v in to_attributes(Seen(((1, 1),) * 1024, tuple(chunks))).items() if v is not None}
    sizes = [size(item), *(size(one) for one in tables.events.scan() if is_chunk(one))]
    assert len(sizes) == 3
    assert max(sizes) < 350 * 1024
    assert size(item) < 64 * 1024


def size(item: object) -> int:
    """Bytes of an item, about as DynamoDB counts them: names and values."""
    if isinstance(item, dict):
        return sum(len(name) + size(value) for name, value in item.items())
    if isinstance(item, list):
        return sum(size(one) + 1 for one in item)
    return len(item) if isinstance(item, bytes) else len(str(item).encode())
