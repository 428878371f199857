"""Log files of the past through the stream's pipeline: an event counts once, whichever way and how often it comes."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import SparkSession

from probable_cause import backfill, settings
from probable_cause.archive import delta
from probable_cause.backfill import Task
from probable_cause.errors import ProbableCauseError
from probable_cause.settings import Settings
from probable_cause.sink import Sink
from probable_cause.state.moments import from_text
from probable_cause.state.tables import Tables
from probable_cause.storage import Folder
from tests.spark.rows import at
from tests.spark.test_archive import Checkpoint, opened
from tests.spark.test_sink import call, counts, refused, write

FLOW = "2 123456789012 eni-1 10.1.1.10 10.11.11.10 40000 5432 6 1 60 {0} {1} REJECT OK"
REFUSED = "REJECT on Instance 10.1.1.10"


class Killed(BaseException):
    pass


def record(event_id: str, minute: int = 0, action: str = "RebootInstances") -> dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "eventSource": "ec2.amazonaws.com",
        "eventName": action,
        "eventTime": f"2026-03-01T12:{minute:02d}:00Z",
        "eventID": event_id,
        "userIdentity": {"type": "IAMUser", "userName": "ana"},
        "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-1"}]}},
    }


def trail(place: str, *files: list[dict[str, Any]]) -> Task:
    folder = Folder(f"{place}/CloudTrail")
    for number, records in enumerate(files):
        content = gzip.compress(json.dumps({"Records": records}).encode())
        folder.write(f"us-east-1/2026/03/01/{number}.json.gz", content)
    return Task("cloudtrail", (folder.path,))


@pytest.fixture
def configuration(place: str) -> Settings:
    places = {"checkpoint": f"{place}/checkpoint", "rejects": {"path": f"{place}/rejected"}}
    return settings.load(overrides={**places, "archive": {"path": f"{place}/archive"}})


def live(event_id: str, name: str, minute: int) -> dict[str, Any]:
    """The same call, as the stream brings it."""
    return call(
        event_id, minute * 60.0, fields={"event_name": "RebootInstances", "event_id": name, "actor_type": "person"}
    )


def reboots(tables: Tables) -> int:
    return sum(count for summary, count in counts(tables, "app1").items() if "reboot" in summary)


def test_an_event_of_the_stream_and_of_a_file_counts_once(
    spark: SparkSession, sink: Sink, tables: Tables, configuration: Settings, place: str
) -> None:
    write(spark, sink, [live("cw-1", "e-1", 0)], 0)
    task = trail(place, [record("e-1"), record("e-2", 5)], [record("e-2", 5), record("e-3", 7), {"eventName": "?"}])
    done = backfill.run(spark, configuration, task, sink, unit_files=1)
    assert (done.files, done.lines, done.rejects) == (2, 5, 1)
    assert reboots(tables) == 3
    # The stream brings one of them late; two calls of one name on the stream are two log events (I1).
    write(spark, sink, [live("cw-3", "e-3", 7), live("cw-4", "e-4", 8), live("cw-5", "e-4", 8)], 1)
    assert reboots(tables) == 5
    again = backfill.run(spark, replace(configuration, checkpoint=f"{place}/other"), task, sink)
    assert (again.files, reboots(tables)) == (2, 5)
    with pytest.raises(ProbableCauseError, match="no cloudtrail file"):
        backfill.find(Task("cloudtrail", (f"{place}/nowhere",)))


@pytest.mark.parametrize("point", [1, 2])
def test_a_run_that_was_killed_goes_on(
    spark: SparkSession, sink: Sink, tables: Tables, configuration: Settings, place: str, point: int
) -> None:
    # More repeats than an item remembers: the unit's own stamp tells that it is in.
    sink.scope = replace(sink.scope, remembered_events=2)
    files = [[record(f"e-{file}-{number}", number) for number in range(5)] for file in range(3)]
    task, left = trail(place, *files), [point]

    def at_point(name: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed(name)

    with pytest.raises(Killed):
        backfill.run(spark, configuration, task, sink, at_point=at_point, unit_files=1)
    done = backfill.run(spark, configuration, task, sink, unit_files=1)
    assert (done.files, done.skipped) == (4 - point, point - 1)
    assert reboots(tables) == 15


def test_bounds_and_rejects(
    spark: SparkSession, sink: Sink, tables: Tables, configuration: Settings, place: str
) -> None:
    task = trail(place, [record(f"e-{minute}", minute) for minute in range(10)])
    until = from_text("2026-03-01T12:05:00Z")
    backfill.run(spark, configuration, replace(task, since=at(120), until=until), sink)
    assert reboots(tables) == 3


def test_the_archive_knows_the_flows_that_were_seen(
    with_delta: SparkSession, sink: Sink, tables: Tables, configuration: Settings, place: str
) -> None:
    archive, checkpoint = opened(with_delta, sink, place), Checkpoint(f"{place}/checkpoint")
    start = int(at(0).timestamp())
    lines = [FLOW.format(start + n * 60, start + n * 60 + 60) for n in range(4)]
    seen = [
        refused(f"cw-{n}", n * 60.0)
        | {"interface_id": "eni-1", "start": start + n * 60, "end": start + n * 60 + 60, "packets": 1, "bytes": 60}
        for n in range(2)
    ]
    write(with_delta, sink, seen, 0)
    checkpoint.commit(0)
    archive.drain()
    logs = Folder(f"{place}/vpcflowlogs")
    logs.write("one.log.gz", gzip.compress("\n".join(lines).encode()))
    task = Task("flow", (logs.of("one.log.gz"),))
    configuration = replace(configuration, archive_enabled=True)
    done = backfill.run(with_delta, configuration, task, sink)
    assert (done.lines, done.events, counts(tables, "app1")[REFUSED]) == (4, 2, 4)
    # Another ledger: the archive knows all four now.
    other = replace(configuration, checkpoint=f"{place}/other")
    assert backfill.run(with_delta, other, task, sink).events == 0
    archived = delta.read(with_delta, f"{place}/archive", delta.EVENTS)
    assert archived.select("natural_key").distinct().count() == 4


def test_an_export_needs_its_group(spark: SparkSession, configuration: Settings) -> None:
    with pytest.raises(ProbableCauseError, match="--log-group"):
        backfill.run(spark, configuration, Task("logs", ("/nowhere",)))
