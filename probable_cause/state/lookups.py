"""The two lookup tables as the job reads them: whose a key is, and since and until when. No boto3, no Spark."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from probable_cause.state.moments import from_text, to_text
from probable_cause.state.tables import Tables, Write

VALIDITY = ("valid_from", "valid_to")  # of a row: who had it when


class Row(NamedTuple):
    """Who has an address or a resource. An event belongs to who had it at the event's time: from `valid_from` on, and
    before `valid_to`. None is open."""

    key: str
    application_id: str
    type: str
    valid_from: datetime | None = None
    valid_to: datetime | None = None


def normalise_ip(text: str) -> str:
    """The one spelling of an address: 10.01.01.01 is 10.1.1.1, IPv6 as RFC 5952 has it. Raises ValueError."""
    stripped = text.strip()
    if "." in stripped and ":" not in stripped:
        # The ipaddress module refuses leading zeros, which some readers take for octal. AWS writes decimal.
        stripped = ".".join(
            str(int(octet)) if octet.isascii() and octet.isdigit() else octet for octet in stripped.split(".")
        )
    return str(ipaddress.ip_address(stripped))


def rows(tables: Tables) -> list[Row]:
    """Every row of both tables, by key and application; rows that can't be read are left out."""
    found = set()
    for item in tables.by_ip.scan():
        try:
            found.add(_row(normalise_ip(item["IP"]), item, "EndpointType", "Instance"))
        except ValueError:
            continue
    for item in tables.by_resource.scan():
        try:
            found.add(_row(item["ResourceId"], item, "ResourceType", "resource"))
        except ValueError:
            continue
    return sorted(found, key=lambda row: (row.key, row.application_id))


def _row(key: str, item: Mapping[str, Any], kind: str, default: str) -> Row:
    since, until = (from_text(item[name]) if item.get(name) else None for name in ("ValidFrom", "ValidTo"))
    return Row(key, item["ApplicationId"], item.get(kind, default), since, until)


def put(
    tables: Tables, by_ip: Iterable[Mapping[str, Any]], by_resource: Iterable[Mapping[str, Any]], now: datetime
) -> int:
    """Writes lookup rows as bundles and files give them; returns how many.

    Args:
        by_ip: mappings with ip, application_id, and optionally endpoint_type, resource_id.
        by_resource: mappings with resource_id, application_id, and optionally resource_type.
        Both may have valid_from and valid_to (ISO 8601).

    Raises:
        ValueError: for an IP or a time that is none.
    """
    writes = 0
    for row in by_ip:
        tables.by_ip.apply(
            Write(
                {"IP": normalise_ip(str(row["ip"])), "ApplicationId": str(row["application_id"])},
                {
                    "EndpointType": row.get("endpoint_type", "Instance"),
                    "ResourceId": row.get("resource_id"),
                    **_validity(row),
                    "UpdatedAt": to_text(now),
                },
            )
        )
        writes += 1
    for row in by_resource:
        tables.by_resource.apply(
            Write(
                {"ResourceId": str(row["resource_id"]), "ApplicationId": str(row["application_id"])},
                {
                    "ResourceType": row.get("resource_type", "resource"),
                    **_validity(row),
                    "UpdatedAt": to_text(now),
                },
            )
        )
        writes += 1
    return writes


def _validity(row: Mapping[str, Any]) -> dict[str, str | None]:
    """ValidFrom and ValidTo of a row of a file, in which YAML may have read a time already."""
    times: dict[str, str | None] = {}
    for attribute, name in zip(("ValidFrom", "ValidTo"), VALIDITY, strict=True):
        value = row.get(name)
        text = value.isoformat() if isinstance(value, datetime) else value
        times[attribute] = to_text(from_text(str(text))) if text is not None else None
    return times
