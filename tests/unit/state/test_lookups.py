"""Addresses have one spelling."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probable_cause.state import lookups
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Write

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("10.01.01.01", "10.1.1.1"),
        (" 10.1.1.10 ", "10.1.1.10"),
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("::FFFF:10.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_one_spelling(text: str, normal: str) -> None:
    assert lookups.normalise_ip(text) == lookups.normalise_ip(normal)


@pytest.mark.parametrize("text", ["", "10.1.1", "10.1.1.256", "host", "10.1.1.x", "1.2.3.4.5"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        lookups.normalise_ip(text)


def test_an_address_of_two_applications_has_two_rows_and_a_bad_row_hides_none() -> None:
    tables = memory_tables()
    lookups.put(
        tables,
        [{"ip": "10.01.1.1", "application_id": "a"}, {"ip": "10.1.1.1", "application_id": "b", "endpoint_type": "ELB"}],
        [{"resource_id": "sg-1", "application_id": "a", "resource_type": "AWS::EC2::SecurityGroup"}],
        NOW,
    )
    tables.by_ip.apply(Write({"IP": "garbled", "ApplicationId": "a"}, {"EndpointType": "Instance"}))
    assert lookups.rows(tables) == [
        ("10.1.1.1", "a", "Instance", None, None),
        ("10.1.1.1", "b", "ELB", None, None),
        ("sg-1", "a", "AWS::EC2::SecurityGroup", None, None),
    ]


def test_since_and_until_come_back_as_instants() -> None:
    tables = memory_tables()
    until = {"valid_from": "2026-03-01T01:00:00+01:00", "valid_to": datetime(2026, 3, 1, 12, tzinfo=UTC)}
    lookups.put(tables, [{"ip": "10.1.1.1", "application_id": "a", **until}], [], NOW)
    lookups.put(tables, [], [{"resource_id": "i-1", "application_id": "a", "valid_from": NOW}], NOW)
    tables.by_resource.apply(Write({"ResourceId": "i-2", "ApplicationId": "a"}, {"ValidTo": "soon"}))
    assert lookups.rows(tables) == [
        ("10.1.1.1", "a", "Instance", NOW, datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("i-1", "a", "resource", NOW, None),
    ]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        lookups.put(
            memory_tables(), [{"ip": "10.1.1.1", "application_id": "a", "valid_to": "2026-03-01T12:00:00"}], [], NOW
        )
