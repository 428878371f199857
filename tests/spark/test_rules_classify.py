"""How events and rules meet: what each Sigma feature matches, and which rule of several is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession

from probable_cause.rules.catalogue import load
from probable_cause.rules.classify import classify, with_matches
from probable_cause.rules.commands import (
    coverage_of_sample,
    events_of,
    explain_match,
    shares,
    too_broad,
)
from probable_cause.rules.examples import example_line
from probable_cause.rules.model import RuleSet
from probable_cause.schemas import EVENT, INTEREST, column_names
from tests.spark.rows import frame


def rule(name: str, detection: dict[str, Any], service: str = "cloudtrail", **block: Any) -> dict[str, Any]:
    return {
        "title": name,
        "name": name,
        "logsource": {"service": service},
        "detection": {"condition": "selection", **detection},
        "probable_cause": {
            "layer": "cloudsystem",
            "role": "cause",
            "relevance": 5,
            "cause": "{eventName}",
            "summary": "{eventName}",
            **block,
        },
    }


def rules_of(folder: Path, *rules: dict[str, Any]) -> RuleSet:
    (folder / "rules.yml").write_text("---\n".join(yaml.safe_dump(one) for one in rules), encoding="utf-8")
    return load([folder / "rules.yml"])


def found(spark: SparkSession, rules: RuleSet, lines: list[tuple[str, str]]) -> list[set[str]]:
    """Ids of the rules kept for each line."""
    events, rejects = events_of(lines, spark)
    assert rejects == []
    out: list[set[str]] = [set() for _ in lines]
    for row in classify(events, rules).toArrow().to_pylist():
        out[int(row["event_id"])].add(row["rule_id"])
    return out


CALL: dict[str, Any] = {
    "eventSource": "ec2.amazonaws.com",
    "eventName": "ModifyThing20150331v2",
    "sourceIPAddress": "172.20.3.4",
    "userAgent": "Console 100%_x",
    "requestParameters": {
        "name": "Web",
        "twin": "web",
        "count": 3,
        "force": True,
        "empty": "",
        "ids": ["i-1", "i-2"],
        "set": {"items": [{"id": "a", "n": 0}, {"id": "B", "n": 7}]},
        "one": {"items": [{"id": "solo"}]},
        "odd key": {"x.y": "deep"},
        "policy": '{"Effect": "Deny"}',
    },
}
# (detection item, whether it holds for CALL)
ITEMS: list[tuple[dict[str, Any], bool]] = [
    ({"eventName": "modifything"}, True),
    ({"eventName": "ModifyThing20150331"}, True),
    ({"eventName": "ModifyThing2015*"}, True),
    ({"eventName|startswith": "Modify"}, True),
    ({"eventName|startswith": "Delete"}, False),
    ({"eventName": ["A", "ModifyThing"], "eventSource": "EC2.amazonaws.com"}, True),
    ({"requestParameters.name": "web"}, True),
    ({"requestParameters.name|cased": "web"}, False),
    ({"requestParameters.name|cased": "Web"}, True),
    ({"requestParameters.name|contains": "E"}, True),
    ({"requestParameters.name|endswith": "b"}, True),
    ({"requestParameters.name": "w?b"}, True),
    ({"requestParameters.name": "w?"}, False),
    ({"requestParameters.name|re": "^W"}, True),
    ({"requestParameters.name|re": "^w"}, False),
    ({"requestParameters.name|re|i": "^w.b$"}, True),
    ({"requestParameters.count": 3}, True),
    ({"requestParameters.count|gt": 2}, True),
    ({"requestParameters.count|lte": 2}, False),
    ({"requestParameters.name|gt": 2}, False),
    ({"requestParameters.count|neq": 3}, False),
    ({"requestParameters.force": True}, True),
    ({"requestParameters.empty": ""}, True),
    ({"requestParameters.missing": ""}, False),
    ({"requestParameters.missing": None}, True),
    ({"requestParameters.name": None}, False),
    ({"requestParameters.name|exists": True}, True),
    ({"requestParameters.missing|exists": True}, False),
    ({"requestParameters.missing|exists": False}, True),
    ({"requestParameters.ids": "i-2"}, True),
    ({"requestParameters.ids": "i-3"}, False),
    ({"requestParameters.set.items.id": "b"}, True),
    ({"requestParameters.set.items.id": "c"}, False),
    ({"requestParameters.set.items[*].id": "A"}, True),
    ({"requestParameters.one.items.id": "solo"}, True),
    ({"requestParameters.one.items.id": "sol"}, False),
    ({"requestParameters|contains": '"name":"Web"'}, True),
    ({"requestParameters.policy|re|i": r'"effect"\s*:\s*"deny"'}, True),
    ({"userAgent|contains": "100%_"}, True),
    ({"userAgent": "Console 100*x"}, True),
    ({"userAgent": "Console 100__x"}, False),
    ({"sourceIPAddress|cidr": "172.16.0.0/12"}, True),
    ({"sourceIPAddress|cidr": ["10.0.0.0/8", "172.20.3.0/30"]}, False),
    ({"requestParameters.name|fieldref": "requestParameters.twin"}, True),
    ({"requestParameters.name|fieldref": "requestParameters.count"}, False),
    ({"requestParameters.name|fieldref": "requestParameters.missing"}, False),
    ({"requestParameters.ids|contains|all": ["i-1", "i-2"]}, True),
    ({"requestParameters.ids|contains|all": ["i-1", "i-9"]}, False),
]


def test_what_each_sigma_feature_matches(spark: SparkSession, tmp_path: Path) -> None:
    """Each in a layer and role of its own run would be slow: all rules that match are looked at, not the kept ones."""
    named = {f"item-{number}": rule(f"item-{number}", {"selection": item}) for number, (item, _) in enumerate(ITEMS)}
    rules = rules_of(tmp_path, *named.values())
    events, _ = events_of([("cloudtrail", example_line("cloudtrail", CALL, {}))], spark)
    (row,) = with_matches(events, rules).select("matches").collect()
    matched = {rules.rules[number].rule_id for number in row["matches"]}
    wrong = [(item, wanted) for number, (item, wanted) in enumerate(ITEMS) if (f"item-{number}" in matched) != wanted]
    assert wrong == []


CONDITIONS: list[tuple[dict[str, Any], bool]] = [
    ({"a": {"eventName": "ModifyThing"}, "b": {"userAgent": "x"}, "condition": "a and not b"}, True),
    ({"a": {"eventName": "ModifyThing"}, "b": {"userAgent|contains": "console"}, "condition": "a and not b"}, False),
    ({"s1": {"userAgent": "x"}, "s2": {"eventName": "ModifyThing"}, "condition": "1 of s*"}, True),
    ({"s1": {"userAgent": "x"}, "s2": {"eventName": "ModifyThing"}, "condition": "all of s*"}, False),
    ({"s": ["modifything", "nowhere"], "condition": "s"}, True),
    ({"s": [{"requestParameters.missing": 1}, {"requestParameters.count": 3}], "condition": "s"}, True),
    ({"s": {"eventName": "ModifyThing"}, "f": {"requestParameters.missing": 1}, "condition": "s and not f"}, True),
]


def test_what_conditions_match(spark: SparkSession, tmp_path: Path) -> None:
    rules = rules_of(tmp_path, *(rule(f"c-{number}", one) for number, (one, _) in enumerate(CONDITIONS)))
    events, _ = events_of([("cloudtrail", example_line("cloudtrail", CALL, {}))], spark)
    (row,) = with_matches(events, rules).select("matches").collect()
    matched = {rules.rules[number].rule_id for number in row["matches"]}
    assert matched == {f"c-{number}" for number, (_, wanted) in enumerate(CONDITIONS) if wanted}


STOP = {"selection": {"eventSource": "ec2.amazonaws.com", "eventName": "StopInstances"}}


def test_failed_dry_run_and_read_only_calls_caused_nothing(spark: SparkSession, tmp_path: Path) -> None:
    denied = {"selection": {"errorCode": ["AccessDenied", "Client.DryRunOperation"]}}
    rules = rules_of(
        tmp_path,
        rule("stop", STOP),
        rule("stop-and-failed", {"selection": {**STOP["selection"], "errorCode|contains": "Limit"}}),
        rule("denied", denied, role="symptom", symptom="auth"),
        rule("watched", STOP, role="symptom", symptom="errors", layer="network"),
    )
    stop = {"eventSource": "ec2.amazonaws.com", "eventName": "StopInstances"}
    lines = [
        stop,
        {**stop, "errorCode": "AccessDenied"},
        {**stop, "errorCode": "RequestLimitExceeded"},
        {**stop, "readOnly": True},
        {**stop, "requestParameters": {"dryRun": True}},
        {"eventName": "GetObject", "eventSource": "s3.amazonaws.com", "errorCode": "AccessDenied", "readOnly": True},
    ]
    assert found(spark, rules, [("cloudtrail", example_line("cloudtrail", one, {})) for one in lines]) == [
        {"stop", "watched"},
        {"denied", "watched"},
        {"stop-and-failed", "watched"},
        {"watched"},
        {"watched"},
        {"denied"},
    ]


def test_one_rule_is_kept_for_each_layer_and_role(spark: SparkSession, tmp_path: Path) -> None:
    rules = rules_of(
        tmp_path,
        rule("low", STOP, relevance=3),
        rule("tie-b", STOP, relevance=7),
        rule("tie-a", STOP, relevance=7),
        rule("network", STOP, layer="network", relevance=2),
        rule("back", STOP, role="recovery", resolves=["low"], relevance=1),
    )
    line = example_line("cloudtrail", {"eventSource": "ec2.amazonaws.com", "eventName": "StopInstances"}, {})
    assert found(spark, rules, [("cloudtrail", line)]) == [{"tie-a", "network", "back"}]


def test_the_columns_are_those_of_the_contract(spark: SparkSession, tmp_path: Path) -> None:
    block = {"explains": ["dns", "tls"], "half_life": "2h", "window": "6h", "relevance": 6.5}
    rules = rules_of(tmp_path, rule("stop", STOP, **block))
    line = example_line("cloudtrail", {"eventSource": "ec2.amazonaws.com", "eventName": "StopInstances"}, {})
    out = classify(events_of([("cloudtrail", line)], spark)[0], rules)
    assert out.columns == column_names(INTEREST)
    assert dict(out.dtypes) == dict(spark.createDataFrame([], INTEREST).dtypes)
    (row,) = out.collect()
    assert (row["rule_id"], row["event_type"], row["role"], row["relevance"]) == ("stop", "cloudsystem", "cause", 6.5)
    assert (row["half_life_seconds"], row["window_seconds"], row["explains"]) == (7200, 21600, ["dns", "tls"])


def test_rejected_lines_pass_without_a_rule_and_other_events_go(spark: SparkSession, tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule("everything", {"selection": {"eventName": "*"}}), rule("stop", STOP))
    rows = [
        {"event_id": "bad", "reject_reason": "not_json", "message": "{", "family": "cloudtrail", "action": "x"},
        {"event_id": "nothing", "family": "vpc_flow", "outcome": "accept"},
        {"event_id": "strange", "message": None, "family": None},
        {"event_id": "good", "family": "cloudtrail", "message": '{"eventName": "x"}', "action": "x"},
    ]
    out = classify(frame(spark, EVENT, rows), rules).select("event_id", "rule_id").collect()
    assert {(row["event_id"], row["rule_id"]) for row in out} == {("bad", None), ("good", "everything")}


def test_no_rules_at_all_match_nothing(spark: SparkSession) -> None:
    line = example_line("cloudtrail", CALL, {})
    assert classify(events_of([("cloudtrail", line)], spark)[0], RuleSet(())).count() == 0


def test_application_rules_look_at_the_whole_line_and_leave_quiet_levels_alone(
    spark: SparkSession, tmp_path: Path
) -> None:
    symptom = {"layer": "application", "role": "symptom", "symptom": "errors", "cause": "x", "summary": "{message}"}
    refused = {"selection": {"message|contains": ["lost the plot", "ran aground"]}}
    rules = rules_of(
        tmp_path,
        rule("text", refused, "application", **symptom),
        rule("quiet", {"selection": {"message|contains": "ran aground", "level": "INFO"}}, "application",
             **symptom | {"layer": "network"}),
        rule("field", {"selection": {"code": 42}}, "application", **symptom | {"relevance": 2}),
    )  # fmt: skip
    lines = [
        "ERROR the ship Ran Aground",
        "INFO the ship ran aground",
        "the ship lost the plot",
        json.dumps({"level": "error", "msg": "failed", "cause": {"text": "it ran aground"}}),
        json.dumps({"level": "warn", "msg": "odd", "code": 42}),
        json.dumps({"level": "debug", "msg": "odd", "code": 42}),
        "ERROR all is well",
    ]
    assert found(spark, rules, [("application", line) for line in lines]) == [
        {"text"}, {"quiet"}, {"text"}, {"text"}, {"field"}, set(), set(),
    ]  # fmt: skip


def test_words_that_begin_alike_overlap_or_need_escaping_call_up_their_rules(
    spark: SparkSession, tmp_path: Path
) -> None:
    words = ["wrecked", "wreckedship", "shiplost", "it's (sunk)", "C:\\hold", "größe 💥"]
    block = {"layer": "application", "role": "symptom", "symptom": "errors", "cause": "x", "summary": "x"}
    rules = rules_of(
        tmp_path,
        *(
            rule(str(number), {"selection": {"message|contains": word}}, "application", **block)
            for number, word in enumerate(words)
        ),
    )
    lines = {
        "ERROR wrecked": {"0"},
        "ERROR awreckedshiplost": {"0", "1", "2"},
        "ERROR now it's (sunk) in C:\\hold": {"3", "4"},
        "ERROR die GRÖSSE, die GRÖßE 💥": {"5"},
        "ERROR wreck, ship lost": set(),
    }
    events, _ = events_of([("application", line) for line in lines], spark)
    ids = [one.rule_id for one in rules.rules]
    rows = with_matches(events, rules).select("event_id", "matches").collect()
    assert {line: {ids[n] for row in rows if int(row.event_id) == number for n in row.matches}
            for number, line in enumerate(lines)} == lines  # fmt: skip


def test_what_calls_up_rules_is_worked_out_once(spark: SparkSession, tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule("text", {"selection": {"message|contains": "ran aground"}}, "application"))
    events, _ = events_of([("application", "ERROR it ran aground")], spark)
    plan = classify(events, rules)._jdf.queryExecution().optimizedPlan()
    nodes = 0
    while not plan.children().isEmpty():
        nodes += "regexp_extract_all" in plan.simpleString(10_000)
        plan = plan.children().head()
    assert nodes == 1


def test_changes_of_config_items_are_lines_with_a_direction(spark: SparkSession, tmp_path: Path) -> None:
    def item(properties: dict[str, Any]) -> str:
        return example_line("aws_config", {"configurationItemDiff": {"changedProperties": properties}}, {})

    def change(before: Any, after: Any, kind: str = "UPDATE") -> dict[str, Any]:
        return {"previousValue": before, "updatedValue": after, "changeType": kind}

    instance = {"configurationItem.resourceType": "AWS::EC2::Instance"}
    rules = rules_of(
        tmp_path,
        rule("down", {"selection": {**instance, "change|re": r"^UPDATE Configuration\.Size: .*\(down\)$"}}, "config",
             cause="{resource}", summary="{changes}"),
        rule("gone", {"selection": {**instance, "change|startswith": "DELETE"}}, "config", layer="network",
             cause="{resource}", summary="{changes}"),
        rule("any", {"selection": {"change|exists": True}}, "config", layer="application", cause="x", summary="y"),
    )  # fmt: skip
    lines = [
        item({"Configuration.Size": change(4, 2)}),
        item({"Configuration.Size": change(2, 10)}),
        item({"Configuration.Size": change("m5.large", "t3.micro")}),
        item({"Configuration.Name": change("a", "b"), "Configuration.Size": change("10", "9")}),
        item({"Configuration.Rules.0": change({"a": [1, 2]}, None, "DELETE")}),
        item({}),
    ]
    assert found(spark, rules, [("aws_config", line) for line in lines]) == [
        {"down", "any"}, {"any"}, {"any"}, {"down", "any"}, {"gone", "any"}, set(),
    ]  # fmt: skip


def test_flow_rules_use_the_names_of_the_flow_log(spark: SparkSession, tmp_path: Path) -> None:
    block = {"role": "symptom", "symptom": "connectivity", "layer": "network", "cause": "x", "summary": "y"}
    rules = rules_of(
        tmp_path,
        rule("refused", {"selection": {"action": "REJECT"}}, "vpcflow", **block),
        rule("ssh", {"selection": {"action": "REJECT", "dstport": 22, "srcaddr|cidr": "10.0.0.0/8"}}, "vpcflow",
             **block | {"relevance": 7}),
        rule("lost", {"selection": {"log-status": "SKIPDATA"}}, "vpcflow", **block),
    )  # fmt: skip
    lines = [
        example_line("vpc_flow", {"action": "REJECT"}, {}),
        example_line("vpc_flow", {"action": "REJECT", "dstport": 22}, {}),
        example_line("vpc_flow", {"action": "REJECT", "dstport": 22, "srcaddr": "192.0.2.1"}, {}),
        example_line("vpc_flow", {"action": "ACCEPT", "dstport": 22}, {}),
        "2 123456789012 eni-0a1b2c3d - - - - - - - 1772366400 1772366460 - SKIPDATA",
    ]
    assert found(spark, rules, [("vpc_flow", line) for line in lines]) == [
        {"refused"}, {"ssh"}, {"refused"}, set(), {"lost"},
    ]  # fmt: skip


@pytest.mark.parametrize("hostile", ["'", "\\", "\\u0027", "';--", "{}", "[{}]", "%_", "\u2028", "é", '"'])
def test_any_text_may_stand_in_a_rule(spark: SparkSession, tmp_path: Path, hostile: str) -> None:
    detection = {"selection": {"requestParameters.name|contains|cased": f"a{hostile}b"}}
    rules = rules_of(tmp_path, rule("odd", detection))
    lines = [example_line("cloudtrail", {"requestParameters": {"name": f"xa{text}bx"}}, {}) for text in (hostile, "!")]
    assert found(spark, rules, [("cloudtrail", line) for line in lines]) == [{"odd"}, set()]


def test_a_test_of_one_line_says_which_selection_held(spark: SparkSession, tmp_path: Path) -> None:
    detection = {
        "selection": {"eventName": "UpdateFunctionCode", "eventSource": "lambda.amazonaws.com"},
        "filter": {"requestParameters.functionName": "test"},
        "condition": "selection and not filter",
    }
    (one,) = rules_of(tmp_path, rule("code", detection)).rules
    call = {"eventSource": "lambda.amazonaws.com", "eventName": "UpdateFunctionCode20150331v2"}
    live = example_line("cloudtrail", {**call, "requestParameters": {"functionName": "live"}}, {})
    answer = explain_match(one, live, spark)
    assert answer["matched"] and answer["selections"] == {"selection": True, "filter": False}
    assert answer["prevented_by"] == []
    answer = explain_match(one, live.replace("live", "test"), spark)
    assert not answer["matched"] and answer["selections"] == {"selection": True, "filter": True}
    answer = explain_match(one, example_line("cloudtrail", {**call, "errorCode": "Denied"}, {}), spark)
    assert not answer["matched"] and answer["selections"]["selection"]
    assert "the call failed (Denied)" in answer["prevented_by"][0]
    answer = explain_match(one, "{", spark)
    assert not answer["readable"] and "not_json" in answer["reason"] or "truncated" in answer["reason"]


def test_a_sample_shows_what_nothing_matched_and_what_matches_too_much(spark: SparkSession, tmp_path: Path) -> None:
    rules = rules_of(tmp_path, rule("stop", STOP), rule("ec2", {"selection": {"eventSource": "ec2.amazonaws.com"}}))
    calls = [("ec2", "StopInstances"), ("ec2", "StopInstances"), ("ec2", "RunInstances"), ("sns", "Publish")]
    lines = [
        example_line("cloudtrail", {"eventSource": f"{service}.amazonaws.com", "eventName": name}, {})
        for service, name in calls
    ]
    events, _ = events_of([("cloudtrail", line) for line in lines], spark)
    rows = coverage_of_sample(rules, events)
    assert [(row["kind"], row["events"], row["matched"]) for row in rows][0] == ("sns.amazonaws.com Publish", 1, 0)
    assert {row["matched"] for row in rows} == {0, 1, 2}
    matched = shares(rules, events)
    assert [(row["rule_id"], row["matched"], row["share"]) for row in matched] == [("ec2", 3, 0.75), ("stop", 2, 0.5)]
    assert too_broad(matched) == [
        "ec2 matched 75% of the cloudtrail events of the sample: it names no cause when it names everything; "
        "add a condition"
    ]


def test_the_plan_does_not_grow_with_the_rules(spark: SparkSession, tmp_path: Path) -> None:
    """The number of nodes of the optimized plan is the same for one rule and for two hundred."""
    line = example_line("cloudtrail", CALL, {})
    events, _ = events_of([("cloudtrail", line)], spark)

    def nodes(count: int) -> int:
        many = [
            rule(f"r-{number}", {"selection": {"eventName": f"Call{number}", "requestParameters.a": number}})
            for number in range(count)
        ]
        plan = classify(events, rules_of(tmp_path, *many))._jdf.queryExecution().optimizedPlan()
        return plan.treeString().count("\n") + plan.toString().count("lambda")

    assert nodes(1) == nodes(200)
