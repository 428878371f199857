"""What each part calls, recorded while it runs, is what its role allows: no call is missing, no permission is spare.

What the Lambda service itself does for a function (reading streams and queues, writing its log) is allowed besides.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest

from probable_cause.clock import wall_clock
from probable_cause.lambdas import dashboard_api
from probable_cause.lambdas.lookup_refresher import handler as refresher
from probable_cause.lambdas.responder import handler as responder
from probable_cause.lambdas.responder.told import SENT
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.state import dynamodb, lease, lookups
from probable_cause.state.application import act, add_repeats, applications, renew
from probable_cause.state.event_item import batch_stamp
from probable_cause.verdict import DEFAULT
from tests.aws import test_lookup_refresher, test_responder
from tests.unit.infra.templates import actions, role_statements
from tests.unit.state.test_recovery import NOW, reboot
from tests.unit.verdict.events import at, cause

PACKAGE = Path(__file__).parents[2] / "probable_cause"
BY_LAMBDA_ITSELF = {
    "logs:CreateLogStream", "logs:PutLogEvents", "dynamodb:DescribeStream", "dynamodb:GetRecords",
    "dynamodb:GetShardIterator", "dynamodb:ListStreams", "sqs:ReceiveMessage", "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
}  # fmt: skip
# Where the name that a request is signed for is not the prefix of its IAM actions.
PREFIX = {"tagging": "tag"}


class Calls(set[str]):
    """IAM actions of the calls that boto3 makes while it records."""

    def note(self, model: Any, **_: Any) -> None:
        service = model.service_model
        prefix = PREFIX.get(service.signing_name, service.signing_name)
        # API Gateway's actions are HTTP methods on its own resources.
        self.add(f"{prefix}:{model.http['method'] if prefix == 'apigateway' else model.name}")


@pytest.fixture
def calls() -> Iterator[Calls]:
    found = Calls()
    session = botocore.session.get_session()
    session.get_component("event_emitter").register("before-call", found.note)
    before = boto3.DEFAULT_SESSION
    boto3.setup_default_session(botocore_session=session)
    yield found
    boto3.DEFAULT_SESSION = before


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_aws(free_port(), tmp_path_factory.mktemp("aws") / "aws.log") as url:
        yield url


@pytest.fixture(autouse=True)
def environment(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }.items():
        monkeypatch.setenv(name, value)
    cached = (responder._responder, responder._states, dashboard_api._tables)
    for one in cached:
        one.cache_clear()
    yield
    for one in cached:
        one.cache_clear()


def test_the_recorder_records(calls: Calls, url: str) -> None:
    dynamodb.client("dynamodb", "us-east-1", url).list_tables()
    dynamodb.client("resourcegroupstaggingapi", "us-east-1", url).get_resources()
    assert calls == {"dynamodb:ListTables", "tag:GetResources"}


def test_the_responder(url: str, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    account = test_responder.Account(url)
    secret = dynamodb.client("secretsmanager", "us-east-1", url).create_secret(
        Name="hook", SecretString=json.dumps({"url": f"http://127.0.0.1:{free_port()}"})
    )
    for name, value in {
        "SENT_TABLE": SENT.name, "EVENT_BUS": "responses", "TOPIC_ARN": account.topic,
        "DEAD_LETTERS": account.queues["dead"], "LOOK_AGAIN": account.queues["again"], "WEBHOOK_SECRET": secret["ARN"],
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    account.sees(3, cause("StopInstances", 0))
    event = account.records()
    calls.clear()
    assert responder.handler(event, None)["batchItemFailures"], "the webhook is not there"
    responder.handler({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": "shop"}]}, None)
    made = responder._responder()
    made.give_up({"reason": "test"})
    assert made.later is not None
    made.later("shop")
    assert calls == actions(role_statements("response")) - BY_LAMBDA_ITSELF


def test_the_lookup_refresher(url: str, calls: Calls) -> None:
    test_lookup_refresher.Account(url)
    cluster = dynamodb.client("ecs", "us-east-1", url).create_cluster(clusterName="c")["cluster"]["clusterArn"]
    eks = dynamodb.client("eks", "us-east-1", url)
    eks.create_cluster(name="k", roleArn="arn:aws:iam::123456789012:role/eks", resourcesVpcConfig={})
    assert cluster
    calls.clear()
    assert refresher.handler({}, None)["faults"] == []
    # Without services, tasks and further accounts these are not called; tests/unit/lookup has them.
    unseen = {"ecs:DescribeServices", "ecs:DescribeTasks", "sts:AssumeRole"}
    allowed = actions(role_statements("lookup")) - BY_LAMBDA_ITSELF
    assert calls == allowed - unseen
    assert unseen <= allowed


def test_the_dashboards_api(url: str, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_PREFIX", "page.")
    dynamodb.create("us-east-1", url, "page.")
    made = dynamodb.connect("us-east-1", url, "page.")
    add_repeats(made, "shop", [reboot(0, [1])], batch_stamp(1, 0), 100, NOW)
    renew(made, "shop", NOW, DEFAULT)
    calls.clear()
    claims = {"authorizer": {"jwt": {"claims": {"email": "kim@example.org"}}}}

    def ask(method: str, path: str, body: dict[str, Any] | None = None) -> int:
        http = {"http": {"method": method, "path": path}, "stage": "$default", **claims}
        headers = {"content-type": "application/json"}
        event = {"requestContext": http, "rawPath": path, "headers": headers, "body": json.dumps(body or {})}
        return int(dashboard_api.handler(event, None)["statusCode"])

    for path in ("", "/shop", "/shop/history"):
        assert ask("GET", f"/api/applications{path}") == 200
    assert ask("GET", "/api/operations") == ask("GET", "/api/health") == 200
    acted = {"action": "acknowledge", "event_type": "cloudsystem"}
    assert ask("POST", "/api/applications/shop/act", acted) == 200
    assert calls == actions(role_statements("dashboard")) - BY_LAMBDA_ITSELF


def test_the_job(url: str, calls: Calls) -> None:
    dynamodb.create("us-east-1", url, "job.")
    made = dynamodb.connect("us-east-1", url, "job.")
    calls.clear()
    held = lease.acquire(made.states, "driver", "checkpoint", wall_clock())
    lease.check(made.states, held)
    lease.beat(made.states, held, wall_clock(), {"BatchId": 1})
    add_repeats(made, "shop", [reboot(0, [1])], batch_stamp(1, 0), 100, NOW)
    renew(made, "shop", NOW, DEFAULT)
    act(made, "shop", "cloudsystem", "acknowledged", "ana", at(1))
    applications(made)
    lookups.rows(made)
    allowed = actions(role_statements("analysis", "JobRole"))
    assert calls == {one for one in allowed if one.startswith("dynamodb:")}
    assert {one for one in allowed if one.startswith("kinesis:")} == called_in_sources()


def called_in_sources() -> set[str]:
    """Kinesis actions that the source's modules call: methods of the client by their names."""
    client = boto3.client("kinesis", region_name="us-east-1")
    names = {name: operation for name, operation in client.meta.method_to_api_mapping.items()}
    found = set()
    for path in (PACKAGE / "sources").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in names:
                found.add(f"kinesis:{names[node.attr]}")
            if isinstance(node, ast.Constant) and node.value in names:
                found.add(f"kinesis:{names[node.value]}")
    return found
