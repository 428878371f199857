"""One driver writes; a new checkpoint gets a new epoch (I3, I4)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probable_cause.errors import FencedError
from probable_cause.state import lease
from probable_cause.state.memory import memory_tables

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_new_checkpoint_raises_the_epoch_and_a_restart_keeps_it() -> None:
    states = memory_tables().states
    assert lease.acquire(states, "driver-1", "checkpoint-a", NOW).epoch == 1
    assert lease.acquire(states, "driver-2", "checkpoint-a", NOW).epoch == 1
    assert lease.acquire(states, "driver-3", "checkpoint-b", NOW).epoch == 2
    assert lease.acquire(states, "driver-4", "checkpoint-a", NOW).epoch == 3


def test_the_older_of_two_drivers_is_fenced_off() -> None:
    states = memory_tables().states
    older = lease.acquire(states, "driver-1", "checkpoint-a", NOW)
    lease.check(states, older)
    newer = lease.acquire(states, "driver-2", "checkpoint-a", NOW)
    lease.check(states, newer)
    with pytest.raises(FencedError, match="driver-2"):
        lease.check(states, older)
