"""Flow logs: every field of every version, any order, and what does not fit the format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from probable_cause.errors import RejectedLineError
from probable_cause.families import parse_line, parse_lines
from probable_cause.families.flow_format import DEFAULT, KNOWN, field_name, read_format

LINE = "2 123456789010 eni-1a2b3c4d 10.0.0.1 10.0.0.2 49152 443 6 20 1680 1700000000 1700000060 REJECT OK"
V5 = (
    "version account-id action az-id bytes dstaddr dstport end flow-direction instance-id interface-id log-status "
    "packets pkt-dst-aws-service pkt-dstaddr pkt-src-aws-service pkt-srcaddr protocol region srcaddr srcport start "
    "sublocation-id sublocation-type subnet-id tcp-flags traffic-path type vpc-id"
)
V5_LINE = (
    "5 123456789010 ACCEPT use1-az4 100 10.0.0.2 443 1700000060 egress i-0a eni-0a OK 2 AMAZON 52.1.1.1 - 10.0.9.9 6 "
    "us-east-1 10.0.0.1 49152 1700000000 - - subnet-0a 19 8 IPv4 vpc-0a"
)
FAST = 8  # as many lines as the fast way needs


def both(line: str, form: str | None = None) -> dict[str, Any]:
    """The event of the line, read alone and among others: the same."""
    (alone,) = parse_line("vpc_flow", line, form)
    columns, index, rejects = parse_lines("vpc_flow", [line] * FAST, form)
    assert (index, rejects) == (list(range(FAST)), [])
    for name, column in columns.items():
        values = column.to_pylist() if hasattr(column, "to_pylist") else column
        value = dict(values[3]) if name == "fields" else values[3]
        assert value == alone.get(name), name
    return alone


def test_the_columns_of_the_default_format() -> None:
    found = both(LINE)
    assert found.pop("event_time").isoformat() == "2023-11-14T22:13:20+00:00"
    assert found == {
        "family": "vpc_flow",
        "account_id": "123456789010",
        "interface_id": "eni-1a2b3c4d",
        "source_ip": "10.0.0.1",
        "destination_ip": "10.0.0.2",
        "source_port": 49152,
        "destination_port": 443,
        "protocol": 6,
        "packets": 20,
        "bytes": 1680,
        "start": 1700000000,
        "end": 1700000060,
        "action": "REJECT",
        "outcome": "reject",
        "fields": {"version": "2", "log_status": "OK"},
    }


@pytest.mark.parametrize(
    "form", [V5, " ".join(f"${{{field}}}" for field in V5.split()), V5.replace("-", "_"), V5.upper().replace(" ", "\t")]
)
def test_version_five_in_its_own_order(form: str) -> None:
    found = both(V5_LINE, form)
    assert (found["source_ip"], found["destination_ip"], found["region"]) == ("10.0.0.1", "10.0.0.2", "us-east-1")
    assert (found["pkt_source_ip"], found["pkt_destination_ip"]) == ("10.0.9.9", "52.1.1.1")
    assert found["fields"] == {
        "version": "5", "az_id": "use1-az4", "flow_direction": "egress", "instance_id": "i-0a", "log_status": "OK",
        "pkt_dst_aws_service": "AMAZON", "subnet_id": "subnet-0a", "tcp_flags": "19", "traffic_path": "8",
        "type": "IPv4", "vpc_id": "vpc-0a",
    }  # fmt: skip


@pytest.mark.parametrize("field", sorted(KNOWN - set(DEFAULT.split())))
def test_every_later_field_is_kept_by_its_name(field: str) -> None:
    value = "10.9.9.9" if field.endswith("addr") else "word-1"
    found = both(f"{LINE} {value}", f"{DEFAULT} {field}")
    column = {"pkt-srcaddr": "pkt_source_ip", "pkt-dstaddr": "pkt_destination_ip", "region": "region"}.get(field)
    assert (found[column] if column else found["fields"][field.replace("-", "_")]) == value


def test_a_field_of_a_version_to_come_is_kept() -> None:
    assert both(f"{LINE} blue", f"{DEFAULT} flow-colour")["fields"]["flow_colour"] == "blue"


def test_transit_gateway_records_have_no_action() -> None:
    form = (
        "version resource-type account-id tgw-id tgw-src-vpc-id srcaddr dstaddr srcport dstport packets bytes start "
        "end log-status packets-lost-blackhole"
    )
    found = both("6 TransitGateway 1 tgw-0a vpc-0a 10.0.0.1 10.1.0.1 1 2 3 4 1700000000 1700000060 OK 7", form)
    assert (found.get("action"), found["outcome"]) == (None, None)
    assert (found["fields"]["tgw_id"], found["fields"]["packets_lost_blackhole"]) == ("tgw-0a", "7")


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("2 1 eni-1 - - - - - - - 1700000000 1700000060 - NODATA", "nodata"),
        ("2 1 eni-1 - - - - - - - 1700000000 1700000060 - SKIPDATA", "skipdata"),
        (LINE.replace("OK", "SKIPDATA"), "skipdata"),
        (LINE.replace("REJECT OK", "accept ok"), "accept"),
        (LINE.replace("OK", "-"), "reject"),
    ],
)
def test_status_and_action_give_the_outcome_and_never_gate_reading(line: str, outcome: str) -> None:
    found = both(line)
    assert found["outcome"] == outcome
    assert found.get("source_ip") == (None if " - - " in line else "10.0.0.1")
    assert found["start"] == 1700000000


@pytest.mark.parametrize(
    ("old", "new", "column", "value"),
    [
        ("10.0.0.1 10.0.0.2", "2001:db8::1 fd00::2", "source_ip", "2001:db8::1"),
        ("10.0.0.1 10.0.0.2", "010.000.000.001 10.0.0.2", "source_ip", "010.000.000.001"),
        (" 49152 443 6 ", " 0 0 1 ", "protocol", 1),
        ("123456789010", "unknown", "account_id", "unknown"),
        (" 20 1680 ", " 9223372036854775807 0 ", "packets", 9223372036854775807),
        ("1700000000 1700000060", "1700000000123 1700000060123", "start", 1700000000),
        ("1700000000 1700000060", "1700000000123 1700000060123", "end", 1700000060),
        (" 443 ", " - ", "destination_port", None),
        ("REJECT", "-", "action", None),
    ],
)
def test_values(old: str, new: str, column: str, value: Any) -> None:
    assert both(LINE.replace(old, new)).get(column) == value


def test_milliseconds_are_kept_in_the_time() -> None:
    found = both(LINE.replace("1700000000 1700000060", "1700000000123 1700000060123"))
    assert found["event_time"].isoformat() == "2023-11-14T22:13:20.123000+00:00"


def test_without_a_start_the_end_is_the_time() -> None:
    found = both("10.0.0.1 1700000060", "srcaddr end")
    assert found["event_time"].timestamp() == 1700000060


@pytest.mark.parametrize("odd", ["\ufeff{}", "{}\r\n", "  {}  ", "{}\x00"])
def test_a_mark_or_blanks_around_the_line_do_no_harm(odd: str) -> None:
    assert both(odd.format(LINE)) == both(LINE)


@pytest.mark.parametrize("blank", ["\t", "  ", " \t "])
def test_tabs_and_double_blanks_separate_too(blank: str) -> None:
    assert both(LINE.replace(" ", blank)) == both(LINE)


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_the_format_names_its_delimiter(delimiter: str) -> None:
    assert both(LINE.replace(" ", delimiter), DEFAULT.replace(" ", delimiter)) == both(LINE)


NAMED = {
    "version": 2, "account_id": "123456789010", "interfaceId": "eni-1a2b3c4d", "srcAddr": "10.0.0.1",
    "dst_addr": "10.0.0.2", "srcport": 49152, "dst-port": "443", "protocol": 6, "packets": "20",
    "bytes": 1680, "start": 1700000000, "end": "2023-11-14T22:14:20Z", "action": "REJECT", "log-status": "OK",
}  # fmt: skip


@pytest.mark.parametrize(
    "wrapped",
    [
        {"message": LINE},
        {"log": LINE + "\n", "stream": "stdout"},
        {"event": {"message": LINE}},
        [{"message": LINE}],
        NAMED,
        LINE,
    ],
    ids=str,
)
def test_lines_inside_json(wrapped: Any) -> None:
    assert both(json.dumps(wrapped)) == both(LINE)


@pytest.mark.parametrize(
    ("line", "form", "reason"),
    [
        ("", None, "empty_line"),
        (" \t", None, "empty_line"),
        (DEFAULT, None, "header_line"),
        ("account-id srcaddr", "srcaddr account-id", "header_line"),
        ("bogus line", None, "missing_fields"),
        (LINE + " more", None, "surplus_fields"),
        (LINE.replace("10.0.0.1", "10.0.0.256"), None, "bad_ip"),
        (LINE.replace("10.0.0.1", "host"), None, "bad_ip"),
        (LINE.replace("443", "65536"), None, "bad_number"),
        (LINE.replace("443", "-1"), None, "bad_number"),
        (LINE.replace("443", "0x1"), None, "bad_number"),
        (LINE.replace(" 6 ", " 256 "), None, "bad_number"),
        (LINE.replace("10.0.0.2", "10.0.0.2."), None, "bad_ip"),
        (LINE.replace("1680", "9223372036854775808"), None, "bad_number"),
        (LINE.replace("1680", "\u0661"), None, "bad_number"),
        (LINE.replace("1700000000", "soon"), None, "bad_number"),
        (LINE.replace("REJECT", "DENY"), None, "bad_action"),
        (LINE.replace("OK", "FINE"), None, "bad_status"),
        (V5_LINE, V5.replace("az-id bytes", "bytes az-id"), "bad_number"),
        (LINE, "version account-id !", "bad_format"),
        ('{"a": 1}', None, "missing_fields"),
        ('{"message": "', None, "truncated_json"),
        ("{no", None, "truncated_json"),
    ],
)
def test_what_does_not_fit_is_rejected_alone_and_among_others(line: str, form: str | None, reason: str) -> None:
    with pytest.raises(RejectedLineError) as fault:
        parse_line("vpc_flow", line, form)
    assert fault.value.reason == reason
    _, index, rejects = parse_lines("vpc_flow", [line] * FAST, form)
    assert (index, [why for _, why, _ in rejects]) == ([], [reason] * FAST)


def test_odd_lines_among_plain_ones_keep_their_numbers() -> None:
    lines = [
        LINE,
        DEFAULT,
        LINE.replace(" ", "\t"),
        "",
        LINE,
        "x",
        LINE.replace("443", "x"),
        LINE,
        LINE + "\n",
        LINE,
    ] * 3
    columns, index, rejects = parse_lines("vpc_flow", lines, None)
    assert sorted(index) == [line for line in range(30) if line % 10 not in (1, 3, 5, 6)]
    assert sorted(line for line, _, _ in rejects) == [line for line in range(30) if line % 10 in (1, 3, 5, 6)]
    assert columns["source_ip"].to_pylist() == ["10.0.0.1"] * len(index)


@pytest.mark.parametrize(
    ("word", "field"),
    [
        ("${log-status}", "log-status"),
        ("logStatus", "log-status"),
        ("pkt_srcaddr", "pkt-srcaddr"),
        ("New_Field", "new-field"),
    ],
)
def test_spellings_of_field_names(word: str, field: str) -> None:
    assert field_name(word) == field


@pytest.mark.parametrize("form", [None, "", "  "])
def test_no_format_is_the_default(form: str | None) -> None:
    assert read_format(form).fields == tuple(DEFAULT.split())
