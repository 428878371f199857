"""The foreachBatch function: the only place where Spark meets the tables.

Order of a batch: the lease is checked; what could not be read is kept; events of interest are folded by Spark and
added to their items, each by one conditional write; the verdict of every application touched is renewed; the archive,
if there is one, is given the rows. A batch that fails anywhere is replayed by Spark from the same offsets, and adds
what is missing, once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from probable_cause import pipeline
from probable_cause.arrow_schema import arrow_schema
from probable_cause.clock import Clock
from probable_cause.lookup_cache import LookupCache
from probable_cause.schemas import BASELINE, FOLDED, UNATTRIBUTED
from probable_cause.state.application import Renewal, add_repeats, applications, is_judged, learn, renew
from probable_cause.state.baseline import Baseline, silences
from probable_cause.state.chunks import Chunks
from probable_cause.state.event_item import Repeats, batch_stamp, beside_stamp
from probable_cause.state.lease import Lease, check
from probable_cause.state.moments import from_text
from probable_cause.state.tables import Tables
from probable_cause.verdict import VerdictModel

# Where a test kills the job: called with the name of each point that a crash may fall on. Does nothing in production.
Checkpoints = Callable[[str], None]
# One thread that lasts, since Java keeps one for each that calls it.
_PLANNER = ThreadPoolExecutor(1, thread_name_prefix="planner")
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


@contextmanager
def held(kept: DataFrame, lookup: DataFrame, scope: pipeline.Scope) -> Iterator[Held]:
    """What pipeline.of_interest_or_rejected kept of a batch, computed once.

    Counted first, for by its size is decided how it is folded. Meanwhile the fold of a small batch is planned, which
    takes the driver as long as such a batch takes the executors.
    """
    counted = Observation()
    kept = kept.observe(counted, *pipeline.sizes()).persist()
    try:
        few = _PLANNER.submit(_few, kept, lookup, scope)
        kept.write.format("noop").mode("overwrite").save()
        yield Held(kept, pipeline.Size(**counted.get), few, lookup, scope)
    finally:
        kept.unpersist()


def _few(kept: DataFrame, lookup: DataFrame, scope: pipeline.Scope) -> DataFrame:
    """schemas.FOLDED of the rows that a rule matched, if they are few, with the plan that Spark will carry out made."""
    few = pipeline.by_cause_of_few(pipeline.matched(kept), lookup, scope)
    few._jdf.queryExecution().executedPlan()
    return few


@dataclass(frozen=True)
class Held:
    """A batch's rows (schemas.INTEREST) in Spark's memory, how many they are, and the plan to fold few, being made."""

    kept: DataFrame
    size: pipeline.Size
    few: Future[DataFrame]
    lookup: DataFrame
    scope: pipeline.Scope

    def folded(self) -> pa.Table:
        """schemas.FOLDED of the rows that a rule matched."""
        if self.size.matched == 0:
            return arrow_schema(FOLDED).empty_table()
        if self.size.matched <= pipeline.ONE_TASK:
            rows = self.few.result().toArrow()
            if rows.num_rows <= pipeline.FEW_FOLDED:
                return self._bounded(rows) if _is_flood(rows, self.scope.own_causes) else rows
        return pipeline.by_cause(pipeline.matched(self.kept), self.lookup, self.scope).toArrow()

    def _bounded(self, rows: pa.Table) -> pa.Table:
        return pipeline.bounded(self.kept.sparkSession.createDataFrame(rows), self.scope).toArrow()


def _is_flood(folded: pa.Table, own_causes: int) -> bool:
    """Whether an application, layer and role has more causes than it may. Of what is usual there are samples only."""
    of_interest = folded.filter(pc.not_equal(folded.column("role"), BASELINE))
    causes = of_interest.group_by(["application_id", "event_type", "role"]).aggregate([([], "count_all")])
    return bool(pc.any(pc.greater(causes.column("count_all"), own_causes)).as_py())


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
    # What this driver has learned and judged by; the items decide where another writes them as well.
    _baselines: dict[str, Baseline] = field(init=False, default_factory=dict)
    _refused: set[str] = field(init=False, default_factory=set)  # applications with a refusal in their last verdict

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
        lookup = self.lookup.at(kept.sparkSession, started)
        with held(kept, lookup, self.scope) as batch:
            rows = batch.folded()
            reasons = self._keep_rejects(pipeline.rejected(batch.kept), batch_id) if batch.size.rejects else {}
            self.at_point("folded")
            repeats = [Repeats.from_row(row) for row in rows.to_pylist()]
            touched, writes = self.add(repeats, batch_stamp(self.lease.epoch, batch_id))
            written = self.wall_clock()
            if self.archive is not None:
                some = reasons or any(row.role != BASELINE for row in repeats)
                self.archive.keep(pipeline.without_usual(batch.kept) if some else None, self.lease, batch_id, touched)
        if self.on_report is not None:
            seconds, after = (written - started).total_seconds(), (self.wall_clock() - written).total_seconds()
            causes = sum(row.role != BASELINE for row in repeats)
            self.on_report(BatchReport(batch_id, reasons, causes, touched, writes, seconds, after))

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
        """Adds the repeats to their items, and what is usual to baselines; renews the verdicts of their applications.

        Returns:
            The applications whose items changed, and the number of writes.
        """
        by_application: dict[str, list[Repeats]] = defaultdict(list)
        usual: dict[str, list[Repeats]] = defaultdict(list)
        for row in repeats:
            (usual if row.role == BASELINE else by_application)[row.application_id].append(row)
        usual.pop(UNATTRIBUTED, None)

        def one(application_id: str) -> int:
            rows = by_application.get(application_id, [])
            before = self._baselines.get(application_id)
            baseline, learned = before, 0
            if application_id in usual:
                baseline, learned = learn(self.tables, application_id, usual[application_id], before)
                self.at_point("baseline written")
                if not rows and not self._matters(application_id, before, baseline):
                    self._baselines[application_id] = baseline
                    return learned
            written = learned + (self._add_repeats(application_id, rows, stamp) if rows else 0)
            self.at_point("events written")
            written += self._renew(application_id).writes
            if baseline is not None:
                self._baselines[application_id] = baseline
            return written

        named = sorted({*by_application, *usual})
        if len(named) <= 1:
            writes = [*map(one, named)]
        else:
            with ThreadPoolExecutor(min(_THREADS, len(named))) as pool:
                writes = [*pool.map(one, named)]
        changed = (name for name, count in zip(named, writes, strict=True) if count or name in by_application)
        return tuple(changed), sum(writes)

    def _matters(self, application_id: str, before: Baseline | None, after: Baseline) -> bool:
        """Whether what was learned may change the verdict: by a silence, or by what a refusal in it means. It may also
        if this driver does not know what was known before: another may have died between learning and judging."""
        silent = silences(application_id, after)
        if before is None:
            return bool(silent) or is_judged(self.tables, application_id)
        return silent != silences(application_id, before) or (after != before and application_id in self._refused)

    def _add_repeats(self, application_id: str, rows: Sequence[Repeats], stamp: str) -> int:
        return add_repeats(
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

    def _renew(self, application_id: str) -> Renewal:
        renewal = renew(self.tables, application_id, self.clock(), self.model, self.wall_clock())
        self._next_change[application_id] = renewal.next_change
        refused = any(one.event.outcome == "reject" for one in renewal.verdict.ranking)
        (self._refused.add if refused else self._refused.discard)(application_id)
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
