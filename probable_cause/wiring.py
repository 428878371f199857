"""The parts of the job, as the settings ask for them."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from probable_cause import clock as clocks
from probable_cause import pipeline
from probable_cause.archive import delta
from probable_cause.archive.writer import Archive
from probable_cause.lookup_cache import LookupCache
from probable_cause.pipeline import Scope
from probable_cause.prefilter import NOTHING
from probable_cause.rules import catalogue
from probable_cause.rules.model import RuleSet
from probable_cause.settings import Settings
from probable_cause.sink import Sink
from probable_cause.sources import read_stream
from probable_cause.state import dynamodb
from probable_cause.state.lease import Lease
from probable_cause.state.tables import Tables
from probable_cause.verdict import VerdictModel

log = logging.getLogger(__name__)

NO_LEASE = Lease("", 0)


def scope_of(settings: Settings, rules: RuleSet | None = None) -> Scope:
    """What the stages need of the settings; `rules` when they were read before. Raises RulesError with all faults of
    all rule files."""
    rules = catalogue.load(list(settings.rule_paths), settings.family_defaults()) if rules is None else rules
    return Scope(
        rules=rules if settings.baseline_lines else rules.of_interest(),
        accepted_cidrs=settings.accepted_cidrs,
        count_external_sources=settings.count_external_sources,
        remembered_events=settings.remembered_events,
        listed_events=settings.listed_events,
        own_causes=settings.own_causes,
        baseline_lines=settings.baseline_lines,
        identity_horizon=settings.identity_horizon,
        max_future=settings.max_future,
        max_past=settings.max_past,
        application_tags=tuple(settings.lookup_scan["application_tags"]),
    )


def model_of(settings: Settings) -> VerdictModel:
    """The verdict's model with the weights of the settings. Raises SettingsError."""
    return VerdictModel().with_overrides(settings.verdict)


def clock_of(settings: Settings) -> clocks.Clock:
    """The machine's clock, or the demo's scenario clock."""
    return clocks.scenario_clock(settings.clock_file) if settings.clock_file else clocks.wall_clock


def sink_beside(settings: Settings, tables: Tables | None = None) -> Sink:
    """A sink for Sink.write_beside: over the tables of a stream that may run, without its lease. What is usual is
    learned by the stream alone: files are read whole, and tell of the past."""
    tables = tables or dynamodb.connect(settings.region, settings.endpoint_url, settings.table_prefix)
    sink = sink_of(settings, tables)
    sink.scope = replace(sink.scope, rules=sink.scope.rules.of_interest())
    return sink


def sink_of(settings: Settings, tables: Tables, **more: Any) -> Sink:
    """A sink without a lease; `more` are fields of it that the settings do not tell."""
    return Sink(
        scope=scope_of(settings),
        tables=tables,
        model=model_of(settings),
        clock=clock_of(settings),
        wall_clock=clocks.wall_clock,
        lookup=LookupCache(tables, settings.lookup_refresh),
        rejects_path=settings.rejects_path,
        lease=NO_LEASE,
        **more,
    )


def archive_of(spark: SparkSession, settings: Settings, sink: Sink) -> Archive | None:
    """The archive of what the sink writes; None where it is off or, with a warning, Spark has no Delta."""
    if not settings.archive_enabled:
        return None
    if not delta.available(spark):
        log.warning("the job runs without its archive: this Spark has no Delta jars (docs/archive.md)")
        return None
    return Archive(
        spark=spark,
        tables=sink.tables,
        scope=sink.scope,
        path=settings.archive_path,
        checkpoint=settings.checkpoint,
        every=settings.archive_drain,
        snapshot=settings.archive_snapshot,
        clock=clocks.wall_clock,
        at_point=sink.at_point,
    )


def events_of(spark: SparkSession, settings: Settings, scope: Scope | None) -> DataFrame:
    """The stream's events, schemas.EVENT, without the lines that no rule of the scope can match; None: with all."""
    return read_stream(
        spark,
        stream_name=settings.stream.name,
        region=settings.region,
        endpoint_url=settings.endpoint_url,
        starting_position=settings.stream.starting_position,
        lag=settings.stream.lag,
        max_span=settings.stream.max_span,
        on_trimmed=settings.stream.on_trimmed,
        log_groups=settings.log_groups,
        max_decompressed=settings.max_decompressed,
        prefilter=pipeline.prefilter(scope) if scope and settings.stream.prefilter else NOTHING,
    )
