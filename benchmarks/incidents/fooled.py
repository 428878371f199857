"""Bundles whose cause is hard to see: stale rivals, undone, double, hidden, late, slow, repeated, shared."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.incidents import noise
from benchmarks.incidents.actors import through_cloudformation
from benchmarks.incidents.causes import CAUSES, permission
from benchmarks.incidents.story import Story, deployer
from benchmarks.incidents.truths import HEALTHY, HOUR, layer, some, truth


def stale_and_true(story: Story) -> None:
    """A severe change of yesterday, and the true cause of today."""
    story.cause(-story.draw.uniform(20, 30) * HOUR, CAUSES["instance-rebooted"])
    name = some(story, "database-stopped", "database-rebooted", "cache-rebooted")
    story.cause(0, CAUSES[name])
    story.daily(-1200, 400, 12)
    story.trouble("database" if name.startswith("database") else "connectivity", 20, 400, 14)
    story.expect(700, truth(story, name), {"application": {"deferred_from": "cloudsystem"}})


def undone(story: Story) -> None:
    """Closed by mistake and opened again: the symptoms have ended, and nothing is to blame any more."""
    world = story.world
    story.cause(0, CAUSES["sg-ingress-revoked"], delay=60)
    story.refused(20, 240, 9)
    again = {"groupId": world["sg"], "ipPermissions": permission(world)}
    story.call(260, "ec2", "AuthorizeSecurityGroupIngress", again, response={"_return": True})
    story.daily(-1200, 700, 12)
    story.expect(250, truth(story, "sg-ingress-revoked"), {"network": layer(story, "sg-ingress-revoked")})
    story.expect(900, "none", counts=[{"event_type": "network", "action": "REJECT", "count": 9}])


def started_again(story: Story) -> None:
    """Stopped, and started again after ten minutes."""
    world = story.world
    story.cause(0, CAUSES["instance-stopped"], delay=60)
    story.trouble("connectivity", 20, 580, 14)
    story.call(600, "ec2", "StartInstances", {"instancesSet": {"items": [{"instanceId": world["instance"]}]}})
    story.daily(-1200, 1000, 12)
    story.expect(500, truth(story, "instance-stopped"), {"cloudsystem": layer(story, "instance-stopped")})
    story.expect(1300, "none", {"cloudsystem": "healthy"})


def two_at_once(story: Story) -> None:
    """Two true causes in two layers within a minute, each with symptoms of its own."""
    access = some(story, "policy-detached", "inline-policy-deleted")
    story.cause(0, CAUSES["sg-ingress-revoked"])
    story.cause(30, CAUSES[access])
    story.refused(15, 400, 10)
    story.trouble("database", 20, 400, 10)
    story.trouble("auth", 50, 400, 10)
    story.daily(-1200, 400, 10)
    layers = {"network": layer(story, "sg-ingress-revoked"), "cloudsystem": layer(story, access)}
    story.expect(800, layers=layers, counts=[{"event_type": "network", "action": "REJECT", "count": 10}])


def config_only(story: Story) -> None:
    """No trail: only AWS Config saw the change, a little late."""
    name = some(story, "sg-ingress-revoked", "nacl-deny-added")
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
    name = some(story, "database-stopped", "nacl-deny-added", "route-deleted")
    cause = CAUSES[name]
    story.cause(0, cause, delay=880)
    symptom = "timeout" if name == "route-deleted" else "database"
    story.trouble(symptom, 12, 800, 16)
    story.daily(-1200, 800, 10)
    story.expect(300, "none")
    story.expect(
        1000, truth(story, name), {cause.layer: layer(story, name), "application": {"deferred_from": cause.layer}}
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
    story.expect(900, truth(story, "nacl-deny-added"), {"network": layer(story, "nacl-deny-added")}, counts)


def churn_and_a_person(story: Story) -> None:
    """A pipeline opens and closes a group all day; a person's one change of another group broke it."""
    noise.churn(story, -5 * HOUR, -400, 6)
    story.cause(0, CAUSES["sg-ingress-revoked"])
    story.refused(10, 400, 12)
    story.trouble("database", 14, 400, 8)
    story.daily(-1200, 400, 8)
    layers = {"network": layer(story, "sg-ingress-revoked"), "application": {"deferred_from": "network"}}
    story.expect(700, truth(story, "sg-ingress-revoked"), layers)


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
    story.trouble(some(story, "deploy", "crash"), 40, 400, 14)
    story.daily(-1200, 400, 10)
    where = {"action": "UpdateStack", "resource_id": world["stack"]}
    story.expect(700, {"event_type": "cloudsystem", **where}, {"application": {"deferred_from": "cloudsystem"}})


def shared_group(story: Story) -> None:
    """One security group serves two applications: both are told, with their own counts."""
    name = "sg-ingress-revoked"
    story.cause(0, CAUSES[name])
    story.refused(10, 400, 9)
    story.daily(-1200, 400, 8)
    story.shared.append((story.world["sg"], "AWS::EC2::SecurityGroup"))
    shown = {"network": layer(story, name)}
    story.expect(700, truth(story, name), shown, [{"event_type": "network", "action": "REJECT", "count": 9}])
    story.expect(700, "none", shown, app=story.world.neighbour)


def slow_burn(story: Story) -> None:
    """A deployment leaks: the first symptom comes after an hour and a half, with a harmless change just before it."""
    world = story.world
    story.cause(-1.5 * HOUR, CAUSES["bad-image-deployed"], deployer(world))
    noise.harmless(story, -200)
    story.trouble("memory", 0, 500, 14)
    story.daily(-1200, 500, 10)
    story.expect(900, truth(story, "bad-image-deployed"), {"application": {"deferred_from": "cloudsystem"}})


def acknowledged_then_another(story: Story) -> None:
    """A reboot is acknowledged; then a route is deleted and the symptoms come again."""
    story.cause(0, CAUSES["instance-rebooted"], delay=60)
    story.trouble("connectivity", 20, 140, 8)
    story.act(400, "acknowledge", "cloudsystem")
    story.cause(1800, CAUSES["nacl-allow-deleted"])
    story.refused(1815, 2200, 8)
    story.trouble("connectivity", 1822, 2200, 8)
    story.daily(-1200, 2200, 8)
    layers = {"network": layer(story, "nacl-allow-deleted"), "cloudsystem": layer(story, "instance-rebooted")}
    story.expect(300, truth(story, "instance-rebooted"), {"application": {"deferred_from": "cloudsystem"}})
    story.expect(2500, truth(story, "nacl-allow-deleted"), layers | {"application": {"deferred_from": "network"}})


def resolved_and_quiet(story: Story) -> None:
    """An operator resolves the cause; hours later all windows of the symptoms have passed."""
    story.cause(0, CAUSES["database-rebooted"], delay=60)
    story.trouble("database", 10, 160, 10)
    story.act(600, "resolve", "cloudsystem")
    story.expect(500, truth(story, "database-rebooted"), {"application": {"deferred_from": "cloudsystem"}})
    story.expect(700, "none", {"cloudsystem": "healthy"})
    story.expect(7 * HOUR, "none", HEALTHY)


def grumbling_all_day(story: Story) -> None:
    """Warnings and errors of every day before, during and after; between them, one true cause."""
    name = some(story, "database-stopped", "database-failed-over")
    story.grumble(-4 * HOUR, 500, 14)
    story.cause(0, CAUSES[name])
    story.trouble("database", 25, 400, 14)
    story.daily(-1200, 400, 8)
    story.expect(
        700, truth(story, name), {"cloudsystem": layer(story, name), "application": {"deferred_from": "cloudsystem"}}
    )


def cascade_with_repairs(story: Story) -> None:
    """One failure shows as another and another, while on-call restarts things that then show too."""
    story.cause(0, CAUSES["database-stopped"])
    story.trouble("database", 12, 900, 14)
    story.trouble("availability", 80, 900, 10)
    story.trouble("memory", 300, 900, 6)
    noise.mitigation(story, 420)
    story.trouble("crash", 440, 900, 6)
    story.daily(-1200, 900, 8)
    where = {"cloudsystem": layer(story, "database-stopped"), "application": {"deferred_from": "cloudsystem"}}
    story.expect(1200, truth(story, "database-stopped"), where)


def clocks_apart(story: Story) -> None:
    """The host's clock is some seconds behind CloudTrail's: its errors seem to come first."""
    name = some(story, "queue-deleted", "key-disabled", "cache-rebooted")
    kind = {"queue-deleted": "queue-gone", "key-disabled": "kms", "cache-rebooted": "connectivity"}[name]
    story.cause(0, CAUSES[name])
    story.trouble(kind, -7, 300, 14)
    story.daily(-1200, 400, 8)
    story.expect(700, truth(story, name), {"application": {"deferred_from": "cloudsystem"}})


def window_before_the_change(story: Story) -> None:
    """Flow records of ten minutes whose window began before the group was closed; no application log at all."""
    story.window = 600
    story.cause(0, CAUSES["sg-ingress-revoked"])
    story.refused(-240, 1500, 6)
    layers = {"network": layer(story, "sg-ingress-revoked"), "application": "healthy"}
    story.expect(
        2400, truth(story, "sg-ingress-revoked"), layers, [{"event_type": "network", "action": "REJECT", "count": 6}]
    )


def again_after_resolution(story: Story) -> None:
    """A stop is resolved by an operator; the same instance is stopped again: a new episode, named again."""
    name = "instance-stopped"
    story.cause(0, CAUSES[name], delay=60)
    story.trouble("connectivity", 15, 300, 8)
    story.act(600, "resolve", "cloudsystem")
    story.cause(3600, CAUSES[name], delay=60)
    story.trouble("connectivity", 3615, 3900, 8)
    story.daily(-1200, 3900, 8)
    story.expect(700, "none", {"cloudsystem": "healthy"})
    counts = [{"event_type": "cloudsystem", "action": "StopInstances", "count": 1}]
    story.expect(4200, truth(story, name), {"cloudsystem": layer(story, name)}, counts)


FOOLED: Mapping[str, tuple[Callable[[Story], None], str]] = {
    one.__name__.replace("_", "-"): (one, difficulty)
    for one, difficulty in (
        (stale_and_true, "medium"), (undone, "hard"), (started_again, "medium"), (two_at_once, "hard"),
        (config_only, "medium"), (late_trail, "medium"), (twice_and_shuffled, "medium"), (churn_and_a_person, "hard"),
        (one_deployment, "medium"), (shared_group, "medium"),
        (slow_burn, "hard"), (acknowledged_then_another, "medium"),
        (resolved_and_quiet, "medium"), (grumbling_all_day, "hard"), (cascade_with_repairs, "hard"),
        (clocks_apart, "hard"), (window_before_the_change, "hard"), (again_after_resolution, "medium"),
    )
}  # fmt: skip
