"""What the entry points share: the arguments --conf and --master, a session for the settings, how they are ended."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence

from pyspark.sql import SparkSession

from probable_cause import session
from probable_cause.errors import ProbableCauseError
from probable_cause.logs import visible
from probable_cause.settings import Settings


def parser(told: str) -> argparse.ArgumentParser:
    """A parser with the arguments of every job."""
    made = argparse.ArgumentParser(description=told)
    made.add_argument("--conf", action="append", default=[], metavar="FILE", help="YAML merged over conf/default.yml")
    made.add_argument("--master", help="only without spark-submit, e.g. local[2]")
    return made


def run(work: Callable[[], None]) -> int:
    """The exit code of a job: 0, or 1 with the reason on stderr."""
    try:
        work()
    except ProbableCauseError as exc:
        sys.stderr.write(f"probable-cause: {visible(str(exc))}\n")
        return 1
    return 0


def session_of(
    name: str, master: str | None, settings: Settings, archive: bool = True, paths: Sequence[str] = ()
) -> SparkSession:
    """A session for the folders of the settings, and further `paths`; with Delta where `archive` says so."""
    return session.build(name, master, archive=archive, paths=[*settings.folders, *paths])


def on_end(stop: Callable[[], None]) -> None:
    """Calls `stop` at SIGTERM or SIGINT."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop())
