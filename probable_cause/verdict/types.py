"""What a verdict is made of: frozen values that turn into JSON by `to_dict`. No logic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from probable_cause.state.event_of_interest import EventOfInterest

Health = Literal["healthy", "degraded", "failing"]
LayerState = Literal["probable_cause", "deferred", "symptom", "last_record", "healthy"]
LAYERS = ("application", "network", "cloudsystem")


@dataclass(frozen=True)
class Sentence:
    """One sentence of an explanation and the CloudWatch event ids that it rests on."""

    text: str
    event_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rival:
    """Another cause that was considered, and why it ranks lower."""

    event: EventOfInterest
    confidence: float
    why_lower: str


@dataclass(frozen=True)
class ApiCall:
    """An AWS call as boto3 takes it: `client(service).operation(**parameters)`. A proposal, never executed here."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Inverse:
    """What would undo a cause: in words, and as a call where one exists."""

    text: str
    call: ApiCall | None = None


@dataclass(frozen=True)
class RootCause:
    """The named cause. `factors` are the model's numbers (0..1) whose product is `strength`."""

    event: EventOfInterest
    confidence: float
    strength: float
    factors: Mapping[str, float]
    evidence: tuple[Sentence, ...]
    rivals: tuple[Rival, ...]
    gaps: tuple[str, ...]
    inverse: Inverse
    same_change: tuple[str, ...] = ()  # event keys that are this change too: Config's view, calls of one deployment
    resource_ids: tuple[str, ...] = ()  # of the event and of everything that is the same change


@dataclass(frozen=True)
class LayerVerdict:
    """What one layer shows. `deferred_from` names the layer that the shown cause comes from, when it is another."""

    event_type: str
    state: LayerState
    event: EventOfInterest | None = None
    deferred_from: str | None = None
    symptoms: tuple[str, ...] = ()  # event keys of the layer's recent symptoms: its evidence
    relevance: float = 0.0


@dataclass(frozen=True)
class LayerRecord:
    """What a layer showed before: input to `judge` when the events themselves are no longer at hand."""

    event: EventOfInterest | None
    deferred_from: str | None = None


@dataclass(frozen=True)
class Ranked:
    """One line of `top`: the event, its relevance now, and its strength as a root cause (0 for a symptom)."""

    event: EventOfInterest
    relevance: float
    strength: float


@dataclass(frozen=True)
class Verdict:
    """The answer for one application at one instant."""

    application_id: str
    at: datetime
    health: Health
    layers: Mapping[str, LayerVerdict]
    root_cause: RootCause | None
    ranking: tuple[Ranked, ...]
    resolved_by: Mapping[str, str] = field(default_factory=dict)  # cause's event key -> its recovery's event key
    why_none: str | None = None  # one sentence when no root cause is named

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON values. Times are ISO 8601 UTC with milliseconds; numbers are rounded to 4 places."""
        return {
            "application_id": self.application_id,
            "at": iso(self.at),
            "health": self.health,
            "layers": {name: _layer(layer) for name, layer in self.layers.items()},
            "root_cause": None if self.root_cause is None else _root_cause(self.root_cause),
            "why_none": self.why_none,
            "ranking": [
                event_to_dict(one.event)
                | {"relevance_now": round(one.relevance, 4), "strength": round(one.strength, 4)}
                for one in self.ranking
            ],
            "resolved_by": dict(self.resolved_by),
        }

    def signature(self) -> tuple[Any, ...]:
        """What an operator would call the same verdict: shown events, deferrals, root cause and health."""
        return signature(self.health, self.layers, self.root_cause.event if self.root_cause else None)


def signature(
    health: Health, layers: Mapping[str, LayerVerdict], root_cause: EventOfInterest | None
) -> tuple[Any, ...]:
    """What an operator would call the same verdict."""
    shown = tuple(
        (name, layer.state, layer.event.event_key if layer.event else None, layer.deferred_from)
        for name, layer in sorted(layers.items())
    )
    return health, shown, root_cause.event_key if root_cause else None


def iso(at: datetime) -> str:
    """UTC, ISO 8601, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_to_dict(event: EventOfInterest) -> dict[str, Any]:
    """The parts of an event of interest that a verdict shows."""
    return {
        "event_key": event.event_key,
        "event_type": event.event_type,
        "role": event.role,
        "rule_id": event.rule_id,
        "family": event.family,
        "summary": event.told,
        "message": event.line,
        "action": event.action,
        "actor": event.actor,
        "actor_type": event.actor_type,
        "resource_ids": list(event.resource_ids),
        "relevance": event.relevance,
        "count": event.count,
        "first_seen": iso(event.first_seen),
        "last_seen": iso(event.last_seen),
        "status": event.status,
        "event_ids": list(event.sample_event_ids),
    }


def _layer(layer: LayerVerdict) -> dict[str, Any]:
    return {
        "state": layer.state,
        "event": None if layer.event is None else event_to_dict(layer.event),
        "deferred_from": layer.deferred_from,
        "symptoms": list(layer.symptoms),
        "relevance": round(layer.relevance, 4),
    }


def _root_cause(cause: RootCause) -> dict[str, Any]:
    call = cause.inverse.call
    return {
        "event": event_to_dict(cause.event),
        "confidence": round(cause.confidence, 4),
        "strength": round(cause.strength, 4),
        "factors": {name: round(value, 4) for name, value in cause.factors.items()},
        "evidence": [{"text": one.text, "event_ids": list(one.event_ids)} for one in cause.evidence],
        "rivals": [
            {"event": event_to_dict(one.event), "confidence": round(one.confidence, 4), "why_lower": one.why_lower}
            for one in cause.rivals
        ],
        "gaps": list(cause.gaps),
        "proposed_inverse": {
            "text": cause.inverse.text,
            "call": None
            if call is None
            else {"service": call.service, "operation": call.operation, "parameters": dict(call.parameters)},
        },
        "same_change": list(cause.same_change),
        "resource_ids": list(cause.resource_ids),
    }
