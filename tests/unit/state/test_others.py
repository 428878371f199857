"""A flood of causes: the foremost keep items of their own, all others are one item, and no event is lost or doubled."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from probable_cause.schemas import OTHERS
from probable_cause.state.application import add_repeats, load_events, renew
from probable_cause.state.event_item import Repeats, batch_stamp
from probable_cause.state.memory import memory_tables
from probable_cause.state.others import admitted
from probable_cause.state.tables import Tables
from probable_cause.verdict import DEFAULT
from tests.unit.state.test_event_item import T0, repeats

MOST = 5
NOW = T0 + timedelta(minutes=10)


def cause(number: int, events: int = 1, relevance: float = 5.0, seconds: float = 0.0) -> Repeats:
    """A symptom of its own, with `events` events that no other has."""
    ids = [1000 * number + one for one in range(events)]
    times = [seconds + one for one in range(events)]
    return repeats(times, ids, cause_id=f"error {number:04d}", relevance=relevance, summary=f"error {number}")


def write(tables: Tables, rows: list[Repeats], batch: int) -> int:
    return add_repeats(tables, "shop", rows, batch_stamp(1, batch), 4, NOW, own_causes=MOST)


def counts(tables: Tables) -> dict[str, int]:
    return {one.event.cause_id: one.event.count for one in load_events(tables, "shop").values()}


def test_the_foremost_keep_their_items_and_the_others_are_one() -> None:
    tables = memory_tables()
    rows = [cause(number, events=1 + number % 3, relevance=5 + number % 2) for number in range(40)]
    random.Random(1).shuffle(rows)
    write(tables, rows, 0)
    found = counts(tables)
    foremost = sorted(rows, key=lambda row: (-row.relevance, -row.count, row.cause_id))[:MOST]
    # Odd numbers are more relevant and take all the room.
    assert set(found) == {OTHERS, *(row.cause_id for row in foremost)}
    assert sum(found.values()) == sum(row.count for row in rows)
    before = tables.events.scan()
    write(tables, rows, 0)
    assert tables.events.scan() == before


def test_a_lasting_flood_keeps_the_table_small_and_every_count() -> None:
    tables, seed = memory_tables(), random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    rng, total = random.Random(seed), 0
    for batch in range(30):
        rows = [cause(100 * batch + n, rng.randint(1, 3), rng.choice([3.0, 5.0]), batch) for n in range(20)]
        write(tables, rows, batch)
        total += sum(row.count for row in rows)
        if rng.random() < 0.3:  # replayed, or delivered again with the next batch
            write(tables, rng.sample(rows, 10), batch + rng.randint(0, 1))
    found = counts(tables)
    assert len(found) <= 2 * MOST + 1  # two relevances, and the others
    assert sum(found.values()) == total


def test_what_weighs_more_has_room_in_a_flood() -> None:
    tables = memory_tables()
    write(tables, [cause(number) for number in range(50)], 0)
    write(tables, [cause(900, relevance=9.0), replace(cause(901), role="cause")], 1)
    assert {"error 0900", "error 0901"} <= set(counts(tables))


@pytest.mark.parametrize(
    ("change", "admitted_then"),
    [({}, False), ({"status": "resolved"}, True), ({"last_seen": T0 - timedelta(days=1)}, True)],
    ids=["they take the room", "what is resolved leaves room", "what is past its window leaves room"],
)
def test_room(change: dict[str, object], admitted_then: bool) -> None:
    tables = memory_tables()
    write(tables, [cause(number) for number in range(MOST)], 0)
    events = [replace(one.event, **change) for one in load_events(tables, "shop").values()]  # type: ignore[arg-type]
    (row,) = admitted([cause(77)], events, MOST)
    assert (row.cause_id == "error 0077") is admitted_then


def test_an_event_that_moves_between_its_item_and_the_others_counts_once() -> None:
    tables, small, large = memory_tables(), cause(99), [cause(number, events=2) for number in range(MOST)]
    write(tables, [*large, small], 0)
    assert counts(tables)[OTHERS] == 1
    # Alone, it would have an item: but its event is among the others already.
    add_repeats(tables, "shop", [small], batch_stamp(1, 1), 4, NOW)
    assert sum(counts(tables).values()) == 2 * MOST + 1
    # And back: what has an item comes again as one of the others.
    add_repeats(tables, "shop", [replace(large[0], cause_id=OTHERS, role=OTHERS)], batch_stamp(1, 2), 4, NOW)
    assert sum(counts(tables).values()) == 2 * MOST + 1


def test_no_verdict_names_the_others() -> None:
    tables = memory_tables()
    write(tables, [replace(cause(number), role="cause") for number in range(50)], 0)
    later = NOW + timedelta(hours=5)
    late = replace(cause(500, relevance=5.0, seconds=3600), cause_id=OTHERS, role=OTHERS)
    write(tables, [late], 1)
    for now in (NOW, later):
        verdict = renew(tables, "shop", now, DEFAULT).verdict
        shown = [one.event for one in verdict.layers.values()] + [one.event for one in verdict.ranking]
        named = {event.cause_id for event in shown if event}
        assert named
        assert OTHERS not in named
