"""Two DynamoDB implementations do what the tables in memory do. Under load: sixteen operators and the stream on their
items, through a proxy that throttles and loses answers: counts are exact (I1), no action is overwritten unseen (I2)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.state import dynamodb
from probable_cause.state.application import add_repeats, renew
from probable_cause.state.event_item import batch_stamp, from_item
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Write
from probable_cause.verdict import DEFAULT
from tests.aws.kinesis_emulators import REGION, dynalite
from tests.chaos.account import make_tables
from tests.chaos.operators import Operators
from tests.chaos.proxy import Faults, proxy
from tests.unit.state.test_event_item import T0, repeats

EVENTS, BATCHES = 200, 10


@pytest.fixture(params=["dynalite", "moto"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "dynalite":
        with dynalite(tmp_path) as running:
            yield running
    else:
        with embedded_aws(free_port(), tmp_path / "moto.log") as running:
            yield running


KEY = {"ApplicationId": "shop", "StateKey": "overall#current"}
# Each on what the ones before left, with whether it is written and what is there then, beside the key.
WRITES: list[tuple[Write, bool, dict[str, Any]]] = [
    (Write(KEY, {"A": 1, "B": [], "C": None}, {"Revision": None}), True, {"A": 1, "B": []}),
    (Write(KEY, {"A": 2}, {"A": 2}), False, {"A": 1, "B": []}),
    (Write(KEY, {"A": None, "Revision": 1}, {"A": 1}), True, {"B": [], "Revision": 1}),
    (Write(KEY, {"B": "b"}, {"Revision": 1}, {"B": []}), False, {"B": [], "Revision": 1}),
    (Write(KEY, {"B": "b"}, {"Revision": 1}, {"B": "b"}), True, {"B": "b", "Revision": 1}),
    (Write(KEY, {"D": b"d"}, {"Revision": None}, whole=True), False, {"B": "b", "Revision": 1}),
    (Write(KEY, {"D": b"d", "E": None}, {"Revision": 1}, whole=True), True, {"D": b"d"}),
    (Write(KEY, {"F": {"a": 0.5}}, whole=True), True, {"F": {"a": 0.5}}),
]


def test_a_write_does_the_same_in_memory(url: str) -> None:
    make_tables(url, "same.")
    for made in (dynamodb.connect(REGION, url, "same.").states, memory_tables().states):
        for number, (write, written, after) in enumerate(WRITES):
            assert made.apply(write) is written, number
            assert made.get(KEY) == {**KEY, **after}, number


def test_operators_and_the_stream_on_a_bad_day(url: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    make_tables(url, "load.")
    faults = Faults(seed, throttled=0.2, lost_answers=0.02)
    with proxy(url, url, faults) as shaky:
        made = dynamodb.connect(REGION, shaky, "load.")
        causes = [f"REJECT on Instance 10.1.1.{n}" for n in range(3)]
        keys = [("shop", f"network#{cause}#1") for cause in causes]
        operators = Operators(dynamodb.connect(REGION, shaky, "load."), keys, seed, hands=16, pause=0.05)

        def stream(number: int) -> None:
            """One cause's events in batches; each batch is played twice, as after a crash, and overlaps the next."""
            order = list(range(EVENTS))
            dice_of = random.Random(seed + number)
            dice_of.shuffle(order)
            size = EVENTS // BATCHES
            for batch in range(BATCHES):
                ids = order[max(batch * size - 5, 0) : (batch + 1) * size]
                row = repeats([float(one) for one in ids], ids, cause_id=causes[number])
                for _ in range(2):
                    add_repeats(made, "shop", [row], batch_stamp(1, batch), 64, T0)

        with ThreadPoolExecutor(4) as pool:
            operators.start()
            for done in [pool.submit(stream, number) for number in range(3)]:
                done.result()
            operators.stop()
        faults.on = False
        assert renew(made, "shop", T0, DEFAULT).verdict.application_id == "shop"
        items = {one["EventKey"]: one for one in made.events.query("shop")}
    assert {key: item["Count"] for key, item in items.items()} == {key: EVENTS for _, key in keys}
    final, overwritten = operators.flags()
    assert not overwritten
    assert not operators.faults
    assert operators.actions, "somebody acted"
    for (_, key), allowed in final.items():
        assert tuple(items[key].get(name) for name in ("Status", "StatusBy", "StatusAt")) in allowed
        assert from_item(items[key]).event.first_seen == T0
    assert faults.seen["throttled"] > 50
    assert faults.seen["lost"] > 5
