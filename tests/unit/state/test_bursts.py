"""Intervals of activity: cut by silence, whatever the order in which instants come."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from probable_cause.state.bursts import KEPT, with_moment

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minutes(*numbers):
    bursts = ()
    for number in numbers:
        bursts = with_moment(bursts, T0 + timedelta(minutes=number))
    return [((a - T0).total_seconds() / 60, (b - T0).total_seconds() / 60) for a, b in bursts]


@pytest.mark.parametrize(
    ("moments", "want"),
    [
        ((5,), [(5, 5)]),
        ((0, 15), [(0, 15)]),
        ((0, 15.1), [(0, 0), (15.1, 15.1)]),
        ((0, 30, 15), [(0, 30)]),
        ((0, 60, 61, 10), [(0, 10), (60, 61)]),
        (range(0, 1000, 20), [(float(m), float(m)) for m in range(1000 - 20 * KEPT, 1000, 20)]),
    ],
)
def test_intervals(moments, want):
    assert minutes(*moments) == want


@pytest.mark.parametrize("seed", range(20))
def test_the_order_does_not_matter(seed):
    draw = random.Random(seed)
    moments = [draw.uniform(0, 100) for _ in range(draw.randint(1, 30))]
    want = minutes(*sorted(moments))
    draw.shuffle(moments)
    assert minutes(*moments) == want, seed
