"""next_change_at, JSON, conf overrides and the proposed inverse."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from probable_cause.errors import SettingsError
from probable_cause.verdict import DEFAULT, judge, next_change_at, realms
from probable_cause.verdict.factors import flow_interval
from probable_cause.verdict.inverse import inverse
from probable_cause.verdict.named import meets_rule, mentions, names_another
from tests.unit.verdict.events import HOUR, at, cause, flow, symptom, trail

REBOOT = cause("RebootInstances", 0)
OUTAGE = symptom("connectivity", 1, last=2)


def test_a_lone_cause_changes_when_it_is_no_longer_recent():
    due = next_change_at([REBOOT], at(1))
    assert due is not None and judge([REBOOT], due).signature() != judge([REBOOT], at(1)).signature()
    assert abs((due - at(72 * 60)).total_seconds()) < 2


def test_nothing_is_due_without_events():
    assert next_change_at([], at(1)) is None
    assert next_change_at([replace(REBOOT, status="resolved", status_at=at(1))], at(2)) is None


def test_a_crossing_of_two_curves_is_found():
    slow = cause("ModifyDBInstance", 0, resource="orders-db", relevance=6.0)
    fast = cause("UpdateService", 0, resource="checkout", relevance=9.0, half_life_seconds=HOUR)
    due = next_change_at([slow, fast], at(1))
    # 9 * 2^(-t) = 6 * 2^(-t/24), t in hours
    assert abs((due - at(36.6)).total_seconds()) < 60


@pytest.mark.parametrize("seed", range(12))
def test_nothing_changes_before_the_next_change(seed):
    """Property: stepping through time, the signature changes nowhere before the instant that was promised."""
    draw = random.Random(seed)
    events = [
        cause(
            f"A{n}",
            draw.uniform(-300, 0),
            layer=draw.choice(["network", "cloudsystem"]),
            resource=f"r{n}",
            relevance=draw.uniform(2, 10),
            half_life_seconds=draw.choice([1, 6, 24]) * HOUR,
            window_seconds=draw.choice([6, 72]) * HOUR,
        )
        for n in range(4)
    ] + [
        symptom(
            draw.choice(["connectivity", "auth"]), draw.uniform(-60, 0), cause_id=f"s{n}", relevance=draw.uniform(3, 9)
        )
        for n in range(2)
    ]
    due = next_change_at(events, at(0))
    assert due is not None, seed
    before = judge(events, at(0)).signature()
    assert judge(events, due).signature() != before, seed
    span = (due - at(0)) - timedelta(seconds=2)
    for step in range(50):
        moment = at(0) + span * (step / 50)
        assert judge(events, moment).signature() == before, (seed, moment)


def test_a_verdict_is_json():
    shown = judge([REBOOT, OUTAGE], at(3)).to_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert shown["at"] == "2026-03-01T12:03:00.000Z"
    assert shown["root_cause"]["event"]["action"] == "RebootInstances"
    assert shown["layers"]["application"]["deferred_from"] == "cloudsystem"
    assert judge([], at(0), application_id="shop").to_dict()["application_id"] == "shop"


def test_overrides_merge_and_report_all_faults():
    model = DEFAULT.with_overrides({"threshold": 0.5, "actor": {"pipeline": 0.1}, "calibration": [2, 1]})
    assert (model.threshold, model.actor["pipeline"], model.actor["person"]) == (0.5, 0.1, 1.0)
    assert model.calibration == (2.0, 1.0) and DEFAULT.threshold != 0.5
    bad = {"treshold": 1, "actor": {"robot": 1}, "leak": "much", "kind": 3, "calibration": [1]}
    with pytest.raises(SettingsError) as caught:
        DEFAULT.with_overrides(bad)
    assert len(caught.value.faults) == 5


@pytest.mark.parametrize(
    ("text", "resource", "want"),
    [
        ("could not connect to orders-db.c1.us-east-1.rds.amazonaws.com", "orders-db", True),
        ("no access to arn:aws:kms:us-east-1:123456789012:key/1234abcd", "1234abcd", True),
        ("queue orders is gone", "arn:aws:sqs:us-east-1:123456789012:orders", True),
        ("could not connect to orders-db-2", "orders-db", False),
        ("a web of lies", "web", False),
    ],
)
def test_mentions(text, resource, want):
    assert mentions(text, resource) is want


@pytest.mark.parametrize(
    ("message", "want"), [(flow(0), 60), (flow(0, 600), 600), ("no times", 600), (flow(0, 0), 600)]
)
def test_flow_interval(message, want):
    assert flow_interval(message, 600) == want


@pytest.mark.parametrize(
    ("action", "message", "operation", "parameters"),
    [
        (
            "RevokeSecurityGroupIngress",
            trail(
                groupId="sg-1",
                ipPermissions={
                    "items": [
                        {
                            "ipProtocol": "tcp",
                            "fromPort": 5432,
                            "toPort": 5432,
                            "groups": {},
                            "ipRanges": {"items": [{"cidrIp": "10.0.0.0/16"}]},
                            "prefixListIds": {},
                        }
                    ]
                },
            ),
            "AuthorizeSecurityGroupIngress",
            {
                "GroupId": "sg-1",
                "IpPermissions": [
                    {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
                ],
            },
        ),
        (
            "StopInstances",
            trail(instancesSet={"items": [{"instanceId": "i-1"}]}),
            "StartInstances",
            {"InstanceIds": ["i-1"]},
        ),
        ("StopDBInstance", trail(dBInstanceIdentifier="db"), "StartDBInstance", {"DBInstanceIdentifier": "db"}),
        (
            "DeregisterTargets",
            trail(targetGroupArn="arn:tg", targets=[{"id": "i-1", "port": 80}]),
            "RegisterTargets",
            {"TargetGroupArn": "arn:tg", "Targets": [{"Id": "i-1", "Port": 80}]},
        ),
        (
            "CreateNetworkAclEntry",
            trail(networkAclId="acl-1", ruleNumber=50, egress=False, ruleAction="deny"),
            "DeleteNetworkAclEntry",
            {"NetworkAclId": "acl-1", "RuleNumber": 50, "Egress": False},
        ),
        ("RevokeSecurityGroupIngress", trail(groupId="sg-1", securityGroupRuleIds={"items": []}), None, None),
        ("RebootInstances", trail(instancesSet={}), None, None),
        ("UpdateFunctionCode20150331v2", "no json", None, None),
        ("SomethingNew", trail(a=1), None, None),
    ],
)
def test_proposed_inverse(action, message, operation, parameters):
    found = inverse(cause(action, 0, message=message))
    assert found.text
    if operation is None:
        assert found.call is None
    else:
        assert (found.call.operation, found.call.parameters) == (operation, parameters)


REVOKED = trail(
    groupId="sg-1",
    ipPermissions={"items": [{"fromPort": 5432, "toPort": 5432, "ipRanges": {"items": [{"cidrIp": "10.1.0.0/16"}]}}]},
)
DENIED = trail(networkAclId="acl-1", cidrBlock="10.1.0.0/16", portRange={"from": 443, "to": 443})
ALL_PORTS = trail(groupId="sg-1", ipPermissions={"items": [{"ipProtocol": "-1"}]})
WIDE = trail(groupId="sg-1", ipPermissions={"items": [{"fromPort": 1, "toPort": 65535}]})
DIFFERENCE = json.dumps(
    {
        "configurationItemDiff": {
            "changedProperties": {
                "Configuration.IpPermissions.0": {
                    "previousValue": {"fromPort": 5432, "toPort": 5432, "ipv4Ranges": [{"cidrIp": "10.1.0.0/16"}]}
                }
            }
        }
    }
)


@pytest.mark.parametrize(
    ("call", "text", "addresses", "want"),
    [
        (REVOKED, flow(0), ("10.1.1.10",), True),
        (REVOKED, flow(0), ("10.9.1.10",), False),
        (REVOKED, flow(0), (), True),
        (REVOKED, "connect ECONNREFUSED 10.1.2.20:5432", ("10.1.2.20",), True),
        (REVOKED, "connect ECONNREFUSED 10.1.2.20:443", ("10.1.2.20",), False),
        (REVOKED, "took 15432 ms, 5432.7 of them idle", (), False),
        (DENIED, "dial tcp 10.1.2.20:443: i/o timeout", ("10.1.2.20",), True),
        (DIFFERENCE, flow(0), ("10.1.1.10",), True),
        (json.dumps({"detail": json.loads(DIFFERENCE)}), flow(0), ("10.1.1.10",), True),
        (ALL_PORTS, flow(0), (), False),
        (WIDE, flow(0), (), False),
        ("no json", flow(0), (), False),
    ],
)
def test_a_symptom_meets_the_rule_that_was_changed(call, text, addresses, want):
    assert meets_rule(call, text, addresses) is want


@pytest.mark.parametrize(
    ("call", "text", "want"),
    [
        (trail(roleName="web"), "User: arn:aws:sts::123456789012:assumed-role/batch/i-1 is not authorized", True),
        (trail(roleName="web"), "User: arn:aws:sts::123456789012:assumed-role/web/i-1 is not authorized", False),
        (trail(roleName="web"), "is not authorized", False),
        (trail(roleName="web"), "cannot assume arn:aws:iam::123456789012:role/service/batch", True),
        (trail(dBInstanceIdentifier="orders"), "could not connect to users.c1a2.us-east-1.rds.amazonaws.com", True),
        (trail(dBInstanceIdentifier="orders"), "could not connect to orders.c1a2.us-east-1.rds.amazonaws.com", False),
        (
            trail(dBInstanceIdentifier="orders-1"),
            "could not connect to orders.cluster-c1a2.us-east-1.rds.amazonaws.com",
            False,
        ),
        (
            trail(keyId="arn:aws:kms:eu-west-1:123456789012:key/0c1d2e3f-0000-4000-8000-1234567890ab"),
            "key/0c1d2e3f-0000-4000-8000-1234567890ab is disabled",
            False,
        ),
        ("no json", "assumed-role/batch/i-1", False),
    ],
)
def test_a_symptom_that_names_another_resource(call, text, want):
    assert names_another(text, call) is want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("psycopg2.OperationalError: could not connect to server", {"database"}),
        ("dial tcp 10.0.2.20:6379: connect: connection refused", {"cache"}),
        ("AWS.SimpleQueueService.NonExistentQueue", {"queue"}),
        ("getaddrinfo ENOTFOUND shop.internal", {"name"}),
        ("x509: certificate has expired", {"certificate"}),
        ("upstream answered 503 Service Unavailable", {"web"}),
        ("S3 GET failed: AccessDenied", {"object", "permission"}),
        ("java.lang.OutOfMemoryError: Java heap space", set()),
        ("user 5030 logged in", set()),
    ],
)
def test_what_a_text_is_about(text, want):
    assert realms.of_text(text) == want


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ('{"eventSource":"rds.amazonaws.com"}', {"database"}),
        ('{"configurationItem": {"resourceType": "AWS::SQS::Queue"}}', {"queue"}),
        ('{"eventSource":"ec2.amazonaws.com"}', set()),
        ("no json", set()),
    ],
)
def test_what_a_change_touches(line, want):
    assert realms.of_change(line) == want


@pytest.mark.parametrize(
    ("service", "text", "case"),
    [
        ("rds", "could not connect to postgres", "same"),
        ("sqs", "could not connect to postgres", "other"),
        ("ec2", "could not connect to postgres", "any"),
        ("rds", "503 Service Unavailable", "behind"),
        ("rds", "it failed", "unknown"),
    ],
)
def test_realm(service, text, case):
    change = cause("X", 0, message=json.dumps({"eventSource": f"{service}.amazonaws.com"}))
    hit = symptom("connectivity", 1, message=text)
    found = judge([change, hit], at(2)).root_cause
    assert found.factors["realm"] == DEFAULT.realm[case]
