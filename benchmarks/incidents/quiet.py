"""Bundles where no cause may be named: nothing changed, nothing broke, or what changed did not break it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.incidents import noise
from benchmarks.incidents.causes import CAUSES, permission
from benchmarks.incidents.story import Story, deployer
from benchmarks.incidents.truths import HEALTHY, HOUR, some


def no_cause(story: Story) -> None:
    """Symptoms without any change: a partner's outage."""
    story.daily(-1200, 400, 10)
    kind = some(story, "timeout", "availability", "memory")
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
    story.trouble(some(story, "availability", "timeout"), 0, 800, 16)
    story.cause(300, CAUSES[some(story, "instance-rebooted", "service-scaled-to-zero")])
    noise.mitigation(story, 420)
    story.expect(1100, "none")


def stale(story: Story) -> None:
    """A severe change that is more than a day old, and symptoms of today that it can't have caused."""
    story.cause(
        -story.draw.uniform(40, 60) * HOUR,
        CAUSES[some(story, "instance-stopped", "database-rebooted", "route-deleted")],
    )
    story.daily(-1200, 400, 12)
    story.trouble(some(story, "timeout", "availability"), 0, 400, 14)
    story.expect(700, "none")


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


def unlike_change_before(story: Story) -> None:
    """A partner's outage, minutes after a person's severe change that can't show like this."""
    story.cause(
        -story.draw.uniform(100, 400), CAUSES[some(story, "policy-detached", "inline-policy-deleted", "key-disabled")]
    )
    story.daily(-1200, 400, 10)
    story.trouble("connectivity", 0, 400, 14)
    story.expect(700, "none", {"network": "healthy"})


def deployment_hours_before(story: Story) -> None:
    """A deployment that ran well for five hours; then a partner's outage."""
    story.cause(-5 * HOUR, CAUSES["bad-image-deployed"], deployer(story.world))
    story.daily(-5 * HOUR, 400, 14)
    story.trouble("timeout", 0, 400, 14)
    story.expect(700, "none", {"network": "healthy"})


def quiet_severe_changes(story: Story) -> None:
    """A person stops a spare instance and tidies a group; nothing depends on them, and the day grumbles as ever."""
    world = story.world
    story.call(-900, "ec2", "StopInstances", {"instancesSet": {"items": [{"instanceId": world["spare"]}]}})
    story.call(
        -840, "ec2", "RevokeSecurityGroupIngress", {"groupId": world["sg2"], "ipPermissions": permission(world, 8099)}
    )
    story.daily(-2 * HOUR, 900, 12)
    story.grumble(-3 * HOUR, 600, 5)
    story.accepted(-HOUR, 500, 6)
    story.expect(1200, "none")


QUIET: Mapping[str, tuple[Callable[[Story], None], str]] = {
    one.__name__.replace("_", "-"): (one, difficulty)
    for one, difficulty in (
        (no_cause, "medium"), (quiet_day, "medium"), (quiet_after_deployment, "hard"), (bots_all_day, "easy"),
        (only_after, "hard"), (stale, "hard"), (neighbours_only, "medium"), (failures_only, "medium"),
        (unlike_change_before, "hard"), (deployment_hours_before, "hard"), (quiet_severe_changes, "hard"),
    )
}  # fmt: skip
