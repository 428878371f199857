"""The job's clock, the only one: verdicts are judged at the time that it gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, UTC."""
    return datetime.now(UTC)


def scenario_clock(path: str | Path) -> Clock:
    """A clock that runs `offset_seconds` beside the machine's, as the file says at each look.

    The demo moves it, so that hours of a scenario pass in seconds. A missing or half-written file means no offset yet.
    """
    file = Path(path)

    def now() -> datetime:
        try:
            offset = float(json.loads(file.read_text(encoding="utf-8"))["offset_seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            offset = 0.0
        return wall_clock() + timedelta(seconds=offset)

    return now


def set_offset(path: str | Path, offset: timedelta) -> None:
    """Moves a scenario clock. Written whole, then renamed: a reader never sees half of it."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps({"offset_seconds": offset.total_seconds()}), encoding="utf-8")
    temporary.replace(file)
