"""An application's state as one image of `overall#current` tells it. Pure values; no I/O, no clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from probable_cause.state.lease import JOB
from probable_cause.state.state_record import OVERALL, current_key

ACTIVE = frozenset({"probable_cause", "deferred", "symptom"})  # states in which a layer shows something that goes on
# What `told` keeps of a layer: enough to compare it and to name what was shown.
_KEPT = (
    "State", "EventKey", "DeferredFrom", "Status", "EventContextSummary", "Role", "RuleId", "EventRelevance", "Action",
    "Actor", "ActorType", "ResourceIds", "FirstSeenDate", "LastSeenDate", "Count", "SampleEventIds",
)  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """What one layer shows: the attributes of state.shown, under the table's names."""

    content: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.content.get(name)

    @property
    def active(self) -> bool:
        """Whether it shows a cause or symptom that goes on."""
        return self["State"] in ACTIVE and bool(self["EventKey"])

    def kept(self) -> dict[str, Any]:
        """The part that `told` remembers."""
        return {name: self.content[name] for name in _KEPT if name in self.content}


@dataclass(frozen=True)
class Snapshot:
    """One application at one revision. `at` is the instant that it was judged for, ISO 8601; `root` the root cause as
    verdict.types gives it, or None."""

    application_id: str
    revision: int
    at: str
    health: str
    layers: Mapping[str, Layer]
    root: Mapping[str, Any] | None = None


def of_item(item: Mapping[str, Any]) -> Snapshot | None:
    """The snapshot of an item of the state table; None for every item but an application's `overall#current`.

    Raises:
        KeyError, ValueError: it is one, but not as state_record writes it.
    """
    if item.get("StateKey") != current_key(OVERALL) or item.get("ApplicationId") in (None, JOB):
        return None
    if "Revision" not in item:  # moto's stream shows a new item once with its keys alone
        return None
    root = item.get("RootCause")
    return Snapshot(
        application_id=item["ApplicationId"],
        revision=int(item["Revision"]),
        at=item["JudgedAt"],
        health=item["Health"],
        layers={name: Layer(content) for name, content in item.get("Layers", {}).items()},
        root=json.loads(root) if root else None,
    )


def nothing(application_id: str) -> Snapshot:
    """An application that nobody was told of yet."""
    return Snapshot(application_id, 0, "", "healthy", {})
