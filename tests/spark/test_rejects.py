"""The replay of rejects: what can be read now reaches the tables once and leaves the store, whenever it dies."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from probable_cause import pipeline, rejects
from probable_cause.decode import decode_records
from probable_cause.routing import Routing
from probable_cause.sink import Sink
from probable_cause.state.tables import Tables
from probable_cause.storage import Folder
from tests.spark.rows import at
from tests.spark.test_sink import counts

FLOW = "2 123456789012 eni-1 10.1.1.10 10.11.11.10 40000 5432 6 1 60 {0} {1} REJECT OK"
REBOOT = {
    "eventVersion": "1.08",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "RebootInstances",
    "eventTime": "2026-03-01T12:00:00Z",
    "userIdentity": {"type": "IAMUser", "userName": "ana"},
    "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-1"}]}},
}
WRONG = Routing((("^/flow$", "vpc_flow", "${version} ${srcaddr} ${dstaddr} ${action}", None),))
MENDED = Routing((("^/flow$", "vpc_flow", None, None), ("trail", "cloudtrail", None, None)))


class Killed(BaseException):
    pass


def payload(group: str, *lines: tuple[str, float, str]) -> dict[str, Any]:
    start = int(at(0).timestamp() * 1000)
    events = [{"id": one, "timestamp": start + int(after * 1000), "message": text} for one, after, text in lines]
    return {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": group, "logStream": "s", "logEvents": events}


def records() -> list[tuple[bytes, Any, str]]:
    start = int(at(0).timestamp())
    flows = [(f"f{n}", n * 60.0, FLOW.format(start + n * 60, start + n * 60 + 60)) for n in range(3)]
    broken = payload("/flow") | {"logEvents": [{"id": "b1", "timestamp": "soon", "message": "text"}]}
    documents = [
        payload("/flow", *flows, ("bad", 9, "not a flow record")),
        payload("trail", ("c1", 0, json.dumps(REBOOT))),
        broken,
    ]
    gzipped = [gzip.compress(json.dumps(one).encode(), mtime=0) for one in documents]
    return [(data, at(300), f"shard:{number}") for number, data in enumerate([*gzipped, b"\x1f\x8bbroken"])]


@pytest.fixture
def store(spark: SparkSession, sink: Sink) -> Folder:
    """What a job with the wrong format and no group for the trail has rejected."""
    events = spark.createDataFrame(decode_records(records(), WRONG).to_pylist(), pipeline.EVENT)
    sink.write_batch(pipeline.of_interest_or_rejected(events, sink.scope), 0)
    return Folder(sink.rejects_path)


def kinds(store: Folder) -> dict[tuple[str, str], int]:
    return dict(rejects.counts(rejects.stored(store)))


LEFT = {
    ("vpc_flow", "missing_fields"): 1,
    ("unknown", "bad_timestamp"): 1,
    ("unknown", "corrupt_gzip"): 1,
}


def test_what_can_be_read_now_leaves_the_store(
    spark: SparkSession,
    sink: Sink,
    tables: Tables,
    store: Folder,
) -> None:
    assert kinds(store) == {
        ("vpc_flow", "surplus_fields"): 3,
        ("vpc_flow", "bad_ip"): 1,
        ("unknown", "unknown_log_group"): 1,
        ("unknown", "bad_timestamp"): 1,
        ("unknown", "corrupt_gzip"): 1,
    }
    assert tables.events.scan() == []
    done = rejects.replay(spark, store, MENDED, sink)
    assert (done.rows, done.accepted, done.remaining, done.applications) == (7, 4, 3, ("app1", "app2"))
    assert counts(tables, "app1") == {"ana rebooted i-1": 1, "REJECT on Instance 10.1.1.10": 3}
    assert sorted(kinds(store)) == sorted(LEFT)
    again = rejects.replay(spark, store, MENDED, sink)
    assert (again.rows, again.accepted, again.remaining) == (3, 0, 3)
    assert counts(tables, "app1") == {"ana rebooted i-1": 1, "REJECT on Instance 10.1.1.10": 3}


@pytest.mark.parametrize("point", ["added", "stored"])
def test_a_replay_that_was_killed(
    spark: SparkSession,
    sink: Sink,
    tables: Tables,
    store: Folder,
    monkeypatch: pytest.MonkeyPatch,
    point: str,
) -> None:
    monkeypatch.setattr(rejects, "PORTION", 2)

    def at_point(name: str) -> None:
        if name == point:
            raise Killed

    with pytest.raises(Killed):
        rejects.replay(spark, store, MENDED, sink, at_point=at_point)
    rejects.replay(spark, store, MENDED, sink)
    assert counts(tables, "app1") == {"ana rebooted i-1": 1, "REJECT on Instance 10.1.1.10": 3}
    assert sorted(kinds(store)) == sorted(LEFT)


def test_only_what_was_asked_for(spark: SparkSession, sink: Sink, tables: Tables, store: Folder) -> None:
    rejects.replay(spark, store, MENDED, sink, reason="unknown_log_group")
    assert counts(tables, "app1") == {"ana rebooted i-1": 1}
    assert sum(kinds(store).values()) == 6


def test_an_empty_batch_leaves_no_folder(spark: SparkSession, sink: Sink, tmp_path: Path) -> None:
    store = Folder(str(tmp_path / "store"))
    row = {"log_group": "trail", "event_id": "c1", "message": json.dumps(REBOOT), "reject_reason": "unknown_log_group"}
    row["delivered_at"] = "2026-03-01T12:00:00.000Z"
    store.write("epoch=1/batch=2/part-0.json", json.dumps(row).encode())
    rejects.replay(spark, store, MENDED, sink)
    assert store.all_files() == []


@pytest.mark.parametrize(
    ("row", "data"),
    [
        ({"message": base64.b64encode(b"\x1f\x8bxx").decode()}, b"\x1f\x8bxx"),
        ({"message": '{"logGroup": 1}'}, b'{"logGroup": 1}'),
    ],
)
def test_the_record_of_what_could_not_be_opened(row: dict[str, Any], data: bytes) -> None:
    assert rejects.record_of(row)[0] == data
