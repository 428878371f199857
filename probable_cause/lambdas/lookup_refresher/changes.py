"""Rows that are wanted against rows that are there: what to open, close, reopen and update. Pure.

A row that vanished is closed (`ValidTo`), not deleted: events come minutes late, and belong to who had the address
then. It goes for good after KEPT. Rows without `Source` were put by hand and are left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from probable_cause.lambdas.lookup_refresher.ownership import BY_IP, Row
from probable_cause.state import tables
from probable_cause.state.moments import from_text, to_text
from probable_cause.state.tables import Write

KEPT = timedelta(days=90)
# An address that comes to another application did so somewhen since the last look: both have it for that long.
OVERLAP = timedelta(minutes=10)
# Closed for so short a time, a row was missed by one look rather than gone.
BLINK = timedelta(hours=1)
Kind = Literal["open", "close", "reopen", "update"]
_KEY = {BY_IP: "IP"}


@dataclass(frozen=True)
class Change:
    """One write to one of the two tables, and what it means."""

    kind: Kind
    table: str
    key: str
    application_id: str
    type: str
    write: Write

    def __str__(self) -> str:
        sign = {"open": "+", "reopen": "+", "close": "-", "update": "~"}[self.kind]
        return f"{sign} {self.key}  {self.application_id}  {self.type}"


Items = Mapping[str, Sequence[Mapping[str, Any]]]  # table -> its items


def between(items: Items, wanted: Iterable[Row], complete: Iterable[str], now: datetime) -> list[Change]:
    """The changes that make the tables as wanted.

    Args:
        items: what both tables hold.
        complete: scopes of which everything was read: only their rows may be closed.
    """
    there = {(table, _hash(table, item), item["ApplicationId"]): item for table in items for item in items[table]}
    holders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for table, key, application in there:
        holders[table, key].add(application)
    changes = []
    seen = set()
    for row in wanted:
        seen.add((row.table, row.key, row.application_id))
        item = there.get((row.table, row.key, row.application_id))
        change = _opened(row, holders[row.table, row.key], now) if item is None else _kept(row, item, now)
        if change is not None:
            changes.append(change)
    closable = set(complete)
    for (table, key, application), item in there.items():
        gone = (table, key, application) not in seen and "ValidTo" not in item and item.get("Source") in closable
        if gone:
            expires = int((now + KEPT).timestamp())
            attributes = {"ValidTo": to_text(now), "UpdatedAt": to_text(now), tables.EXPIRES_AT: expires}
            kind = item.get("EndpointType") or item.get("ResourceType") or "resource"
            changes.append(Change("close", table, key, application, kind, _write(table, key, application, attributes)))
    return sorted(changes, key=lambda one: (one.table, one.key, one.application_id))


def _opened(row: Row, holders: set[str], now: datetime) -> Change:
    # Whose it was before it was first seen is not known: as far as anybody knows, theirs.
    since = to_text(now - OVERLAP) if holders else None
    return _change("open", row, {**_content(row), "ValidFrom": since, "UpdatedAt": to_text(now)})


def _kept(row: Row, item: Mapping[str, Any], now: datetime) -> Change | None:
    if "Source" not in item:
        return None
    content = _content(row)
    if "ValidTo" in item:
        blink = now - from_text(item["ValidTo"]) <= BLINK
        since = item.get("ValidFrom") if blink else to_text(now - OVERLAP)
        back = {"ValidFrom": since, "ValidTo": None, tables.EXPIRES_AT: None, "UpdatedAt": to_text(now)}
        return _change("reopen", row, {**content, **back})
    if all(item.get(name) == value for name, value in content.items()):
        return None
    return _change("update", row, {**content, "UpdatedAt": to_text(now)})


def _content(row: Row) -> dict[str, Any]:
    if row.table == BY_IP:
        return {"EndpointType": row.type, "ResourceId": row.resource_id, "Source": row.scope}
    return {"ResourceType": row.type, "Source": row.scope}


def _change(kind: Kind, row: Row, attributes: dict[str, Any]) -> Change:
    write = _write(row.table, row.key, row.application_id, attributes)
    return Change(kind, row.table, row.key, row.application_id, row.type, write)


def _write(table: str, key: str, application: str, attributes: dict[str, Any]) -> Write:
    return Write({_KEY.get(table, "ResourceId"): key, "ApplicationId": application}, attributes)


def _hash(table: str, item: Mapping[str, Any]) -> str:
    return str(item[_KEY.get(table, "ResourceId")])
