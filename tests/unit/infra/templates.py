"""The CloudFormation templates as plain values: short forms such as !Ref become {"Ref": ...}."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from tools import guard

NAMES = sorted(path.stem for path in guard.TEMPLATES.glob("*.yaml"))


@cache
def load(name: str) -> dict[str, Any]:
    """A template by its name without `.yaml`."""
    return guard.template(guard.TEMPLATES / f"{name}.yaml")


def resources(kind: str | None = None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(template, logical id, resource) of all templates, or of one type."""
    for name in NAMES:
        for logical, one in load(name)["Resources"].items():
            if kind is None or one["Type"] == kind:
                yield name, logical, one


def statements(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a policy document; of a conditional one, the one that is there when the condition holds."""
    for one in policy["Statement"]:
        yield one["Fn::If"][1] if "Fn::If" in one else one


def role_statements(name: str, logical: str = "Role") -> list[dict[str, Any]]:
    """All statements that a role of a template has: inline, by policies of the template, by its managed policies."""
    template = load(name)["Resources"]
    found = []
    for policy in template[logical]["Properties"].get("Policies", ()):
        found += statements(policy["PolicyDocument"])
    attached = [one.get("Ref") for one in template[logical]["Properties"].get("ManagedPolicyArns", ())]
    for other, one in template.items():
        properties = one.get("Properties", {})
        mine = {"Ref": logical} in properties.get("Roles", ()) if one["Type"] == "AWS::IAM::Policy" else False
        if mine or other in attached:
            found += statements(properties["PolicyDocument"])
    return found


def actions(found: list[dict[str, Any]]) -> set[str]:
    """The actions that statements allow."""
    return {
        action
        for one in found
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        if one["Effect"] == "Allow"
    }
