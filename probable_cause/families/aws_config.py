"""AWS Config messages -> canonical events: configuration items in both key dialects, and the other notifications.

Formats: AWS Config Developer Guide, "Notifications that AWS Config sends to an Amazon SNS topic", "Example oversized
notification", "Example events for AWS Config rules"; API reference, type ConfigurationItem.
"""

from __future__ import annotations

from typing import Any

from probable_cause.errors import RejectedLineError
from probable_cause.families.aws_config_diff import changes_of, effects, flat
from probable_cause.families.jsontext import load, try_load
from probable_cause.families.resources import by_id, plain_id
from probable_cause.families.values import any_time, compact, first, name, text
from probable_cause.families.wrappers import unwrap

_ITEMS = ("configurationItem", "configurationItemSummary", "configurationItems")
_MESSAGE_KEYS = ("messageType", *_ITEMS, "newEvaluationResult")
# Both key dialects: the delivery channel's (SNS, EventBridge, S3) and the API's (get-resource-config-history).
_API_KEYS = {
    "accountId": "awsAccountId", "arn": "ARN", "version": "configurationItemVersion",
    "configurationItemMD5Hash": "configurationStateMd5Hash",
}  # fmt: skip
_BY_STATUS = {
    "OK": "UPDATE",
    "ResourceDiscovered": "CREATE",
    "ResourceDeleted": "DELETE",
    "ResourceDeletedNotRecorded": "DELETE",
}
_CHANGES = frozenset({"CREATE", "UPDATE", "DELETE"})
# Longest `relationships`, `tags` or `changes` kept: they are evidence, the whole item is in the line.
_LONGEST = 32_768


def parse(message: str, form: str | None = None) -> list[dict[str, Any]]:
    """The event of a Config message; events, where a snapshot or a list holds several items. `form` is not used.

    Raises:
        RejectedLineError: empty_line, not_json, truncated_json, missing_fields, unknown_message_type.
    """
    document = load(message)
    events = [event for record, around in unwrap(document, _is_record) for event in _events(record, around, document)]
    if not events:
        keys = ", ".join(map(repr, list(document)[:12])) if isinstance(document, dict) else type(document).__name__
        raise RejectedLineError("missing_fields", f"no AWS Config message or item; found {keys}"[:300])
    return events


def _is_record(value: dict[str, Any]) -> bool:
    return any(key in value for key in _MESSAGE_KEYS) or _is_item(value)


def _is_item(value: dict[str, Any]) -> bool:
    return isinstance(value.get("resourceType"), str) and (
        "configurationItemStatus" in value or "configurationItemCaptureTime" in value
    )


def _events(record: dict[str, Any], around: dict[str, Any], document: Any) -> list[dict[str, Any]]:
    kind = record.get("messageType")
    if kind is not None and (not isinstance(kind, str) or kind in ("DATA_MESSAGE", "CONTROL_MESSAGE")):
        raise RejectedLineError("unknown_message_type", f"messageType is {kind!r:.100}")
    if _is_item(record) and not any(record.get(key) for key in _ITEMS):
        return [_item_event({}, record, None, around)]
    items = first(record, *_ITEMS)
    if isinstance(items, str):
        items = try_load(items)
    if isinstance(items, dict):
        return [_item_event(record, items, record if record is document else None, around)]
    if isinstance(items, list):
        found = [_item_event(record, item, None, around) for item in items if isinstance(item, dict)]
        if found or kind is None:
            return found
    return [_notification(record, kind or "Unknown", record is not document, around)]


def _item_event(
    record: dict[str, Any], item: dict[str, Any], bare: dict[str, Any] | None, around: dict[str, Any]
) -> dict[str, Any]:
    """The event of one item. `bare` is the record when the line is exactly it: then no `record` is needed, if the
    record is in the delivery channel's own form."""
    difference = record.get("configurationItemDiff", item.get("configurationItemDiff"))
    changes = changes_of(difference)
    normal = _delivered(item)
    kind = name(record.get("messageType"))
    status = name(normal.get("configurationItemStatus"))
    resource_type = name(normal.get("resourceType"))
    time = any_time(normal.get("configurationItemCaptureTime")) or _message_time(record, around)
    fields = _item_fields(record, normal)
    if kind:
        fields["message_type"] = kind
    if changes:
        fields["changes"] = _bounded(changes) or "[]"
        fields |= effects(changes, normal.get("configuration"))
    event = {
        "family": "aws_config",
        "event_time": time,
        "account_id": name(normal.get("awsAccountId")) or name(around.get("account")),
        "region": name(normal.get("awsRegion")) or name(around.get("region")),
        "action": _change_type(difference, normal, status) or kind,
        "outcome": "success",
        "event_source": _service(resource_type),
        "resource_ids": _ids(name(normal.get("resourceId")), name(normal.get("ARN"))),
        "resource_type": resource_type,
        "fields": fields,
    }
    is_flat = not changes or (isinstance(difference, dict) and difference.get("changedProperties") == flat(changes))
    if bare is None or normal != item or not is_flat:
        shell = {key: value for key, value in record.items() if key not in _ITEMS}
        if changes and not is_flat:
            shell["configurationItemDiff"] = {"changedProperties": flat(changes), "changeType": event["action"]}
        slot = "configurationItemSummary" if "configurationItemSummary" in record else "configurationItem"
        event["record"] = compact(shell | {slot: normal})
    return event


def _delivered(item: dict[str, Any]) -> dict[str, Any]:
    """The item with the delivery channel's key names, and its objects as objects."""
    normal = {_API_KEYS.get(key, key): value for key, value in item.items() if key != "configurationItemDiff"}
    for key in ("configuration", "tags", "relationships"):
        value = normal.get(key)
        if isinstance(value, str) and value[:1] in ("{", "["):
            normal[key] = try_load(value) or value
    tags = normal.get("tags")
    if isinstance(tags, list):  # [{"key": ..., "value": ...}] of some producers
        pairs = [tag for tag in tags if isinstance(tag, dict)]
        normal["tags"] = {str(first(tag, "key", "Key", "tag")): first(tag, "value", "Value") for tag in pairs}
    relationships = normal.get("relationships")
    if isinstance(relationships, list) and any(
        isinstance(one, dict) and "relationshipName" in one for one in relationships
    ):
        normal["relationships"] = [
            {("name" if key == "relationshipName" else key): value for key, value in one.items()}
            if isinstance(one, dict)
            else one
            for one in relationships
        ]
    return normal


def _item_fields(record: dict[str, Any], item: dict[str, Any]) -> dict[str, str]:
    values = {
        "resource_name": item.get("resourceName"),
        "resource_id": item.get("resourceId"),
        "arn": item.get("ARN"),
        "status": item.get("configurationItemStatus"),
        "capture_time": item.get("configurationItemCaptureTime"),
        "availability_zone": item.get("availabilityZone"),
        "state_id": item.get("configurationStateId"),
        "creation_time": item.get("resourceCreationTime"),
        "relationships": _bounded(item.get("relationships")),
        "tags": _bounded(item.get("tags")),
        "related_events": _bounded(item.get("relatedEvents")),
    }
    delivery = record.get("s3DeliverySummary")
    if isinstance(delivery, dict):
        values["s3_location"] = delivery.get("s3BucketLocation")
        values["s3_error"] = delivery.get("errorCode")
    return {key: word for key, value in values.items() if (word := text(value))}


def _bounded(value: Any) -> str | None:
    """Compact JSON of a list or object, of its first half if it is too long, and so on; None of an empty one."""
    if not value:
        return None
    word = compact(value)
    if len(word) <= _LONGEST or not isinstance(value, (list, dict)) or len(value) == 1:
        return word[:_LONGEST]
    half = len(value) // 2
    return _bounded(value[:half] if isinstance(value, list) else dict(list(value.items())[:half]))


def _change_type(difference: Any, item: dict[str, Any], status: str | None) -> str | None:
    if isinstance(difference, str):
        difference = try_load(difference)
    for holder in (difference, item):
        found = holder.get("changeType") if isinstance(holder, dict) else None
        if isinstance(found, str) and found.upper() in _CHANGES:
            return found.upper()
    return _BY_STATUS.get(status or "")


def _notification(record: dict[str, Any], kind: str, wrapped: bool, around: dict[str, Any]) -> dict[str, Any]:
    """The event of a message that is no configuration item: a change of compliance, a delivery, a rule's run."""
    results = {key: record.get(key) for key in ("newEvaluationResult", "oldEvaluationResult")}
    new, old = (result if isinstance(result, dict) else {} for result in results.values())
    if kind == "Unknown" and new:
        kind = "ComplianceChangeNotification"
    resource_type = name(record.get("resourceType"))
    arn = name(first(record, "resourceARN", "resourceArn", "ARN", "arn"))
    error = name(first(record, "errorCode"))
    bucket, key = name(record.get("s3Bucket")), name(record.get("s3ObjectKey"))
    values = {
        "message_type": kind,
        "config_rule_name": first(record, "configRuleName", "configRuleNames"),
        "config_rule_arn": first(record, "configRuleARN", "configRuleArn"),
        "compliance": new.get("complianceType"),
        "previous_compliance": old.get("complianceType"),
        "annotation": new.get("annotation"),
        "resource_id": record.get("resourceId"),
        "arn": arn,
        "snapshot_id": record.get("configSnapshotId"),
        "s3_location": f"{bucket}/{key}" if bucket and key else bucket or key,
        "error_message": record.get("errorMessage"),
    }
    event = {
        "family": "aws_config",
        "event_time": any_time(new.get("resultRecordedTime")) or _message_time(record, around),
        "account_id": name(first(record, "awsAccountId", "accountId")) or name(around.get("account")),
        "region": name(record.get("awsRegion")) or name(around.get("region")),
        "action": kind,
        "outcome": "failure" if error or kind.endswith("Failed") else "success",
        "error_code": error,
        "event_source": _service(resource_type),
        "resource_ids": _ids(name(record.get("resourceId")), arn),
        "resource_type": resource_type,
        "fields": {key: word for key, value in values.items() if (word := text(value))},
    }
    if wrapped:
        event["record"] = compact(record)
    return event


def _message_time(record: dict[str, Any], around: dict[str, Any]) -> Any:
    return any_time(record.get("notificationCreationTime")) or any_time(first(around, "time", "Timestamp"))


def _service(resource_type: str | None) -> str:
    """`ec2` of AWS::EC2::Instance; `config` for messages about no resource."""
    parts = (resource_type or "").split("::")
    return parts[1].lower() if len(parts) == 3 and parts[1] else "config"


def _ids(resource_id: str | None, arn: str | None) -> list[str]:
    ids: dict[str, None] = {}
    for word in (resource_id, arn):
        if word:
            ids.setdefault(word)
    for word in (arn, resource_id):
        if word and word.startswith("arn:") and by_id(word) and (plain := plain_id(word)):
            ids.setdefault(plain)
    return list(ids)
