"""Spark Structured Streaming on two Kinesis implementations: rows out = records in, over failures and reshards."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from probable_cause.settings import LogGroup
from probable_cause.sources import read_stream
from tests.aws.kinesis_emulators import REGION, Emulator, kinesis_local, moto_server
from tests.aws.test_kinesis_emulators import reshard

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming import StreamingQuery

Rows = list[tuple[str, str]]  # position, event id
GROUPS = [LogGroup("^/app/", "application")]


@pytest.fixture(scope="module", params=["moto", "kinesis-local"])
def emulator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    with moto_server(folder) if request.param == "moto" else kinesis_local(folder) as running:
        yield running


@pytest.fixture(scope="module")
def resharding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with kinesis_local(tmp_path_factory.mktemp("emulator")) as running:
        yield running


def put(client: Any, stream: str, first: int, records: int, lines: int = 3) -> list[str]:
    """Subscription records of `lines` log lines each; returns the event ids."""
    ids = []
    for number in range(first, first + records):
        events = [
            {"id": f"{number}-{line}", "timestamp": int(time.time() * 1000), "message": f"ERROR {number} {line}"}
            for line in range(lines)
        ]
        body = {
            "messageType": "DATA_MESSAGE",
            "owner": "111122223333",
            "logGroup": "/app/web",
            "logStream": "s",
            "subscriptionFilters": ["f"],
            "logEvents": events,
        }
        client.put_record(StreamName=stream, PartitionKey=str(number), Data=gzip.compress(json.dumps(body).encode()))
        ids += [event["id"] for event in events]
    return [str(one) for one in ids]


class Sink:
    """A foreachBatch sink that keeps every attempt of a batch, and can fail at will."""

    def __init__(self) -> None:
        self.attempts: dict[int, list[Rows]] = {}
        self.fail_next = False

    def __call__(self, batch: DataFrame, batch_id: int) -> None:
        rows = sorted((row["position"], row["event_id"]) for row in batch.select("position", "event_id").collect())
        self.attempts.setdefault(batch_id, []).append(rows)
        if rows and self.fail_next:
            self.fail_next = False
            raise RuntimeError("the test's own failure")

    def ids(self) -> list[str]:
        return [event_id for attempts in self.attempts.values() for _, event_id in attempts[-1]]


@contextmanager
def running(spark: SparkSession, emulator: Emulator, stream: str, sink: Sink, folder: Path) -> Iterator[StreamingQuery]:
    events = read_stream(
        spark, stream_name=stream, log_groups=GROUPS, region=REGION, endpoint_url=emulator.url, lag=0.2, max_span=5
    )
    writer = events.writeStream.foreachBatch(sink).option("checkpointLocation", str(folder / "checkpoint"))
    query = writer.trigger(processingTime="100 milliseconds").start()
    try:
        yield query
    finally:
        query.stop()


def wait(condition: Callable[[], bool], what: str, query: StreamingQuery | None = None, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if query is not None and query.exception() is not None:
            raise AssertionError(f"the query failed: {query.exception()}")
        assert time.monotonic() < deadline, f"after {seconds} s: {what}"
        time.sleep(0.1)


def test_records_in_are_rows_out_over_a_failed_batch_and_a_restart(
    spark: SparkSession, emulator: Emulator, tmp_path: Path
) -> None:
    client = emulator.stream("failures", 3)
    sink = Sink()
    expected = put(client, "failures", 0, 40)
    with running(spark, emulator, "failures", sink, tmp_path) as query:
        wait(lambda: len(sink.ids()) >= len(expected), "the first batch", query)
        sink.fail_next = True
        expected += put(client, "failures", 40, 20)
        wait(lambda: query.exception() is not None, "the failure of the sink")
    failed = max(sink.attempts)
    assert sink.attempts[failed][0], "the batch that failed held rows"
    expected += put(client, "failures", 60, 20)  # while the job is down
    with running(spark, emulator, "failures", sink, tmp_path) as query:
        wait(lambda: len(sink.ids()) >= len(expected), "the rest", query)
        time.sleep(1)
    assert len(sink.attempts[failed]) == 2
    assert sink.attempts[failed][0] == sink.attempts[failed][1], "the replay is the same batch"
    assert sorted(sink.ids()) == sorted(expected)


def test_reshards_under_load(spark: SparkSession, resharding: Emulator, tmp_path: Path) -> None:
    client = resharding.stream("reshards", 2)
    dice = random.Random(12)
    sink = Sink()
    expected = put(client, "reshards", 0, 10)
    for phase in range(2):
        with running(spark, resharding, "reshards", sink, tmp_path) as query:
            for _ in range(3):
                expected += put(client, "reshards", len(expected) // 3, 15)
                reshard(client, "reshards", dice)
                resharding.wait_active("reshards")
            wanted = len(expected)
            wait(lambda: len(sink.ids()) >= wanted, f"phase {phase}", query)  # noqa: B023
        expected += put(client, "reshards", len(expected) // 3, 10)
        reshard(client, "reshards", dice)  # while the job is down
        resharding.wait_active("reshards")
    expected += put(client, "reshards", len(expected) // 3, 10)
    with running(spark, resharding, "reshards", sink, tmp_path) as query:
        wait(lambda: len(sink.ids()) >= len(expected), "the end", query)
    assert len(client.list_shards(StreamName="reshards")["Shards"]) > 8
    assert sorted(sink.ids()) == sorted(expected)
