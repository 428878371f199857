"""Log lines as AWS writes them, for bundles: CloudTrail records, Config notifications, flow records.

Shapes follow the AWS documentation: CloudTrail record contents, Config's example notifications (as EventBridge hands
them on), and the flow log record fields. Everything random comes from the generator that the caller passes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-central-1"


@dataclass(frozen=True)
class Actor:
    """Who makes a call: `identity` is CloudTrail's userIdentity."""

    identity: Mapping[str, Any]
    source_ip: str
    user_agent: str
    extra: Mapping[str, Any] = field(default_factory=dict)


def iam_user(name: str, account: str = ACCOUNT) -> Actor:
    """A person with access keys or a console session."""
    return Actor(
        {
            "type": "IAMUser",
            "principalId": f"AIDA{_code(name, 16)}",
            "arn": f"arn:aws:iam::{account}:user/{name}",
            "accountId": account,
            "accessKeyId": f"AKIA{_code(name + 'key', 16)}",
            "userName": name,
        },
        f"198.51.100.{_number(name) % 200 + 10}",
        "aws-cli/2.22.7 md/awscrt#0.23.4 ua/2.0 os/linux#6.8 md/arch#x86_64 lang/python#3.12.6 cfg/retry-mode#standard",
    )


def sso_person(name: str, permission_set: str = "Operators", account: str = ACCOUNT) -> Actor:
    """A person who came through the identity centre, in the console."""
    role = f"AWSReservedSSO_{permission_set}_{_code(permission_set, 16).lower()}"
    return Actor(
        _role(role, name, account, path="aws-reserved/sso.amazonaws.com/"),
        f"203.0.113.{_number(name) % 200 + 10}",
        "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        {"sessionCredentialFromConsole": "true"},
    )


def pipeline(role: str = "github-deploy", session: str = "GitHubActions", account: str = ACCOUNT) -> Actor:
    """A deployment role, used from a CI runner."""
    return Actor(
        _role(role, session, account),
        "192.0.2.77",
        "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.82.2",
    )


def codepipeline(account: str = ACCOUNT) -> Actor:
    """CodePipeline's service role, called from within AWS."""
    identity = dict(_role("codepipeline-service-role", "1733911200123", account))
    identity["invokedBy"] = "codepipeline.amazonaws.com"
    return Actor(identity, "codepipeline.amazonaws.com", "codepipeline.amazonaws.com")


def through_cloudformation(actor: Actor) -> Actor:
    """The same identity, when CloudFormation makes the call for it."""
    identity = {**actor.identity, "invokedBy": "cloudformation.amazonaws.com"}
    return Actor(identity, "cloudformation.amazonaws.com", "cloudformation.amazonaws.com")


def aws_service(name: str) -> Actor:
    """AWS acting by itself: `autoscaling`, `rds`, `elasticloadbalancing` ..."""
    host = f"{name}.amazonaws.com"
    return Actor({"type": "AWSService", "invokedBy": host}, host, host)


def _role(role: str, session: str, account: str, path: str = "") -> dict[str, Any]:
    principal = f"AROA{_code(role, 16)}"
    return {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "accessKeyId": f"ASIA{_code(role + session, 16)}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal,
                "arn": f"arn:aws:iam::{account}:role/{path}{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": "2026-02-28T07:31:10Z", "mfaAuthenticated": "false"},
        },
    }


def _code(text: str, length: int) -> str:
    draw = random.Random(f"code {text}")
    return "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=length))


def _number(text: str) -> int:
    return random.Random(f"number {text}").randrange(1 << 20)


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
