"""Runs bundles through whatever pipeline is given, and makes a report of the answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from probable_cause.errors import BundleError
from probable_cause.evaluation import baselines, metrics
from probable_cause.evaluation.answers import BundleRun, Outcome, outcomes
from probable_cause.evaluation.bundle import load_bundle
from probable_cause.evaluation.incident import Bundle, OperatorAction, Record, Truth
from probable_cause.verdict import VerdictModel

RunBundle = Callable[[Bundle], BundleRun]
Prepare = Callable[[Sequence[Bundle]], None]


@dataclass(frozen=True)
class Step:
    """What happens at one instant of a bundle, in this order: records that arrived until then, actions, truths."""

    at: datetime
    records: tuple[Record, ...]
    actions: tuple[OperatorAction, ...]
    truths: tuple[Truth, ...]


def steps(bundle: Bundle) -> Iterator[Step]:
    """The bundle in order of time. Records that arrive after the last instant are in no step: nobody asks then."""
    instants = sorted({one.at for one in bundle.operator} | {one.at for one in bundle.truth})
    waiting = list(bundle.records)
    for instant in instants:
        arrived = [record for record in waiting if record.arrival <= instant]
        waiting = waiting[len(arrived) :]
        yield Step(
            at=instant,
            records=tuple(arrived),
            actions=tuple(one for one in bundle.operator if one.at == instant),
            truths=tuple(one for one in bundle.truth if one.at == instant),
        )


@dataclass(frozen=True)
class Report:
    """All runs, their outcomes, how long the whole took (seconds), and the folders that hold no bundle, with why."""

    runs: tuple[BundleRun, ...]
    outcomes: tuple[Outcome, ...]
    seconds: float
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> dict[str, str]:
        """Bundles that gave no answer, with the reason."""
        return dict(self.unreadable) | {run.bundle.name: run.error for run in self.runs if run.error}

    def to_dict(self, model: VerdictModel) -> dict[str, Any]:
        """The JSON document of `evaluate --json`; docs/verdict.md describes it."""
        bins = metrics.calibration(self.outcomes)
        by_bundle: dict[str, list[Outcome]] = {}
        for one in self.outcomes:
            by_bundle.setdefault(one.bundle, []).append(one)
        return {
            "bundles": len(self.runs),
            "errors": self.errors,
            "seconds": round(self.seconds, 2),
            "bundles_per_minute": round(60 * len(self.runs) / self.seconds, 1) if self.seconds else None,
            "scores": metrics.scores(self.outcomes).to_dict(),
            "by_split": {name: one.to_dict() for name, one in metrics.grouped(self.outcomes, _split).items()},
            "by_difficulty": {name: one.to_dict() for name, one in metrics.grouped(self.outcomes, _difficulty).items()},
            "by_class": {name: one.to_dict() for name, one in metrics.grouped(self.outcomes, _kind).items()},
            "time_to_verdict": metrics.time_to_verdict(self.runs),
            "calibration": [
                {"from": one.low, "to": one.high, "verdicts": one.verdicts, "confidence": round(one.confidence, 3),
                 "right": round(one.right, 3)}
                for one in bins
            ],
            "calibration_error": metrics.calibration_error(bins),
            "baselines": {name: baselines.baseline(self.runs, way) for name, way in baselines.BASELINES.items()},
            "without_factor": baselines.ablations(self.runs, model),
            "details": {name: [one.to_dict() for one in found] for name, found in by_bundle.items()},
        }  # fmt: skip

    def failed(self) -> list[str]:
        """One line for every bundle that could not be run and every check that did not hold."""
        lines = [f"{name}: {why}" for name, why in self.errors.items()]
        for one in self.outcomes:
            where = f"{one.bundle}: {one.truth.application_id} at {one.truth.at:%H:%M:%S}"
            lines += [f"{where}: {check.fault()}" for check in one.checks if not check.holds]
        return lines


def _split(one: Outcome) -> str:
    return one.split


def _difficulty(one: Outcome) -> str:
    return one.difficulty


def _kind(one: Outcome) -> str:
    return one.kind


def evaluate(
    folders: Sequence[Path], run_bundle: RunBundle, at_once: int = 1, prepare: Prepare | None = None
) -> Report:
    """Reads every bundle, then runs those that could be read, in order.

    Args:
        at_once: how many bundles may run side by side; `run_bundle` must then be safe to call from threads.
        prepare: called once with all bundles before the first is run.
    """
    bundles, unreadable = [], {}
    for folder in folders:
        try:
            bundles.append(load_bundle(folder))
        except BundleError as exc:
            unreadable[str(folder)] = str(exc)
    began = time.monotonic()
    if prepare is not None:
        prepare(bundles)
    with ThreadPoolExecutor(at_once) as pool:
        runs = tuple(pool.map(run_bundle, bundles))
    seconds = time.monotonic() - began
    return Report(runs, tuple(outcomes(runs)), seconds, unreadable)
