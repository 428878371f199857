"""The verdict in sentences. Every sentence carries the CloudWatch event ids that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict.factors import Onset, spans
from probable_cause.verdict.inverse import inverse
from probable_cause.verdict.model import VerdictModel
from probable_cause.verdict.root_cause import Clue, Link, Scored
from probable_cause.verdict.types import Rival, RootCause, Sentence

# Kinds of symptom as a sentence says them; other kinds go by their own name.
_SIGHTS = {
    "connectivity": "failing connections",
    "timeout": "time-outs",
    "availability": "an unavailable service",
    "dns": "failing name lookups",
    "tls": "failing TLS handshakes",
    "auth": "refused access",
    "throttling": "throttled calls",
    "memory": "a lack of memory",
    "crash": "crashes",
    "disk": "disk trouble",
    "deadlock": "waiting for locks",
    "deploy": "a version that does not start",
    "data": "missing or wrong data",
}
_SYMPTOMS_NAMED = 5
_RIVALS_NAMED = 4
_TRAIL_DELAY = timedelta(minutes=15)  # how long CloudTrail may take to deliver a call


def root_cause(
    named: Scored,
    rivals: Sequence[Scored],
    confidences: Sequence[float],
    events: Sequence[EventOfInterest],
    clues: Mapping[Onset, Clue],
    now: datetime,
    model: VerdictModel,
) -> RootCause:
    """The named cause with its evidence. `confidences` are of `named` and then of each of `rivals`."""
    lead = named.change.lead
    others = tuple(one for one in named.change.members if one is not lead)
    return RootCause(
        event=lead,
        confidence=confidences[0],
        strength=named.strength,
        factors=_factors(named),
        evidence=tuple(_evidence(named, others)),
        rivals=tuple(
            Rival(one.change.lead, confidence, _why_lower(one, named))
            for one, confidence in list(zip(rivals, confidences[1:], strict=True))[:_RIVALS_NAMED]
        ),
        gaps=tuple(_gaps(named, events, clues, now)),
        inverse=inverse(lead),
        same_change=tuple(one.event_key for one in others),
        resource_ids=named.change.resource_ids,
    )


def _factors(one: Scored) -> dict[str, float]:
    """severity * actor * support is the strength; time, kind and path are those of the best explained symptom."""
    best = one.best_link()
    shown = {"severity": one.severity, "actor": one.actor, "support": one.support}
    if best is not None:
        shown |= {
            "time": best.relation.time,
            "kind": best.relation.kind,
            "path": best.relation.path,
            "realm": best.relation.realm,
            "clue": best.clue.weight,
            "fading": best.clue.fading,
        }
    return shown


def _evidence(named: Scored, others: Sequence[EventOfInterest]) -> list[Sentence]:
    lead = named.change.lead
    change = f"{_what(lead)}, at {_clock(lead.first_seen)}{_repeats(lead)}; {_who(lead)}{_usual(named)}."
    sentences = [Sentence(change, lead.sample_event_ids)]
    for one in others:
        how = "AWS Config recorded the same change" if one.family == "aws_config" else "The same deployment also did"
        sentences.append(Sentence(f"{how}: {_what(one)}, at {_clock(one.first_seen)}.", one.sample_event_ids))
    told = sorted(named.links, key=lambda link: (-link.told, link.onset.at, link.onset.key))
    for link in told[:_SYMPTOMS_NAMED]:
        symptom = link.onset.symptom
        seen = f"seen {symptom.count} {'time' if symptom.count == 1 else 'times'} until {_clock(symptom.last_seen)}"
        begun = f"\u201c{symptom.summary}\u201d began {_lag(named, link)} ({_clock(link.onset.at)}), {seen}"
        sentences.append(Sentence(f"{begun}{_flip(symptom)}; {_relation(link)}.", symptom.sample_event_ids))
    return sentences


def _flip(symptom: EventOfInterest) -> str:
    if symptom.flip is None:
        return ""
    edge, until = symptom.flip
    return f", though {edge} had been accepted until {_clock(until)}"


def _what(event: EventOfInterest) -> str:
    if event.summary:
        return event.summary
    return f"{event.action or event.rule_id} on {', '.join(event.resource_ids[:3]) or 'an unnamed resource'}"


def _who(event: EventOfInterest) -> str:
    if not event.actor:
        return "who did it is not recorded"
    kind = {"person": "a person", "pipeline": "a pipeline", "service": "an AWS service"}.get(event.actor_type or "")
    return f"the caller was {event.actor}" + (f", {kind}" if kind else "")


def _usual(one: Scored) -> str:
    return "" if not one.usual else f", who made such a change on {_days(one.usual)} before"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _repeats(event: EventOfInterest) -> str:
    return "" if event.count == 1 else f", {event.count} times until {_clock(event.last_seen)}"


def _clock(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _lag(named: Scored, link: Link) -> str:
    before = [start for one in named.change.members for start, _ in spans(one) if start <= link.onset.at]
    if before:
        return f"{duration(link.onset.at - max(before))} after it"
    first = min(one.first_seen for one in named.change.members)
    return f"{duration(first - link.onset.at)} before its recorded time"


def duration(span: timedelta) -> str:
    """`45 s`, `12 min`, `3.5 h` or `2.1 days`."""
    seconds = max(span.total_seconds(), 0.0)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172800 else f"{seconds / 86400:.1f} days"


def _relation(link: Link) -> str:
    symptom = _SIGHTS.get(link.onset.symptom.symptom or "", link.onset.symptom.symptom or "what is seen")
    kind = {
        "match": f"such a change can cause {symptom}",
        "kin": f"such a change causes what often shows as {symptom}",
        "distant": f"such a change may in the end show as {symptom}",
        "generic": "the symptom does not say what kind of failure it is",
        "unknown": "what such a change can cause is not known",
        "mismatch": f"such a change hardly causes {symptom}",
    }[link.relation.kind_case]
    path = {
        "shared": "both concern the same resource",
        "named": "the symptom names the changed resource",
        "rule": "its port and address are those of the changed rule",
        "related": "the symptom's resource is attached to the changed one",
        "unknown": "the symptom does not say which resource it met",
        "elsewhere": "the symptom is on another resource of that kind",
    }[link.relation.path_case]
    order = (
        ""
        if link.relation.time >= 0.5
        else ", though long before"
        if link.relation.time > 0.1
        else ", though at the wrong time"
    )
    return f"{kind}, and {path}{order}"


def _why_lower(rival: Scored, named: Scored) -> str:
    """The first factor in which the rival falls behind most, in words."""
    if rival.acknowledged and not named.acknowledged:
        return "It is acknowledged, and an open cause explains the symptoms."
    mine, best = rival.best_link(), named.best_link()
    if mine is None or best is None:
        return "There is no symptom that it explains."
    if mine.relation.kind_case == "mismatch":
        kind = mine.onset.symptom.symptom or ""
        return f"Such a change hardly causes {_SIGHTS.get(kind, kind or 'these symptoms')}."
    if mine.relation.time < 0.1:
        first = min(one.first_seen for one in rival.change.members)
        late = first > mine.onset.at
        return f"It came {duration(abs(first - mine.onset.at))} {'after' if late else 'before'} the symptom began."
    ratios = {
        "time": mine.relation.time / max(best.relation.time, 1e-9),
        "kind": mine.relation.kind / max(best.relation.kind, 1e-9),
        "path": mine.relation.path / max(best.relation.path, 1e-9),
        "actor": rival.actor / max(named.actor, 1e-9),
        "severity": rival.severity / max(named.severity, 1e-9),
        "realm": mine.relation.realm / max(best.relation.realm, 1e-9),
        "support": rival.support / max(named.support, 1e-9),
    }
    return {
        "time": "It came less closely before the symptoms.",
        "kind": "This kind of change explains the symptoms less surely.",
        "path": "The symptoms point less to the resource that it touched.",
        "realm": "The symptoms are about another kind of thing than it touched.",
        "actor": f"It is usual: its caller made such a change on {_days(rival.usual)} before."
        if rival.usual > named.usual
        else "Automation makes such changes all the time.",
        "severity": "It is less likely to break anything, or it is longer ago.",
        "support": "It explains fewer of the symptoms, or only later ones.",
    }[min(ratios, key=lambda name: (ratios[name], name))]


def _gaps(named: Scored, events: Sequence[EventOfInterest], clues: Mapping[Onset, Clue], now: datetime) -> list[str]:
    gaps = []
    members = named.change.members
    if all(one.family == "aws_config" for one in members):
        gaps.append("Only AWS Config recorded this change, so who made it is not known; its time may be minutes late.")
    newest = max((onset.at for onset in clues), default=None)
    if newest is not None and now - newest < _TRAIL_DELAY:
        gaps.append("CloudTrail may deliver calls up to 15 minutes late: a closer cause may still arrive.")
    if not any(one.family == "cloudtrail" for one in events):
        gaps.append("No CloudTrail event of this application has been seen: is its trail delivered to CloudWatch Logs?")
    lost = [one for one in events if one.outcome == "skipdata"]
    if lost:
        gaps.append(f"The flow log skipped records until {_clock(max(one.last_seen for one in lost))} (SKIPDATA).")
    if not any(one.family == "application" for one in events):
        gaps.append("No application log line is among the evidence.")
    if not any(one.relation.path_case in ("shared", "named", "rule", "related") for one in named.links):
        gaps.append("No symptom names the changed resource: the link rests on time and kind alone.")
    return gaps


def why_none(
    recent: Sequence[Scored], symptoms: Sequence[EventOfInterest], clues: Mapping[Onset, Clue], model: VerdictModel
) -> str:
    """Why no root cause is named, in one sentence."""
    if not symptoms:
        return "No symptom is going on, so there is nothing to explain."
    if not clues:
        return "The symptoms ended when their cause was undone."
    if not recent:
        return "No recent change of this application is known."
    best = max(recent, key=Scored.rank)
    return (
        f"No change explains the symptoms well enough: the best, {_what(best.change.lead)}, reaches "
        f"{best.strength:.2f} of the {model.threshold:.2f} needed."
    )
