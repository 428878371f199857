"""`make deploy STACK=main`: uploads dist/, shows what CloudFormation would change, and does it when you say yes.

    python -m tools.deploy main --bucket my-code --param VpcId=vpc-0abc --param AlarmEmail=me@example.org
    python -m tools.deploy state --delete
    python -m tools.deploy job --conf my.yml           # starts (or replaces) the run of the streaming job
    python -m tools.deploy site                    # puts the page's files into their bucket
    python -m tools.deploy search-contents         # index template, retention, role, searches into the domain

STACK is a template of infra/cloudformation, or one of the last three. Credentials and region are boto3's own.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import sys
import time
import urllib.error
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError, WaiterError

from tools import search_contents

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
TEMPLATES = ROOT / "infra" / "cloudformation"
AFTERWARDS = ("job", "site", "search-contents")  # what is put into stacks that are there
_POLL = 2.0  # seconds
_NOTHING = ("didn't contain changes", "No updates are to be performed")

Say = Callable[[str], None]


class DeployError(Exception):
    """What went wrong, and what to do."""


def upload(s3: Any, bucket: str, prefix: str, folder: Path = DIST) -> int:
    """Puts everything under `folder` that a deployment needs into the bucket; returns how many files."""
    files = [one for one in sorted(folder.rglob("*")) if one.is_file() and "libraries" not in one.parts]
    if not files:
        raise DeployError(f"{folder} is empty: run `make package` first")
    for one in files:
        s3.upload_file(str(one), bucket, f"{prefix}/{one.relative_to(folder).as_posix()}")
    return len(files)


def ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    """Creates the bucket of the packages when it is missing: private, encrypted, versioned."""
    try:
        s3.head_bucket(Bucket=bucket)
        return
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise DeployError(f"bucket {bucket}: {exc}; choose another name with --bucket") from exc
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **where)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(names, True))


def parameters_of(template: str, given: dict[str, str]) -> list[dict[str, str]]:
    """Parameters for a template: those of `given` that it has. Raises DeployError for one that it lacks."""
    known = _parameters(template)
    missing = [name for name, default in known.items() if default is None and name not in given]
    if missing:
        raise DeployError(f"{template} needs {', '.join(missing)}: give each with --param NAME=VALUE")
    return [{"ParameterKey": name, "ParameterValue": given[name]} for name in known if name in given]


def _parameters(template: str) -> dict[str, Any]:
    """name -> default (None without one). Only that part of the file is read, which has no tags of CloudFormation."""
    text = (TEMPLATES / f"{template}.yaml").read_text("utf-8")
    part = text[text.index("\nParameters:") :]
    end = next((part.index(f"\n{name}:") for name in ("Conditions", "Resources") if f"\n{name}:" in part), len(part))
    return {name: one.get("Default") for name, one in yaml.safe_load(part[:end])["Parameters"].items()}


def deploy(
    cloudformation: Any, name: str, template: str, given: dict[str, str], agree: Callable[[], bool], say: Say
) -> dict[str, str]:
    """Creates or updates one stack by a change set; returns its outputs.

    Args:
        agree: asked after the changes were shown; False drops the change set.

    Raises:
        DeployError: CloudFormation refused or failed, with its reasons.
    """
    kind = "UPDATE" if _exists(cloudformation, name) else "CREATE"
    change_set = f"change-{int(time.time())}"
    cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=change_set,
        ChangeSetType=kind,
        TemplateBody=(TEMPLATES / f"{template}.yaml").read_text("utf-8"),
        Parameters=parameters_of(template, given),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Tags=[{"Key": "Application", "Value": "probable-cause"}],
        **({"IncludeNestedStacks": True} if template == "main" else {}),
    )
    told = _settled(cloudformation, name, change_set)
    if told["Status"] == "FAILED":
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
        if any(words in told.get("StatusReason", "") for words in _NOTHING):
            say(f"{name}: nothing to change")
            return outputs(cloudformation, name)
        raise DeployError(f"{name}: {told.get('StatusReason')}")
    for line in preview(told.get("Changes", ())):
        say(line)
    if not agree():
        cloudformation.delete_change_set(StackName=name, ChangeSetName=change_set)
        raise DeployError("nothing was changed")
    cloudformation.execute_change_set(StackName=name, ChangeSetName=change_set)
    try:
        cloudformation.get_waiter(f"stack_{kind.lower()}_complete").wait(
            StackName=name, WaiterConfig={"Delay": 5, "MaxAttempts": 720}
        )
    except WaiterError as exc:
        raise DeployError(f"{name} failed:\n" + "\n".join(failures(cloudformation, name))) from exc
    return outputs(cloudformation, name)


def _exists(cloudformation: Any, name: str) -> bool:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError:
        return False
    return stack["StackStatus"] != "REVIEW_IN_PROGRESS"  # a change set was made and dropped: there is no stack yet


def _settled(cloudformation: Any, name: str, change_set: str) -> dict[str, Any]:
    while True:
        told: dict[str, Any] = cloudformation.describe_change_set(StackName=name, ChangeSetName=change_set)
        if told["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            return told
        time.sleep(_POLL)


def preview(changes: Iterable[dict[str, Any]]) -> list[str]:
    """A line for each change; what is replaced or removed stands out."""
    lines = []
    for one in changes:
        change = one["ResourceChange"]
        sign = {"Add": "+", "Remove": "-", "Modify": "~"}.get(change["Action"], "?")
        replaced = "  REPLACED" if change.get("Replacement") == "True" else ""
        lines.append(f"  {sign} {change['LogicalResourceId']:<28} {change['ResourceType']}{replaced}")
    return lines


def failures(cloudformation: Any, name: str) -> list[str]:
    """Why resources of a stack failed."""
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return [
        f"  {one['LogicalResourceId']}: {one.get('ResourceStatusReason', '')}"
        for one in events
        if one["ResourceStatus"].endswith("FAILED")
    ]


def outputs(cloudformation: Any, name: str) -> dict[str, str]:
    """Outputs of a stack by name."""
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}


def delete(cloudformation: Any, name: str) -> None:
    """Deletes a stack. What holds data stays (DeletionPolicy: Retain)."""
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 5})


def put_site(s3: Any, bucket: str, told: dict[str, str], region: str, folder: Path) -> int:
    """Puts the page's files, and auth.json when a user pool was made; returns how many files."""
    count = 0
    for one in sorted(folder.rglob("*")):
        if one.is_file():
            kind = mimetypes.guess_type(one.name)[0] or "application/octet-stream"
            key = one.relative_to(folder).as_posix()
            s3.put_object(Bucket=bucket, Key=key, Body=one.read_bytes(), ContentType=kind, CacheControl="no-cache")
            count += 1
    if told.get("PoolClientId"):
        pool = f"https://{told['PoolDomain']}.auth.{region}.amazoncognito.com"
        auth = {
            "authorize": f"{pool}/oauth2/authorize",
            "token": f"{pool}/oauth2/token",
            "client_id": told["PoolClientId"],
            "scope": "openid email",
        }
        s3.put_object(Bucket=bucket, Key="auth.json", Body=json.dumps(auth), ContentType="application/json")
        count += 1
    return count


def job_request(told: dict[str, str], prefix: str) -> dict[str, Any]:
    """StartJobRun of EMR Serverless: a streaming run that starts again by itself when it fails."""
    base = f"s3://{told['BucketName']}/{prefix}"
    python = "./environment/bin/python"
    options = {
        "spark.archives": f"{base}/environment.tar.gz#environment",
        "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": python,
        "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": python,
        "spark.executorEnv.PYSPARK_PYTHON": python,
        "spark.files": f"{base}/job.yml",
        "spark.sql.streaming.stopTimeout": "120s",
        "spark.executor.cores": "2",
        "spark.executor.memory": "4g",
        "spark.driver.cores": "2",
        "spark.driver.memory": "4g",
    }
    submit = {
        "entryPoint": f"{base}/stream.py",
        "entryPointArguments": ["--conf", "job.yml"],
        "sparkSubmitParameters": " ".join(f"--conf {name}={value}" for name, value in options.items()),
    }
    log = {"cloudWatchLoggingConfiguration": {"enabled": True, "logGroupName": told["LogGroupName"]}}
    return {
        "applicationId": told["ApplicationId"],
        "executionRoleArn": told["JobRoleArn"],
        "name": "stream",
        "mode": "STREAMING",
        "retryPolicy": {"maxFailedAttemptsPerHour": 10},
        "jobDriver": {"sparkSubmit": submit},
        "configurationOverrides": {"monitoringConfiguration": log},
    }


def start_job(s3: Any, emr: Any, told: dict[str, str], prefix: str, conf: Path, folder: Path = DIST) -> str:
    """Uploads what the job needs, ends the runs that go on, starts one; returns its id."""
    if not (folder / "environment.tar.gz").is_file():
        raise DeployError(f"{folder}/environment.tar.gz is missing: tools/environment.sh makes it")
    for name in ("environment.tar.gz", "stream.py"):
        s3.upload_file(str(folder / name), told["BucketName"], f"{prefix}/{name}")
    s3.upload_file(str(conf), told["BucketName"], f"{prefix}/job.yml")
    states = ["PENDING", "SCHEDULED", "RUNNING", "SUBMITTED"]
    for one in emr.list_job_runs(applicationId=told["ApplicationId"], states=states)["jobRuns"]:
        emr.cancel_job_run(applicationId=told["ApplicationId"], jobRunId=one["id"])
    return str(emr.start_job_run(**job_request(told, prefix))["jobRunId"])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("stack", choices=[*sorted(one.stem for one in TEMPLATES.glob("*.yaml")), *AFTERWARDS])
    parser.add_argument("--name", help="of the stack (default: probable-cause, or probable-cause-<template>)")
    parser.add_argument("--bucket", help="for packages (default: probable-cause-code-<account>-<region>)")
    parser.add_argument("--prefix", default="probable-cause", help="folder in it; another one for each version")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--conf", type=Path, help="job: its configuration")
    parser.add_argument(
        "--from-stack", default="probable-cause", help="of what comes after: the stack that it is put into"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--delete", action="store_true", help="delete the stack; what holds data stays")
    chosen = parser.parse_args(arguments)
    try:
        return _run(chosen)
    except (DeployError, search_contents.SearchError, ClientError, urllib.error.URLError) as exc:
        sys.stderr.write(f"deploy: {exc}\n")
        return 1


def _run(chosen: argparse.Namespace) -> int:
    session = boto3.Session()
    region, s3 = session.region_name or "us-east-1", session.client("s3")
    cloudformation = session.client("cloudformation")
    if chosen.stack in AFTERWARDS:
        told = _nested_outputs(cloudformation, chosen.from_stack)
        if chosen.stack == "site":
            print(f"{put_site(s3, told['SiteBucket'], told, region, DIST / 'site')} files: {told.get('Url', '')}")
            return 0
        if chosen.stack == "search-contents":
            if "IndexerRoleArn" not in told:
                raise DeployError(f"{chosen.from_stack} has no search: deploy it with SearchMasterUserArn")
            credentials = session.get_credentials().get_frozen_credentials()
            domain = search_contents.Domain(f"https://{told['Endpoint']}", region, credentials)
            search_contents.put_all(domain, told["IndexerRoleArn"], print)
            print(f"Dashboards: {told['DashboardsUrl']}")
            return 0
        if chosen.conf is None:
            raise DeployError("give the job's configuration with --conf FILE")
        print(start_job(s3, session.client("emr-serverless"), told, chosen.prefix, chosen.conf))
        return 0
    name = chosen.name or ("probable-cause" if chosen.stack == "main" else f"probable-cause-{chosen.stack}")
    if chosen.delete:
        delete(cloudformation, name)
        return 0
    given = dict(one.split("=", 1) for one in chosen.param if "=" in one)
    if "CodeBucket" in _parameters(chosen.stack):
        account = session.client("sts").get_caller_identity()["Account"]
        bucket = chosen.bucket or f"probable-cause-code-{account}-{region}"
        ensure_bucket(s3, bucket, region)
        print(f"{upload(s3, bucket, chosen.prefix)} files to s3://{bucket}/{chosen.prefix}")
        given = {"CodeBucket": bucket, "CodePrefix": chosen.prefix} | given
    for output, value in deploy(cloudformation, name, chosen.stack, given, lambda: _agree(chosen.yes), print).items():
        print(f"{output}: {value}")
    return 0


def _agree(yes: bool) -> bool:
    return yes or input("Do this? [y/N] ").strip().lower() in ("y", "yes")


def _nested_outputs(cloudformation: Any, name: str) -> dict[str, str]:
    """Outputs of a stack and of those nested in it."""
    told = outputs(cloudformation, name)
    for one in cloudformation.describe_stack_resources(StackName=name)["StackResources"]:
        if one["ResourceType"] == "AWS::CloudFormation::Stack":
            told = outputs(cloudformation, one["PhysicalResourceId"]) | told
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
