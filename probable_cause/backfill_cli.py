"""The arguments of jobs/backfill.py, its progress bar, and its last line."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from pyspark.sql import SparkSession
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from probable_cause import backfill, entry, settings
from probable_cause.settings import Settings
from probable_cause.sources.archived import KINDS
from probable_cause.state.moments import from_text


def main(arguments: Sequence[str]) -> int:
    """Runs the job; 1, with the reason on stderr, when it could not."""
    parser = entry.parser("Log files of the past through the stream's pipeline into the tables.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders, on disk or S3")
    parser.add_argument("--kind", choices=KINDS, help="what the files hold")
    parser.add_argument("--log-group", help="of an export of CloudWatch Logs: its files do not say")
    parser.add_argument("--from", dest="since", type=from_text, metavar="T", help="events from this instant on")
    parser.add_argument("--to", dest="until", type=from_text, metavar="T", help="events before it")
    parser.add_argument("--rate", type=float, metavar="N", help="at most N lines a second (default: no bound)")
    parser.add_argument("--rebuild", action="store_true", help="put lost items of the tables back from the archive")
    chosen = parser.parse_args(arguments)
    if not chosen.rebuild and (chosen.kind is None or not chosen.paths):
        parser.error("give --kind and at least one PATH, or --rebuild")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    return entry.run(lambda: _work(chosen))


def _work(chosen: argparse.Namespace) -> None:
    configuration = settings.load(*chosen.conf)
    archive = configuration.archive_enabled or chosen.rebuild
    spark = entry.session_of("probable-cause-backfill", chosen.master, configuration, archive, chosen.paths)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    try:
        with bar:
            told = (_rebuild if chosen.rebuild else _backfill)(spark, configuration, chosen, bar)
    finally:
        spark.stop()
    sys.stdout.write(told + "\n")


def _rebuild(spark: SparkSession, configuration: Settings, chosen: argparse.Namespace, bar: Progress) -> str:
    shown = bar.add_task("items", total=None)
    written = backfill.rebuild(spark, configuration, lambda done, of: bar.update(shown, completed=done, total=of))
    return f"{written} items written; what was there already was left as it is"


def _backfill(spark: SparkSession, configuration: Settings, chosen: argparse.Namespace, bar: Progress) -> str:
    shown = bar.add_task("files", total=None)
    task = backfill.Task(chosen.kind, tuple(chosen.paths), chosen.log_group, chosen.since, chosen.until, chosen.rate)
    done = backfill.run(
        spark,
        configuration,
        task,
        on_progress=lambda done: bar.update(shown, completed=done.files + done.skipped, total=done.of),
    )
    return (
        f"{done.files} files read, {done.skipped} were done before: {done.lines} lines, "
        f"{done.events} new events of interest, {done.rejects} rejected"
    )
