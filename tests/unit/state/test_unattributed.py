"""What belongs to nobody, and what is left out of that list because it belongs to somebody, or to nobody by design."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.state.lookups import Row
from probable_cause.state.unattributed import missing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(family: str, count: int, at: datetime = NOW, **values: Any) -> EventOfInterest:
    facts: dict[str, Any] = {
        "application_id": "(unattributed)", "event_type": "network", "cause_id": "c", "episode": 1, "role": "symptom",
        "rule_id": "r", "relevance": 5.0, "half_life_seconds": 1, "window_seconds": 1, "first_seen": at,
        "summary": "s", "message": "", **values,
    }  # fmt: skip
    return EventOfInterest(family=family, count=count, last_seen=at, **facts)


EVENTS = [
    event("vpc_flow", 3, addresses=("10.0.0.9", "198.51.100.7"), summary="REJECT on address 10.0.0.9"),
    event("vpc_flow", 4, NOW + timedelta(minutes=1), addresses=("10.0.0.9", "10.0.0.1"), summary="newer"),
    event("vpc_flow", 1, addresses=("10.0.0.2",)),
    event("cloudtrail", 9, resource_ids=("i-9", "vpc-1")),
    event("cloudtrail", 9, resource_ids=("i-1",)),
    event("application", 2, resource_ids=("/app/lost",)),
    event("application", 2),
]
ROWS = [
    Row("10.0.0.1", "a", "Instance"),
    Row("10.0.0.2", "a", "Instance", None, NOW),  # given up just then
    Row("i-1", "a", "AWS::EC2::Instance", NOW, None),
]


def test_most_events_first_each_key_once_with_what_would_attribute_it() -> None:
    found = missing(EVENTS, ROWS, ["10.0.0.0/8"])
    assert [(one.key, one.kind, one.events, one.summary) for one in found] == [
        ("i-9", "resource", 9, "s"),
        ("10.0.0.9", "address", 7, "newer"),
        ("/app/lost", "log group", 2, "s"),
        ("10.0.0.2", "address", 1, "s"),
    ]
    assert "by_resource" in found[0].advice
    assert "by_ip" in found[1].advice
    assert "log_groups" in found[2].advice


def test_outside_the_accepted_ranges_an_address_is_nobodys() -> None:
    assert missing(EVENTS[:1], [], ["192.168.0.0/16"]) == []
