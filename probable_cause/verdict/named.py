"""What a log text names, compared with what a call touched: resources, and the ports of a rule that was changed."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from probable_cause.verdict.recovery import request_parameters

_SHORTEST_NAME = 4  # shorter resource names occur in any text by chance
_NUMBER = re.compile(r"(?<![\d.])\d{1,5}(?!\d|\.\d)")
_CLOCK = re.compile(r"(?<![\w:.-])[0-2]\d:[0-5]\d(?![\w:])")  # of a summary: these are no ports
_REMEMBERED = 256  # lines, which may have 8 KiB each
_WIDEST_RANGE = 64  # ports; a wider range is in any text by chance
_ID = re.compile(r"(?<![\w-])(i|sg|eni|rtb|acl|igw|nat|vpce|vol|db|tgw|pcx|eipalloc)-[0-9a-z]{6,}")
# Request parameter -> how a text names a resource of that class.
_CLASSES = {
    "roleName": re.compile(r"assumed-role/([\w+=,.@-]+)|:role/(?:[\w+=,.@-]+/)*([\w+=,.@-]+)"),
    "tableName": re.compile(r":table/([\w.-]+)"),
    "functionName": re.compile(r":function:([\w-]+)"),
    "keyId": re.compile(r"\bkey/([0-9a-f-]{36})"),
    "dBInstanceIdentifier": re.compile(r"(?<![\w.-])([\w-]+)\.(?!cluster-)[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com"),
}


def mentions(text: str, resource_id: str) -> bool:
    """Whether a log text names a resource: by id, by ARN, or by the last part of its ARN, as a whole word."""
    return any(
        len(word) >= _SHORTEST_NAME
        and word in text  # a plain search first: most texts name nothing
        and re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None
        for word in {resource_id, last_part(resource_id)}
    )


def last_part(resource_id: str) -> str:
    """The name at the end of an ARN or path."""
    return re.split(r"[:/]", resource_id)[-1]


def names_another(text: str, call: str) -> bool:
    """Whether a text names resources of the class that a call concerns, but not the call's own.

    Args:
        text: a symptom's line.
        call: the cause's line, a CloudTrail record.
    """
    for parameter, named in _CLASSES.items():
        own = _parameters(call).get(parameter)
        if isinstance(own, str):
            found = {name for groups in named.findall(text) for name in _texts(groups)}
            if found:
                return last_part(own) not in found
    return False


def _texts(groups: str | tuple[str, ...]) -> Iterable[str]:
    return [groups] if isinstance(groups, str) else [one for one in groups if one]


def another_of_a_class(touched: Iterable[str], named: Iterable[str]) -> bool:
    """Both are ids of one class (two instances, two groups), but none of them is the same."""

    def classes(ids: Iterable[str]) -> set[str]:
        return {match[1] for one in ids if (match := _ID.search(one))}

    return not set(touched) & set(named) and bool(classes(touched) & classes(named))


def meets_rule(call: str, text: str, addresses: Collection[str]) -> bool:
    """Whether a symptom's text has a port of the rule that a call changed, and an address in the rule's ranges.

    A rule for all ports, or without ports, says nothing.
    """
    ports, ranges = _rule(call)
    if not ports or ports.isdisjoint(map(int, _NUMBER.findall(_CLOCK.sub("", text)))):
        return False
    inside = [one for one in map(_address, addresses) if one is not None]
    return not ranges or not inside or any(one in block for one in inside for block in ranges)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=_REMEMBERED)
def _parameters(call: str) -> dict[str, Any]:
    return request_parameters(call)


@lru_cache(maxsize=_REMEMBERED)
def _rule(call: str) -> tuple[frozenset[int], tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]]:
    """Ports and CIDR ranges of the permissions, network ACL entry or Config difference in a line."""
    ports: set[int] = set()
    ranges = []
    for entry in _entries(call):
        low, high = entry.get("fromPort", entry.get("from")), entry.get("toPort", entry.get("to"))
        if isinstance(low, int) and isinstance(high, int) and 0 < low <= high < low + _WIDEST_RANGE:
            ports.update(range(low, high + 1))
        for key in ("cidrIp", "cidrIpv6", "cidrBlock", "ipv6CidrBlock"):
            if isinstance(entry.get(key), str):
                try:
                    ranges.append(ipaddress.ip_network(entry[key], strict=False))
                except ValueError:
                    continue
    return frozenset(ports), tuple(ranges)


def _entries(call: str) -> Iterable[dict[str, Any]]:
    """Every mapping inside a call's parameters or a Config item's differences."""
    waiting: list[Any] = [_parameters(call) or _differences(call)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _differences(line: str) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except ValueError:
        return {}
    if isinstance(item, dict) and isinstance(item.get("detail"), dict):
        item = item["detail"]
    found = item.get("configurationItemDiff") if isinstance(item, dict) else None
    return found if isinstance(found, dict) else {}
