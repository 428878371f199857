"""Runs a bundle through the job's own pipeline and sink, with the tables in memory.

Lines are parsed and classified for many bundles in one Spark job, since both look at one line at a time. Then, at every
instant that a bundle names, what arrived until then is one batch of the sink, and the verdict is asked of the tables,
as the CLI does. A last pass over the events one by one finds out when the right cause was first known.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from probable_cause import attribution, commands, pipeline, settings
from probable_cause.decode import decode_records
from probable_cause.errors import ProbableCauseError
from probable_cause.evaluation.answers import Answer, BundleRun, Timing
from probable_cause.evaluation.incident import Bundle, Expected, Truth
from probable_cause.evaluation.judge import rank_of
from probable_cause.evaluation.runner import Step, steps
from probable_cause.fold import fold
from probable_cause.lookup_cache import LookupCache, lookup_frame
from probable_cause.pipeline import Scope
from probable_cause.rules.model import RuleSet
from probable_cause.schemas import BASELINE
from probable_cause.settings import Settings
from probable_cause.sink import Sink
from probable_cause.sources import routing_of
from probable_cause.state import lookups
from probable_cause.state.application import act, add_repeats, learn, load_events, renew
from probable_cause.state.baseline import Baseline, silences
from probable_cause.state.event_item import Repeats
from probable_cause.state.lease import acquire
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Tables
from probable_cause.verdict import VerdictModel, judge
from probable_cause.wiring import model_of, scope_of

_START = datetime(2000, 1, 1, tzinfo=UTC)
_TOGETHER = 25  # bundles that one Spark job parses and classifies
_MARK = "\x1f"  # between an application and an event id: in neither


class SparkRunner:
    """Call it with a bundle. One session for all; safe to call from several threads.

    Args:
        conf: YAML files over conf/default.yml; a bundle's own settings go over them.
        timed: also find out how soon the right cause was known (one more Spark job a bundle).
    """

    def __init__(self, spark: SparkSession, conf: Sequence[Path] = (), timed: bool = True) -> None:
        self._spark, self._conf, self._timed = spark, tuple(conf), timed
        self._known: dict[str, tuple[Settings, Scope, VerdictModel]] = {}
        self._rules: dict[str, RuleSet] = {}
        self._kept: dict[Path, pa.Table] = {}
        self._reading = threading.Lock()
        self._rejects = tempfile.mkdtemp(prefix="probable-cause-rejects-")

    def __call__(self, bundle: Bundle) -> BundleRun:
        began = time.monotonic()
        try:
            _, scope, model = self._settings(bundle)
            tables = memory_tables()
            lookups.put(tables, bundle.lookup_by_ip, bundle.lookup_by_resource, _START)
            if bundle.path not in self._kept:
                self.prepare([bundle])
            kept = self._kept.pop(bundle.path)
            answers = _Play(self._spark, scope, model, tables, self._rejects).play(bundle, kept)
            timings = self._timings(bundle, kept, scope, model, tables) if self._timed else ()
        except Exception as exc:  # whatever one bundle meets, the others are still run
            told = str(exc) if isinstance(exc, ProbableCauseError) else f"{type(exc).__name__}: {exc}"
            return BundleRun(bundle, (), time.monotonic() - began, error=told)
        return BundleRun(bundle, tuple(answers), time.monotonic() - began, tuple(timings))

    def prepare(self, bundles: Sequence[Bundle]) -> None:
        """Parses and classifies the lines of many bundles at once; they are kept until their bundle is run.

        A bundle whose own settings have faults is left out: it tells them when it is run.
        """
        alike: dict[tuple[float, ...], list[Bundle]] = {}
        for bundle in bundles:
            try:
                _, scope, _ = self._settings(bundle)
            except ProbableCauseError:
                continue
            asked = (id(scope.rules), scope.max_future, scope.max_past, scope.baseline_lines)
            alike.setdefault(asked, []).append(bundle)
        for group in alike.values():
            for first in range(0, len(group), _TOGETHER):
                self._prepare(group[first : first + _TOGETHER])

    def _prepare(self, bundles: Sequence[Bundle]) -> None:
        """For bundles with the same rules and clock settings."""
        _, scope, _ = self._settings(bundles[0])
        parsed = []
        prefilter = pipeline.prefilter(scope)
        for number, bundle in enumerate(bundles):
            configuration, _, _ = self._settings(bundle)
            routing = routing_of(configuration.log_groups, configuration.max_decompressed)
            rows = [(one.data, one.arrival, f"{number}:{index}:") for index, one in enumerate(bundle.records)]
            parsed.append(decode_records(rows, routing, prefilter))
        everywhere = replace(scope, count_external_sources=True)
        events = self._spark.createDataFrame(pa.Table.from_batches(parsed))
        kept = pipeline.of_interest_or_rejected(events, everywhere).toArrow()
        owner = _numbers(kept, 0)
        for number, bundle in enumerate(bundles):
            self._kept[bundle.path] = kept.filter(pa.array(owner == number))

    def _settings(self, bundle: Bundle) -> tuple[Settings, Scope, VerdictModel]:
        """Settings are read once for all bundles that have the same, rules once for all that ask for the same."""
        key = json.dumps(bundle.settings, sort_keys=True, default=str)
        with self._reading:
            if key not in self._known:
                configuration = settings.load(*self._conf, overrides=bundle.settings or None)
                asked = repr((configuration.rule_paths, configuration.family_defaults()))
                if asked not in self._rules:
                    self._rules[asked] = scope_of(configuration).rules
                self._known[key] = (
                    configuration,
                    scope_of(configuration, self._rules[asked]),
                    model_of(configuration),
                )
            return self._known[key]

    def _timings(
        self, bundle: Bundle, kept: pa.Table, scope: Scope, model: VerdictModel, tables: Tables
    ) -> list[Timing]:
        """For each application, about its first moment with a known cause."""
        asked: dict[str, Truth] = {}
        for truth in sorted(bundle.truth, key=lambda one: one.at):
            if isinstance(truth.root_cause, Expected):
                asked.setdefault(truth.application_id, truth)
        if not asked:
            return []
        lookup = lookup_frame(self._spark, lookups.rows(tables))
        rows = _one_by_one(_frame(self._spark, kept, scope), lookup, scope).toArrow().to_pylist()
        return [_timing(truth, rows, bundle, scope, model) for truth in asked.values()]


def _numbers(kept: pa.Table, part: int) -> Any:
    """One number of each row's position, `<bundle>:<record>:...`, as a NumPy array."""
    return np.array([int(one.split(":", 2)[part]) for one in kept["position"].to_pylist()], dtype=np.int64)


def _frame(spark: SparkSession, kept: pa.Table, scope: Scope) -> DataFrame:
    """The rows of a bundle's own networks: whose they are is not asked while many bundles are classified together."""
    rows = spark.createDataFrame(kept).coalesce(1)
    return attribution.of_network_interest(rows, scope.accepted_cidrs, scope.count_external_sources)


class _Play:
    """One bundle's tables, sink and clock."""

    def __init__(self, spark: SparkSession, scope: Scope, model: VerdictModel, tables: Tables, rejects: str) -> None:
        self._spark, self._scope, self._model, self._tables = spark, scope, model, tables
        self._now = _START
        self._sink = Sink(
            scope=scope,
            tables=tables,
            model=model,
            clock=self._clock,
            wall_clock=self._clock,
            lookup=LookupCache(tables, refresh=1e9),
            rejects_path=f"{rejects}/{id(self)}",
            lease=acquire(tables.states, "evaluate", "evaluate", _START),
        )

    def _clock(self) -> datetime:
        return self._now

    def play(self, bundle: Bundle, kept: pa.Table) -> list[Answer]:
        """The answers at all moments. `kept`: what the job keeps of the bundle's lines."""
        answers = []
        record = _numbers(kept, 1)
        done = 0
        for number, step in enumerate(steps(bundle)):
            self._now = step.at
            batch = kept.filter(pa.array((record >= done) & (record < done + len(step.records))))
            done += len(step.records)
            if batch.num_rows:
                self._sink.write_batch(_frame(self._spark, batch, self._scope), number)
            answers += self._answers(step)
        return answers

    def _answers(self, step: Step) -> list[Answer]:
        for one in step.actions:
            application, layer = one.application_id, one.event_type
            renew(self._tables, application, step.at, self._model)  # what the operator sees before acting
            act(self._tables, application, layer, one.status, one.who, step.at, one.reason, one.cause)
            renew(self._tables, application, step.at, self._model)
        return [
            Answer(
                truth=truth,
                verdict=commands.verdict_of(self._tables, truth.application_id, step.at, self._model),
                events=tuple(one.event for one in load_events(self._tables, truth.application_id).values()),
            )
            for truth in step.truths
        ]


def _one_by_one(kept: DataFrame, lookup: DataFrame, scope: Scope) -> DataFrame:
    """schemas.FOLDED with one row for each event and application: the job's own fold, every event being alone."""
    described = pipeline.described(pipeline.matched(kept), lookup, scope)
    alone = F.concat_ws(_MARK, "application_id", "event_id", "rule_id")
    return described.withColumn("application_id", alone).transform(fold, scope.listed_events)


def _timing(truth: Truth, rows: Sequence[dict[str, Any]], bundle: Bundle, scope: Scope, model: VerdictModel) -> Timing:
    """Adds the application's events in order of arrival and asks after each, from its first symptom on."""
    expected = truth.root_cause
    assert isinstance(expected, Expected)
    own = []
    for row in rows:
        application, _, rest = row["application_id"].partition(_MARK)
        if application == truth.application_id and _aware(row["arrived_at"]) <= truth.at:
            own.append((_aware(row["arrived_at"]), row | {"application_id": application}, rest))
    own.sort(key=lambda one: (one[0], one[2]))
    tables, usual = memory_tables(), Baseline()
    first: datetime | None = None
    changed = False
    for number, (arrival, row, _) in enumerate(own):
        repeats = Repeats.from_row(row)
        if repeats.role == BASELINE:
            before = silences(truth.application_id, usual)
            usual, _ = learn(tables, truth.application_id, [repeats], usual)
            shown = bool(silent := silences(truth.application_id, usual))
            changed = changed or silent != before
        else:
            add_repeats(tables, truth.application_id, [repeats], f"{number:09d}", scope.remembered_events, arrival)
            shown, changed = repeats.role == "symptom", True
        first = arrival if first is None and shown else first
        more = number + 1 < len(own) and own[number + 1][0] == arrival
        if first is None or more or not changed:
            continue
        changed = False
        known = [one.event for one in load_events(tables, truth.application_id).values()]
        if rank_of(expected, judge(known, arrival, model, application_id=truth.application_id)) == 1:
            return Timing(truth.application_id, (arrival - first).total_seconds(), _lines(bundle, first, arrival))
    return Timing(truth.application_id, None, None)


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _lines(bundle: Bundle, after: datetime, until: datetime) -> int:
    """Log lines that arrived in (after, until]."""
    inside = [one for one in bundle.records if after < one.arrival <= until + timedelta(microseconds=1)]
    return sum(len(one.raw["payload"].get("logEvents", ())) for one in inside if "payload" in one.raw)
