"""Which field names a rule of each log family may use, and where their values stand in an event.

Rules use the names of the raw log. Most are JSON paths of the raw record; some are columns that the parser filled.
"""

from __future__ import annotations

import re

CLOUDTRAIL_FIELDS = frozenset(
    """eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode
    errorMessage requestParameters responseElements additionalEventData requestID eventID eventType apiVersion
    managementEvent readOnly resources recipientAccountId serviceEventDetails sharedEventID vpcEndpointId
    vpcEndpointAccountId eventCategory addendum sessionCredentialFromConsole edgeDeviceDetails tlsDetails
    insightDetails status""".split()  # noqa: SIM905
)
CONFIG_FIELDS = frozenset(
    """configurationItem configurationItemDiff configurationItemSummary messageType notificationCreationTime
    recordVersion change changeType effect""".split()  # noqa: SIM905
)
FLOW_COLUMNS = {
    "srcaddr": "source_ip", "dstaddr": "destination_ip", "srcport": "source_port", "dstport": "destination_port",
    "protocol": "protocol", "action": "action", "log_status": "outcome", "interface_id": "interface_id",
    "bytes": "bytes", "packets": "packets", "start": "start", "end": "end", "account_id": "account_id",
    "pkt_srcaddr": "pkt_source_ip", "pkt_dstaddr": "pkt_destination_ip",
}  # fmt: skip
FLOW_FIELDS = frozenset(
    """version vpc_id subnet_id instance_id tcp_flags type region az_id sublocation_type sublocation_id
    pkt_src_aws_service pkt_dst_aws_service flow_direction traffic_path ecs_cluster_arn ecs_cluster_name
    ecs_container_instance_arn ecs_container_instance_id ecs_container_id ecs_second_container_id ecs_service_name
    ecs_task_definition_arn ecs_task_arn ecs_task_id reject_reason resource_id encryption_status""".split()  # noqa: SIM905
)
APPLICATION_COLUMNS = {"level": "level", "logger": "logger"}
# What the parser found out about an application line, beside the line's own fields.
APPLICATION_FIELDS = frozenset({"error_kind", "error_category", "error_class"})

# What a template may name besides fields of the raw log: columns of an attributed event, and what describe computes.
TEMPLATE_COLUMNS = frozenset(
    """action outcome error_code actor account_id region source_ip destination_ip source_port destination_port protocol
    interface_id bytes packets resource_type level logger message event_source log_group log_stream application_id
    endpoint endpoint_type peer edge resource rule_id family""".split()  # noqa: SIM905
)
TEMPLATE_ALIASES = {
    "eventName": "action", "application": "application_id", "errorCode": "error_code", "eventSource": "event_source",
    "awsRegion": "region",
}  # fmt: skip
TEMPLATE_COMPUTED = frozenset({"permissions", "changes", "pattern"})

_PLAIN = re.compile(r"[A-Za-z0-9_\-]+")


def json_path(name: str) -> str:
    """The `get_json_object` path of a dotted field name. `items`, CloudTrail's name for a list, means any element;
    other lists are written `name[*]`.

    >>> json_path("requestParameters.instancesSet.items.instanceId")
    '$.requestParameters.instancesSet.items[*].instanceId'
    """
    path = "$"
    parts = name.split(".")
    for position, part in enumerate(parts):
        starred = part.endswith("[*]") or (part == "items" and position < len(parts) - 1)
        part = part.removesuffix("[*]")
        path += f".{part}" if _PLAIN.fullmatch(part) else f"['{part}']"
        path += "[*]" if starred else ""
    return path


def locate(family: str, name: str) -> tuple[str, str]:
    """(source, path) of a field for a Test: see `model.Test`."""
    if family == "vpc_flow":
        name = name.replace("-", "_").lower()
        return ("column", FLOW_COLUMNS[name]) if name in FLOW_COLUMNS else ("fields", name)
    if family == "application":
        if name == "message":
            return "line", ""
        if name in APPLICATION_COLUMNS:
            return "column", APPLICATION_COLUMNS[name]
        return ("fields", name) if name in APPLICATION_FIELDS else ("json", json_path(name))
    if family == "cloudtrail" and name == "status":  # what some public rules call the outcome
        return "column", "outcome"
    if family == "aws_config" and name == "effect":
        return "fields", "effect_kind"
    if family == "aws_config" and name in ("change", "changeType"):
        return ("change", "") if name == "change" else ("column", "action")
    return "json", json_path(name)


def is_known(family: str, name: str) -> bool:
    """Whether a raw log of this family can have the field. Application logs can have any."""
    head = name.split(".")[0].split("[")[0]
    if family == "cloudtrail":
        return head in CLOUDTRAIL_FIELDS
    if family == "aws_config":
        return head in CONFIG_FIELDS
    if family == "vpc_flow":
        name = name.replace("-", "_").lower()
        return name in FLOW_COLUMNS or name in FLOW_FIELDS
    return True


def known_fields(family: str) -> str:
    """What `is_known` takes, for a message."""
    known = {
        "cloudtrail": CLOUDTRAIL_FIELDS,
        "aws_config": CONFIG_FIELDS,
        "vpc_flow": FLOW_FIELDS | frozenset(FLOW_COLUMNS),
    }
    return ", ".join(sorted(known.get(family, ())))
