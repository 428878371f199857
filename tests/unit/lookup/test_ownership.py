"""Whose is what: by tag, by what it belongs to, by stack, by who uses it. Resources are made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from probable_cause.families.resources import plain_id
from probable_cause.lambdas.lookup_refresher.inventory import Placement, Resource, merged
from probable_cause.lambdas.lookup_refresher.ownership import STACK, rows
from probable_cause.lambdas.lookup_refresher.sources import compute, containers, network, tagged

SHOP = {"Application": "shop"}
BILLING = {"Application": "billing"}
TAGS = ("Application", "app")
GROUPS = frozenset({"sg-1"})


def eni(name: str, address: str, **more: Any) -> Resource:
    return Resource(
        name, "AWS::EC2::NetworkInterface", endpoint="Network Interface", addresses=(address,), scope="1/r", **more
    )


def made(kind: str, name: str, tags: dict[str, str] | None = None, **more: Any) -> Resource:
    return Resource(name, f"AWS::{kind}", tags=tags or {}, scope="1/r", **more)


CASES: list[tuple[str, list[Resource], dict[str, set[str]]]] = [
    ("a tag names the application", [made("SQS::Queue", "q", SHOP)], {"q": {"shop"}}),
    ("another accepted name does too", [made("SQS::Queue", "q", {"app": "shop"})], {"q": {"shop"}}),
    ("the first accepted name counts", [made("SQS::Queue", "q", {"app": "x", "Application": "shop"})], {"q": {"shop"}}),
    ("an empty tag is none", [made("SQS::Queue", "q", {"Application": " "})], {}),
    ("nobody's is nobody's", [made("SQS::Queue", "q"), eni("eni-1", "10.0.0.1")], {}),
    ("a stack stands in", [made("SQS::Queue", "q", {STACK: "shop-prod"})], {"q": {"shop-prod"}}),
    ("a tag is better than a stack", [made("SQS::Queue", "q", {STACK: "s", **SHOP})], {"q": {"shop"}}),
    (
        "an owner's tag is better than a stack of its own",
        [made("EC2::Instance", "i-1", SHOP), eni("eni-1", "10.0.0.1", tags={STACK: "s"}, belongs_to=("i-1",))],
        {"i-1": {"shop"}, "eni-1": {"shop"}, "10.0.0.1": {"shop"}},
    ),
    (
        "a group is shared by those who use it",
        [
            made("EC2::Instance", "i-1", SHOP, uses=("sg-1",)),
            made("EC2::Instance", "i-2", BILLING, uses=("sg-1",)),
            made("EC2::SecurityGroup", "sg-1", {"Application": "platform"}),
        ],
        {"i-1": {"shop"}, "i-2": {"billing"}, "sg-1": {"shop", "billing", "platform"}},
    ),
    (
        "routes and gateways concern who goes through them; traffic to a shared gateway's address does not",
        [
            made("EC2::Instance", "i-1", SHOP, uses=("subnet-1",)),
            made("EC2::Subnet", "subnet-1", uses=("rtb-1",)),
            made("EC2::RouteTable", "rtb-1", uses=("nat-1",)),
            made("EC2::NatGateway", "nat-1", addresses=("10.0.9.9",), endpoint="NAT Gateway"),
        ],
        {"i-1": {"shop"}, "subnet-1": {"shop"}, "rtb-1": {"shop"}, "nat-1": {"shop"}},
    ),
    (
        "a gateway that is somebody's has an address of his",
        [made("EC2::NatGateway", "nat-1", SHOP, addresses=("10.0.9.9",), endpoint="NAT Gateway")],
        {"nat-1": {"shop"}, "10.0.9.9": {"shop"}},
    ),
    (
        "an interface without a name goes by place, and may be several's",
        [
            made("RDS::DBInstance", "a", SHOP, placed=Placement("rds", frozenset({"s1", "s2"}), GROUPS)),
            made("RDS::DBInstance", "b", BILLING, placed=Placement("rds", frozenset({"s1"}), GROUPS)),
            made("Lambda::Function", "f", {"app": "f"}, placed=Placement("lambda", frozenset({"s1"}), GROUPS)),
            eni("eni-1", "10.0.0.1", placement=Placement("rds", frozenset({"s1"}), GROUPS)),
            eni("eni-2", "10.0.0.2", placement=Placement("rds", frozenset({"s3"}), GROUPS)),
            eni("eni-3", "10.0.0.3", placement=Placement("rds", frozenset({"s1"}), frozenset({"sg-2"}))),
        ],
        {
            "a": {"shop"},
            "b": {"billing"},
            "f": {"f"},
            "eni-1": {"shop", "billing"},
            "10.0.0.1": {"shop", "billing"},
        },
    ),
    (
        "a task is its service's, a service its cluster's",
        [
            made("ECS::Cluster", "arn:aws:ecs:r:1:cluster/c", SHOP),
            made("ECS::Service", "arn:aws:ecs:r:1:service/c/web", belongs_to=("arn:aws:ecs:r:1:cluster/c",)),
            made("ECS::Task", "task-1", belongs_to=("arn:aws:ecs:r:1:service/c/web",), interfaces=("eni-1",)),
            eni("eni-1", "10.0.0.1"),
        ],
        {
            "arn:aws:ecs:r:1:cluster/c": {"shop"},
            "arn:aws:ecs:r:1:service/c/web": {"shop"},
            "task-1": {"shop"},
            "eni-1": {"shop"},
            "10.0.0.1": {"shop"},
        },
    ),
    (
        "what belongs in a ring ends",
        [made("A::B", "x", belongs_to=("y",)), made("A::B", "y", belongs_to=("x",), uses=("x",)), made("A::B", "z")],
        {},
    ),
    (
        "the same id in another account is another's",
        [
            made("EC2::Instance", "i-1", SHOP, uses=("default",)),
            Resource("default", "AWS::EC2::SecurityGroup", scope="2/r", uses=("far",)),
        ],
        {"i-1": {"shop"}, "default": {"shop"}},
    ),
]


@pytest.mark.parametrize(("resources", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_owners(resources: list[Resource], expected: dict[str, set[str]]) -> None:
    found: dict[str, set[str]] = {}
    for row in rows(resources, TAGS, stack_fallback=True):
        found.setdefault(row.key, set()).add(row.application_id)
    assert found == expected


def test_without_the_fallback_a_stack_is_no_application() -> None:
    assert rows([made("SQS::Queue", "q", {STACK: "shop"})], TAGS, stack_fallback=False) == []


def test_what_two_services_tell_of_one_resource_is_one() -> None:
    arn = "arn:aws:lambda:r:1:function:orders"
    one, other = merged(
        [
            Resource("orders", "AWS::Lambda::Function", (arn,), endpoint="Lambda", scope="1/r"),
            Resource("orders", "AWS::RDS::DBInstance", ("arn:aws:rds:r:1:db:orders",), scope="1/r"),
            tagged.of_arn(arn, SHOP),
        ]
    )
    assert one.tags == SHOP and one.endpoint == "Lambda" and other.type == "AWS::RDS::DBInstance"


@pytest.mark.parametrize(
    ("description", "belongs_to"),
    [
        ("ELB app/front/50dc6c495c0c9188", ("app/front/50dc6c495c0c9188",)),
        ("ELB net/front/50dc6c495c0c9188", ("net/front/50dc6c495c0c9188",)),
        ("ELB classic-one", ("classic/classic-one",)),
        ("Interface for NAT Gateway nat-0123456789abcdef0", ("nat-0123456789abcdef0",)),
        ("VPC Endpoint Interface vpce-0123456789abcdef0", ("vpce-0123456789abcdef0",)),
        (
            "EFS mount target for fs-0123456789abcdef0 (fsmt-0123456789abcdef1)",
            ("fs-0123456789abcdef0", "fsmt-0123456789abcdef1"),
        ),
        ("Amazon EKS prod", ("prod",)),
        ("Primary network interface", ()),
        ("", ()),
    ],
)
def test_whom_an_interface_names(description: str, belongs_to: tuple[str, ...]) -> None:
    told = {"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "Description": description}
    assert network._interface(told).belongs_to == belongs_to


def test_an_eks_node_belongs_to_its_cluster_and_scaling_group() -> None:
    tags = [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}, {"Key": "aws:autoscaling:groupName", "Value": "g"}]
    node = compute._instance({"InstanceId": "i-1", "State": {"Name": "running"}, "Tags": tags})
    assert node.endpoint == "EKS Node" and node.belongs_to == ("g", "prod")


def test_a_task_has_its_address_interface_and_service() -> None:
    details = [
        {"name": "networkInterfaceId", "value": "eni-1"},
        {"name": "privateIPv4Address", "value": "10.0.0.1"},
        {"name": "subnetId", "value": "subnet-1"},
    ]
    task = containers._task(
        "arn:aws:ecs:r:1:cluster/c",
        {"taskArn": "arn:aws:ecs:r:1:task/c/abc", "group": "service:web", "attachments": [{"details": details}]},
    )
    assert (task.addresses, task.interfaces, task.uses) == (("10.0.0.1",), ("eni-1",), ("subnet-1",))
    assert task.belongs_to == ("arn:aws:ecs:r:1:service/c/web", "arn:aws:ecs:r:1:cluster/c")


ARNS = [
    "arn:aws:ec2:r:1:instance/i-0abc",
    "arn:aws:ec2:r:1:security-group/sg-0abc",
    "arn:aws:rds:r:1:db:orders",
    "arn:aws:rds:r:1:cluster:orders",
    "arn:aws:lambda:r:1:function:orders",
    "arn:aws:lambda:r:1:function:orders:3",
    "arn:aws:dynamodb:r:1:table/orders",
    "arn:aws:s3:::bucket",
    "arn:aws:sqs:r:1:queue",
    "arn:aws:sns:r:1:topic",
    "arn:aws:kms:r:1:key/0a-1b",
    "arn:aws:kinesis:r:1:stream/clicks",
    "arn:aws:elasticloadbalancing:r:1:loadbalancer/classic-one",
    "arn:aws:elasticache:r:1:cluster:cache-001",
    "arn:aws:ssm:r:1:parameter/shop/url",
]


@pytest.mark.parametrize("arn", ARNS)
def test_the_plain_name_is_the_one_that_the_parsers_give(arn: str) -> None:
    plain = plain_id(arn)
    resource = tagged.of_arn(arn, SHOP)
    assert plain is None or resource.id == plain
    assert arn in (resource.id, *resource.names) or resource.type.startswith("AWS::ElasticLoadBalancing::")
