"""What was answered at a moment of truth, and how well. Pure data: metrics, baselines and ablations all read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from probable_cause.evaluation.incident import NONE, Bundle, Expected, Truth
from probable_cause.evaluation.judge import Check, checks, rank_of
from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict.types import Verdict


@dataclass(frozen=True)
class Answer:
    """A verdict at a moment of truth, with all events of interest that the application had then."""

    truth: Truth
    verdict: Verdict
    events: tuple[EventOfInterest, ...]


@dataclass(frozen=True)
class Timing:
    """How soon the right cause was named, counted from the arrival of the incident's first symptom.

    `seconds` and `events` (log lines that arrived in between) are None when it never was.
    """

    application_id: str
    seconds: float | None
    events: int | None


@dataclass(frozen=True)
class BundleRun:
    """One bundle, run through the pipeline. `error` says why there is no answer."""

    bundle: Bundle
    answers: tuple[Answer, ...]
    seconds: float
    timings: tuple[Timing, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Outcome:
    """One moment, judged. `rank` of the expected cause (None: not among the answers, or none is expected)."""

    bundle: str
    kind: str
    difficulty: str
    split: str
    truth: Truth
    checks: tuple[Check, ...]
    expects: str  # cause | none | nothing
    rank: int | None
    confidence: float | None  # of the named cause
    right: bool  # everything about the root cause as expected
    answered: dict[str, Any]  # what the verdict says, as JSON values

    def to_dict(self) -> dict[str, Any]:
        """For `--json`: what was expected and answered, check by check."""
        return {
            "application_id": self.truth.application_id,
            "at": self.truth.at.isoformat().replace("+00:00", "Z"),
            "holds": all(check.holds for check in self.checks),
            "rank": self.rank,
            "confidence": self.confidence,
            "answered": self.answered,
            "checks": [
                {"about": one.about, "holds": one.holds, "expected": one.expected, "answered": one.answered}
                for one in self.checks
            ],
        }


def outcome(bundle: Bundle, answer: Answer) -> Outcome:
    """Compares one answer with its truth."""
    expected = answer.truth.root_cause
    root = answer.verdict.root_cause
    rank = rank_of(expected, answer.verdict) if isinstance(expected, Expected) else None
    expects = "nothing" if expected is None else "none" if expected == NONE else "cause"
    return Outcome(
        bundle=bundle.name,
        kind=bundle.kind,
        difficulty=bundle.difficulty,
        split=bundle.split,
        truth=answer.truth,
        checks=tuple(checks(answer.truth, answer.verdict, answer.events)),
        expects=expects,
        rank=rank,
        confidence=root.confidence if root else None,
        right=rank == 1 if expects == "cause" else root is None,
        answered=_answered(answer),
    )


def _answered(answer: Answer) -> dict[str, Any]:
    """Root cause and rivals in order, what each layer shows, and every item's count: enough to judge it elsewhere."""
    root = answer.verdict.root_cause
    ranked = [] if root is None else [root.event, *(one.event for one in root.rivals)]
    return {
        "health": answer.verdict.health,
        "root_cause": NONE if root is None else _named(root.event) | {"resource_ids": list(root.resource_ids)},
        "ranked": [_named(one) for one in ranked],
        "layers": {
            name: {"state": layer.state, "deferred_from": layer.deferred_from}
            | ({} if layer.event is None else _named(layer.event))
            for name, layer in answer.verdict.layers.items()
        },
        "counts": [
            _named(one) | {"cause_id": one.cause_id, "episode": one.episode, "count": one.count}
            for one in sorted(answer.events, key=lambda one: one.event_key)
            if one.role != "recovery"
        ],
    }


def _named(event: EventOfInterest) -> dict[str, Any]:
    return {
        "event_type": event.event_type,
        "role": event.role,
        "action": event.action,
        "resource_ids": list(event.resource_ids),
        "summary": event.summary,
    }


def outcomes(runs: Sequence[BundleRun]) -> list[Outcome]:
    """Every moment of every bundle."""
    return [outcome(run.bundle, answer) for run in runs for answer in run.answers]
