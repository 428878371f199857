"""`probable-cause replay`: which verdicts would have been others under new rules or weights."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probable_cause import commands, settings
from probable_cause.errors import ProbableCauseError
from probable_cause.settings import Settings
from probable_cause.state.moments import to_text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Rows = list[Any]  # of state.lookups
_LATE = 1.0  # ticks after the last event


def run(chosen: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Plays the events under the settings of --conf, and under those with --rules and --with over them."""
    from probable_cause import entry, what_if
    from probable_cause.lookup_cache import lookup_frame
    from probable_cause.wiring import model_of, scope_of

    overlay = _bundle(chosen.bundle).settings if chosen.bundle else {}
    present = settings.load(*chosen.conf, overrides=overlay)
    rules = {"rules": {"paths": [str(path.resolve()) for path in chosen.rules]}} if chosen.rules else {}
    other = settings.load(*chosen.conf, *chosen.other, overrides=settings.merge_mappings([overlay, rules]))
    scopes = [(scope_of(one), model_of(one)) for one in ([present, other] if chosen.compare else [other])]
    spark = entry.session_of("probable-cause-replay", "local[2]", present, archive=not chosen.bundle)
    try:
        events, rows = _events(spark, chosen, present)
        events = _within(events, chosen.since, chosen.until).persist()
        until = chosen.until or _last(events, chosen.tick)
        lookup = lookup_frame(spark, rows)
        played = [what_if.play(events, lookup, scope, model, until, chosen.tick) for scope, model in scopes]
    finally:
        spark.stop()
    if not chosen.compare:
        _tell(played[0], chosen.json, say)
        return 0
    changes = what_if.compare(*played)
    if chosen.json:
        say(
            commands.as_json(
                {"applications": sorted({*played[0], *played[1]}), "changes": [one.to_dict() for one in changes]}
            )
        )
        return 0
    for line in what_if.text(changes) or ["no verdict would have been another"]:
        say(line)
    return 0


def _bundle(folder: Path) -> Any:
    from probable_cause.evaluation.bundle import load_bundle

    return load_bundle(folder)


def _events(spark: SparkSession, chosen: argparse.Namespace, present: Settings) -> tuple[DataFrame, Rows]:
    """schemas.EVENT and the lookup rows: of a bundle, or of the archive and the tables."""
    from probable_cause import what_if
    from probable_cause.archive import delta
    from probable_cause.clock import wall_clock
    from probable_cause.sources import read_events, routing_of
    from probable_cause.state import dynamodb, lookups
    from probable_cause.state.memory import memory_tables

    if chosen.bundle:
        bundle = _bundle(chosen.bundle)
        tables = memory_tables()
        lookups.put(tables, bundle.lookup_by_ip, bundle.lookup_by_resource, wall_clock())
        routing = routing_of(present.log_groups, present.max_decompressed)
        return read_events(spark, str(chosen.bundle), routing), lookups.rows(tables)
    archived = what_if.archived(delta.read(spark, present.archive_path, delta.EVENTS))
    tables = dynamodb.connect(present.region, present.endpoint_url, present.table_prefix)
    return archived, lookups.rows(tables)


def _within(events: DataFrame, since: datetime | None, until: datetime | None) -> DataFrame:
    for bound, sign in ((since, ">="), (until, "<")):
        if bound is not None:
            events = events.where(f"coalesce(arrived_at, event_time) {sign} timestamp'{to_text(bound)}'")
    return events


def _last(events: DataFrame, tick: float) -> datetime:
    last = events.selectExpr("max(unix_micros(coalesce(arrived_at, event_time))) as last").first()
    if last is None or last["last"] is None:
        raise ProbableCauseError("there are no events between --from and --to: nothing to replay")
    return datetime.fromtimestamp(last["last"] / 1e6 + (1 + _LATE) * tick, UTC)


def _tell(timelines: Any, as_json: bool, say: Callable[[str], None]) -> None:
    if as_json:
        told = {app: [one.to_dict() | {"at": to_text(one.at)} for one in some] for app, some in timelines.items()}
        say(commands.as_json(told))
        return
    for application, beliefs in sorted(timelines.items()):
        for one in beliefs:
            say(f"{application}  {to_text(one.at)}: {one.health}, {one.cause or 'no cause'}")


def add_arguments(parser: argparse.ArgumentParser, moment: Callable[[str], datetime]) -> None:
    """What `replay` takes besides --conf and --json."""
    parser.add_argument("--from", dest="since", type=moment, metavar="T", help="events that arrived from T on")
    parser.add_argument("--to", dest="until", type=moment, metavar="T", help="events that arrived before T")
    parser.add_argument(
        "--rules", action="append", default=[], type=Path, metavar="PATH", help="in place of rules.paths"
    )
    parser.add_argument(
        "--with", dest="other", action="append", default=[], metavar="FILE", help="YAML over --conf, e.g. other weights"
    )
    parser.add_argument("--compare", action="store_true", help="tell only what differs from the present settings")
    parser.add_argument(
        "--bundle", type=Path, metavar="DIR", help="events of an incident bundle (default: the archive)"
    )
    parser.add_argument("--tick", type=float, default=60.0, metavar="S", help="seconds judged together (default: 60)")
