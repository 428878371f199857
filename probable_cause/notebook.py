"""Helpers of the notebooks: tables and archive as DataFrames, a bundle played into tables in memory, a timeline.

Data is read and drawn here, nothing is written but what `play` is given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from probable_cause import pipeline, settings, wiring
from probable_cause import session as sessions
from probable_cause.archive import delta
from probable_cause.archive.writer import Archive
from probable_cause.clock import wall_clock
from probable_cause.decode import decode_records
from probable_cause.evaluation.bundle import load_bundle
from probable_cause.evaluation.runner import steps
from probable_cause.schemas import OTHERS
from probable_cause.sink import Sink
from probable_cause.sources import routing_of
from probable_cause.state import dynamodb, lookups
from probable_cause.state.application import act, renew
from probable_cause.state.event_item import from_item
from probable_cause.state.identity import is_chunk
from probable_cause.state.lease import JOB, Lease
from probable_cause.state.memory import memory_tables
from probable_cause.state.state_record import OVERALL, current_key
from probable_cause.state.tables import Tables
from probable_cause.verdict.types import LAYERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pyspark.sql import SparkSession

_COLOURS = {"failing": "#f4b6b6", "degraded": "#f8dfae", "healthy": "#cfe8cf"}
_MARKS = {
    "cause": ("D", "#8c1d18"),
    "symptom": ("o", "#31588c"),
    "recovery": ("^", "#2c7a3f"),
    OTHERS: ("s", "#777777"),  # what a flood has beyond its foremost causes
}


def session() -> SparkSession:
    """A small local session, with Delta where its jars can be had."""
    return sessions.build("probable-cause-notebook", "local[2]", {"spark.sql.shuffle.partitions": "1"}, archive=True)


def open_tables(*confs: str) -> Tables:
    """The DynamoDB tables of an installation, by its configuration files."""
    loaded = settings.load(*confs)
    return dynamodb.connect(loaded.region, loaded.endpoint_url, loaded.table_prefix)


def play(spark: SparkSession, folder: str | Path, archive: str | None = None, **overrides: Any) -> Tables:
    """An incident bundle through the stream's own pipeline into tables in memory, as far as its last moment of truth.

    Args:
        archive: folder for an archive of it; left out where Delta can't be had.
        overrides: settings, as conf/default.yml nests them.

    Raises:
        BundleError, SettingsError: with all faults.
    """
    bundle = load_bundle(Path(folder))
    configuration = settings.load(overrides=settings.merge_mappings([bundle.settings, overrides]))
    tables, now = memory_tables(), [bundle.records[0].arrival]
    lookups.put(tables, bundle.lookup_by_ip, bundle.lookup_by_resource, now[0])
    sink: Sink = wiring.sink_beside(configuration, tables)
    sink.clock = sink.wall_clock = lambda: now[0]
    routing = routing_of(configuration.log_groups, configuration.max_decompressed)
    writer = None
    if archive is not None and delta.available(spark):
        # No checkpoint: nothing in the spool waits for Spark.
        writer = Archive(spark, tables, sink.scope, archive, f"{archive}/checkpoint", 1e9, 1e9, wall_clock)
    for number, step in enumerate(steps(bundle)):
        now[0] = step.at
        batch = decode_records(
            [(one.data, one.arrival, f"{number}:{place}") for place, one in enumerate(step.records)], routing
        )
        if batch.num_rows:
            kept = pipeline.of_interest_or_rejected(spark.createDataFrame(pa.Table.from_batches([batch])), sink.scope)
            touched = sink.write_beside(kept, f"play.{number}", batch.num_rows)
            if writer is not None:
                writer.keep(kept, Lease("play", 1, "play"), number, touched)
        for one in step.actions:
            act(tables, one.application_id, one.event_type, one.status, one.who, step.at, one.reason, one.cause)
        asked = {one.application_id for one in step.truths} | {one.application_id for one in step.actions}
        for application in sorted(asked):
            renew(tables, application, step.at, sink.model)
    if writer is not None:
        writer.release()
        writer.drain()
    return tables


def events(tables: Tables, application_id: str | None = None) -> pd.DataFrame:
    """EventsOfInterestByApplication: one row an event, by application and first time."""
    items = tables.events.scan() if application_id is None else tables.events.query(application_id)
    rows = [vars(from_item(item).event) for item in items if not is_chunk(item)]
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.sort_values(["application_id", "first_seen"], ignore_index=True)


def states(tables: Tables) -> pd.DataFrame:
    """What every layer of every application shows now, and its whole."""
    shown = {current_key(name) for name in (*LAYERS, OVERALL)}
    items = [one for one in tables.states.scan() if one["StateKey"] in shown and one["ApplicationId"] != JOB]
    names = [
        "ApplicationId",
        "StateKey",
        "State",
        "Health",
        "EventContextSummary",
        "DeferredFrom",
        "Count",
        "Confidence",
    ]
    return pd.DataFrame(items).reindex(columns=[*names, "Since"])


def beliefs(tables: Tables, application_id: str) -> pd.DataFrame:
    """What was believed of an application, and from when on; `verdict` is the whole as JSON values."""
    rows = []
    for item in tables.states.query(application_id, prefix="overall#"):
        if item["StateKey"].endswith("#verdict"):
            verdict = json.loads(item["Verdict"])
            root = verdict["root_cause"]
            rows.append(
                {
                    "since": pd.Timestamp(item["Since"]),
                    "health": item["Health"],
                    "root_cause": root["event"]["summary"] if root else None,
                    "confidence": root["confidence"] if root else None,
                    "verdict": verdict,
                }
            )
    return pd.DataFrame(rows, columns=["since", "health", "root_cause", "confidence", "verdict"])


def ranking(verdict: Mapping[str, Any]) -> pd.DataFrame:
    """The ranked events of one belief."""
    names = ["event_type", "role", "summary", "actor", "count", "relevance_now", "strength", "status"]
    return pd.DataFrame(verdict["ranking"]).reindex(columns=names)


def archived(spark: SparkSession, path: str, table: str) -> pd.DataFrame:
    """A table of the archive. Raises ProbableCauseError when there is none, or no Delta."""
    return delta.read(spark, path, table).toArrow().to_pandas()


def timeline(tables: Tables, application_id: str) -> Figure:
    """Events by layer over what was believed: bars from first to last seen, colours for health."""
    from matplotlib import dates
    from matplotlib.figure import Figure

    known, told = events(tables, application_id), beliefs(tables, application_id)
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axes = figure.subplots()
    end = max([*known["last_seen"], *told["since"]]) + pd.Timedelta(minutes=2)
    for place, row in told.iterrows():
        until = told["since"][place + 1] if place + 1 < len(told) else end
        axes.axvspan(row["since"], until, color=_COLOURS[row["health"]], alpha=0.6, lw=0)
    for height, layer in enumerate(LAYERS):
        for _, row in known[known["event_type"] == layer].iterrows():
            mark, colour = _MARKS[row["role"]]
            axes.plot([row["first_seen"], row["last_seen"]], [height, height], color=colour, lw=2)
            axes.plot([row["first_seen"]], [height], mark, color=colour, ms=8)
            axes.annotate(
                f"{row['summary']} ×{row['count']}",
                (row["first_seen"], height),
                (4, 8),
                textcoords="offset points",
                fontsize=8,
            )
    axes.set_yticks(range(len(LAYERS)), LAYERS)
    axes.set_ylim(-0.6, len(LAYERS) - 0.2)
    shown = dates.ConciseDateFormatter(axes.xaxis.get_major_locator())  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(shown)
    axes.set_title(f"{application_id}: ◆ cause  ● symptom  ▲ recovery; background: health as believed")
    return figure
