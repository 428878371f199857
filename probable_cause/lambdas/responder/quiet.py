"""Quiet for flapping: a cause that comes and goes is told a few times, then only once it is steady. Pure.

Counted by layer and cause, so that another cause is always told at once. What an operator does is never held back.
What was held back is not lost: the caller keeps the layer as last told, and compares again when `look_again` passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from probable_cause.state.moments import from_text, to_text

# (instant in ISO 8601, event key) of each transition of a layer, told or held back
Recent = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Limits:
    """Of one cause in one layer at most `most` transitions are told in any `window`; the last of them says so."""

    most: int = 3
    window: timedelta = timedelta(minutes=15)  # SQS delays a message by 15 minutes at most


def within(recent: Recent, at: datetime, limits: Limits) -> list[tuple[str, str]]:
    """Those of `recent` that lie in the window before `at`."""
    since = to_text(at - limits.window)
    return [(when, key) for when, key in recent if when > since]


def count(recent: Recent, event_key: str, at: str, limits: Limits) -> int:
    """How many transitions of this cause the window before `at` holds."""
    return sum(key == event_key for _, key in within(recent, from_text(at), limits))


def holds_back(recent: Recent, event_key: str, at: str, limits: Limits) -> bool:
    """Whether one more transition of this cause, not in `recent` yet, is one too many."""
    return count(recent, event_key, at, limits) >= limits.most


def last_before_quiet(recent: Recent, event_key: str, at: str, limits: Limits) -> bool:
    """Whether one more transition of this cause is the last that is told for now."""
    return count(recent, event_key, at, limits) == limits.most - 1
