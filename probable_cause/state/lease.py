"""One writer at a time, and an epoch for each checkpoint. Held in one item of the state table.

- Epoch: Spark numbers batches from 0 again when it starts on a new checkpoint. Stamps are (epoch, batch id), and the
  epoch grows whenever the checkpoint is another one, so a new checkpoint's writes are never taken for replays (I3).
- Lease: the newest driver owns the item. An older one finds another's name there before its next batch, and stops (I4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from probable_cause.errors import FencedError, TableError
from probable_cause.state.moments import to_text
from probable_cause.state.tables import Table, Write

JOB = "(job)"  # no application: AWS tags and log groups can't give this name to one
_KEY = {"ApplicationId": JOB, "StateKey": "lease"}
_ATTEMPTS = 20


_HEARTBEAT = {"ApplicationId": JOB, "StateKey": "heartbeat"}


def beat(states: Table, lease: Lease, now: datetime, progress: dict[str, Any]) -> None:
    """Tells the dashboard and `doctor` that the job lives, and how far it is.

    Args:
        now: the machine's time.
        progress: attributes of the item, such as BatchId, LinesTotal, Lines, Rejects.
    """
    states.apply(Write(_HEARTBEAT, {"JobSeenAt": to_text(now), "Owner": lease.owner, **progress}))


def last_beat(states: Table) -> dict[str, Any] | None:
    """What the job told last, or None when none ever ran on these tables."""
    return states.get(_HEARTBEAT)


@dataclass(frozen=True)
class Lease:
    """What one driver holds: `owner` names the driver, `epoch` the checkpoint, whose own id `checkpoint` is."""

    owner: str
    epoch: int
    checkpoint: str = ""


def acquire(states: Table, owner: str, checkpoint_id: str, now: datetime) -> Lease:
    """Takes the lease over from whoever had it.

    Args:
        owner: unique name of this driver's run.
        checkpoint_id: Spark's query id, which lives in the checkpoint and is new with each new checkpoint.
        now: for people who read the item.

    Raises:
        TableError: when other drivers keep taking it at the same time.
    """
    for _ in range(_ATTEMPTS):
        item = states.get(_KEY) or {}
        known = item.get("CheckpointId")
        epoch = int(item.get("Epoch", 0)) + (0 if known == checkpoint_id else 1)
        taken = states.apply(
            Write(
                _KEY,
                {"Owner": owner, "CheckpointId": checkpoint_id, "Epoch": epoch, "TakenAt": to_text(now)},
                {"Owner": item.get("Owner"), "Epoch": item.get("Epoch")},
            )
        )
        if taken:
            return Lease(owner, epoch, checkpoint_id)
    raise TableError("the job's lease is taken by others again and again: stop the other drivers of this job first")


def check(states: Table, lease: Lease) -> None:
    """Raises FencedError when a newer driver has taken the lease."""
    item = states.get(_KEY) or {}
    if item.get("Owner") != lease.owner:
        raise FencedError(
            f"another driver took over at {item.get('TakenAt', 'an unknown time')} (it is {item.get('Owner')}, "
            f"this one is {lease.owner}): this one stops without writing. Run one driver per stream and table prefix."
        )
