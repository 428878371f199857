"""Properties of the parsers over generated records: what is written comes back; nothing else ever happens.

Hypothesis prints the failing example; `derandomize` makes every run the same.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from probable_cause.errors import RejectedLineError
from probable_cause.families import FAMILIES, parse_line, parse_lines
from probable_cause.families.flow_format import COLUMNS, KNOWN
from probable_cause.schemas import PARSED, column_names

FAST = settings(derandomize=True, deadline=None, max_examples=150)
NAMES = set(column_names(PARSED))

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12).filter(lambda word: word != "-")
hexes = st.text("0123456789abcdef", min_size=8, max_size=17)
addresses = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda number: str(ipaddress.IPv4Address(number))),
    st.integers(0, 2**128 - 1).map(lambda number: str(ipaddress.IPv6Address(number))),
)
VALUES = {
    "address": addresses,
    "time": st.integers(1, 10**10).map(str),
    "action": st.sampled_from(["ACCEPT", "REJECT"]),
    "status": st.sampled_from(["OK", "NODATA", "SKIPDATA"]),
    "text": words.filter(lambda word: word not in KNOWN),
}


@st.composite
def flows(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """(fields in any order, lines of their values; `-` for absent)."""
    fields = draw(st.lists(st.sampled_from(sorted(KNOWN)), min_size=2, max_size=30, unique=True))
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        values = []
        for field in fields:
            _, kind, most = COLUMNS.get(field, ("", "text", 0))
            value = st.integers(0, most).map(str) if kind == "number" else VALUES[kind]
            values.append(draw(st.one_of(st.just("-"), value)))
        lines.append(values)
    return fields, lines


@FAST
@given(flows())
def test_every_value_of_a_flow_log_comes_back(generated: tuple[list[str], list[list[str]]]) -> None:
    fields, lines = generated
    columns, index, rejects = parse_lines("vpc_flow", [" ".join(values) for values in lines], " ".join(fields))
    assert (sorted(index), rejects) == (list(range(len(lines))), [])
    for position, line in enumerate(index):
        for field, value in zip(fields, lines[line], strict=True):
            column = COLUMNS.get(field, ("", "", 0))[0]
            if column and field != "log-status":
                found = as_list(columns[column])[position] if column in columns else None
            else:
                found = dict(as_list(columns["fields"])[position] or {}).get(field.replace("-", "_"))
            assert (None if value == "-" else value) == (None if found is None else str(found)), field


def as_list(column: Any) -> list[Any]:
    return column.to_pylist() if hasattr(column, "to_pylist") else column


@FAST
@given(
    action=st.sampled_from(["RevokeSecurityGroupIngress", "RebootInstances", "DeleteRoute", "StopDBInstance"]),
    ids=st.lists(st.tuples(st.sampled_from(["i", "sg", "rtb", "vpc", "subnet"]), hexes), min_size=1, max_size=8),
    address=addresses,
    code=st.one_of(st.none(), words),
    wrap=st.sampled_from(["bare", "detail", "Records", "text"]),
)
def test_every_id_of_a_call_comes_back(
    action: str, ids: list[tuple[str, str]], address: str, code: str | None, wrap: str
) -> None:
    named = list(dict.fromkeys(f"{prefix}-{digits}" for prefix, digits in ids if any(map(str.isdigit, digits))))
    record = {
        "eventName": action,
        "eventSource": "ec2.amazonaws.com",
        "eventTime": "2024-03-01T12:00:00Z",
        "sourceIPAddress": address,
        "errorCode": code,
        "requestParameters": {"set": {"items": [{"id": one} for one in named]}},
    }
    document: Any = {
        "bare": record,
        "detail": {"detail": record},
        "Records": {"Records": [record]},
        "text": json.dumps(record),
    }[wrap]
    (event,) = parse_line("cloudtrail", json.dumps(document))
    assert sorted(event["resource_ids"]) == sorted(named)
    assert (event["action"], event["source_ip"], event["error_code"]) == (action, address, code)
    assert event["outcome"] == ("failure" if code else "success")


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
    max_leaves=20,
)


@FAST
@given(
    path=st.lists(words, min_size=1, max_size=4).map(".".join),
    before=json_values.filter(
        lambda value: value == value and "nan" not in repr(value).lower() and "inf" not in repr(value)
    ),
    nested=st.booleans(),
)
def test_every_change_of_an_item_comes_back(path: str, before: Any, nested: bool) -> None:
    before = json.loads(json.dumps(before, default=str).encode("utf-8", "replace"))
    leaf = {"previousValue": before, "updatedValue": "x", "changeType": "UPDATE"}
    properties: dict[str, Any] = {path: leaf}
    if nested:
        properties = leaf
        for part in reversed(path.split(".")):
            properties = {part: properties}
    message = {
        "messageType": "ConfigurationItemChangeNotification",
        "configurationItem": {
            "resourceType": "AWS::EC2::Instance",
            "resourceId": "i-0",
            "configurationItemStatus": "OK",
        },
        "configurationItemDiff": {"changeType": "UPDATE", "changedProperties": properties},
    }
    (event,) = parse_line("aws_config", json.dumps(message))
    (change,) = json.loads(event["fields"]["changes"])
    assert (change["path"], change["after"]) == (path, "x")


messages = st.text("abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=40).map(str.strip).filter(bool)
loggers = st.lists(st.text("abcdefgh", min_size=2, max_size=8), min_size=2, max_size=4).map(".".join)
LAYOUTS = [
    "2024-03-01 12:00:00,123 [main] {level} {logger} - {message}",
    "2024-03-01T12:00:00.123Z {level} 7 --- [main] {logger} : {message}",
    "2024-03-01 12:00:00,123 - {logger} - {level} - {message}",
    "2024-03-01 12:00:00 {level} {logger}: {message}",
    "{level}:{logger}:{message}",
    "[2024-03-01T12:00:00,123][{level}][{logger}] {message}",
    "[2024-03-01 12:00:00,123] {level} {message} ({logger})",
    "2024-03-01 12:00:00.123 | {level} | {logger} - {message}",
    '{{"level": "{level}", "logger": "{logger}", "message": "{message}"}}',
    'level={level} logger={logger} msg="{message}"',
]


@FAST
@given(
    layout=st.sampled_from(LAYOUTS),
    level=st.sampled_from(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]),
    logger=loggers,
    message=messages,
)
def test_level_logger_and_message_come_back(layout: str, level: str, logger: str, message: str) -> None:
    (event,) = parse_line("application", layout.format(level=level, logger=logger, message=message))
    assert (event["level"], event["logger"], event["message"]) == (level, logger, message)


texts = st.one_of(
    st.text(),
    st.text(st.characters(exclude_categories=())),  # lone surrogates too
    json_values.map(lambda value: json.dumps(value, default=str)),
    st.binary().map(lambda data: data.decode("latin-1")),
)


@FAST
@given(st.sampled_from(sorted(FAMILIES)), texts, st.one_of(st.none(), st.text(max_size=60)))
def test_any_text_is_read_or_rejected(family: str, text: str, form: str | None) -> None:
    try:
        events = parse_line(family, text, form)
    except RejectedLineError as fault:
        assert fault.reason.replace("_", "").isalpha()
        assert fault.reason.islower()
        return
    assert events
    for event in events:
        assert event.keys() <= NAMES
        assert all(isinstance(value, str) for value in (event.get("fields") or {}).values())
        json.dumps(event, default=str).encode()  # no lone surrogate is left


@FAST
@given(st.sampled_from(sorted(FAMILIES)), st.lists(texts, max_size=30))
def test_no_line_is_lost(family: str, lines: list[str]) -> None:
    columns, index, rejects = parse_lines(family, lines)
    assert {*index} | {line for line, _, _ in rejects} == set(range(len(lines)))
    assert all(len(column) == len(index) for column in columns.values())
