"""The source as Spark calls it, method by method, on a stream in memory: what Spark 4.1 does and what 4.2 does."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from pyspark import cloudpickle

from probable_cause.arrow_schema import arrow_schema
from probable_cause.errors import SettingsError, SourceError
from probable_cause.schemas import EVENT, column_names
from probable_cause.sources import kinesis as source
from probable_cause.sources import read_stream
from probable_cause.sources.kinesis import KinesisDataSource, KinesisStreamReader
from tests.unit.sources.engine import stream_of
from tests.unit.sources.fake_kinesis import FakeKinesis

OPTIONS = {"streamName": "logs", "routing": '[["^/app/(?P<application_id>[^/]+)", "application", null, null]]'}


def envelope(number: int) -> bytes:
    event = {"id": str(number), "timestamp": 1_800_000_000_000 + number, "message": f"ERROR line {number}"}
    body = {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/app/web", "logStream": "s", "logEvents": [event]}
    return json.dumps(body).encode()


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> FakeKinesis:
    kinesis = FakeKinesis(random.Random(11), shard_count=3)
    monkeypatch.setattr(source, "open_stream", lambda connection: stream_of(kinesis))
    return kinesis


def put(kinesis: FakeKinesis, first: int, count: int) -> None:
    for number in range(first, first + count):
        kinesis.put(envelope(number))
        kinesis.pass_time(10)
    kinesis.pass_time(2000)


def reader(**options: str) -> KinesisStreamReader:
    return KinesisDataSource({**OPTIONS, **options}).streamReader(None)


def logged(offset: Any) -> Any:
    """An offset after its way through Spark's log."""
    return json.loads(json.dumps(offset))


def ids(one: KinesisStreamReader, start: Any, end: Any) -> list[str]:
    """Event ids of a batch; partitions and reader go through pickle, as to the executors."""
    remote = pickle.loads(cloudpickle.dumps(KinesisStreamReader(one.options)))  # noqa: S301
    found: list[str] = []
    for partition in one.partitions(logged(start), logged(end)):
        for batch in remote.read(pickle.loads(cloudpickle.dumps(partition))):  # noqa: S301
            assert isinstance(batch, pa.RecordBatch)
            assert batch.schema == arrow_schema(EVENT)
            found += batch.column("event_id").to_pylist()
    return sorted(found, key=int)


def numbers(first: int, count: int) -> list[str]:
    return [str(number) for number in range(first, first + count)]


def test_making_a_reader_calls_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: object) -> None:
        raise AssertionError("a call from __init__ or initialOffset")

    monkeypatch.setattr(source, "open_stream", fail)
    assert reader().initialOffset() == reader().initialOffset() == {"v": 1, "stream": "logs", "initial": "TRIM_HORIZON"}


def test_spark_4_1_calls_without_arguments_and_the_position_is_learnt_in_partitions(kinesis: FakeKinesis) -> None:
    one = reader()
    start = one.initialOffset()
    put(kinesis, 0, 30)
    end = one.latestOffset()
    assert ids(one, start, end) == numbers(0, 30)
    put(kinesis, 30, 10)
    later = one.latestOffset()
    assert ids(one, end, later) == numbers(30, 10)
    assert json.dumps(one.latestOffset()) == json.dumps(later), "nothing new: the same text"


def test_an_offset_that_spark_did_not_use_is_not_taken_for_done(kinesis: FakeKinesis) -> None:
    one = reader()
    put(kinesis, 0, 5)
    one.latestOffset()
    put(kinesis, 5, 5)
    assert ids(one, one.initialOffset(), one.latestOffset()) == numbers(0, 10)


def test_a_restart_on_spark_4_1_shows_the_last_offset_and_replays_the_batch(kinesis: FakeKinesis) -> None:
    first = reader()
    put(kinesis, 0, 30)
    committed = logged(first.latestOffset())
    first.partitions(first.initialOffset(), committed)
    put(kinesis, 30, 10)
    unfinished = logged(first.latestOffset())
    before = ids(first, committed, unfinished)
    put(kinesis, 40, 10)
    kinesis.split(kinesis.open()[0].id)
    second = reader()
    assert second.partitions(unfinished, unfinished) == []
    assert ids(second, committed, unfinished) == before == numbers(30, 10)
    end = unfinished
    found: list[str] = []
    for _ in range(6):
        start, end = end, logged(second.latestOffset())
        found += ids(second, start, end)
        put(kinesis, 0, 0)
    assert sorted(found, key=int) == numbers(40, 10)


def test_spark_4_2_hands_the_start_in(kinesis: FakeKinesis) -> None:
    one = reader()
    put(kinesis, 0, 30)
    start = logged(one.initialOffset())
    end = logged(one.latestOffset(start, object()))
    assert ids(one, start, end) == numbers(0, 30)
    assert one.latestOffset(end, object()) == end
    assert list(one.latestOffset(end, object())) == list(end), "keys in the same order"


def test_read_may_be_called_again_and_again(kinesis: FakeKinesis) -> None:
    one = reader()
    put(kinesis, 0, 20)
    end = one.latestOffset()
    assert ids(one, one.initialOffset(), end) == ids(one, one.initialOffset(), end) == numbers(0, 20)


def test_a_task_that_is_abandoned_half_way_leaves_nothing_behind(kinesis: FakeKinesis) -> None:
    one = reader()
    put(kinesis, 0, 20)
    end = one.latestOffset()
    batches: Iterator[pa.RecordBatch] = one.read(one.partitions(one.initialOffset(), logged(end))[0])
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert ids(one, one.initialOffset(), end) == numbers(0, 20)


@pytest.mark.parametrize(("per_task", "tasks"), [("1", 3), ("2", 2), ("8", 1)])
def test_several_shards_may_share_a_task(kinesis: FakeKinesis, per_task: str, tasks: int) -> None:
    one = reader(shardsPerTask=per_task)
    put(kinesis, 0, 3)
    for shard in kinesis.open():
        kinesis.put(envelope(3), shard.low)
    kinesis.pass_time(2000)
    start = logged(one.latestOffset())
    one.partitions(one.initialOffset(), start)
    for shard in kinesis.open():
        kinesis.put(envelope(4), shard.low)
    kinesis.pass_time(2000)
    end = logged(one.latestOffset())
    assert len(one.partitions(start, end)) == tasks


def test_a_gap_is_a_rejected_row(kinesis: FakeKinesis) -> None:
    one = reader(onTrimmed="skip")
    put(kinesis, 0, 30)
    start = logged(one.latestOffset())
    one.partitions(one.initialOffset(), start)
    put(kinesis, 30, 30)
    kinesis.pass_time(30 * 3_600_000)
    put(kinesis, 60, 30)
    rows = []
    for _ in range(3):
        end = logged(one.latestOffset())
        rows += [row for part in one.partitions(start, end) for batch in one.read(part) for row in batch.to_pylist()]
        start = end
    gaps = [row for row in rows if row["reject_reason"] == "trimmed"]
    assert sorted(row["position"].split(":")[0] for row in gaps) == sorted(kinesis.shards), "one a shard"
    assert all("may be lost" in row["reject_detail"] for row in gaps)
    assert sorted(int(row["event_id"]) for row in rows if row["event_id"]) == list(range(60, 90))


@pytest.mark.parametrize("value", [{"v": 1, "stream": "other", "initial": "LATEST"}, {"shards": 3}, 17])
def test_a_checkpoint_of_something_else_stops_before_anything_is_read(kinesis: FakeKinesis, value: object) -> None:
    with pytest.raises(SourceError, match="new checkpoint folder"):
        reader().partitions(value, value)
        reader().latestOffset(value, None)
    assert not kinesis.calls


def test_faulty_options_are_told_before_the_query_starts(spark: Any) -> None:
    with pytest.raises(SettingsError, match="onTrimmed: found 'maybe'"):
        read_stream(spark, stream_name="logs", log_groups=[], on_trimmed="maybe")


def test_the_stream_s_schema_is_the_contract(spark: Any) -> None:
    frame = read_stream(spark, stream_name="logs", log_groups=[], region="eu-west-1")
    assert frame.isStreaming
    assert frame.columns == column_names(EVENT)


@pytest.mark.parametrize(
    ("offset", "says"),
    [
        ({"v": 1, "stream": "another", "shards": {}}, "belongs to stream 'another'.*checkpoint folder"),
        ({"v": 2, "stream": "logs", "shards": {}}, "version 1.*start the version that wrote this one"),
        ({"shardId-000000000000": {"iteratorType": "TRIM_HORIZON"}}, "not one of this source"),
    ],
)
def test_a_checkpoint_that_can_not_go_on_says_so_before_anything_is_read(
    kinesis: FakeKinesis, offset: dict[str, Any], says: str
) -> None:
    put(kinesis, 0, 5)
    kinesis.calls.clear()
    for ask in (lambda one: one.partitions(offset, offset), lambda one: one.latestOffset(offset)):
        one = reader()
        with pytest.raises(SourceError, match=says):
            ask(one)
    one = reader()
    one._position = offset  # as Spark 4.1 tells it, in partitions()
    with pytest.raises(SourceError, match=says):
        one.latestOffset()
    assert not [call for call in kinesis.calls if call in ("get_records", "get_shard_iterator")]
