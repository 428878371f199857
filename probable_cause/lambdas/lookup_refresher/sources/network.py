"""EC2's network: interfaces with their addresses, and what traffic passes: subnets, groups, routes, gateways."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from probable_cause.lambdas.lookup_refresher.inventory import Placement, Resource, tags_of, unique
from probable_cause.lambdas.lookup_refresher.sources.pages import items

_TYPED = re.compile(r"\b(?:[a-z]+-){1,2}[0-9a-f]{8,17}\b")
# Descriptions that AWS gives to interfaces of services that do not name the resource.
_PLACED = ((re.compile(r"^AWS Lambda VPC ENI"), "lambda"), (re.compile(r"^RDSNetworkInterface"), "rds"))
_NAMED = (
    (re.compile(r"^ELB ((?:app|net|gwy)/[^/]+/[0-9a-f]+)$"), "{}"),
    (re.compile(r"^ELB ([\w-]+)$"), "classic/{}"),
    (re.compile(r"^Amazon EKS (\S+)$"), "{}"),
    (re.compile(r"^ElastiCache (\S+)$"), "{}"),
)


def find(client: Callable[[str], Any], tags: Sequence[str]) -> Iterator[Resource]:
    """Network interfaces and everything of a VPC that they use."""
    ec2 = client("ec2")
    yield from map(_interface, items(ec2, "describe_network_interfaces", "NetworkInterfaces"))
    tables = list(items(ec2, "describe_route_tables", "RouteTables"))
    acls = list(items(ec2, "describe_network_acls", "NetworkAcls"))
    yield from map(_route_table, tables)
    for one in acls:
        yield _plain(one, "NetworkAclId", "AWS::EC2::NetworkAcl")
    yield from _subnets(ec2, tables, acls)
    for one in items(ec2, "describe_security_groups", "SecurityGroups"):
        yield _plain(one, "GroupId", "AWS::EC2::SecurityGroup")
    gateways = list(items(ec2, "describe_internet_gateways", "InternetGateways"))
    for one in gateways:
        yield _plain(one, "InternetGatewayId", "AWS::EC2::InternetGateway")
    endpoints = list(items(ec2, "describe_vpc_endpoints", "VpcEndpoints"))
    for one in endpoints:
        yield _plain(one, "VpcEndpointId", "AWS::EC2::VPCEndpoint", "VPC Endpoint")
    for one in items(ec2, "describe_nat_gateways", "NatGateways"):
        yield _nat_gateway(one)
    for one in items(ec2, "describe_vpc_peering_connections", "VpcPeeringConnections"):
        yield _plain(one, "VpcPeeringConnectionId", "AWS::EC2::VPCPeeringConnection")
    for one in items(ec2, "describe_vpcs", "Vpcs"):
        # What every application in it depends on, whichever route leads there.
        shared = [g["InternetGatewayId"] for g in gateways if _attached(g, one["VpcId"])]
        shared += [e["VpcEndpointId"] for e in endpoints if e.get("VpcId") == one["VpcId"]]
        yield _plain(one, "VpcId", "AWS::EC2::VPC", uses=unique(*shared, one.get("DhcpOptionsId")))


def _interface(one: Mapping[str, Any]) -> Resource:
    description = one.get("Description") or ""
    groups = [group["GroupId"] for group in one.get("Groups", ())]
    kind = next((kind for pattern, kind in _PLACED if pattern.search(description)), None)
    if one.get("InterfaceType") in ("lambda", "api_gateway_managed"):
        kind = one["InterfaceType"]
    placement = Placement(kind, frozenset([one["SubnetId"]]), frozenset(groups)) if kind else None
    association = one.get("Association") or {}
    addresses = [one.get("PrivateIpAddress"), association.get("PublicIp")]
    for private in one.get("PrivateIpAddresses", ()):
        addresses += [private.get("PrivateIpAddress"), (private.get("Association") or {}).get("PublicIp")]
    addresses += [six.get("Ipv6Address") for six in one.get("Ipv6Addresses", ())]
    return Resource(
        id=one["NetworkInterfaceId"],
        type="AWS::EC2::NetworkInterface",
        tags=tags_of(one.get("TagSet") or one.get("Tags")),
        endpoint="Network Interface",
        addresses=unique(*addresses),
        belongs_to=unique((one.get("Attachment") or {}).get("InstanceId"), *_named_in(description)),
        uses=unique(*groups, one.get("SubnetId")),
        placement=placement,
    )


def _named_in(description: str) -> list[str]:
    for pattern, name in _NAMED:
        found = pattern.search(description)
        if found:
            return [name.format(found[1])]
    return _TYPED.findall(description)


def _route_table(one: Mapping[str, Any]) -> Resource:
    targets = ("GatewayId", "NatGatewayId", "VpcPeeringConnectionId", "TransitGatewayId", "NetworkInterfaceId",
               "EgressOnlyInternetGatewayId")  # fmt: skip
    used = [route.get(name) for route in one.get("Routes", ()) for name in targets]
    return _plain(one, "RouteTableId", "AWS::EC2::RouteTable", uses=tuple(n for n in unique(*used) if n != "local"))


def _subnets(ec2: Any, tables: list[Any], acls: list[Any]) -> Iterator[Resource]:
    main: dict[str, str] = {}
    routes: dict[str, str] = {}
    for table in tables:
        for association in table.get("Associations", ()):
            if association.get("Main"):
                main[table["VpcId"]] = table["RouteTableId"]
            elif association.get("SubnetId"):
                routes[association["SubnetId"]] = table["RouteTableId"]
    guards = {a["SubnetId"]: acl["NetworkAclId"] for acl in acls for a in acl.get("Associations", ())}
    for one in items(ec2, "describe_subnets", "Subnets"):
        subnet = one["SubnetId"]
        used = unique(routes.get(subnet) or main.get(one["VpcId"]), guards.get(subnet), one["VpcId"])
        yield _plain(one, "SubnetId", "AWS::EC2::Subnet", uses=used)


def _nat_gateway(one: Mapping[str, Any]) -> Resource:
    addresses = [a.get(name) for a in one.get("NatGatewayAddresses", ()) for name in ("PrivateIp", "PublicIp")]
    interfaces = [a.get("NetworkInterfaceId") for a in one.get("NatGatewayAddresses", ())]
    return Resource(
        id=one["NatGatewayId"],
        type="AWS::EC2::NatGateway",
        tags=tags_of(one.get("Tags")),
        endpoint="NAT Gateway",
        addresses=unique(*addresses) if one.get("State") in (None, "available", "pending") else (),
        uses=unique(one.get("SubnetId")),
        interfaces=unique(*interfaces),
    )


def _plain(
    one: Mapping[str, Any], key: str, kind: str, endpoint: str | None = None, uses: tuple[str, ...] = ()
) -> Resource:
    interfaces = tuple(one.get("NetworkInterfaceIds", ()))
    return Resource(one[key], kind, tags=tags_of(one.get("Tags")), endpoint=endpoint, uses=uses, interfaces=interfaces)


def _attached(gateway: Mapping[str, Any], vpc: str) -> bool:
    return any(attachment.get("VpcId") == vpc for attachment in gateway.get("Attachments", ()))
