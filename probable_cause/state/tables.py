"""The four tables: names, keys, and one description of a conditional write that every kind of table can apply.

Standard library only. `create_request` is the DynamoDB call; a test holds the CloudFormation template equal to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

EXPIRES_AT = "ExpiresAt"  # the TTL attribute, epoch seconds


@dataclass(frozen=True)
class TableDefinition:
    """Keys are strings. `range_key` is None for a table with a hash key only."""

    name: str
    hash_key: str
    range_key: str | None = None


LOOKUP_BY_IP = TableDefinition("ApplicationLookupByIP", "IP", "ApplicationId")
LOOKUP_BY_RESOURCE = TableDefinition("ApplicationLookupByResource", "ResourceId", "ApplicationId")
EVENTS = TableDefinition("EventsOfInterestByApplication", "ApplicationId", "EventKey")
STATES = TableDefinition("SystemStateRecordsByApplication", "ApplicationId", "StateKey")
ALL = (LOOKUP_BY_IP, LOOKUP_BY_RESOURCE, EVENTS, STATES)


@dataclass(frozen=True)
class Write:
    """Set `attributes` on the item at `key`, but only if every attribute in `expected` has that value now, and none in
    `excluded` has.

    An expected value of None means: the attribute is absent (so also: the item does not exist). An attribute that is
    set to None is removed; of a `whole` item every attribute that is not named is.
    """

    key: dict[str, str]
    attributes: dict[str, Any]
    expected: dict[str, Any] = field(default_factory=dict)
    excluded: dict[str, Any] = field(default_factory=dict)
    whole: bool = False


class Table(Protocol):
    """What the job needs of one table. Items are dicts of str, int, float, bool, bytes, list, dict and None-free."""

    definition: TableDefinition

    def query(self, hash_value: str, prefix: str = "", newest_first: bool = False) -> list[dict[str, Any]]:
        """All items of one hash key whose range key starts with `prefix`, ordered by range key."""

    def get(self, key: dict[str, str]) -> dict[str, Any] | None: ...

    def get_all(self, keys: Sequence[dict[str, str]]) -> list[dict[str, Any] | None]:
        """The items of at most 100 different keys, in their order, by one call."""

    def scan(self) -> list[dict[str, Any]]:
        """Every item, in no particular order."""

    def apply(self, write: Write) -> bool:
        """True when written; False when its conditions did not hold, and nothing was written."""

    def delete(self, key: dict[str, str]) -> None: ...


@dataclass(frozen=True)
class Tables:
    """The four tables of one installation."""

    by_ip: Table
    by_resource: Table
    events: Table
    states: Table


def create_request(definition: TableDefinition, prefix: str = "") -> dict[str, Any]:
    """Arguments of DynamoDB's CreateTable: on-demand, encrypted, with a stream for the responder."""
    keys = [(definition.hash_key, "HASH")] + ([(definition.range_key, "RANGE")] if definition.range_key else [])
    return {
        "TableName": prefix + definition.name,
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        "BillingMode": "PAY_PER_REQUEST",
        "SSESpecification": {"Enabled": True},
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }
