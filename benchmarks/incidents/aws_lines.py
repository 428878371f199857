"""Log lines as AWS writes them, for bundles: CloudTrail records, Config notifications, flow records.

Shapes follow the AWS documentation: CloudTrail record contents, Config's example notifications (as EventBridge hands
them on), and the flow log record fields. Everything random comes from the generator that the caller passes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.incidents.actors import ACCOUNT, Actor

REGION = "eu-central-1"


def uuid(draw: random.Random) -> str:
    """A random UUID, version 4."""
    digits = f"{draw.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def cloudtrail(
    draw: random.Random,
    at: datetime,
    service: str,
    name: str,
    actor: Actor,
    parameters: Mapping[str, Any] | None,
    response: Any = None,
    error: tuple[str, str] | None = None,
    read_only: bool = False,
    resources: Sequence[Mapping[str, str]] = (),
    account: str = ACCOUNT,
    region: str = REGION,
) -> str:
    """One CloudTrail record. `service` without .amazonaws.com; `error` is (errorCode, errorMessage)."""
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": actor.identity,
        "eventTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": actor.source_ip,
        "userAgent": actor.user_agent,
        "requestParameters": parameters,
        "responseElements": response,
        "requestID": uuid(draw),
        "eventID": uuid(draw),
        "readOnly": read_only,
    }
    if error:
        record["errorCode"], record["errorMessage"] = error
    if resources:
        record["resources"] = list(resources)
    record |= {
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        **actor.extra,
    }
    if not actor.source_ip.endswith(".amazonaws.com"):
        host = f"{service}.{region}.amazonaws.com"
        record["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": host,
        }
    return json.dumps(record, separators=(",", ":"))


def config_change(
    draw: random.Random,
    at: datetime,
    resource_type: str,
    resource_id: str,
    changed: Mapping[str, Any],
    configuration: Mapping[str, Any] | None = None,
    change_type: str = "UPDATE",
    relationships: Sequence[tuple[str, str, str]] = (),
    arn: str | None = None,
    name: str | None = None,
    account: str = ACCOUNT,
    region: str = REGION,
    enveloped: bool = True,
) -> str:
    """A ConfigurationItemChangeNotification, in EventBridge's envelope unless `enveloped` is False.

    Args:
        at: configurationItemCaptureTime.
        changed: path -> {previousValue, updatedValue, changeType}.
        relationships: (resource type, resource id, name).
    """
    moment = _millis(at)
    deleted = change_type == "DELETE"
    status = {"DELETE": "ResourceDeleted", "CREATE": "ResourceDiscovered"}.get(change_type, "OK")
    arn = arn or f"arn:aws:ec2:{region}:{account}:{resource_type.rsplit('::', 1)[-1].lower()}/{resource_id}"
    detail = {
        "recordVersion": "1.3",
        "messageType": "ConfigurationItemChangeNotification",
        "configurationItemDiff": {"changedProperties": dict(changed), "changeType": change_type},
        "notificationCreationTime": _millis(at + timedelta(seconds=2)),
        "configurationItem": {
            "relatedEvents": [],
            "relationships": [
                {"resourceType": kind, "resourceId": other, "name": label} for kind, other, label in relationships
            ],
            "configuration": None if deleted else dict(configuration or {}),
            "supplementaryConfiguration": {},
            "tags": {},
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": moment,
            "configurationStateId": int(at.timestamp() * 1000),
            "awsAccountId": account,
            "configurationItemStatus": status,
            "resourceType": resource_type,
            "resourceId": resource_id,
            "resourceName": name,
            "ARN": arn,
            "awsRegion": region,
            "availabilityZone": "Not Applicable",
            "configurationStateMd5Hash": "",
        },
    }
    if not enveloped:
        return json.dumps(detail, separators=(",", ":"))
    event = {
        "version": "0",
        "id": uuid(draw),
        "detail-type": "Config Configuration Item Change",
        "source": "aws.config",
        "account": account,
        "time": (at + timedelta(seconds=3)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [arn],
        "detail": detail,
    }
    return json.dumps(event, separators=(",", ":"))


def _millis(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FLOW_V2 = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets",
    "bytes", "start", "end", "action", "log-status",
)  # fmt: skip


def flow(
    draw: random.Random,
    start: datetime,
    source: str,
    destination: str,
    port: int,
    action: str = "REJECT",
    window: int = 60,
    interface: str = "eni-0f1e2d3c4b5a69780",
    fields: Sequence[str] = FLOW_V2,
    account: str = ACCOUNT,
    protocol: int = 6,
    **more: str,
) -> str:
    """One flow record whose first packet came at `start`. `more` are further fields, with _ for -."""
    packets = draw.randint(1, 4) if action == "REJECT" else draw.randint(5, 60)
    values = {
        "version": str(more.pop("version", 2)),
        "account-id": account,
        "interface-id": interface,
        "srcaddr": source,
        "dstaddr": destination,
        "srcport": str(draw.randint(32768, 60999)),
        "dstport": str(port),
        "protocol": str(protocol),
        "packets": str(packets),
        "bytes": str(packets * (60 if action == "REJECT" else draw.randint(120, 900))),
        "start": str(int(start.timestamp())),
        "end": str(int(start.timestamp()) + window),
        "action": action,
        "log-status": "OK",
        "pkt-srcaddr": source,
        "pkt-dstaddr": destination,
    } | {name.replace("_", "-"): value for name, value in more.items()}
    return " ".join(values.get(name, "-") for name in fields)


def flow_gap(start: datetime, status: str, interface: str, window: int = 60, account: str = ACCOUNT) -> str:
    """A record without data: NODATA, or SKIPDATA when the log lost some."""
    begin = int(start.timestamp())
    return f"2 {account} {interface} - - - - - - - {begin} {begin + window} - {status}"
