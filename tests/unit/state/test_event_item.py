"""Counts, first and last seen, episodes, replays: I1 and I2 of the design contract, whatever the batching."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probable_cause.state.event_item import (
    MESSAGE_BYTES,
    Repeats,
    add,
    batch_stamp,
    cut,
    from_item,
    operator_write,
    to_item,
)
from probable_cause.state.memory import memory_tables
from probable_cause.state.moments import from_millis, to_millis
from probable_cause.state.tables import Tables

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
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
    existing = [from_item(item) for item in tables.events.query("shop")]
    changes = add(existing, row, batch_stamp(epoch, batch), remembered, T0)
    assert all(tables.events.apply(write) for _, write in changes)
    return len(changes)


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
    ((_, write),) = add(before, repeats([100], [2]), batch_stamp(1, 1), 10, T0)
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


@pytest.mark.parametrize(
    ("text", "length"),
    [("x", 1), ("x" * MESSAGE_BYTES, MESSAGE_BYTES), ("x" * 20000, MESSAGE_BYTES), ("é" * 20000, MESSAGE_BYTES)],
)
def test_messages_are_whole_up_to_8_kib(text: str, length: int) -> None:
    assert len(cut(text).encode()) == length
    assert text.startswith(cut(text))


def test_only_so_many_ids_are_remembered() -> None:
    tables = memory_tables()
    apply(tables, repeats(range(50), range(50)), 0, remembered=10)
    assert len(from_item(tables.events.query("shop")[0]).seen) == 10
    assert stored(tables)[0][1] == 50
