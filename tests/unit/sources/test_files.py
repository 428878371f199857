"""records.jsonl of incident bundles and archives."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime

import pytest

from probable_cause.errors import BundleError
from probable_cause.sources.files import bundle_records

PAYLOAD = {"messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": []}
ARRIVAL = "2026-03-01T12:00:02.120Z"
TIME = datetime(2026, 3, 1, 12, 0, 2, 120_000, UTC)


def line(**entry: object) -> str:
    return json.dumps(entry)


def test_payloads_are_packed_as_cloudwatch_would_and_bytes_are_handed_over() -> None:
    raw = b"\x00not gzip"
    text = base64.b64encode(raw).decode()
    one, two = bundle_records([line(arrival=ARRIVAL, payload=PAYLOAD), "", line(arrival=ARRIVAL, data_base64=text)])
    assert one[:3] == ("file", "1", TIME)
    assert json.loads(gzip.decompress(one[3])) == PAYLOAD
    assert two == ("file", "3", TIME, raw)


def test_the_same_lines_give_the_same_bytes() -> None:
    lines = [line(arrival=ARRIVAL, payload=PAYLOAD)]
    assert list(bundle_records(lines)) == list(bundle_records(lines))


@pytest.mark.parametrize(
    ("arrival", "expected"),
    [
        (ARRIVAL, TIME),
        ("2026-03-01T14:00:02.120+02:00", TIME),
        ("2026-03-01T12:00:02.120", TIME),  # without a zone: UTC
        ("2026-03-01T12:00:02.120123Z", TIME.replace(microsecond=120_123)),
    ],
)
def test_arrival(arrival: str, expected: datetime) -> None:
    ((_, _, arrived_at, _),) = bundle_records([line(arrival=arrival, payload=PAYLOAD)])
    assert arrived_at == expected


def test_all_faulty_lines_are_named_together() -> None:
    lines = [
        "{broken",
        "[]",
        line(payload=PAYLOAD),
        line(arrival="yesterday", payload=PAYLOAD),
        line(arrival=7, payload=PAYLOAD),
        line(arrival=ARRIVAL),
        line(arrival=ARRIVAL, payload=PAYLOAD, data_base64=""),
        line(arrival=ARRIVAL, data_base64="***"),
        line(arrival=ARRIVAL, data_base64=5),
        line(arrival=ARRIVAL, payload=PAYLOAD),
    ]
    with pytest.raises(BundleError) as caught:
        bundle_records(lines, name="x/records.jsonl")
    assert [fault.split(":")[1] for fault in caught.value.faults] == [str(number) for number in range(1, 10)]
    assert all(fault.startswith("x/records.jsonl:") and "expected" in fault for fault in caught.value.faults)
