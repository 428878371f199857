"""What a difference in a security group, network ACL or route table does to traffic: narrows, widens, or nothing.

A list's difference in AWS Config names elements by their place, so a permission that was widened shows as one removed
and one added. Here both states are compared: the new one is the item's, the old one is that without what was added and
with what was removed. Formats: API reference of EC2, IpPermission, NetworkAclEntry, Route.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from probable_cause.families.jsontext import try_load
from probable_cause.families.values import first

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ALL = "-1"
_MOST_POINTS = 4_000
_TARGETS = (
    "gatewayId", "natGatewayId", "transitGatewayId", "networkInterfaceId", "vpcPeeringConnectionId", "instanceId",
    "localGatewayId", "carrierGatewayId", "egressOnlyInternetGatewayId", "coreNetworkArn",
)  # fmt: skip


@dataclass(frozen=True)
class Lists:
    """Which elements of a list went and came, and all that it has now; `now` is None when the item does not tell."""

    removed: list[dict[str, Any]]
    added: list[dict[str, Any]]
    now: list[dict[str, Any]] | None


def lists_of(changes: Sequence[dict[str, Any]], path: str, now: Any) -> Lists | None:
    """How the list at `path` (`Configuration.Entries`) changed; None when it did not, or not by whole elements.

    Args:
        now: the list in the item's configuration.
    """
    removed: list[dict[str, Any]] = []
    added: list[dict[str, Any]] = []
    for change in changes:
        head, _, place = change["path"].lower().rpartition(".")
        if head != path.lower() or not place.isdigit():
            if f"{change['path']}.".lower().startswith(f"{path}.".lower()):
                return None  # a part of an element: what the whole was is not told
            continue
        for side, found in (("before", removed), ("after", added)):
            value = change[side]
            value = try_load(value) if isinstance(value, str) else value
            if isinstance(value, dict):
                found.append(value)
    if not removed and not added:
        return None
    return Lists(removed, added, [one for one in now if isinstance(one, dict)] if isinstance(now, list) else None)


# Security groups: a permission allows, and nothing forbids.


@lru_cache(maxsize=4096)
def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def permission_kinds(lists: Lists, direction: str) -> list[str]:
    """`ingress_rule_removed` when something is allowed no more, `ingress_rule_added` when something new is,
    `ingress_rule_unchanged` when neither."""
    removed, added, now = (
        {one for permission in state for one in _permissions(permission)}
        for state in (lists.removed, lists.added, lists.now or lists.added)
    )
    old, new = (now - added) | removed, now | added
    kinds = [f"{direction}_rule_removed"] if any(not _covered(one, new) for one in old) else []
    kinds += [f"{direction}_rule_added"] if any(not _covered(one, old) for one in new) else []
    return kinds or [f"{direction}_rule_unchanged"]


Permission = tuple[str, int, int, str]  # protocol, first and last port, other end


def _permissions(permission: dict[str, Any]) -> Iterable[Permission]:
    protocol = str(first(permission, "ipProtocol", "IpProtocol") or _ALL).lower()
    low, high = _ports(permission.get("fromPort"), permission.get("toPort"))
    ends: list[str] = []
    for name, value in permission.items():
        if name.lower() not in ("ipranges", "ipv4ranges", "ipv6ranges", "useridgrouppairs", "prefixlistids", "groups"):
            continue
        for one in value if isinstance(value, list) else []:
            text = first(one, "cidrIp", "cidrIpv6", "groupId", "prefixListId") if isinstance(one, dict) else one
            ends += [text] if isinstance(text, str) else []
    for end in ends or [""]:
        yield protocol, low, high, end


def _ports(low: Any, high: Any) -> tuple[int, int]:
    bounds = [int(one) if isinstance(one, (int, float)) and not isinstance(one, bool) else -1 for one in (low, high)]
    return (0, 65_535) if bounds[0] < 0 else (bounds[0], max(bounds))


def _covered(one: Permission, others: Iterable[Permission]) -> bool:
    return any(
        other[0] in (one[0], _ALL) and other[1] <= one[1] and one[2] <= other[2] and _inside(one[3], other[3])
        for other in others
    )


def _inside(inner: str, outer: str) -> bool:
    if inner == outer:
        return True
    a, b = _network(inner), _network(outer)
    return a is not None and b is not None and a.version == b.version and b.supernet_of(a)  # type: ignore[arg-type]


# Network ACLs: of the entries in the order of their numbers, the first that fits decides.


@dataclass(frozen=True)
class _Entry:
    number: int
    allow: bool
    egress: bool
    protocol: str
    network: Network
    low: int
    high: int

    def fits(self, protocol: str, address: int, port: int) -> bool:
        return (
            self.protocol in (protocol, _ALL)
            and int(self.network.network_address) <= address <= int(self.network.broadcast_address)
            and (self.protocol not in ("6", "17") or self.low <= port <= self.high)
        )


def acl_kinds(lists: Lists) -> list[str]:
    """`acl_narrowed` when traffic is refused that was not, `acl_widened` for the opposite, `acl_unchanged` when the
    entries that changed decide nothing. Empty when that can't be told."""
    removed, added, after = (_entries(state) for state in (lists.removed, lists.added, lists.now or []))
    if removed is None or added is None or after is None or lists.now is None:
        return []
    came = {(one.number, one.egress) for one in added}
    before = [one for one in after if (one.number, one.egress) not in came] + removed
    touched = removed + added
    kinds: set[str] = set()
    for egress, version in {(one.egress, one.network.version) for one in touched}:
        old, new, moved = (
            sorted((one for one in state if one.egress == egress and one.network.version == version),
                   key=lambda one: one.number)
            for state in (before, after, touched)
        )  # fmt: skip
        points = _points([*old, *new], moved)
        if points is None:
            return []
        for point in points:
            was, now = _allows(old, *point), _allows(new, *point)
            if was != now:
                kinds.add("acl_widened" if now else "acl_narrowed")
    return sorted(kinds) or ["acl_unchanged"]


def _allows(entries: Sequence[_Entry], protocol: str, address: int, port: int) -> bool:
    return next((one.allow for one in entries if one.fits(protocol, address, port)), False)


def _points(entries: Sequence[_Entry], touched: Sequence[_Entry]) -> list[tuple[str, int, int]] | None:
    """A point of every region that the entries cut out of what was touched: blocks and port ranges begin and end
    somewhere, and between two such places all entries decide alike."""
    protocols = {one.protocol for one in entries} - {_ALL} | {"other"}
    starts = {int(one.network.network_address) for one in entries}
    starts |= {int(one.network.broadcast_address) + 1 for one in entries}
    ports = {0} | {port for one in entries for port in (one.low, one.high + 1)}
    if len(protocols) * len(starts) * len(ports) > _MOST_POINTS:
        return None
    return [point for point in product(sorted(protocols), sorted(starts), sorted(ports)) if
            any(one.fits(*point) for one in touched)]  # fmt: skip


def _entries(raw: Sequence[dict[str, Any]]) -> list[_Entry] | None:
    """None when one of them can't be read."""
    entries = []
    for one in raw:
        network = _network(str(first(one, "cidrBlock", "ipv6CidrBlock")))
        ports = one.get("portRange")
        low, high = _ports(ports.get("from"), ports.get("to")) if isinstance(ports, dict) else (0, 65_535)
        action, number = str(one.get("ruleAction")).lower(), one.get("ruleNumber")
        if network is None or action not in ("allow", "deny") or not isinstance(number, (int, float)):
            return None
        egress = str(one.get("egress")).lower() == "true"
        entries.append(_Entry(int(number), action == "allow", egress, str(one.get("protocol")), network, low, high))
    return entries


# Route tables: of the routes that fit, the most specific is taken.


def route_kinds(lists: Lists) -> list[str]:
    """Route by destination: `route_removed`, `route_blackholed`, `route_restored`, `route_changed` (another target),
    `route_stolen` (a new one takes traffic from a wider one with another target), `route_added`."""
    kinds: dict[str, None] = {}
    old, came = _by_destination(lists.removed), _by_destination(lists.added)
    if old.keys() - came.keys():
        kinds.setdefault("route_removed")
    for destination, route in came.items():
        was = old.get(destination)
        if _is_blackhole(route):
            kinds.setdefault("route_blackholed")
        elif was is not None and _is_blackhole(was):
            kinds.setdefault("route_restored")
        elif was is not None:
            kinds.setdefault("route_changed" if _target(was) != _target(route) else "route_unchanged")
        else:
            kinds.setdefault("route_stolen" if _steals(destination, route, lists.now or []) else "route_added")
    return list(kinds)


def _by_destination(routes: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    keys = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
    return {str(first(route, *keys)): route for route in routes}


def _target(route: dict[str, Any]) -> str:
    return str(first(route, *_TARGETS))


def _is_blackhole(route: dict[str, Any]) -> bool:
    return str(route.get("state")).lower() == "blackhole"


def _steals(destination: str, route: dict[str, Any], routes: Sequence[dict[str, Any]]) -> bool:
    """Whether the traffic went elsewhere before: by the narrowest of the wider routes."""
    wider = [
        (other, one)
        for other, one in _by_destination(routes).items()
        if other != destination and not _is_blackhole(one) and _inside(destination, other)
    ]
    if not wider:
        return False
    narrowest = max(wider, key=lambda pair: network.prefixlen if (network := _network(pair[0])) else 0)
    return _target(narrowest[1]) != _target(route)
