"""Every sentence of design contract 3.3 about layers, as data."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from probable_cause.verdict import LayerRecord, judge
from tests.unit.verdict.events import HOUR, at, cause, recovery, symptom

REBOOT = cause("RebootInstances", 0)
REVOKE = cause("RevokeSecurityGroupIngress", 5, layer="network", resource="sg-0123456789", relevance=9.0)
REJECT = symptom("connectivity", 6, layer="network", last=9)
ERRORS = symptom("connectivity", 1, last=2)


def shown(layer):
    return layer.state, layer.event.action if layer.event else None, layer.deferred_from


def deferring(name, layer, events, minute, want):
    return pytest.param(layer, events, minute, want, id=name)


@pytest.mark.parametrize(
    ("layer", "events", "minute", "want"),
    [
        deferring("own cause", "cloudsystem", [REBOOT], 1, ("probable_cause", "RebootInstances", None)),
        deferring(
            "own cause wins although another layer's explains",
            "network",
            [REBOOT, REVOKE, REJECT],
            10,
            ("probable_cause", "RevokeSecurityGroupIngress", None),
        ),
        deferring(
            "a later cause elsewhere leaves this layer alone",
            "cloudsystem",
            [REBOOT, REVOKE, REJECT],
            10,
            ("probable_cause", "RebootInstances", None),
        ),
        deferring("symptoms defer", "network", [REBOOT, REJECT], 10, ("deferred", "RebootInstances", "cloudsystem")),
        deferring(
            "application defers too", "application", [REBOOT, ERRORS], 3, ("deferred", "RebootInstances", "cloudsystem")
        ),
        deferring(
            "to the last of two that explain alike",
            "application",
            [REBOOT, replace(REVOKE, relevance=8.0), symptom("connectivity", 6)],
            8,
            ("deferred", "RevokeSecurityGroupIngress", "network"),
        ),
        deferring(
            "not to a change after the symptoms",
            "application",
            [symptom("connectivity", 1), cause("RebootInstances", 30)],
            31,
            ("symptom", None, None),
        ),
        deferring(
            "not to a change that cannot explain them",
            "application",
            [cause("RebootInstances", 0, explains=("auth",)), symptom("memory", 1)],
            2,
            ("symptom", None, None),
        ),
        deferring(
            "to a change within the flow record's window after its start",
            "network",
            [cause("RebootInstances", 0.7), symptom("connectivity", 0, layer="network")],
            2,
            ("deferred", "RebootInstances", "cloudsystem"),
        ),
        deferring(
            "no cause anywhere: the strongest symptom",
            "network",
            [REJECT, replace(REJECT, cause_id="weak", relevance=3.0, action="weak")],
            10,
            ("symptom", None, None),
        ),
        deferring("neither", "network", [REBOOT], 1, ("healthy", None, None)),
        deferring("nothing", "network", [], 1, ("healthy", None, None)),
        deferring(
            "no longer recent, within its window: the last record",
            "application",
            [ERRORS],
            4 * 60,
            ("last_record", None, None),
        ),
        deferring(
            "the last record of a deferral is the deferral",
            "application",
            [REBOOT, ERRORS],
            4 * 60,
            ("last_record", "RebootInstances", "cloudsystem"),
        ),
        deferring("past its window: healthy", "application", [REBOOT, ERRORS], 6 * 60 + 2.1, ("healthy", None, None)),
        deferring("exactly at its window: not yet", "application", [ERRORS], 6 * 60 + 2, ("last_record", None, None)),
        deferring("resolved is gone", "cloudsystem", [replace(REBOOT, status="resolved")], 1, ("healthy", None, None)),
        deferring(
            "resolved explains nothing",
            "network",
            [replace(REBOOT, status="resolved"), REJECT],
            10,
            ("symptom", None, None),
        ),
        deferring(
            "acknowledged is still shown",
            "cloudsystem",
            [replace(REBOOT, status="acknowledged")],
            1,
            ("probable_cause", "RebootInstances", None),
        ),
        deferring(
            "acknowledged ranks after open, however relevant",
            "cloudsystem",
            [replace(REBOOT, status="acknowledged"), cause("PutParameter", 3, resource="/shop/flag", relevance=4.0)],
            5,
            ("probable_cause", "PutParameter", None),
        ),
        deferring(
            "a recovery resolves its cause",
            "cloudsystem",
            [cause("StopInstances", 0), recovery("StartInstances", 9, "StopInstances")],
            10,
            ("healthy", None, None),
        ),
        deferring(
            "a recovery is no cause itself",
            "cloudsystem",
            [recovery("StartInstances", 9, "StopInstances")],
            10,
            ("healthy", None, None),
        ),
    ],
)
def test_what_a_layer_shows(layer, events, minute, want):
    assert shown(judge(events, at(minute)).layers[layer]) == want


def test_the_most_relevant_wins_and_decay_reorders():
    slow = cause("ModifyDBInstance", 0, resource="orders-db", relevance=6.0)
    fast = cause("UpdateService", 0, resource="checkout", relevance=9.0, half_life_seconds=HOUR)
    for minute, want in ((1, "UpdateService"), (34, "UpdateService"), (38, "ModifyDBInstance")):
        assert judge([slow, fast], at(minute)).layers["cloudsystem"].event.action == want, minute


def test_of_equal_relevance_the_latest_wins():
    first, second = cause("StopInstances", 0), cause("StopInstances", 0, resource="i-0ffffffffff", last=0.5)
    assert judge([second, first], at(1)).layers["cloudsystem"].event is second


def test_the_strongest_symptom_wins():
    strong, weak = symptom("dns", 0), symptom("errors", 5, relevance=4.0)
    assert judge([weak, strong], at(6)).layers["application"].event is strong


def test_symptoms_stay_as_evidence_of_the_layer():
    other = symptom("timeout", 7, layer="network", relevance=5.0)
    layer = judge([REBOOT, other, REJECT], at(10)).layers["network"]
    assert layer.symptoms == (REJECT.event_key, other.event_key)


def test_without_events_the_previous_record_stands_until_its_window_passes():
    before = {"network": LayerRecord(REBOOT, "cloudsystem")}
    layer = judge([], at(60), previous=before).layers["network"]
    assert (layer.state, layer.event, layer.deferred_from) == ("last_record", REBOOT, "cloudsystem")
    assert judge([], at(72 * 60 + 0.1), previous=before).layers["network"].state == "healthy"
    resolved = {"network": LayerRecord(replace(REBOOT, status="resolved"))}
    assert judge([], at(60), previous=resolved).layers["network"].state == "healthy"


def test_the_order_of_events_does_not_matter():
    events = [REBOOT, REVOKE, REJECT, ERRORS]
    want = judge(events, at(10))
    assert all(judge(list(order), at(10)) == want for order in itertools.permutations(events))
