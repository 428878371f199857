"""The tagging API: everything that carries an application tag or belongs to a stack, of whatever service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from probable_cause.lambdas.lookup_refresher.inventory import Resource, tags_of, unique
from probable_cause.lambdas.lookup_refresher.sources.pages import items

# (service, first word of the ARN's resource part) -> CloudFormation type; others are called AWS::<Service>::<Word>.
_TYPES = {
    ("sqs", ""): "AWS::SQS::Queue",
    ("sns", ""): "AWS::SNS::Topic",
    ("s3", ""): "AWS::S3::Bucket",
    ("dynamodb", "table"): "AWS::DynamoDB::Table",
    ("logs", "log-group"): "AWS::Logs::LogGroup",
    ("secretsmanager", "secret"): "AWS::SecretsManager::Secret",
    ("kms", "key"): "AWS::KMS::Key",
    ("elasticache", "cluster"): "AWS::ElastiCache::CacheCluster",
    ("elasticache", "replicationgroup"): "AWS::ElastiCache::ReplicationGroup",
    ("rds", "db"): "AWS::RDS::DBInstance",
    ("rds", "cluster"): "AWS::RDS::DBCluster",
    ("lambda", "function"): "AWS::Lambda::Function",
    ("ec2", "instance"): "AWS::EC2::Instance",
    ("ec2", "security-group"): "AWS::EC2::SecurityGroup",
    ("ec2", "volume"): "AWS::EC2::Volume",
    ("cloudformation", "stack"): "AWS::CloudFormation::Stack",
    ("elasticfilesystem", "file-system"): "AWS::EFS::FileSystem",
    ("es", "domain"): "AWS::OpenSearchService::Domain",
    ("states", "stateMachine"): "AWS::StepFunctions::StateMachine",
    ("kinesis", "stream"): "AWS::Kinesis::Stream",
}
# Services whose ARN goes on behind the name: a version, an index, a stream.
_SECOND = ("lambda", "dynamodb", "kinesis", "cloudformation")


def find(client: Callable[[str], Any], tags: Sequence[str]) -> Iterator[Resource]:
    """Every resource with any of `tags`. One key a call: a resource would need all the keys of one call."""
    tagging = client("resourcegroupstaggingapi")
    for key in tags:
        for one in items(tagging, "get_resources", "ResourceTagMappingList", TagFilters=[{"Key": key}]):
            yield of_arn(one["ResourceARN"], tags_of(one.get("Tags")))


def of_arn(arn: str, tags: dict[str, str]) -> Resource:
    """The resource of an ARN, under the name that API calls give it; the ARN is its other name."""
    service, words, path = _parts(arn)
    kind = _TYPES.get((service, words[0] if len(words) > 1 else ""))
    if service == "elasticloadbalancing":
        if words[0] == "loadbalancer" and len(words) == 2:
            kind = "AWS::ElasticLoadBalancing::LoadBalancer"
            return Resource(words[1], kind, (f"classic/{words[1]}",), tags, "ELB")
        return Resource(arn, f"AWS::ElasticLoadBalancingV2::{_title(words[0])}", (), tags)
    if service == "ecs":
        return Resource(arn, f"AWS::ECS::{_title(words[0])}", (words[-1],), tags)
    if service == "logs":
        path = path.removeprefix("log-group:").removesuffix(":*")
        return Resource(path, "AWS::Logs::LogGroup", (arn.removesuffix(":*"),), tags)
    if service == "apigateway" and len(words) > 1:  # arn:aws:apigateway:region::/restapis/<id>
        return Resource(words[1], f"AWS::ApiGateway::{_title(words[0])}", (arn,), tags)
    if service == "ssm" and words[0] == "parameter":
        return Resource(path.removeprefix("parameter"), "AWS::SSM::Parameter", (arn,), tags)
    name = words[1] if service in _SECOND and len(words) > 1 else words[-1]
    if service == "secretsmanager":  # six random characters end the ARN, not the name
        name = re.sub(r"-[A-Za-z0-9]{6}$", "", path.removeprefix("secret:"))
    return Resource(name, kind or f"AWS::{_title(service)}::{_title(words[0])}", (arn,), tags)


def _parts(arn: str) -> tuple[str, list[str], str]:
    """(service, words of the resource part, the resource part)"""
    parts = arn.split(":", 5)
    path = parts[5] if len(parts) > 5 else arn
    words = list(unique(*re.split("[:/]", path.lstrip("/"))))
    return (parts[2] if len(parts) > 2 else ""), words or [path], path


def _title(word: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split("[-_ ]", word))
