"""What is passed over could be read, is of no interest to any rule, and has a plausible time; common lines are."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from probable_cause import decode, settings
from probable_cause.decode import decode_records
from probable_cause.errors import RejectedLineError
from probable_cause.families import parse_line
from probable_cause.prefilter import NOTHING, Prefilter, Span, passed_over, prefilter_of, span_of
from probable_cause.routing import Routing
from probable_cause.rules.catalogue import load
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import seeds

NOON = 1_772_366_400  # 2026-03-01T12:00:00Z
WINDOW = Span(NOON - 14 * 86_400, NOON + 900)
QUIET = ("TRACE", "DEBUG", "INFO")
FLOW = "2 123456789012 eni-0a1b2c3d 10.0.1.10 10.0.2.20 49152 5432 6 3 180 {start} 1772366460 {action} {status}"
TRANSIT = "${version} ${srcaddr} ${dstaddr} ${start} ${end} ${log-status}"


@pytest.fixture(scope="module")
def catalogued() -> Prefilter:
    configuration = settings.load()
    rules = load(list(configuration.rule_paths), configuration.family_defaults())
    return prefilter_of(rules, configuration.max_future, configuration.max_past)


def over(given: Prefilter, family: str, lines: list[str], form: str | None = None, span: Span = WINDOW) -> list[bool]:
    return passed_over(given, family, form, lines, [NOON * 1000] * len(lines), span).tolist()


def call(source: str = "s3.amazonaws.com", action: str = "GetObject", **values: object) -> str:
    record = {"eventVersion": "1.11", "eventSource": source, "eventName": action, "eventTime": "2026-03-01T12:00:00Z"}
    return json.dumps(record | values)


def item(kind: str = "AWS::SSM::ManagedInstanceInventory", around: dict | None = None, **values: object) -> str:
    found = {"resourceType": kind, "resourceId": "i-1", "configurationItemCaptureTime": "2026-03-01T12:00:00.123Z"}
    message = {"messageType": "ConfigurationItemChangeNotification", "configurationItem": found | values}
    return json.dumps(message if around is None else around | {"detail": message})


def flow(action: str = "ACCEPT", status: str = "OK", start: object = NOON) -> str:
    return FLOW.format(action=action, status=status, start=start)


@pytest.mark.parametrize(
    ("family", "line", "want"),
    [
        ("vpc_flow", flow(), True),
        ("vpc_flow", flow("REJECT"), False),
        ("vpc_flow", flow(status="SKIPDATA"), False),
        ("vpc_flow", "2 123456789012 eni-0a1b2c3d - - - - - - - 1772366400 1772366460 - NODATA", True),
        ("vpc_flow", flow(start=NOON + 86_400), False),  # tomorrow: rejected as event_in_the_future
        ("vpc_flow", flow(start=NOON - 20 * 86_400), False),
        ("vpc_flow", flow(start="-"), False),
        ("vpc_flow", flow().replace("5432", "65536"), False),
        ("vpc_flow", flow().replace("10.0.2.20", "10.0.2.256"), False),
        ("vpc_flow", flow() + " 7", False),
        ("vpc_flow", flow().replace(" 6 ", "  6 "), False),
        ("application", "2026-03-01 12:00:00,123 INFO  [http-1] c.e.Orders - order 7 accepted in 12 ms", True),
        ("application", '{"level":"info","logger":"api","message":"GET /orders/7 200","duration_ms":12}', True),
        ("application", 'time=2026-03-01T12:00:00Z level=info msg="cache hit" key=user:7', True),
        ("application", 'level=info msg="cache hit" -key=user:7', False),  # no pair: the parser reads it as text
        ("application", 'level=info msg="cache hit" 7key=user:7', False),
        ("application", 'level=info logger=api msg="cache hit"', True),
        ("application", 'level="INFO"', False),  # one pair is text as well
        ("application", "level=info level=info", False),
        ("application", 'time=2026-03-01T12:00:00Z level="info" msg="cache hit"', True),
        ("application", 'time=2026-03-01T12:00:00Z level="info msg="cache hit"', False),
        ("application", 'time=2026-03-01T12:00:00Z level=info" msg="cache hit"', False),
        ("application", '10.0.0.7 - - [01/Mar/2026:12:00:00 +0000] "GET /orders/7 HTTP/1.1" 200 17', True),
        ("application", '10.0.0.7 - - [01/Mar/2026:12:00:00 +0000] "GET /orders/7 HTTP/1.1" 502 17', False),
        ("application", '10.0.0.7 - -\u2028 [01/Mar/2026:12:00:00 +0000] "GET /orders/7 HTTP/1.1" 200 17', False),
        ("application", "2026-03-01 12:00:00,123 ERROR c.e.Orders - order 7 lost", False),
        ("application", "2026-03-01 12:00:00,123 INFO c.e.Orders - connection refused, retry failed", False),
        ("application", '{"level":"info","level":50}', False),
        ("application", '{"level":"info","message":"{\\"level\\":\\"error\\"}"}', False),
        ("application", '{"message":"x","data":{"level":"info"}}', False),
        ("application", "2026-03-01 12:00:00,123 - shop.orders - INFO - order 7 accepted", True),
        ("application", f"2026-03-01T12:00:00.123Z\t{'0a1b2c3d-' * 3}0a1b2c3d0\tINFO\torder 7\n", True),
        ("application", '2026-03-01T12:00:00.123Z\tINFO\tapi/server.go:7\tlistening\t{"level": "x"}', False),
        ("application", "2026-03-01 12:00:00,123 INFO a.B - one\n  two", False),
        ("application", "plain words", False),
        ("application", "", False),
        ("cloudtrail", call(), True),
        ("cloudtrail", call("ec2.amazonaws.com", "RebootInstances"), False),
        ("cloudtrail", call("lambda.amazonaws.com", "UpdateFunctionCode20150331v2"), False),
        ("cloudtrail", call(errorCode="AccessDenied"), False),
        ("cloudtrail", call(responseElements={"ConsoleLogin": "Failure"}), False),
        ("cloudtrail", call(eventTime="2031-03-01T12:00:00Z"), False),
        ("cloudtrail", call()[:-1], False),
        ("cloudtrail", "[" + call() + "]", False),
        ("aws_config", item(), True),
        ("aws_config", item(around={"source": "aws.config", "detail-type": "Config Configuration Item Change"}), True),
        ("aws_config", item(configurationItemCaptureTime="2026-03-01T12:00:00Z"), True),
        ("aws_config", item("AWS::EC2::SecurityGroup"), False),
        ("aws_config", item("aws::ec2::securitygroup", {"source": "aws.config"}), False),
        ("aws_config", item(" AWS::EC2::SecurityGroup"), False),
        ("aws_config", item(around={"Records": [{"resourceType": "AWS::EC2::SecurityGroup"}]}), False),
        ("aws_config", item(around={"messageType": "OversizedConfigurationItemChangeNotification"}), False),
        ("aws_config", item(configurationItemCaptureTime="2031-03-01T12:00:00.000Z"), False),
        ("aws_config", item(configurationItemCaptureTime="2026-02-30T12:00:00.000Z"), False),
        ("aws_config", item(configurationItemCaptureTime=None), False),
        ("aws_config", item(7), False),
        ("aws_config", item()[:-1], False),
        ("aws_config", f"[{item()}]", False),
        ("aws_config", "{}", False),
    ],
)
def test_what_is_passed_over(catalogued, family, line, want):
    assert over(catalogued, family, [line]) == [want]


def test_a_format_without_an_action_is_read(catalogued):
    assert over(catalogued, "vpc_flow", ["6 10.0.0.1 10.0.0.2 1772366400 1772366460 OK"], TRANSIT) == [False]


def plain(family: str, event: dict, given: Prefilter) -> bool:
    """Whether no rule can match the event, by what the parser made of it."""
    if family == "vpc_flow":
        return event.get("outcome") in ("accept", "nodata", None)
    if family == "application":
        return event["level"] in QUIET and "error_category" not in event["fields"]
    if family == "aws_config":
        return f"aws_config|{event['resource_type'].lower()}" not in (given.items or ())
    action, source = event["action"].lower(), event["event_source"].lower()
    keys = {f"cloudtrail|{source}|{action}", f"cloudtrail||{action}", f"cloudtrail|{source}|"}
    return event["outcome"] == "success" and keys.isdisjoint(given.calls or ())


# The real items that the fuzzer has are of types that rules name.
EVERYDAY = {"aws_config": [item(), item(around={"source": "aws.config", "account": "123456789012"})]}


@pytest.mark.parametrize("family", ["vpc_flow", "application", "cloudtrail", "aws_config"])
def test_nothing_that_a_rule_could_match_is_passed_over(catalogued, family):
    """Over all lines that the fuzzer starts from, and mutations of them, without a limit in time."""
    seed = random.randrange(10**6)
    print("seed", seed)  # noqa: T201
    rng = random.Random(seed)
    pool = seeds(family) + [("", None, line) for line in EVERYDAY.get(family, ()) for _ in range(50)]
    given = [(form, line) for _, form, line in pool]
    given += [(form, mutate(line, rng.choice(pool)[2], rng)) for _, form, line in rng.choices(pool, k=20_000)]
    skipped = 0
    for form in {form for form, _ in given}:
        lines = [line for own, line in given if own == form]
        for line, is_over in zip(lines, over(catalogued, family, lines, form, Span()), strict=True):
            if not is_over:
                continue
            skipped += 1
            try:
                events = parse_line(family, line, form)
            except RejectedLineError as fault:
                pytest.fail(f"{fault.reason} would be lost: {line!r}")
            assert len(events) == 1 and plain(family, events[0], catalogued), (line, events)
    print(family, len(given), "lines,", skipped, "passed over")  # noqa: T201
    assert skipped > 100


def test_a_rule_for_everything_reads_everything(tmp_path):
    rules = """
title: {name}
name: {name}
logsource: {{service: {service}}}
detection: {{selection: {selection}, condition: selection}}
probable_cause: {{layer: network, role: symptom, relevance: 1, cause: x, summary: x, symptom: errors}}
"""
    cases = {
        "vpcflow": "{action: ACCEPT}",
        "application": "{level: INFO, message|contains: started}",
        "cloudtrail": "{sourceIPAddress|startswith: '203.'}",
        "config": "{changeType: DELETE}",
    }
    texts = [
        rules.format(name=f"any-{service}", service=service, selection=selection)
        for service, selection in cases.items()
    ]
    (tmp_path / "rules.yml").write_text("---".join(texts), encoding="utf-8")
    found = prefilter_of(load([tmp_path / "rules.yml"]), 900, 1e6)
    assert (found.flows, found.calls, found.items, found.quiet) == (False, None, None, False)


def test_travels_as_json(catalogued):
    assert Prefilter.from_json(catalogued.to_json()) == catalogued
    assert Prefilter.from_json(NOTHING.to_json()) == NOTHING
    assert Prefilter.from_json(Prefilter(baseline=7).to_json()).baseline == 7
    with pytest.raises((ValueError, TypeError)):
        Prefilter.from_json("{}")


def test_span_of_a_chunk_holds_for_each_of_its_records():
    early, late = datetime.fromtimestamp(NOON, UTC), datetime.fromtimestamp(NOON + 50, UTC)
    found = span_of(Prefilter(max_future=900, max_past=14 * 86_400), [late, None, early])
    assert NOON + 50 - 14 * 86_400 <= found.earliest < found.latest <= NOON + 900
    assert span_of(NOTHING, [None]) == Span()


def test_numbers_between():
    """Every start is passed over exactly when it lies in the span."""
    span = Span(NOON - 86_400, NOON + 700)
    given = Prefilter(flows=True)
    edges = [span.earliest - 1, span.earliest, span.latest - 1, span.latest, 10**9, 10**10, 999_999_999]
    draws = np.random.default_rng(7).integers(span.earliest - 5000, span.latest + 5000, 3000).tolist()
    found = over(given, "vpc_flow", [flow(start=start) for start in [*edges, *draws]], span=span)
    assert found == [span.earliest <= start < span.latest for start in [*edges, *draws]]


def test_what_was_passed_over_is_counted(catalogued):
    routing = Routing((("^/vpc", "vpc_flow", None, None),))
    lines = [flow(), flow("REJECT"), "no flow", flow(), flow()]
    events = [{"id": str(number), "timestamp": NOON * 1000, "message": line} for number, line in enumerate(lines)]
    record = gzip.compress(json.dumps({"logGroup": "/vpc/flow", "logEvents": events}).encode())
    arrived = datetime.fromtimestamp(NOON + 5, UTC)
    rows = decode_records([(record, arrived, "s:1")], routing, catalogued).to_pylist()
    assert sum(row["skipped_lines"] or 1 for row in rows) == len(lines)
    assert [row["message"] for row in rows if row["skipped_lines"] is None] == ["no flow", flow("REJECT")][::-1]
    assert [(row["family"], row["skipped_lines"]) for row in rows if row["skipped_lines"]] == [("vpc_flow", 3)]


ROUTING = Routing((("^/vpc", "vpc_flow", None, None),))
ARRIVED = datetime.fromtimestamp(NOON + 5, UTC)


def record(lines: list[str]) -> bytes:
    events = [{"id": str(number), "timestamp": NOON * 1000, "message": line} for number, line in enumerate(lines)]
    return gzip.compress(json.dumps({"logGroup": "/vpc/flow", "logEvents": events}).encode())


def decoded(lines: list[str], prefilter: Prefilter) -> list[dict[str, object]]:
    return decode_records([(record(lines), ARRIVED, "s:1")], ROUTING, prefilter).to_pylist()


@pytest.mark.parametrize(("accepted", "most", "want"), [(40, 50, 40), (300, 50, 50), (300, 0, 0), (0, 50, 0)])
def test_samples_of_accepted_traffic_are_read_and_every_line_is_counted(catalogued, accepted, most, want):
    """A few are read whole, of many no more than that; a replay reads the same."""
    lines = [flow().replace("49152", str(49_152 + number)) for number in range(accepted)]
    lines += [flow("REJECT")] * 7
    sampled = replace(catalogued, baseline=most)
    rows = decoded(lines, sampled)
    assert sum(row["skipped_lines"] or 1 for row in rows) == len(lines)
    read = [row["event_id"] for row in rows if row["outcome"] == "accept"]
    assert len(read) == len({*read}) == want
    assert sum(row["outcome"] == "reject" for row in rows) == 7
    assert decoded(lines, sampled) == rows
    if want < accepted and want:  # from everywhere
        assert min(map(int, read)) < accepted / 4 < 3 * accepted / 4 < max(map(int, read))


def test_of_many_chunks_ever_fewer_samples_are_read(catalogued, monkeypatch):
    """A batch that catches up is many chunks; what is usual is known after the first."""
    monkeypatch.setattr(decode, "BATCH_LINES", 100)
    lines = [flow().replace("49152", str(49_152 + number)) for number in range(100)]
    records = [(record(lines), ARRIVED, f"s:{number}") for number in range(5)]
    batches = [one.to_pylist() for one in decode.decode(records, ROUTING, replace(catalogued, baseline=30))]
    rows = [row for batch in batches for row in batch]
    assert sum(row["skipped_lines"] or 1 for row in rows) == 500
    read = Counter(row["position"] for row in rows if row["outcome"] == "accept")
    assert read == {"s:0": 30, "s:1": 15, "s:2": 10, "s:3": 7, "s:4": 6}


def test_catalogue_leaves_something_to_pass_over(catalogued):
    """Should a rule of ours ever switch it off, speed is lost silently."""
    assert catalogued.flows and catalogued.quiet and catalogued.calls
