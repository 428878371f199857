"""What the stories share: truths by class, and a choice."""

from __future__ import annotations

from typing import Any

from benchmarks.incidents.causes import CAUSES
from benchmarks.incidents.story import Story

HOUR = 3600.0
HEALTHY = {"network": "healthy", "application": "healthy", "cloudsystem": "healthy"}


def truth(story: Story, name: str) -> dict[str, Any]:
    """The root cause of a class, as a bundle writes it."""
    cause = CAUSES[name]
    return {"event_type": cause.layer, "action": cause.action, "resource_id": story.world[cause.resource]}


def layer(story: Story, name: str) -> dict[str, Any]:
    """What the layer of a class shows."""
    return {key: value for key, value in truth(story, name).items() if key != "event_type"}


def some(story: Story, *names: str) -> str:
    """One of them."""
    return story.draw.choice(names)
