"""Which events are one change: CloudTrail's "who" and Config's "what", and the calls of one deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict.model import VerdictModel

# Calls that start a deployment: what follows them by the same actor is their work.
WRAPPERS = frozenset(
    {
        "CreateStack",
        "UpdateStack",
        "DeleteStack",
        "ExecuteChangeSet",
        "CreateDeployment",
        "StartDeployment",
        "StartPipelineExecution",
    }
)


@dataclass(frozen=True)
class Change:
    """One change as one or more events of interest. `lead` is how it is named; `members` has it too."""

    lead: EventOfInterest
    members: tuple[EventOfInterest, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for the same change, as long as it has the same members."""
        return tuple(event.event_key for event in self.members)

    @property
    def resource_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for event in self.members for one in event.resource_ids))

    @property
    def explains(self) -> frozenset[str]:
        return frozenset(kind for event in self.members for kind in event.explains)

    @property
    def layers(self) -> frozenset[str]:
        return frozenset(event.event_type for event in self.members)

    def in_layer(self, layer: str) -> EventOfInterest | None:
        """How the change is named in a layer: its lead if that is there, else its most relevant member there."""
        if self.lead.event_type == layer:
            return self.lead
        own = [event for event in self.members if event.event_type == layer]
        return max(own, key=lambda event: (event.relevance, event.last_seen, event.event_key), default=None)


def changes(causes: Sequence[EventOfInterest], model: VerdictModel) -> list[Change]:
    """Groups causes into changes. Every cause is in exactly one; the order of the input does not matter."""
    ordered = sorted(causes, key=lambda event: (event.first_seen, event.event_key))
    twins = _twins(ordered, model)
    pairs = [
        Change(event, (event, *(one for one in ordered if twins.get(one.event_key) == event.event_key)))
        for event in ordered
        if event.event_key not in twins
    ]
    return _deployments(pairs, model)


def _twins(causes: Sequence[EventOfInterest], model: VerdictModel) -> dict[str, str]:
    """Config item's event key -> event key of the CloudTrail call that made the change.

    The nearest call on a shared resource before the item; Config's clock may be behind by a family's skew.
    """
    skew = timedelta(seconds=model.skew_seconds["aws_config"] + model.skew_seconds["cloudtrail"])
    reach = timedelta(seconds=model.twin_seconds)
    calls = [event for event in causes if event.family == "cloudtrail"]
    found = {}
    for item in (event for event in causes if event.family == "aws_config"):
        near = [
            call
            for call in calls
            if set(call.resource_ids) & set(item.resource_ids)
            and call.status == item.status
            and call.first_seen - skew <= item.first_seen
            and item.first_seen <= call.last_seen + reach
        ]
        if near:
            best = max(near, key=lambda call: (call.event_type == item.event_type, call.last_seen, call.event_key))
            found[item.event_key] = best.event_key
    return found


def _deployments(pairs: Sequence[Change], model: VerdictModel) -> list[Change]:
    """Rolls the calls that followed a deployment's start, by the same actor, into that start."""
    span = timedelta(seconds=model.deployment_seconds)
    starts = [one for one in pairs if one.lead.action in WRAPPERS]
    below: dict[str, list[Change]] = {one.lead.event_key: [] for one in starts}
    rest = []
    for one in pairs:
        above = [start for start in starts if start is not one and _belongs(one.lead, start.lead, span)]
        if one.lead.action not in WRAPPERS and above:
            nearest = max(above, key=lambda start: (start.lead.last_seen, start.lead.event_key))
            below[nearest.lead.event_key].append(one)
        else:
            rest.append(one)
    return [
        replace(one, members=(*one.members, *(event for child in below[one.lead.event_key] for event in child.members)))
        if one.lead.event_key in below
        else one
        for one in rest
    ]


def _belongs(call: EventOfInterest, start: EventOfInterest, span: timedelta) -> bool:
    by_stack = call.actor_type == "service" and "cloudformation" in (call.actor or "").lower()
    same_actor = call.actor is not None and call.actor == start.actor and call.actor_type != "person"
    return (
        (by_stack or same_actor)
        and call.status == start.status
        and start.first_seen <= call.first_seen <= start.last_seen + span
    )
