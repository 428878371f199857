"""Comparing a moment of truth with an answer: only what is given, by action, resource, deferral and count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probable_cause.evaluation.incident import HEALTHY, NONE, Expected, ExpectedCount, Truth
from probable_cause.evaluation.judge import faults_of, names, rank_of
from probable_cause.verdict import judge
from tests.unit.verdict.events import at, cause, symptom

REBOOT = cause("RebootInstances", 0)
STOP = cause("StopDBInstance", 0.5, resource="arn:aws:rds:us-east-1:123456789012:db:orders-db", relevance=6.0)
OUTAGE = symptom("connectivity", 1, count=7)
EVENTS = [REBOOT, STOP, OUTAGE]


def faults(minute=3, events=EVENTS, **truth):
    return faults_of(Truth(at(minute), "shop", **truth), judge(events, at(minute)), events)


@pytest.mark.parametrize(
    ("truth", "wrong"),
    [
        ({"root_cause": Expected("cloudsystem", "RebootInstances", "i-0a1b2c3d4e5f")}, 0),
        ({"root_cause": Expected(action="RebootInstances")}, 0),
        ({"root_cause": Expected("network")}, 1),
        ({"root_cause": Expected(action="StopDBInstance")}, 1),
        ({"root_cause": Expected(resource_id="i-0other")}, 1),
        ({"root_cause": NONE}, 1),
        ({}, 0),
        ({"layers": {"application": Expected(deferred_from="cloudsystem"), "network": HEALTHY}}, 0),
        ({"layers": {"application": Expected(deferred_from="network"), "network": Expected(action="REJECT")}}, 2),
        ({"layers": {"application": HEALTHY}}, 1),
        ({"layers": {"cloudsystem": Expected(action="RebootInstances", resource_id="i-0a1b2c3d4e5f")}}, 0),
        ({"counts": (ExpectedCount(7, "application"), ExpectedCount(1, action="StopDBInstance"))}, 0),
        ({"counts": (ExpectedCount(8, "application"), ExpectedCount(0, action="StopDBInstance"))}, 2),
        ({"counts": (ExpectedCount(2, "cloudsystem"), ExpectedCount(0, "network"))}, 0),
    ],
)
def test_only_what_is_given_is_compared(truth, wrong):
    assert len(faults(**truth)) == wrong


def test_a_fault_says_what_was_expected_and_answered():
    (fault,) = faults(root_cause=Expected("network", "Revoke", "sg-1"))
    assert fault == (
        "root_cause: expected network Revoke on sg-1, answered cloudsystem RebootInstances on i-0a1b2c3d4e5f"
    )


@pytest.mark.parametrize(
    ("expected", "answered", "same"),
    [
        ("UpdateFunctionCode", "UpdateFunctionCode20150331v2", True),
        ("UpdateFunctionCode20150331v2", "UpdateFunctionCode20150331v2", True),
        ("UpdateFunctionCode20150331v2", "UpdateFunctionCode", True),
        ("UpdateFunctionCode20150331", "UpdateFunctionCode20150331v2", True),
        ("UpdateFunctionCode20150331v2", "UpdateFunctionConfiguration20150331v2", False),
        ("UpdateFunction", "UpdateFunctionCode", False),
        ("Update", None, False),
    ],
)
def test_versions_behind_an_action(expected, answered, same):
    assert names(Expected(action=expected), replace(REBOOT, action=answered)) is same


@pytest.mark.parametrize("resource", ["orders-db", "arn:aws:rds:us-east-1:123456789012:db:orders-db"])
def test_a_resource_by_id_or_arn(resource):
    assert names(Expected(resource_id=resource), STOP)
    assert names(Expected(resource_id=resource), replace(STOP, resource_ids=("orders-db",)))
    assert not names(Expected(resource_id=resource + "-2"), STOP)


def test_the_rank_counts_rivals():
    verdict = judge(EVENTS, at(3))
    assert rank_of(Expected(action="RebootInstances"), verdict) == 1
    assert rank_of(Expected(action="StopDBInstance"), verdict) == 2
    assert rank_of(Expected(action="Nothing"), verdict) is None
    assert rank_of(Expected(action="RebootInstances"), judge([REBOOT], at(3))) is None
