"""AWS Config: messages, wrappers, both key dialects, differences and their effect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from probable_cause.errors import RejectedLineError
from probable_cause.families import parse_line

ACCOUNT = "123456789012"
SG_ARN = f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/sg-0a1b"
ITEM: dict[str, Any] = {
    "configurationItemVersion": "1.3",
    "configurationItemCaptureTime": "2024-03-01T12:00:00.123Z",
    "configurationItemStatus": "OK",
    "awsAccountId": ACCOUNT,
    "resourceType": "AWS::EC2::SecurityGroup",
    "resourceId": "sg-0a1b",
    "resourceName": "web",
    "ARN": SG_ARN,
    "awsRegion": "us-east-1",
    "tags": {"app": "shop"},
    "relationships": [{"resourceId": "vpc-0a", "resourceType": "AWS::EC2::VPC", "name": "Is contained in Vpc"}],
    "configuration": {"groupId": "sg-0a1b"},
}
API_ITEM = {
    {"awsAccountId": "accountId", "ARN": "arn", "configurationItemVersion": "version"}.get(key, key): value
    for key, value in ITEM.items()
} | {
    "configuration": json.dumps(ITEM["configuration"]),
    "relationships": [
        {"resourceId": "vpc-0a", "resourceType": "AWS::EC2::VPC", "relationshipName": "Is contained in Vpc"}
    ],
}
RULE = {"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432}


def message(changed: Any = None, change_type: str | None = "UPDATE", **item: Any) -> dict[str, Any]:
    return {
        "messageType": "ConfigurationItemChangeNotification",
        "notificationCreationTime": "2024-03-01T12:01:00Z",
        "recordVersion": "1.3",
        "configurationItemDiff": {"changedProperties": changed or {}, "changeType": change_type},
        "configurationItem": ITEM | item,
    }


def parsed(document: Any) -> dict[str, Any]:
    (found,) = parse_line("aws_config", document if isinstance(document, str) else json.dumps(document))
    return found


def test_the_columns_of_a_change() -> None:
    found = parsed(message())
    assert found.pop("event_time").isoformat() == "2024-03-01T12:00:00.123000+00:00"
    fields = found.pop("fields")
    assert found == {
        "family": "aws_config",
        "account_id": ACCOUNT,
        "region": "us-east-1",
        "action": "UPDATE",
        "outcome": "success",
        "event_source": "ec2",
        "resource_ids": ["sg-0a1b", SG_ARN],
        "resource_type": "AWS::EC2::SecurityGroup",
    }
    assert json.loads(fields["relationships"]) == ITEM["relationships"]
    assert json.loads(fields["tags"]) == {"app": "shop"}
    assert (fields["resource_name"], fields["status"], fields["arn"]) == ("web", "OK", SG_ARN)


WRAPPED = {
    "EventBridge": {"detail-type": "Config Configuration Item Change", "account": ACCOUNT, "detail": message()},
    "SNS": {"Type": "Notification", "Message": json.dumps(message())},
    "SQS": {"Records": [{"body": json.dumps({"Message": json.dumps(message())})}]},
    "rule": {"invokingEvent": json.dumps(message()), "ruleParameters": "{}", "accountId": ACCOUNT},
    "array": [message()],
}


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_wrappers_come_off_and_the_record_is_kept(wrapper: str) -> None:
    found = parsed(WRAPPED[wrapper])
    assert json.loads(found.pop("record")) == message()
    assert found == parsed(message())


@pytest.mark.parametrize("item", [ITEM, API_ITEM], ids=["delivery", "api"])
def test_bare_items_of_both_dialects_are_the_same_event(item: dict[str, Any]) -> None:
    found = parsed(item)
    assert json.loads(found["record"]) == {"configurationItem": ITEM}  # so that rules need to know one form only
    for key in ("account_id", "region", "action", "resource_ids", "resource_type", "event_time"):
        assert found[key] == parsed(message())[key]


def test_items_that_are_arrays_explode() -> None:
    snapshot = {"fileVersion": "1.0", "configSnapshotId": "s", "configurationItems": [ITEM, API_ITEM, "no item"]}
    found = parse_line("aws_config", json.dumps(snapshot))
    assert [one["resource_ids"][0] for one in found] == ["sg-0a1b", "sg-0a1b"]


@pytest.mark.parametrize(
    ("change_type", "status", "action"),
    [
        ("CREATE", "OK", "CREATE"),
        ("UPDATE", "ResourceDiscovered", "UPDATE"),
        (None, "ResourceDiscovered", "CREATE"),
        (None, "OK", "UPDATE"),
        (None, "ResourceDeleted", "DELETE"),
        (None, "ResourceDeletedNotRecorded", "DELETE"),
        ("NONE", "ResourceDeleted", "DELETE"),
        (None, "ResourceNotRecorded", "ConfigurationItemChangeNotification"),
    ],
)
def test_what_happened(change_type: str | None, status: str, action: str) -> None:
    assert parsed(message(change_type=change_type, configurationItemStatus=status))["action"] == action


@pytest.mark.parametrize(
    "time",
    [
        "2024-03-01T07:00:00.123000-05:00",
        "2024-03-01T12:00:00.123+0000",
        1709294400.123,
        1709294400123,
        "1709294400.123",
    ],
)
def test_times_with_offsets_and_numbers(time: Any) -> None:
    found = parsed(message(configurationItemCaptureTime=time))
    assert found["event_time"].isoformat(timespec="milliseconds") == "2024-03-01T12:00:00.123+00:00"


def leaf(before: Any, after: Any, change_type: str = "UPDATE") -> dict[str, Any]:
    return {"previousValue": before, "updatedValue": after, "changeType": change_type}


@pytest.mark.parametrize(
    ("path", "change", "effect"),
    [
        ("Configuration.IpPermissions.0", leaf(RULE, None, "DELETE"), "ingress_rule_removed"),
        ("Configuration.IpPermissions.1", leaf(None, RULE, "CREATE"), "ingress_rule_added"),
        ("Configuration.IpPermissionsEgress.0", leaf(RULE, None, "DELETE"), "egress_rule_removed"),
        ("Configuration.Routes.1", leaf({"state": "active"}, {"state": "blackhole"}), "route_blackholed"),
        ("Configuration.Routes.1.State", leaf("active", "blackhole"), "route_blackholed"),
        ("Configuration.Routes.0", leaf({"gatewayId": "igw-1"}, None, "DELETE"), "route_removed"),
        ("Configuration.Entries.0", leaf(None, {"ruleAction": "deny"}, "CREATE"), "acl_deny_added"),
        ("Configuration.Entries.0", leaf({"ruleAction": "allow"}, None, "DELETE"), "acl_allow_removed"),
        ("Configuration.State.Name", leaf("running", "stopped"), "state_changed"),
        ("Configuration.DesiredCapacity", leaf("4", "0"), "capacity_to_zero"),
        ("Configuration.MinSize", leaf(4, 2), "capacity_reduced"),
        ("Configuration.MemorySize", leaf(1024, 128), "size_reduced"),
        ("Configuration.DBInstanceClass", leaf("db.r5.large", "db.t3.small"), "size_changed"),
        ("Relationships.0", leaf({"resourceId": "i-1"}, None, "DELETE"), "relationship_removed"),
        ("Tags.0", leaf(None, {"key": "a"}, "CREATE"), "tag_added"),
        ("Configuration.Description", leaf("a", "b"), "configuration_changed"),
    ],
)
def test_the_effect_of_a_difference(path: str, change: dict[str, Any], effect: str) -> None:
    fields = parsed(message({path: change}))["fields"]
    assert fields["effect_kind"] == effect
    (kept,) = json.loads(fields["changes"])
    assert kept == {
        "path": path,
        "change_type": change["changeType"],
        "before": change["previousValue"],
        "after": change["updatedValue"],
    }


PATH = "Configuration.IpPermissions.0"
NESTED = {"Configuration": {"IpPermissions": {"0": leaf(RULE, None, "DELETE")}}}


@pytest.mark.parametrize(
    "difference",
    [
        {"changeType": "UPDATE", "changedProperties": {PATH: leaf(RULE, None, "DELETE")}},
        {"changeType": "UPDATE", "changedProperties": {PATH: {"previousValue": RULE}}},
        {"changeType": "UPDATE", "changedProperties": NESTED},
        {"changeType": "UPDATE", "changedProperties": json.dumps(NESTED)},
        json.dumps({"changeType": "UPDATE", "changedProperties": NESTED}),
    ],
    ids=["flat", "short", "nested", "text inside", "text"],
)
def test_differences_in_every_form_say_the_same(difference: Any) -> None:
    found = parsed(message() | {"configurationItemDiff": difference})
    assert json.loads(found["fields"]["changes"]) == [
        {"path": PATH, "change_type": "DELETE", "before": RULE, "after": None}
    ]
    record = json.loads(found.get("record", json.dumps(message() | {"configurationItemDiff": difference})))
    assert record["configurationItemDiff"]["changedProperties"] == {PATH: leaf(RULE, None, "DELETE")}


@pytest.mark.parametrize(
    "difference", [None, {}, [], 7, {"changedProperties": None}, "", {"changedProperties": {"a": 1}}]
)
def test_no_difference_is_no_change(difference: Any) -> None:
    found = parsed(message() | {"configurationItemDiff": difference})
    assert found["action"] == "UPDATE"
    assert "changes" not in found["fields"]


def test_a_deleted_item() -> None:
    gone = message(
        {"Configuration": leaf({"groupId": "sg-0a1b"}, None, "DELETE")},
        "DELETE",
        configuration=None,
        configurationItemStatus="ResourceDeleted",
    )
    found = parsed(gone)
    assert (found["action"], found["resource_ids"][0]) == ("DELETE", "sg-0a1b")


def test_an_oversized_item_keeps_where_the_whole_is() -> None:
    document = {
        "messageType": "OversizedConfigurationItemChangeNotification",
        "configurationItemSummary": {"changeType": "UPDATE"}
        | {key: ITEM[key] for key in ITEM if key != "configuration"},
        "s3DeliverySummary": {"s3BucketLocation": "bucket/key.json.gz", "errorCode": None},
    }
    found = parsed(document)
    assert (found["action"], found["fields"]["s3_location"]) == ("UPDATE", "bucket/key.json.gz")
    assert "record" not in found


def test_a_change_of_compliance() -> None:
    document = {
        "messageType": "ComplianceChangeNotification",
        "awsAccountId": ACCOUNT,
        "awsRegion": "us-east-1",
        "configRuleName": "no-open-ports",
        "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": "sg-0a1b",
        "newEvaluationResult": {"complianceType": "NON_COMPLIANT", "resultRecordedTime": "2024-03-01T12:00:00Z"},
        "oldEvaluationResult": None,
        "notificationCreationTime": "2024-03-01T12:00:05Z",
    }
    found = parsed({"detail-type": "Config Rules Compliance Change", "detail": document})
    assert (found["action"], found["resource_ids"]) == ("ComplianceChangeNotification", ["sg-0a1b"])
    assert found["fields"]["compliance"] == "NON_COMPLIANT"
    assert found["event_time"].isoformat() == "2024-03-01T12:00:00+00:00"


@pytest.mark.parametrize(
    ("document", "outcome"),
    [
        ({"messageType": "ConfigurationSnapshotDeliveryCompleted", "s3Bucket": "b", "s3ObjectKey": "k"}, "success"),
        ({"messageType": "ConfigurationHistoryDeliveryFailed", "errorCode": "NoSuchBucket"}, "failure"),
        ({"messageType": "ConfigRulesEvaluationStarted", "configRuleNames": ["a"]}, "success"),
        ({"messageType": "ScheduledNotification", "awsAccountId": ACCOUNT}, "success"),
        ({"messageType": "SomethingOfTomorrow"}, "success"),
    ],
)
def test_other_messages_by_their_type(document: dict[str, Any], outcome: str) -> None:
    found = parsed(document)
    assert (found["action"], found["outcome"]) == (document["messageType"], outcome)
    if "s3Bucket" in document:
        assert found["fields"]["s3_location"] == "b/k"


def test_long_lists_stay_json() -> None:
    many = [{"resourceId": f"i-{number:08x}", "name": "Contains Instance"} for number in range(5000)]
    kept = json.loads(parsed(message(relationships=many))["fields"]["relationships"])
    assert kept == many[: len(kept)]
    assert len(kept) > 100


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "empty_line"),
        ("no json", "not_json"),
        (json.dumps(message())[:-30], "truncated_json"),
        ('{"a": 1}', "missing_fields"),
        ('{"resourceType": "AWS::EC2::Instance"}', "missing_fields"),
        ("[[[]]]", "missing_fields"),
        ('{"messageType": 7}', "unknown_message_type"),
        ('{"messageType": "DATA_MESSAGE", "logEvents": []}', "unknown_message_type"),
    ],
)
def test_what_is_no_message_is_rejected_with_a_reason(line: str, reason: str) -> None:
    with pytest.raises(RejectedLineError) as fault:
        parse_line("aws_config", line)
    assert fault.value.reason == reason
