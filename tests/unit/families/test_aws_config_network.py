"""What a difference does to traffic: rows of (what the list holds now, what went, what came, the kinds)."""

from __future__ import annotations

from typing import Any

import pytest

from probable_cause.families.aws_config_diff import effects


def entry(number: int, action: str, block: str = "0.0.0.0/0", protocol: str = "-1", **more: Any) -> dict[str, Any]:
    return {
        "ruleNumber": number, "ruleAction": action, "cidrBlock": block, "protocol": protocol, "egress": False, **more,
    }  # fmt: skip


def port(low: int, high: int | None = None) -> dict[str, Any]:
    return {"protocol": "6", "portRange": {"from": low, "to": high or low}}


def permission(block: str, low: int = 443, high: int | None = None, protocol: str = "tcp") -> dict[str, Any]:
    return {"ipProtocol": protocol, "fromPort": low, "toPort": high or low, "ipv4Ranges": [{"cidrIp": block}]}


def route(block: str, target: str, state: str = "active") -> dict[str, Any]:
    return {"destinationCidrBlock": block, "natGatewayId": target, "state": state}


ALLOW, DENY, LAST = entry(100, "allow"), entry(90, "deny", "10.0.0.0/16"), entry(32767, "deny")
DEFAULT = route("0.0.0.0/0", "nat-1")
Item = dict[str, Any]
CASES: list[tuple[str, str, list[Item] | None, list[Item], list[Item], set[str]]] = [
    # network ACLs: the first entry that fits decides
    ("a deny in front of an allow", "entries", [DENY, ALLOW, LAST], [], [DENY], {"acl_narrowed"}),
    ("a deny behind the allow", "entries", [ALLOW, entry(110, "deny", "10.0.0.0/16"), LAST], [],
     [entry(110, "deny", "10.0.0.0/16")], {"acl_unchanged"}),
    ("a deny of what nothing allows", "entries",
     [entry(90, "deny", "10.0.0.0/16"), entry(100, "allow", "172.16.0.0/12"), LAST], [],
     [entry(90, "deny", "10.0.0.0/16")], {"acl_unchanged"}),
    ("a deny of another port", "entries", [entry(90, "deny", **port(22)), entry(100, "allow", **port(443)), LAST], [],
     [entry(90, "deny", **port(22))], {"acl_unchanged"}),
    ("a deny of one port of a range", "entries",
     [entry(90, "deny", **port(443)), entry(100, "allow", **port(400, 500)), LAST], [],
     [entry(90, "deny", **port(443))], {"acl_narrowed"}),
    ("a deny for the other direction", "entries", [entry(90, "deny", egress=True), ALLOW, LAST], [],
     [entry(90, "deny", egress=True)], {"acl_unchanged"}),
    ("an allow gone", "entries", [LAST], [ALLOW], [], {"acl_narrowed"}),
    ("an allow gone that another covers", "entries", [ALLOW, LAST], [entry(200, "allow", "10.0.0.0/8")], [],
     {"acl_unchanged"}),
    ("an allow became a deny", "entries", [entry(100, "deny"), LAST], [ALLOW], [entry(100, "deny")], {"acl_narrowed"}),
    ("a deny gone", "entries", [ALLOW, LAST], [DENY], [], {"acl_widened"}),
    ("an allow for fewer", "entries", [entry(100, "allow", "10.0.0.0/9"), LAST], [entry(100, "allow", "10.0.0.0/8")],
     [entry(100, "allow", "10.0.0.0/9")], {"acl_narrowed"}),
    ("another number, the same effect", "entries", [entry(110, "allow"), LAST], [ALLOW], [entry(110, "allow")],
     {"acl_unchanged"}),
    ("what stands beside is not told", "entries", None, [], [DENY], set()),
    ("an entry that can't be read", "entries", [{"ruleNumber": 1}], [], [DENY], set()),
    # security groups: what is allowed, in all
    ("closed", "ipPermissions", [], [permission("10.0.0.0/16")], [], {"ingress_rule_removed"}),
    ("opened", "ipPermissions", [permission("10.0.0.0/16")], [], [permission("10.0.0.0/16")], {"ingress_rule_added"}),
    ("widened: one goes, a wider one comes", "ipPermissions", [permission("10.0.0.0/8")], [permission("10.0.0.0/16")],
     [permission("10.0.0.0/8")], {"ingress_rule_added"}),
    ("narrowed", "ipPermissions", [permission("10.0.0.0/16")], [permission("10.0.0.0/8")], [permission("10.0.0.0/16")],
     {"ingress_rule_removed"}),
    ("other ports", "ipPermissions", [permission("10.0.0.0/8", 80)], [permission("10.0.0.0/8", 443)],
     [permission("10.0.0.0/8", 80)], {"ingress_rule_removed", "ingress_rule_added"}),
    ("gone, but another covers it", "ipPermissions", [permission("10.0.0.0/8", 0, 65_535)],
     [permission("10.1.0.0/16", 443)], [], {"ingress_rule_unchanged"}),
    ("gone, but all traffic is allowed", "ipPermissions", [permission("0.0.0.0/0", -1, -1, "-1")],
     [permission("10.1.0.0/16")], [], {"ingress_rule_unchanged"}),
    ("only the place in the list", "ipPermissions", [permission("10.0.0.0/8")], [permission("10.0.0.0/8")],
     [permission("10.0.0.0/8")], {"ingress_rule_unchanged"}),
    ("closed for outgoing", "ipPermissionsEgress", [], [permission("10.0.0.0/16")], [], {"egress_rule_removed"}),
    # route tables: the longest prefix wins
    ("removed", "routes", [], [DEFAULT], [], {"route_removed"}),
    ("another target", "routes", [route("0.0.0.0/0", "nat-2")], [DEFAULT], [route("0.0.0.0/0", "nat-2")],
     {"route_changed"}),
    ("black-holed", "routes", [route("0.0.0.0/0", "nat-1", "blackhole")], [DEFAULT],
     [route("0.0.0.0/0", "nat-1", "blackhole")], {"route_blackholed"}),
    ("restored", "routes", [DEFAULT], [route("0.0.0.0/0", "nat-1", "blackhole")], [DEFAULT], {"route_restored"}),
    ("stolen from the default route", "routes", [DEFAULT, route("10.9.0.0/16", "nat-2")], [],
     [route("10.9.0.0/16", "nat-2")], {"route_stolen"}),
    ("stolen from the narrowest of the wider ones", "routes",
     [DEFAULT, route("10.0.0.0/8", "nat-2"), route("10.9.0.0/16", "nat-1")], [], [route("10.9.0.0/16", "nat-1")],
     {"route_stolen"}),
    ("more specific, to the same target", "routes", [DEFAULT, route("10.9.0.0/16", "nat-1")], [],
     [route("10.9.0.0/16", "nat-1")], {"route_added"}),
    ("where none was", "routes", [route("10.0.0.0/8", "nat-1"), route("172.16.0.0/12", "nat-2")], [],
     [route("172.16.0.0/12", "nat-2")], {"route_added"}),
    ("only the place in the list of routes", "routes", [DEFAULT], [DEFAULT], [DEFAULT], {"route_unchanged"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "key", "now", "went", "came", "kinds"), CASES, ids=[case[0] for case in CASES])
def test_what_the_change_does(
    name: str, key: str, now: list[Item] | None, went: list[Item], came: list[Item], kinds: set[str]
) -> None:
    path = f"Configuration.{key[0].upper()}{key[1:]}"
    changes = [
        {"path": f"{path}.{place}", "change_type": "DELETE", "before": one, "after": None}
        for place, one in enumerate(went)
    ]
    changes += [
        {"path": f"{path}.{place}", "change_type": "CREATE", "before": None, "after": one}
        for place, one in enumerate(came)
    ]
    found = set(effects(changes, {} if now is None else {key: now})["effect_kind"].split(","))
    entries = {kind for kind in found if kind.startswith(("acl_allow", "acl_deny", "acl_entry"))}
    assert found - entries == kinds


def test_tags_alone_have_no_effect_on_traffic() -> None:
    change = {"path": "Tags.0", "change_type": "UPDATE", "before": "a", "after": "b"}
    assert effects([change], {"ipPermissions": [permission("10.0.0.0/8")]})["effect_kind"] == "tag_changed"


def test_a_list_too_long_to_compare_keeps_the_kinds_of_its_entries() -> None:
    many = [entry(number, "allow", f"10.{number}.0.0/16", **port(number)) for number in range(1, 100)]
    change = {"path": "Configuration.Entries.0", "change_type": "CREATE", "before": None, "after": DENY}
    assert effects([change], {"entries": [DENY, *many]})["effect_kind"] == "acl_deny_added"
