"""A batch from events to tables, over the tables in memory: repeats, replays, rejects, sweep, fencing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from probable_cause import pipeline
from probable_cause.errors import BusyError, FencedError
from probable_cause.lookup_cache import LookupCache
from probable_cause.schemas import EVENT, column_names
from probable_cause.sink import BatchReport, Sink
from probable_cause.state.application import act
from probable_cause.state.event_item import from_item
from probable_cause.state.lease import acquire
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Tables, Write
from tests.spark.conftest import Clock
from tests.spark.rows import T0, at, frame

REBOOT = {
    "eventSource": "ec2.amazonaws.com",
    "eventName": "RebootInstances",
    "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-1"}]}},
}


def call(event_id: str, seconds: float = 0.0, **values: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "family": "cloudtrail",
        "event_source": "ec2.amazonaws.com",
        "action": "RebootInstances",
        "outcome": "success",
        "actor": "ana",
        "event_time": at(seconds),
        "delivered_at": at(seconds),
        "arrived_at": at(seconds + 300),
        "resource_ids": ["i-1"],
        "fields": {"event_name": "RebootInstances", "actor_type": "person"},
        "message": json.dumps(REBOOT),
        "position": f"shard:{event_id}",
        **values,
    }


def refused(
    event_id: str, seconds: float, source: str = "10.1.1.10", destination: str = "10.11.11.10"
) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "family": "vpc_flow",
        "action": "REJECT",
        "outcome": "reject",
        "source_ip": source,
        "destination_ip": destination,
        "source_port": 40000,
        "destination_port": 5432,
        "protocol": 6,
        "event_time": at(seconds),
        "arrived_at": at(seconds + 300),
        "resource_ids": ["eni-1"],
        "fields": {},
        "message": "2 123456789012 eni-1 ...",
        "position": f"shard:{event_id}",
    }


def write(spark: SparkSession, sink: Sink, rows: list[dict[str, Any]], batch_id: int) -> None:
    """A batch as the stream gives it to the sink."""
    sink.write_batch(pipeline.of_interest_or_rejected(frame(spark, EVENT, rows), sink.scope), batch_id)


def counts(tables: Tables, application_id: str) -> dict[str, int]:
    return {item["EventContextSummary"]: item["Count"] for item in tables.events.query(application_id)}


def current(tables: Tables, application_id: str, layer: str) -> dict[str, Any]:
    return tables.states.get({"ApplicationId": application_id, "StateKey": f"{layer}#current"}) or {}


def test_a_reboot_then_refused_flows(
    spark: SparkSession, sink: Sink, tables: Tables, reports: list[BatchReport]
) -> None:
    write(spark, sink, [call("c1"), refused("f1", 60), refused("f2", 120)], 0)
    assert counts(tables, "app1")["REJECT on Instance 10.1.1.10"] == 2
    assert counts(tables, "app2") == {"REJECT on ELB 10.11.11.10": 2}
    cloudsystem, network = current(tables, "app1", "cloudsystem"), current(tables, "app1", "network")
    assert cloudsystem["State"] == "probable_cause"
    assert cloudsystem["Actor"] == "ana"
    assert network["State"] == "deferred"
    assert network["DeferredFrom"] == "cloudsystem"
    assert network["EventKey"] == cloudsystem["EventKey"]
    assert current(tables, "app2", "network")["State"] == "symptom"
    overall = current(tables, "app1", "overall")
    assert json.loads(overall["RootCause"])["event"]["action"] == "RebootInstances"
    (report,) = reports
    assert report.causes == 3
    assert report.applications == ("app1", "app2")


def test_a_replayed_batch_changes_no_table(spark: SparkSession, sink: Sink, tables: Tables) -> None:
    batch = [call("c1"), call("c2", 5), refused("f1", 60)]
    write(spark, sink, batch, 0)
    before = (tables.events.scan(), tables.states.scan())
    write(spark, sink, batch, 0)
    assert (tables.events.scan(), tables.states.scan()) == before


def accepted(number: int, seconds: float, **values: Any) -> dict[str, Any]:
    return {**refused(f"a{number}", seconds), "action": "ACCEPT", "outcome": "accept", **values}


def test_what_is_usual_is_remembered_and_only_tells_what_a_refusal_means(
    spark: SparkSession, sink: Sink, tables: Tables, reports: list[BatchReport]
) -> None:
    kept: list[set[str]] = []

    class Archived:
        def keep(self, rows: DataFrame | None, *_: Any) -> None:
            kept.append({row["role"] for row in rows.collect()} if rows is not None else set())

        def touched(self, applications: Any) -> None: ...

    sink.archive = Archived()
    usual = [accepted(number, number * 60) for number in range(60)]
    foreign = accepted(99, 60, destination_ip="203.0.113.9")
    batches = [[*usual, foreign], [refused("r1", 3610), refused("r2", 3620), *usual[-3:]], [accepted(98, 3550)]]
    for number, batch in enumerate(batches):
        write(spark, sink, batch, number)
    for application, cause in (("app1", "REJECT on Instance 10.1.1.10"), ("app2", "REJECT on ELB 10.11.11.10")):
        assert counts(tables, application) == {cause: 2}  # what is usual makes no item
        shown = current(tables, application, "network")["EventContextSummary"]
        assert shown == f"{cause} (app1 -> app2:5432/tcp had been accepted)"
    assert {item["ApplicationId"] for item in tables.states.scan() if item["StateKey"] == "baseline#current"} == {
        "app1",
        "app2",
    }
    assert kept == [set(), {"symptom"}, set()]
    assert [(one.causes, one.applications) for one in reports] == [
        (0, ("app1", "app2")),
        (2, ("app1", "app2")),
        (0, ()),
    ]
    assert reports[2].writes == 0  # nothing new in it
    before = (tables.events.scan(), tables.states.scan())
    for driver in (sink, replace(sink)):  # as a replay, and in a new process
        for number, batch in enumerate(batches):
            write(spark, driver, batch, number)
        assert (tables.events.scan(), tables.states.scan()) == before


@pytest.mark.parametrize("point", ["folded", "baseline written", "events written", "verdict written"])
def test_killed_in_a_batch_and_started_again(spark: SparkSession, sink: Sink, tables: Tables, point: str) -> None:
    def killed(at: str) -> None:
        if at == point:
            raise KeyboardInterrupt(at)  # as with SIGKILL, nothing in the sink catches it

    write(spark, sink, [call("c1"), refused("f1", 60)], 0)
    clean = memory_tables()
    for name in ("by_ip", "by_resource", "events", "states"):
        for item in getattr(tables, name).scan():
            assert getattr(clean, name).apply(Write(item, {}))
    batch = [call("c2", 5), refused("f2", 120), refused("f3", 130), accepted(1, 30)]
    with pytest.raises(KeyboardInterrupt):
        write(spark, replace(sink, at_point=killed), batch, 1)
    write(spark, replace(sink), batch, 1)
    write(spark, replace(sink, tables=clean, lookup=LookupCache(clean, 60)), batch, 1)
    assert sorted(counts(tables, "app1").values()) == [2, 3]
    assert (tables.events.scan(), tables.states.scan()) == (clean.events.scan(), clean.states.scan())


def test_rejects_are_kept_with_their_reason_and_counted(
    spark: SparkSession, sink: Sink, tables: Tables, reports: list[BatchReport], tmp_path: Path
) -> None:
    rows = [
        {
            "event_id": "x",
            "family": "vpc_flow",
            "reject_reason": "missing_fields",
            "message": "2 123",
            "position": "s:1",
        },
        {"reject_reason": "not_gzip", "message": "AAEC", "position": "s:2"},
        call("future", 300 + 3600, arrived_at=at(0)),
        call("past", -20 * 86400, arrived_at=at(0)),
        call("fine"),
    ]
    for _ in range(2):  # a replay replaces its own rejects
        write(spark, sink, rows, 3)
    assert reports[0].rejects == {
        ("vpc_flow", "missing_fields"): 1,
        ("unknown", "not_gzip"): 1,
        ("cloudtrail", "event_in_the_future"): 1,
        ("cloudtrail", "event_too_old"): 1,
    }
    kept = [json.loads(line) for file in tmp_path.rglob("*.json") for line in file.read_text().splitlines()]
    assert sorted(row["reject_reason"] for row in kept) == [
        "event_in_the_future",
        "event_too_old",
        "missing_fields",
        "not_gzip",
    ]
    assert {row["message"] for row in kept} >= {"2 123", "AAEC"}
    assert list(counts(tables, "app1").values()) == [1]


def test_time_alone_changes_verdicts(spark: SparkSession, sink: Sink, tables: Tables, clock: Clock) -> None:
    write(spark, sink, [refused("f1", 60)], 0)
    assert current(tables, "app1", "overall")["Health"] != "healthy"
    assert sink.sweep() == []
    clock.now = at(60) + timedelta(hours=6, seconds=1)
    assert set(sink.sweep()) >= {"app1", "app2"}
    assert current(tables, "app1", "overall")["Health"] == "healthy"
    assert current(tables, "app1", "network")["State"] in ("healthy", "last_record")


def test_a_sweep_after_a_restart_knows_what_is_due(
    spark: SparkSession, sink: Sink, tables: Tables, clock: Clock
) -> None:
    write(spark, sink, [refused("f1", 60)], 0)
    sink._next_change.clear()  # as in a new process
    clock.now = at(60) + timedelta(hours=7)
    assert set(sink.sweep()) >= {"app1", "app2"}


def test_acknowledged_stays_while_repeats_come_and_resolved_opens_a_new_episode(
    spark: SparkSession, sink: Sink, tables: Tables, clock: Clock
) -> None:
    write(spark, sink, [refused("f1", 60)], 0)
    act(tables, "app1", "network", "acknowledged", "ben", clock.now, "known")
    write(spark, sink, [refused("f2", 90)], 1)
    (item,) = tables.events.query("app1")
    assert (item["Status"], item["StatusBy"], item["Count"]) == ("acknowledged", "ben", 2)
    act(tables, "app1", "network", "resolved", "ben", clock.now)
    write(spark, sink, [refused("f3", 700)], 2)
    episodes = {from_item(item).event.episode: item["Count"] for item in tables.events.query("app1")}
    assert episodes == {1: 2, 2: 1}


def test_an_older_driver_stops_before_it_writes(spark: SparkSession, sink: Sink, tables: Tables) -> None:
    acquire(tables.states, "newer", "checkpoint", T0)
    with pytest.raises(FencedError, match="newer"):
        write(spark, sink, [call("c1")], 0)
    assert tables.events.scan() == []


def test_a_lookup_emptied_in_flight_keeps_its_rows(
    spark: SparkSession, sink: Sink, tables: Tables, clock: Clock
) -> None:
    write(spark, sink, [call("c1")], 0)
    for row in tables.by_resource.scan():
        tables.by_resource.delete({"ResourceId": row["ResourceId"], "ApplicationId": row["ApplicationId"]})
    for row in tables.by_ip.scan():
        tables.by_ip.delete({"IP": row["IP"], "ApplicationId": row["ApplicationId"]})
    clock.now += timedelta(minutes=5)
    write(spark, sink, [call("c2", 10)], 1)
    assert list(counts(tables, "app1").values()) == [2]


def looked_up(cache: LookupCache, spark: SparkSession, clock: Clock) -> int:
    """Keys at the next look."""
    clock.now += timedelta(minutes=5)
    (row,) = cache.at(spark, clock.now).collect()
    return sum(map(len, row["lookup"]))


def test_lookup_tables_that_are_garbled_or_do_not_answer_keep_the_last_good_rows(
    spark: SparkSession, tables: Tables, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    cache = LookupCache(tables, 60)
    good = looked_up(cache, spark, clock)
    assert good > 2
    key = {"IP": "10.9.9.9", "ApplicationId": "x"}
    tables.by_ip.apply(Write(key, {"EndpointType": 7}))  # a number where text is expected
    assert looked_up(cache, spark, clock) == good
    assert "can't be read" in caplog.text
    tables.by_ip.delete(key)
    scan = tables.by_ip.scan

    def busy() -> list[Any]:
        raise BusyError("slow down")

    tables.by_ip.scan = busy  # type: ignore[method-assign]
    assert looked_up(cache, spark, clock) == good
    tables.by_ip.scan = scan  # type: ignore[method-assign]
    tables.by_ip.apply(Write(key, {"EndpointType": "Instance"}))
    assert looked_up(cache, spark, clock) == good + 1
    clock.now -= timedelta(days=2)  # the clock is set back: rows are read again all the same
    tables.by_ip.delete(key)
    clock.now -= timedelta(minutes=5)
    assert looked_up(cache, spark, clock) == good


def test_far_fewer_lookup_rows_are_believed_only_when_they_stay(
    spark: SparkSession, tables: Tables, clock: Clock
) -> None:
    for number in range(20):
        tables.by_ip.apply(Write({"IP": f"10.8.0.{number + 1}", "ApplicationId": "x"}, {"EndpointType": "Instance"}))
    cache = LookupCache(tables, 60)
    many = looked_up(cache, spark, clock)
    for number in range(20):
        tables.by_ip.delete({"IP": f"10.8.0.{number + 1}", "ApplicationId": "x"})
    assert [looked_up(cache, spark, clock) for _ in range(6)] == [many] * 4 + [many - 20] * 2


def test_a_flood_of_causes_writes_few_items_and_loses_no_count(
    spark: SparkSession, sink: Sink, tables: Tables, reports: list[BatchReport]
) -> None:
    """4,000 different causes of one application, and 4,000 repeats of one of another, beside a reboot."""
    sink.scope = replace(sink.scope, own_causes=20)
    schema = column_names(EVENT)

    def lines(destination: str, number: str) -> DataFrame:
        values = {
            **dict.fromkeys(schema, "null"),
            "event_id": f"concat('{destination} ', id)",
            "family": "'application'",
            "level": "'ERROR'",
            "message": f"concat('failed to do ', {number})",
            "application_id": f"'{destination}'",
            "log_group": f"'/app/{destination}'",
            "event_time": f"timestamp '{T0.isoformat()}' + make_dt_interval(0, 0, 0, id / 1000)",
            "arrived_at": f"timestamp '{at(300).isoformat()}'",
            "fields": "cast(map() as map<string, string>)",
            "resource_ids": "cast(array() as array<string>)",
        }
        frame_ = spark.range(4_000).selectExpr(*(f"{sql} as {name}" for name, sql in values.items()))
        return spark.createDataFrame(frame_.toArrow(), EVENT)

    letters = "translate(cast(id as string), '0123456789', 'abcdefghij')"
    batch = lines("flooded", letters).unionByName(lines("noisy", "'it'")).unionByName(frame(spark, EVENT, [call("c1")]))
    kept = pipeline.of_interest_or_rejected(batch, sink.scope)
    sink.write_batch(kept, 0)
    flooded = tables.events.query("flooded")
    assert sum(item["Count"] for item in flooded) == 4_000
    assert len(flooded) == 21
    assert [item["Count"] for item in tables.events.query("noisy")] == [4_000]
    assert current(tables, "app1", "cloudsystem")["State"] == "probable_cause"
    before = (tables.events.scan(), tables.states.scan())
    sink.write_batch(kept, 0)
    assert (tables.events.scan(), tables.states.scan()) == before
    assert reports[0].writes < 60
    assert reports[0].causes == 23
