"""The archive: what a batch leaves, what a drain brings into Delta, and that nothing is lost or doubled on the way."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from probable_cause import s3a, session, settings
from probable_cause.archive import delta, spool, states
from probable_cause.archive.maintenance import maintain
from probable_cause.archive.writer import Archive, newest_items
from probable_cause.errors import FencedError, ProbableCauseError
from probable_cause.sink import Sink
from probable_cause.state.application import act
from probable_cause.state.lease import acquire
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Tables
from probable_cause.storage import Folder
from tests.conftest import ROOT
from tests.spark.conftest import Clock
from tests.spark.rows import T0, at
from tests.spark.test_sink import call, refused, write

FIRST = "checkpoint"  # of the lease that the fixture holds


class Killed(BaseException):
    """Not an Exception: nothing may catch it, as nothing catches SIGKILL."""


class Checkpoint:
    """Spark's checkpoint, as far as the archive reads it."""

    def __init__(self, folder: str, identity: str = FIRST) -> None:
        self.folder = Folder(folder)
        self.renew(identity)

    def renew(self, identity: str) -> None:
        self.folder.remove("commits")
        self.folder.write("metadata", json.dumps({"id": identity}).encode())

    def commit(self, batch_id: int) -> None:
        self.folder.write(f"commits/{batch_id}", b"v1\n{}")


@pytest.fixture
def checkpoint(place: str) -> Checkpoint:
    return Checkpoint(f"{place}/checkpoint")


def opened(spark: SparkSession, sink: Sink, place: str, point: str = "never") -> Archive:
    """An archive as a fresh driver has it, whose process dies at a point."""

    def at_point(name: str) -> None:
        if name == point:
            raise Killed(name)

    archive = Archive(
        spark=spark,
        tables=sink.tables,
        scope=sink.scope,
        path=f"{place}/archive",
        checkpoint=f"{place}/checkpoint",
        every=1e9,
        snapshot=1e9,
        clock=sink.wall_clock,
        at_point=at_point,
    )
    sink.archive = archive
    return archive


def rows(spark: SparkSession, place: str, table: str) -> list[dict[str, Any]]:
    found = delta.read(spark, f"{place}/archive", table).toArrow().to_pylist()
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True, default=str))


def ids(spark: SparkSession, place: str, table: str = delta.EVENTS) -> list[tuple[str, str]]:
    return sorted((row["event_id"], row["application_id"]) for row in rows(spark, place, table))


BATCHES: list[list[dict[str, Any]]] = [
    [call("c1"), refused("f1", 60)],
    [{"event_id": "bad", "message": "?", "reject_reason": "not_json", "arrived_at": at(1), "log_group": "/x"}],
    [refused("f2", 120)],
]
EXPECTED = [("c1", "app1"), ("f1", "app1"), ("f1", "app2"), ("f2", "app1"), ("f2", "app2")]


def run(spark: SparkSession, sink: Sink, checkpoint: Checkpoint, batches: range) -> None:
    for number in batches:
        write(spark, sink, BATCHES[number], number)
        checkpoint.commit(number)


def test_what_is_archived(with_delta: SparkSession, sink: Sink, checkpoint: Checkpoint, place: str) -> None:
    archive = opened(with_delta, sink, place)
    run(with_delta, sink, checkpoint, range(3))
    archive.drain()
    assert ids(with_delta, place) == EXPECTED
    first = next(row for row in rows(with_delta, place, delta.EVENTS) if row["event_id"] == "c1")
    assert (first["summary"], first["rule_id"]) == ("ana rebooted i-1", "ec2-reboot-instances")
    assert str(first["day"]) == "2026-03-01"
    (rejected,) = rows(with_delta, place, delta.REJECTS)
    assert (rejected["event_id"], rejected["reject_reason"], rejected["family"]) == ("bad", "not_json", "unknown")
    believed = {(row["application_id"], row["health"]) for row in rows(with_delta, place, delta.VERDICTS)}
    assert ("app1", "failing") in believed or ("app1", "degraded") in believed
    # Nothing is left waiting, and nothing is added by looking again.
    assert spool.plans(archive._spool, checkpoint.folder, 9) == []
    tables = [table for table in delta.PARTITIONS if table != delta.ALL_EVENTS]
    before = {table: rows(with_delta, place, table) for table in tables}
    opened(with_delta, sink, place).drain()
    assert {table: rows(with_delta, place, table) for table in tables} == before


@pytest.mark.parametrize("point", ["spooled", "events_of_interest committed", "rejected_records committed"])
def test_killed_and_started_again(
    with_delta: SparkSession,
    sink: Sink,
    checkpoint: Checkpoint,
    place: str,
    point: str,
) -> None:
    archive = opened(with_delta, sink, place, point)
    with pytest.raises(Killed):
        run(with_delta, sink, checkpoint, range(2))
        archive.drain()
    # The new driver: Spark runs the batch again that it had not committed; more batches come before the next drain.
    archive = opened(with_delta, sink, place)
    again = 0 if point == "spooled" else 2
    run(with_delta, sink, checkpoint, range(again, 3))
    archive.drain()
    assert ids(with_delta, place) == EXPECTED
    assert ids(with_delta, place, delta.REJECTS) == [("bad", None)]


def test_a_batch_that_spark_may_run_again_waits(
    with_delta: SparkSession,
    sink: Sink,
    checkpoint: Checkpoint,
    place: str,
) -> None:
    archive = opened(with_delta, sink, place)
    write(with_delta, sink, BATCHES[0], 0)
    archive.drain()
    assert not delta.exists(with_delta, f"{place}/archive", delta.EVENTS)
    run(with_delta, sink, checkpoint, range(2))
    archive.drain()
    assert ids(with_delta, place) == EXPECTED[:3]


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_fresh_checkpoint_loses_nothing(
    with_delta: SparkSession,
    sink: Sink,
    checkpoint: Checkpoint,
    place: str,
    epoch: int,
) -> None:
    sink.lease = dataclasses.replace(sink.lease, checkpoint=FIRST)
    archive = opened(with_delta, sink, place)
    run(with_delta, sink, checkpoint, range(2))
    archive.drain()
    # Batch ids begin at 0 again; so does the epoch, when the tables are new too.
    checkpoint.renew("22222222-bbbb")
    sink.lease = dataclasses.replace(sink.lease, epoch=epoch, checkpoint="22222222-bbbb")
    write(with_delta, sink, BATCHES[2], 0)
    checkpoint.commit(0)
    archive.drain()
    assert ids(with_delta, place) == EXPECTED


def test_verdicts_go_on_without_delta_and_it_catches_up(
    with_delta: SparkSession,
    sink: Sink,
    checkpoint: Checkpoint,
    place: str,
    tables: Tables,
) -> None:
    Path(place, "archive").write_text("a file where the folder should be", encoding="utf-8")
    archive = opened(with_delta, sink, place)
    run(with_delta, sink, checkpoint, range(1))
    with pytest.raises(Exception, match="archive"):
        archive.drain()
    run(with_delta, sink, checkpoint, range(1, 3))
    assert len(tables.events.query("app1")) == 2
    Path(place, "archive").unlink()
    archive.drain()
    assert ids(with_delta, place) == EXPECTED
    assert {row["application_id"] for row in rows(with_delta, place, delta.VERDICTS)} == {"app1", "app2"}


def test_a_spool_that_cannot_be_written_stops_nothing(
    with_delta: SparkSession,
    sink: Sink,
    checkpoint: Checkpoint,
    place: str,
    tables: Tables,
    caplog: pytest.LogCaptureFixture,
) -> None:
    Path(place, "checkpoint-spool").write_text("in the way", encoding="utf-8")
    opened(with_delta, sink, place)
    run(with_delta, sink, checkpoint, range(1))
    assert len(tables.events.query("app1")) == 2
    assert "the archive misses batch 0" in caplog.text


def test_a_fenced_driver_drains_no_more(
    with_delta: SparkSession,
    sink: Sink,
    checkpoint: Checkpoint,
    place: str,
) -> None:
    archive = opened(with_delta, sink, place)
    run(with_delta, sink, checkpoint, range(1))
    acquire(sink.tables.states, "newer", "checkpoint", T0)
    with pytest.raises(FencedError):
        archive.drain()


def test_tables_come_back_cell_by_cell(
    with_delta: SparkSession,
    sink: Sink,
    checkpoint: Checkpoint,
    place: str,
    clock: Clock,
) -> None:
    archive = opened(with_delta, sink, place)
    run(with_delta, sink, checkpoint, range(2))
    archive.drain(whole=False)
    act(sink.tables, "app1", "cloudsystem", "acknowledged", "ana", clock(), "planned")
    run(with_delta, sink, checkpoint, range(2, 3))
    archive.drain()
    rebuilt = memory_tables()
    items = newest_items(with_delta, f"{place}/archive")
    assert states.rebuild(rebuilt, items, clock()) == len(items)
    for name in ("events", "states", "by_ip", "by_resource"):
        assert getattr(rebuilt, name).scan() == getattr(sink.tables, name).scan(), name
    assert any(item["Status"] == "acknowledged" for item in rebuilt.events.scan())
    # What is there already is newer than the archive.
    assert states.rebuild(rebuilt, items, clock()) == 0


def test_a_table_that_is_not_there_is_told(with_delta: SparkSession, place: str) -> None:
    with pytest.raises(ProbableCauseError, match=r"archive\.enabled"):
        delta.read(with_delta, place, delta.EVENTS)


@pytest.mark.parametrize("seen", ["nothing", "a log without a commit"])
def test_a_table_that_another_process_makes_meanwhile(with_delta: SparkSession, tmp_path: Path, seen: str) -> None:
    here, other = str(tmp_path / "archive"), str(tmp_path / "other")
    if seen != "nothing":
        (tmp_path / "archive" / delta.VERDICTS / "_delta_log").mkdir(parents=True)
    assert not delta.exists(with_delta, here, delta.VERDICTS)
    delta.append(with_delta.range(3).selectExpr("id", "date'2026-03-01' as day"), other, delta.VERDICTS)
    shutil.copytree(other, here, dirs_exist_ok=True)
    assert delta.exists(with_delta, here, delta.VERDICTS)
    assert delta.read(with_delta, here, delta.VERDICTS).count() == 3


def test_the_coordinates_are_those_of_the_pins_and_of_the_docs() -> None:
    pins = dict(re.findall(r"\"?(pyspark|delta-spark)==([0-9.]+)", (ROOT / "setup.py").read_text("utf-8")))
    pinned = f"io.delta:delta-spark_{pins['pyspark'].rpartition('.')[0]}_2.13:{pins['delta-spark']}"
    if version("pyspark") == pins["pyspark"]:
        assert delta.coordinates() == pinned
        documented = (ROOT / "docs" / "archive.md").read_text("utf-8")
        assert f"spark.jars.packages  {','.join([pinned, *s3a.coordinates()])}\n" in documented
        assert f"spark.jars.excludes  {','.join(s3a.EXCLUDED)}\n" in documented
    for page in (ROOT / "docs").glob("*.md"):
        assert set(re.findall(r"io\.delta:delta-spark[\w.:]+", page.read_text("utf-8"))) <= {pinned}, page
    assert settings.load().archive_enabled is False


def test_maintenance_loses_nothing_that_is_kept(
    with_delta: SparkSession, sink: Sink, checkpoint: Checkpoint, place: str, clock: Clock
) -> None:
    archive = opened(with_delta, sink, place)
    for number in range(3):
        run(with_delta, sink, checkpoint, range(number, number + 1))
        archive.drain(whole=False)
    path = f"{place}/archive"
    before, items = ids(with_delta, place), newest_items(with_delta, path)
    done = {one.table: one for one in maintain(with_delta, path, at(0), timedelta(days=30))}
    assert done[delta.EVENTS].removed > done[delta.EVENTS].added
    assert not any(one.dropped for one in done.values())
    assert (ids(with_delta, place), newest_items(with_delta, path)) == (before, items)
    # A day that is whole is not written again, however often it is looked after.
    again = maintain(with_delta, path, at(0), timedelta(days=30))
    assert {one.table: (one.removed, one.added) for one in again} == dict.fromkeys(done, (0, 0))
    # Past retention events go; of an item its newest version stays, or the tables could not be rebuilt.
    assert all(one.dropped for one in maintain(with_delta, path, at(86400 * 40), timedelta(days=30)))
    assert (ids(with_delta, place), newest_items(with_delta, path)) == ([], items)


def test_a_session_that_is_there_stays_with_or_without_delta(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = spark.conf.get("spark.sql.catalog.spark_catalog", "none")
    monkeypatch.setattr(delta, "SETTINGS", {"spark.sql.catalog.spark_catalog": "of.jars.that.are.not.Here"})
    again = session.build("again", "local[2]", {"spark.sql.shuffle.partitions": "1"}, archive=True)
    assert again.conf.get("spark.sql.catalog.spark_catalog", "none") == before
    assert again.range(3).selectExpr("sum(id)").first()[0] == 3
