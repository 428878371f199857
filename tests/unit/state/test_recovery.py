"""A batch that is cut off at any of its writes and then replayed leaves the tables of a batch that never failed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from probable_cause.state import tables
from probable_cause.state.application import act, add_repeats, renew
from probable_cause.state.event_item import Repeats, batch_stamp, from_item
from probable_cause.state.memory import MemoryTable, memory_tables
from probable_cause.state.tables import Tables, Write
from probable_cause.verdict import DEFAULT
from tests.unit.state.test_event_item import T0, repeats

NOW = T0 + timedelta(hours=1)


class CrashError(Exception):
    """The process died."""


class Crashing(MemoryTable):
    """A table whose process dies after `left` more writes have been applied (None: never)."""

    left: list[int | None]

    def apply(self, write: Write) -> bool:
        if self.left[0] == 0:
            raise CrashError
        done = super().apply(write)
        if done and self.left[0] is not None:
            self.left[0] -= 1
        return done


def crashing_tables(left: list[int | None]) -> Tables:
    made = [Crashing(definition) for definition in tables.ALL]
    for table in made:
        table.left = left
    return Tables(*made)


def reboot(seconds: float, ids: list[int]) -> Repeats:
    row = repeats([seconds + i for i in range(len(ids))], ids)
    return replace(
        row,
        event_type="cloudsystem",
        cause_id="RebootInstances on i-1",
        role="cause",
        rule_id="reboot-instances",
        family="cloudtrail",
        summary="ana rebooted i-1",
        action="RebootInstances",
        outcome="success",
        actor="ana",
        actor_type="person",
        explains=("connectivity",),
        symptom=None,
        half_life_seconds=86400,
        window_seconds=259200,
    )


BATCHES = [
    [reboot(0, [100])],
    # Three causes, one of them with a silence inside (two episodes), one redelivered in part.
    [repeats([60, 61, 62, 30_000], [1, 2, 3, 4]), reboot(3600, [100, 101])],
    [repeats([63, 64], [3, 5])],
]


def play(made: Tables, left: list[int | None], crash_in: int | None, crash_after: int) -> None:
    """All batches in order; the one that crashes is replayed."""
    for number, rows in enumerate(BATCHES):
        left[0] = crash_after if number == crash_in else None
        try:
            run(made, rows, number)
        except CrashError:
            left[0] = None
            run(made, rows, number)


def run(made: Tables, rows: list[Repeats], number: int) -> None:
    add_repeats(made, "shop", rows, batch_stamp(1, number), 1000, NOW)
    renew(made, "shop", NOW + timedelta(minutes=number), DEFAULT, NOW)


def content(made: Tables) -> list[dict[str, Any]]:
    """All items, without the number of times that a current one was written."""
    return [{k: v for k, v in item.items() if k != "Revision"} for t in (made.events, made.states) for item in t.scan()]


def clean() -> Tables:
    left: list[int | None] = [None]
    made = crashing_tables(left)
    play(made, left, None, 0)
    return made


def writes_of(batch: int) -> int:
    made = crashing_tables([None])
    for number, rows in enumerate(BATCHES[: batch + 1]):
        before = made.events.writes + made.states.writes  # type: ignore[attr-defined]
        run(made, rows, number)
    return made.events.writes + made.states.writes - before  # type: ignore[attr-defined,no-any-return]


CRASHES = [(batch, write) for batch in range(len(BATCHES)) for write in range(writes_of(batch))]


@pytest.mark.parametrize(("batch", "write"), CRASHES)
def test_killed_at_any_write_and_replayed(batch: int, write: int) -> None:
    left: list[int | None] = [None]
    made = crashing_tables(left)
    play(made, left, batch, write)
    assert content(made) == content(clean())


def test_the_clean_run_is_what_it_should_be() -> None:
    assert len(CRASHES) > 15
    events = {item["EventKey"]: item["Count"] for item in clean().events.scan()}
    assert events == {
        "network#REJECT on Instance 10.1.1.10#1": 4,
        "network#REJECT on Instance 10.1.1.10#2": 1,
        "cloudsystem#RebootInstances on i-1#1": 2,
    }


def test_operators_and_the_stream_at_once() -> None:
    """Sixteen hands on one application: counts are exact, and the last action of each operator stands (I1, I2)."""
    from concurrent.futures import ThreadPoolExecutor

    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)
    made = memory_tables()
    run(made, [repeats([0], [0])], 0)
    ids = list(range(1, 401))
    rng.shuffle(ids)
    batches = [ids[i : i + 20] for i in range(0, 400, 20)]

    def stream() -> None:
        for number, chosen in enumerate(batches, 1):
            row = repeats([float(i) for i in chosen], chosen)
            add_repeats(made, "shop", [row], batch_stamp(1, number), 1000, NOW)

    def operate(name: int) -> int:
        acted = 0
        for turn in range(10):
            status = "acknowledged" if turn % 2 else "open"
            try:
                act(made, "shop", "network", status, f"operator-{name}", NOW + timedelta(seconds=turn), None, "REJECT")  # type: ignore[arg-type]
                acted += 1
            except Exception as exc:
                assert "somebody else" in str(exc)
        return acted

    with ThreadPoolExecutor(16) as pool:
        streamed = pool.submit(stream)
        acted = sum(pool.map(operate, range(15)))
        streamed.result()
    (item,) = made.events.query("shop")
    event = from_item(item).event
    assert event.count == 401
    assert acted > 0
    assert event.status_by is not None
    assert datetime(2026, 3, 1, tzinfo=UTC) < event.first_seen
