"""What happens in any account and caused nothing: reads, failed calls, neighbours, pipelines, mitigations."""

from __future__ import annotations

from benchmarks.incidents.actors import aws_service, codepipeline
from benchmarks.incidents.causes import CAUSES, permission
from benchmarks.incidents.story import Story, deployer

DENIED = ("Client.UnauthorizedOperation", "You are not authorized to perform this operation.")
DRY_RUN = ("Client.DryRunOperation", "Request would have succeeded, but DryRun flag is set.")


def reads(story: Story, first: float, last: float, count: int) -> None:
    """Describe, List and Get calls by a monitor."""
    world = story.world
    calls = (
        ("ec2", "DescribeInstances", {"instancesSet": {"items": [{"instanceId": world["instance"]}]}}),
        ("ec2", "DescribeSecurityGroups", {"securityGroupSet": {"items": [{"groupId": world["sg"]}]}}),
        ("rds", "DescribeDBInstances", {"dBInstanceIdentifier": world["db"]}),
        ("iam", "GetRole", {"roleName": world["role"]}),
        ("sts", "AssumeRole", {"roleArn": world.arn("iam", f"role/{world['role']}", False), "roleSessionName": "app"}),
    )
    for _ in range(count):
        service, action, parameters = story.draw.choice(calls)
        story.call(story.draw.uniform(first, last), service, action, parameters, read_only=True)


def failures(story: Story, seconds: float) -> None:
    """Severe calls that did nothing: refused, and a dry run."""
    world = story.world
    stop = {"instancesSet": {"items": [{"instanceId": world["instance"]}]}}
    story.call(seconds, "ec2", "TerminateInstances", stop, error=DENIED)
    story.call(seconds + 7, "ec2", "StopInstances", stop, error=DRY_RUN)
    story.call(
        seconds + 15, "rds", "DeleteDBInstance", {"dBInstanceIdentifier": world["db"]},
        error=("InvalidDBInstanceStateFault", "Instance is not in available state."),
    )  # fmt: skip


def neighbours(story: Story, seconds: float) -> None:
    """Severe changes of another application."""
    world = story.world
    stop = {"instancesSet": {"items": [{"instanceId": world["far.instance"]}]}}
    story.call(seconds, "ec2", "StopInstances", stop)
    story.call(
        seconds + 20,
        "ec2",
        "RevokeSecurityGroupIngress",
        {"groupId": world["far.sg"], "ipPermissions": permission(world)},
    )


def harmless(story: Story, seconds: float) -> None:
    """Changes of this application that break nothing: tags, an opened port, an alarm, a backup setting."""
    world = story.world
    story.call(seconds, "ec2", "CreateTags", {"resourcesSet": {"items": [{"resourceId": world["instance"]}]},
               "tagSet": {"items": [{"key": "team", "value": "web"}]}}, deployer(world))  # fmt: skip
    opened = {"groupId": world["sg2"], "ipPermissions": permission(world, 9090)}
    story.call(seconds + 11, "ec2", "AuthorizeSecurityGroupIngress", opened, response={"_return": True})
    story.call(seconds + 25, "monitoring", "PutMetricAlarm", {"alarmName": f"{world.app}-cpu"}, deployer(world))


def churn(story: Story, first: float, last: float, count: int) -> None:
    """What the pipeline does all day: the same group opened and closed for its runner, log retention, tags."""
    world = story.world
    for number in range(count):
        moment = first + (last - first) * number / max(count - 1, 1)
        runner = {"groupId": world["sg2"], "ipPermissions": permission(world, 22)}
        story.call(moment, "ec2", "AuthorizeSecurityGroupIngress", runner, deployer(world), response={"_return": True})
        story.call(
            moment + 40, "ec2", "RevokeSecurityGroupIngress", runner, deployer(world), response={"_return": True}
        )


def by_itself(story: Story, seconds: float) -> None:
    """AWS replaces an instance of the fleet and rotates a log: no person, no pipeline."""
    world = story.world
    story.call(seconds, "ec2", "TerminateInstances", {"instancesSet": {"items": [{"instanceId": world["spare"]}]}},
               aws_service("autoscaling"))  # fmt: skip
    story.call(
        seconds + 4,
        "logs",
        "CreateLogStream",
        {"logGroupName": "/x", "logStreamName": "y"},
        codepipeline(world.account),
    )


def unlike(story: Story, seconds: float, symptoms: tuple[str, ...]) -> None:
    """A severe change of this application that can't explain these symptoms: a red herring before them."""
    about_access = {"auth", "kms", "db-auth"} & set(symptoms)
    about_throttling = "throttling" in symptoms
    if about_access or about_throttling:
        story.cause(seconds, CAUSES["targets-deregistered"])
    else:
        story.cause(seconds, CAUSES["policy-detached"])


def mitigation(story: Story, seconds: float) -> None:
    """What on-call tries after the first alarm: a reboot of another instance, and opening a port."""
    world = story.world
    story.call(seconds, "ec2", "RebootInstances", {"instancesSet": {"items": [{"instanceId": world["instance2"]}]}},
               response={"_return": True})  # fmt: skip
    opened = {"groupId": world["sg2"], "ipPermissions": permission(world, 8080)}
    story.call(seconds + 30, "ec2", "AuthorizeSecurityGroupIngress", opened, response={"_return": True})
