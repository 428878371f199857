"""The two lookup tables as the job reads them: rows of (key, application, type). No boto3, no Spark."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from probable_cause.state.moments import to_text
from probable_cause.state.tables import Tables, Write


def normalise_ip(text: str) -> str:
    """The one spelling of an address: 10.01.01.01 is 10.1.1.1, IPv6 as RFC 5952 has it. Raises ValueError."""
    stripped = text.strip()
    if "." in stripped and ":" not in stripped:
        # The ipaddress module refuses leading zeros, which some readers take for octal. AWS writes decimal.
        stripped = ".".join(
            str(int(octet)) if octet.isascii() and octet.isdigit() else octet for octet in stripped.split(".")
        )
    return str(ipaddress.ip_address(stripped))


def rows(tables: Tables) -> list[tuple[str, str, str]]:
    """(key, application, type) of every row of both tables, sorted; rows that can't be read are left out."""
    found = set()
    for item in tables.by_ip.scan():
        try:
            key = normalise_ip(item["IP"])
        except ValueError:
            continue
        found.add((key, item["ApplicationId"], item.get("EndpointType", "Instance")))
    for item in tables.by_resource.scan():
        found.add((item["ResourceId"], item["ApplicationId"], item.get("ResourceType", "resource")))
    return sorted(found)


def put(
    tables: Tables, by_ip: Iterable[Mapping[str, Any]], by_resource: Iterable[Mapping[str, Any]], now: datetime
) -> int:
    """Writes lookup rows as bundles and files give them; returns how many.

    Args:
        by_ip: mappings with ip, application_id, and optionally endpoint_type, resource_id.
        by_resource: mappings with resource_id, application_id, and optionally resource_type.

    Raises:
        ValueError: for an IP that is none.
    """
    writes = 0
    for row in by_ip:
        tables.by_ip.apply(
            Write(
                {"IP": normalise_ip(str(row["ip"])), "ApplicationId": str(row["application_id"])},
                {
                    "EndpointType": row.get("endpoint_type", "Instance"),
                    "ResourceId": row.get("resource_id"),
                    "UpdatedAt": to_text(now),
                },
            )
        )
        writes += 1
    for row in by_resource:
        tables.by_resource.apply(
            Write(
                {"ResourceId": str(row["resource_id"]), "ApplicationId": str(row["application_id"])},
                {"ResourceType": row.get("resource_type", "resource"), "UpdatedAt": to_text(now)},
            )
        )
        writes += 1
    return writes
