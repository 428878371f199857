"""Reading incident bundles: the committed ones, times and lookups, and all faults at once."""

from __future__ import annotations

import base64
import gzip
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.incidents.recorder import Recorder
from probable_cause.errors import BundleError
from probable_cause.evaluation.bundle import find, load_bundle
from probable_cause.evaluation.incident import HEALTHY, NONE, Expected, ExpectedCount
from tests.scenarios.build import SCENARIOS, build

SCENARIO_FOLDER = Path(__file__).parents[2] / "scenarios"

GOOD = """
name: one
description: a sentence
lookup:
  by_ip: [{ip: 10.01.1.10, application_id: app1, endpoint_type: Instance}]
  by_resource: [{resource_id: sg-1, application_id: app1}]
operator:
  - {at: "2026-03-01T12:06:00Z", action: acknowledge, application_id: app1, event_type: cloudsystem}
truth:
  - at: 2026-03-01T12:10:00Z
    application_id: app1
    root_cause: {event_type: network, action: Revoke, resource_id: sg-1}
    layers: {network: {action: Revoke}, application: {deferred_from: network}, cloudsystem: healthy}
    counts: [{event_type: network, action: REJECT, count: 213}]
  - {at: "2026-03-01T12:20:00+01:00", application_id: app1, root_cause: none}
"""


def write(folder: Path, incident: str, records: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "incident.yml").write_text(incident, encoding="utf-8")
    (folder / "records.jsonl").write_text(records, encoding="utf-8")
    return folder


def test_a_bundle_is_read(tmp_path):
    payload = {"messageType": "DATA_MESSAGE", "logEvents": []}
    raw = base64.b64encode(b"\x1f\x8bjunk").decode()
    lines = [
        {"arrival": "2026-03-01T12:00:02.120Z", "payload": payload},
        {"arrival": "2026-03-01T12:00:01Z", "data_base64": raw},
    ]
    bundle = load_bundle(write(tmp_path / "b", GOOD, "\n".join(map(json.dumps, lines)) + "\n\n"))
    assert [record.data[:2] for record in bundle.records] == [b"\x1f\x8b"] * 2
    assert bundle.records[0].data == b"\x1f\x8bjunk"
    assert json.loads(gzip.decompress(bundle.records[1].data)) == payload
    assert bundle.records[1].arrival == datetime(2026, 3, 1, 12, 0, 2, 120000, UTC)
    first, second = bundle.truth
    assert first.root_cause == Expected("network", "Revoke", "sg-1")
    assert first.layers == {
        "network": Expected(action="Revoke"),
        "application": Expected(deferred_from="network"),
        "cloudsystem": HEALTHY,
    }
    assert first.counts == (ExpectedCount(213, "network", "REJECT"),)
    assert (second.root_cause, second.at) == (NONE, datetime(2026, 3, 1, 11, 20, tzinfo=UTC))
    assert bundle.operator[0].status == "acknowledged"
    assert bundle.lookup_by_ip[0]["ip"] == "10.01.1.10"


def test_unknown_keys_are_remarks(tmp_path):
    bundle = load_bundle(write(tmp_path / "b", GOOD + "colour: blue\n"))
    assert len(bundle.remarks) == 1 and "colour" in bundle.remarks[0]


@pytest.mark.parametrize("word", ["none", "null", "~"])
def test_no_cause_in_any_spelling(tmp_path, word):
    text = f"truth:\n  - {{at: 2026-03-01T12:00:00Z, application_id: a, root_cause: {word}}}\n"
    assert load_bundle(write(tmp_path / "b", text)).truth[0].root_cause == NONE


def test_a_truth_without_root_cause_does_not_judge_it(tmp_path):
    text = "truth:\n  - {at: 2026-03-01T12:00:00Z, application_id: a, layers: {network: healthy}}\n"
    assert load_bundle(write(tmp_path / "b", text)).truth[0].root_cause is None


BAD = """
lookup: {by_ip: [{ip: 10.0.0.999, application_id: a}, {application_id: a}], by_resource: 3}
operator: [{at: noon, action: forget, application_id: a, event_type: cloud}]
truth:
  - {at: 2026-03-01T12:00:00Z, root_cause: maybe, layers: {netwrok: healthy, network: sick}, counts: [{count: many}]}
"""


def test_all_faults_are_reported_together(tmp_path):
    records = '{"arrival": "x", "payload": {}}\nno json\n{"arrival": "2026-03-01T12:00:00Z"}\n' + json.dumps(
        {"arrival": "2026-03-01T12:00:00Z", "data_base64": "%%%"}
    )
    with pytest.raises(BundleError) as caught:
        load_bundle(write(tmp_path / "b", BAD, records))
    text = "\n".join(caught.value.faults)
    for part in (
        "by_ip[0].ip", "by_ip[1].ip", "lookup.by_resource", "operator[0].at", "operator[0].action",
        "operator[0].event_type", "truth[0].application_id", "truth[0].root_cause", "netwrok", "layers.network",
        "counts[0].count", "line 1: arrival", "line 2", "line 3", "line 4: data_base64",
    ):  # fmt: skip
        assert part in text, part
    assert len(caught.value.faults) == 15


@pytest.mark.parametrize("incident", ["", "- a list", "name: [", "name: x", "truth: []"])
def test_a_file_that_is_no_bundle(tmp_path, incident):
    with pytest.raises(BundleError):
        load_bundle(write(tmp_path / "b", incident))


def test_rows_of_the_lookup_may_end_and_begin(tmp_path):
    text = """
lookup:
  by_ip: [{ip: 10.0.0.1, application_id: a, valid_to: 2026-03-01T13:00:00+01:00}]
  by_resource: [{resource_id: i-1, application_id: a, valid_from: "2026-03-01", valid_to: 2026-03-02T00:00:00Z}]
truth: [{at: 2026-03-01T12:00:00Z, application_id: a, root_cause: none}]
"""
    bundle = load_bundle(write(tmp_path / "b", text))
    assert bundle.lookup_by_ip[0]["valid_to"] == "2026-03-01T12:00:00+00:00"
    assert bundle.lookup_by_resource[0]["valid_from"] == "2026-03-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("validity", "fault"),
    [
        ("valid_to: soon", "by_ip[0].valid_to: found 'soon'"),
        ("valid_from: 2026-03-02, valid_to: 2026-03-01T12:00:00Z", "a time after valid_from"),
    ],
)
def test_times_of_a_lookup_row_that_can_not_be(tmp_path, validity, fault):
    text = f"""
lookup: {{by_ip: [{{ip: 10.0.0.1, application_id: a, {validity}}}]}}
truth: [{{at: 2026-03-01T12:00:00Z, application_id: a, root_cause: none}}]
"""
    with pytest.raises(BundleError) as caught:
        load_bundle(write(tmp_path / "b", text))
    assert len(caught.value.faults) == 1
    assert fault in caught.value.faults[0]


def test_missing_files_are_faults(tmp_path):
    with pytest.raises(BundleError) as caught:
        load_bundle(tmp_path)
    assert len(caught.value.faults) == 2
    with pytest.raises(BundleError):
        find([tmp_path / "nowhere"])


def test_find_looks_below(tmp_path):
    write(tmp_path / "b", GOOD)
    write(tmp_path / "a", GOOD)
    assert find([tmp_path, tmp_path / "a"]) == [tmp_path / "a", tmp_path / "b"]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="gzip writes another byte for the system from 3.13 on")
def test_the_committed_scenarios_are_what_their_source_writes(tmp_path):
    build(tmp_path)
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) == 2 * len(SCENARIOS)
    for path in written:
        assert (tmp_path / path).read_bytes() == (SCENARIO_FOLDER / path).read_bytes(), path


def test_scenarios_share_neither_applications_nor_resources_nor_addresses():
    seen: dict[str, str] = {}
    for folder in find([SCENARIO_FOLDER]):
        bundle = load_bundle(folder)
        rows = (*bundle.lookup_by_ip, *bundle.lookup_by_resource)
        assert rows, folder
        for name in {row.get("ip") or row["resource_id"] for row in rows} | {row["application_id"] for row in rows}:
            assert seen.setdefault(name, bundle.name) == bundle.name, name


def test_event_ids_are_of_awss_form():
    import random

    recorder = Recorder(random.Random(1))
    ids = [recorder.event_id(datetime(2026, 3, 1, 12, minute, tzinfo=UTC)) for minute in range(5)]
    assert ids == sorted(ids) and {len(one) for one in ids} == {56} and all(one.isdigit() for one in ids)
