"""What each layer shows: its own cause, another layer's that explains its symptoms, a symptom, its last record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from probable_cause.state.event_of_interest import RECENT, EventOfInterest
from probable_cause.verdict import root_cause
from probable_cause.verdict.relations import Relations
from probable_cause.verdict.root_cause import Scored
from probable_cause.verdict.types import LayerRecord, LayerVerdict


def judge_layer(
    layer: str,
    live: Sequence[EventOfInterest],
    scored: Sequence[Scored],
    named: Scored | None,
    previous: LayerRecord | None,
    now: datetime,
    relations: Relations,
) -> LayerVerdict:
    """The verdict of one layer.

    Args:
        live: the application's unresolved events within their window, of all layers; recoveries are left out.
        scored: the application's changes among them.
        named: the one of them that is the root cause: its own layer shows it, and a layer that it can explain defers
            to it, before any other.
        previous: what the layer last showed, for when its events are no longer in `live`.
    """
    symptoms = [one for one in live if one.role == "symptom" and one.event_type == layer]
    recent = [one for one in symptoms if one.is_recent(now)]
    keys = tuple(one.event_key for one in sorted(recent, key=lambda one: strongest(one, now), reverse=True))
    own = [one for one in scored if one.relevance >= RECENT and one.change.in_layer(layer)]
    if own:
        best = max(own, key=lambda one: (one is named, *_own(one)))
        return _shown(layer, "probable_cause", best.change.in_layer(layer), None, keys, now)
    if recent:
        others = [one for one in scored if one.relevance >= RECENT]
        deferred = _deferred(layer, recent, others, named, now, relations)
        return deferred or _shown(layer, "symptom", max(recent, key=lambda one: strongest(one, now)), None, keys, now)
    return _last_record(layer, live, scored, named, previous, now, relations)


def strongest(event: EventOfInterest, now: datetime) -> tuple[bool, float, datetime, str]:
    """Sort key of symptoms, best last: open before acknowledged, the most relevant, the latest."""
    return event.status == "open", event.relevance_at(now), event.last_seen, event.event_key


def _own(one: Scored) -> tuple[bool, float, datetime, str]:
    lead = one.change.lead
    return not one.acknowledged, round(one.standing(), 9), lead.last_seen, lead.event_key


def _shown(
    layer: str, state: str, event: EventOfInterest | None, source: str | None, keys: tuple[str, ...], now: datetime
) -> LayerVerdict:
    relevance = event.relevance_at(now) if event else 0.0
    return LayerVerdict(layer, state, event, source, keys, relevance)  # type: ignore[arg-type]


def _deferred(
    layer: str,
    symptoms: Sequence[EventOfInterest],
    others: Sequence[Scored],
    named: Scored | None,
    now: datetime,
    relations: Relations,
) -> LayerVerdict | None:
    """Another layer's change that came before this layer's symptoms and can explain them: of several the strongest."""
    clues = root_cause.weigh(symptoms, relations.model)
    able = [
        one
        for one in (
            root_cause.score(other.change, clues, now, relations)
            for other in others
            if other.change.in_layer(layer) is None
        )
        if root_cause.can_explain(one, relations.model)
    ]
    if not able:
        return None
    best = max(able, key=lambda one: (named is not None and one.change is named.change, *one.rank())).change.lead
    keys = tuple(one.event_key for one in sorted(symptoms, key=lambda one: strongest(one, now), reverse=True))
    return _shown(layer, "deferred", best, best.event_type, keys, now)


def _last_record(
    layer: str,
    live: Sequence[EventOfInterest],
    scored: Sequence[Scored],
    named: Scored | None,
    previous: LayerRecord | None,
    now: datetime,
    relations: Relations,
) -> LayerVerdict:
    """What the layer showed when something was last recent in it, as long as that is within its window."""
    own = [one for one in live if one.event_type == layer]
    if own:
        last = max(own, key=lambda one: (recent_until(one), one.role == "cause", one.event_key))
        if last.role == "symptom":
            deferred = _deferred(layer, [last], scored, named, now, relations)
            if deferred is not None:
                return replace(deferred, state="last_record", symptoms=())
        return _shown(layer, "last_record", last, None, (), now)
    event = previous.event if previous else None
    if previous and event and event.status != "resolved" and now <= event.expires_from_ranking_at:
        return _shown(layer, "last_record", event, previous.deferred_from, (), now)
    return LayerVerdict(layer, "healthy")


def recent_until(event: EventOfInterest) -> datetime:
    """The instant at which an event's relevance falls below RECENT, at most the end of its window."""
    if event.relevance < RECENT:
        return event.last_seen
    decay = event.half_life_seconds * math.log2(event.relevance / RECENT)
    return event.last_seen + timedelta(seconds=min(decay, event.window_seconds))
