"""What the running job knows of itself: how far it is, how far behind, and what it could not read.

Fed by the sink's reports and by Spark's own; read by the heartbeat, the health endpoint and the metrics. In memory
only: a restarted driver begins to count anew, as a Prometheus counter does. Time is an argument.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from probable_cause.sources.positions import lag_by_shard

STATES = ("starting", "running", "waiting", "stopping", "stopped", "failed")


@dataclass(frozen=True)
class Snapshot:
    """The job at an instant. Counters count since this driver started.

    `seen_at`: when it last looked at the stream, with or without finding something. `lag_ms`: by open shard, how far
    the last batch's end was behind when that batch was done. `phases_ms`: Spark's own account of the last batch.
    """

    state: str = "starting"
    seen_at: datetime | None = None
    batch_at: datetime | None = None
    batch_id: int | None = None
    batches: int = 0
    restarts: int = 0
    reason: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    batch_lines: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    batch_rejects: int = 0
    causes: int = 0
    batch_causes: int = 0
    writes: int = 0
    batch_writes: int = 0
    batch_seconds: float = 0.0
    lag_ms: Mapping[str, int] = field(default_factory=dict)
    phases_ms: Mapping[str, int] = field(default_factory=dict)

    @property
    def lag_ms_max(self) -> int | None:
        return max(self.lag_ms.values(), default=None)

    def healthy(self, now: datetime, max_silence: float) -> bool:
        """Whether it runs, and has looked at the stream within `max_silence` seconds."""
        if self.state not in ("running", "waiting") or self.seen_at is None:
            return False
        return (now - self.seen_at).total_seconds() <= max_silence


class Progress:
    """Collects; safe to use from several threads."""

    def __init__(self) -> None:
        self._now = Snapshot()
        self._lines: Counter[str] = Counter()
        self._rejects: Counter[str] = Counter()
        self._lock = threading.Lock()

    def snapshot(self) -> Snapshot:
        with self._lock:
            return self._now

    def became(self, state: str, reason: str = "") -> None:
        """One of STATES. `waiting` counts as a restart: a query failed and will be started again."""
        with self._lock:
            restarts = self._now.restarts + (state == "waiting")
            self._now = replace(self._now, state=state, reason=reason, restarts=restarts)

    def looked(self, now: datetime) -> None:
        """The query looked at the stream and found nothing new."""
        with self._lock:
            self._now = replace(self._now, seen_at=now)

    def wrote(self, rejects: Mapping[tuple[str, str], int], causes: int, writes: int, seconds: float) -> None:
        """The sink's report of a batch. Rejects are by (family, reason)."""
        with self._lock:
            self._rejects.update({"/".join(key): count for key, count in rejects.items()})
            self._now = replace(
                self._now,
                rejects=dict(self._rejects),
                batch_rejects=sum(rejects.values()),
                causes=self._now.causes + causes,
                batch_causes=causes,
                writes=self._now.writes + writes,
                batch_writes=writes,
                batch_seconds=seconds,
            )

    def committed(
        self, now: datetime, batch_id: int, lines: Mapping[str, int], offset: Any, phases: Mapping[str, int]
    ) -> None:
        """Spark's report of a batch: it is in the commit log.

        Args:
            lines: of this batch, by family.
            offset: where it ended, out of JSON (sources/positions.py); of another source anything.
            phases: milliseconds by phase.
        """
        with self._lock:
            self._lines.update(lines)
            self._now = replace(
                self._now,
                seen_at=now,
                batch_at=now,
                batch_id=batch_id,
                batches=self._now.batches + 1,
                lines=dict(self._lines),
                batch_lines=sum(lines.values()),
                lag_ms=_lag(offset, now),
                phases_ms=dict(phases),
            )


def _lag(offset: Any, now: datetime) -> dict[str, int]:
    """By shard; nothing for a source whose offsets are not ours."""
    return lag_by_shard(offset, int(now.timestamp() * 1000)) if isinstance(offset, dict) else {}


SHARDS_TOLD = 50  # in the heartbeat, the furthest behind first: a stream may have hundreds, an item is rewritten often


def heartbeat(told: Snapshot) -> dict[str, Any]:
    """The attributes of the heartbeat item that the dashboard and `doctor` read."""
    worst = sorted(told.lag_ms.items(), key=lambda one: -one[1])[:SHARDS_TOLD]
    attributes: dict[str, Any] = {
        "State": told.state,
        "LinesTotal": sum(told.lines.values()),
        "Lines": dict(told.lines),
        "Rejects": dict(told.rejects),
        "Restarts": told.restarts,
        "Lag": dict(worst),
        "Shards": len(told.lag_ms),
    }
    if told.batch_id is not None:
        attributes["BatchId"] = told.batch_id
    if told.lag_ms_max is not None:
        attributes["LagMax"] = told.lag_ms_max
    return attributes
