"""Log files as AWS keeps them: which lines they hold, and what is told of a file that holds none."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probable_cause.errors import RejectedLineError
from probable_cause.routing import Routing
from probable_cause.sources import archived

RECORD = {
    "eventVersion": "1.08",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "RebootInstances",
    "eventTime": "2026-03-01T12:00:00Z",
    "eventID": "e-1",
    "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-1"}]}},
}
FORM = "account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
LINE = "1 eni-1 10.1.1.10 10.2.2.2 40000 5432 6 1 60 1772366400 1772366460 REJECT OK"
ROUTING = Routing((("^/app/(?P<application_id>[^/]+)", "application", None, None),))


def events(
    kind: str, content: bytes, path: str = "/x/stream/000000.gz", group: str | None = None
) -> list[dict[str, Any]]:
    batch = pa.record_batch({"path": [path], "content": [content]})
    hop = archived.file_batches(kind, ROUTING, group)
    return [row for one in hop([batch]) for row in one.to_pylist(maps_as_pydicts="lossy")]


def test_cloudtrail() -> None:
    content = gzip.compress(json.dumps({"Records": [RECORD, RECORD | {"eventName": "StopInstances"}]}).encode())
    found = events("cloudtrail", content)
    assert [row["action"] for row in found] == ["RebootInstances", "StopInstances"]
    assert found[0]["fields"]["event_id"] == "e-1"
    assert found[0]["family"] == "cloudtrail"


def test_config() -> None:
    item = {
        "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": "sg-1",
        "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2026-03-01T12:00:00Z",
    }
    (found,) = events("config", json.dumps({"fileVersion": "1.0", "configurationItems": [item]}).encode())
    assert (found["family"], found["resource_ids"]) == ("aws_config", ["sg-1"])


def parquet() -> bytes:
    names = [name.replace("-", "_") for name in FORM.split()]
    values: dict[str, list[Any]] = dict(zip(names, ([value] for value in LINE.split()), strict=True))
    values["srcport"] = [40000]
    stream = io.BytesIO()
    pq.write_table(pa.table(values | {"flow_direction": pa.array([None], pa.string())}), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(f"{FORM}\n{LINE}\n".encode()),
        f"2 {LINE}\n".encode(),  # the default format, without a header
        parquet(),
    ],
    ids=["text", "default", "parquet"],
)
def test_flow(content: bytes) -> None:
    (found,) = events("flow", content)
    assert (found["source_ip"], found["destination_port"], found["action"]) == ("10.1.1.10", 5432, "REJECT")
    assert found["reject_reason"] is None


def test_an_export_of_cloudwatch_logs() -> None:
    text = "2026-03-01T12:00:00.000Z ERROR refused\n  at line 1\n\n  at line 2\n"
    text += '2026-03-01T12:00:01.500Z {"level": "info"}\n'
    assert list(archived.exported_lines(text.encode())) == [
        (1772366400000, "ERROR refused\n  at line 1\n\n  at line 2"),
        (1772366401500, '{"level": "info"}'),
    ]
    found = events("logs", gzip.compress(text.encode()), "/export/task/web-1/000000.gz", "/app/shop/web")
    assert [(row["log_stream"], row["application_id"]) for row in found] == [("web-1", "shop")] * 2
    (lost,) = {row["reject_reason"] for row in events("logs", text.encode(), group="/other")}
    assert lost == "unknown_log_group"


def test_a_bundle_keeps_its_ids() -> None:
    line = {
        "arrival": "2026-03-01T12:00:02Z",
        "payload": {
            "messageType": "DATA_MESSAGE",
            "logGroup": "/app/shop",
            "logEvents": [{"id": "cw-1", "timestamp": 1772366400000, "message": "ERROR refused"}],
        },
    }
    (found,) = events("bundle", json.dumps(line).encode())
    assert found["event_id"] == "cw-1"


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        ("cloudtrail", b"\x1f\x8bbroken", "corrupt_gzip"),
        ("cloudtrail", b"[1, 2]", "missing_fields"),
        ("config", b"{", "not_json"),
        ("flow", b"PAR1broken", "not_parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_rejected_with_its_reason(kind: str, content: bytes, reason: str) -> None:
    (found,) = events(kind, content)
    assert (found["reject_reason"], found["position"]) == (reason, "/x/stream/000000.gz")


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        ("cloudtrail", "AWSLogs/1/CloudTrail/us-east-1/2026/03/01/1_CloudTrail_x.json.gz", True),
        ("cloudtrail", "AWSLogs/1/CloudTrail-Digest/us-east-1/2026/03/01/1_x.json.gz", False),
        ("config", "AWSLogs/1/Config/ConfigWritabilityCheckFile", False),
        ("logs", "export/aws-logs-write-test", False),
        ("bundle", "a/records.jsonl", True),
        ("bundle", "a/incident.yml", False),
        ("flow", "_SUCCESS", False),
    ],
)
def test_files_that_hold_lines(kind: str, name: str, wanted: bool) -> None:
    assert archived.wanted(kind, name) is wanted


def test_the_reader_raises_with_a_reason() -> None:
    with pytest.raises(RejectedLineError):
        archived.json_lines("cloudtrail", b"{}")
