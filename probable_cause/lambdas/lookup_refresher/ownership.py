"""Resources -> rows of the two lookup tables: whose each address and each resource is. Pure.

A resource's own application is, in this order: its application tag; that of what it belongs to; its stack's name, if
that is wanted. It also concerns the applications of everything that uses it: a security group those of its instances.
Addresses go by the own application only: traffic to a shared gateway's address is no trouble of all who use it.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from probable_cause.lambdas.lookup_refresher.inventory import Resource, merged, unique
from probable_cause.lambdas.lookup_refresher.sources.tagged import of_arn

STACK = "aws:cloudformation:stack-name"
BY_IP, BY_RESOURCE = "by_ip", "by_resource"
_DEEPEST = 6  # task -> service -> cluster; interface -> balancer


@dataclass(frozen=True)
class Row:
    """A row as the tables hold it: `key` an IP or a resource's id or name, `type` EndpointType or ResourceType."""

    table: str
    key: str
    application_id: str
    type: str
    resource_id: str
    scope: str


class _Inventory:
    """Resources by name. Ids are unique within an account and region; ARNs everywhere."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.all = list(resources)
        self._named: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        for one in self.all:
            for name in unique(one.id, *one.names):
                self._named[self._key(name, one.scope)].append(one)

    def named(self, name: str, scope: str) -> list[Resource]:
        return self._named.get(self._key(name, scope), [])

    @staticmethod
    def _key(name: str, scope: str) -> tuple[str, str]:
        return ("" if name.startswith("arn:") else scope), name

    def owners(self, one: Resource) -> list[Resource]:
        return [owner for name in one.belongs_to for owner in self.named(name, one.scope)]


def rows(resources: Iterable[Resource], tags: Sequence[str], stack_fallback: bool) -> list[Row]:
    """All rows, sorted, one for each (table, key, application).

    Args:
        tags: names of the application tag; the first that a resource has counts.
        stack_fallback: whether the name of its CloudFormation stack stands in for a missing tag.
    """
    inventory = _Inventory(_with_owners_of_interfaces(merged(resources)))
    found: dict[tuple[str, str, str], Row] = {}

    def add(table: str, key: str, application: str, kind: str, resource: Resource) -> None:
        row = Row(table, key, application, kind, resource.id, resource.scope)
        found.setdefault((table, key, application), row)

    for one in inventory.all:
        for application in _own(one, inventory, tags, stack_fallback):
            for address in one.addresses:
                holder = next(iter(inventory.owners(one)), one) if one.type == "AWS::EC2::NetworkInterface" else one
                kind = holder.endpoint or one.endpoint or "Instance"
                add(BY_IP, str(ipaddress.ip_address(address)), application, kind, holder)
            for concerned in (one, *_used(one, inventory)):
                for name in unique(concerned.id, *concerned.names):
                    add(BY_RESOURCE, name, application, concerned.type, concerned)
    return sorted(found.values(), key=lambda row: (row.table, row.key, row.application_id))


def _own(one: Resource, inventory: _Inventory, tags: Sequence[str], stack_fallback: bool) -> list[str]:
    by_tag = _inherited(one, inventory, tags, _DEEPEST)
    if by_tag or not stack_fallback:
        return sorted(by_tag)
    return sorted(_inherited(one, inventory, [STACK], _DEEPEST))


def _inherited(one: Resource, inventory: _Inventory, tags: Sequence[str], depth: int) -> set[str]:
    for name in tags:
        if one.tags.get(name, "").strip():
            return {one.tags[name].strip()}
    if depth == 0:
        return set()
    return {
        application
        for owner in inventory.owners(one)
        if owner is not one
        for application in _inherited(owner, inventory, tags, depth - 1)
    }


def _used(one: Resource, inventory: _Inventory) -> Iterator[Resource]:
    """Everything that a resource uses, directly and through what it uses; what no source tells of by its name alone."""
    seen = {one.id}
    waiting = list(one.uses)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        known = inventory.named(name, one.scope)
        if not known:
            kind = of_arn(name, {}).type if name.startswith("arn:") else "resource"
            known = [Resource(name, kind, scope=one.scope)]
        for used in known:
            seen.add(used.id)
            yield used
            waiting += used.uses


def _with_owners_of_interfaces(resources: Sequence[Resource]) -> list[Resource]:
    """Interfaces that do not name their owner get it: from who lists them, or from who is placed where they are."""
    listed: dict[tuple[str, str], list[str]] = defaultdict(list)
    placed: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for one in resources:
        for interface in one.interfaces:
            listed[one.scope, interface].append(one.id)
        if one.placed is not None:
            placed[one.scope, one.placed.kind].append(one)
    done = []
    for one in resources:
        where = one.placement
        owners = listed.get((one.scope, one.id), [])
        for other in placed.get((one.scope, where.kind), []) if where else []:
            at = other.placed
            if at and where and where.subnets <= at.subnets and where.groups == at.groups:
                owners = [*owners, other.id]
        done.append(replace(one, belongs_to=unique(*owners, *one.belongs_to)) if owners else one)
    return done
