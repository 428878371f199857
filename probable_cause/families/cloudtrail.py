"""CloudTrail records -> canonical events, of every record version, bare or wrapped.

Record contents: AWS CloudTrail User Guide, "CloudTrail record contents". A record that was cut on its way is
rejected and not mended: what is missing may be the errorCode, and a failed call causes nothing.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from probable_cause.errors import RejectedLineError
from probable_cause.families.cloudtrail_actor import actor_of, actor_type, identity_of
from probable_cause.families.cloudtrail_outcome import dry_run, failure
from probable_cause.families.jsontext import load, try_load
from probable_cause.families.resources import find
from probable_cause.families.values import any_time, compact, first, is_ip, iso_time, name, text
from probable_cause.families.wrappers import unwrap

# UpdateFunctionCode20150331v2, CreateDistribution2020_05_31: the API version behind the action's name.
_VERSION = re.compile(r"(?<=[a-z])(?:20\d\d_?[01]\d_?[0-3]\d)(?:v\d+)?$", re.ASCII)
NOTES = {
    "event_name": "eventName", "event_id": "eventID", "event_type": "eventType", "event_category": "eventCategory",
    "event_version": "eventVersion", "read_only": "readOnly", "user_agent": "userAgent", "request_id": "requestID",
    "error_message": "errorMessage", "shared_event_id": "sharedEventID", "vpc_endpoint_id": "vpcEndpointId",
    "vpc_endpoint_account_id": "vpcEndpointAccountId", "management_event": "managementEvent",
    "session_from_console": "sessionCredentialFromConsole",
}  # fmt: skip
LONGEST = 256  # characters of an action's name
OBJECTS = (
    "requestParameters", "responseElements", "userIdentity", "resources", "serviceEventDetails",
    "additionalEventData", "insightDetails",
)  # fmt: skip


def parse(message: str, form: str | None = None) -> list[dict[str, Any]]:
    """The event of a CloudTrail record; events, where a wrapper holds several. `form` is not used.

    Raises:
        RejectedLineError: empty_line, not_json, truncated_json, missing_fields.
    """
    document = load(message)
    if type(document) is dict and _is_record(document):
        return [_event(document, document, wrapped=False)]
    events = [_event(record, around, wrapped=True) for record, around in unwrap(document, _is_record)]
    if not events:
        raise RejectedLineError("missing_fields", f"no CloudTrail record; {_found(document)}")
    return events


def _found(document: Any) -> str:
    if isinstance(document, dict):
        return f"keys are {', '.join(map(repr, list(document)[:12]))}"[:300]
    return f"found {type(document).__name__}"


def _is_record(value: dict[str, Any]) -> bool:
    if isinstance(value.get("eventName"), str) and value["eventName"]:
        return "eventSource" in value or "eventVersion" in value or "userIdentity" in value or "eventTime" in value
    return isinstance(value.get("insightDetails"), (dict, str)) or (
        "eventVersion" in value and "eventSource" in value and "eventType" in value
    )


def _event(record: dict[str, Any], around: dict[str, Any], *, wrapped: bool) -> dict[str, Any]:
    """`around` is what the record was taken out of; `wrapped`: the line is not exactly the record."""
    raw = record
    for key in OBJECTS:  # some pipelines turn the objects inside into JSON text
        value = record.get(key)
        if type(value) is str and value[:1] in ("{", "["):
            inner = try_load(value)
            if inner is not None:
                record = record | {key: inner}
    insight = record.get("insightDetails")
    insight = insight if isinstance(insight, dict) else {}
    event_name = name(record.get("eventName")) or name(insight.get("eventName"))
    source = name(record.get("eventSource")) or name(insight.get("eventSource"))
    action = unversioned(event_name[:LONGEST]) if event_name else None
    identity = identity_of(record)
    error_code, error_message = failure(record, insight)
    actor = actor_of(identity)
    fields = _fields(record, identity, actor, insight)
    if error_message:
        fields["error_message"] = error_message
    if dry_run(record, error_code):
        fields["dry_run"] = "true"
    event: dict[str, Any] = {
        "family": "cloudtrail",
        "event_time": time_of(record.get("eventTime")) or any_time(around.get("time")),
        "account_id": name(record.get("recipientAccountId"))
        or name(identity.get("accountId"))
        or name(around.get("account")),
        "region": name(record.get("awsRegion")) or name(around.get("region")),
        "action": action,
        "event_source": source,
        "outcome": "failure" if error_code or error_message else "success",
        "error_code": error_code,
        "actor": actor,
        "fields": fields,
    }
    _add_address(event, fields, record)
    event["resource_ids"], event["resource_type"] = resources_of(record, action, source)
    if wrapped or record is not raw:
        event["record"] = compact(record)
    return event


@lru_cache(maxsize=4096)
def unversioned(event_name: str) -> str:
    """The action without the API version that Lambda and CloudFront put behind it."""
    return _VERSION.sub("", event_name)


def resources_of(record: dict[str, Any], action: str | None, source: str | None) -> tuple[list[str], str | None]:
    """(ids of the resources that the record names, primary first; type of the primary)."""
    resources = record.get("resources")
    ids, kind = find(
        action or "",
        (source or "").partition(".")[0],
        (
            record.get("requestParameters"),
            _arns(resources) if resources else None,
            record.get("responseElements"),
            record.get("serviceEventDetails"),
        ),
    )
    return ids, (_listed_type(resources, ids) if resources else None) or kind


def time_of(value: Any) -> datetime | None:
    """The UTC time of an eventTime: ISO text, or an epoch number."""
    return iso_time(value) if type(value) is str else any_time(value)


def note(value: Any) -> str | None:
    """The value as the text of a `fields` entry, booleans in JSON's spelling though they be text."""
    word = text(value)
    return word.lower() if word in ("True", "False") else word


def _add_address(event: dict[str, Any], fields: dict[str, str], record: dict[str, Any]) -> None:
    address = name(record.get("sourceIPAddress"))
    if address and is_ip(address):
        event["source_ip"] = address
    elif address:
        fields["source_ip_service"] = address


def _fields(
    record: dict[str, Any], identity: dict[str, Any], actor: str | None, insight: dict[str, Any]
) -> dict[str, str]:
    fields = {}
    for field, key in NOTES.items():
        if word := note(record.get(key)):
            fields[field] = word
    console = fields.get("session_from_console", "").lower() == "true"
    who = actor_type(identity, actor, fields.get("user_agent", ""), console)
    if who:
        fields["actor_type"] = who
    for field, key in (("identity_type", "type"), ("invoked_by", "invokedBy"), ("access_key_id", "accessKeyId")):
        if word := name(identity.get(key)):
            fields[field] = word
    for key, value in insight.items():
        if key not in ("eventName", "eventSource") and (word := text(value)):
            fields[f"insight_{_snake(key.removeprefix('insight'))}"] = word
    return fields


def _snake(word: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower()


def _arns(resources: Any) -> list[str]:
    """The ARNs of resources[]: `ARN` of most services, `arn` of some, text alone of others."""
    if not isinstance(resources, list):
        return []
    found = [
        first(item, "ARN", "arn", "ARNPrefix", "resourceName") if isinstance(item, dict) else item for item in resources
    ]
    return [arn for arn in found if isinstance(arn, str)]


def _listed_type(resources: Any, ids: list[str]) -> str | None:
    """The type that the record itself gives for its primary resource."""
    if not ids or not isinstance(resources, list):
        return None
    for item in resources:
        if isinstance(item, dict) and ids[0] in (item.get("ARN"), item.get("arn")):
            return name(first(item, "type", "resourceType"))
    return None
