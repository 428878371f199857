"""Writes the archive beside the stream: the batch leaves its rows in the spool, a thread of the driver brings them into
Delta later, together with what the tables hold.

A batch waits for one small Parquet file and for nothing else. Delta may be slow, fail, or be away for days: verdicts go
on, the spool grows, and the next drain catches up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from probable_cause import identity, pipeline
from probable_cause.archive import delta, spool, states
from probable_cause.archive.spool import Plan
from probable_cause.archive.states import Known
from probable_cause.arrow_schema import arrow_schema
from probable_cause.clock import Clock
from probable_cause.errors import FencedError
from probable_cause.lookup_cache import lookup_frame
from probable_cause.schemas import INTEREST
from probable_cause.sink import Checkpoints
from probable_cause.state import lookups
from probable_cause.state.lease import Lease, check
from probable_cause.state.tables import Tables
from probable_cause.storage import Folder

log = logging.getLogger(__name__)

BATCHES_A_COMMIT = 500
_TEMPLATES = ("cause_template", "summary_template")


@dataclass
class Archive:
    """The archive of one running job.

    Args:
        path: folder of the Delta tables.
        checkpoint: Spark's checkpoint; the spool is beside it.
        every: seconds between two drains.
        snapshot: seconds between two looks at every item of the tables. Between them only applications that a batch
            or a sweep touched are looked at.
        at_point: for tests, as the sink's.
    """

    spark: SparkSession
    tables: Tables
    scope: pipeline.Scope
    path: str
    checkpoint: str
    every: float
    snapshot: float
    clock: Clock
    at_point: Checkpoints = lambda _: None
    _lease: Lease | None = None
    _known: Known | None = None
    _touched: set[str] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self._spool = Folder(spool_path(self.checkpoint))
        self.spark = delta.for_few_rows(self.spark)

    # -- called by the batch

    def keep(self, kept: DataFrame | None, lease: Lease, batch_id: int, applications: Iterable[str]) -> None:
        """Leaves a batch's rows (schemas.INTEREST) in the spool; a replay of the batch replaces them.

        Never raises: what the archive misses is told in the log, and the verdicts go on.
        """
        self._lease = lease
        self.touched(applications)
        if kept is None:
            return
        name = spool.batch_folder(spool.epoch_name(lease.epoch, lease.checkpoint), batch_id)
        try:
            kept.coalesce(1).write.mode("overwrite").parquet(self._spool.of(name))
        except Exception as exc:
            log.error(
                "the archive misses batch %d: its spool %s can't be written (%s); verdicts go on. Fill the gap by "
                "jobs/backfill.py from the logs of that time",
                batch_id,
                self._spool.of(name),
                _first_line(exc),
            )
        self.at_point("spooled")

    def touched(self, applications: Iterable[str]) -> None:
        """Says whose items have changed."""
        with self._guard:
            self._touched.update(applications)

    def release(self) -> None:
        """Lets drains do without the lease: there is no stream that a newer driver could take over."""
        self._lease = None

    # -- the thread

    def start(self) -> None:
        """Begins to drain in the background."""
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 60.0) -> None:
        """Drains a last time and ends the thread; what is not done within `seconds` is done after the next start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        since_snapshot = self.snapshot
        told = ""
        while True:
            stopping = self._stopping.wait(self.every)
            since_snapshot += self.every
            try:
                self.drain(whole=stopping or since_snapshot >= self.snapshot)
                since_snapshot = 0.0 if since_snapshot >= self.snapshot else since_snapshot
                told = ""
            except FencedError:
                return
            except Exception as exc:
                # Told once for each kind of failure; the spool keeps what is not in.
                if (line := _first_line(exc)) != told:
                    log.warning("the archive can't be written now, it will be caught up: %s", line)
                    told = line
            if stopping:
                return

    def drain(self, whole: bool = True) -> None:
        """Brings into Delta what waits in the spool, and the items of the tables that changed.

        Args:
            whole: look at every item, not only at those of applications that were touched.

        Raises:
            FencedError: a newer driver runs; it drains.
        """
        if self._lease is not None:
            check(self.tables.states, self._lease)
        lookup: DataFrame | None = None
        for plan in spool.plans(self._spool, Folder(self.checkpoint), BATCHES_A_COMMIT):
            if lookup is None:
                lookup = lookup_frame(self.spark, lookups.rows(self.tables))
            spool.begin(self._spool, plan)
            self._commit(plan, lookup)
            spool.end(self._spool, plan)
        self._drain_states(whole)

    def _commit(self, plan: Plan, lookup: DataFrame) -> None:
        paths = spool.rows_of(self._spool, plan)
        if not paths:
            return
        kept = self.spark.read.schema(INTEREST).parquet(*paths)
        for table, rows in (
            (delta.EVENTS, archived_events(pipeline.of_interest(kept), lookup, self.scope)),
            (delta.REJECTS, archived_rejects(pipeline.rejected(kept))),
        ):
            # The version makes a commit that a crash left unnoticed harmless when it is made again.
            delta.append(rows.coalesce(1), self.path, table, (f"{table}/{plan.epoch}", plan.version))
            self.at_point(f"{table} committed")

    def _drain_states(self, whole: bool) -> None:
        with self._guard:
            touched, self._touched = self._touched, set()
        try:
            known = self._known = self._known or _known(self.spark, self.path)
            looked_at = (
                [states.everything(self.tables)]
                if whole
                else [states.of_application(self.tables, one) for one in sorted(touched)]
            )
            now = known.next_moment(self.clock())
            rows = [
                row
                for tables in looked_at
                for name, table, items in tables
                for row in known.changed(name, table, items, now)
            ]
            if not rows:
                return
            self._add_verdicts(states.verdict_rows(rows))
            delta.append(_with_day(_frame(self.spark, states.STATE, rows), "observed_at"), self.path, delta.STATES)
            known.keep(rows)
        except BaseException:
            self.touched(touched)
            raise

    def _add_verdicts(self, rows: list[dict[str, Any]]) -> None:
        """Merged, since they come again when the rows of the items failed to follow."""
        if not rows:
            return
        new = _with_day(_frame(self.spark, states.VERDICT, rows), "since")
        if not delta.exists(self.spark, self.path, delta.VERDICTS):
            delta.append(new, self.path, delta.VERDICTS)
            return
        same = "old.application_id = new.application_id and old.since = new.since and old.day = new.day"
        table = delta.delta_table(self.spark, self.path, delta.VERDICTS).alias("old")
        table.merge(new.alias("new"), same).whenNotMatchedInsertAll().execute()


def spool_path(checkpoint: str) -> str:
    """Where the spool of a checkpoint lies."""
    return f"{checkpoint.rstrip('/')}-spool"


def archived_events(interest: DataFrame, lookup: DataFrame, scope: pipeline.Scope) -> DataFrame:
    """schemas.INTEREST -> rows of the table: one for each event, layer, role and application, with the cause."""
    return (
        pipeline.described(interest, lookup, scope)
        .drop(*_TEMPLATES, "reject_reason", "reject_detail", "skipped_lines")
        .withColumn("natural_key", F.expr(identity.natural_key()))
        .transform(_with_day, "event_time")
    )


def archived_rejects(rejected: DataFrame) -> DataFrame:
    """schemas.EVENT of rejected rows -> rows of the table."""
    return _with_day(rejected.withColumn("family", F.expr("coalesce(family, 'unknown')")), "arrived_at")


def _with_day(rows: DataFrame, moment: str) -> DataFrame:
    return rows.withColumn("day", F.expr(f"coalesce(to_date({moment}), date'1970-01-01')"))


def _frame(spark: SparkSession, ddl: str, rows: list[dict[str, Any]]) -> DataFrame:
    return spark.createDataFrame(pa.Table.from_pylist(rows, schema=arrow_schema(ddl)))


def _known(spark: SparkSession, path: str) -> Known:
    if not delta.exists(spark, path, delta.STATES):
        return Known({})
    rows = delta.read(spark, path, delta.STATES).groupBy("table", "item_key")
    digest, moment = F.expr("max_by(digest, observed_at) as digest"), F.expr("max(observed_at) as observed_at")
    newest = rows.agg(digest, moment).toArrow().to_pylist()
    digests = {(row["table"], row["item_key"]): row["digest"] for row in newest}
    return Known(digests, max(row["observed_at"] for row in newest) if newest else None)


def newest_items(spark: SparkSession, path: str) -> list[tuple[str, str]]:
    """(table, JSON of the item), the newest version of every item of the archive, sorted by key."""
    rows = delta.read(spark, path, delta.STATES).groupBy("table", "item_key")
    newest = rows.agg(F.expr("max_by(item, observed_at) as item")).orderBy("table", "item_key")
    return [(row["table"], row["item"]) for row in newest.toArrow().to_pylist()]


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
