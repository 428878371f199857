"""A resource of an account, as the sources find it. Pure values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Placement:
    """Where a service puts interfaces that do not name their owner: `kind` of interface, subnets and groups."""

    kind: str
    subnets: frozenset[str]
    groups: frozenset[str]


@dataclass(frozen=True)
class Resource:
    """`id` is what CloudTrail and Config call it; `names` are its other names, such as the ARN.

    Attributes:
        type: CloudFormation type.
        endpoint: EndpointType of its addresses and of those of its interfaces.
        addresses: IPs.
        belongs_to: ids or names whose application is its own when it has no tag.
        uses: ids of what concerns its application too: groups, subnets, route tables.
        interfaces: ids of network interfaces that are its own.
        placed: for a service whose interfaces do not name it, where they are.
        placement: of an interface that names no owner.
        scope: account/region that it was found in.
    """

    id: str
    type: str
    names: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    endpoint: str | None = None
    addresses: tuple[str, ...] = ()
    belongs_to: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    placed: Placement | None = None
    placement: Placement | None = None
    scope: str = ""


def tags_of(pairs: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """boto3's lists of Key and Value (or key and value) as a mapping."""
    return {str(one.get("Key", one.get("key"))): str(one.get("Value", one.get("value", ""))) for one in pairs or ()}


def unique(*values: str | None) -> tuple[str, ...]:
    """Those that are something, once each, in order."""
    return tuple(dict.fromkeys(value for value in values if value))


def merged(resources: Iterable[Resource]) -> list[Resource]:
    """One resource for all that share an ARN, or type and id: a service's answer, and the tagging API's."""
    kept: dict[tuple[str, str], Resource] = {}
    place: dict[tuple[str, str], tuple[str, str]] = {}
    for one in resources:
        keys = [("", name) for name in (one.id, *one.names) if name.startswith("arn:")]
        keys.append((f"{one.scope} {one.type}", one.id))
        known = next((place[key] for key in keys if key in place), None)
        if known is None:
            known = keys[-1]
            kept[known] = one
        else:
            kept[known] = _union(kept[known], one)
        for key in keys:
            place.setdefault(key, known)
    return list(kept.values())


def _union(first: Resource, second: Resource) -> Resource:
    def both(name: str) -> tuple[str, ...]:
        return unique(*getattr(first, name), *getattr(second, name))

    return replace(
        first,
        names=tuple(name for name in unique(*first.names, second.id, *second.names) if name != first.id),
        tags={**second.tags, **first.tags},
        endpoint=first.endpoint or second.endpoint,
        addresses=both("addresses"),
        belongs_to=both("belongs_to"),
        uses=both("uses"),
        interfaces=both("interfaces"),
        placed=first.placed or second.placed,
        placement=first.placement or second.placement,
    )
