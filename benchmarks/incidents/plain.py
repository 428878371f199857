"""Bundles with one true cause, in three difficulties."""

from __future__ import annotations

from typing import Any

from benchmarks.incidents import noise
from benchmarks.incidents.causes import Cause
from benchmarks.incidents.story import Story, deployer


def story_of(cause: Cause, difficulty: str, split: str) -> Story:
    """easy: the incident and daily life. medium: reads, failures, neighbours, harmless changes around it.
    hard: also red herrings before and after, late and reordered delivery, duplicates, long flow windows.
    """
    described = f"{cause.action} breaks the application; {difficulty}"
    story = Story(f"{cause.name}-{difficulty}", cause.name, difficulty, split, described)
    lag = story.draw.uniform(*cause.lag)
    last = lag + story.draw.uniform(200, 420)
    story.daily(-1200, last, 10)
    actor = deployer(story.world) if story.draw.random() < 0.3 else None
    late = story.draw.uniform(280, 600) if difficulty == "hard" else None
    story.cause(0, cause, actor, late)
    if cause.config is not None and story.draw.random() < 0.6:
        story.config(story.draw.uniform(20, 100), cause)
    layers = _symptoms(story, cause, lag, last)
    if difficulty != "easy":
        _medium(story, 3 if difficulty == "medium" else 2)
    if difficulty == "hard":
        _hard(story, cause, lag, last)
    truth = {"action": cause.action, "resource_id": story.world[cause.resource]}
    counts: list[dict[str, Any]] = []
    if story.rejects:
        counts.append({"event_type": "network", "action": "REJECT", "count": story.rejects})
    # All has arrived by then: the last flow record comes after its window, and delivery takes up to a minute.
    at = max(last + story.window, late or 290) + 200
    story.expect(at, {"event_type": cause.layer, **truth}, {cause.layer: truth, **layers}, counts)
    if difficulty == "hard":
        story.recorder.duplicate(0.12)
    return story


def _symptoms(story: Story, cause: Cause, lag: float, last: float) -> dict[str, Any]:
    """Plays the symptoms; returns what the layers that have only symptoms must show."""
    layers: dict[str, Any] = {}
    delay = 0.0
    for kind in cause.symptoms:
        if kind == "reject":
            story.accepted(-900, -60, 4)
            story.refused(lag + delay, last, story.draw.randint(6, 14))
            if cause.layer != "network":
                layers["network"] = {"deferred_from": cause.layer}
        else:
            story.trouble(kind, lag + delay, last, story.draw.randint(6, 12))
            layers["application"] = {"deferred_from": cause.layer}
        delay += story.draw.uniform(2, 50)
    return layers


def _medium(story: Story, kinds: int) -> None:
    draw = story.draw
    around = (
        lambda: noise.failures(story, draw.uniform(-500, -60)),
        lambda: noise.neighbours(story, draw.uniform(-200, 60)),
        lambda: noise.harmless(story, draw.uniform(-2400, -900)),
    )
    for happens in draw.sample(around, kinds):
        happens()
    noise.reads(story, -900, 200, 2)
    story.bots(-900, 300, 6)


def _hard(story: Story, cause: Cause, lag: float, last: float) -> None:
    noise.unlike(story, -story.draw.uniform(120, 900), cause.symptoms)
    noise.mitigation(
        story, lag + story.draw.uniform(700, 900) if story.window > 60 else lag + story.draw.uniform(150, 250)
    )
    noise.by_itself(story, story.draw.uniform(-1500, -600))
    noise.churn(story, -6 * 3600, -1500, 1)
    story.grumble(-3000, last, 3)
    story.flow_gap(lag - 300, "NODATA")
