"""The published benchmark: what is committed is what its generator writes, and its halves share no class."""

from __future__ import annotations

from collections import defaultdict

import pytest

from benchmarks.incidents.evaluate import drops
from benchmarks.incidents.generate import BUNDLES, splits, write
from probable_cause.evaluation.bundle import find, load_bundle


@pytest.fixture(scope="module")
def bundles():
    return [load_bundle(folder) for folder in find([BUNDLES])]


def test_the_committed_bundles_are_what_the_generator_writes(tmp_path):
    write(tmp_path / "bundles")
    written = sorted(path.relative_to(tmp_path / "bundles") for path in (tmp_path / "bundles").rglob("*.*"))
    assert written == sorted(path.relative_to(BUNDLES) for path in BUNDLES.rglob("*.*"))
    for path in written:
        assert (tmp_path / "bundles" / path).read_bytes() == (BUNDLES / path).read_bytes(), path


def test_size_and_variety(bundles):
    assert len(bundles) >= 120
    assert len({bundle.kind for bundle in bundles}) >= 40
    assert {bundle.difficulty for bundle in bundles} == {"easy", "medium", "hard", "crowd"}
    sizes = [(bundle.path / "records.jsonl").stat().st_size for bundle in bundles]
    assert max(sizes) < 60_000 and sum(sizes) < 6_000_000
    quiet = [bundle for bundle in bundles if all(truth.root_cause == "none" for truth in bundle.truth)]
    assert len(quiet) >= 20


def test_the_halves_share_no_class(bundles):
    halves = defaultdict(set)
    for bundle in bundles:
        halves[bundle.split].add(bundle.kind)
        assert bundle.split == splits()[bundle.kind]
    assert set(halves) == {"train", "test"} and not halves["train"] & halves["test"]
    assert abs(len(halves["train"]) - len(halves["test"])) <= 3


def test_everything_has_arrived_when_it_is_counted(bundles):
    """A count asks for what has arrived: no line of a counted kind may come after the last moment of its bundle."""
    for bundle in bundles:
        counted = [truth.at for truth in bundle.truth if truth.counts]
        late = [
            record.arrival
            for record in bundle.records
            if counted and record.arrival > max(counted) and " REJECT " in str(record.raw)
        ]
        own = bundle.truth[0].application_id
        assert not late, (bundle.name, own, late[:2])


@pytest.mark.parametrize(
    ("now", "worse"),
    [
        ({"ac_at_1": 0.95, "specificity": 1.0}, 0),
        ({"ac_at_1": 0.94, "specificity": 0.99}, 0),
        ({"ac_at_1": 0.92, "specificity": 1.0}, 2),
        ({"ac_at_1": None, "specificity": 0.9}, 4),
    ],
)
def test_the_gate(now, worse):
    committed = {
        "scores": {"ac_at_1": 0.95, "specificity": 1.0},
        "by_split": {"test": {"ac_at_1": 0.95, "specificity": 1.0}},
    }
    assert len(drops({"scores": now, "by_split": {"test": now}}, committed)) == worse
