"""The tables' part alone, without Spark: many more events and crashes than processes could be killed in the same time.

    python -m tests.chaos.tables_only --events 1000000 --crashes 500

Facts of a seeded stream come in batches, some of them again and again, out of order. A batch may crash at any write and
is then replayed; a checkpoint may be lost, and the stream is read again from its beginning under a new epoch. What the
tables hold is compared with the same oracle.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from probable_cause.state import tables
from probable_cause.state.application import add_repeats
from probable_cause.state.chunks import Chunks
from probable_cause.state.event_item import Repeats, batch_stamp
from probable_cause.state.identity import is_chunk
from probable_cause.state.memory import MemoryTable
from probable_cause.state.moments import from_millis
from probable_cause.state.tables import Tables, Write
from tests.chaos import oracle
from tests.chaos.oracle import Comparison
from tests.chaos.workload import Fact, Maker, Shape

HORIZON = 86_400.0


class CrashError(Exception):
    pass


class Crashing(MemoryTable):
    """Dies before or after the write that is `left` writes away (None: never)."""

    left: int | None = None
    after = False

    def apply(self, write: Write) -> bool:
        if self.left is None:
            return super().apply(write)
        self.left -= 1
        if self.left >= 0:
            return super().apply(write)
        self.left = None
        if self.after:
            super().apply(write)
        raise CrashError


@dataclass
class Outcome:
    facts: int
    batches: int
    crashes: int
    epochs: int
    chunks: int
    compared: Comparison
    seconds: float


def run(seed: int, events: int, crashes: int, lost_checkpoints: int, remembered: int = 64) -> Outcome:
    dice = random.Random(seed)
    start = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    # Everything of interest: it is the tables that are tried.
    maker = Maker(seed, Shape(events, of_interest=0.5, redelivered=0, poison=0), start)
    facts = maker.make().facts
    began = time.monotonic()
    made = Tables(*(Crashing(definition) for definition in tables.ALL))
    delivered = _delivered(facts, dice)
    batches = list(_cut(delivered, dice))
    crash_in = set(dice.sample(range(len(batches)), min(crashes, len(batches))))
    lost_after = set(dice.sample(range(len(batches)), min(lost_checkpoints, len(batches))))
    epoch, number, crashed, chunks = 1, 0, 0, Chunks(made.events)
    for index, batch in enumerate(batches):
        for attempt in range(3):
            if index in crash_in and attempt < dice.choice((1, 1, 2)):
                made.events.left = dice.randrange(30)  # type: ignore[attr-defined]
                made.events.after = dice.random() < 0.5  # type: ignore[attr-defined]
            try:
                _write(made, batch, batch_stamp(epoch, number), remembered, chunks, dice)
                made.events.left = None  # type: ignore[attr-defined]
                break
            except CrashError:
                crashed += 1
                chunks = Chunks(made.events)  # a new driver knows nothing
        number += 1
        if index in lost_after:
            epoch += 1
            again = batches[max(0, index - 40) : index + 1]  # what the stream still keeps
            for number, old in enumerate(again):
                _write(made, old, batch_stamp(epoch, number), remembered, chunks, dice)
            number = len(again)
    items = made.events.scan()
    found = oracle.compare([one for one in items if not is_chunk(one)], oracle.expected(facts))
    listed = sum(map(is_chunk, items))
    return Outcome(len(facts), len(batches), crashed, epoch, listed, found, time.monotonic() - began)


def _delivered(facts: Sequence[Fact], dice: random.Random) -> list[Fact]:
    """8 % come again, at any later time; all overtake each other a little."""
    placed = [(place + dice.uniform(0, 50), fact) for place, fact in enumerate(facts)]
    for place, fact in enumerate(facts):
        if dice.random() < 0.08:
            placed.append((dice.uniform(place, len(facts)), fact))
    return [fact for _, fact in sorted(placed, key=lambda pair: pair[0])]


def _cut(facts: Sequence[Fact], dice: random.Random) -> Iterator[list[Fact]]:
    place = 0
    while place < len(facts):
        size = dice.choice((1, 10, 100, 400, 1500))
        yield list(facts[place : place + size])
        place += size


def _write(
    made: Tables, batch: Iterable[Fact], stamp: str, remembered: int, chunks: Chunks, dice: random.Random
) -> None:
    rows: dict[str, dict[tuple[str, str], dict[str, Fact]]] = defaultdict(lambda: defaultdict(dict))
    for fact in batch:
        rows[fact.application_id][fact.event_type, fact.cause][fact.event_id] = fact
    order = list(rows)
    dice.shuffle(order)  # applications are written by threads
    for application in order:
        folded = [_folded(list(distinct.values())) for distinct in rows[application].values()]
        add_repeats(made, application, folded, stamp, remembered, from_millis(0) + timedelta(1), HORIZON, chunks)


def _folded(facts: Sequence[Fact]) -> Repeats:
    """As fold.py makes it of distinct events."""
    newest = max(facts, key=lambda fact: (fact.at, fact.event_id))
    return Repeats(
        application_id=newest.application_id,
        event_type=newest.event_type,
        cause_id=newest.cause,
        role=newest.role,
        rule_id="rule",
        family="vpc_flow",
        relevance=8.0,
        half_life_seconds=3600,
        window_seconds=6 * 3600,
        first_seen=from_millis(min(fact.at for fact in facts)),
        last_seen=from_millis(newest.at),
        count=len(facts),
        summary=newest.summary or "",
        message=newest.message,
        action=None,
        outcome=None,
        error_code=None,
        actor=None,
        actor_type=None,
        resource_ids=(),
        addresses=(),
        explains=(),
        symptom=None,
        resolves=(),
        occurrences=tuple(sorted((fact.at, int(fact.event_id) % 2**63) for fact in facts)),
        sample_event_ids=(newest.event_id,),
        delivered_at=None,
        arrived_at=None,
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tables", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=100_000, help="log lines; about half are of interest")
    parser.add_argument("--crashes", type=int, default=200)
    parser.add_argument("--lost-checkpoints", type=int, default=5)
    parser.add_argument("--remembered", type=int, default=1024, help="events that an item remembers itself")
    chosen = parser.parse_args(arguments)
    done = run(chosen.seed, chosen.events, chosen.crashes, chosen.lost_checkpoints, chosen.remembered)
    sys.stdout.write(
        f"seed {chosen.seed}: {done.facts:,} events in {done.batches:,} batches, {done.crashes} crashes, "
        f"{done.epochs - 1} lost checkpoints, {done.chunks:,} chunks, {done.seconds:.0f} s\n"
        f"{done.compared.cells:,} cells, {len(done.compared.differences)} differ: {done.compared.lost} events lost, "
        f"{done.compared.double} counted twice\n"
    )
    for line in done.compared.differences[:10]:
        sys.stdout.write(f"{line[:300]}\n")
    return 1 if done.compared.differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
