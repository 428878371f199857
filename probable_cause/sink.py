"""The foreachBatch function: the only place where Spark meets the tables.

Order of a batch: the lease is checked; what could not be read is kept; events of interest are folded by Spark and
added to their items, each by one conditional write; the verdict of every application touched is renewed; the archive,
if there is one, is given the rows. A batch that fails anywhere is replayed by Spark from the same offsets, and adds
what is missing, once.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Protocol

import pyarrow as pa
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from probable_cause import pipeline
from probable_cause.arrow_schema import arrow_schema
from probable_cause.attribution import LOOKUP
from probable_cause.clock import Clock
from probable_cause.errors import TableError
from probable_cause.state import lookups
from probable_cause.state.application import Renewal, add_repeats, applications, renew
from probable_cause.state.chunks import Chunks
from probable_cause.state.event_item import Repeats, batch_stamp, beside_stamp
from probable_cause.state.lease import Lease, check
from probable_cause.state.moments import from_text
from probable_cause.state.tables import Tables
from probable_cause.verdict import VerdictModel

log = logging.getLogger(__name__)

# Where a test kills the job: called with the name of each point that a crash may fall on. Does nothing in production.
Checkpoints = Callable[[str], None]
# Fewer lookup rows than this share of those before are doubted, until so many looks in a row have found them.
_MANY, _LOOKS = 0.5, 5
_THREADS = 8  # DynamoDB answers in milliseconds; threads hide that, not the work of the client


class Memory(Protocol):
    """What the sink needs of the archive. Neither raises, nor waits for more than a small file."""

    def keep(self, kept: DataFrame | None, lease: Lease, batch_id: int, applications: Iterable[str]) -> None:
        """Keeps a batch's rows (schemas.INTEREST; None: it has none), whose verdicts are written."""

    def touched(self, applications: Iterable[str]) -> None:
        """Items of these applications have changed."""


@dataclass(frozen=True)
class BatchReport:
    """What one batch did, and how long it took until the verdicts stood, and the archive after them (seconds).

    Rejects are counted by (family, reason).
    """

    batch_id: int
    rejects: dict[tuple[str, str], int]
    causes: int
    applications: tuple[str, ...]
    writes: int
    seconds: float
    archive_seconds: float = 0.0


@dataclass
class LookupCache:
    """The lookup tables as a DataFrame, read again when older than `refresh` seconds."""

    tables: Tables
    refresh: float
    _rows: list[lookups.Row] = field(default_factory=list)
    _frame: DataFrame | None = None
    _read_at: datetime | None = None
    _doubted: int = 0  # looks in a row that found far fewer rows than before

    def at(self, spark: SparkSession, now: datetime) -> DataFrame:
        """attribution.LOOKUP. Tables that were emptied or garbled in flight, or do not answer, keep the last rows that
        were good, with a warning."""
        # From 0 on: a clock that was set back must not keep old rows until it has caught up.
        fresh = self._read_at is not None and timedelta(0) <= now - self._read_at < timedelta(seconds=self.refresh)
        if self._frame is None or not fresh:
            try:
                rows = lookups.rows(self.tables)
                if self._believed(rows):
                    self._rows, self._frame = rows, lookup_frame(spark, rows)
            except TableError:
                raise
            except Exception as exc:  # whatever is in the tables: it must not stop the stream
                if self._frame is None:
                    raise
                log.warning("the lookup tables can't be read, %d rows read before are kept: %s", len(self._rows), exc)
            self._read_at = now
        assert self._frame is not None
        return self._frame

    def _believed(self, rows: list[lookups.Row]) -> bool:
        """Nothing where there was something is never believed, far fewer rows only when they stay."""
        if len(rows) >= _MANY * len(self._rows):
            self._doubted = 0
            return True
        self._doubted += 1
        if rows and self._doubted >= _LOOKS:
            log.warning(
                "the lookup tables keep having %d rows, there were %d: believed now", len(rows), len(self._rows)
            )
            self._doubted = 0
            return True
        log.warning("the lookup tables have %d rows, there were %d: those are kept", len(rows), len(self._rows))
        return False


def lookup_frame(spark: SparkSession, rows: Sequence[lookups.Row]) -> DataFrame:
    """attribution.LOOKUP of the rows of the lookup tables.

    Through Arrow it is a table in the plan; a list of tuples would start Python workers in every batch that reads it.
    """
    schema = arrow_schema(LOOKUP)
    columns = [pa.array([row[place] for row in rows], field.type) for place, field in enumerate(schema)]
    return spark.createDataFrame(pa.Table.from_arrays(columns, schema=schema))


@dataclass
class Sink:
    """Writes batches of events (schemas.EVENT) to the tables and keeps verdicts current."""

    scope: pipeline.Scope
    tables: Tables
    model: VerdictModel
    clock: Clock
    wall_clock: Clock
    lookup: LookupCache
    rejects_path: str
    lease: Lease
    on_report: Callable[[BatchReport], None] | None = None
    at_point: Checkpoints = lambda _: None
    archive: Memory | None = None
    _next_change: dict[str, datetime | None] = field(default_factory=dict)
    _chunks: Chunks = field(init=False)

    def __post_init__(self) -> None:
        self._chunks = Chunks(self.tables.events)

    def write_batch(self, kept: DataFrame, batch_id: int) -> None:
        """For `DataStreamWriter.foreachBatch`, of what pipeline.of_interest_or_rejected kept of a batch.

        Raises:
            FencedError: a newer driver runs.
            TableError: a table is missing or refuses.
        """
        started = self.wall_clock()
        check(self.tables.states, self.lease)
        counted = Observation()
        rejects = F.count_if(F.col("reject_reason").isNotNull()).alias("rejects")
        kept = kept.observe(counted, rejects).persist()
        try:
            lookup = self.lookup.at(kept.sparkSession, started)
            rows = pipeline.by_cause(pipeline.of_interest(kept), lookup, self.scope).toArrow().to_pylist()
            reasons = self._keep_rejects(pipeline.rejected(kept), batch_id) if counted.get["rejects"] else {}
            self.at_point("folded")
            repeats = [Repeats.from_row(row) for row in rows]
            touched, writes = self.add(repeats, batch_stamp(self.lease.epoch, batch_id))
            written = self.wall_clock()
            if self.archive is not None:
                self.archive.keep(kept if rows or reasons else None, self.lease, batch_id, touched)
        finally:
            kept.unpersist()
        if self.on_report is not None:
            seconds, after = (written - started).total_seconds(), (self.wall_clock() - written).total_seconds()
            self.on_report(BatchReport(batch_id, reasons, len(repeats), touched, writes, seconds, after))

    def write_beside(self, kept: DataFrame, name: str, at_most: int) -> tuple[str, ...]:
        """Adds rows of interest (schemas.INTEREST) beside a running stream, without its lease: a replay of rejects, a
        backfill. Conditional writes keep the two apart; events that are in already add nothing.

        Args:
            name: unique for this call.
            at_most: how many rows there can be.

        Returns:
            The applications that were touched.
        """
        lookup = self.lookup.at(kept.sparkSession, self.wall_clock())
        scope = replace(self.scope, listed_events=at_most)
        rows = pipeline.by_cause(pipeline.of_interest(kept), lookup, scope).toArrow().to_pylist()
        touched, _ = self.add([Repeats.from_row(row) for row in rows], beside_stamp(name))
        return touched

    def add(self, repeats: Sequence[Repeats], stamp: str) -> tuple[tuple[str, ...], int]:
        """Adds the repeats to their items and renews the verdicts of their applications.

        Returns:
            The applications, and the number of writes.
        """
        by_application: dict[str, list[Repeats]] = defaultdict(list)
        for row in repeats:
            by_application[row.application_id].append(row)

        def one(application_id: str) -> int:
            rows = by_application[application_id]
            written = add_repeats(
                self.tables,
                application_id,
                rows,
                stamp,
                self.scope.remembered_events,
                self.wall_clock(),
                self.scope.identity_horizon,
                self._chunks,
                self.scope.own_causes,
            )
            self.at_point("events written")
            return written + self._renew(application_id).writes

        touched = tuple(sorted(by_application))
        if len(touched) <= 1:
            return touched, sum(map(one, touched))
        with ThreadPoolExecutor(min(_THREADS, len(touched))) as pool:
            return touched, sum(pool.map(one, touched))

    def _renew(self, application_id: str) -> Renewal:
        renewal = renew(self.tables, application_id, self.clock(), self.model, self.wall_clock())
        self._next_change[application_id] = renewal.next_change
        self.at_point("verdict written")
        return renewal

    def sweep(self) -> list[str]:
        """Renews the verdicts that time alone has changed; returns the applications looked at.

        Raises FencedError when a newer driver runs.
        """
        check(self.tables.states, self.lease)
        now = self.clock()
        if not self._next_change:
            # After a start: what the driver before us knew is in the tables.
            for application_id, item in applications(self.tables).items():
                text = item.get("NextChangeAt")
                self._next_change[application_id] = from_text(str(text)) if text else None
        due = [application_id for application_id, at in self._next_change.items() if at is not None and at <= now]
        for application_id in due:
            self._renew(application_id)
        if self.archive is not None:
            self.archive.touched(due)
        return due

    def _keep_rejects(self, rejects: DataFrame, batch_id: int) -> dict[tuple[str, str], int]:
        """Writes the rejected rows of a batch as JSON lines; a replay of the batch replaces its own folder."""
        counted = rejects.groupBy(F.coalesce("family", F.lit("unknown")).alias("family"), "reject_reason").count()
        counts = {(row["family"], row["reject_reason"]): row["count"] for row in counted.collect()}
        folder = PurePosixPath(f"epoch={self.lease.epoch}") / f"batch={batch_id}"
        rejects.coalesce(1).write.mode("overwrite").json(f"{self.rejects_path.rstrip('/')}/{folder}")
        return counts
