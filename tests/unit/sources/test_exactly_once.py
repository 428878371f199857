"""Every record once, in order, whatever the batch boundaries, replays, crashes and reshards. Random histories."""

from __future__ import annotations

import random

import pytest

from probable_cause.sources.scout import Limits
from tests.unit.sources.engine import Engine
from tests.unit.sources.fake_kinesis import FakeKinesis

SEEDS = range(60)


def history(seed: int) -> tuple[FakeKinesis, Engine, random.Random]:
    """A stream and a reader with habits drawn from `seed`."""
    dice = random.Random(seed)
    kinesis = FakeKinesis(
        random.Random(seed + 1),
        shard_count=dice.randint(1, 6),
        disorder_ms=dice.choice([0, 0, 300, 5000]),
        chance_throttle=dice.choice([0, 0.1, 0.3]),
        chance_error=dice.choice([0, 0.02]),
        chance_empty=dice.choice([0, 0.2, 0.6]),
        max_page=dice.choice([1, 3, 20, 10_000]),
        list_page=dice.choice([2, 1000]),
    )
    limits = Limits(dice.choice([0, 200, 1000]), dice.choice([500, 5000, 30_000]), "fail")
    return kinesis, Engine(kinesis, limits, per_task=dice.randint(1, 4)), dice


def live(kinesis: FakeKinesis, engine: Engine, dice: random.Random, steps: int, reshard: float) -> list[bytes]:
    """Producers, operators and the job at once; returns what was put."""
    put: list[bytes] = []
    for _ in range(steps):
        for _ in range(dice.choice([0, 0, 1, 2, 10, 40])):
            put.append(b"%d" % len(put))
            kinesis.put(put[-1])
        kinesis.pass_time(dice.choice([1, 50, 400, 3000, 20_000, 400_000]))
        if dice.random() < reshard:
            for _ in range(dice.randint(1, 3)):
                kinesis.reshard()
        for _ in range(dice.choice([0, 0, 1, 1, 3])):  # 0: the job is down, or slow
            run_batch(engine, dice)
    return put


def run_batch(engine: Engine, dice: random.Random) -> None:
    """A batch, perhaps with a second attempt, perhaps with the death of the driver between plan and commit."""
    if dice.random() < 0.1:
        engine.crash()
    if not engine.plan():
        return
    if dice.random() < 0.3:
        first = engine.read()
        engine.kinesis.put(b"between")  # a replay must not see it
        if dice.random() < 0.5:
            engine.crash()
        assert engine.read() == first
    rows, gaps = engine.read()
    engine.batches.append(rows)
    engine.gaps += gaps


@pytest.mark.parametrize("seed", SEEDS)
def test_every_record_once_over_batches_replays_crashes_and_reshards(seed: int) -> None:
    kinesis, engine, dice = history(seed)
    everything = {shard.id: shard for shard in kinesis.shards.values()}
    put = live(kinesis, engine, dice, steps=60, reshard=0.08)
    engine.drain()
    everything |= kinesis.shards
    got = engine.rows()
    assert sorted(row[2] for row in got if row[2] != b"between") == sorted(put), f"seed {seed}"
    assert len(set(row[:2] for row in got)) == len(got), f"seed {seed}: a record twice"
    for shard in everything.values():
        mine = [row[1] for row in got if row[0] == shard.id]
        assert mine == [str(record.seq) for record in shard.records], f"seed {seed}: order within {shard.id}"
    assert not engine.gaps


@pytest.mark.parametrize("seed", SEEDS)
def test_children_only_after_all_of_their_parents(seed: int) -> None:
    kinesis, engine, dice = history(seed)
    live(kinesis, engine, dice, steps=40, reshard=0.3)
    engine.drain()
    for shard in kinesis.shards.values():
        batches = [number for number, batch in enumerate(engine.batches) for row in batch if row[0] == shard.id]
        for parent in shard.parents:
            before = [number for number, batch in enumerate(engine.batches) for row in batch if row[0] == parent]
            if batches and before:
                assert max(before) < min(batches), f"seed {seed}: {shard.id} begun before {parent} was drained"


@pytest.mark.parametrize("seed", range(20))
def test_clocks_that_jump_lose_nothing_and_do_not_stop_the_job(seed: int) -> None:
    """This machine's clock is set hours ahead and back while the stream is resharded; Kinesis keeps its own time."""
    kinesis, engine, dice = history(seed)
    skew = [0.0]
    true = engine.stream.clock

    def jump() -> None:
        skew[0] = dice.choice([0, 0, -7200, -60, 60, 7200])
        engine.stream.clock = lambda: true() + skew[0]

    put: list[bytes] = []
    for step in range(40):
        jump()
        for _ in range(dice.choice([0, 1, 10])):
            put.append(b"%d" % len(put))
            kinesis.put(put[-1])
        kinesis.pass_time(dice.choice([50, 400, 3000, 20_000]))
        if step % 9 == 4:
            kinesis.reshard()
        engine.step()
    engine.stream.clock = true
    engine.drain()
    assert sorted(row[2] for row in engine.rows()) == sorted(put), f"seed {seed}"


@pytest.mark.parametrize("seed", range(30))
def test_reshards_while_the_job_is_down(seed: int) -> None:
    kinesis, engine, dice = history(seed)
    put = live(kinesis, engine, dice, steps=10, reshard=0.1)
    engine.crash()
    for _ in range(6):  # children, grandchildren and so on, none of them seen by the job
        for _ in range(20):
            put.append(b"%d" % len(put))
            kinesis.put(put[-1])
        kinesis.pass_time(60_000)
        kinesis.reshard()
    engine.drain()
    assert sorted(row[2] for row in engine.rows() if row[2] != b"between") == sorted(put), f"seed {seed}"


@pytest.mark.parametrize("seed", range(20))
def test_latest_begins_at_the_first_look_and_stays_there(seed: int) -> None:
    kinesis, _, dice = history(seed)
    engine = Engine(kinesis, Limits(0, 30_000, "fail"), initial="LATEST")
    kinesis.disorder_ms = 0
    for _ in range(30):
        kinesis.put(b"before")
    kinesis.reshard()
    kinesis.pass_time(10)
    assert engine.plan(), "the positions are fixed by an empty batch"
    engine.crash()
    assert engine.read() == ([], [])
    engine.batches.append([])
    put = []
    for _ in range(10):
        put.append(b"%d" % len(put))
        kinesis.put(put[-1])
        kinesis.pass_time(dice.choice([10, 3000]))
        if dice.random() < 0.3:
            kinesis.reshard()
        if dice.random() < 0.3:
            engine.crash()
        engine.step()
    engine.drain()
    assert sorted(row[2] for row in engine.rows()) == sorted(put), f"seed {seed}"
