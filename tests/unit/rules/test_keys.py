"""Which events a rule is looked at for, by key or by text."""

from __future__ import annotations

import pytest

from probable_cause.rules.keys import form_of, keys_of, needles_of, plain_action, with_default_levels
from probable_cause.rules.model import Condition, Test


def test(field: str, *values: str, op: str = "equals", negated: bool = False, source: str = "json") -> Test:
    return Test(field, source, f"$.{field}", op, values, negated=negated)


def all_of(*tests: Test) -> Condition:
    return (tuple((one,) for one in tests),)


test.__test__ = False  # type: ignore[attr-defined]

EC2 = test("eventSource", "ec2.amazonaws.com")
STOP = test("eventName", "stopinstances")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
        ("DeleteFunction20150331", "DeleteFunction"),
        ("UpdateDistribution2020_05_31", "UpdateDistribution"),
        ("StopInstances", "StopInstances"),
        ("Create2020Things", "Create2020Things"),
    ],
)
def test_versions_of_event_names_do_not_matter(name: str, plain: str) -> None:
    assert plain_action(name) == plain


@pytest.mark.parametrize(
    ("condition", "keys", "left"),
    [
        (all_of(EC2, STOP), ["cloudtrail|ec2.amazonaws.com|stopinstances"], 0),
        (all_of(EC2, test("eventName", "x20150331v2", "y")), ["cloudtrail|ec2.amazonaws.com|" + x for x in "xy"], 0),
        (all_of(STOP), ["cloudtrail||stopinstances"], 0),
        (all_of(EC2, test("eventName", "delete", op="startswith")), ["cloudtrail|ec2.amazonaws.com|"], 1),
        (all_of(test("userIdentity.type", "root")), ["cloudtrail||"], 1),
        (all_of(EC2, STOP, test("requestParameters.force", "true")), ["cloudtrail|ec2.amazonaws.com|stopinstances"], 1),
        # A name that must not stand there is no key.
        (all_of(EC2, test("eventName", "stopinstances", negated=True)), ["cloudtrail|ec2.amazonaws.com|"], 1),
        # Another clause on the name is kept: both must hold.
        (all_of(EC2, STOP, test("eventName", "s", op="startswith")), ["cloudtrail|ec2.amazonaws.com|stopinstances"], 1),
    ],
)  # fmt: skip
def test_a_call_is_found_by_source_and_name(condition: Condition, keys: list[str], left: int) -> None:
    found, rest = keys_of("cloudtrail", condition, any_outcome=False)
    assert list(found) == keys
    assert len(rest[0]) == left


def test_alternatives_that_name_different_events_keep_their_names() -> None:
    either = ((((EC2,)), ((STOP,))), (((EC2,)), ((test("eventName", "rebootinstances"),))))
    keys, rest = keys_of("cloudtrail", either, any_outcome=False)
    assert keys == ("cloudtrail|ec2.amazonaws.com|rebootinstances", "cloudtrail|ec2.amazonaws.com|stopinstances")
    assert [clause[0].path for term in rest for clause in term if clause[0].field == "eventName"] == ["action"] * 2


@pytest.mark.parametrize(
    ("tests", "any_outcome", "prefixes"),
    [
        ([EC2, STOP], False, {"cloudtrail"}),
        ([EC2, STOP], True, {"cloudtrail", "cloudtrail!"}),
        ([test("errorCode", "accessdenied")], True, {"cloudtrail!"}),
        ([test("errorCode", negated=True, op="null")], True, {"cloudtrail!"}),
        ([test("errorCode", op="null")], False, {"cloudtrail"}),
        ([test("errorCode", "success")], False, {"cloudtrail"}),
    ],
)
def test_failed_calls_are_found_by_rules_that_ask_for_them(
    tests: list[Test], any_outcome: bool, prefixes: set[str]
) -> None:
    keys, _ = keys_of("cloudtrail", all_of(*tests), any_outcome)
    assert {key.split("|")[0] for key in keys} == prefixes


@pytest.mark.parametrize(
    ("family", "field", "value", "key"),
    [
        ("aws_config", "configurationItem.resourceType", "aws::ec2::instance", "aws_config|aws::ec2::instance"),
        ("vpc_flow", "action", "reject", "vpc_flow|reject"),
        ("vpc_flow", "log-status", "skipdata", "vpc_flow|skipdata"),
        ("vpc_flow", "dstport", "22", "vpc_flow|"),
        ("application", "error_category", "dns", "application|dns"),
        ("application", "message", "x", "application|"),
    ],
)
def test_other_families_have_keys_of_their_own(family: str, field: str, value: str, key: str) -> None:
    assert keys_of(family, all_of(test(field, value)), any_outcome=False)[0] == (key,)


@pytest.mark.parametrize(
    ("key", "form"),
    [
        ("cloudtrail|ec2|stop", "exact"),
        ("cloudtrail||stop", "action"),
        ("cloudtrail!|ec2|", "source"),
        ("cloudtrail||", "family"),
        ("aws_config|x", "exact"),
        ("application|", "family"),
    ],
)
def test_keys_have_a_form(key: str, form: str) -> None:
    assert form_of(key) == form


LINE = {"op": "contains", "source": "line"}


def test_text_rules_are_found_by_the_texts_that_a_line_must_hold() -> None:
    assert needles_of((((test("message", "no route to host", "refused", **LINE),),),)) == (
        "no route to host",
        "refused",
    )
    # Of two texts that must both stand there, the longer is rarer.
    assert needles_of(all_of(test("message", "oom", **LINE), test("message", "killed process", **LINE))) == (
        "killed process",
    )
    # Alternatives each give theirs; one without a text leaves nothing to look for.
    assert needles_of((((test("message", "abc", **LINE),),), ((test("message", "def", **LINE),),))) == ("abc", "def")
    assert needles_of((((test("message", "abc", **LINE),),), ((test("message", "d.f", op="regex"),),))) == ()
    assert needles_of(all_of(test("message", "abc", op="contains", source="line", negated=True))) == ()
    # A wildcard in the middle leaves the longest piece; quotes and slashes look different inside JSON.
    assert needles_of(all_of(Test("message", "line", "", "like", ("%could not%connect%",)))) == ("could not",)
    assert needles_of(all_of(test("message", 'relation "orders" gone', **LINE))) == ("relation ",)


def test_rules_that_name_no_level_leave_everyday_lines_alone() -> None:
    silent = all_of(test("message", "refused", **LINE))
    guarded, quiet = with_default_levels(silent)
    assert not quiet
    assert guarded[0][-1][0].negated
    for level, allowed in (("info", True), ("error", False)):
        named = all_of(test("message", "x", **LINE), test("level", level))
        assert with_default_levels(named) == (named, allowed)
