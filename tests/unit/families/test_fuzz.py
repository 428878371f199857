"""The short form of `python -m tests.fuzz.run`: the same mutations, 20,000 lines, a fixed seed."""

from __future__ import annotations

import pytest

from probable_cause.families import FAMILIES
from tests.fuzz.run import compare, fuzz

SEED = 20240301


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_mutated_lines_break_nothing(family: str) -> None:
    outcome = fuzz(family, 5_000, SEED)
    assert outcome.faults == [], f"seed {SEED}"
    assert outcome.lines == 5_000
    assert outcome.events > 100  # the mutations leave something to read


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_lines_read_alone_and_together_are_the_same(family: str) -> None:
    assert compare(family, 100 if family == "vpc_flow" else 400, SEED) == [], f"seed {SEED}"
