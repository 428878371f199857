"""Load balancers of both generations. Their addresses move: they are those of the interfaces that name them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from probable_cause.lambdas.lookup_refresher.inventory import Resource, unique
from probable_cause.lambdas.lookup_refresher.sources.pages import items


def find(client: Callable[[str], Any], tags: Sequence[str]) -> Iterator[Resource]:
    """Balancers and target groups; their tags come from the tagging API."""
    newer = client("elbv2")
    for one in items(newer, "describe_load_balancers", "LoadBalancers"):
        arn, zones = one["LoadBalancerArn"], one.get("AvailabilityZones") or ()
        yield Resource(
            id=arn,
            type="AWS::ElasticLoadBalancingV2::LoadBalancer",
            names=unique(arn.split(":loadbalancer/")[-1], one["LoadBalancerName"]),
            endpoint="ELB",
            uses=unique(*(one.get("SecurityGroups") or ()), *(zone.get("SubnetId") for zone in zones)),
        )
    for one in items(newer, "describe_target_groups", "TargetGroups"):
        yield Resource(
            id=one["TargetGroupArn"],
            type="AWS::ElasticLoadBalancingV2::TargetGroup",
            names=unique(one.get("TargetGroupName")),
            belongs_to=tuple(one.get("LoadBalancerArns") or ()),
        )
    for one in items(client("elb"), "describe_load_balancers", "LoadBalancerDescriptions"):
        name = one["LoadBalancerName"]
        yield Resource(
            id=name,
            type="AWS::ElasticLoadBalancing::LoadBalancer",
            names=(f"classic/{name}",),
            endpoint="ELB",
            uses=unique(*(one.get("SecurityGroups") or ()), *(one.get("Subnets") or ())),
        )
