"""Rows are opened, closed, reopened; what was put by hand and what was not looked at stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from probable_cause.lambdas.lookup_refresher.changes import KEPT, between
from probable_cause.lambdas.lookup_refresher.ownership import BY_IP, BY_RESOURCE, Row
from probable_cause.state.memory import memory_tables

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HERE = "1/r"
IP = Row(BY_IP, "10.0.0.1", "shop", "Instance", "i-1", HERE)
ITEM = {
    "IP": "10.0.0.1", "ApplicationId": "shop", "EndpointType": "Instance", "ResourceId": "i-1", "Source": HERE,
    "UpdatedAt": "2026-03-01T10:00:00.000Z",
}  # fmt: skip
CLOSED = {**ITEM, "ValidTo": "2026-03-01T11:30:00.000Z", "ExpiresAt": 1}
LONG_CLOSED = {**CLOSED, "ValidTo": "2026-03-01T08:00:00.000Z"}
OTHERS = {**ITEM, "ApplicationId": "billing", "ResourceId": "i-2"}
BY_HAND = {name: value for name, value in ITEM.items() if name != "Source"}

CASES: list[tuple[str, list[Row], list[dict[str, Any]], list[str], list[tuple[str, dict[str, Any]]]]] = [
    ("new and nobody's before: valid since ever", [IP], [], [HERE], [("open", {"ValidFrom": None})]),
    (
        "new but another's before: both for the overlap",
        [IP],
        [OTHERS],
        [HERE],
        [("close", {"ValidTo": "2026-03-01T12:00:00.000Z"}), ("open", {"ValidFrom": "2026-03-01T11:50:00.000Z"})],
    ),
    ("as it was", [IP], [ITEM], [HERE], []),
    ("another type", [IP], [{**ITEM, "EndpointType": "ELB"}], [HERE], [("update", {"EndpointType": "Instance"})]),
    ("vanished", [], [ITEM], [HERE], [("close", {"ExpiresAt": int((NOW + KEPT).timestamp())})]),
    ("vanished, but not all was read", [], [ITEM], [], []),
    ("vanished, of another scope", [], [ITEM], ["2/r"], []),
    ("vanished again", [], [CLOSED], [HERE], []),
    ("back at once", [IP], [CLOSED], [HERE], [("reopen", {"ValidTo": None, "ValidFrom": None, "ExpiresAt": None})]),
    ("back after long", [IP], [LONG_CLOSED], [HERE], [("reopen", {"ValidFrom": "2026-03-01T11:50:00.000Z"})]),
    ("by hand", [], [BY_HAND], [HERE], []),
    ("by hand, and found", [IP], [{**BY_HAND, "EndpointType": "mine"}], [HERE], []),
]


@pytest.mark.parametrize(
    ("wanted", "items", "complete", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_changes(
    wanted: list[Row],
    items: list[dict[str, Any]],
    complete: list[str],
    expected: list[tuple[str, dict[str, Any]]],
) -> None:
    found = between({BY_IP: items, BY_RESOURCE: []}, wanted, complete, NOW)
    assert [one.kind for one in found] == [kind for kind, _ in expected]
    for change, (_, attributes) in zip(found, expected, strict=True):
        assert {name: change.write.attributes[name] for name in attributes} == attributes


def test_what_was_written_needs_no_change() -> None:
    tables = memory_tables()
    rows = [IP, Row(BY_RESOURCE, "sg-1", "shop", "AWS::EC2::SecurityGroup", "sg-1", HERE)]
    at = NOW
    for wanted in (rows, [], rows, rows[:1], rows):
        items = {BY_IP: tables.by_ip.scan(), BY_RESOURCE: tables.by_resource.scan()}
        for one in between(items, wanted, [HERE], at):
            (tables.by_ip if one.table == BY_IP else tables.by_resource).apply(one.write)
        items = {BY_IP: tables.by_ip.scan(), BY_RESOURCE: tables.by_resource.scan()}
        assert between(items, wanted, [HERE], at) == []
        at += timedelta(minutes=5)
