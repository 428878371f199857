"""Application lines, dialect by dialect: level, logger, message, kind of error, and what else the text names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from probable_cause.errors import RejectedLineError
from probable_cause.families import parse_line

# Lines that services really write, by dialect. A message that ends with `...` is compared up to there.
CASES = [
    json.loads(line)
    for line in Path(__file__).with_name("application_lines.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['dialect']}: {case['line'][:50]}" for case in CASES])
def test_header_message_and_kind_of_error(case: dict[str, Any]) -> None:
    (event,) = parse_line("application", case["line"])
    assert (event["level"], event["logger"], event["action"]) == (case["level"], case["logger"], case["kind"])
    if case["message"].endswith("..."):
        assert event["message"].startswith(case["message"][:-3])
    else:
        assert event["message"] == case["message"]


def test_every_colour_code_is_gone() -> None:
    (event,) = parse_line("application", "\x1b[1;31mERROR\x1b[0m \x1b[2Kred \\u001b[32mgreen\\u001b[0m")
    assert event["message"] == "red green"


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("2024-03-01 12:00:00,123 ERROR x", "2024-03-01T12:00:00.123000+00:00"),
        ("2024-03-01T12:00:00.123456789+05:30 ERROR x", "2024-03-01T06:30:00.123456+00:00"),
        ("2024-03-01 01:45:01.123 PDT [1] LOG:  x", "2024-03-01T08:45:01.123000+00:00"),
        ("[Fri Mar 01 12:00:00.5 2024] [core:error] x", "2024-03-01T12:00:00.500000+00:00"),
        ('10.0.0.1 - - [01/Mar/2024:12:00:00 +0100] "GET / HTTP/1.1" 200 1', "2024-03-01T11:00:00+00:00"),
        ('{"level":30,"time":1709294400123,"msg":"x"}', "2024-03-01T12:00:00.123000+00:00"),
        ('{"level":"info","ts":1709294400.5,"msg":"x"}', "2024-03-01T12:00:00.500000+00:00"),
        ("240301 12:00:00 mysqld_safe x", "2024-03-01T12:00:00+00:00"),
    ],
)
def test_times_are_utc(line: str, time: str) -> None:
    (event,) = parse_line("application", line)
    assert event["event_time"].isoformat() == time


@pytest.mark.parametrize("line", ["12:00:00.123 INFO x", "Mar  1 12:00:00 host app: x", "E0301 12:00:00.1 1 a.go:1] x"])
def test_a_time_without_a_date_or_year_is_no_time(line: str) -> None:
    (event,) = parse_line("application", line)
    assert event["event_time"] is None


@pytest.mark.parametrize(
    ("line", "addresses"),
    [
        ("ERROR dial tcp 10.0.2.20:5432 failed from /10.0.1.5:40112", "10.0.2.20,10.0.1.5"),
        ("ERROR no route to 2001:db8::1 or fd00::7", "2001:db8::1,fd00::7"),
        ("ERROR at 12:34:56 with Chrome/120.0.0.0 and version 1.2.3.4", None),
        ("ERROR localhost/127.0.0.1:80 refused", "127.0.0.1"),
        ("INFO ratio 1.2.3.4.5 of 300.1.1.1", None),
    ],
)
def test_addresses_in_the_text(line: str, addresses: str | None) -> None:
    (event,) = parse_line("application", line)
    assert event["fields"].get("addresses") == addresses


def test_resources_in_the_text() -> None:
    (event,) = parse_line("application", "ERROR i-0abc1234def567890 lost arn:aws:sqs:us-east-1:123456789012:jobs, pi-1")
    assert event["resource_ids"] == ["i-0abc1234def567890", "arn:aws:sqs:us-east-1:123456789012:jobs"]
    assert event["resource_type"] == "AWS::EC2::Instance"


def test_client_and_upstream_of_a_proxy() -> None:
    line = (
        "2024/03/01 12:00:00 [error] 29#29: *1 upstream timed out (110: Connection timed out), client: 10.0.1.5, "
        'server: _, upstream: "http://10.0.2.9:8080/"'
    )
    (event,) = parse_line("application", line)
    ends = {key: event.get(key) for key in ("source_ip", "destination_ip", "destination_port")}
    assert ends == {"source_ip": "10.0.1.5", "destination_ip": "10.0.2.9", "destination_port": 8080}


def test_what_identifies_a_request_is_kept() -> None:
    (event,) = parse_line(
        "application",
        '{"level":"warn","msg":"late","service.name":"shop","trace_id":"t1","span_id":"s1","requestId":"r1",'
        '"kubernetes":{"pod_name":"p-1","namespace_name":"n"}}',
    )
    kept = {key: event["fields"].get(key) for key in ("service", "trace_id", "span_id", "request_id", "pod")}
    assert kept == {"service": "shop", "trace_id": "t1", "span_id": "s1", "request_id": "r1", "pod": "p-1"}
    assert event["record"].startswith('{"level"')


@pytest.mark.parametrize("line", ["", "   \t", "\x1b[0m\n", "\ufeff"])
def test_blank_lines_are_rejected(line: str) -> None:
    with pytest.raises(RejectedLineError) as fault:
        parse_line("application", line)
    assert fault.value.reason == "empty_line"


def test_the_innermost_cause_is_the_kind_and_the_outermost_is_kept() -> None:
    line = (
        "ERROR Handler - x\njavax.servlet.ServletException: outer\n\tat a.B\n"
        "Caused by: java.net.ConnectException: Connection refused"
    )
    (event,) = parse_line("application", line)
    assert event["action"] == "ConnectException"
    assert event["fields"]["error_class"] == "javax.servlet.ServletException"
    assert event["fields"]["error_category"] == "connectivity"
