"""Sigma's modifiers, wildcards and conditions in the project's own form of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from sigma.rule import SigmaRule

from probable_cause.rules.model import ALWAYS, Condition, Test
from probable_cause.rules.sigma_condition import ConditionFault, condition_of


def compiled(detection: str, family: str = "cloudtrail") -> Condition:
    rule = SigmaRule.from_dict(
        {"title": "t", "logsource": {"service": "cloudtrail"}, "detection": yaml.safe_load(detection)}
    )
    return condition_of(rule.detection.parsed_condition[0].parsed, family)


def one(item: str, family: str = "cloudtrail") -> Test:
    condition = compiled(f"{{s: {item}, condition: s}}", family)
    assert len(condition) == 1 and len(condition[0]) == 1 and len(condition[0][0]) == 1, condition
    return condition[0][0][0]


@pytest.mark.parametrize(
    ("item", "op", "values", "cased"),
    [
        ("{a: Stop}", "equals", ("stop",), False),
        ("{a|cased: Stop}", "equals", ("Stop",), True),
        ("{a: [X, y]}", "equals", ("x", "y"), False),
        ("{a: 22}", "equals", ("22",), False),
        ("{a: true}", "equals", ("true",), False),
        ("{a: ''}", "equals", ("",), False),
        ("{a: 'Stop*'}", "startswith", ("stop",), False),
        ("{a|startswith: Stop}", "startswith", ("stop",), False),
        ("{a|endswith: Stop}", "endswith", ("stop",), False),
        ("{a|contains: 'S%p_'}", "contains", ("s%p_",), False),
        ("{a: 'S?op'}", "like", ("s_op",), False),
        ("{a: 'a*b%_'}", "like", ("a%b\\%\\_",), False),
        (r"{a: 'a\*b'}", "equals", ("a*b",), False),
        ("{a|contains: '*'}", "exists", (), False),
        ("{a|re: 'A.*[b-d]'}", "regex", ("A.*[b-d]",), True),
        ("{a|re|i|s: 'A.*'}", "regex", ("(?is)A.*",), True),
        ("{a|gte: 3}", "gte", ("3",), False),
        ("{a|lt: 3.5}", "lt", ("3.5",), False),
        ("{a: null}", "null", (), False),
        ("{a|exists: true}", "exists", (), False),
        ("{a|fieldref: requestParameters.B}", "field", ("$.requestParameters.B",), False),
        ("{a|cidr: 10.0.0.0/8}", "startswith", ("10.",), False),
    ],
)
def test_values_and_modifiers(item: str, op: str, values: tuple[str, ...], cased: bool) -> None:
    found = one(item)
    assert (found.op, found.values, found.cased, found.negated) == (op, values, cased, False)


def test_a_range_that_ends_within_an_octet_becomes_its_octets() -> None:
    assert set(one("{a|cidr: 172.16.0.0/12}").values) == {f"172.{octet}." for octet in range(16, 32)}
    assert set(one("{a|cidr: 10.0.0.0/30}").values) == {f"10.0.0.{octet}" for octet in range(4)}
    assert one("{a|cidr: 'fe80::/16'}").values == ("fe80:",)


def test_all_makes_a_clause_of_each_value() -> None:
    (term,) = compiled("{s: {a|contains|all: [x, y]}, condition: s}")
    assert [clause[0].values for clause in term] == [("x",), ("y",)]


@pytest.mark.parametrize(
    ("detection", "shape"),
    [
        # (clauses of each term, as the number of tests of each clause)
        ("{s: {a: 1, b: 2}, condition: s}", [[1, 1]]),
        ("{s: [{a: 1, b: 2}, {c: 3}], condition: s}", [[1], [1, 1]]),
        ("{s1: {a: 1}, s2: {b: 2}, condition: 1 of s*}", [[2]]),
        ("{s1: {a: 1}, s2: {b: 2}, condition: all of s*}", [[1, 1]]),
        ("{s1: {a: 1}, s2: {b: 2}, condition: all of them}", [[1, 1]]),
        ("{s: {a: 1}, f: {b: 2, c: 3}, condition: s and not f}", [[1, 2]]),
        ("{s: {a: 1}, f1: {b: 2}, f2: {c: 3}, condition: s and not 1 of f*}", [[1, 1, 1]]),
        ("{s: {a: 1}, t: {b: 2}, u: {c: 3}, condition: s and (t or u)}", [[1, 2]]),
        ("{s: {a: 1, b: 2}, t: {c: 3}, condition: not (s and t)}", [[3]]),
    ],
)
def test_conditions(detection: str, shape: list[list[int]]) -> None:
    found = [[len(clause) for clause in term] for term in compiled(detection)]
    assert found == shape


def test_not_reaches_the_comparisons() -> None:
    (term,) = compiled("{s: {a: 1}, f: [{b: null}, {c|contains: x}], condition: s and not f}")
    assert [(clause[0].field, clause[0].op, clause[0].negated) for clause in term] == [
        ("a", "equals", False),
        ("b", "null", True),
        ("c", "contains", True),
    ]
    assert one("{a|exists: false}").negated
    assert one("{a|neq: 3}").negated


@pytest.mark.parametrize(
    ("family", "field", "place"),
    [
        ("cloudtrail", "requestParameters.x-y.z", ("json", "$.requestParameters.x-y.z")),
        ("cloudtrail", "requestParameters.set.items.id", ("json", "$.requestParameters.set.items[*].id")),
        ("cloudtrail", "requestParameters.list[*].id", ("json", "$.requestParameters.list[*].id")),
        ("cloudtrail", "requestParameters.aws:name", ("json", "$.requestParameters['aws:name']")),
        ("aws_config", "change", ("change", "")),
        ("aws_config", "changeType", ("column", "action")),
        ("vpc_flow", "pkt-srcaddr", ("column", "pkt_source_ip")),
        ("vpc_flow", "flow-direction", ("fields", "flow_direction")),
        ("application", "message", ("line", "")),
        ("application", "level", ("column", "level")),
        ("application", "error.type", ("json", "$.error.type")),
        ("application", "error_kind", ("fields", "error_kind")),
    ],
)
def test_fields_stand_where_the_parsers_put_them(family: str, field: str, place: tuple[str, str]) -> None:
    found = one(f"{{'{field}': x}}", family)
    assert (found.source, found.path) == place


def test_words_without_a_field_are_looked_for_in_the_line() -> None:
    condition = compiled("{s: [alpha, 'beta*', 'be*ta'], condition: s}")
    assert [(found.source, found.op, found.values) for found in condition[0][0]] == [
        ("line", "contains", ("alpha", "beta")),
        ("line", "like", ("%be%ta%",)),
    ]


@pytest.mark.parametrize(
    "item",
    ["{a|fieldref|startswith: b}", "{a|expand: '%servers%'}"],
)
def test_what_is_not_supported_is_said(item: str) -> None:
    with pytest.raises(ConditionFault):
        one(item)


def test_a_condition_that_would_explode_is_refused() -> None:
    selections: dict[str, Any] = {f"s{number}": [{"a": number, "b": 1}, {"c": number, "d": 2}] for number in range(8)}
    detection = yaml.safe_dump({**selections, "condition": "all of s*"})
    with pytest.raises(ConditionFault, match="256 alternatives"):
        compiled(detection)


def test_a_selection_that_always_holds_is_always() -> None:
    assert ALWAYS == ((),)
