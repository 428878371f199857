"""Ranks the changes of one application as causes of its symptoms. See model.py for the formula."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict import factors
from probable_cause.verdict.changes import Change
from probable_cause.verdict.factors import Onset
from probable_cause.verdict.model import VerdictModel
from probable_cause.verdict.relations import Relation, Relations

_SETTLE_SECONDS = 120.0  # symptoms may outlive the repair by this: retries, health checks, the flow window comes on top


@dataclass(frozen=True)
class Clue:
    """What an onset is worth (0..1): its own weight, its incident (0 is the oldest), and how far that has faded."""

    weight: float
    incident: int
    fading: float


@dataclass(frozen=True)
class Link:
    """How one change relates to one onset, and what the onset is worth."""

    onset: Onset
    clue: Clue
    relation: Relation

    @property
    def told(self) -> float:
        """How much this link adds to the answer."""
        return self.clue.fading * self.clue.weight * self.relation.value


@dataclass(frozen=True)
class Scored:
    """A change with everything that its strength is made of."""

    change: Change
    relevance: float  # now
    severity: float
    actor: float
    support: float
    links: tuple[Link, ...]
    usual: int = 0  # earlier days on which the same caller made such a change

    @property
    def strength(self) -> float:
        return self.severity * self.actor * self.support

    @property
    def acknowledged(self) -> bool:
        return all(event.status == "acknowledged" for event in self.change.members)

    def best_link(self) -> Link | None:
        """The onset that this change explains best; of equals the earliest."""
        return max(self.links, key=lambda link: (link.told, -link.onset.at.timestamp()), default=None)

    def standing(self) -> float:
        """Relevance as the layers see it: that of a change which explains nothing that is going on counts less."""
        return self.relevance * self.actor * (0.4 + 0.6 * self.support)

    def rank(self) -> tuple[bool, float, float, datetime, str]:
        """Sort key, best last: open before acknowledged, then strength, relevance, the latest."""
        lead = self.change.lead
        return not self.acknowledged, self.strength, self.relevance * self.actor, lead.last_seen, lead.event_key


@dataclass(frozen=True)
class Over:
    """A change that is no longer going on, and since when: it still explains the symptoms of its time."""

    change: Change
    at: datetime


def weigh(symptoms: Sequence[EventOfInterest], model: VerdictModel) -> dict[Onset, Clue]:
    """What every onset of these symptoms is worth as a clue.

    Weaker symptoms, lone lines, consequences within an incident and older incidents weigh less.
    """
    incidents = _incidents(symptoms, model)
    newest = max((incident[0].at for incident in incidents), default=None)
    clues = {}
    for number, incident in enumerate(incidents):
        age = (newest - incident[0].at).total_seconds() if newest else 0.0
        fading = 2.0 ** (-age / model.incident_half_life_seconds)
        if age > model.cascade_seconds:
            fading *= model.older_incident
        for onset in incident:
            weight = _weight(onset, model)
            if any(_leads(earlier, onset, model) for earlier in incident):
                weight *= model.cascade_weight
            clues[onset] = Clue(weight, number, fading)
    return clues


def _leads(earlier: Onset, onset: Onset, model: VerdictModel) -> bool:
    """Whether `onset` looks like a consequence of an earlier one, which must weigh about as much to lead it."""
    behind = (onset.at - earlier.at).total_seconds() > model.cascade_seconds
    return behind and _weight(earlier, model) >= 0.8 * _weight(onset, model)


def _incidents(symptoms: Sequence[EventOfInterest], model: VerdictModel) -> list[list[Onset]]:
    """Onsets that follow each other closely and may be sights of one failure, in order of time.

    A new incident begins after a silence of its symptoms, or long after its last onset, or with another kind of
    symptom.
    """
    begun = sorted(
        (
            (Onset(one.event_key, start, one, lone=start == end, before=before), end)
            for one in symptoms
            for before, (start, end) in enumerate(factors.spans(one))
        ),
        key=lambda pair: (pair[0].at, pair[0].key),
    )
    incidents: list[list[Onset]] = []
    quiet_since: list[datetime] = []
    for onset, end in begun:
        for number, incident in reversed(list(enumerate(incidents))):
            if (
                (onset.at - incident[-1].at).total_seconds() <= model.incident_gap_seconds
                and (onset.at - quiet_since[number]).total_seconds() <= model.silence_seconds
                and any(factors.affine(one.symptom.symptom, onset.symptom.symptom) for one in incident)
            ):
                incident.append(onset)
                quiet_since[number] = max(quiet_since[number], end)
                break
        else:
            incidents.append([onset])
            quiet_since.append(end)
    return incidents


def _weight(onset: Onset, model: VerdictModel) -> float:
    lone = model.lone_symptom if onset.lone else 1.0
    flip = model.flip if onset.symptom.flip and onset.symptom.flip[1] <= onset.at else 1.0
    full = min(onset.symptom.relevance / model.full_symptom_relevance, 1.0)
    return min(flip * lone * model.habit**onset.before * full, 1.0)


def score(change: Change, clues: Mapping[Onset, Clue], now: datetime, relations: Relations) -> Scored:
    """The change's factors over the given onsets."""
    model = relations.model
    links = tuple(Link(onset, clue, relations.of(change, onset)) for onset, clue in clues.items())
    return Scored(
        change=change,
        relevance=factors.relevance(change, now),
        severity=factors.severity(change, now, model),
        actor=relations.actor(change),
        support=_support(links),
        links=links,
        usual=relations.usual(change),
    )


def _support(links: Sequence[Link]) -> float:
    """Noisy-or over the onsets of one incident; of the incidents the best explained, each as far as it has faded."""
    remaining: dict[int, float] = {}
    for one in links:
        remaining[one.clue.incident] = remaining.get(one.clue.incident, 1.0) * (
            1.0 - one.clue.weight * one.relation.value
        )
    fading = {one.clue.incident: one.clue.fading for one in links}
    return max((fading[incident] * (1.0 - left) for incident, left in remaining.items()), default=0.0)


def settled(
    onsets: Iterable[Onset], over: Sequence[Over], going_on: Sequence[Change], relations: Relations
) -> frozenset[Onset]:
    """Onsets that a change explains which is over, about as well as any that goes on, and that ended with it.

    They are history: no other change may be blamed for them.
    """
    model = relations.model
    found = set()
    for onset in onsets:
        symptom = onset.symptom
        seconds = _SETTLE_SECONDS
        if symptom.family == "vpc_flow":
            seconds += factors.flow_interval(symptom.message, model.flow_interval_seconds)
        grace = timedelta(seconds=seconds)
        past = [_plain(one.change, onset, relations) for one in over if symptom.last_seen <= one.at + grace]
        if not past:
            continue
        rival = max((_plain(change, onset, relations) for change in going_on), default=0.0)
        # That they ended with it speaks for it.
        if max(past) >= max(rival / 1.5, model.threshold):
            found.add(onset)
    return frozenset(found)


def _plain(change: Change, onset: Onset, relations: Relations) -> float:
    """Strength on one onset without decay: what was true then."""
    base = max(event.relevance for event in change.members)
    prior = math.pow(base / 10.0, relations.model.severity_exponent) * relations.actor(change)
    return prior * relations.of(change, onset).value


def confidences(scored: Sequence[Scored], model: VerdictModel) -> list[float]:
    """Each one's calibrated share of the odds of all hypotheses, a cause that no log shows among them."""
    odds = [_odds(one.strength) ** model.sharpness for one in scored]
    total = sum(odds) + model.leak
    return [_calibrated(one / total, model.calibration) for one in odds]


def _odds(strength: float) -> float:
    return strength / (1.0 - min(strength, 0.98))


def _calibrated(share: float, line: tuple[float, float]) -> float:
    share = min(max(share, 1e-6), 1.0 - 1e-6)
    return 1.0 / (1.0 + math.exp(-(line[0] * math.log(share / (1.0 - share)) + line[1])))


def named(scored: Sequence[Scored], model: VerdictModel) -> Scored | None:
    """The root cause: the best open change that reaches the threshold, else the best acknowledged one; else none."""
    reaching = [one for one in scored if one.strength >= model.threshold]
    return max(reaching, key=Scored.rank, default=None)


def can_explain(one: Scored, model: VerdictModel) -> bool:
    """Whether the change came before one of the onsets that it was scored on, and is of a kind that can cause it."""
    return any(link.relation.time > model.after and link.relation.kind_case != "mismatch" for link in one.links)
