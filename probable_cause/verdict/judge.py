"""The verdict of one application at one instant: a pure function of its events of interest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from probable_cause.state.event_of_interest import RECENT, EventOfInterest
from probable_cause.verdict import explain, layers, recovery, root_cause
from probable_cause.verdict.changes import changes
from probable_cause.verdict.factors import Onset, Topology
from probable_cause.verdict.model import DEFAULT, VerdictModel
from probable_cause.verdict.root_cause import Clue, Over, Scored
from probable_cause.verdict.types import LAYERS, Health, LayerRecord, Ranked, RootCause, Verdict

_TICK = timedelta(milliseconds=1)


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
    ended = recovery.recovered(events)
    live = [
        one
        for one in sorted(events, key=lambda one: one.event_key)
        if one.role != "recovery"
        and not _attempt(one)
        and one.status != "resolved"
        and one.event_key not in ended
        and now <= one.expires_from_ranking_at
    ]
    going_on = changes([one for one in live if one.role == "cause"], model)
    symptoms = [one for one in live if one.role == "symptom" and one.is_recent(now)]
    clues = root_cause.weigh(symptoms, model)
    settled = root_cause.settled(clues, _over(events, ended, model), going_on, model)
    clues = {onset: clue for onset, clue in clues.items() if onset not in settled}
    scored = sorted(
        (root_cause.score(one, clues, now, model, topology) for one in going_on), key=Scored.rank, reverse=True
    )
    recent = [one for one in scored if one.relevance >= RECENT]
    named = root_cause.named(recent, model)
    # What is among the events is judged by them: a record of it may tell of a time before it was undone.
    known = {one.event_key for one in events}
    past = {layer: one for layer, one in (previous or {}).items() if one.event and one.event.event_key not in known}
    return Verdict(
        application_id=application_id or (events[0].application_id if events else ""),
        at=now,
        health=_health(clues, now, model),
        layers={
            layer: layers.judge_layer(layer, live, scored, named, past.get(layer), now, model, topology)
            for layer in LAYERS
        },
        root_cause=_explained(named, recent, events, clues, now, model) if named else None,
        ranking=_ranking(recent, symptoms, now),
        resolved_by={cause: one.event_key for cause, one in ended.items()},
        why_none=None if named else explain.why_none(recent, symptoms, clues, model),
    )


def _attempt(event: EventOfInterest) -> bool:
    """A call that a person or a pipeline was refused: it caused nothing, and says nothing of how the application is."""
    return event.role == "symptom" and event.family == "cloudtrail" and event.actor_type in ("person", "pipeline")


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


def next_change_at(events: Sequence[EventOfInterest], now: datetime, model: VerdictModel = DEFAULT) -> datetime | None:
    """The next instant after `now` at which time alone changes the verdict, to the second; None if it never does.

    Between two of the events' own turning points (an event is no longer recent, a window passes, two curves of
    different half-lives cross) everything decays monotonously, so a change inside such a span is found by halving.
    """
    before = judge(events, now, model).signature()
    start = now
    for turn in _turning_points(events, now):
        if judge(events, turn - _TICK, model).signature() != before:
            return _halve(events, start, turn - _TICK, before, model)
        if judge(events, turn + _TICK, model).signature() != before:
            return turn + _TICK
        start = turn + _TICK
    return None


def _turning_points(events: Sequence[EventOfInterest], now: datetime) -> list[datetime]:
    live = [one for one in events if one.status != "resolved" and now <= one.expires_from_ranking_at]
    found = {one.expires_from_ranking_at for one in live} | {layers.recent_until(one) for one in live}
    for first, second in itertools.combinations(live, 2):
        if first.event_type == second.event_type and first.half_life_seconds != second.half_life_seconds:
            found.add(_crossing(first, second))
    return sorted(one for one in found if one > now)


def _crossing(first: EventOfInterest, second: EventOfInterest) -> datetime:
    """When two curves meet: log2(r1) - (t - l1)/h1 = log2(r2) - (t - l2)/h2, solved for t."""
    origin = first.last_seen
    shift = (second.last_seen - origin).total_seconds()
    slope = 1 / first.half_life_seconds - 1 / second.half_life_seconds
    height = math.log2(max(first.relevance, 1e-9) / max(second.relevance, 1e-9)) - shift / second.half_life_seconds
    return origin + timedelta(seconds=max(min(height / slope, 1e9), -1e9))


def _halve(
    events: Sequence[EventOfInterest], low: datetime, high: datetime, before: object, model: VerdictModel
) -> datetime:
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if judge(events, middle, model).signature() == before:
            low = middle
        else:
            high = middle
    return high
