"""Root cause across layers: the rank of causes, abstention, lifecycle, one change told twice."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from probable_cause.verdict import DEFAULT, LayerRecord, judge
from tests.unit.verdict.events import HOUR, at, cause, recovery, symptom, trail

REBOOT = cause("RebootInstances", 0)
REVOKE = cause("RevokeSecurityGroupIngress", 5, layer="network", resource="sg-0123456789", relevance=9.0)
REJECT = symptom("connectivity", 6, layer="network", last=9)
OUTAGE = symptom("connectivity", 1, last=2)


def answer(events, minute, **more):
    verdict = judge(events, at(minute), **more)
    return verdict.root_cause.event.action if verdict.root_cause else None


def case(name, events, minute, want):
    return pytest.param(events, minute, want, id=name)


AUTH = symptom("auth", 10)


@pytest.mark.parametrize(
    ("events", "minute", "want"),
    [
        case("cause then symptom", [REBOOT, OUTAGE], 3, "RebootInstances"),
        case(
            "the design's example: reboot acknowledged, then a group closed",
            [replace(REBOOT, status="acknowledged"), REVOKE, OUTAGE, REJECT],
            10,
            "RevokeSecurityGroupIngress",
        ),
        case("the same, nobody acknowledged", [REBOOT, REVOKE, OUTAGE, REJECT], 10, "RevokeSecurityGroupIngress"),
        case(
            "kind decides: the role, not the nearer reboot",
            [cause("DetachRolePolicy", 5, resource="shop-role", explains=("auth",)), cause("RebootInstances", 9), AUTH],
            12,
            "DetachRolePolicy",
        ),
        case(
            "time decides: the change after the first symptom is no cause",
            [cause("RebootInstances", 14), cause("StopInstances", 9), symptom("availability", 10, last=20)],
            21,
            "StopInstances",
        ),
        case(
            "path decides: the instance that the symptom names",
            [
                cause("StopInstances", 9, resource="i-0aaaaaaaa1"),
                cause("StopOther", 9.5, resource="i-0bbbbbbbb2", relevance=9.0),
                symptom("connectivity", 10, layer="network", resource_ids=("i-0aaaaaaaa1",)),
            ],
            11,
            "StopInstances",
        ),
        case(
            "actor decides: a person before a pipeline's daily churn",
            [
                cause("ModifyA", 8, layer="network", resource="sg-0aaaaaaaa1"),
                cause(
                    "ModifyB",
                    -600,
                    last=9.5,
                    count=60,
                    layer="network",
                    resource="sg-0bbbbbbbb2",
                    actor_type="pipeline",
                ),
                symptom("connectivity", 10),
            ],
            11,
            "ModifyA",
        ),
        case("no symptom, nothing to explain", [REBOOT], 1, None),
        case("a symptom without any change", [OUTAGE], 2, None),
        case(
            "only a change of another kind",
            [cause("DetachRolePolicy", 0, explains=("auth",)), symptom("memory", 1)],
            2,
            None,
        ),
        case(
            "only a change after the symptom",
            [symptom("availability", 0, last=30), cause("RebootInstances", 25)],
            31,
            None,
        ),
        case("stale: two days before", [cause("RebootInstances", -48 * 60), OUTAGE], 3, None),
        case(
            "a weak lone line is chance",
            [
                cause("UpdateService", 0, explains=("errors",), actor_type="pipeline", relevance=6.0),
                symptom("errors", 30, relevance=4.0, count=1),
            ],
            31,
            None,
        ),
        case("resolved", [replace(REBOOT, status="resolved", status_at=at(3)), OUTAGE], 4, None),
        case(
            "acknowledged alone is still the root cause",
            [replace(REBOOT, status="acknowledged"), OUTAGE],
            4,
            "RebootInstances",
        ),
        case(
            "acknowledged, and what is open explains nothing",
            [
                replace(REBOOT, status="acknowledged"),
                cause("PutParameter", 0.5, resource="p", explains=("auth",)),
                OUTAGE,
            ],
            4,
            "RebootInstances",
        ),
        case(
            "undone by recovery",
            [
                cause("StopInstances", 0),
                recovery("StartInstances", 5, "StopInstances"),
                symptom("availability", 1, last=5),
            ],
            9,
            None,
        ),
        case(
            "undone, and no other change is blamed for its symptoms",
            [
                cause("StopInstances", 0),
                recovery("StartInstances", 5, "StopInstances"),
                symptom("availability", 1, last=5),
                cause("ModifyDBInstance", -1, resource="db", explains=("availability",)),
            ],
            9,
            None,
        ),
        case(
            "undone, but the symptom went on: another change is asked",
            [
                cause("StopInstances", 0),
                recovery("StartInstances", 5, "StopInstances"),
                symptom("availability", 1, last=60),
                cause("ModifyDBInstance", -1, resource="db", explains=("availability",)),
            ],
            61,
            "ModifyDBInstance",
        ),
        case(
            "a new burst of an old symptom points to the newer change",
            [
                REBOOT,
                replace(REVOKE, first_seen=at(60), last_seen=at(60)),
                replace(OUTAGE, last_seen=at(70), bursts=((at(1), at(2)), (at(61), at(70)))),
            ],
            71,
            "RevokeSecurityGroupIngress",
        ),
        case("CloudTrail late: early symptoms alone", [REJECT], 10, None),
        case(
            "seen by Config only, recorded after the symptom began",
            [
                cause(
                    "UPDATE",
                    9,
                    layer="network",
                    resource="sg-0123456789",
                    family="aws_config",
                    actor=None,
                    actor_type=None,
                ),
                symptom("connectivity", 5, last=15),
            ],
            16,
            "UPDATE",
        ),
        case(
            "CloudTrail would be too late by as much",
            [cause("UPDATE", 9, layer="network", resource="sg-0123456789"), symptom("connectivity", 5, last=15)],
            16,
            None,
        ),
    ],
)
def test_root_cause(events, minute, want):
    assert answer(events, minute) == want
    shuffled = list(events)
    random.Random(minute).shuffle(shuffled)
    assert answer(shuffled, minute) == want


def test_health_follows_the_live_symptoms():
    assert judge([REBOOT], at(1)).health == "healthy"
    assert judge([REBOOT, OUTAGE], at(3)).health == "failing"
    assert judge([REBOOT, OUTAGE], at(90)).health == "degraded"
    assert judge([REBOOT, OUTAGE], at(300)).health == "healthy"
    repaired = [
        cause("StopInstances", 0),
        recovery("StartInstances", 5, "StopInstances"),
        symptom("availability", 1, last=5),
    ]
    assert judge(repaired, at(9)).health == "healthy"


def test_two_true_causes_share_the_confidence_and_are_both_listed():
    verdict = judge([REBOOT, cause("StopDBInstance", 0.2, resource="db"), OUTAGE], at(3))
    alone = judge([REBOOT, OUTAGE], at(3))
    assert verdict.root_cause.confidence < alone.root_cause.confidence
    named = {verdict.root_cause.event.action, *(rival.event.action for rival in verdict.root_cause.rivals)}
    assert named == {"RebootInstances", "StopDBInstance"}


def test_configs_view_and_the_call_are_one_cause():
    config = cause("UPDATE", 8, layer="network", resource="sg-0123456789", family="aws_config", actor=None)
    verdict = judge([REVOKE, config, REJECT], at(10))
    assert verdict.root_cause.event == REVOKE
    assert verdict.root_cause.rivals == ()
    assert verdict.root_cause.same_change == (config.event_key,)
    assert any("AWS Config recorded the same change" in one.text for one in verdict.root_cause.evidence)
    far = replace(config, first_seen=at(40), last_seen=at(40))
    assert judge([REVOKE, far, REJECT], at(41)).root_cause.same_change == ()


def test_a_deployment_of_many_calls_is_one_cause():
    deploy = {"actor": "deployer", "actor_type": "pipeline", "explains": ("errors", "crash")}
    stack = cause("UpdateStack", 0, resource="shop-stack", **deploy)
    calls = [cause(f"UpdateFunctionCode{n}", n / 10, resource=f"fn-{n}", **deploy) for n in range(1, 9)]
    verdict = judge([*calls, stack, symptom("crash", 2, last=4)], at(5))
    assert verdict.root_cause.event == stack
    assert set(verdict.root_cause.same_change) == {one.event_key for one in calls}
    assert verdict.root_cause.rivals == ()
    assert "fn-3" in verdict.root_cause.resource_ids
    person = [replace(one, actor="kim", actor_type="person") for one in calls]
    assert judge([*person, stack, symptom("crash", 2, last=4)], at(5)).root_cause.same_change == ()


@pytest.mark.parametrize(
    ("undone_by", "same"),
    [
        ({"ipPermissions": {"items": [{"fromPort": 5432, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16"}]}}]}}, True),
        ({"ipPermissions": {"items": [{"fromPort": 443, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16"}]}}]}}, False),
        ({"ipPermissions": {"items": [{"fromPort": 5432, "ipRanges": {"items": [{"cidrIp": "10.9.0.0/16"}]}}]}}, False),
        ({}, True),
    ],
)
def test_only_the_same_rule_authorised_again_undoes_a_revocation(undone_by, same):
    closed = {"ipPermissions": {"items": [{"fromPort": 5432, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16"}]}}]}}
    revoke = replace(REVOKE, message=trail(**closed))
    authorize = recovery(
        "AuthorizeSecurityGroupIngress", 9, "RevokeSecurityGroupIngress", "sg-0123456789", message=trail(**undone_by)
    )
    verdict = judge([revoke, authorize, replace(REJECT, last_seen=at(9))], at(10))
    assert (verdict.resolved_by == {revoke.event_key: authorize.event_key}) is same
    assert (verdict.root_cause is None) is same


DENY_90 = {"ruleNumber": 90, "egress": False, "ruleAction": "deny", "cidrBlock": "10.0.0.0/16"}
DENY_91 = DENY_90 | {"ruleNumber": 91}


def lost(*entries: object, moved: object = None) -> dict[str, object]:
    """A Config item whose list lost entries; `moved` took the place of the first."""
    values = [*entries] if moved is None else [entries[0], *entries[1:], moved]
    after = [moved, *[None] * (len(values) - 1)]
    changes = zip(values, after, strict=True)
    return {
        "configurationItemDiff": {
            "changedProperties": {
                f"Configuration.Entries.{place}": {"previousValue": old, "updatedValue": new}
                for place, (old, new) in enumerate(changes)
            }
        }
    }


@pytest.mark.parametrize(
    ("seen", "same"),
    [
        (lost(DENY_90), True),
        (lost(DENY_91), False),
        (lost(DENY_90, DENY_91), True),
        (lost(DENY_91, moved=DENY_90), False),  # this one only moved up
        (lost(DENY_90 | {"egress": True}), False),
        ({"detail": lost(DENY_91)}, False),
        ({"Type": "Notification", "Message": json.dumps(lost(DENY_91))}, False),
        ({"Type": "Notification", "Message": json.dumps(lost(DENY_90))}, True),
        ({"configurationItemDiff": None}, True),  # says nothing of which
        ({"configurationItemDiff": {"changedProperties": "x"}}, True),
    ],
)
@pytest.mark.parametrize(
    "denied",
    [
        {"eventName": "CreateNetworkAclEntry", "requestParameters": DENY_90 | {"networkAclId": "acl-1"}},
        {"configurationItemDiff": {"changedProperties": {"Configuration.Entries.2": {"updatedValue": DENY_90}}}},
    ],
)
def test_only_the_same_entry_that_config_sees_gone_undoes_a_deny(denied, seen, same):
    family = "cloudtrail" if "eventName" in denied else "aws_config"
    deny = cause("Deny", 0, "network", "acl-1", family=family, message=json.dumps(denied))
    gone = recovery("Gone", 9, "Deny", "acl-1", family="aws_config", message=json.dumps(seen))
    assert (judge([deny, gone], at(10)).resolved_by == {deny.event_key: gone.event_key}) is same


@pytest.mark.parametrize(
    ("minute", "resolves", "resource"),
    [(-1, "RebootInstances", "i-0a1b2c3d4e5f"), (5, "Other", "i-0a1b2c3d4e5f"), (5, "RebootInstances", "i-0ffffffff")],
)
def test_what_is_no_recovery(minute, resolves, resource):
    assert judge([REBOOT, recovery("StartInstances", minute, resolves, resource)], at(6)).resolved_by == {}


def test_every_sentence_names_the_events_it_rests_on():
    verdict = judge([REBOOT, REVOKE, OUTAGE, REJECT], at(10))
    known = {one for event in (REBOOT, REVOKE, OUTAGE, REJECT) for one in event.sample_event_ids}
    evidence = verdict.root_cause.evidence
    assert evidence[0].text == (
        "RevokeSecurityGroupIngress on sg-0123456789, at 2026-03-01 12:05:00 UTC; the caller was kim, a person."
    )
    assert all(sentence.event_ids and set(sentence.event_ids) <= known for sentence in evidence)
    assert any("began 60 s after it" in sentence.text for sentence in evidence)
    assert [rival.event for rival in verdict.root_cause.rivals] == [REBOOT]
    assert verdict.root_cause.rivals[0].why_lower


def test_gaps_are_named():
    config = cause("UPDATE", 0, resource="sg-0123456789", family="aws_config", actor=None)
    gaps = " ".join(judge([config, REJECT], at(10)).root_cause.gaps)
    assert "Only AWS Config recorded" in gaps and "No CloudTrail event" in gaps and "No application log line" in gaps
    skipped = symptom("gap", 5, layer="network", outcome="skipdata", relevance=2.0)
    assert "SKIPDATA" in " ".join(judge([REBOOT, OUTAGE, skipped], at(10)).root_cause.gaps)
    assert "No CloudTrail" not in " ".join(judge([REBOOT, OUTAGE], at(10)).root_cause.gaps)


def test_why_none_says_what_is_missing():
    assert "nothing to explain" in judge([REBOOT], at(1)).why_none
    assert (
        "undone"
        in judge(
            [cause("StopInstances", 0), recovery("Start", 5, "StopInstances"), symptom("availability", 1, last=5)],
            at(9),
        ).why_none
    )
    assert "needed" in judge([cause("DetachRolePolicy", 0, explains=("auth",)), symptom("memory", 1)], at(2)).why_none
    assert judge([REBOOT, OUTAGE], at(3)).why_none is None


def test_relevance_decays_out_of_the_answer():
    fading = replace(REBOOT, half_life_seconds=HOUR, window_seconds=6 * HOUR)
    long = replace(OUTAGE, last_seen=at(400), half_life_seconds=24 * HOUR)
    assert answer([fading, long], 10) == "RebootInstances"
    assert answer([fading, long], 359) is None


def test_unknown_kinds_are_taken_by_name():
    odd = cause("Weird", 0, explains=("sparkles",))
    assert answer([odd, symptom("sparkles", 1)], 2) == "Weird"
    assert answer([odd, symptom("glitter", 1)], 2) is None


def test_topology_puts_a_resource_on_the_path():
    group = cause("Modify", 0, layer="network", resource="sg-0123456789")
    hit = symptom("connectivity", 1, layer="network", resource_ids=("i-0aaaaaaaa1",))
    near = judge([group, hit], at(2), topology={"sg-0123456789": {"i-0aaaaaaaa1"}}).root_cause
    far = judge([group, hit], at(2)).root_cause
    assert near.factors["path"] == DEFAULT.path["related"] > far.factors["path"] == DEFAULT.path["unknown"]


def test_strength_is_the_product_of_its_factors():
    found = judge([REBOOT, OUTAGE], at(3)).root_cause
    product = found.factors["severity"] * found.factors["actor"] * found.factors["support"]
    assert found.strength == pytest.approx(product)
    assert 0 < found.confidence < 1


def test_an_unrelated_or_weak_symptom_before_the_cause_does_not_weaken_its_evidence():
    alone = judge([REVOKE, REJECT], at(10)).root_cause.strength
    grumble = symptom("errors", 3, relevance=3.0, last=9)
    denied = symptom("auth", 3, count=1, last=3)
    assert judge([REVOKE, REJECT, grumble, denied], at(10)).root_cause.strength == pytest.approx(alone, rel=0.02)
    same = symptom("connectivity", 3, last=9)
    led = judge([REVOKE, REJECT, same], at(10))
    assert led.ranking[0].strength < 0.6 * alone


def test_a_record_of_before_does_not_outlive_a_recovery():
    stopped, started = cause("StopInstances", 0), recovery("StartInstances", 5, "StopInstances")
    before = {"cloudsystem": LayerRecord(stopped)}
    assert judge([stopped, started], at(6), previous=before).layers["cloudsystem"].state == "healthy"


@pytest.mark.parametrize(
    ("actor_type", "state"), [("person", "healthy"), ("pipeline", "healthy"), ("service", "symptom"), (None, "symptom")]
)
def test_a_call_that_a_person_was_refused_is_no_symptom(actor_type, state):
    refused = symptom("auth", 0, layer="cloudsystem", family="cloudtrail", actor_type=actor_type, outcome="failure")
    verdict = judge([refused], at(1))
    assert verdict.layers["cloudsystem"].state == state
    assert (verdict.health == "healthy") is (state == "healthy")
