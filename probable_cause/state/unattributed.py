"""What belongs to no application, and what would attribute it: `probable-cause lookup unattributed`. Pure.

The stream keeps such events under an application of its own (attribution.UNATTRIBUTED), so that nothing is lost.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.state.lookups import Row

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ADVICE = {
    "address": "tag what has the address with its application, then `lookup refresh`; or `lookup put`: by_ip",
    "resource": "tag the resource with its application, then `lookup refresh`; or `lookup put`: by_resource",
    "log group": "name the application in conf log_groups, `(?P<application_id>...)`; or `lookup put`: by_resource "
    "with the log group's name",
}


@dataclass(frozen=True)
class Missing:
    """An address, resource or log group that the lookup tables had no application for at the events' time."""

    key: str
    kind: str  # address | resource | log group
    events: int
    last_seen: datetime
    summary: str
    advice: str


def missing(events: Iterable[EventOfInterest], rows: Sequence[Row], accepted_cidrs: Sequence[str]) -> list[Missing]:
    """What to give an application, with the most events first.

    Args:
        events: those of the unattributed application.
        rows: the lookup tables.
        accepted_cidrs: addresses outside are nobody's by design, and left out.
    """
    networks = [ipaddress.ip_network(cidr) for cidr in accepted_cidrs]
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    found: dict[str, Missing] = {}
    for event in events:
        for kind, key in _keys(event, networks):
            if any(_had(row, event.last_seen) for row in by_key.get(key, ())):
                continue
            one = Missing(key, kind, event.count, event.last_seen, event.summary, _ADVICE[kind])
            before = found.get(key)
            if before is not None:
                newest = max(before, one, key=lambda missed: missed.last_seen)
                one = replace(newest, events=before.events + one.events)
            found[key] = one
    return sorted(found.values(), key=lambda one: (-one.events, one.key))


def _keys(event: EventOfInterest, networks: Sequence[Network]) -> list[tuple[str, str]]:
    if event.family == "vpc_flow":
        inside = [word for word in event.addresses if any(_lies_in(word, network) for network in networks)]
        return [("address", word) for word in inside]
    if event.family == "application":
        return [("log group", word) for word in event.resource_ids[:1]]
    return [("resource", word) for word in event.resource_ids[:1]]  # the primary one


def _lies_in(word: str, network: Network) -> bool:
    try:
        return ipaddress.ip_address(word) in network
    except ValueError:
        return False


def _had(row: Row, at: datetime) -> bool:
    return (row.valid_from is None or at >= row.valid_from) and (row.valid_to is None or at < row.valid_to)
