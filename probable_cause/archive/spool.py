"""What waits for Delta: one folder of Parquet a batch, beside the checkpoint, and the plans of commits.

    <spool>/0000000003-1f0c9a2b/000000000041/   the rows that batch 41 kept, of checkpoint 1f0c9a2b, epoch 3
    <spool>/plans/0000000003-1f0c9a2b.000000000045.json   batches 41 to 45 are one commit: {"batches": [41, 45]}

A plan is written before its commit and removed after its folders. So a commit that was made before a crash is made
again with the very same version, which Delta ignores, whatever has come into the spool since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from probable_cause.storage import Folder

_PLANS = "plans"
_WHOLE = "_SUCCESS"  # Spark's mark of a folder that was written to the end


@dataclass(frozen=True)
class Plan:
    """Batches of one epoch that are one commit; its version is the last of them."""

    epoch: str
    batches: tuple[int, ...]

    @property
    def version(self) -> int:
        return self.batches[-1]

    @property
    def file(self) -> str:
        return f"{_PLANS}/{self.epoch}.{self.version:012d}.json"


def epoch_name(epoch: int, checkpoint: str) -> str:
    """Name of an epoch's folder. The checkpoint's id is in it, since epochs start again with new tables."""
    return f"{epoch:010d}-{checkpoint[:8] or 'none'}"


def batch_folder(epoch: str, batch_id: int) -> str:
    return f"{epoch}/{batch_id:012d}"


def committed(checkpoint: Folder, epoch: str) -> int | None:
    """The last batch of `epoch` that Spark will not run again; None: no batch of it will be, as its checkpoint is not
    the present one."""
    try:
        identity = str(json.loads(checkpoint.read("metadata"))["id"])
    except (OSError, ValueError, KeyError):
        return None
    if identity[:8] != epoch.rpartition("-")[2]:
        return None
    return max((int(name) for name in checkpoint.files("commits") if name.isdigit()), default=-1)


def plans(spool: Folder, checkpoint: Folder, at_most: int) -> list[Plan]:
    """Commits to make, in order: those begun before a crash, then of what came since, `at_most` batches each.

    A batch that Spark may run again stays in the spool: it is in no plan until Spark has committed it.
    """
    begun = [_read(spool, name) for name in spool.files(_PLANS) if name.endswith(".json")]
    new = []
    for epoch in spool.folders():
        if epoch == _PLANS:
            continue
        last = committed(checkpoint, epoch)
        planned = {batch for plan in begun if plan.epoch == epoch for batch in plan.batches}
        waiting = [
            int(name)
            for name in spool.folders(epoch)
            if name.isdigit()
            and int(name) not in planned
            and (last is None or int(name) <= last)
            and spool.exists(f"{epoch}/{name}/{_WHOLE}")
        ]
        new += [Plan(epoch, tuple(waiting[at : at + at_most])) for at in range(0, len(waiting), at_most)]
    return begun + new


def waiting(spool: Folder) -> int:
    """How many batches are in the spool."""
    return sum(len(spool.folders(epoch)) for epoch in spool.folders() if epoch != _PLANS)


def _read(spool: Folder, name: str) -> Plan:
    content = json.loads(spool.read(f"{_PLANS}/{name}"))
    return Plan(name.partition(".")[0], tuple(content["batches"]))


def begin(spool: Folder, plan: Plan) -> None:
    """Writes the plan, once."""
    if not spool.exists(plan.file):
        spool.write(plan.file, json.dumps({"batches": plan.batches}).encode())


def end(spool: Folder, plan: Plan) -> None:
    """Removes what the plan has committed, the plan last."""
    for batch in plan.batches:
        spool.remove(batch_folder(plan.epoch, batch))
    spool.remove(plan.file)


def rows_of(spool: Folder, plan: Plan) -> list[str]:
    """Paths of the plan's folders that are still there, for Spark."""
    names = [batch_folder(plan.epoch, batch) for batch in plan.batches]
    return [spool.of(name) for name in names if spool.exists(name)]
