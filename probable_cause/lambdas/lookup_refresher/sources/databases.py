"""RDS: instances and clusters. Their interfaces do not name them; subnets and groups do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from probable_cause.lambdas.lookup_refresher.inventory import Placement, Resource, tags_of, unique
from probable_cause.lambdas.lookup_refresher.sources.pages import items


def find(client: Callable[[str], Any], tags: Sequence[str]) -> Iterator[Resource]:
    """Database instances with where their interfaces are, and clusters."""
    rds = client("rds")
    yield from map(_instance, items(rds, "describe_db_instances", "DBInstances"))
    for one in items(rds, "describe_db_clusters", "DBClusters"):
        name = one["DBClusterIdentifier"]
        yield Resource(
            id=name,
            type="AWS::RDS::DBCluster",
            names=unique(one.get("DBClusterArn"), *_log_groups(f"/aws/rds/cluster/{name}", one)),
            tags=tags_of(one.get("TagList")),
            endpoint="RDS",
            uses=unique(*_groups(one), one.get("KmsKeyId"), one.get("DBClusterParameterGroup")),
        )


def _instance(one: Mapping[str, Any]) -> Resource:
    name = one["DBInstanceIdentifier"]
    subnet_group = one.get("DBSubnetGroup") or {}
    subnets = frozenset(subnet["SubnetIdentifier"] for subnet in subnet_group.get("Subnets") or ())
    parameters = [group.get("DBParameterGroupName") for group in one.get("DBParameterGroups") or ()]
    return Resource(
        id=name,
        type="AWS::RDS::DBInstance",
        names=unique(one.get("DBInstanceArn"), *_log_groups(f"/aws/rds/instance/{name}", one)),
        tags=tags_of(one.get("TagList")),
        endpoint="RDS",
        belongs_to=unique(one.get("DBClusterIdentifier")),
        uses=unique(
            *_groups(one), *sorted(subnets), one.get("KmsKeyId"), subnet_group.get("DBSubnetGroupName"), *parameters
        ),  # fmt: skip
        placed=Placement("rds", subnets, frozenset(_groups(one))) if subnets else None,
    )


def _groups(one: Mapping[str, Any]) -> list[str]:
    return [group["VpcSecurityGroupId"] for group in one.get("VpcSecurityGroups") or ()]


def _log_groups(prefix: str, one: Mapping[str, Any]) -> list[str]:
    return [f"{prefix}/{log}" for log in one.get("EnabledCloudwatchLogsExports") or ()]
