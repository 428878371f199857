"""The lookup refresher against an emulated account: what is in it gets its rows; what vanishes is closed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from probable_cause import cli
from probable_cause.errors import ProbableCauseError
from probable_cause.lambdas.lookup_refresher import handler as refresher
from probable_cause.lambdas.lookup_refresher.accounts import Options
from probable_cause.lambdas.lookup_refresher.refresh import Report, refresh
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.state import dynamodb
from probable_cause.state.tables import Tables

REGION = "us-east-1"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OTHER_ROLE = "arn:aws:iam::222222222222:role/probable-cause-lookup"
FORMAT = "${version} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${action} ${start} ${end} ${log-status}"


class Account:
    """A VPC with a shop in it: instance, balancer, function, database, task, APIs; most of it found by its tag."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ec2 = self.client("ec2")
        tag = [{"Key": "Application", "Value": "shop"}]
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.vpc = vpc
        self.subnets = [
            self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{z}")["Subnet"][
                "SubnetId"
            ]
            for n, z in ((1, "a"), (2, "b"))
        ]
        self.group = self.ec2.create_security_group(GroupName="shop", Description="-", VpcId=vpc)["GroupId"]
        self.other = self.ec2.create_security_group(GroupName="db", Description="-", VpcId=vpc)["GroupId"]
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        spec = [{"ResourceType": "instance", "Tags": tag}]
        placed = {"SubnetId": self.subnets[0], "SecurityGroupIds": [self.group]}
        run = self.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=spec, **placed)
        self.instance = run["Instances"][0]["InstanceId"]
        self.address = run["Instances"][0]["PrivateIpAddress"]
        balancer = self.client("elbv2").create_load_balancer(Name="front", Subnets=self.subnets, Tags=tag)
        self.balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        self.tail = self.balancer.split(":loadbalancer/")[1]
        self.faces = {
            "10.0.1.60": self.interface("10.0.1.60", f"ELB {self.tail}"),
            "10.0.1.61": self.interface("10.0.1.61", "AWS Lambda VPC ENI-orders-0f0f", self.other),
            "10.0.1.62": self.interface("10.0.1.62", "RDSNetworkInterface", self.other),
        }
        self.function(tag[0]["Value"])
        self.database(tag)
        rest = self.client("apigateway").create_rest_api(name="shop-api", tags={"app": "shop"})
        self.api = rest["id"]
        self.queue = self.client("sqs").create_queue(QueueName="orders-queue", tags={"Application": "shop"})
        dynamodb.create(REGION, url)
        self.tables: Tables = dynamodb.connect(REGION, url)

    def client(self, service: str) -> Any:
        return dynamodb.client(service, REGION, self.url)

    def interface(self, ip: str, description: str, group: str | None = None) -> str:
        made = self.ec2.create_network_interface(
            SubnetId=self.subnets[0], PrivateIpAddress=ip, Description=description, Groups=[group or self.group]
        )
        return str(made["NetworkInterface"]["NetworkInterfaceId"])

    def function(self, application: str) -> None:
        iam = self.client("iam")
        role = iam.create_role(RoleName="orders-role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("main.py", "def handler(event, context): ...")
        self.client("lambda").create_function(
            FunctionName="orders",
            Runtime="python3.13",
            Role=role,
            Handler="main.handler",
            Code={"ZipFile": code.getvalue()},
            VpcConfig={"SubnetIds": self.subnets, "SecurityGroupIds": [self.other]},
            Tags={"Application": application},
        )

    def database(self, tag: list[dict[str, str]]) -> None:
        rds = self.client("rds")
        rds.create_db_subnet_group(DBSubnetGroupName="g", DBSubnetGroupDescription="-", SubnetIds=self.subnets)
        rds.create_db_instance(
            DBInstanceIdentifier="orders-db",
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            MasterUsername="u",
            MasterUserPassword="password-1",
            AllocatedStorage=20,
            DBSubnetGroupName="g",
            VpcSecurityGroupIds=[self.other],
            Tags=tag,
            EnableCloudwatchLogsExports=["postgresql"],
        )

    def refresh(self, at: datetime = NOW, dry_run: bool = False, **changed: Any) -> Report:
        asked = {"application_tags": ("Application", "app"), "stack_fallback": True, "regions": (REGION,)} | changed
        return refresh(self.tables, Options(endpoint_url=self.url, **asked), at, dry_run)

    def owners(self, key: str) -> dict[str, dict[str, Any]]:
        items = [*self.tables.by_ip.query(key), *self.tables.by_resource.query(key)]
        return {one["ApplicationId"]: one for one in items}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with embedded_aws(free_port(), tmp_path_factory.mktemp("aws") / "aws.log") as url:
        made = Account(url)
        assert made.refresh().faults == []
        yield made


def test_addresses_go_to_the_application_of_what_they_belong_to(aws: Account) -> None:
    found = {key: aws.owners(key)["shop"] for key in (aws.address, *aws.faces)}
    assert {key: one["EndpointType"] for key, one in found.items()} == {
        aws.address: "Instance",
        "10.0.1.60": "ELB",
        "10.0.1.61": "Lambda",
        "10.0.1.62": "RDS",
    }
    assert found["10.0.1.60"]["ResourceId"] == aws.balancer
    assert "ValidFrom" not in found["10.0.1.60"], "nobody else had it before"


def test_resources_are_known_by_every_name_that_logs_use(aws: Account) -> None:
    account = "123456789012"
    for key, kind in {
        aws.instance: "AWS::EC2::Instance",
        "orders": "AWS::Lambda::Function",
        f"arn:aws:lambda:us-east-1:{account}:function:orders": "AWS::Lambda::Function",
        "/aws/lambda/orders": "AWS::Lambda::Function",
        "orders-db": "AWS::RDS::DBInstance",
        f"arn:aws:rds:us-east-1:{account}:db:orders-db": "AWS::RDS::DBInstance",
        aws.balancer: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        aws.api: "AWS::ApiGateway::RestApi",
        "orders-queue": "AWS::SQS::Queue",
        "orders-role": "resource",
    }.items():
        assert aws.owners(key)["shop"]["ResourceType"] == kind, key


def test_what_the_application_uses_concerns_it(aws: Account) -> None:
    acl = aws.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [aws.vpc]}])["NetworkAcls"][0]
    routes = aws.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [aws.vpc]}])["RouteTables"][0]
    used = (aws.group, aws.other, *aws.subnets, aws.vpc, acl["NetworkAclId"], routes["RouteTableId"])
    assert all("shop" in aws.owners(key) for key in used)
    default = aws.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert all(not aws.owners(one["VpcId"]) for one in default), "nothing of the shop is there"


def test_a_second_look_changes_nothing_and_a_dry_run_writes_nothing(aws: Account) -> None:
    assert aws.refresh(NOW + timedelta(minutes=5)).changes == []
    moved = aws.interface("10.0.1.70", f"ELB {aws.tail}")
    dry = aws.refresh(NOW + timedelta(minutes=10), dry_run=True)
    assert "+ 10.0.1.70  shop  ELB" in map(str, dry.changes)
    assert not aws.owners("10.0.1.70")
    aws.ec2.delete_network_interface(NetworkInterfaceId=moved)


def test_an_address_that_moves_is_closed_for_one_and_opened_for_the_other(aws: Account) -> None:
    aws.ec2.delete_network_interface(NetworkInterfaceId=aws.faces["10.0.1.60"])
    at = NOW + timedelta(minutes=20)
    aws.refresh(at)
    closed = aws.owners("10.0.1.60")["shop"]
    assert closed["ValidTo"] == "2026-03-01T12:20:00.000Z"
    assert closed["ExpiresAt"] > at.timestamp()
    again = aws.interface("10.0.1.60", "web of another application")
    aws.ec2.create_tags(Resources=[again], Tags=[{"Key": "app", "Value": "billing"}])
    aws.refresh(at + timedelta(hours=2))
    owners = aws.owners("10.0.1.60")
    assert owners["shop"]["ValidTo"] == "2026-03-01T12:20:00.000Z"
    assert owners["billing"]["ValidFrom"] == "2026-03-01T14:10:00.000Z" and "ValidTo" not in owners["billing"]


def test_what_cannot_be_read_closes_nothing(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    from probable_cause.lambdas.lookup_refresher import sources

    def refused(*_: Any) -> Iterator[Any]:
        raise EndpointConnectionError(endpoint_url="x")

    monkeypatch.setitem(sources.ALL, "compute", refused)
    report = aws.refresh(NOW + timedelta(hours=5))
    assert [one.split(":")[1].strip() for one in report.faults] == ["compute"]
    assert not [one for one in report.changes if one.kind == "close"]
    assert "ValidTo" not in aws.owners(aws.instance)["shop"]


def test_further_regions_and_accounts_are_entered_by_role(aws: Account) -> None:
    other = aws.client("sts").assume_role(RoleArn=OTHER_ROLE, RoleSessionName="test")["Credentials"]
    import boto3

    keys = {
        "aws_access_key_id": other["AccessKeyId"],
        "aws_secret_access_key": other["SecretAccessKey"],
        "aws_session_token": other["SessionToken"],
    }
    queues = boto3.client("sqs", region_name="eu-west-1", endpoint_url=aws.url, **keys)
    queues.create_queue(QueueName="far-queue", tags={"app": "far"})
    report = aws.refresh(NOW + timedelta(hours=6), regions=(REGION, "eu-west-1"), roles=(OTHER_ROLE,))
    assert report.faults == []
    assert aws.owners("far-queue")["far"]["Source"] == "222222222222/eu-west-1"
    # Looking at home only, the other account's rows stay as they are.
    report = aws.refresh(NOW + timedelta(hours=7))
    assert "ValidTo" not in aws.owners("far-queue")["far"]


def test_the_lambda_refreshes_and_says_what_it_did(aws: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("LOOKUP", json.dumps({"application_tags": ["Application", "app"]}))
    told = refresher.handler({"dry_run": True}, None)
    assert told["resources"] > 20 and told["faults"] == []
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ProbableCauseError, match="credentials"):
        refresher.handler({}, None)


def test_the_command_prints_the_difference_and_the_formats(
    aws: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conf = tmp_path / "my.yml"
    conf.write_text(yaml.safe_dump({"aws": {"endpoint_url": aws.url}, "lookup": {"application_tags": ["Application"]}}))
    assert cli.main(["lookup", "refresh", "--dry-run", "--conf", str(conf)]) == 0
    assert "would be opened" in capsys.readouterr().out
    aws.ec2.create_flow_logs(
        ResourceIds=[aws.vpc],
        ResourceType="VPC",
        TrafficType="REJECT",
        LogGroupName="/vpc/shop.flow",
        LogFormat=FORMAT,
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flow",
    )
    assert cli.main(["lookup", "formats", "--conf", str(conf)]) == 0
    shown = capsys.readouterr()
    (entry,) = yaml.safe_load(shown.out)["log_groups"]
    assert entry == {"pattern": r"^/vpc/shop\.flow$", "family": "vpc_flow", "format": FORMAT}
    assert shown.err == ""
