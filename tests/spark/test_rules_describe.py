"""The identity of a cause and its summary in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyspark.sql import SparkSession

from probable_cause.rules.describe import LONGEST_CAUSE, describe
from probable_cause.schemas import ATTRIBUTED, column_names
from tests.spark.rows import frame, interest


def described(spark: SparkSession, *rows: dict[str, Any]) -> list[tuple[str, str]]:
    out = describe(frame(spark, ATTRIBUTED, rows))
    assert out.columns == [*column_names(ATTRIBUTED), "cause_id", "summary"]
    found = {row["event_id"]: (row["cause_id"], row["summary"]) for row in out.collect()}
    return [found[row["event_id"]] for row in rows]


def attributed(number: int, cause: str, summary: str = "x", **values: Any) -> dict[str, Any]:
    owned = {"application_id": "app1", "resource": "i-1", "cause_template": cause, "summary_template": summary}
    return {**interest(f"e{number}", **owned), **values}


RECORD = {
    "eventName": "X",
    "requestParameters": {"name": "web", "nested": {"port": 5432}, "list": {"items": [{"id": "a"}, {"id": "b"}]}},
}
# (template, columns, what it becomes)
TEMPLATES: list[tuple[str, dict[str, Any], str]] = [
    ("plain", {}, "plain"),
    ("{eventName} on {resource}", {"action": "StopInstances"}, "StopInstances on i-1"),
    ("{action}", {"action": "StopInstances"}, "StopInstances"),
    ("{resource}{resource}", {}, "i-1i-1"),
    ("{actor} at {region}", {"actor": "alice"}, "alice at -"),
    ("{destination_port}", {"destination_port": 5432}, "5432"),
    ("on {endpoint_type} {endpoint}", {"endpoint_type": "ELB", "endpoint": "10.1.1.1"}, "on ELB 10.1.1.1"),
    ("{application} {errorCode}", {"error_code": "Denied"}, "app1 Denied"),
    ("{shade}", {"fields": {"shade": "blue"}}, "blue"),
    ("{requestParameters.name}", {"message": json.dumps(RECORD)}, "web"),
    ("{requestParameters.nested.port}", {"message": "x", "record": json.dumps(RECORD)}, "5432"),
    ("{requestParameters.nested}", {"message": json.dumps(RECORD)}, '{"port":5432}'),
    ("{requestParameters.none}", {"message": json.dumps(RECORD)}, "-"),
    ("{requestParameters.none}", {"message": "not json"}, "-"),
    ("{message}", {"message": "two\nlines\t  apart"}, "two lines apart"),
    ("{message}", {"message": "   "}, "-"),
    ("{message}", {"message": "m" * 500}, "m" * 300),
    ("it's \\ 100%", {}, "it's \\ 100%"),
    ("{actor}", {"actor": "{resource}"}, "{resource}"),
]  # fmt: skip


def test_templates_are_filled_from_columns_fields_and_the_record(spark: SparkSession) -> None:
    rows = [attributed(number, "c", template, **values) for number, (template, values, _) in enumerate(TEMPLATES)]
    summaries = [summary for _, summary in described(spark, *rows)]
    assert summaries == [wanted for _, _, wanted in TEMPLATES]


PERMISSION = {"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432}


def listed(**rule: Any) -> dict[str, Any]:
    return {"ipPermissions": {"items": [{**PERMISSION, **rule}]}}


# (requestParameters of a security group call, in words)
PERMISSIONS: list[tuple[dict[str, Any], str]] = [
    (listed(ipRanges={"items": [{"cidrIp": "10.0.0.0/8"}]}), "tcp 5432 with 10.0.0.0/8"),
    (listed(ipProtocol="-1", fromPort=None, groups={"items": [{"groupId": "sg-2"}]}), "all traffic with sg-2"),
    (listed(toPort=5440), "tcp 5432-5440"),
    (listed(ipv6Ranges={"items": [{"cidrIpv6": "::/0"}]}), "tcp 5432 with ::/0"),
    ({"ipPermissions": {"items": [PERMISSION, {"ipProtocol": "icmp", "fromPort": -1}]}}, "tcp 5432; icmp"),
    ({**PERMISSION, "cidrIp": "0.0.0.0/0"}, "tcp 5432 with 0.0.0.0/0"),
    ({"securityGroupRuleIds": {"items": [{"securityGroupRuleId": "sgr-0a1"}, {"x": "sgr-2"}]}}, "sgr-0a1, sgr-2"),
    ({"ipPermissions": {}}, "-"),
    ({"ipPermissions": "hello"}, "-"),
]


def test_permissions_of_a_security_group_are_said_in_words(spark: SparkSession) -> None:
    rows = [
        attributed(number, "c", "{permissions}", message=json.dumps({"requestParameters": parameters}))
        for number, (parameters, _) in enumerate(PERMISSIONS)
    ]
    assert [summary for _, summary in described(spark, *rows)] == [words for _, words in PERMISSIONS]


def test_differences_of_a_config_item_are_said_in_words(spark: SparkSession) -> None:
    changed = {
        f"Configuration.P{number}": {"previousValue": 4, "updatedValue": number, "changeType": "UPDATE"}
        for number in range(5)
    }
    message = json.dumps({"configurationItemDiff": {"changedProperties": changed}})
    ((_, summary),) = described(spark, attributed(1, "c", "{changes}", family="aws_config", message=message))
    assert summary == "; ".join(f"UPDATE Configuration.P{number}: 4 -> {number} (down)" for number in range(3))


@pytest.mark.parametrize("resource", ["i-1", "é" * 150, "arn#with#hashes"])
def test_a_cause_id_is_one_line_without_the_separator_of_keys(spark: SparkSession, resource: str) -> None:
    ((cause, _),) = described(spark, attributed(1, "{action} on\n{resource}", resource=resource))
    assert "#" not in cause
    assert cause.startswith("RebootInstances on")


def test_a_long_cause_id_is_cut_and_stays_unique(spark: SparkSession) -> None:
    long = "x" * 400
    rows = [
        attributed(1, "{resource}{action}", resource=long[:250], action="a"),
        attributed(2, "{resource}{action}", resource=long[:250], action="b"),
        attributed(3, "{resource}{action}", resource=long[:250], action="a"),
        attributed(4, "{resource}", resource=long[:LONGEST_CAUSE]),
    ]
    causes = [cause for cause, _ in described(spark, *rows)]
    assert [len(cause) for cause in causes] == [LONGEST_CAUSE] * 4
    assert causes[0] == causes[2] != causes[1]
    assert "~" in causes[0] and "~" not in causes[3]
