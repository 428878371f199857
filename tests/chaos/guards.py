"""Each guard taken out once, beside a run that has it: a harness that can't fail proves nothing.

Four small scenes, each made so that one guard is what keeps it right. `found` is what the harness saw wrong.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from probable_cause.state.identity import is_chunk
from tests.chaos import oracle
from tests.chaos.account import Account, Cloud, cloud
from tests.chaos.driver import GUARDS
from tests.chaos.process import Job
from tests.chaos.proxy import Faults
from tests.chaos.workload import Fact, Maker, Shape, Stream, World, slices

SMALL = Shape(events=6000, applications=2, redelivered=0.0, poison=0.0)
PATIENCE = 180.0
QUIET = 25.0  # seconds without a change of the tables, after which a run is over: more than a slow batch takes


@dataclass(frozen=True)
class Outcome:
    """What the harness found with the guard and without it: sentences, none where all was right."""

    guard: str
    costs: str
    with_it: list[str]
    without_it: list[str]

    @property
    def caught(self) -> bool:
        return not self.with_it and bool(self.without_it)


def run(seed: int, folder: Path, only: str = "") -> list[Outcome]:
    """All scenes on one pair of emulators."""
    done = []
    with cloud("kinesis-local", "dynalite", folder, Faults(seed, 0.05, 0.0)) as sky:
        for guard, scene in SCENES.items():
            if only and only != guard:
                continue
            found = {}
            for off in ("", guard):
                found[off] = scene(sky, seed, off)
                told = found[off][0][:150] if found[off] else "nothing"
                sys.stdout.write(f"{guard} {'off' if off else 'on'}: {len(found[off])} wrong, {told}\n")
                sys.stdout.flush()
            done.append(Outcome(guard, GUARDS[guard], found[""], found[guard]))
    return done


def _stream(seed: int, shape: Shape, prefix: int = 0, minutes: float = 60) -> tuple[Stream, World]:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes)
    maker = Maker(seed, shape, start, prefix)
    return maker.make(), maker.world


def _until(holds: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.2)
    return False


def _differences(account: Account, facts: list[Fact]) -> list[str]:
    items = [one for one in account.tables.events.scan() if not is_chunk(one)]
    return oracle.compare(items, oracle.expected(facts)).differences


def _settled(account: Account, job: Job, facts: list[Fact]) -> list[str]:
    """The differences once the tables are right or no longer change."""
    still, before = time.monotonic(), None
    began = still
    while time.monotonic() - began < PATIENCE:
        found = _differences(account, facts)
        if not found:
            return []
        if (len(found), found[:3], job.batches) != before:
            still, before = time.monotonic(), (len(found), found[:3], job.batches)
        if job.batches > 0 and time.monotonic() - still > QUIET:
            break
        time.sleep(0.3)
    return found


def identity(sky: Cloud, seed: int, off: str) -> list[str]:
    """Half of all records come twice."""
    stream, world = _stream(seed, Shape(6000, 2, redelivered=0.5, poison=0.0))
    account = sky.account(world)
    half = len(stream.records) // 2
    account.put_records(stream.records[:half])
    job = Job(account.conf, account.log, off=off)
    try:
        _until(lambda: job.batches > 0)
        account.put_records([*stream.records[half:], *stream.records[: half // 2]])  # in another batch
        found = _settled(account, job, stream.facts)
        time.sleep(1)
        return found or _differences(account, stream.facts)
    finally:
        job.end()


def epoch(sky: Cloud, seed: int, off: str) -> list[str]:
    """A checkpoint is lost after some batches; what comes then is new, in batches numbered from 0 again. Only few
    events of a batch are listed, so that stamps decide about the others."""
    shape = Shape(6000, 2, redelivered=0.0, poison=0.0)
    first, world = _stream(seed, shape)
    account = sky.account(world, identity={"listed_events": 5})
    job = Job(account.conf, account.log, off=off)
    try:
        half = len(first.records) // 2
        account.put_records(first.records[:half])
        _until(lambda: job.batches >= 1)
        for part in slices(first.records[half:], 4):  # more batches before than there will be after
            before = job.batches
            account.put_records(part)
            _until(lambda: job.batches > before, 20)  # noqa: B023
        found = _settled(account, job, first.facts)
    finally:
        job.end()
    if found:
        return found
    second, _ = _stream(seed + 1, shape, prefix=1)
    anew = sky.account(world, prefix=account.name, identity={"listed_events": 5})
    anew.put_records(second.records)
    job = Job(anew.conf, anew.log, off=off)
    try:
        return _settled(anew, job, [*first.facts, *second.facts])
    finally:
        job.end()


def fencing(sky: Cloud, seed: int, off: str) -> list[str]:
    """A second driver is started on the same tables while the first one runs: the first must stop, and say why."""
    stream, world = _stream(seed, SMALL)
    account = sky.account(world)
    beside = sky.account(world, stream=account.stream, prefix=account.name)
    half = len(stream.records) // 2
    account.put_records(stream.records[:half])
    older = Job(account.conf, account.log, off=off)
    newer: Job | None = None
    try:
        _until(lambda: older.batches > 0)
        newer = Job(beside.conf, beside.log, off=off)
        _until(lambda: newer.batches > 0)  # type: ignore[union-attr]
        account.put_records(stream.records[half:])
        stopped = _until(lambda: not older.alive, 20)
        found = [] if stopped else ["two drivers write to the same tables: the older one went on"]
        if stopped and "FencedError" not in older.told():
            found.append(f"the older driver did not say why it stopped: {older.told()[-200:]}")
        return found + _settled(account, newer, stream.facts)
    finally:
        for one in (older, newer):
            if one is not None:
                one.end()


def children(sky: Cloud, seed: int, off: str) -> list[str]:
    """The stream is resharded while the job is down and parents are unread: Spark's own offset log must show that no
    child was begun before its parents were read to their end."""
    stream, world = _stream(seed, SMALL)
    account = sky.account(world, reading={"max_span": "1s"})  # parents need several batches
    third = len(stream.records) // 3
    account.put_records(stream.records[:third])
    for part in range(4):  # spread over arrival time, so that max_span makes several batches of it
        account.put_records(stream.records[third + part * 4 : third + part * 4 + 4])
        time.sleep(0.8)
    account.reshard(random.Random(seed))
    account.put_records(stream.records[third + 16 :])
    job = Job(account.conf, account.log, off=off)
    try:
        found = _settled(account, job, stream.facts)
    finally:
        job.end()
    listed = account.client.list_shards(StreamName=account.stream)["Shards"]
    return found + begun_too_early(account.folder / "checkpoint", listed)


def begun_too_early(checkpoint: Path, listed: list[dict[str, Any]]) -> list[str]:
    """Children that a batch begins while a parent is not read to its end, out of Spark's offset log."""
    found = []
    before: dict[str, Any] = {}
    logs = [file for file in (checkpoint / "offsets").iterdir() if file.name.isdigit()]
    for file in sorted(logs, key=lambda one: int(one.name)):
        now = json.loads(file.read_text(encoding="utf-8").splitlines()[-1]).get("shards", {})
        for shard in listed:
            parents = [shard.get("ParentShardId"), shard.get("AdjacentParentShardId")]
            begun = shard["ShardId"] in now and shard["ShardId"] not in before
            late = [one for one in parents if one and begun and "done" not in before.get(one, {})]
            found += [f"batch {file.name} begins {shard['ShardId']} before the end of {one}" for one in late]
        before = now
    return found


SCENES: dict[str, Callable[[Cloud, int, str], list[str]]] = {
    "identity": identity,
    "epoch": epoch,
    "fencing": fencing,
    "children": children,
}
