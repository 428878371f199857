"""The tables' part of the chaos harness, short: crashes at any write, replays, lost checkpoints, redeliveries."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from probable_cause.state import application, episodes
from probable_cause.state.identity import Seen
from tests.chaos import tables_only


def test_counts_are_exact_whatever_crashes_and_comes_again() -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    done = tables_only.run(seed, events=6000, crashes=40, lost_checkpoints=3)
    assert not done.compared.differences, done.compared.differences[:5]
    assert done.crashes > 5
    assert done.chunks > 20
    assert done.compared.cells > 100


def test_without_identity_it_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    add = episodes.add

    def forgetful(existing: Sequence[Any], row: Any, stamp: str, remembered: int, at: Any, *_: Any) -> Any:
        return add([replace(one, seen=Seen()) for one in existing], row, stamp, remembered, at)

    monkeypatch.setattr(application, "add", forgetful)
    assert tables_only.run(1, events=3000, crashes=0, lost_checkpoints=0).compared.double > 0


def test_a_chunk_that_is_lost_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_only.Chunks, "counted", lambda *_: set())
    assert tables_only.run(1, events=6000, crashes=0, lost_checkpoints=1).compared.double > 0
