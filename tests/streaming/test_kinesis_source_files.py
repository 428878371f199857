"""Files through the same hop, in Spark: incident bundles, archives and the `parse` command."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from probable_cause.decode import decode_records
from probable_cause.errors import BundleError
from probable_cause.settings import LogGroup
from probable_cause.sources import parse_lines, read_events, read_records, routing_of
from probable_cause.sources.files import bundle_records

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROUTING = routing_of([LogGroup("^/vpc/flow$", "vpc_flow"), LogGroup("^/app/(?P<application_id>[^/]+)", "application")])
FLOW = "2 111122223333 eni-0a1b2c3d 10.1.1.5 10.1.1.10 40000 5432 6 10 840 1772366400 1772366460 REJECT OK"


def bundle(folder: Path) -> Path:
    def payload(group: str, *messages: str) -> dict[str, object]:
        events = [
            {"id": f"{group}-{number}", "timestamp": 1_772_366_460_000 + number, "message": message}
            for number, message in enumerate(messages)
        ]
        return {
            "messageType": "DATA_MESSAGE",
            "owner": "111122223333",
            "logGroup": group,
            "logStream": "s",
            "subscriptionFilters": ["f"],
            "logEvents": events,
        }

    entries = [
        {"arrival": "2026-03-01T12:01:02.120Z", "payload": payload("/vpc/flow", FLOW, "no flow at all", FLOW)},
        {"arrival": "2026-03-01T12:01:03.120Z", "payload": payload("/app/web", "ERROR could not connect")},
        {"arrival": "2026-03-01T12:01:04.120Z", "data_base64": base64.b64encode(b"rubbish").decode()},
    ]
    file = folder / "records.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return file


def test_a_bundle_in_spark_is_the_same_as_without(spark: SparkSession, tmp_path: Path) -> None:
    file = bundle(tmp_path)
    rows = {(row["position"], row["event_id"]): row for row in read_events(spark, str(tmp_path), ROUTING).collect()}
    records = [
        (data, arrived, f"{shard}:{number}")
        for shard, number, arrived, data in bundle_records(file.read_text(encoding="utf-8").splitlines())
    ]
    expected = decode_records(records, ROUTING).to_pylist(maps_as_pydicts="strict")
    assert len(rows) == len(expected) == 5
    for event in expected:
        row = rows[event["position"], event["event_id"]].asDict()
        for name in ("family", "action", "source_ip", "destination_port", "reject_reason", "message", "application_id"):
            assert row[name] == event[name], name
        for name in ("event_time", "arrived_at", "delivered_at"):
            assert (row[name] is None) == (event[name] is None), name
    reasons = sorted(row["reject_reason"] for row in rows.values() if row["reject_reason"])
    assert reasons[1] == "not_gzip"
    assert len(reasons) == 2


def test_times_are_utc_to_the_millisecond(spark: SparkSession, tmp_path: Path) -> None:
    bundle(tmp_path)
    frame = read_events(spark, str(tmp_path), ROUTING).where("action = 'REJECT'")
    rows = frame.selectExpr("unix_micros(event_time)", "unix_micros(arrived_at)", "unix_micros(delivered_at)").collect()
    assert {row[1] for row in rows} == {1_772_366_462_120_000}
    assert {row[2] for row in rows} == {1_772_366_460_000_000, 1_772_366_460_002_000}


def test_no_file_and_a_faulty_file(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such file"):
        read_records(spark, tmp_path / "none")
    (tmp_path / "records.jsonl").write_text("{}\nrubbish\n", encoding="utf-8")
    with pytest.raises(BundleError, match=r"(?s)records\.jsonl:1.*records\.jsonl:2"):
        read_records(spark, tmp_path)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [False]),
        (FLOW.encode(), [True]),
        (f"{FLOW}\r\nrubbish\n{FLOW}\n".encode(), [True, False, True]),
        (b"\xff\xfe rubbish\n\n" + FLOW.encode(), [False, False, True]),
    ],
)
def test_parse_gives_one_document_a_line_in_order(spark: SparkSession, data: bytes, expected: list[bool]) -> None:
    documents = [json.loads(text) for text in parse_lines(spark, "vpc_flow", None, data)]
    assert [document["ok"] for document in documents] == expected
    for document in documents:
        if document["ok"]:
            assert document["event"]["source_ip"] == "10.1.1.5"
        else:
            assert document["reason"]


def test_parse_keeps_the_order_of_many_lines(spark: SparkSession) -> None:
    data = "".join(f"{FLOW.replace('40000', str(port))}\n" for port in range(3000)).encode()
    ports = [json.loads(text)["event"]["source_port"] for text in parse_lines(spark, "vpc_flow", None, data)]
    assert ports == list(range(3000))
