"""ECS services and tasks with their addresses, EKS clusters and node groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from probable_cause.lambdas.lookup_refresher.inventory import Resource, tags_of, unique
from probable_cause.lambdas.lookup_refresher.sources.pages import in_parts, items


def find(client: Callable[[str], Any], tags: Sequence[str]) -> Iterator[Resource]:
    """Tasks belong to their service, services to their cluster; so do EKS' node groups."""
    ecs = client("ecs")
    for cluster in items(ecs, "list_clusters", "clusterArns"):
        yield Resource(cluster, "AWS::ECS::Cluster", (cluster.rsplit("/", 1)[-1],))
        services = list(items(ecs, "list_services", "serviceArns", cluster=cluster))
        for part in in_parts(services, 10):
            for one in ecs.describe_services(cluster=cluster, services=part, include=["TAGS"])["services"]:
                yield _service(cluster, one)
        tasks = list(items(ecs, "list_tasks", "taskArns", cluster=cluster))
        for part in in_parts(tasks, 100):
            for one in ecs.describe_tasks(cluster=cluster, tasks=part, include=["TAGS"])["tasks"]:
                yield _task(cluster, one)
    eks = client("eks")
    for name in items(eks, "list_clusters", "clusters"):
        yield _cluster(eks.describe_cluster(name=name)["cluster"])
        for group in items(eks, "list_nodegroups", "nodegroups", clusterName=name):
            yield Resource(group, "AWS::EKS::Nodegroup", belongs_to=(name,))


def _service(cluster: str, one: Mapping[str, Any]) -> Resource:
    network = (one.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return Resource(
        id=one["serviceArn"],
        type="AWS::ECS::Service",
        names=(one["serviceName"],),
        tags=tags_of(one.get("tags")),
        belongs_to=(cluster,),
        uses=unique(
            *(network.get("securityGroups") or ()),
            *(network.get("subnets") or ()),
            *(balancer.get("targetGroupArn") for balancer in one.get("loadBalancers") or ()),
            one.get("taskDefinition"),
            (one.get("taskDefinition") or "").rsplit("/", 1)[-1].split(":")[0],
            cluster,
        ),
    )


def _task(cluster: str, one: Mapping[str, Any]) -> Resource:
    details = [
        (detail.get("name"), detail.get("value"))
        for attachment in one.get("attachments") or ()
        for detail in attachment.get("details") or ()
    ]
    group = one.get("group") or ""
    service = f"{cluster.replace(':cluster/', ':service/')}/{group.removeprefix('service:')}"
    return Resource(
        id=one["taskArn"],
        type="AWS::ECS::Task",
        names=(one["taskArn"].rsplit("/", 1)[-1],),
        tags=tags_of(one.get("tags")),
        endpoint="ECS Task",
        addresses=unique(*(value for name, value in details if name in ("privateIPv4Address", "ipv6Address"))),
        belongs_to=unique(service if group.startswith("service:") else None, cluster),
        uses=unique(*(value for name, value in details if name == "subnetId")),
        interfaces=unique(*(value for name, value in details if name == "networkInterfaceId")),
    )


def _cluster(one: Mapping[str, Any]) -> Resource:
    network = one.get("resourcesVpcConfig") or {}
    groups = (*(network.get("securityGroupIds") or ()), network.get("clusterSecurityGroupId"))
    return Resource(
        id=one["name"],
        type="AWS::EKS::Cluster",
        names=unique(one.get("arn")),
        tags=one.get("tags") or {},
        endpoint="EKS",
        uses=unique(*groups, *(network.get("subnetIds") or ()), one.get("roleArn")),
    )
