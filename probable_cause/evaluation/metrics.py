"""Ranking and calibration figures over outcomes. Pure.

AC@k: share of the moments with a known cause at which it is among the first k answers. Avg@5: mean of AC@1 .. AC@5.
Specificity: share of the moments without a cause at which none was named. Both as in the root-cause literature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import Any

from probable_cause.evaluation.answers import BundleRun, Outcome

Share = float | None  # of nothing there is no share


@dataclass(frozen=True)
class Scores:
    """Figures of a set of outcomes; a share is None when nothing of its kind was asked."""

    moments: int
    causes: int  # moments with a known cause
    quiet: int  # moments at which none may be named
    ac_at_1: Share
    ac_at_3: Share
    avg_at_5: Share
    specificity: Share
    layer_accuracy: Share
    layers: int
    exact_counts: Share
    counts: int
    all_right: Share  # moments at which every check held

    def to_dict(self) -> dict[str, Any]:
        """Shares rounded to 4 places."""
        return {name: round(one, 4) if isinstance(one, float) else one for name, one in asdict(self).items()}


def scores(outcomes: Iterable[Outcome]) -> Scores:
    """The figures of these outcomes."""
    found = list(outcomes)
    causes = [one for one in found if one.expects == "cause"]
    quiet = [one for one in found if one.expects == "none"]
    layers = [check.holds for one in found for check in one.checks if check.about.startswith("layer ")]
    counts = [check.holds for one in found for check in one.checks if check.about.startswith("count ")]
    at = [share(one.rank is not None and one.rank <= k for one in causes) for k in range(1, 6)]
    return Scores(
        moments=len(found),
        causes=len(causes),
        quiet=len(quiet),
        ac_at_1=at[0],
        ac_at_3=at[2],
        avg_at_5=sum(one or 0.0 for one in at) / 5 if causes else None,
        specificity=share(one.right for one in quiet),
        layer_accuracy=share(layers),
        layers=len(layers),
        exact_counts=share(counts),
        counts=len(counts),
        all_right=share(all(check.holds for check in one.checks) for one in found),
    )


def share(of: Iterable[bool]) -> Share:
    """The share that is true; None of nothing."""
    flags = list(of)
    return sum(flags) / len(flags) if flags else None


def grouped(outcomes: Sequence[Outcome], key: Callable[[Outcome], str]) -> dict[str, Scores]:
    """Scores by class, difficulty or split, sorted by name; outcomes without one are left out."""
    names = sorted({key(one) for one in outcomes} - {""})
    return {name: scores(one for one in outcomes if key(one) == name) for name in names}


@dataclass(frozen=True)
class Bin:
    """Verdicts whose confidence lay in [low, high): how many, their mean confidence, the share that was right."""

    low: float
    high: float
    verdicts: int
    confidence: float
    right: float


def calibration(outcomes: Iterable[Outcome], width: float = 0.1) -> list[Bin]:
    """Bins of confidence that hold a verdict. A cause that was named where none may be is wrong."""
    named = [(one.confidence, one.right) for one in outcomes if one.confidence is not None and one.expects != "nothing"]
    bins = []
    for number in range(round(1 / width)):
        low, high = number * width, (number + 1) * width
        inside = [
            (confidence, right) for confidence, right in named if low <= confidence < high or confidence == high == 1
        ]
        if inside:
            mean = sum(confidence for confidence, _ in inside) / len(inside)
            bins.append(Bin(round(low, 2), round(high, 2), len(inside), mean, sum(r for _, r in inside) / len(inside)))
    return bins


def calibration_error(bins: Sequence[Bin]) -> Share:
    """Expected calibration error: mean distance of confidence and share right, weighted by verdicts."""
    total = sum(one.verdicts for one in bins)
    return sum(one.verdicts * abs(one.confidence - one.right) for one in bins) / total if total else None


def time_to_verdict(runs: Iterable[BundleRun]) -> dict[str, Any]:
    """Median and 95th percentile of seconds and of log lines between the first symptom and the right verdict."""
    timings = [timing for run in runs for timing in run.timings]
    reached = [one for one in timings if one.seconds is not None and one.events is not None]
    return {
        "incidents": len(timings),
        "named": len(reached),
        "seconds": _middle_and_tail([one.seconds for one in reached if one.seconds is not None]),
        "events": _middle_and_tail([float(one.events) for one in reached if one.events is not None]),
    }


def _middle_and_tail(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    if len(values) == 1:
        return {"p50": round(values[0], 2), "p95": round(values[0], 2)}
    cuts = quantiles(values, n=20, method="inclusive")
    return {"p50": round(cuts[9], 2), "p95": round(cuts[18], 2)}
