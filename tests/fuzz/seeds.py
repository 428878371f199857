"""Lines that mutation starts from: (family, format or None, line). The shared logs where they are there, and cases of
the unit tests, so that every dialect and wrapper is among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
SHARED = TESTS.parents[1] / "shared" / "data" / "logs"
FILES = {
    "cloudtrail": "cloudtrail.jsonl",
    "aws_config": "config.jsonl",
    "vpc_flow": "vpcflow.jsonl",
    "application": "application.jsonl",
}
Seed = tuple[str, str | None, str]

_TRAIL = {
    "eventVersion": "1.08",
    "userIdentity": {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::123456789012:assumed-role/deploy/ci",
        "accountId": "1",
    },
    "eventTime": "2024-03-01T12:00:00Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "RevokeSecurityGroupIngress",
    "awsRegion": "us-east-1",
    "sourceIPAddress": "10.0.0.1",
    "requestParameters": {"groupId": "sg-0a1b2c3d", "ipPermissions": {"items": [{"fromPort": 443}]}},
    "responseElements": {"_return": True},
    "resources": [{"ARN": "arn:aws:ec2:us-east-1:1:instance/i-0abc1234", "type": "AWS::EC2::Instance"}],
}
_ITEM = {
    "messageType": "ConfigurationItemChangeNotification",
    "configurationItemDiff": {
        "changeType": "UPDATE",
        "changedProperties": {
            "Configuration.IpPermissions.0": {
                "previousValue": {"fromPort": 443},
                "updatedValue": None,
                "changeType": "DELETE",
            }
        },
    },
    "configurationItem": {
        "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": "sg-0a1b2c3d",
        "ARN": "arn:aws:ec2:us-east-1:123456789012:security-group/sg-0a1b2c3d",
        "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2024-03-01T12:00:00.123Z",
        "relationships": [{"resourceId": "vpc-1", "resourceType": "AWS::EC2::VPC", "name": "Is contained in Vpc"}],
        "tags": {"a": "b"},
    },
}
_TGW = "resource-type tgw-id srcaddr dstaddr start end packets-lost-blackhole"
_BUILT_IN: list[Seed] = [
    ("cloudtrail", None, json.dumps(_TRAIL)),
    ("cloudtrail", None, json.dumps({"detail-type": "AWS API Call via CloudTrail", "detail": _TRAIL})),
    ("cloudtrail", None, json.dumps({"Records": [_TRAIL, _TRAIL]})),
    ("aws_config", None, json.dumps(_ITEM)),
    ("aws_config", None, json.dumps({"invokingEvent": json.dumps(_ITEM)})),
    ("aws_config", None, json.dumps({"Type": "Notification", "Message": json.dumps(_ITEM)})),
    ("vpc_flow", None, "2 123456789010 eni-1a2b 10.0.0.1 10.0.0.2 49152 443 6 20 1680 1700000000 1700000060 REJECT OK"),
    ("vpc_flow", None, "2 123456789010 eni-1a2b3c4d - - - - - - - 1700000000 1700000060 - NODATA"),
    ("vpc_flow", _TGW, "TransitGateway tgw-1 2001:db8::1 fd00::2 1700000000000 1700000060000 7"),
]  # fmt: skip


def seeds(family: str) -> list[Seed]:
    """All seeds of a family, without repeats."""
    return list(dict.fromkeys(seed for seed in _all() if seed[0] == family))


def _all() -> Iterator[Seed]:
    yield from _BUILT_IN
    for line in (TESTS / "unit/families/application_lines.jsonl").read_text(encoding="utf-8").splitlines():
        yield "application", None, json.loads(line)["line"]
    for file in sorted((TESTS / "unit/families").glob("formats_*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            yield case["family"], case.get("layout"), case["line"]
    for family, name in FILES.items():
        path = SHARED / name
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                yield family, row.get("format"), row["raw"]
