"""Every demonstrated scenario through the job's own pipeline and sink: each expectation on the tables holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from probable_cause.evaluation.answers import outcomes
from probable_cause.evaluation.bundle import find, load_bundle
from probable_cause.evaluation.runner import RunBundle


@pytest.fixture(scope="module")
def run_bundle(_session) -> RunBundle:
    from probable_cause.evaluation.through_spark import SparkRunner

    return SparkRunner(_session)


@pytest.mark.parametrize("folder", find([Path(__file__).parent]), ids=lambda folder: folder.name)
def test_scenario(folder: Path, run_bundle: RunBundle):
    run = run_bundle(load_bundle(folder))
    assert run.error is None
    found = outcomes([run])
    assert len(found) == len(run.bundle.truth)
    faults = [f"{one.truth.at}: {check.fault()}" for one in found for check in one.checks if not check.holds]
    assert not faults, "\n".join(faults)
    for timing in run.timings:
        assert timing.seconds is not None and timing.seconds >= 0, timing
