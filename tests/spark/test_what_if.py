"""What would have been said under other rules: the command, over a bundle and over the archive."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pyspark.sql import SparkSession

from probable_cause import settings, what_if
from probable_cause.archive import delta
from probable_cause.evaluation.bundle import load_bundle
from probable_cause.lookup_cache import lookup_frame
from probable_cause.sink import Sink
from probable_cause.sources import read_events, routing_of
from probable_cause.state import lookups
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Tables
from probable_cause.what_if import Timelines
from probable_cause.wiring import model_of, scope_of
from tests.conftest import ROOT
from tests.spark.rows import at
from tests.spark.test_archive import Checkpoint, opened
from tests.spark.test_sink import call, refused, write

SCENARIO = ROOT / "tests" / "scenarios" / "reboot-explains-the-outage"


def played(spark: SparkSession, *rules: str) -> Timelines:
    bundle = load_bundle(SCENARIO)
    paths = {"rules": {"paths": [str(ROOT / "conf" / "rules" / one) for one in rules]}} if rules else {}
    loaded = settings.load(overrides=settings.merge_mappings([bundle.settings, paths]))
    tables = memory_tables()
    lookups.put(tables, bundle.lookup_by_ip, bundle.lookup_by_resource, at(0))
    events = read_events(spark, str(SCENARIO), routing_of(loaded.log_groups))
    until = bundle.records[-1].arrival + timedelta(days=2)
    return what_if.play(events, lookup_frame(spark, lookups.rows(tables)), scope_of(loaded), model_of(loaded), until)


def test_without_the_rules_of_cloudtrail_the_reboot_is_not_named(spark: SparkSession) -> None:
    before, after = played(spark), played(spark, "vpc_flow", "application")
    application = load_bundle(SCENARIO).truth[0].application_id
    assert any("reboot" in (one.cause or "").lower() for one in before[application])
    # Time alone makes it healthy again.
    assert before[application][-1].health == "healthy"
    assert not any("reboot" in (one.cause or "").lower() for one in after.get(application, ()))
    assert what_if.compare(before, before) == []
    changes = what_if.compare(before, after)
    assert any("reboot" in (one.before.cause or "").lower() for one in changes if one.before)


def test_the_archive_is_played_as_the_stream_was(
    with_delta: SparkSession, sink: Sink, tables: Tables, place: str
) -> None:
    archive, checkpoint = opened(with_delta, sink, place), Checkpoint(f"{place}/checkpoint")
    write(with_delta, sink, [call("c1"), refused("f1", 60), refused("f2", 120)], 0)
    checkpoint.commit(0)
    archive.drain()
    events = what_if.archived(delta.read(with_delta, f"{place}/archive", delta.EVENTS))
    assert events.count() == 3
    lookup = lookup_frame(with_delta, lookups.rows(tables))
    told = what_if.play(events, lookup, sink.scope, sink.model, at(600))
    for application in ("app1", "app2"):
        overall = tables.states.get({"ApplicationId": application, "StateKey": "overall#current"}) or {}
        assert told[application][-1].health == overall["Health"]
        root = json.loads(overall.get("RootCause", "null"))
        assert told[application][-1].cause == (root and root["event"]["summary"])


@pytest.mark.parametrize("unknown", ["/nowhere"])
def test_a_rule_path_that_is_not_there_is_told(unknown: str, capsys: pytest.CaptureFixture[str]) -> None:
    from probable_cause import cli

    assert cli.main(["replay", "--bundle", str(SCENARIO), "--rules", unknown, "--compare"]) == 1
    assert unknown in capsys.readouterr().err
