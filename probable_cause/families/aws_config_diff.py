"""What an AWS Config difference says: which rule, route, entry, state or size changed, from what to what.

`configurationItemDiff.changedProperties` maps a path (`Configuration.IpPermissions.0`) to previousValue, updatedValue
and changeType. Producers also leave it null or empty, nest it by path parts, or hand it over as JSON text.
"""

from __future__ import annotations

from typing import Any

from probable_cause.families.aws_config_network import acl_kinds, lists_of, permission_kinds, route_kinds
from probable_cause.families.jsontext import try_load
from probable_cause.families.values import text

MOST = 200  # changes kept of one item
_DEEPEST = 12
_LEAF = ("previousValue", "updatedValue", "changeType")

# Part of a path in lower case -> what changed. The first that occurs names the change.
_KINDS = (
    ("ippermissionsegress", "egress_rule"),
    ("ippermissions", "ingress_rule"),
    ("securitygroups", "security_groups"),
    ("groupset", "security_groups"),
    (".routes.", "route"),
    (".routeset.", "route"),
    (".entries.", "acl_entry"),
    (".entryset.", "acl_entry"),
    ("relationships", "relationship"),
    ("tags", "tag"),
    ("desiredcapacity", "capacity"),
    ("desiredcount", "capacity"),
    ("minsize", "capacity"),
    ("maxsize", "capacity"),
    ("reservedconcurrent", "capacity"),
    ("instancetype", "size"),
    ("instanceclass", "size"),
    ("allocatedstorage", "size"),
    ("memorysize", "size"),
    ("throughput", "size"),
    ("volumesize", "size"),
    ("iops", "size"),
    ("state", "state"),
    ("status", "state"),
)


def changes_of(difference: Any) -> list[dict[str, Any]]:
    """[{path, change_type, before, after}] of a configurationItemDiff, in its order."""
    if isinstance(difference, str):
        difference = try_load(difference)
    if not isinstance(difference, dict):
        return []
    properties = difference.get("changedProperties")
    if isinstance(properties, str):
        properties = try_load(properties)
    found: list[dict[str, Any]] = []
    if isinstance(properties, list):  # [{"path": ..., "previousValue": ...}]
        for item in properties:
            if isinstance(item, dict):
                path = item.get("path") or item.get("property") or item.get("propertyName")
                found.append(_change(str(path or ""), item))
        return found[:MOST]
    pending: list[tuple[str, Any]] = [("", properties)]
    while pending and len(found) < MOST:
        path, value = pending.pop()
        if not isinstance(value, dict):
            continue
        if any(key in value for key in _LEAF):
            found.append(_change(path, value))
        elif path.count(".") < _DEEPEST:
            pending += [(f"{path}.{key}" if path else key, item) for key, item in reversed(value.items())]
    return found


def _change(path: str, leaf: dict[str, Any]) -> dict[str, Any]:
    before, after = leaf.get("previousValue"), leaf.get("updatedValue")
    kind = leaf.get("changeType")
    if not isinstance(kind, str) or not kind:
        kind = "CREATE" if before is None else "DELETE" if after is None else "UPDATE"
    return {"path": path, "change_type": kind, "before": before, "after": after}


def flat(changes: list[dict[str, Any]]) -> dict[str, Any]:
    """The changes as AWS writes changedProperties: path -> previousValue, updatedValue, changeType."""
    return {
        change["path"]: {
            "previousValue": change["before"],
            "updatedValue": change["after"],
            "changeType": change["change_type"],
        }
        for change in changes
    }


def effects(changes: list[dict[str, Any]], configuration: Any = None) -> dict[str, str]:
    """`effect_kind` (what changed and how, comma separated: `ingress_rule_removed`, `route_blackholed`,
    `capacity_to_zero`, `state_changed`) and `effect_summary` (in words, from what to what).

    Args:
        configuration: the item's, as it is now. It tells what rules, entries and routes the changed ones stand beside.
    """
    kinds: dict[str, None] = {}
    words: list[str] = []
    for change in changes:
        kind = _kind(change)
        if kind is None:
            continue
        kinds.setdefault(kind)
        if len(words) < 10:
            name = change["path"].removeprefix("Configuration.")
            words.append(f"{name}: {_short(change['before'])} -> {_short(change['after'])}")
    if not kinds:
        return {}
    kinds = dict.fromkeys(_on_traffic(changes, configuration, list(kinds)))
    return {"effect_kind": ",".join(kinds), "effect_summary": "; ".join(words)}


def _on_traffic(changes: list[dict[str, Any]], configuration: Any, kinds: list[str]) -> list[str]:
    """The kinds, those of permissions and routes by what both states of the list let through together."""
    state = configuration if isinstance(configuration, dict) else {}
    for prefix, key, thing in (
        ("ingress_rule_", "ipPermissions", "ingress"),
        ("egress_rule_", "ipPermissionsEgress", "egress"),
        ("acl_", "entries", "acl"),
        ("route_", "routes", "route"),
    ):
        if not any(kind.startswith(prefix) for kind in kinds):
            continue
        lists = lists_of(changes, f"Configuration.{key}", state.get(key))
        if lists is None:
            continue
        if thing == "acl":
            kinds = [*kinds, *acl_kinds(lists)]
        else:
            found = route_kinds(lists) if thing == "route" else permission_kinds(lists, thing)
            kinds = [*found, *(kind for kind in kinds if not kind.startswith(prefix))]
    return kinds


def _kind(change: dict[str, Any]) -> str | None:
    path = f"{change['path'].lower()}."
    thing = next((kind for word, kind in _KINDS if word in path), None)
    if thing is None:
        return "configuration_changed" if path.startswith("configuration.") else None
    before, after = change["before"], change["after"]
    how = {"CREATE": "added", "DELETE": "removed"}.get(change["change_type"], "changed")
    if thing == "acl_entry":
        action = _value(after if after is not None else before, "ruleAction")
        return f"acl_{action}_{how}" if action in ("allow", "deny") else f"acl_entry_{how}"
    if thing == "route" and not path.rstrip(".").rpartition(".")[2].isdigit():
        how = "changed"  # a part of a route, not the route
    if thing == "route" and (_value(after, "state") == "blackhole" or after == "blackhole"):
        return "route_blackholed"
    if thing == "capacity" and str(after) == "0":
        return "capacity_to_zero"
    if thing == "capacity" and _is_less(after, before):
        return "capacity_reduced"
    if thing == "size" and _is_less(after, before):
        return "size_reduced"
    return f"{thing}_{how}"


def _value(entry: Any, key: str) -> str | None:
    value = entry.get(key) if isinstance(entry, dict) else None
    return value.lower() if isinstance(value, str) else None


def _is_less(after: Any, before: Any) -> bool:
    try:
        return float(after) < float(before)
    except (TypeError, ValueError, OverflowError):
        return False


def _short(value: Any) -> str:
    word = text(value) or "nothing"
    return word if len(word) <= 120 else word[:117] + "..."
