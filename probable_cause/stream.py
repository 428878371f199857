"""The stream job: settings in, a running query out, watched until it is told to stop.

The supervisor restarts a query that failed for a passing reason, renews verdicts while no event arrives, and lets the
batch in progress end before it stops.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.listener import JStreamingQueryListener, StreamingQueryListener
from pyspark.sql.streaming.query import StreamingQuery

from probable_cause import clock as clocks
from probable_cause import health, pipeline, session, wiring
from probable_cause.errors import (
    BusyError,
    EnvironmentFaultError,
    FencedError,
    ProbableCauseError,
    SettingsError,
    SourceError,
    TableError,
)
from probable_cause.progress import Progress, heartbeat
from probable_cause.settings import Settings
from probable_cause.sink import BatchReport, Checkpoints
from probable_cause.state import dynamodb
from probable_cause.state.lease import acquire, beat
from probable_cause.state.tables import Tables

log = logging.getLogger(__name__)

_RESTARTS = 5  # failures in a row, without a finished batch between them, before the job gives up
_COMMIT = 15.0  # seconds that a stop waits for Spark to note a batch that is written


class StreamJob:
    """The job over one stream. `run` blocks until `stop` is called or the job can't go on."""

    def __init__(
        self,
        spark: SparkSession,
        settings: Settings,
        on_report: Callable[[BatchReport], None] | None = None,
        at_point: Checkpoints = lambda _: None,
    ) -> None:
        if settings.create_tables:
            dynamodb.create(settings.region, settings.endpoint_url, settings.table_prefix)
        tables: Tables = dynamodb.connect(settings.region, settings.endpoint_url, settings.table_prefix)
        self._spark, self._settings = spark, settings
        self._owner = f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
        self._stopping = threading.Event()
        self._batch = threading.Lock()
        self._failure: Exception | None = None
        self._finished_batches = 0
        self._written: int | None = None  # the last batch of this query that is in the tables
        self._on_report = on_report
        self.progress = Progress()
        self._sink = wiring.sink_of(settings, tables, on_report=self._report, at_point=at_point)
        self._archive = self._sink.archive = wiring.archive_of(spark, settings, self._sink)

    def stop(self) -> None:
        """Asks the job to end after the batch in progress. Safe to call from any thread or signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Runs until stopped.

        Raises:
            FencedError: a newer driver of this job runs.
            EnvironmentFaultError: Spark's JVM is gone.
            SourceError, TableError: the stream or a table can't be used, with what to do.

        Throttling and outages of either are waited for.
        """
        listener, told = _Listener(self), self._settings.health
        self._spark.streams.addListener(listener)
        if self._archive is not None:
            self._archive.start()
        try:
            with health.endpoint(self.progress, clocks.wall_clock, told.address, told.port, told.max_silence):
                self._run()
            self._became("stopped")
        except Exception as exc:
            if session.is_gone(self._spark):
                self._became("failed", session.GONE)
                raise EnvironmentFaultError(session.GONE) from exc
            self._became("failed", str(exc))
            raise
        finally:
            with contextlib.suppress(*session.UNREACHABLE):
                self._spark.streams.removeListener(listener)
            if self._archive is not None:
                self._archive.stop()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._failure, before = None, self._finished_batches
            try:
                query = self._start()
                self._became("running")
                self._supervise(query)
                return
            except (StreamingQueryException, Py4JJavaError) as exc:  # of a start, too: it asks a Python worker
                failures = 1 if self._finished_batches > before else failures + 1
                reason = reason_of(self._failure or exc)
                # Who is busy or out of reach comes back, however long it takes: giving up would not bring it sooner.
                given_up = failures >= _RESTARTS and not isinstance(reason, BusyError)
                if isinstance(reason, (FencedError, SourceError, TableError, SettingsError)) or given_up:
                    raise reason from exc
                log.warning(
                    "the query failed (%d of %d in a row), it is started again: %s", failures, _RESTARTS, reason
                )
                self._became("waiting", str(reason))
                self._stopping.wait(min(30.0, 2.0**failures))

    def _start(self) -> StreamingQuery:
        settings, self._written = self._settings, None
        events = wiring.events_of(self._spark, settings, self._sink.scope)
        # Planned once, when the query starts; only what follows the fold's small input is planned with each batch.
        kept = pipeline.of_interest_or_rejected(pipeline.counted(events), self._sink.scope)
        return (
            kept.writeStream.queryName("probable-cause")
            .option("checkpointLocation", settings.checkpoint)
            .trigger(processingTime=f"{int(settings.stream.trigger * 1000)} milliseconds")
            .foreachBatch(self._write_batch)
            .start()
        )

    def _write_batch(self, events: DataFrame, batch_id: int) -> None:
        with self._batch:
            if self._stopping.is_set():
                # Between our asking to stop and Spark's hearing of it: this batch is replayed after the restart.
                raise ProbableCauseError("the job is stopping")
            try:
                self._hold_lease(str(self._spark.sparkContext.getLocalProperty("sql.streaming.queryId")))
                self._sink.write_batch(events, batch_id)
                self._finished_batches, self._written = self._finished_batches + 1, batch_id
            except Exception as exc:
                self._failure = exc  # Spark hands on its text only
                raise

    def _hold_lease(self, query_id: str) -> None:
        if self._sink.lease is wiring.NO_LEASE:
            self._sink.lease = acquire(self._sink.tables.states, self._owner, query_id, clocks.wall_clock())

    def _supervise(self, query: StreamingQuery) -> None:
        waited = 0.0
        while not self._stopping.wait(0.2):
            if not query.isActive:
                error = query.exception()
                if error is not None:
                    raise error
                return
            waited += 0.2
            if waited >= self._settings.sweep and self.progress.snapshot().seen_at is not None:
                waited = 0.0
                try:
                    with self._batch:
                        # A quiet stream brings no batch, and its verdicts change by time all the same.
                        self._hold_lease(str(query.id))
                        self._sink.sweep()
                        self._beat()
                    self._tell()
                except BusyError as exc:
                    log.warning("verdicts are not renewed now, but with the next sweep: %s", exc)
        self._became("stopping")
        with self._batch:
            written = self._written
        self._wait_for_commit(query, written)
        query.stop()

    def _wait_for_commit(self, query: StreamingQuery, written: int | None) -> None:
        """A batch that is in the tables but not yet in Spark's commit log would be replayed after the restart, for
        nothing, and the archive would miss it until then."""
        deadline = time.monotonic() + _COMMIT
        while written is not None and query.isActive and time.monotonic() < deadline:
            progress = query.lastProgress
            if progress is not None and progress.batchId >= written:
                return
            time.sleep(0.02)

    def _report(self, report: BatchReport) -> None:
        self.progress.wrote(report.rejects, report.causes, report.writes, report.seconds)
        if self._on_report is not None:
            self._on_report(report)

    def _became(self, state: str, reason: str = "") -> None:
        self.progress.became(state, reason)
        self._tell()

    def committed(self, progress: Mapping[str, Any]) -> None:
        """Spark's own report of a finished batch (the JSON of a StreamingQueryProgress)."""
        lines = progress.get("observedMetrics", {}).get(pipeline.LINES)
        if lines is None:
            return
        batch_id, phases = int(progress["batchId"]), progress.get("durationMs", {})
        offset = next((source.get("endOffset") for source in progress["sources"]), None)
        self.progress.committed(clocks.wall_clock(), batch_id, lines, offset, phases)
        if self._settings.emf:
            health.print_emf(self.progress.snapshot(), clocks.wall_clock, self._settings.stream.name)
        self._tell()
        try:
            self._beat()
        except BusyError as exc:
            log.warning("no heartbeat of batch %d: %s", batch_id, exc)

    def _tell(self) -> None:
        told = self._settings.health
        health.write_file(told.file, self.progress.snapshot(), clocks.wall_clock, told.max_silence)

    def _beat(self) -> None:
        if self._sink.lease is not wiring.NO_LEASE:
            told = heartbeat(self.progress.snapshot())
            beat(self._sink.tables.states, self._sink.lease, clocks.wall_clock(), told)


class _Listener(StreamingQueryListener):
    """Hands a batch's metrics to the job once Spark has committed it."""

    def __init__(self, job: StreamJob) -> None:
        self._job = job

    def onQueryStarted(self, event: Any) -> None: ...  # noqa: N802 - Spark's names

    def onQueryIdle(self, event: Any) -> None:  # noqa: N802
        self._job.progress.looked(clocks.wall_clock())

    def onQueryTerminated(self, event: Any) -> None: ...  # noqa: N802

    def onQueryProgress(self, event: Any) -> None:  # noqa: N802
        self._job.committed(event)

    @cached_property
    def _jlistener(self) -> Any:
        return SparkContext._jvm.PythonStreamingQueryListenerWrapper(_AsJson(self))  # type: ignore[union-attr]


class _AsJson(JStreamingQueryListener):
    """Reads a report as one JSON text. PySpark asks the JVM for its parts one by one, and each map that it goes through
    ends in an exception, which it converts by a dozen more calls: 0.1 s of CPU a batch."""

    def onQueryProgress(self, jevent: Any) -> None:  # noqa: N802
        self.pylistener.onQueryProgress(json.loads(jevent.progress().json()))


def reason_of(error: Exception) -> ProbableCauseError:
    """Our own error out of Spark's wrapping. What the source raised in a Python worker came over as text only."""
    if isinstance(error, ProbableCauseError):
        return error
    if isinstance(error, Py4JJavaError):
        text = _first_cause(error.java_exception)
    else:
        text = str(error) if isinstance(error, StreamingQueryException) else f"{type(error).__name__}: {error}"
    found = re.search(r"(SourceError|BusyError): (.+)", text)
    if found:
        kind = SourceError if found[1] == "SourceError" else BusyError
        return kind(found[2].strip())
    told = text.strip(" '\n").partition("\n")[0]
    if told in ("", "null"):  # an end of file, where Spark talked with a Python worker
        told = "without a message, as when a Python worker was killed (out of memory?): see what Spark wrote above"
    return ProbableCauseError(f"the query failed: {told}")


def _first_cause(thrown: Any) -> str:
    """What a Java exception was caused by in the first place."""
    while (cause := thrown.getCause()) is not None:
        thrown = cause
    return str(thrown.toString())


def log_report(report: BatchReport) -> None:
    """One structured line a batch."""
    rejects = {"/".join(key): count for key, count in report.rejects.items()}
    log.info(
        "batch=%d rejects=%s causes=%d applications=%d writes=%d seconds=%.3f archive=%.3f",
        report.batch_id,
        rejects,
        report.causes,
        len(report.applications),
        report.writes,
        report.seconds,
        report.archive_seconds,
    )
