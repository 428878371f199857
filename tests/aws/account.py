"""An account on an emulator for tests of the whole job: a stream, tables, lookup rows, and the lines of one bundle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import SparkSession

from probable_cause import settings, stream
from probable_cause.clock import wall_clock
from probable_cause.evaluation.bundle import load_bundle
from probable_cause.evaluation.incident import Bundle
from probable_cause.local import account
from probable_cause.settings import Settings
from probable_cause.state import dynamodb, lookups
from probable_cause.state.identity import is_chunk
from probable_cause.state.lease import last_beat
from probable_cause.state.tables import Tables

SCENARIOS = Path(__file__).parents[1] / "scenarios"


@dataclass(frozen=True)
class Account:
    """One configuration: its own table prefix and checkpoint, over a stream that several may share."""

    settings: Settings
    conf: Path
    tables: Tables

    def counts(self) -> dict[tuple[str, str], int]:
        """(application, event key) -> count, of every event of interest."""
        return {(one["ApplicationId"], one["EventKey"]): one["Count"] for one in self._events()}

    def content(self) -> list[dict[str, Any]]:
        """All events of interest, without when they were processed and by which batch."""
        skipped = {"Ledger", "BatchStamp", "SeenEvents", "SeenChunks", "SampleEventIds"}
        items = [{k: v for k, v in one.items() if k not in skipped} for one in self._events()]
        return sorted(items, key=lambda one: (one["ApplicationId"], one["EventKey"]))

    def _events(self) -> list[dict[str, Any]]:
        return [one for one in self.tables.events.scan() if not is_chunk(one)]

    def beliefs(self) -> dict[tuple[str, str], Any]:
        """What every layer of every application shows, without when it was judged."""
        told = ("State", "EventKey", "DeferredFrom", "Health", "Count", "Signature")
        return {
            (one["ApplicationId"], one["StateKey"]): tuple(one.get(name) for name in told)
            for one in self.tables.states.scan()
            if one["StateKey"].endswith("#current")
        }

    def lines_seen(self) -> int:
        """Lines that the job has processed since its driver started."""
        return int((last_beat(self.tables.states) or {}).get("LinesTotal", 0))


def open_account(
    url: str, folder: Path, name: str, stream: str, bundle: Bundle, more: dict[str, Any] | None = None
) -> Account:
    """Makes what is missing: the stream `stream`, tables with the prefix `name`, the bundle's lookup rows.

    Args:
        more: settings over those of the test.
    """
    conf = folder / f"{name}.yml"
    content = settings.merge_mappings(
        [
            bundle.settings,
            {
                "aws": {"endpoint_url": url},
                "stream": {"name": stream, "lag": "200ms"},
                "checkpoint": str(folder / name / "checkpoint"),
                "rejects": {"path": str(folder / name / "rejected")},
                "tables": {"prefix": f"{name}."},
                "verdict": {"sweep": "1s"},
                # The bundle's instants are its own: they lie far from the emulator's arrival times.
                "clock": {"max_past": "36500d", "max_future": "36500d"},
            },
            more or {},
        ]
    )
    conf.write_text(yaml.safe_dump(content), encoding="utf-8")
    loaded = settings.load(conf)
    account.create_stream(loaded)
    dynamodb.create(loaded.region, loaded.endpoint_url, loaded.table_prefix)
    tables = dynamodb.connect(loaded.region, loaded.endpoint_url, loaded.table_prefix)
    lookups.put(tables, bundle.lookup_by_ip, bundle.lookup_by_resource, wall_clock())
    return Account(loaded, conf, tables)


def put_records(configuration: Settings, bundle: Bundle) -> None:
    """The bundle's records as Kinesis would hand them over, ids and all."""
    for number, record in enumerate(bundle.records):
        account.put_raw(configuration, record.data, str(number))


def scenario(name: str) -> Bundle:
    """One of the demonstrated scenarios."""
    return load_bundle(SCENARIOS / name)


def wait_until(holds: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Looks until something holds; fails the test with what `otherwise` says when it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.3)


def run_here(spark: SparkSession, account: Account, done: Callable[[], bool], seconds: float = 240) -> None:
    """The job in this process, asked to stop as soon as `done`, in the midst of that batch."""

    def at_point(name: str) -> None:
        if name == "verdict written" and done():
            job.stop()

    job = stream.StreamJob(spark, account.settings, at_point=at_point)
    too_late = threading.Timer(seconds, job.stop)
    too_late.start()
    try:
        job.run()
    finally:
        too_late.cancel()
    assert done(), account.counts()
