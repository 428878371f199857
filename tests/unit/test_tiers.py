"""`make test` runs every folder that has tests, once."""

from __future__ import annotations

from tests.conftest import ROOT
from tools.tests import HALVES


def test_the_halves_are_all_tiers() -> None:
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert sorted(tier for half in HALVES for tier in half) == sorted(folders)
