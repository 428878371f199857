"""Bundles where another change of the same kind competes with the cause, and only the evidence decides; and crowds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.incidents.aws_lines import config_change
from benchmarks.incidents.causes import ACCESS, CAUSES, COMPUTE, DATA, NETWORK, Cause, permission
from benchmarks.incidents.story import Story, deployer
from benchmarks.incidents.truths import layer, some, truth


def _close(story: Story, seconds: float, group: str, port: int) -> None:
    """Revokes a port of a group of the application."""
    parameters = {"groupId": story.world[group], "ipPermissions": permission(story.world, port)}
    story.call(seconds, "ec2", "RevokeSecurityGroupIngress", parameters, response={"_return": True})


def duel_by_port(story: Story) -> None:
    """Two groups lose a port within two minutes; the refused flows are for one of them."""
    first = story.draw.random() < 0.5
    _close(story, -100 if first else 0, "sg", 5432)
    _close(story, 0 if first else -100, "sg2", 9092)
    story.refused(8, 400, 12)
    story.daily(-1200, 400, 8)
    where = {"action": "RevokeSecurityGroupIngress", "resource_id": story.world["sg"]}
    story.expect(700, {"event_type": "network", **where}, {"network": where})


def duel_by_name(story: Story) -> None:
    """Two databases are stopped; the errors name one of them."""
    world = story.world
    mine, other = story.draw.sample([-90.0, 0.0], 2)
    story.cause(mine, CAUSES["database-stopped"])
    story.call(other, "rds", "StopDBInstance", {"dBInstanceIdentifier": world["db2"]})
    story.trouble("database-named", 15, 400, 12)
    story.daily(-1200, 400, 8)
    where = {"cloudsystem": layer(story, "database-stopped"), "application": {"deferred_from": "cloudsystem"}}
    story.expect(700, truth(story, "database-stopped"), where)


def duel_by_role(story: Story) -> None:
    """Two roles lose a policy; the refused calls are of one of them."""
    world = story.world
    mine, other = story.draw.sample([-120.0, 0.0], 2)
    story.cause(mine, CAUSES["policy-detached"])
    lost = {"roleName": world["role2"], "policyArn": world.arn("iam", f"policy/{world['policy']}", False)}
    story.call(other, "iam", "DetachRolePolicy", lost)
    story.trouble("auth", 20, 400, 12)
    story.daily(-1200, 400, 8)
    story.expect(700, truth(story, "policy-detached"), {"application": {"deferred_from": "cloudsystem"}})


def duel_by_kind(story: Story) -> None:
    """A password and a load balancer's targets change in one minute; the database refuses the password."""
    mine, other = story.draw.sample([-40.0, 0.0], 2)
    story.cause(mine, CAUSES["secret-changed"])
    story.cause(other, CAUSES["targets-deregistered"])
    story.trouble("db-auth", 15, 400, 12)
    story.daily(-1200, 400, 8)
    story.expect(700, truth(story, "secret-changed"), {"application": {"deferred_from": "cloudsystem"}})


def duel_by_time(story: Story) -> None:
    """The same kind of change an hour before, which broke nothing, and half a minute before."""
    old, new = (
        ("database-rebooted", "database-failed-over")
        if story.draw.random() < 0.5
        else ("cache-rebooted", "database-rebooted")
    )
    story.cause(-story.draw.uniform(2400, 4800), CAUSES[old])
    story.cause(0, CAUSES[new])
    story.trouble("database", 25, 300, 12)
    story.daily(-5000, 400, 14)
    story.expect(700, truth(story, new), {"cloudsystem": layer(story, new)})


def duel_by_order(story: Story) -> None:
    """One change just before the first error, a graver one just after it."""
    story.cause(0, CAUSES["cache-rebooted"])
    story.cause(story.draw.uniform(90, 140), CAUSES["instance-terminated"])
    story.trouble("connectivity", 10, 400, 16)
    story.daily(-1200, 400, 8)
    story.expect(700, truth(story, "cache-rebooted"), {"application": {"deferred_from": "cloudsystem"}})


def duel_by_actor(story: Story) -> None:
    """The pipeline deploys as it does all day, and a person reboots the database by hand."""
    world = story.world
    update = {"cluster": world["ecs"], "service": world["service"], "taskDefinition": world["service"] + ":7"}
    for moment in (-9000, -5400, -1900, -30):
        story.call(moment, "ecs", "UpdateService", update, deployer(world))
    story.cause(0, CAUSES["database-rebooted"])
    story.trouble("database", 12, 300, 12)
    story.daily(-1200, 400, 8)
    story.expect(700, truth(story, "database-rebooted"), {"application": {"deferred_from": "cloudsystem"}})


def duel_by_effect(story: Story) -> None:
    """One call opens, allows or grows; another of the same name closes, denies or shrinks."""
    world = story.world
    if some(story, "acl", "fleet") == "acl":
        allow = {"networkAclId": world["acl2"], "ruleNumber": 40, "egress": False, "ruleAction": "allow",
                 "cidrBlock": world.cidr, "aclProtocol": "6", "portRange": {"from": 5432, "to": 5432}}  # fmt: skip
        story.call(-20, "ec2", "CreateNetworkAclEntry", allow, response={"_return": True})
        name = "nacl-deny-added"
        story.cause(-60, CAUSES[name])
        story.refused(5, 400, 12)
    else:
        grow = {"autoScalingGroupName": world["asg2"], "minSize": 4, "maxSize": 12, "desiredCapacity": 8}
        story.call(-20, "autoscaling", "UpdateAutoScalingGroup", grow)
        name = "fleet-scaled-to-zero"
        story.cause(-60, CAUSES[name])
        story.trouble("availability", 5, 400, 12)
    story.daily(-1200, 400, 8)
    story.expect(700, truth(story, name))


def duel_by_config(story: Story) -> None:
    """Config sees a group's tags change and another group lose a port; CloudTrail is not there."""
    world = story.world
    tags = {
        "Configuration.Tags.0": {
            "previousValue": None,
            "updatedValue": {"key": "a", "value": "b"},
            "changeType": "CREATE",
        }
    }
    line = config_change(
        story.draw,
        story.at(5),
        "AWS::EC2::SecurityGroup",
        world["sg2"],
        tags,
        account=world.account,
        region=world.region,
    )
    story.recorder.add("aws_config", world.layout.config, "groups", story.at(5), line)
    story.config(40, CAUSES["sg-ingress-revoked"])
    story.refused(12, 400, 12)
    story.daily(-1200, 400, 8)
    where = {"resource_id": world["sg"]}
    story.expect(700, {"event_type": "network", **where}, {"network": where})


def _crowd(story: Story, of: tuple[Cause, ...]) -> None:
    """Nine other changes of the application, at any time in the forty minutes before the first symptom, and two after;
    one did it. Sometimes nothing in the logs could tell which: these bundles show what a confidence is worth."""
    draw = story.draw
    cause = draw.choice(of)
    others = [one for one in CAUSES.values() if one.name != cause.name and one.resource != cause.resource]
    lag = draw.uniform(*cause.lag) * draw.choice((1, 1, 2, 4))
    for other in draw.sample(others, 9):
        actor = deployer(story.world) if draw.random() < 0.5 else None
        story.cause(draw.uniform(-2400, lag), other, actor)
    story.cause(0, cause, deployer(story.world) if draw.random() < 0.4 else None)
    for kind in cause.symptoms:
        if kind == "reject":
            story.refused(lag, lag + 300, 8)
        else:
            story.trouble(kind, lag + draw.uniform(0, 20), lag + 300, 8)
    for other in draw.sample(others, 2):
        story.cause(lag + draw.uniform(60, 300), other)
    story.grumble(-7000, 300, 3)
    story.expect(lag + 700, truth(story, cause.name))


def crowd_network(story: Story) -> None:
    """A crowd of changes; the cause is one of the network."""
    _crowd(story, NETWORK)


def crowd_compute(story: Story) -> None:
    """A crowd of changes; the cause is one of the machines, services and deployments."""
    _crowd(story, COMPUTE)


def crowd_data(story: Story) -> None:
    """A crowd of changes; the cause is one of the databases, caches and queues."""
    _crowd(story, DATA)


def crowd_access(story: Story) -> None:
    """A crowd of changes; the cause is one of the policies, keys and secrets."""
    _crowd(story, ACCESS)


DUELS: Mapping[str, tuple[Callable[[Story], None], str]] = {
    one.__name__.replace("_", "-"): (one, "hard")
    for one in (
        duel_by_port, duel_by_name, duel_by_role, duel_by_kind, duel_by_time, duel_by_order, duel_by_actor,
        duel_by_effect, duel_by_config,
    )
}  # fmt: skip
CROWDS: Mapping[str, tuple[Callable[[Story], None], str]] = {
    one.__name__.replace("_", "-"): (one, "crowd") for one in (crowd_network, crowd_compute, crowd_data, crowd_access)
}
