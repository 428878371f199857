"""Bundles that try to fool: no cause at all, causes that are stale, undone, elsewhere, double, hidden or late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.incidents import noise
from benchmarks.incidents.aws_lines import through_cloudformation
from benchmarks.incidents.causes import CAUSES, permission
from benchmarks.incidents.story import Story, deployer

HOUR = 3600.0
HEALTHY = {"network": "healthy", "application": "healthy", "cloudsystem": "healthy"}


def _truth(story: Story, name: str) -> dict[str, Any]:
    cause = CAUSES[name]
    return {"event_type": cause.layer, "action": cause.action, "resource_id": story.world[cause.resource]}


def _layer(story: Story, name: str) -> dict[str, Any]:
    return {key: value for key, value in _truth(story, name).items() if key != "event_type"}


def _some(story: Story, *names: str) -> str:
    return story.draw.choice(names)


def no_cause(story: Story) -> None:
    """Symptoms without any change: a partner's outage."""
    story.daily(-1200, 400, 10)
    kind = _some(story, "timeout", "availability", "memory")
    story.trouble(kind, 0, 400, 14)
    noise.reads(story, -600, 100, 3)
    noise.failures(story, -120)
    noise.neighbours(story, -60)
    story.expect(700, "none", {"network": "healthy", "cloudsystem": "healthy"})


def quiet_day(story: Story) -> None:
    """A pipeline's churn, bots, reads and grumbling, and nothing wrong."""
    noise.churn(story, -5 * HOUR, -HOUR, 3)
    noise.harmless(story, -2 * HOUR)
    noise.by_itself(story, -900)
    story.daily(-4 * HOUR, 600, 16)
    story.grumble(-4 * HOUR, 500, 4)
    story.bots(-3 * HOUR, 500, 14)
    story.accepted(-HOUR, 500, 8)
    story.expect(900, "none", counts=[{"event_type": "network", "action": "REJECT", "count": 0}])


def quiet_after_deployment(story: Story) -> None:
    """A good deployment, and one error line of the usual kind some time after it."""
    world = story.world
    story.daily(-1800, 1800, 14)
    update = {"cluster": world["ecs"], "service": world["service"], "taskDefinition": world["service"] + ":88"}
    story.call(0, "ecs", "UpdateService", update, deployer(world))
    story.grumble(400, 1500, 3)
    story.expect(2100, "none")


def bots_all_day(story: Story) -> None:
    """Refused flows from outside only."""
    story.bots(-5 * HOUR, 600, 40)
    story.daily(-4 * HOUR, 600, 12)
    story.expect(900, "none", HEALTHY, [{"event_type": "network", "action": "REJECT", "count": 0}])


def only_after(story: Story) -> None:
    """Symptoms begin by themselves; what on-call changes afterwards is no cause."""
    story.daily(-1200, 500, 10)
    story.trouble(_some(story, "availability", "timeout"), 0, 800, 16)
    story.cause(300, CAUSES[_some(story, "instance-rebooted", "service-scaled-to-zero")])
    noise.mitigation(story, 420)
    story.expect(1100, "none")


def stale(story: Story) -> None:
    """A severe change that is more than a day old, and symptoms of today that it can't have caused."""
    story.cause(
        -story.draw.uniform(40, 60) * HOUR,
        CAUSES[_some(story, "instance-stopped", "database-rebooted", "route-deleted")],
    )
    story.daily(-1200, 400, 12)
    story.trouble(_some(story, "timeout", "availability"), 0, 400, 14)
    story.expect(700, "none")


def stale_and_true(story: Story) -> None:
    """A severe change of yesterday, and the true cause of today."""
    story.cause(-story.draw.uniform(20, 30) * HOUR, CAUSES["instance-rebooted"])
    name = _some(story, "database-stopped", "database-rebooted", "cache-rebooted")
    story.cause(0, CAUSES[name])
    story.daily(-1200, 400, 12)
    story.trouble("database" if name.startswith("database") else "connectivity", 20, 400, 14)
    story.expect(700, _truth(story, name), {"application": {"deferred_from": "cloudsystem"}})


def undone(story: Story) -> None:
    """Closed by mistake and opened again: the symptoms have ended, and nothing is to blame any more."""
    world = story.world
    story.cause(0, CAUSES["sg-ingress-revoked"], delay=60)
    story.refused(20, 240, 9)
    again = {"groupId": world["sg"], "ipPermissions": permission(world)}
    story.call(260, "ec2", "AuthorizeSecurityGroupIngress", again, response={"_return": True})
    story.daily(-1200, 700, 12)
    story.expect(250, _truth(story, "sg-ingress-revoked"), {"network": _layer(story, "sg-ingress-revoked")})
    story.expect(900, "none", counts=[{"event_type": "network", "action": "REJECT", "count": 9}])


def started_again(story: Story) -> None:
    """Stopped, and started again after ten minutes."""
    world = story.world
    story.cause(0, CAUSES["instance-stopped"], delay=60)
    story.trouble("connectivity", 20, 580, 14)
    story.call(600, "ec2", "StartInstances", {"instancesSet": {"items": [{"instanceId": world["instance"]}]}})
    story.daily(-1200, 1000, 12)
    story.expect(500, _truth(story, "instance-stopped"), {"cloudsystem": _layer(story, "instance-stopped")})
    story.expect(1300, "none", {"cloudsystem": "healthy"})


def neighbours_only(story: Story) -> None:
    """Everything that changed belongs to another application."""
    noise.neighbours(story, -40)
    story.daily(-1200, 400, 12)
    story.trouble("connectivity", 0, 400, 14)
    story.refused(5, 300, 6)
    story.expect(700, "none", {"cloudsystem": "healthy"}, [{"event_type": "network", "action": "REJECT", "count": 6}])


def failures_only(story: Story) -> None:
    """Severe calls before the symptoms, all of which failed or only rehearsed."""
    noise.failures(story, -50)
    noise.failures(story, -20)
    noise.reads(story, -300, 0, 4)
    story.daily(-1200, 400, 12)
    story.trouble("database", 0, 400, 14)
    story.expect(700, "none", {"network": "healthy", "cloudsystem": "healthy"})


def two_at_once(story: Story) -> None:
    """Two true causes in two layers within a minute, each with symptoms of its own."""
    access = _some(story, "policy-detached", "inline-policy-deleted")
    story.cause(0, CAUSES["sg-ingress-revoked"])
    story.cause(30, CAUSES[access])
    story.refused(15, 400, 10)
    story.trouble("database", 20, 400, 10)
    story.trouble("auth", 50, 400, 10)
    story.daily(-1200, 400, 10)
    layers = {"network": _layer(story, "sg-ingress-revoked"), "cloudsystem": _layer(story, access)}
    story.expect(800, layers=layers, counts=[{"event_type": "network", "action": "REJECT", "count": 10}])


def config_only(story: Story) -> None:
    """No trail: only AWS Config saw the change, a little late."""
    name = _some(story, "sg-ingress-revoked", "nacl-deny-added")
    cause = CAUSES[name]
    story.config(story.draw.uniform(15, 90), cause)
    story.refused(10, 400, 12)
    story.trouble("database", 14, 400, 10)
    story.daily(-1200, 400, 10)
    where = {"resource_id": story.world[cause.resource]}
    layers = {"network": where, "application": {"deferred_from": "network"}}
    story.expect(
        700, {"event_type": "network", **where}, layers, [{"event_type": "network", "action": "REJECT", "count": 12}]
    )


def late_trail(story: Story) -> None:
    """Symptoms are there for a quarter of an hour before CloudTrail delivers the cause."""
    name = _some(story, "database-stopped", "nacl-deny-added", "route-deleted")
    cause = CAUSES[name]
    story.cause(0, cause, delay=880)
    symptom = "timeout" if name == "route-deleted" else "database"
    story.trouble(symptom, 12, 800, 16)
    story.daily(-1200, 800, 10)
    story.expect(300, "none")
    story.expect(
        1000, _truth(story, name), {cause.layer: _layer(story, name), "application": {"deferred_from": cause.layer}}
    )


def twice_and_shuffled(story: Story) -> None:
    """Half of all lines come twice, minutes apart and out of order."""
    story.cause(0, CAUSES["nacl-deny-added"])
    story.refused(5, 300, 26)
    story.trouble("database", 8, 300, 8)
    story.recorder.duplicate(0.5, later=200)
    counts = [
        {"event_type": "network", "action": "REJECT", "count": 26},
        {"event_type": "network", "action": "CreateNetworkAclEntry", "count": 1},
    ]
    story.expect(900, _truth(story, "nacl-deny-added"), {"network": _layer(story, "nacl-deny-added")}, counts)


def churn_and_a_person(story: Story) -> None:
    """A pipeline opens and closes a group all day; a person's one change of another group broke it."""
    noise.churn(story, -5 * HOUR, -400, 6)
    story.cause(0, CAUSES["sg-ingress-revoked"])
    story.refused(10, 400, 12)
    story.trouble("database", 14, 400, 8)
    story.daily(-1200, 400, 8)
    layers = {"network": _layer(story, "sg-ingress-revoked"), "application": {"deferred_from": "network"}}
    story.expect(700, _truth(story, "sg-ingress-revoked"), layers)


def one_deployment(story: Story) -> None:
    """A stack update that makes many calls: one cause."""
    world, actor = story.world, deployer(story.world)
    story.call(
        0, "cloudformation", "UpdateStack", {"stackName": world["stack"], "capabilities": ["CAPABILITY_IAM"]}, actor
    )
    child = through_cloudformation(actor)
    story.call(8, "lambda", "UpdateFunctionCode20150331v2", {"functionName": world["function"]}, child)
    story.call(
        11, "lambda", "UpdateFunctionConfiguration20150331v2", {"functionName": world["function"], "timeout": 3}, child
    )
    story.call(15, "ecs", "UpdateService", {"cluster": world["ecs"], "service": world["service"],
               "taskDefinition": world["service"] + ":5"}, child)  # fmt: skip
    story.trouble(_some(story, "deploy", "crash"), 40, 400, 14)
    story.daily(-1200, 400, 10)
    where = {"action": "UpdateStack", "resource_id": world["stack"]}
    story.expect(700, {"event_type": "cloudsystem", **where}, {"application": {"deferred_from": "cloudsystem"}})


def shared_group(story: Story) -> None:
    """One security group serves two applications: both are told, with their own counts."""
    story.cause(0, CAUSES["sg-ingress-revoked"])
    story.refused(10, 400, 9)
    story.daily(-1200, 400, 8)
    truth, layer = _truth(story, "sg-ingress-revoked"), _layer(story, "sg-ingress-revoked")
    story.shared.append((story.world["sg"], "AWS::EC2::SecurityGroup"))
    story.expect(700, truth, {"network": layer}, [{"event_type": "network", "action": "REJECT", "count": 9}])
    story.expect(700, "none", {"network": layer}, app=story.world.neighbour)


def slow_burn(story: Story) -> None:
    """A deployment leaks: the first symptom comes after an hour and a half, with a harmless change just before it."""
    world = story.world
    story.cause(-1.5 * HOUR, CAUSES["bad-image-deployed"], deployer(world))
    noise.harmless(story, -200)
    story.trouble("memory", 0, 500, 14)
    story.daily(-1200, 500, 10)
    story.expect(900, _truth(story, "bad-image-deployed"), {"application": {"deferred_from": "cloudsystem"}})


def acknowledged_then_another(story: Story) -> None:
    """A reboot is acknowledged; then a route is deleted and the symptoms come again."""
    story.cause(0, CAUSES["instance-rebooted"], delay=60)
    story.trouble("connectivity", 20, 140, 8)
    story.act(400, "acknowledge", "cloudsystem")
    story.cause(1800, CAUSES["nacl-allow-deleted"])
    story.refused(1815, 2200, 8)
    story.trouble("connectivity", 1822, 2200, 8)
    story.daily(-1200, 2200, 8)
    layers = {"network": _layer(story, "nacl-allow-deleted"), "cloudsystem": _layer(story, "instance-rebooted")}
    story.expect(300, _truth(story, "instance-rebooted"), {"application": {"deferred_from": "cloudsystem"}})
    story.expect(2500, _truth(story, "nacl-allow-deleted"), layers | {"application": {"deferred_from": "network"}})


def resolved_and_quiet(story: Story) -> None:
    """An operator resolves the cause; hours later all windows of the symptoms have passed."""
    story.cause(0, CAUSES["database-rebooted"], delay=60)
    story.trouble("database", 10, 160, 10)
    story.act(600, "resolve", "cloudsystem")
    story.expect(500, _truth(story, "database-rebooted"), {"application": {"deferred_from": "cloudsystem"}})
    story.expect(700, "none", {"cloudsystem": "healthy"})
    story.expect(7 * HOUR, "none", HEALTHY)


FOOLED: Mapping[str, tuple[Callable[[Story], None], str]] = {
    one.__name__.replace("_", "-"): (one, difficulty)
    for one, difficulty in (
        (no_cause, "medium"), (quiet_day, "medium"), (quiet_after_deployment, "hard"), (bots_all_day, "easy"),
        (only_after, "hard"), (stale, "hard"), (stale_and_true, "medium"), (undone, "hard"), (started_again, "medium"),
        (neighbours_only, "medium"), (failures_only, "medium"), (two_at_once, "hard"), (config_only, "medium"),
        (late_trail, "medium"), (twice_and_shuffled, "medium"), (churn_and_a_person, "hard"),
        (one_deployment, "medium"),
        (shared_group, "medium"), (slow_burn, "hard"), (acknowledged_then_another, "medium"),
        (resolved_and_quiet, "medium"),
    )
}  # fmt: skip
