"""The verdict of one application at one instant: a pure function of its events of interest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from probable_cause.state.event_of_interest import RECENT, EventOfInterest
from probable_cause.verdict import explain, layers, recovery, root_cause
from probable_cause.verdict.changes import changes
from probable_cause.verdict.factors import Onset, Topology
from probable_cause.verdict.model import DEFAULT, GENERIC, VerdictModel
from probable_cause.verdict.relations import Relations
from probable_cause.verdict.root_cause import Clue, Over, Scored
from probable_cause.verdict.types import (
    LAYERS,
    Health,
    LayerRecord,
    LayerVerdict,
    Ranked,
    RootCause,
    Verdict,
    signature,
)


def judge(
    events: Sequence[EventOfInterest],
    now: datetime,
    model: VerdictModel = DEFAULT,
    previous: Mapping[str, LayerRecord] | None = None,
    topology: Topology | None = None,
    application_id: str | None = None,
) -> Verdict:
    """The layers, health and root cause of one application (design contract 3.3).

    Args:
        events: its events of interest, in any order; causes, symptoms and recoveries of any status.
        now: aware UTC; nothing here reads a clock.
        previous: layer -> what it last showed, for layers whose events were deleted meanwhile.
        topology: resource id -> resources that it is attached to, where known.
        application_id: needed only when `events` is empty.
    """
    decision = decide(events, now, Relations(model, topology, events), previous)
    named, recent, symptoms, clues = decision.named, decision.recent, decision.symptoms, decision.clues
    return Verdict(
        application_id=application_id or (events[0].application_id if events else ""),
        at=now,
        health=decision.health,
        layers=decision.layers,
        root_cause=_explained(named, recent, events, clues, now, model) if named else None,
        ranking=_ranking(recent, symptoms, now),
        resolved_by={cause: one.event_key for cause, one in decision.ended.items()},
        why_none=None if named else explain.why_none(recent, symptoms, clues, model),
    )


@dataclass(frozen=True)
class Decision:
    """A verdict before it is put into words."""

    health: Health
    layers: Mapping[str, LayerVerdict]
    named: Scored | None
    recent: Sequence[Scored]  # changes, best first
    symptoms: Sequence[EventOfInterest]
    clues: Mapping[Onset, Clue]
    ended: Mapping[str, EventOfInterest]  # event key of a cause -> the recovery that ended it

    def signature(self) -> tuple[Any, ...]:
        """As Verdict.signature()."""
        return signature(self.health, self.layers, self.named.change.lead if self.named else None)


def decide(
    events: Sequence[EventOfInterest],
    now: datetime,
    relations: Relations,
    previous: Mapping[str, LayerRecord] | None = None,
) -> Decision:
    """What judge() puts into words. `relations` may be used again for other instants of the same events."""
    model = relations.model
    ended = recovery.recovered(events)
    live = [
        one
        for one in sorted(events, key=lambda one: one.event_key)
        if one.role in ("cause", "symptom")  # not recoveries, nor what is left of a flood
        and not _attempt(one)
        and not _murmur(one, model)
        and one.status != "resolved"
        and one.event_key not in ended
        and now <= one.expires_from_ranking_at
    ]
    going_on = changes([one for one in live if one.role == "cause"], model)
    symptoms = [one for one in live if one.role == "symptom" and one.is_recent(now)]
    clues = root_cause.weigh(symptoms, model)
    settled = root_cause.settled(clues, _over(events, ended, model), going_on, relations)
    clues = {onset: clue for onset, clue in clues.items() if onset not in settled}
    scored = sorted((root_cause.score(one, clues, now, relations) for one in going_on), key=Scored.rank, reverse=True)
    recent = [one for one in scored if one.relevance >= RECENT]
    named = root_cause.named(recent, model)
    # What is among the events is judged by them: a record of it may tell of a time before it was undone.
    known = {one.event_key for one in events}
    past = {layer: one for layer, one in (previous or {}).items() if one.event and one.event.event_key not in known}
    return Decision(
        health=_health(clues, now, model),
        layers={
            layer: layers.judge_layer(layer, live, scored, named, past.get(layer), now, relations) for layer in LAYERS
        },
        named=named,
        recent=recent,
        symptoms=symptoms,
        clues=clues,
        ended=ended,
    )


def _attempt(event: EventOfInterest) -> bool:
    """A call that a person or a pipeline was refused: it caused nothing, and says nothing of how the application is."""
    return event.role == "symptom" and event.family == "cloudtrail" and event.actor_type in ("person", "pipeline")


def _murmur(event: EventOfInterest, model: VerdictModel) -> bool:
    """An error in words that no rule knows, which came once or twice, or has been coming and going: every application
    has such."""
    return (
        event.role == "symptom"
        and event.symptom in GENERIC
        and event.family == "application"
        and event.relevance < model.murmur_relevance
        and (event.count < model.murmur_lines or len(event.bursts) > 1)
    )


def _over(events: Sequence[EventOfInterest], ended: Mapping[str, EventOfInterest], model: VerdictModel) -> list[Over]:
    """Changes that a recovery or an operator ended, each with the moment."""
    at: dict[str, datetime] = {}
    for one in events:
        if one.role != "cause":
            continue
        if one.event_key in ended:
            repair = ended[one.event_key]
            at[one.event_key] = repair.first_seen if repair.first_seen >= one.last_seen else repair.last_seen
        elif one.status == "resolved":
            at[one.event_key] = one.status_at or one.last_seen
    past = changes([one for one in events if one.event_key in at], model)
    return [Over(one, max(at[event.event_key] for event in one.members)) for one in past]


def _health(clues: Mapping[Onset, Clue], now: datetime, model: VerdictModel) -> Health:
    """By the strongest symptom that is recent, unresolved and not settled by a repair."""
    strongest = max((onset.symptom.relevance_at(now) for onset in clues), default=0.0)
    if strongest >= model.failing_relevance:
        return "failing"
    return "degraded" if strongest >= RECENT else "healthy"


def _explained(
    named: Scored,
    recent: Sequence[Scored],
    events: Sequence[EventOfInterest],
    clues: Mapping[Onset, Clue],
    now: datetime,
    model: VerdictModel,
) -> RootCause:
    ordered = [named, *(one for one in recent if one is not named)]
    confidence = root_cause.confidences(ordered, model)
    return explain.root_cause(named, ordered[1:], confidence, events, clues, now, model)


def _ranking(recent: Sequence[Scored], symptoms: Sequence[EventOfInterest], now: datetime) -> tuple[Ranked, ...]:
    """Changes by rank, then symptoms by relevance."""
    by_change = [Ranked(one.change.lead, one.relevance, one.strength) for one in recent]
    by_symptom = sorted(symptoms, key=lambda one: layers.strongest(one, now), reverse=True)
    return (*by_change, *(Ranked(one, one.relevance_at(now), 0.0) for one in by_symptom))
