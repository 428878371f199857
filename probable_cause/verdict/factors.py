"""The factors of the root-cause model, each a number of 0..1 that a person could argue about."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from probable_cause.schemas import SILENCE
from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict import named, realms
from probable_cause.verdict.changes import Change
from probable_cause.verdict.model import GENERIC, KIN, VerdictModel

Topology = Mapping[str, Collection[str]]  # resource id -> resources that it is attached to or part of

# Two epoch seconds in a flow record: its window, in whatever order the format has them.
_EPOCH = re.compile(r"(?<![\d.])1\d{9}(?![\d.])")


@dataclass(frozen=True)
class Onset:
    """A symptom that began (again) at an instant. Equal by key and instant, so that it can be a key itself.

    `lone`: it was seen once and then no more. `before`: how many times it had come and gone before.
    """

    key: str
    at: datetime
    symptom: EventOfInterest = field(compare=False)
    lone: bool = field(compare=False, default=False)
    before: int = field(compare=False, default=0)


def spans(event: EventOfInterest) -> tuple[tuple[datetime, datetime], ...]:
    """(start, end) of each burst, ascending; the first begins at first_seen although older ones were forgotten."""
    bursts = event.bursts or ((event.first_seen, event.last_seen),)
    if event.first_seen < bursts[0][0]:
        return ((event.first_seen, event.first_seen), *bursts)
    return bursts


def time(change: Change, onset: Onset, model: VerdictModel) -> float:
    """1 when the change came just before the symptom, under half at `half_lag_seconds`, `after` when it came later.

    Within the tolerance of both clocks, of Config's delay and of the flow record's window, order is not known: then
    between 1 and 0.6.
    """
    return max(_time_of(event, onset, model) for event in change.members)


def _time_of(event: EventOfInterest, onset: Onset, model: VerdictModel) -> float:
    tolerance = _tolerance(event, onset.symptom, model)
    best = model.after
    for start, end in spans(event):
        if start > onset.at:
            late = (start - onset.at).total_seconds()
            if late <= tolerance:
                best = max(best, 1.0 - 0.4 * late / tolerance)
            continue
        lag = max((onset.at - end).total_seconds(), 0.0)
        near = max((1.0 + lag / model.close_seconds) ** -model.closeness, model.far)
        best = max(best, near / (1.0 + lag / model.half_lag_seconds))
    return best


def _tolerance(cause: EventOfInterest, symptom: EventOfInterest, model: VerdictModel) -> float:
    seconds = model.skew_seconds.get(cause.family, 0.0) + model.skew_seconds.get(symptom.family, 0.0)
    if cause.family == "aws_config":
        seconds += model.config_delay_seconds
    if symptom.family == "vpc_flow":
        seconds += flow_interval(symptom.message, model.flow_interval_seconds)
    return max(seconds, 1.0)


@lru_cache(maxsize=256)
def flow_interval(message: str, longest: float) -> float:
    """Seconds of the window of a flow record, read from its two epochs; `longest` when they can't be told."""
    moments = [int(text) for text in _EPOCH.findall(message)]
    if len(moments) < 2:
        return longest
    span = float(max(moments) - min(moments))
    return span if 0 < span <= longest else longest


def affine(first: str | None, second: str | None) -> bool:
    """Whether two kinds of symptom may be two sights of one failure."""
    return first == second or (first, second) in KIN


def kind(change: Change, symptom: EventOfInterest, model: VerdictModel) -> tuple[float, str]:
    """How well the kind of change explains the kind of symptom, and the name of the case (a key of model.kind)."""
    explains = [event.explains for event in change.members if event.explains] or [()]
    found = [_kind_of(one, symptom.symptom, model) for one in explains]
    return max(found, key=lambda one: one[0])


def _kind_of(explains: Sequence[str], symptom: str | None, model: VerdictModel) -> tuple[float, str]:
    case = _kind_case(explains, symptom)
    place = explains.index(symptom) if case == "match" and symptom else 0
    return model.kind[case] * model.kind_order**place, case


def _kind_case(explains: Sequence[str], symptom: str | None) -> str:
    if not explains:
        return "unknown"
    if symptom is None or symptom in GENERIC:
        return "generic"
    if symptom in explains:
        return "match"
    if (explains[0], symptom) in KIN:
        return "kin"
    return "distant" if any((one, symptom) in KIN for one in explains) else "mismatch"


def path(change: Change, symptom: EventOfInterest, topology: Topology | None, model: VerdictModel) -> tuple[float, str]:
    """Whether a touched resource lies on the symptom's path, and the name of the case (a key of model.path)."""
    case = _path_case(change, symptom, topology or {})
    return model.path[case], case


def _path_case(change: Change, symptom: EventOfInterest, topology: Topology) -> str:
    touched = set(change.resource_ids)
    addresses = {one for event in change.members for one in event.addresses}
    met = set(symptom.resource_ids)
    if touched & met or addresses & set(symptom.addresses):
        return "shared"
    text = f"{symptom.summary}\n{symptom.message}"
    if any(named.mentions(text, one) for one in touched):
        return "named"
    calls = [event.message for event in change.members]
    if any(named.meets_rule(call, text, symptom.addresses) for call in calls):
        return "rule"
    if any(near in met or near in symptom.addresses for one in touched for near in topology.get(one, ())) or any(
        near in touched for one in met | set(symptom.addresses) for near in topology.get(one, ())
    ):
        return "related"
    if named.another_of_a_class(touched, met) or any(named.names_another(text, call) for call in calls):
        return "elsewhere"
    return "unknown"


def realm(change: Change, symptom: EventOfInterest, model: VerdictModel) -> tuple[float, str]:
    """Whether the change touched the kind of thing that the symptom is about, and the name of the case."""
    case = _realm_case(change, symptom)
    return model.realm[case], case


def _realm_case(change: Change, symptom: EventOfInterest) -> str:
    # A silence names applications and a port, which say nothing of what failed.
    silent = symptom.outcome == SILENCE
    about = frozenset() if silent else realms.of_text(symptom.message) or realms.of_text(symptom.summary)
    if not about:
        return "unknown"
    touched = [realms.of_change(event.message) for event in change.members]
    if any(about & one for one in touched):
        return "same"
    if not all(touched):
        return "any"
    # Whatever fails behind it, a web service answers 503.
    return "behind" if about == {"web"} else "other"


def actor(event: EventOfInterest, usual: int, model: VerdictModel) -> float:
    """A person's change first, then a pipeline's, then AWS acting by itself; what automation repeats counts less: on
    this resource (the event's count), and on any of the application on earlier days (`usual`, see usual.earlier)."""
    weight = model.actor.get(event.actor_type or "unknown", model.actor["unknown"])
    if event.actor_type in ("pipeline", "service"):
        weight *= max(event.count, 1) ** -model.churn_exponent * (1 + usual) ** -model.usual_exponent
    return weight


def severity(change: Change, now: datetime, model: VerdictModel) -> float:
    """The change's relevance now as a factor: (relevance / 10) ^ severity_exponent."""
    return math.pow(min(relevance(change, now) / 10.0, 1.0), model.severity_exponent)


def relevance(change: Change, now: datetime) -> float:
    """Relevance now of the most relevant event of a change."""
    return max(event.relevance_at(now) for event in change.members)
