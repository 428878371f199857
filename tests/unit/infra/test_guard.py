"""The security rules of `make check`: the templates keep to them, and each rule can be broken."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tools import guard

pytest.importorskip("cfn_guard_rs", reason="no cfn-guard-rs for this Python")
PRIVATE = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
BUCKET = {"PublicAccessBlockConfiguration": PRIVATE, "BucketEncryption": {}}
TABLE = {
    "SSESpecification": {"SSEEnabled": True},
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
}
DOMAIN = {
    "EncryptionAtRestOptions": {"Enabled": True},
    "NodeToNodeEncryptionOptions": {"Enabled": True},
    "DomainEndpointOptions": {"EnforceHTTPS": True},
    "AdvancedSecurityOptions": {"Enabled": True},
}


def role(action: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [statement]}}]}


def page(policy: str) -> dict[str, Any]:
    return {"DistributionConfig": {"DefaultCacheBehavior": {"ViewerProtocolPolicy": policy}}}


# rule, type, properties that keep to it, properties that break it
CASES: list[tuple[str, str, dict[str, Any], list[dict[str, Any]]]] = [
    (
        "buckets_are_private",
        "AWS::S3::Bucket",
        BUCKET,
        [
            {},
            {**BUCKET, "PublicAccessBlockConfiguration": {**PRIVATE, "BlockPublicPolicy": False}},
            {"PublicAccessBlockConfiguration": PRIVATE},
        ],
    ),
    ("queues_are_encrypted", "AWS::SQS::Queue", {"SqsManagedSseEnabled": True}, [{}, {"SqsManagedSseEnabled": False}]),
    ("topics_are_encrypted", "AWS::SNS::Topic", {"KmsMasterKeyId": "alias/aws/sns"}, [{}]),
    ("tables_are_kept", "AWS::DynamoDB::Table", TABLE, [{}, {**TABLE, "SSESpecification": {"SSEEnabled": False}}]),
    ("streams_are_encrypted", "AWS::Kinesis::Stream", {"StreamEncryption": {"EncryptionType": "KMS"}}, [{}]),
    ("logs_end", "AWS::Logs::LogGroup", {"RetentionInDays": 30}, [{}]),
    (
        "domains_are_closed",
        "AWS::OpenSearchService::Domain",
        DOMAIN,
        [{}, {**DOMAIN, "DomainEndpointOptions": {"EnforceHTTPS": False}}],
    ),
    ("pages_are_encrypted", "AWS::CloudFront::Distribution", page("redirect-to-https"), [page("allow-all")]),
    (
        "roles_are_narrow",
        "AWS::IAM::Role",
        role(["s3:GetObject", "s3:Put*"]),
        [role("*"), role("s3:*"), role(["s3:GetObject", "dynamodb:*"])],
    ),
    (
        "functions_have_limits",
        "AWS::Lambda::Function",
        {"Timeout": 3, "LoggingConfig": {"LogGroup": "g"}},
        [{"Timeout": 3}, {"LoggingConfig": {"LogGroup": "g"}}],
    ),
    (
        "routes_are_authorised",
        "AWS::ApiGatewayV2::Route",
        {"AuthorizationType": "JWT"},
        [{}, {"AuthorizationType": "NONE"}],
    ),
]


def one(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": {"It": {"Type": kind, "DeletionPolicy": "Retain", "Properties": properties}}}


@pytest.mark.parametrize("path", sorted(guard.TEMPLATES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_templates_keep_to_the_rules(path: Any) -> None:
    assert guard.broken(guard.template(path)) == []


@pytest.mark.parametrize(("rule", "kind", "kept", "broken"), CASES, ids=[case[0] for case in CASES])
def test_each_rule_can_be_kept_and_broken(
    rule: str, kind: str, kept: dict[str, Any], broken: list[dict[str, Any]]
) -> None:
    assert guard.broken(one(kind, kept)) == []
    for properties in broken:
        assert guard.broken(one(kind, properties)) == [rule], properties


def test_every_rule_has_a_case() -> None:
    assert re.findall(r"^rule (\w+)", guard.RULES.read_text("utf-8"), re.MULTILINE) == [case[0] for case in CASES]
