"""What is usual between applications: on which edges of the service graph accepted traffic was seen lately, and when.

An edge is `client -> server:port/protocol` (attribution.py). Of each, and of the application as a whole, the coarse
spans of time in which traffic was accepted are kept: sets, whose union is the same however often and in whatever order
parts of it come. So replays, kills and disorder need no bookkeeping, and a batch that brings no new span no write.

Two things are told by it: a refusal on an edge that had been open (`with_flip`), and an edge gone silent while the
application's other traffic goes on (`silences`). Standard library only; no clock: silence is measured against the
newest flow record of the application, so that the end of the records is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from probable_cause.schemas import BUCKET, SILENCE
from probable_cause.state.event_item import Repeats, Stored
from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.state.identity import Seen
from probable_cause.state.moments import from_millis, to_millis, to_text
from probable_cause.state.tables import EXPIRES_AT, Write

REMEMBERED = 24  # newest spans of an edge: two hours, against which a silence is held
MOST_EDGES = 200  # of an application; kept are those with the most spans
FORGOTTEN_AFTER = 144  # spans (12 h) without traffic after which an edge is no longer usual
FLIP_SPANS = 72  # a refusal this long (6 h) or less after accepted traffic is a flip
# A silence is told when it would be as unlikely as this by chance, if the edge talked on as before: about one false
# alarm in ten thousand looks. An edge seen in each of 24 spans is missed after 3, one seen in half of them after 14.
CHANCE = 1e-4
STATE_KEY = "baseline#current"
ACTION = "SILENCE"  # of the symptom
_ALL = (1 << REMEMBERED) - 1
_SPAN, _KEPT = timedelta(seconds=BUCKET), timedelta(days=14)


@dataclass(frozen=True)
class Trace:
    """Spans with traffic: bit i of `mask` stands for span `last - i`. Spans are numbered from the epoch."""

    last: int
    mask: int = 1

    @classmethod
    def of(cls, spans: Iterable[int]) -> Trace:
        """Of one span or more."""
        found = set(spans)
        last = max(found)
        return cls(last, sum(1 << last - one for one in found) & _ALL)

    def merged(self, other: Trace) -> Trace:
        """What either has, as far as it is remembered from the newest span on."""
        newer, older = (self, other) if self.last >= other.last else (other, self)
        return Trace(newer.last, (newer.mask | older.mask << newer.last - older.last) & _ALL)

    def spans(self) -> list[int]:
        """Ascending."""
        return [self.last - bit for bit in range(REMEMBERED - 1, -1, -1) if self.mask >> bit & 1]


@dataclass(frozen=True)
class Told:
    """How a silence counts, as the rule says that the accepted traffic matched."""

    rule_id: str
    relevance: float
    half_life_seconds: int
    window_seconds: int
    symptom: str | None


@dataclass(frozen=True)
class Baseline:
    """Of one application. `heard` is all of its accepted traffic, that with unknown ends among it; None: there was
    none yet."""

    heard: Trace | None = None
    edges: Mapping[str, Trace] = field(default_factory=dict)
    told: Told | None = None
    revision: int | None = field(default=None, compare=False)  # of the item


def added(before: Baseline, rows: Iterable[Repeats]) -> Baseline:
    """The baseline with one batch's rows of accepted traffic; an equal one when they say nothing new."""
    heard, edges, told = before.heard, dict(before.edges), before.told
    for row in rows:
        if not row.buckets:
            continue
        seen = Trace.of(row.buckets)
        heard = seen if heard is None else heard.merged(seen)
        for edge in row.edges:
            edges[edge] = edges[edge].merged(seen) if edge in edges else seen
        told = Told(row.rule_id, row.relevance, row.half_life_seconds, row.window_seconds, row.symptom)
    if heard is None:
        return before
    oldest = heard.last - FORGOTTEN_AFTER
    fresh = [(edge, trace) for edge, trace in edges.items() if trace.last >= oldest]
    fresh.sort(key=lambda one: (-one[1].mask.bit_count(), -one[1].last, one[0]))
    return replace(before, heard=heard, edges=dict(sorted(fresh[:MOST_EDGES])), told=told)


def silences(application_id: str, baseline: Baseline) -> list[EventOfInterest]:
    """A symptom for each edge without accepted traffic since some spans, in which the application had other traffic.

    The newest span is left out, for its records are still coming. What lasts longer than what it is held against is the
    new usual: then the symptom fades as any that is no longer seen. It is gone as soon as traffic is back.
    """
    heard, told = baseline.heard, baseline.told
    if heard is None or told is None:
        return []
    found = []
    for edge, trace in baseline.edges.items():
        missed = sum(trace.last < span < heard.last for span in heard.spans())
        share = trace.mask.bit_count() / (REMEMBERED + 1)
        if missed and (1 - share) ** missed < CHANCE:
            until = min(heard.last, trace.last + 1 + REMEMBERED)
            found.append(_silence(application_id, edge, trace, missed, _start(until), told))
    return found


def _silence(application_id: str, edge: str, trace: Trace, missed: int, until: datetime, told: Told) -> EventOfInterest:
    since = _start(trace.last + 1)
    spans = f"spans of {BUCKET // 60} minutes"
    return EventOfInterest(
        application_id=application_id,
        event_type="network",
        cause_id=f"no accepted traffic {edge.replace('#', '-')[:150]} since {to_text(since)}",
        episode=1,
        role="symptom",
        rule_id=told.rule_id,
        family="vpc_flow",
        relevance=told.relevance,
        half_life_seconds=told.half_life_seconds,
        window_seconds=told.window_seconds,
        first_seen=since,
        last_seen=until,
        count=missed,
        summary=f"no accepted traffic {edge} since {since:%H:%M}",
        message=f"{edge}: accepted traffic in {trace.mask.bit_count()} of {REMEMBERED} {spans}, then in none of "
        f"{missed} in which {application_id} had other traffic",
        action=ACTION,
        outcome=SILENCE,
        symptom=told.symptom,
        ledger={"event": until},
        bursts=((since, until),),
        edges=(edge,),
        stored=False,
    )


def with_flip(event: EventOfInterest, baseline: Baseline) -> EventOfInterest:
    """The event; a refusal on an edge that had accepted traffic up to its beginning and none since is told as such.

    Args:
        event: any of the application. `flip` is set where it is one, to the span's exactness.
    """
    if event.outcome != "reject":
        return event
    onset, seen_last = event.bursts[-1][0] if event.bursts else event.first_seen, event.last_seen
    found = {}
    for edge in event.edges:
        spans = baseline.edges[edge].spans() if edge in baseline.edges else []
        before = [span for span in spans if _span(onset) - FLIP_SPANS <= span <= _span(onset)]
        if before and not any(_span(onset) < span <= _span(seen_last) for span in spans):
            found[edge] = max(before)
    if not found:
        return event
    edge = max(found, key=lambda one: (found[one], one))
    until = min(_start(found[edge] + 1), onset)
    return replace(event, flip=(edge, until))


def events(application_id: str, stored: Mapping[str, Stored], baseline: Baseline) -> dict[str, Stored]:
    """All events of interest by EventKey: the stored ones, flips told as such, and silences.

    A silence that an operator acted on has an item, which tells its status; it is left out once traffic is back. What
    is refused is no silence: the refusal tells it.
    """
    refusals = [one.event for one in stored.values() if one.event.outcome == "reject"]
    silent = {
        one.event_key: one
        for one in silences(application_id, baseline)
        if not any(one.edges[0] in other.edges and other.last_seen >= one.first_seen - _SPAN for other in refusals)
    }
    known = {}
    for event_key, one in stored.items():
        event = one.event
        if event.outcome == SILENCE:
            if event_key not in silent:
                continue
            acted = {name: getattr(event, name) for name in ("status", "status_by", "status_at", "status_reason")}
            event = replace(silent.pop(event_key), stored=True, **acted)
        known[event_key] = replace(one, event=with_flip(event, baseline))
    return known | {event_key: Stored(event, None, Seen()) for event_key, event in silent.items()}


def _span(at: datetime) -> int:
    return to_millis(at) // 1000 // BUCKET


def _start(span: int) -> datetime:
    return from_millis(span * BUCKET * 1000)


def key(application_id: str) -> dict[str, str]:
    """Of the item in SystemStateRecordsByApplication."""
    return {"ApplicationId": application_id, "StateKey": STATE_KEY}


def from_item(item: Mapping[str, Any] | None) -> Baseline:
    """Of an item; one of other spans of time, or none, is empty."""
    if not item or item.get("BucketSeconds") != BUCKET:
        return Baseline(revision=item.get("Revision") if item else None)
    edges = {edge: Trace(*map(int, pair)) for edge, pair in sorted(item["Edges"].items())}
    told = Told(
        item["RuleId"],
        float(item["EventRelevance"]),
        int(item["HalfLifeSeconds"]),
        int(item["WindowSeconds"]),
        item.get("Symptom"),
    )
    return Baseline(Trace(*map(int, item["Heard"])), edges, told, item["Revision"])


def write(application_id: str, baseline: Baseline) -> Write:
    """The item, on the revision that was read. `Edges` are edge -> [newest span, mask]."""
    heard, told = baseline.heard, baseline.told
    assert heard is not None and told is not None
    attributes = {
        "BucketSeconds": BUCKET,
        "Heard": [heard.last, heard.mask],
        "Edges": {edge: [trace.last, trace.mask] for edge, trace in baseline.edges.items()},
        "RuleId": told.rule_id,
        "EventRelevance": told.relevance,
        "HalfLifeSeconds": told.half_life_seconds,
        "WindowSeconds": told.window_seconds,
        "Symptom": told.symptom,
        "Revision": (baseline.revision or 0) + 1,
        EXPIRES_AT: int((_start(heard.last) + _KEPT).timestamp()),
    }
    return Write(key(application_id), attributes, {"Revision": baseline.revision}, whole=True)
