"""CloudTrail: wrappers, outcome, actor, resources. Records are built from one base; each case says what it changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from probable_cause.errors import RejectedLineError
from probable_cause.families import parse_line

ACCOUNT = "123456789012"
BASE: dict[str, Any] = {
    "eventVersion": "1.09",
    "userIdentity": {"type": "IAMUser", "userName": "alice", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice"},
    "eventTime": "2024-03-01T12:00:00Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "RevokeSecurityGroupIngress",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "203.0.113.7",
    "userAgent": "console.amazonaws.com",
    "requestParameters": {"groupId": "sg-0a1b"},
    "responseElements": None,
    "eventID": "e-1",
    "recipientAccountId": ACCOUNT,
}


def event(**changes: Any) -> dict[str, Any]:
    (found,) = parse_line("cloudtrail", json.dumps(BASE | changes))
    return found


def test_the_columns_of_a_plain_call() -> None:
    found = event()
    assert found.pop("event_time").isoformat() == "2024-03-01T12:00:00+00:00"
    fields = found.pop("fields")
    assert found == {
        "family": "cloudtrail",
        "account_id": ACCOUNT,
        "region": "us-east-1",
        "action": "RevokeSecurityGroupIngress",
        "event_source": "ec2.amazonaws.com",
        "outcome": "success",
        "error_code": None,
        "actor": "alice",
        "source_ip": "203.0.113.7",
        "resource_ids": ["sg-0a1b"],
        "resource_type": "AWS::EC2::SecurityGroup",
    }
    assert fields["event_name"] == "RevokeSecurityGroupIngress"
    assert (fields["event_id"], fields["actor_type"]) == ("e-1", "person")


WRAPPED = {
    "EventBridge": {"detail-type": "AWS API Call via CloudTrail", "account": ACCOUNT, "detail": BASE},
    "Records": {"Records": [BASE]},
    "SNS": {"Type": "Notification", "Message": json.dumps(BASE)},
    "SQS": {"Records": [{"body": json.dumps({"Message": json.dumps({"Records": [BASE]})})}]},
    "LookupEvents": {"EventId": "e", "CloudTrailEvent": json.dumps(BASE)},
    "array": [BASE],
    "JSON text": json.dumps(BASE),
}


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_wrappers_come_off_and_the_record_is_kept(wrapper: str) -> None:
    (found,) = parse_line("cloudtrail", json.dumps(WRAPPED[wrapper]))
    assert json.loads(found.pop("record")) == BASE
    assert found == event()


def test_records_explode_in_order() -> None:
    records = [BASE | {"eventID": str(number)} for number in range(5)]
    found = parse_line("cloudtrail", json.dumps({"Records": [*records, "no record"]}))
    assert [one["fields"]["event_id"] for one in found] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
        ("CreateFunction20150331", "CreateFunction"),
        ("UpdateDistribution2020_05_31", "UpdateDistribution"),
        ("ListObjectsV2", "ListObjectsV2"),
        ("PutBucketV20240301x", "PutBucketV20240301x"),
        ("Backup2024", "Backup2024"),
    ],
)
def test_the_api_version_is_no_part_of_the_action(name: str, action: str) -> None:
    found = event(eventName=name)
    assert (found["action"], found["fields"]["event_name"]) == (action, name)


@pytest.mark.parametrize(
    ("changes", "outcome", "code"),
    [
        ({}, "success", None),
        ({"errorCode": "Client.UnauthorizedOperation"}, "failure", "Client.UnauthorizedOperation"),
        ({"errorMessage": "no"}, "failure", None),
        ({"errorCode": None, "errorMessage": ""}, "success", None),
        ({"responseElements": {"ConsoleLogin": "Failure"}}, "failure", "Failure"),
        ({"responseElements": '{"ConsoleLogin":"Failure"}'}, "failure", "Failure"),
        ({"responseElements": {"ConsoleLogin": "Success"}}, "success", None),
        ({"responseElements": {"_return": False}}, "failure", "Failure"),
        ({"responseElements": {"_return": True}}, "success", None),
        (
            {"responseElements": {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}},
            "failure",
            "RESOURCE:MEMORY",
        ),
        ({"responseElements": {"tasks": [{"a": 1}], "failures": [{"reason": "X"}]}}, "success", None),
        ({"responseElements": {"AResponse": {"unsuccessful": {"items": [{"error": {"code": "C"}}]}}}}, "failure", "C"),
        ({"responseElements": {"AResponse": {"unsuccessful": ""}}}, "success", None),
        ({"responseElements": {"status": "failed over"}}, "success", None),
        ({"serviceEventDetails": {"CredentialVerification": "Failure"}}, "failure", "Failure"),
    ],
)
def test_outcome(changes: dict[str, Any], outcome: str, code: str | None) -> None:
    found = event(**changes)
    assert (found["outcome"], found["error_code"]) == (outcome, code)


@pytest.mark.parametrize(
    ("changes", "dry"),
    [
        ({"errorCode": "Client.DryRunOperation"}, True),
        ({"requestParameters": {"dryRun": True}}, True),
        ({"requestParameters": {"DeleteVpcEndpointsRequest": {"DryRun": "true"}}}, True),
        ({"requestParameters": {"dryRun": False}}, False),
        ({"requestParameters": "dryRun"}, False),
    ],
)
def test_dry_runs_are_marked(changes: dict[str, Any], dry: bool) -> None:
    assert ("dry_run" in event(**changes)["fields"]) is dry


def cases(name: str) -> list[dict[str, Any]]:
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("case", cases("cloudtrail_actors.jsonl"), ids=lambda case: str(case["userIdentity"])[:70])
def test_who_it_was(case: dict[str, Any]) -> None:
    found = event(userIdentity=case["userIdentity"], userAgent=case["userAgent"])
    assert (found["actor"], found["fields"].get("actor_type")) == (case["actor"], case["actor_type"])


@pytest.mark.parametrize(
    ("address", "ip", "service"),
    [
        ("203.0.113.7", "203.0.113.7", None),
        ("2001:db8::7", "2001:db8::7", None),
        ("cloudformation.amazonaws.com", None, "cloudformation.amazonaws.com"),
        ("AWS Internal", None, "AWS Internal"),
        ("300.1.1.1", None, "300.1.1.1"),
        (None, None, None),
    ],
)
def test_a_service_is_no_address(address: str | None, ip: str | None, service: str | None) -> None:
    found = event(sourceIPAddress=address)
    assert (found.get("source_ip"), found["fields"].get("source_ip_service")) == (ip, service)


@pytest.mark.parametrize("case", cases("cloudtrail_resources.jsonl"), ids=lambda case: str(case["eventName"]))
def test_resources_primary_first(case: dict[str, Any]) -> None:
    found = event(**{key: case[key] for key in ("eventName", "eventSource", "requestParameters", "responseElements")})
    assert (found["resource_ids"], found["resource_type"]) == (case["resource_ids"], case["resource_type"])


@pytest.mark.parametrize("key", ["ARN", "arn"])
def test_listed_resources_in_both_spellings(key: str) -> None:
    found = event(
        eventName="PutItem",
        eventSource="dynamodb.amazonaws.com",
        requestParameters=None,
        resources=[{key: f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t1", "type": "AWS::DynamoDB::Table"}, None, 7],
    )
    assert found["resource_ids"] == [f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t1", "t1"]
    assert found["resource_type"] == "AWS::DynamoDB::Table"


def test_an_insight_tells_of_calls() -> None:
    record = {
        "eventVersion": "1.07",
        "eventTime": "2024-03-01T12:00:00Z",
        "awsRegion": "us-east-1",
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": ACCOUNT,
        "sharedEventID": "s-1",
        "insightDetails": {
            "state": "Start",
            "eventSource": "ec2.amazonaws.com",
            "eventName": "RunInstances",
            "insightType": "ApiErrorRateInsight",
            "errorCode": "Client.InstanceLimitExceeded",
        },
        "eventCategory": "Insight",
    }
    (found,) = parse_line("cloudtrail", json.dumps(record))
    assert (found["action"], found["event_source"]) == ("RunInstances", "ec2.amazonaws.com")
    assert found["error_code"] == "Client.InstanceLimitExceeded"
    assert found["fields"]["insight_type"] == "ApiErrorRateInsight"
    assert found["fields"]["insight_state"] == "Start"
    assert found["fields"]["event_category"] == "Insight"


def test_a_network_activity_event() -> None:
    found = event(
        eventType="AwsVpceEvent",
        eventCategory="NetworkActivity",
        errorCode="VpceAccessDenied",
        vpcEndpointId="vpce-0a1b",
        readOnly="true",
    )
    assert found["outcome"] == "failure"
    assert found["fields"]["vpc_endpoint_id"] == "vpce-0a1b"
    assert found["fields"]["read_only"] == "true"


def test_a_record_near_the_size_limit() -> None:
    found = event(additionalEventData={"padding": "x" * 250_000})
    assert found["resource_ids"] == ["sg-0a1b"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "empty_line"),
        (" \t\n", "empty_line"),
        ("2024-03-01 no json", "not_json"),
        (json.dumps(BASE)[:-40], "truncated_json"),
        (json.dumps(BASE)[:60], "truncated_json"),
        ('{"eventName": }', "not_json"),
        ('{"a": 1}', "missing_fields"),
        ("[]", "missing_fields"),
        ("7", "missing_fields"),
        ('{"Records": []}', "missing_fields"),
        ('{"detail-type": "EC2 Instance State-change Notification", "detail": {"state": "stopped"}}', "missing_fields"),
        ('{"eventName": "", "eventSource": "a"}', "missing_fields"),
        ("[" * 100_000, "not_json"),
    ],
)
def test_what_is_no_record_is_rejected_with_a_reason(line: str, reason: str) -> None:
    with pytest.raises(RejectedLineError) as fault:
        parse_line("cloudtrail", line)
    assert fault.value.reason == reason


@pytest.mark.parametrize("line", ["\ufeff{}", "{},", "{}\x00", ' {"x": "a\tb"}', '{"x": NaN}', '{"x": "\\ud800"}'])
def test_json_as_producers_write_it_is_read(line: str) -> None:
    inside = json.dumps(BASE)[1:-1]
    (found,) = parse_line("cloudtrail", line.replace("{", "{" + inside + ("," if ":" in line else ""), 1))
    assert found["resource_ids"] == ["sg-0a1b"]
