"""EC2 instances, their groups of automatic scaling, and Lambda functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from probable_cause.lambdas.lookup_refresher.inventory import Placement, Resource, tags_of, unique
from probable_cause.lambdas.lookup_refresher.sources.pages import items

_GONE = ("shutting-down", "terminated")


def find(client: Callable[[str], Any], tags: Sequence[str]) -> Iterator[Resource]:
    """Instances (a stopped one keeps its address), scaling groups, functions."""
    for reservation in items(client("ec2"), "describe_instances", "Reservations"):
        for one in reservation["Instances"]:
            if one["State"]["Name"] not in _GONE:
                yield _instance(one)
    for one in items(client("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups"):
        yield Resource(
            id=one["AutoScalingGroupName"],
            type="AWS::AutoScaling::AutoScalingGroup",
            names=unique(one.get("AutoScalingGroupARN")),
            tags=tags_of(one.get("Tags")),
            uses=unique((one.get("LaunchTemplate") or {}).get("LaunchTemplateId"), one.get("LaunchConfigurationName")),
        )
    yield from map(_function, items(client("lambda"), "list_functions", "Functions"))


def _instance(one: Mapping[str, Any]) -> Resource:
    tags = tags_of(one.get("Tags"))
    cluster = tags.get("eks:cluster-name") or next(
        (name.rsplit("/", 1)[1] for name in tags if name.startswith("kubernetes.io/cluster/")), None
    )
    volumes = [(m.get("Ebs") or {}).get("VolumeId") for m in one.get("BlockDeviceMappings", ())]
    groups = [group["GroupId"] for group in one.get("SecurityGroups", ())]
    return Resource(
        id=one["InstanceId"],
        type="AWS::EC2::Instance",
        tags=tags,
        endpoint="EKS Node" if cluster else "Instance",
        addresses=unique(one.get("PrivateIpAddress"), one.get("PublicIpAddress"), one.get("Ipv6Address")),
        belongs_to=unique(tags.get("aws:autoscaling:groupName"), cluster),
        uses=unique(*groups, one.get("SubnetId"), *volumes, tags.get("aws:autoscaling:groupName")),
        interfaces=unique(*(n["NetworkInterfaceId"] for n in one.get("NetworkInterfaces", ()))),
    )


def _function(one: Mapping[str, Any]) -> Resource:
    placed = one.get("VpcConfig") or {}
    subnets, groups = frozenset(placed.get("SubnetIds") or ()), frozenset(placed.get("SecurityGroupIds") or ())
    role = str(one.get("Role") or "")
    return Resource(
        id=one["FunctionName"],
        type="AWS::Lambda::Function",
        names=unique(one["FunctionArn"], f"/aws/lambda/{one['FunctionName']}"),
        endpoint="Lambda",
        uses=unique(*sorted(groups), *sorted(subnets), role, role.rsplit("/", 1)[-1]),
        placed=Placement("lambda", subnets, groups) if subnets else None,
    )
