"""What simpler ways would have answered at the same moments, and what the model answers without one of its factors."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from probable_cause.evaluation.answers import Answer, BundleRun, outcome
from probable_cause.evaluation.incident import NONE, Expected
from probable_cause.evaluation.judge import names
from probable_cause.evaluation.metrics import scores, share
from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict import VerdictModel, judge

Ranking = Callable[[Sequence[EventOfInterest], Sequence[EventOfInterest], Answer], list[EventOfInterest]]


def _latest(causes: Sequence[EventOfInterest], _: Sequence[EventOfInterest], answer: Answer) -> list[EventOfInterest]:
    return sorted(causes, key=lambda one: (one.last_seen, one.event_key), reverse=True)


def _most_severe(
    causes: Sequence[EventOfInterest], _: Sequence[EventOfInterest], answer: Answer
) -> list[EventOfInterest]:
    return sorted(causes, key=lambda one: (one.relevance, one.last_seen, one.event_key), reverse=True)


def _nearest(
    causes: Sequence[EventOfInterest], symptoms: Sequence[EventOfInterest], answer: Answer
) -> list[EventOfInterest]:
    first = min((one.first_seen for one in symptoms), default=answer.truth.at)
    before = [one for one in causes if one.first_seen <= first]
    return sorted(before, key=lambda one: (one.first_seen, one.event_key), reverse=True)


def _random(causes: Sequence[EventOfInterest], _: Sequence[EventOfInterest], answer: Answer) -> list[EventOfInterest]:
    ordered = sorted(causes, key=lambda one: one.event_key)
    random.Random(f"{answer.truth.application_id} {answer.truth.at}").shuffle(ordered)  # noqa: S311 - a baseline
    return ordered


BASELINES: Mapping[str, Ranking] = {
    "latest change": _latest,
    "highest severity": _most_severe,
    "nearest before the first symptom": _nearest,
    "random": _random,
}


def baseline(runs: Iterable[BundleRun], ranking: Ranking) -> dict[str, Any]:
    """AC@1, AC@3 and specificity of a ranking that always names its first, when symptoms are there to explain."""
    ranks: list[int | None] = []
    silent: list[bool] = []
    for answer in (answer for run in runs for answer in run.answers):
        expected = answer.truth.root_cause
        if expected is None:
            continue
        at = answer.truth.at
        recent = [one for one in answer.events if one.status != "resolved" and one.is_recent(at)]
        symptoms = [one for one in recent if one.role == "symptom"]
        causes = [one for one in recent if one.role == "cause"] if symptoms else []
        ranked = ranking(causes, symptoms, answer)
        if expected == NONE:
            silent.append(not ranked)
        elif isinstance(expected, Expected):
            ranks.append(next((place for place, one in enumerate(ranked, 1) if names(expected, one)), None))
    return {
        "ac_at_1": _rounded(share(one == 1 for one in ranks)),
        "ac_at_3": _rounded(share(one is not None and one <= 3 for one in ranks)),
        "specificity": _rounded(share(silent)),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def without(model: VerdictModel) -> dict[str, VerdictModel]:
    """The model with one factor at a time held at 1."""
    return {
        "time": replace(model, after=1.0, half_lag_seconds=1e12, closeness=0.0),
        "kind": replace(model, kind=dict.fromkeys(model.kind, 1.0), kind_order=1.0),
        "path": replace(model, path=dict.fromkeys(model.path, 1.0)),
        "realm": replace(model, realm=dict.fromkeys(model.realm, 1.0)),
        "actor": replace(model, actor=dict.fromkeys(model.actor, 1.0), churn_exponent=0.0, usual_exponent=0.0),
        "severity": replace(model, severity_exponent=0.0),
        "clue weights": replace(
            model,
            cascade_weight=1.0,
            lone_symptom=1.0,
            habit=1.0,
            full_symptom_relevance=0.1,
            older_incident=1.0,
            incident_half_life_seconds=1e12,
        ),
        "threshold": replace(model, threshold=0.0),
    }


def rejudged(runs: Iterable[BundleRun], model: VerdictModel) -> list[BundleRun]:
    """The same moments with the same events, judged by another model."""
    return [
        replace(
            run,
            answers=tuple(
                replace(
                    answer,
                    verdict=judge(answer.events, answer.truth.at, model, application_id=answer.truth.application_id),
                )
                for answer in run.answers
            ),
        )
        for run in runs
    ]


def ablations(runs: Sequence[BundleRun], model: VerdictModel) -> dict[str, dict[str, Any]]:
    """Scores of the model without each factor."""
    found = {}
    for name, variant in without(model).items():
        judged = scores(outcome(run.bundle, answer) for run in rejudged(runs, variant) for answer in run.answers)
        found[name] = {
            key: value
            for key, value in judged.to_dict().items()
            if key in ("ac_at_1", "ac_at_3", "specificity", "layer_accuracy")
        }
    return found
