"""One AWS account with one application (and a neighbour), drawn from a seed: names, ids, addresses, log layout."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

_SERVICES = (
    "checkout", "catalog", "billing", "ledger", "search", "inbox", "profile", "media", "pricing", "fleet", "claims",
    "booking", "payroll", "tickets", "survey", "gateway", "orders", "returns", "loyalty", "maps",
)  # fmt: skip
_REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2", "us-west-2", "sa-east-1")
_PEOPLE = ("ops-01", "ops-02", "platform-lead", "dba-on-duty", "network-admin", "release-manager", "contractor-7")

FLOW_FORMATS = (
    None,
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "
    "${bytes} ${start} ${end} ${action} ${log-status} ${vpc-id} ${subnet-id} ${instance-id} ${tcp-flags} ${type} "
    "${pkt-srcaddr} ${pkt-dstaddr}",
    "${start} ${end} ${action} ${srcaddr} ${dstaddr} ${dstport} ${protocol} ${interface-id} ${log-status} ${srcport} "
    "${packets} ${bytes} ${account-id} ${version}",
)


@dataclass(frozen=True)
class Layout:
    """Where the account's logs go, and how the flow records look."""

    trail: str
    config: str
    flows: str
    app: str
    flow_format: str | None
    log_groups: tuple[dict[str, Any], ...] = ()

    def flow_fields(self) -> tuple[str, ...] | None:
        """Names of the format's fields, or None for the default."""
        if self.flow_format is None:
            return None
        return tuple(part[2:-1] for part in self.flow_format.split())


@dataclass
class World:
    """Everything that a class of incidents may touch. `draw` is the only source of chance."""

    draw: random.Random
    app: str = ""
    neighbour: str = ""
    account: str = ""
    region: str = ""
    person: str = ""
    cidr: str = ""
    names: dict[str, str] = field(default_factory=dict)
    layout: Layout = field(default_factory=lambda: Layout("", "", "", "", None))

    @classmethod
    def drawn(cls, seed: str) -> World:
        draw = random.Random(seed)
        world = cls(draw)
        world.app, world.neighbour = (f"{word}-{draw.randint(2, 99)}" for word in draw.sample(_SERVICES, 2))
        world.account = f"{draw.randint(10**11, 10**12 - 1)}"
        world.region = draw.choice(_REGIONS)
        world.person = draw.choice(_PEOPLE)
        net = draw.choice((f"10.{draw.randint(1, 250)}", f"172.{draw.randint(16, 31)}", "192.168"))
        world.cidr = f"{net}.0.0/16"
        hosts = draw.sample(range(10, 250), 6)
        for name, subnet, host in zip(
            ("web", "web2", "store", "lb", "worker", "far"), (1, 1, 2, 3, 1, 4), hosts, strict=True
        ):
            world.names[f"ip.{name}"] = f"{net}.{subnet}.{host}"
        world._ids()
        world.layout = world._layout()
        return world

    def _hex(self, prefix: str, digits: int = 17) -> str:
        return f"{prefix}-0{self.draw.getrandbits(4 * digits - 4):0{digits - 1}x}"

    def _ids(self) -> None:
        for key, prefix in (
            ("sg", "sg"), ("sg2", "sg"), ("instance", "i"), ("instance2", "i"), ("spare", "i"), ("eni", "eni"),
            ("eni.store", "eni"), ("vpc", "vpc"), ("subnet", "subnet"), ("rtb", "rtb"), ("acl", "acl"), ("igw", "igw"),
            ("nat", "nat"), ("vpce", "vpce"), ("pcx", "pcx"), ("volume", "vol"), ("far.instance", "i"),
            ("far.sg", "sg"), ("acl2", "acl"),
        ):  # fmt: skip
            self.names[key] = self._hex(prefix)
        short = self.app
        for key, text in (
            ("db", "{}-db"), ("cluster.db", "{}-aurora"), ("role", "{}-task-role"), ("function", "{}-handler"),
            ("queue", "{}-jobs"), ("table", "{}-sessions"), ("bucket", "{}-assets"), ("secret", "{}/db-password"),
            ("parameter", "/{}/upstream-url"), ("asg", "{}-asg"), ("ecs", "{}-cluster"), ("service", "{}-svc"),
            ("cache", "{}-cache"), ("stack", "{}-stack"), ("nodes", "{}-nodes"), ("eks", "{}-eks"), ("group", "{}-dg"),
            ("api", "{}-api"), ("policy", "{}-access"), ("deploy", "{}-deploy"), ("webacl", "{}-acl"),
            ("pg", "{}-pg16"), ("db2", "{}-reports-db"), ("role2", "{}-batch-role"), ("asg2", "{}-batch-asg"),
        ):  # fmt: skip
            self.names[key] = text.format(short)
        for key in ("key", "mapping", "cert"):
            digits = f"{self.draw.getrandbits(128):032x}"
            self.names[key] = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
        self.names["zone"] = "Z0" + "".join(self.draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=18))
        self.names["api.id"] = f"{self.draw.getrandbits(50):010x}"[:10]
        tail = f"{self.draw.getrandbits(64):016x}"
        elb = f"arn:aws:elasticloadbalancing:{self.region}:{self.account}"
        self.names["lb"] = f"{elb}:loadbalancer/app/{short}/{tail}"
        self.names["tg"] = f"{elb}:targetgroup/{short}-tg/{tail[::-1]}"
        self.names["listener"] = f"{elb}:listener/app/{short}/{tail}/{tail[4:]}{tail[:4]}"
        self.names["host"] = f"{short}.internal.example.com"
        self.names["db_host"] = f"{self.names['db']}.c{tail[:10]}.{self.region}.rds.amazonaws.com"

    def __getitem__(self, key: str) -> str:
        return self.names[key]

    def arn(self, service: str, rest: str, regional: bool = True) -> str:
        """An ARN of this account."""
        return f"arn:aws:{service}:{self.region if regional else ''}:{self.account}:{rest}"

    def _layout(self) -> Layout:
        kind = self.draw.randrange(4)
        form = self.draw.choice(FLOW_FORMATS)
        flow_group: dict[str, Any] = {"pattern": "^/vpc/flow", "family": "vpc_flow"}
        if kind < 2:
            if form is None:
                return Layout(
                    "/aws/cloudtrail/main", "/aws/config/items", "/vpc/flow/prod", f"/app/{self.app}/main", None
                )
            groups = (
                flow_group | {"format": form},
                {"pattern": "cloudtrail", "family": "cloudtrail"},
                {"pattern": "config", "family": "aws_config"},
                {"pattern": "^/app/(?P<application_id>[^/]+)", "family": "application"},
            )
            return Layout(
                "/aws/cloudtrail/main", "/aws/config/items", "/vpc/flow/prod", f"/app/{self.app}/main", form, groups
            )
        flow_group = {"pattern": "^net-records-", "family": "vpc_flow"} | ({"format": form} if form else {})
        groups = (
            {"pattern": "^org-audit$", "family": "cloudtrail"},
            {"pattern": "^inventory/", "family": "aws_config"},
            flow_group,
            {"pattern": "^/ecs/(?P<application_id>[a-z0-9-]+)/", "family": "application"},
        )
        return Layout(
            "org-audit", "inventory/changes", f"net-records-{self['vpc']}", f"/ecs/{self.app}/web", form, groups
        )

    def settings(self) -> dict[str, Any]:
        """The bundle's settings."""
        settings: dict[str, Any] = {"network": {"accepted_cidrs": [self.cidr]}}
        if self.layout.log_groups:
            settings["log_groups"] = list(self.layout.log_groups)
        return settings

    def lookup(self) -> dict[str, list[dict[str, str]]]:
        """Both lookup tables."""
        by_ip = [
            {"ip": self["ip.web"], "application_id": self.app, "endpoint_type": "Instance"},
            {"ip": self["ip.store"], "application_id": self.app, "endpoint_type": "RDS"},
            {"ip": self["ip.far"], "application_id": self.neighbour, "endpoint_type": "Instance"},
        ]
        rows = [(self[key], kind) for key, kind in _OWNED.items()]
        rows += [
            (self.arn("lambda", f"function:{self['function']}"), "AWS::Lambda::Function"),
            (self.arn("sqs", self["queue"]), "AWS::SQS::Queue"),
            (self.arn("kms", f"key/{self['key']}"), "AWS::KMS::Key"),
            (self.arn("acm", f"certificate/{self['cert']}"), "AWS::ACM::Certificate"),
        ]
        by_resource = [{"resource_id": one, "application_id": self.app, "resource_type": kind} for one, kind in rows]
        for key, kind in (("far.instance", "AWS::EC2::Instance"), ("far.sg", "AWS::EC2::SecurityGroup")):
            by_resource.append({"resource_id": self[key], "application_id": self.neighbour, "resource_type": kind})
        return {"by_ip": by_ip, "by_resource": by_resource}


_OWNED = {
    "sg": "AWS::EC2::SecurityGroup", "sg2": "AWS::EC2::SecurityGroup", "instance": "AWS::EC2::Instance",
    "instance2": "AWS::EC2::Instance", "spare": "AWS::EC2::Instance", "eni": "AWS::EC2::NetworkInterface",
    "rtb": "AWS::EC2::RouteTable", "acl": "AWS::EC2::NetworkAcl", "igw": "AWS::EC2::InternetGateway",
    "nat": "AWS::EC2::NatGateway", "vpce": "AWS::EC2::VPCEndpoint", "pcx": "AWS::EC2::VPCPeeringConnection",
    "volume": "AWS::EC2::Volume", "db": "AWS::RDS::DBInstance", "cluster.db": "AWS::RDS::DBCluster",
    "role": "AWS::IAM::Role", "function": "AWS::Lambda::Function", "queue": "AWS::SQS::Queue",
    "table": "AWS::DynamoDB::Table", "bucket": "AWS::S3::Bucket", "secret": "AWS::SecretsManager::Secret",
    "parameter": "AWS::SSM::Parameter", "asg": "AWS::AutoScaling::AutoScalingGroup", "service": "AWS::ECS::Service",
    "cache": "AWS::ElastiCache::CacheCluster", "stack": "AWS::CloudFormation::Stack", "nodes": "AWS::EKS::Nodegroup",
    "group": "AWS::CodeDeploy::DeploymentGroup", "deploy": "AWS::CodeDeploy::Application",
    "api.id": "AWS::ApiGateway::RestApi", "webacl": "AWS::WAFv2::WebACL", "pg": "AWS::RDS::DBParameterGroup",
    "zone": "AWS::Route53::HostedZone",
    "lb": "AWS::ElasticLoadBalancingV2::LoadBalancer", "tg": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "listener": "AWS::ElasticLoadBalancingV2::Listener", "mapping": "AWS::Lambda::EventSourceMapping",
    "key": "AWS::KMS::Key", "db2": "AWS::RDS::DBInstance", "role2": "AWS::IAM::Role",
    "asg2": "AWS::AutoScaling::AutoScalingGroup", "acl2": "AWS::EC2::NetworkAcl",
}  # fmt: skip
