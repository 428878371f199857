"""The parts of the archive without Spark: plans of the spool, and items that become rows and items again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from probable_cause.archive import spool, states
from probable_cause.archive.spool import Plan
from probable_cause.archive.states import Known
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Write
from probable_cause.storage import Folder

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OLD, NEW = spool.epoch_name(1, "0ld0ld0l-1"), spool.epoch_name(2, "newnewne-2")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Folder:
    folder = Folder(str(tmp_path / "checkpoint"))
    folder.write("metadata", json.dumps({"id": "newnewne-2"}).encode())
    for batch in (6, 7):
        folder.write(f"commits/{batch}", b"v1")
    folder.write("commits/.8.tmp", b"")
    return folder


@pytest.fixture
def waiting(tmp_path: Path) -> Folder:
    folder = Folder(str(tmp_path / "checkpoint-spool"))
    for epoch, batches in ((OLD, (98, 99)), (NEW, (5, 6, 7, 8))):
        for batch in batches:
            folder.write(f"{spool.batch_folder(epoch, batch)}/_SUCCESS", b"")
    folder.write(f"{spool.batch_folder(OLD, 100)}/part-0.parquet", b"half")
    return folder


def test_whole_and_committed_batches_are_planned(waiting: Folder, checkpoint: Folder) -> None:
    assert spool.waiting(waiting) == 7
    assert spool.plans(waiting, checkpoint, 2) == [Plan(OLD, (98, 99)), Plan(NEW, (5, 6)), Plan(NEW, (7,))]


def test_nothing_committed_nothing_planned(waiting: Folder, tmp_path: Path) -> None:
    fresh = Folder(str(tmp_path / "fresh"))
    fresh.write("metadata", json.dumps({"id": "newnewne-2"}).encode())
    assert [plan.epoch for plan in spool.plans(waiting, fresh, 9)] == [OLD]


def test_a_plan_that_was_begun_stays_as_it_was(waiting: Folder, checkpoint: Folder) -> None:
    begun = Plan(NEW, (5, 6))
    spool.begin(waiting, begun)
    spool.begin(waiting, begun)
    assert spool.plans(waiting, checkpoint, 9) == [begun, Plan(OLD, (98, 99)), Plan(NEW, (7,))]
    # Its version is that of its last batch, also when a crash came between its removals.
    waiting.remove(spool.batch_folder(NEW, 5))
    assert spool.rows_of(waiting, begun) == [waiting.of(spool.batch_folder(NEW, 6))]
    assert spool.plans(waiting, checkpoint, 9)[0].version == 6
    spool.end(waiting, begun)
    assert spool.plans(waiting, checkpoint, 9) == [Plan(OLD, (98, 99)), Plan(NEW, (7,))]


def test_an_item_comes_back_equal_and_is_archived_once() -> None:
    tables = memory_tables()
    attributes = {"Count": 3, "EventRelevance": 7.5, "SeenEventIds": b"\0\xff", "Ledger": {"a": "b"}, "Ok": True}
    tables.events.apply(Write({"ApplicationId": "app1", "EventKey": "k"}, {**attributes, "ResourceIds": ["i-1"]}))
    known = Known({})
    rows = known.changed("events", tables.events, tables.events.scan(), NOW)
    assert [states.item_of(row["item"]) for row in rows] == tables.events.scan()
    assert known.changed("events", tables.events, tables.events.scan(), NOW) == rows
    known.keep(rows)
    assert known.changed("events", tables.events, tables.events.scan(), NOW) == []
    tables.events.apply(Write({"ApplicationId": "app1", "EventKey": "k"}, {"Count": 4}))
    (row,) = known.changed("events", tables.events, tables.events.scan(), NOW)
    assert states.item_of(row["item"])["Count"] == 4
    heartbeat = [{"ApplicationId": "(job)", "StateKey": "heartbeat"}]
    assert known.changed("states", tables.states, heartbeat, NOW) == []


def test_rebuild_leaves_what_is_there_and_what_has_expired() -> None:
    tables = memory_tables()
    items = [
        {"ApplicationId": "a", "EventKey": "lost", "Count": 1},
        {"ApplicationId": "a", "EventKey": "there", "Count": 1},
        {"ApplicationId": "a", "EventKey": "expired", "Count": 1, "ExpiresAt": int(NOW.timestamp()) - 1},
    ]
    tables.events.apply(Write({"ApplicationId": "a", "EventKey": "there"}, {"Count": 2}))
    told: list[bool] = []
    assert states.rebuild(tables, [("events", json.dumps(item)) for item in items], NOW, told.append) == 1
    assert sorted(told) == [False, False, True]
    assert {item["EventKey"]: item["Count"] for item in tables.events.scan()} == {"lost": 1, "there": 2}
