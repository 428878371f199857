"""The catalogue in conf/rules: its size, its words, and that nothing in it is left unsaid."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import botocore.session
import pytest

from probable_cause.rules.block import PLACEHOLDER
from probable_cause.rules.catalogue import load
from probable_cause.rules.commands import coverage, list_rules
from probable_cause.rules.model import SYMPTOMS, RuleSet
from probable_cause.schemas import BASELINE

ROOT = Path(__file__).parents[3]
OUTAGE_EVENTS = ROOT.parent / "shared" / "research" / "outage_events.json"
# What CloudTrail calls otherwise than the API does, or records without a call.
NO_OPERATION = {"BidEvictedEvent", "PutBucketPublicAccessBlock", "PutAccountPublicAccessBlock"}


@pytest.fixture(scope="module")
def shipped() -> RuleSet:
    return load([ROOT / "conf" / "rules"])


def test_there_are_at_least_250_rules_in_all_four_families(shipped: RuleSet) -> None:
    families = Counter(rule.family for rule in shipped.rules)
    assert len(shipped) >= 250, families
    assert set(families) == {"cloudtrail", "aws_config", "vpc_flow", "application"}
    assert not shipped.warnings


def test_every_rule_says_why_and_brings_its_proof(shipped: RuleSet) -> None:
    for rule in shipped.rules:
        assert rule.reason, rule.rule_id
        assert rule.references and all(link.startswith("https://") for link in rule.references), rule.rule_id
        assert rule.examples.match, rule.rule_id
        assert rule.examples.ignore, rule.rule_id
        assert "\n" not in rule.reason + rule.cause_template + rule.summary_template, rule.rule_id


def test_causes_explain_symptoms_are_explained_and_recoveries_end_what_is_there(shipped: RuleSet) -> None:
    explained = {kind for rule in shipped.rules if rule.role == "cause" for kind in rule.explains}
    shown = {rule.symptom for rule in shipped.rules if rule.role == "symptom"}
    assert explained == set(SYMPTOMS)
    assert shown <= explained
    for rule in shipped.rules:
        if rule.role == "cause":
            assert rule.explains, rule.rule_id
        if rule.role == "recovery":
            ended = [shipped.by_id[other] for other in rule.resolves]
            assert all(other.role == "cause" for other in ended), rule.rule_id
            assert rule.relevance < min(other.relevance for other in ended), rule.rule_id


def test_a_symptom_never_claims_to_be_a_cause_of_its_layer(shipped: RuleSet) -> None:
    """Application lines and refused flows show what is broken, not what broke it."""
    for rule in shipped.rules:
        if rule.family in ("application", "vpc_flow"):
            assert rule.role in ("symptom", BASELINE), rule.rule_id


def test_names_of_calls_are_names_that_aws_has(shipped: RuleSet) -> None:
    session = botocore.session.Session()
    operations: dict[str, set[str]] = {}
    for service in session.get_available_services():
        model = session.get_service_model(service)
        for name in {service, model.endpoint_prefix, model.signing_name}:
            known = {operation.lower() for operation in model.operation_names}
            operations.setdefault(name, set()).update(known)
    none = {name.lower() for name in NO_OPERATION}
    for rule in shipped.rules:
        for key in rule.keys if rule.family == "cloudtrail" else ():
            _, source, action = key.split("|")
            known = operations.get(source.removesuffix(".amazonaws.com"), set()) | none
            assert not source or not known - none or action in known, (rule.rule_id, key)


def test_the_calls_that_take_applications_down_are_all_known(shipped: RuleSet) -> None:
    if not OUTAGE_EVENTS.is_file():
        pytest.skip("the list of outage calls is not here (../shared/research)")
    events = json.loads(OUTAGE_EVENTS.read_text(encoding="utf-8"))
    calls = [(event["endpointPrefix"], event["event"]) for event in events]
    suggested = {call: event["suggested"] for call, event in zip(calls, events, strict=True)}
    layers = {call: event["layer"] for call, event in zip(calls, events, strict=True)}
    rows = coverage(shipped, calls)
    assert [row for row in rows if not row["rules"]] == []
    for row in rows:
        call = (row["service"], row["event"])
        # The strongest effect is rated at least as the call is; opening and adding are rated low by both.
        assert row["relevance"] >= suggested[call] - 1, (row, suggested[call])
        assert layers[call] in {shipped.by_id[rule].event_type for rule in row["rules"]}, row


def test_calls_of_one_name_in_two_services_are_two_rules(shipped: RuleSet) -> None:
    shared = (
        ("elasticloadbalancing", "events", "DeleteRule"),
        ("codedeploy", "apigateway", "CreateDeployment"),
        ("network-firewall", "wafv2", "UpdateRuleGroup"),
    )
    for one, other, name in shared:
        first, second = coverage(shipped, [(one, name), (other, name)])
        assert first["rules"] and second["rules"]
        assert not set(first["rules"]) & set(second["rules"]), name


def test_identities_are_few(shipped: RuleSet) -> None:
    """A cause is named by the call and the resource, a symptom by its kind: never by what differs in every event."""
    endless = {"message", "source_port", "event_id", "bytes", "packets", "source_ip", "destination_ip", "peer"}
    for rule in shipped.rules:
        assert not endless & set(PLACEHOLDER.findall(rule.cause_template)), rule.rule_id


def test_rules_are_listed_by_layer_role_service_and_family(shipped: RuleSet) -> None:
    everything = list_rules(shipped)
    assert len(everything) == len(shipped)
    network = list_rules(shipped, layer="network")
    assert network and {row["layer"] for row in network} == {"network"}
    recoveries = list_rules(shipped, role="recovery", family="cloudtrail")
    assert recoveries and {(row["role"], row["family"]) for row in recoveries} == {("recovery", "cloudtrail")}
    rds = list_rules(shipped, service="rds")
    assert rds and all("rds" in " ".join(row["keys"]) for row in rds)
    assert not list_rules(shipped, service="no-such-service")
    assert [row["relevance"] for row in everything] == sorted((row["relevance"] for row in everything), reverse=True)
