"""The pipeline over log files of the past, bounded; and the tables out of the archive after a loss.

Files are read in units, in the order of their names: a unit's events go into the tables (and the archive), then the
ledger beside the checkpoint says that its files are done. A run that was ended goes on after the last unit; an event
that the stream, or an earlier run, has counted adds nothing (identity.py says how it is known).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from probable_cause import identity, pipeline
from probable_cause.archive import delta, states
from probable_cause.archive.writer import archived_events, archived_rejects, newest_items
from probable_cause.clock import wall_clock
from probable_cause.errors import ProbableCauseError
from probable_cause.schemas import EVENT
from probable_cause.settings import Settings
from probable_cause.sink import Sink
from probable_cause.sources import routing_of
from probable_cause.sources.archived import BUNDLE, LOGS, file_batches, wanted
from probable_cause.state import dynamodb
from probable_cause.storage import Folder
from probable_cause.wiring import sink_beside

UNIT_FILES = 200
Progress = Callable[["Done"], None]


@dataclass(frozen=True)
class Task:
    """What to read. Instants are bounds of the events' own time, the second one excluded.

    Args:
        kind: one of sources.archived.KINDS.
        paths: files or folders, on disk or S3.
        log_group: which group an export is of.
        rate: at most so many lines a second; None: as fast as it goes.
    """

    kind: str
    paths: tuple[str, ...]
    log_group: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    rate: float | None = None

    @property
    def name(self) -> str:
        """Of the ledger: the same for the same files and bounds."""
        told = repr((self.kind, self.paths, self.log_group, self.since, self.until))
        return f"{self.kind}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Done:
    """What was done so far. `skipped` files were done by an earlier run."""

    files: int
    skipped: int
    of: int
    lines: int
    events: int
    rejects: int


def run(
    spark: SparkSession,
    settings: Settings,
    task: Task,
    sink: Sink | None = None,
    on_progress: Progress = lambda _: None,
    at_point: Callable[[str], None] = lambda _: None,
    unit_files: int = UNIT_FILES,
) -> Done:
    """Reads all files of the task that are not done yet.

    Args:
        sink: over the tables; None: those of the settings.
        on_progress: called after each unit.
        at_point: for tests, called where a crash may fall.

    Raises:
        ProbableCauseError: no file is there, or no log group was given for an export.
        TableError: a table is missing or refuses.
    """
    if task.kind == LOGS and task.log_group is None:
        raise ProbableCauseError("an export does not say of which log group it is: give --log-group NAME")
    files = find(task)
    ledger = _Ledger(Folder(f"{settings.checkpoint.rstrip('/')}-backfill"), f"{task.name}.json")
    waiting = [file for file in files if file not in ledger.done]
    reader = _Reader(spark, settings, task, sink or sink_beside(settings))
    done = Done(0, len(files) - len(waiting), len(files), 0, 0, 0)
    began = time.monotonic()
    for unit in _units(waiting, unit_files):
        lines, events, rejects = reader.unit(unit)
        at_point("unit written")
        ledger.add(unit)
        done = Done(
            done.files + len(unit),
            done.skipped,
            done.of,
            done.lines + lines,
            done.events + events,
            done.rejects + rejects,
        )
        on_progress(done)
        if task.rate:
            time.sleep(max(0.0, done.lines / task.rate - (time.monotonic() - began)))
    return done


def find(task: Task) -> list[str]:
    """The files of the task, sorted. Raises ProbableCauseError when a path has none."""
    found: list[str] = []
    for path in task.paths:
        folder = Folder(path)
        if folder.is_file():
            names = [path]
        else:
            names = [folder.of(name) for name in folder.all_files() if wanted(task.kind, name)]
        if not names:
            raise ProbableCauseError(f"{path}: no {task.kind} file in or below it")
        found += names
    return sorted(dict.fromkeys(found))


class _Ledger:
    """Which files are done, as one JSON list."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder, self._name = folder, name
        self.done: set[str] = set(json.loads(folder.read(name))) if folder.exists(name) else set()

    def add(self, files: Sequence[str]) -> None:
        self.done.update(files)
        self._folder.write(self._name, json.dumps(sorted(self.done), indent=0).encode())


@dataclass
class _Reader:
    """Takes one unit after the other through the pipeline."""

    spark: SparkSession
    settings: Settings
    task: Task
    sink: Sink

    def __post_init__(self) -> None:
        self._archive = self.settings.archive_path if self.settings.archive_enabled else None
        if self._archive is not None:
            delta.require(self.spark)

    def unit(self, files: Sequence[str]) -> tuple[int, int, int]:
        """(lines, events of interest, rejects) of some files, which are in the tables afterwards."""
        name = f"backfill.{hashlib.sha256(' '.join(files).encode()).hexdigest()[:16]}"
        events = self._within(self._events(files)).persist()
        kept = pipeline.of_interest_or_rejected(events, self.sink.scope).persist()
        try:
            lines = events.count()
            new = self._not_archived(pipeline.of_interest(kept)).persist()
            count, rejects = new.count(), pipeline.rejected(kept).count()
            if count:
                self.sink.write_beside(new, name, count)
            if rejects:
                folder = f"{self.settings.rejects_path.rstrip('/')}/epoch={name}/batch=0"
                pipeline.rejected(kept).coalesce(1).write.mode("overwrite").json(folder)
            self._into_archive(new, pipeline.rejected(kept), name)
            new.unpersist()
            return lines, count, rejects
        finally:
            kept.unpersist()
            events.unpersist()

    def _events(self, files: Sequence[str]) -> DataFrame:
        routing = routing_of(self.settings.log_groups, self.settings.max_decompressed)
        binary = self.spark.read.format("binaryFile").load(list(files)).select("path", "content")
        events = binary.mapInArrow(file_batches(self.task.kind, routing, self.task.log_group), EVENT)
        if self.task.kind == BUNDLE:
            return events
        events = events.withColumn("event_id", F.expr(f"if(reject_reason is null, {identity.file_id()}, event_id)"))
        # An export keeps when CloudWatch had the line; the other files say nothing of it.
        return (
            events if self.task.kind == LOGS else events.withColumn("delivered_at", F.expr("cast(null as timestamp)"))
        )

    def _within(self, events: DataFrame) -> DataFrame:
        for bound, sign in ((self.task.since, ">="), (self.task.until, "<")):
            if bound is not None:
                events = events.where(f"reject_reason is not null or event_time {sign} timestamp'{bound.isoformat()}'")
        return events

    def _not_archived(self, interest: DataFrame) -> DataFrame:
        """Without the events that the archive has, under whichever id."""
        if self._archive is None or not delta.exists(self.spark, self._archive, delta.EVENTS):
            return interest
        days = interest.selectExpr("min(to_date(event_time)) as first", "max(to_date(event_time)) as last").first()
        if days is None or days["first"] is None:
            return interest
        known = delta.read(self.spark, self._archive, delta.EVENTS).where(
            F.col("day").between(days["first"], days["last"])
        )
        by_id = known.select("event_id").distinct()
        by_key = known.select("natural_key").where("natural_key is not null").distinct()
        keyed = interest.withColumn("natural_key", F.expr(identity.natural_key()))
        return (
            keyed.join(by_id, "event_id", "left_anti")
            .join(by_key, "natural_key", "left_anti")
            .select(*interest.columns)
        )

    def _into_archive(self, interest: DataFrame, rejected: DataFrame, name: str) -> None:
        if self._archive is None:
            return
        lookup = self.sink.lookup.at(self.spark, self.sink.wall_clock())
        for table, rows in (
            (delta.EVENTS, archived_events(interest, lookup, self.sink.scope)),
            (delta.REJECTS, archived_rejects(rejected)),
        ):
            delta.append(rows.coalesce(1), self._archive, table, (f"{table}/{name}", 0))


def _units(files: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(files), size):
        yield list(files[start : start + size])


def rebuild(spark: SparkSession, settings: Settings, on_progress: Callable[[int, int], None] = lambda *_: None) -> int:
    """Puts the items that the tables have lost back from the archive; returns how many.

    Args:
        on_progress: called after each item with (items done, of).

    Raises:
        EnvironmentFaultError: no Delta in this session.
        ProbableCauseError: no archive.
        TableError: a table is missing or refuses.
    """
    items = newest_items(spark, settings.archive_path)
    if settings.create_tables:
        dynamodb.create(settings.region, settings.endpoint_url, settings.table_prefix)
    tables = dynamodb.connect(settings.region, settings.endpoint_url, settings.table_prefix)
    done = [0]

    def one(_: bool) -> None:
        done[0] += 1
        on_progress(done[0], len(items))

    return states.rebuild(tables, items, wall_clock(), one)
