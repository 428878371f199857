"""The example lines of a rule: what a file writes in short, as the raw log line that it stands for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_ACCOUNT = "123456789012"
_IDENTITY = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:alice",
    "arn": f"arn:aws:sts::{_ACCOUNT}:assumed-role/operator/alice",
    "accountId": _ACCOUNT,
}
# A record of each family that is complete but says nothing; an example is laid over it.
BASES: Mapping[str, Mapping[str, Any]] = {
    "cloudtrail": {
        "eventVersion": "1.09",
        "userIdentity": _IDENTITY,
        "eventTime": "2026-03-01T12:00:00Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "None",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.15.0",
        "requestParameters": {},
        "responseElements": None,
        "eventID": "11111111-2222-3333-4444-555555555555",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": _ACCOUNT,
        "eventCategory": "Management",
    },
    "aws_config": {
        "configurationItemDiff": {"changedProperties": {}, "changeType": "UPDATE"},
        "configurationItem": {
            "configurationItemCaptureTime": "2026-03-01T12:00:00.000Z",
            "configurationItemStatus": "OK",
            "awsAccountId": _ACCOUNT,
            "awsRegion": "us-east-1",
            "resourceId": "res-1",
            "resourceType": "AWS::EC2::Instance",
            "relationships": [],
            "configuration": {},
        },
        "notificationCreationTime": "2026-03-01T12:00:30.000Z",
        "messageType": "ConfigurationItemChangeNotification",
        "recordVersion": "1.3",
    },
    "vpc_flow": {
        "version": 2, "account-id": _ACCOUNT, "interface-id": "eni-0a1b2c3d", "srcaddr": "10.0.1.10",
        "dstaddr": "10.0.2.20", "srcport": 49152, "dstport": 5432, "protocol": 6, "packets": 3, "bytes": 180,
        "start": 1772366400, "end": 1772366460, "action": "ACCEPT", "log-status": "OK",
    },
    "application": {"timestamp": "2026-03-01T12:00:00.000Z", "level": "ERROR", "message": "something happened"},
}  # fmt: skip


def example_line(family: str, example: str | Mapping[str, Any], naming: Mapping[str, str]) -> str:
    """The raw line of an example: a text is one already; a mapping is laid over the family's base record.

    `naming` holds dotted fields and values that the rule itself names, such as eventName; the example wins over them.
    """
    if isinstance(example, str):
        return example
    record = dict(BASES[family])
    if family == "vpc_flow":
        record.update({key.replace("_", "-"): value for key, value in {**naming, **example}.items()})
        return " ".join(str(value) for value in record.values())
    for name, value in naming.items():
        record = merged(record, nested(name.split("."), value))
    return json.dumps(merged(record, example), separators=(",", ":"))


def nested(path: list[str], value: Any) -> dict[str, Any]:
    """`{"a": {"b": value}}` for the path a, b."""
    return {path[0]: value if len(path) == 1 else nested(path[1:], value)}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid over `base`, mapping by mapping; a null in `over` takes the key away."""
    out = dict(base)
    for key, value in over.items():
        below = out.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            out[key] = merged(below, value)
        else:
            out[key] = value
    return {key: value for key, value in out.items() if not (key in over and over[key] is None and key in base)}
