"""The templates deployed on an emulator by the tool that people use: created, updated, the whole job with all
scenarios run on what CloudFormation made, and deleted.

moto makes the resource types that it knows and passes over the others (Logs subscription filters and account policies,
CloudTrail, Config, CloudFront, HTTP APIs, Cognito, EMR Serverless, alarms); search.yaml and dashboard.yaml it can't.
Those are held by cfn-lint's schemas and by tests/unit/infra only.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from probable_cause import settings
from probable_cause.clock import wall_clock
from probable_cause.local import account
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.state import dynamodb, tables
from probable_cause.state.application import add_repeats, load_events, renew
from probable_cause.state.event_item import batch_stamp
from probable_cause.verdict import DEFAULT
from tests.unit.infra.templates import load
from tests.unit.state.test_recovery import NOW, reboot
from tools import deploy, package

REGION = "us-east-1"
BUCKET = "code-of-tests"


class Cloud:
    """An emulated account with the packages uploaded."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.cloudformation = self.client("cloudformation")
        s3 = self.client("s3")
        deploy.ensure_bucket(s3, BUCKET, REGION)
        deploy.ensure_bucket(s3, BUCKET, REGION)
        for name in ("responder", "lookup_refresher", "dashboard_api"):
            package.lambda_zip(name, folder / f"{name}.zip")
        (folder / "log_indexer.zip").write_bytes((folder / "responder.zip").read_bytes())  # its libraries are large
        assert deploy.upload(s3, BUCKET, "v1", folder) == 4

    def client(self, service: str) -> Any:
        return dynamodb.client(service, REGION, self.url)

    def deploy(self, template: str, **given: str) -> dict[str, str]:
        packages = {"CodeBucket": BUCKET, "CodePrefix": "v1"}
        name, client = f"pc-{template}", self.cloudformation
        body = (deploy.TEMPLATES / f"{template}.yaml").read_text("utf-8")
        # Not by change set: moto forgets the outputs of a stack that one created.
        client.create_stack(
            StackName=name, TemplateBody=body, Parameters=deploy.parameters_of(template, packages | given)
        )
        return deploy.outputs(client, name)

    def made(self, template: str) -> dict[str, str]:
        """Logical id -> physical id of what the emulator made of a stack."""
        told = self.cloudformation.describe_stack_resources(StackName=f"pc-{template}")["StackResources"]
        return {
            one.get("LogicalResourceId", ""): one["PhysicalResourceId"] for one in told if "PhysicalResourceId" in one
        }


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "local")
        with embedded_aws(free_port(), folder / "aws.log") as url:
            (folder / "dist").mkdir()
            yield Cloud(url, folder / "dist")


@pytest.fixture(scope="module")
def stream(cloud: Cloud) -> dict[str, str]:
    return cloud.deploy("stream")


@pytest.fixture(scope="module")
def state(cloud: Cloud) -> dict[str, str]:
    return cloud.deploy("state", TablePrefix="cf.")


def test_the_stack_shows_its_changes_before_it_makes_them(cloud: Cloud) -> None:
    said: list[str] = []

    def refuses() -> bool:
        return False

    with pytest.raises(deploy.DeployError, match="nothing was changed"):
        deploy.deploy(cloud.cloudformation, "pc-refused", "state", {}, refuses, said.append)
    assert any(line.split()[1] == "States" for line in said)
    names = [one["TableName"] for one in map(tables.create_request, tables.ALL)]
    assert not set(names) & set(cloud.client("dynamodb").list_tables()["TableNames"])
    with pytest.raises(deploy.DeployError, match="response needs StatesStreamArn"):
        deploy.parameters_of("response", {"CodeBucket": BUCKET})


def test_tables_of_cloudformation_are_those_of_the_command(cloud: Cloud, state: dict[str, str]) -> None:
    dynamodb.create(REGION, cloud.url, "cli.")
    client = cloud.client("dynamodb")
    told = ("AttributeDefinitions", "KeySchema", "StreamSpecification")  # moto's CloudFormation leaves TTL out
    for definition in tables.ALL:
        pair = [client.describe_table(TableName=f"{prefix}{definition.name}")["Table"] for prefix in ("cf.", "cli.")]
        for name in told:
            assert pair[0].get(name) == pair[1].get(name), (definition.name, name)
    assert dynamodb.create(REGION, cloud.url, "cf.") == [], "the command finds nothing to add"


def test_the_jobs_writes_work_on_tables_of_cloudformation(cloud: Cloud, state: dict[str, str]) -> None:
    made = dynamodb.connect(REGION, cloud.url, state["TablePrefix"])
    add_repeats(made, "shop", [reboot(0, [1, 2])], batch_stamp(1, 0), 100, NOW)
    assert renew(made, "shop", NOW, DEFAULT).writes > 0
    (stored,) = load_events(made, "shop").values()
    assert stored.event.count == 2


def test_lines_travel_from_a_log_group_to_the_stream_of_cloudformation(cloud: Cloud, stream: dict[str, str]) -> None:
    loaded = settings.load(overrides={"aws": {"endpoint_url": cloud.url}, "stream": {"name": stream["StreamName"]}})
    ingest = cloud.deploy("ingest", StreamArn=stream["StreamArn"], LogsRoleArn=stream["LogsRoleArn"])
    assert set(ingest.values()) == {"/probable-cause/trail", "/probable-cause/config", "/probable-cause/flow"}
    account.subscribe(loaded, ingest.values(), stream["StreamArn"])  # by hand: moto's CloudFormation has no filters
    writer = account.LogWriter(replace(loaded))
    writer.put(ingest["TrailLogGroup"], "s", [(int(wall_clock().timestamp() * 1000), json.dumps({"eventName": "X"}))])
    kinesis = cloud.client("kinesis")
    records = []
    for shard in kinesis.list_shards(StreamName=stream["StreamName"])["Shards"]:
        start = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = kinesis.get_shard_iterator(StreamName=stream["StreamName"], **start)["ShardIterator"]
        records += kinesis.get_records(ShardIterator=iterator)["Records"]
    assert records


def test_the_responder_is_wired_to_the_table_and_its_queues(cloud: Cloud, state: dict[str, str]) -> None:
    told = cloud.deploy("response", StatesStreamArn=state["StatesStreamArn"], TablePrefix="cf.")
    functions = cloud.client("lambda")
    function = functions.get_function_configuration(FunctionName=told["FunctionName"])
    variables = function["Environment"]["Variables"]
    assert variables["SENT_TABLE"] == "cf.SentTransitions" and variables["EVENT_BUS"] == told["BusName"]
    sources = functions.list_event_source_mappings(FunctionName=told["FunctionName"])["EventSourceMappings"]
    assert state["StatesStreamArn"] in {one["EventSourceArn"] for one in sources} and len(sources) == 2
    (mapping,) = [one for one in sources if one["EventSourceArn"] == state["StatesStreamArn"]]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    pattern = json.loads(
        load("response")["Resources"]["FromStream"]["Properties"]["FilterCriteria"]["Filters"][0]["Pattern"]
    )
    assert pattern == {"dynamodb": {"Keys": {"StateKey": {"S": ["overall#current"]}}}}


def test_the_refresher_is_scheduled_and_knows_its_tags(cloud: Cloud) -> None:
    told = cloud.deploy("lookup", ApplicationTags="Application,team", TablePrefix="cf.")
    function = cloud.client("lambda").get_function_configuration(FunctionName=told["FunctionName"])
    lookup = json.loads(function["Environment"]["Variables"]["LOOKUP"])
    assert lookup == {"application_tags": ["Application", "team"], "regions": [], "roles": []}
    rule = cloud.client("events").describe_rule(Name=cloud.made("lookup")["Schedule"])
    assert rule["ScheduleExpression"] == "rate(5 minutes)" and rule["State"] == "ENABLED"


def test_a_stack_is_made_and_updated_by_change_sets_that_are_shown(cloud: Cloud) -> None:
    def change(**given: str) -> list[str]:
        said: list[str] = []
        deploy.deploy(cloud.cloudformation, "pc-changes", "stream", given, lambda: True, said.append)
        return said

    assert any(line.split()[:2] == ["+", "Stream"] for line in change(StreamName="second"))
    change(StreamName="second", RetentionHours="96")
    assert "second" in cloud.client("kinesis").list_streams()["StreamNames"]


@pytest.mark.parametrize(
    ("template", "given"),
    [
        ("analysis", {"StreamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/probable-cause"}),
        (
            "alarms",
            {"DeadLettersName": "dead", "ResponderName": "responder", "RefresherName": "refresher"},
        ),
        (
            "spoke",
            {
                "DestinationArn": "arn:aws:logs:us-east-1:123456789012:destination:probable-cause-spokes",
                "HubLookupRoleArn": "arn:aws:iam::123456789012:role/hub",
            },
        ),
    ],
)
def test_stacks_are_made_and_deleted(
    cloud: Cloud, stream: dict[str, str], template: str, given: dict[str, str]
) -> None:
    cloud.deploy(template, **given)
    assert cloud.made(template)
    deploy.delete(cloud.cloudformation, f"pc-{template}")
    with pytest.raises(Exception, match="does not exist"):
        cloud.cloudformation.describe_stacks(StackName=f"pc-{template}")


def test_the_pages_files_are_put_with_their_types_and_the_pools_address(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    deploy.ensure_bucket(s3, "site-of-tests", REGION)
    folder = package.ROOT / "probable_cause" / "dashboard" / "site"
    pool = {"PoolDomain": "probable-cause-1", "PoolClientId": "abc"}
    assert deploy.put_site(s3, "site-of-tests", pool, REGION, folder) > 10
    assert s3.head_object(Bucket="site-of-tests", Key="js/main.js")["ContentType"].endswith("javascript")
    auth = json.loads(s3.get_object(Bucket="site-of-tests", Key="auth.json")["Body"].read())
    assert auth["client_id"] == "abc" and auth["token"].startswith("https://probable-cause-1.auth.us-east-1.")


def test_a_run_is_started_in_place_of_the_one_that_goes_on(cloud: Cloud, tmp_path: Path) -> None:
    emr, s3 = cloud.client("emr-serverless"), cloud.client("s3")
    # moto knows no release of Spark 4; that the template's label is right is said by AWS' documentation only.
    made = emr.create_application(name="a", releaseLabel="emr-6.6.0", type="SPARK")
    deploy.ensure_bucket(s3, "job-of-tests", REGION)
    told = {
        "ApplicationId": made["applicationId"],
        "JobRoleArn": "arn:aws:iam::123456789012:role/job",
        "BucketName": "job-of-tests",
        "LogGroupName": "/probable-cause/job",
    }
    for name in ("stream.py", "job.yml"):
        (tmp_path / name).write_text("x")
    with pytest.raises(deploy.DeployError, match="tools/environment.sh"):
        deploy.start_job(s3, emr, told, "v1", tmp_path / "job.yml", tmp_path)
    (tmp_path / "environment.tar.gz").write_text("x")
    # moto's StartJobRun lacks `mode` and `retryPolicy`: the request is held against boto3's own model.
    request = deploy.job_request(told, "v1")
    client = boto3.client("emr-serverless", region_name=REGION)
    shape = client.meta.service_model.operation_model("StartJobRun").input_shape
    from botocore.validate import ParamValidator

    assert not ParamValidator().validate({**request, "clientToken": "t"}, shape).has_errors()
    assert request["mode"] == "STREAMING" and request["retryPolicy"]


def test_the_job_runs_all_scenarios_on_what_cloudformation_made(cloud: Cloud, tmp_path: Path) -> None:
    for template, given in (
        ("stream", {"StreamName": "job", "StreamMode": "PROVISIONED", "ShardCount": "2"}),
        ("state", {"TablePrefix": "job."}),
    ):
        cloud.cloudformation.create_stack(
            StackName=f"pc-job-{template}",
            TemplateBody=(deploy.TEMPLATES / f"{template}.yaml").read_text("utf-8"),
            Parameters=deploy.parameters_of(template, given),
        )
    made = cloud.client("kinesis").describe_stream_summary(StreamName="job")["StreamDescriptionSummary"]
    assert dynamodb.create(REGION, cloud.url, "job.") == [], "the demo finds nothing to add"
    conf = tmp_path / "account.yml"
    overlay = {"aws": {"endpoint_url": cloud.url}, "stream": {"name": "job"}, "tables": {"prefix": "job."}}
    conf.write_text(yaml.safe_dump(overlay), encoding="utf-8")
    command = [sys.executable, "-m", "probable_cause.cli", "demo", "--once", "--conf", str(conf)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    said = done.stdout + done.stderr
    held = re.search(r"(\d+) of (\d+) expectations held", said)
    assert done.returncode == 0 and held is not None and held[1] == held[2], said[-3000:]
    told = cloud.client("kinesis").describe_stream_summary(StreamName="job")["StreamDescriptionSummary"]
    assert (told["StreamARN"], told["OpenShardCount"]) == (made["StreamARN"], 2), "it was played into that stream"
    judged = dynamodb.connect(REGION, cloud.url, "job.").states.scan()
    assert len({one["ApplicationId"] for one in judged if one["StateKey"] == "overall#current"}) > 5
