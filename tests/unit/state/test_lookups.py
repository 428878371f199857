"""Addresses have one spelling."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probable_cause.state import lookups
from probable_cause.state.memory import memory_tables

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
    from probable_cause.state.tables import Write

    tables.by_ip.apply(Write({"IP": "garbled", "ApplicationId": "a"}, {"EndpointType": "Instance"}))
    assert lookups.rows(tables) == [
        ("10.1.1.1", "a", "Instance"),
        ("10.1.1.1", "b", "ELB"),
        ("sg-1", "a", "AWS::EC2::SecurityGroup"),
    ]
