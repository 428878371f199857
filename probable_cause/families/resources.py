"""Which resources a record names: typed ids, ARNs, and names where the parameter says what they name.

The primary one comes first: what the call acts on. API actions carry the kind of their target in their name, so the
ids of that kind win (the group of RevokeSecurityGroupIngress, not its VPC; of RunInstances the new instances, which
only the response has), then those that stand higher in the record, then the order of the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from probable_cause.families.resource_types import (
    BY_ARN,
    BY_PARAMETER,
    BY_PREFIX,
    BY_SERVICE,
    ONLY_HEX,
    PLAIN,
)
from probable_cause.families.values import words

MOST = 1000  # ids kept of one event
_DEEPEST = 24
_LONGEST = 2048  # AWS' longest ARN
_LONGEST_KEY = 128
_TYPED = re.compile(r"([a-z]+(?:-[a-z]+)?)-([0-9A-Za-z]*[0-9][0-9A-Za-z]*)", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{6,}")
# Policies name what may be done, not what was done; tags and filters hold anyone's words.
_SKIPPED = frozenset(
    words(
        """policy policyDocument PolicyDocument assumeRolePolicyDocument policyText bucketPolicy resourcePolicy tags
        tagSet
        tagSpecificationSet credentials filterSet filters userData clientToken requestId"""
    )
)
_WALKED = (str, dict, list)
_RANK = itemgetter(0, 1, 2)
_NAME = re.compile(r"(?!\.+$)[\w./:@+=#-]+", re.ASCII)  # also not the dots that stand for a removed value
_NAMED_IN_EC2 = frozenset({"AWS::EC2::KeyPair", "AWS::EC2::LaunchTemplate"})
# Actions whose name holds another word than the kind of their target: part of the action's name -> kind.
_ACTS_ON = {
    "Route": "RouteTable", "Target": "TargetGroup", "NetworkAclEntry": "NetworkAcl", "Rule": "ListenerRule",
    "ResourceRecordSets": "HostedZone", "Command": "Instance", "Session": "Instance", "Address": "EIP",
    "DesiredCapacity": "AutoScalingGroup", "PasswordData": "Instance", "ConsoleOutput": "Instance",
    "ScalingPolicy": "AutoScalingGroup", "Permission": "Function", "LoginProfile": "User", "AccessKey": "User",
    "MFADevice": "User", "RolePolicy": "Role", "UserPolicy": "User", "GroupPolicy": "Group", "Logging": "Trail",
    "EventSelectors": "Trail", "VpcEndpoint": "VPCEndpoint", "VpcPeering": "VPCPeeringConnection",
}  # fmt: skip
# Actions whose name holds the kind of what they add to their target: whole action -> kind of the target.
_TARGETS = {
    "SetSecurityGroups": "LoadBalancer", "SetSubnets": "LoadBalancer", "SetWebAcl": "LoadBalancer",
    "ApplySecurityGroupsToLoadBalancer": "LoadBalancer", "RegisterInstancesWithLoadBalancer": "LoadBalancer",
    "DeregisterInstancesFromLoadBalancer": "LoadBalancer", "AttachInstances": "AutoScalingGroup",
    "DetachInstances": "AutoScalingGroup", "AttachLoadBalancers": "AutoScalingGroup",
    "DetachLoadBalancers": "AutoScalingGroup", "AttachLoadBalancerTargetGroups": "AutoScalingGroup",
    "DetachLoadBalancerTargetGroups": "AutoScalingGroup", "ModifySecurityGroupRules": "SecurityGroup",
    "TerminateInstanceInAutoScalingGroup": "Instance", "AddRoleToInstanceProfile": "InstanceProfile",
    "RemoveRoleFromInstanceProfile": "InstanceProfile", "AssociateVPCWithHostedZone": "HostedZone",
    "DisassociateVPCFromHostedZone": "HostedZone", "AddRoleToDBCluster": "DBCluster",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A resource that a record names. `kind` is its CloudFormation type, if known; `thing` the word for its kind in
    the names of API actions, in lower case; `also` another id that it is known by."""

    id: str
    kind: str | None
    thing: str
    also: str | None = None


@lru_cache(maxsize=8192)
def by_id(word: str) -> Named | None:
    """The resource that an ARN or a typed id such as i-0abc names; None for other text."""
    if word.startswith("arn:"):
        parts = word.split(":", 5)
        if len(parts) < 6 or not parts[5]:
            return None
        kind = _arn_kind(parts[2], parts[5])
        return Named(word, kind, _thing(kind) or _first_word(parts[5]).replace("-", "").lower(), plain_id(word))
    found = _TYPED.fullmatch(word)
    if found is None:
        return None
    prefix, rest = found.groups()
    kind = BY_PREFIX.get(prefix)
    if kind is None or (prefix in ONLY_HEX and not _HEX.fullmatch(rest)):
        return None
    return Named(word, kind, _thing(kind))


def _thing(kind: str | None) -> str:
    return kind.rsplit("::", 1)[-1].lower() if kind else ""


def _first_word(path: str) -> str:
    return re.split("[:/]", path.lstrip("/"), maxsplit=1)[0]


def _arn_kind(service: str, path: str) -> str | None:
    word = _first_word(path)
    if service == "elasticloadbalancing" and path.startswith("loadbalancer/") and path.count("/") == 1:
        return "AWS::ElasticLoadBalancing::LoadBalancer"
    return BY_ARN.get((service, word)) or BY_SERVICE.get(service)


@lru_cache(maxsize=8192)
def plain_id(arn: str) -> str | None:
    """The well-known plain id of an ARN (`...:instance/i-1` -> `i-1`, `...:db:orders` -> `orders`), if it has one."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    service, path = parts[2], parts[5]
    kind = _arn_kind(service, path)
    if kind is None or kind.split("::")[1] not in PLAIN:
        return None
    if service in BY_SERVICE:
        return _first_word(path) or None
    if service == "ssm":
        return path.removeprefix("parameter")
    words = [word for word in re.split("[:/]", path.lstrip("/")) if word]
    if len(words) < 2:
        return None
    # A function, table or log group may be followed by its version, stream or alias; others end with their name.
    return words[1] if service in ("lambda", "dynamodb", "logs", "kinesis") else words[-1]


def find(action: str, service: str, parts: Iterable[Any]) -> tuple[list[str], str | None]:
    """(ids, primary first; CloudFormation type of the primary) of the resources that `parts` of a record name.

    Args:
        action: the API action without version, or any word that tells what is acted on.
        service: the service's short name, as in `ec2.amazonaws.com`; it says what a parameter `name` names.
        parts: request parameters, resources, response elements: of equals, the earlier win.
    """
    found: list[tuple[int, int, int, Named]] = []
    service = service[:_LONGEST_KEY]
    for position, part in enumerate(parts):
        if part and type(part) in _WALKED:
            named: list[tuple[Named, int]] = []
            _walk("", part, 0, service, named)
            for resource, depth in named:
                found.append((-_fits(action, resource.thing), position, depth, resource))
    if not found:
        return [], None
    if len(found) > 1:
        found.sort(key=_RANK)
    ids: dict[str, None] = {}
    for rank in found[:MOST]:
        resource = rank[3]
        ids[resource.id] = None
        if resource.also:
            ids[resource.also] = None
    return list(ids)[:MOST], found[0][3].kind


def _walk(key: str, value: Any, depth: int, service: str, named: list[tuple[Named, int]]) -> None:
    """Adds (resource, depth) of each value at `key` that names one to `named`, in the order of the record."""
    kind = type(value)
    if kind is str:
        # Most values name nothing: what has no dash is an id only where the parameter says so.
        if (
            len(value) <= _LONGEST
            and len(key) <= _LONGEST_KEY
            and ("-" in value or ":" in value or _kind(service, key))
        ):
            resource = _resource(service, key, value, depth == 1)
            if resource is not None:
                named.append((resource, depth))
    elif depth < _DEEPEST:
        if kind is dict:
            for name, item in value.items():
                if item and type(item) in _WALKED and name not in _SKIPPED:
                    _walk(name, item, depth + 1, service, named)
        else:
            for item in value:
                if item and type(item) in _WALKED:
                    _walk(key, item, depth + 1, service, named)


@lru_cache(maxsize=8192)
def _kind(service: str, key: str) -> str | None:
    """The type that a parameter names a resource of, if it does."""
    lowered = key.lower()
    return BY_PARAMETER.get(f"{service}:{lowered}") or BY_PARAMETER.get(lowered)


@lru_cache(maxsize=8192)
def _resource(service: str, key: str, value: str, top: bool) -> Named | None:
    found = by_id(value)
    if found is not None:
        return found
    if key.lower() in ("name", "id") and not top:  # deeper, they name any part
        return None
    kind = _kind(service, key)
    if kind is None or not _NAME.fullmatch(value):
        return None
    # What EC2 names by id looks like one: a group's name in place of its id is no id.
    if kind.startswith("AWS::EC2") and "-" not in value and kind not in _NAMED_IN_EC2:
        return None
    queue = value.rsplit("/", 1)[-1] if value.startswith("https://") else None  # its URL ends with its name
    return Named(value, kind, _thing(kind), queue)


@lru_cache(maxsize=8192)
def _fits(action: str, thing: str) -> int:
    """How well the kind is the action's target: the length of its name if the action carries it, else 0."""
    if not thing or thing == "securitygrouprule":  # a rule's group is the target
        return 0
    target = _TARGETS.get(action)
    if target:
        return 99 if thing == target.lower() else 0
    lowered = action.lower()
    best = len(thing) if thing in lowered else 0
    for word, meant in _ACTS_ON.items():
        if meant.lower() == thing and word.lower() in lowered:
            best = max(best, len(word))
    return best
