"""The scout and the reader against Kinesis implementations that we did not write, over HTTP. No Spark."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from probable_cause.errors import SourceError
from probable_cause.sources.connection import Connection
from probable_cause.sources.positions import Offset
from probable_cause.sources.scout import Limits, Scout
from probable_cause.sources.stream import Stream, open_stream
from tests.aws.kinesis_emulators import REGION, Emulator, kinesis_local, moto_server
from tests.unit.sources.engine import Engine


@pytest.fixture(scope="module", params=["moto", "kinesis-local"])
def emulator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    with moto_server(folder) if request.param == "moto" else kinesis_local(folder) as running:
        yield running


@pytest.fixture(scope="module")
def resharding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with kinesis_local(tmp_path_factory.mktemp("emulator")) as running:
        yield running


class Live(Engine):
    """The engine of the unit tests on a real endpoint."""

    def __init__(self, emulator: Emulator, stream: str, limits: Limits, initial: str = "TRIM_HORIZON") -> None:
        self.connection = Connection(stream, REGION, emulator.url)
        super().__init__(_Named(stream), limits, initial)  # type: ignore[arg-type]

    def crash(self) -> None:
        self.stream: Stream = open_stream(self.connection)
        self.scout = Scout(self.stream, self.limits, threads=4)

    def until(self, count: int, seconds: float = 60) -> None:
        """Batches until there are `count` rows."""
        deadline = time.monotonic() + seconds
        while len(self.rows()) < count:
            assert time.monotonic() < deadline, f"{len(self.rows())} of {count} records after {seconds} s"
            if not self.step():
                time.sleep(0.1)


class _Named:
    def __init__(self, name: str) -> None:
        self.name = name


def put(client: Any, stream: str, first: int, count: int) -> list[bytes]:
    data = [b"%d" % number for number in range(first, first + count)]
    for start in range(0, count, 100):
        entries = [{"Data": one, "PartitionKey": one.decode()} for one in data[start : start + 100]]
        answer = client.put_records(StreamName=stream, Records=entries)
        assert answer["FailedRecordCount"] == 0
    return data


def once(engine: Engine, expected: list[bytes]) -> None:
    got = [row[2] for row in engine.rows()]
    assert len(got) == len(expected)
    assert sorted(got) == sorted(expected)
    for shard in {row[0] for row in engine.rows()}:
        seqs = [int(row[1]) for row in engine.rows() if row[0] == shard]
        assert seqs == sorted(seqs), f"{shard} out of order"


def test_every_record_once_over_restarts_and_replays(emulator: Emulator) -> None:
    client = emulator.stream("restarts", 3)
    engine = Live(emulator, "restarts", Limits(300, 1000, "fail"))
    dice = random.Random(4)
    expected: list[bytes] = []
    for _ in range(12):
        expected += put(client, "restarts", len(expected), dice.randint(1, 80))
        if dice.random() < 0.4:
            engine.crash()
        if engine.plan():
            first = engine.read()
            put_between = put(client, "restarts", len(expected), 3)
            expected += put_between
            assert engine.read() == first, "a replay reads the same"
            engine.batches.append(first[0])
        time.sleep(dice.choice([0, 0.2]))
    engine.until(len(expected))
    once(engine, expected)
    time.sleep(0.5)
    assert not engine.step(), "nothing new"


def test_latest(emulator: Emulator) -> None:
    client = emulator.stream("latest", 2)
    put(client, "latest", 0, 50)
    time.sleep(0.2)
    engine = Live(emulator, "latest", Limits(0, 30_000, "fail"), "LATEST")
    assert engine.step()
    engine.crash()
    time.sleep(0.2)
    expected = put(client, "latest", 1000, 50)
    engine.until(50)
    once(engine, expected)


def test_a_missing_stream(emulator: Emulator) -> None:
    engine = Live(emulator, "nowhere", Limits(0, 30_000, "fail"))
    with pytest.raises(SourceError, match="There is no stream nowhere at http"):
        engine.step()


def test_a_stream_made_anew(emulator: Emulator) -> None:
    client = emulator.stream("anew", 1)
    put(client, "anew", 0, 5)
    engine = Live(emulator, "anew", Limits(0, 30_000, "fail"))
    engine.until(5)
    client.delete_stream(StreamName="anew")
    for _ in range(100):
        if "anew" not in client.list_streams()["StreamNames"]:
            break
        time.sleep(0.05)
    time.sleep(0.05)
    emulator.stream("anew", 1)
    engine.crash()
    with pytest.raises(SourceError, match="created anew"):
        engine.step()


@pytest.mark.parametrize("seed", [1, 2])
def test_reshards_under_load_and_while_the_job_is_down(resharding: Emulator, seed: int) -> None:
    name = f"reshards{seed}"
    client = resharding.stream(name, 2)
    dice = random.Random(seed)
    engine = Live(resharding, name, Limits(200, 2000, "fail"))
    engine.scout.stream.patience = 20
    expected: list[bytes] = []
    for _ in range(8):
        expected += put(client, name, len(expected), dice.randint(20, 60))
        reshard(client, name, dice)
        expected += put(client, name, len(expected), dice.randint(0, 40))
        resharding.wait_active(name)
        if dice.random() < 0.3:
            engine.crash()
        for _ in range(dice.choice([0, 1, 3])):
            engine.step()
    engine.until(len(expected))
    once(engine, expected)
    shards = client.list_shards(StreamName=name)["Shards"]
    assert len(shards) > 10, "it was resharded"
    parents = {shard["ShardId"]: [shard.get("ParentShardId"), shard.get("AdjacentParentShardId")] for shard in shards}
    batch_of = [(row[0], number) for number, batch in enumerate(engine.batches) for row in batch]
    for shard, number in batch_of:
        for parent in filter(None, parents[shard]):
            late = [other for name, other in batch_of if name == parent and other >= number]
            assert not late, f"seed {seed}: {shard} begun before {parent} was drained"


def reshard(client: Any, stream: str, dice: random.Random) -> None:
    """A split, a merge of neighbours, or a new shard count, at random."""
    shards = client.list_shards(StreamName=stream, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    shards.sort(key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
    kind = dice.choice(["split", "merge", "count"]) if len(shards) > 1 else "split"
    if kind == "split":
        one = dice.choice(shards)
        low, high = (int(one["HashKeyRange"][key]) for key in ("StartingHashKey", "EndingHashKey"))
        middle = str((low + high) // 2 + 1)
        client.split_shard(StreamName=stream, ShardToSplit=one["ShardId"], NewStartingHashKey=middle)
    elif kind == "merge":
        at = dice.randrange(len(shards) - 1)
        left, right = shards[at]["ShardId"], shards[at + 1]["ShardId"]
        client.merge_shards(StreamName=stream, ShardToMerge=left, AdjacentShardToMerge=right)
    else:
        target = max(1, min(len(shards) * 2, 6)) if dice.random() < 0.5 else max(1, len(shards) // 2)
        if target != len(shards):
            client.update_shard_count(StreamName=stream, TargetShardCount=target, ScalingType="UNIFORM_SCALING")


def test_the_offset_says_where_each_shard_stands(emulator: Emulator) -> None:
    client = emulator.stream("offsets", 2)
    put(client, "offsets", 0, 20)
    engine = Live(emulator, "offsets", Limits(0, 30_000, "fail"))
    engine.until(20)
    offset = Offset.from_json(json.loads(engine.start), "offsets")
    newest = {row[0]: row[1] for row in engine.rows()}
    assert {shard: position.seq for shard, position in offset.shards.items()} == newest
