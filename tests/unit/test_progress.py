"""What the job tells of itself: heartbeat, health, Prometheus text and EMF, and its own log."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probable_cause import health, logs, metrics
from probable_cause.errors import EnvironmentFaultError
from probable_cause.progress import SHARDS_TOLD, Progress, Snapshot, heartbeat

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MILLIS = int(NOW.timestamp() * 1000)
HOSTILE = 'un"known\\\n\x1b[31m'


def offset(**behind: int) -> dict[str, object]:
    """Where a batch ended: shard -> milliseconds behind NOW. A drained shard has no lag."""
    shards: dict[str, object] = {shard: {"p": "1", "t": MILLIS - late} for shard, late in behind.items()}
    return {"v": 1, "stream": "s", "shards": {**shards, "drained": {"done": MILLIS}}}


def told(**behind: int) -> Snapshot:
    """After two batches."""
    progress = Progress()
    progress.became("running")
    progress.wrote({("vpc_flow", "bad_number"): 2, ("unknown", HOSTILE): 1}, causes=3, writes=7, seconds=0.25)
    progress.committed(NOW, 4, {"vpc_flow": 10, "application": 0}, offset(**(behind or {"a": 1500, "b": 200})), {})
    progress.wrote({("vpc_flow", "bad_number"): 1}, causes=1, writes=2, seconds=0.5)
    progress.committed(
        NOW, 5, {"vpc_flow": 5, "application": 1}, offset(**(behind or {"a": 1500, "b": 200})), {"addBatch": 400}
    )
    return progress.snapshot()


def test_lag_by_shard_rejects_and_lines_are_in_the_heartbeat() -> None:
    beat = heartbeat(told())
    assert beat["Lag"] == {"a": 1500, "b": 200}
    assert beat["LagMax"] == 1500
    assert beat["Lines"] == {"vpc_flow": 15, "application": 1}
    assert beat["LinesTotal"] == 16
    assert beat["Rejects"]["vpc_flow/bad_number"] == 3
    assert (beat["BatchId"], beat["State"], beat["Restarts"]) == (5, "running", 0)


def test_of_hundreds_of_shards_those_furthest_behind_are_told() -> None:
    shards = {f"s{n}": n for n in range(300)}
    beat = heartbeat(told(**shards))
    assert len(beat["Lag"]) == SHARDS_TOLD
    assert set(beat["Lag"]) == {f"s{n}" for n in range(250, 300)}
    assert (beat["Shards"], beat["LagMax"]) == (300, 299)


@pytest.mark.parametrize("found", [None, "", "{", 7, [], {"of": "another source"}])
def test_offsets_of_other_sources_have_no_lag(found: object) -> None:
    progress = Progress()
    progress.committed(NOW, 0, {}, found, {})
    assert progress.snapshot().lag_ms == {}
    assert "LagMax" not in heartbeat(progress.snapshot())


@pytest.mark.parametrize(
    ("state", "silent", "healthy"),
    [
        ("starting", 0, False),
        ("running", 0, True),
        ("running", 299, True),
        ("running", 301, False),
        ("waiting", 10, True),
        ("failed", 0, False),
        ("stopped", 0, False),
    ],
)
def test_healthy_is_who_runs_and_looks_at_the_stream(state: str, silent: int, healthy: bool) -> None:
    progress = Progress()
    progress.looked(NOW - timedelta(seconds=silent))
    progress.became(state)
    assert progress.snapshot().healthy(NOW, 300) is healthy


def test_prometheus_text_is_well_formed_whatever_a_reason_says() -> None:
    text = metrics.prometheus(told(), NOW, 300)
    assert text.endswith("\n")
    label = r'[a-z_]+="(?:[^"\\\n]|\\["\\n])*"'
    sample = re.compile(rf"^probable_cause_[a-z_]+(?:\{{{label}(?:,{label})*\}})? -?[0-9.e+]+$")
    names = set()
    for line in text.rstrip("\n").split("\n"):
        if line.startswith("# TYPE "):
            assert line.split()[2] not in names, "each metric once"
            names.add(line.split()[2])
        elif not line.startswith("# HELP "):
            assert sample.match(line), line
            assert re.split(r"[ {]", line)[0] in names
    assert 'probable_cause_lag_seconds{shard="a"} 1.5' in text
    assert 'probable_cause_rejects_total{family="vpc_flow",reason="bad_number"} 3' in text
    assert "probable_cause_healthy 1" in text
    assert "probable_cause_batches_total 2" in text


def test_emf_is_one_line_of_json_whose_metrics_have_values() -> None:
    line = metrics.emf(told(), NOW, "logs")
    assert "\n" not in line
    document = json.loads(line)
    (definition,) = document["_aws"]["CloudWatchMetrics"]
    assert document["_aws"]["Timestamp"] == MILLIS
    assert definition["Namespace"] == "ProbableCause"
    assert all(isinstance(document[dimension], str) for (dimension,) in definition["Dimensions"])
    assert {one["Name"]: document[one["Name"]] for one in definition["Metrics"]} == {
        "Lines": 6, "Rejects": 1, "Causes": 1, "TableWrites": 2, "BatchSeconds": 0.5, "LagMax": 1500, "Restarts": 0,
    }  # fmt: skip


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.read().decode()


def test_the_endpoint_answers_200_503_and_404() -> None:
    progress = Progress()
    with health.endpoint(progress, lambda: NOW, "127.0.0.1", 0, 300) as url:
        assert get(f"{url}/health")[0] == 503
        progress.looked(NOW)
        progress.became("running")
        status, text = get(f"{url}/health")
        assert (status, json.loads(text)["healthy"]) == (200, True)
        assert "probable_cause_healthy 1" in get(f"{url}/metrics")[1]
        assert get(f"{url}/etc/passwd")[0] == 404
    with health.endpoint(progress, lambda: NOW, "127.0.0.1", None, 300) as none:
        assert none == ""


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(EnvironmentFaultError, match="health.port"),
            health.endpoint(Progress(), lambda: NOW, "127.0.0.1", port, 300),
        ):
            pass


def test_the_health_file_is_rewritten_whole_and_a_bad_place_does_not_stop_the_job(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "new" / "health.json"
    for _ in range(2):
        health.write_file(str(file), told(), lambda: NOW, 300)
        assert json.loads(file.read_text())["batch_id"] == 5
    assert list(file.parent.iterdir()) == [file]
    (tmp_path / "file").write_text("")
    health.write_file(str(tmp_path / "file" / "health.json"), told(), lambda: NOW, 300)
    assert "can't be written" in caplog.text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", r"\u001b[2J\u001b]0;owned\u0007"),
        ("a\rb", r"a\u000db"),
        ("invoice\u202egpj.exe", r"invoice\u202egpj.exe"),
        ("\x9b31m", r"\u009b31m"),
        ("<script>$(reboot)</script>", "<script>$(reboot)</script>"),
        ("naïve 日本 ✓", "naïve 日本 ✓"),
    ],
)
def test_hostile_text_stays_text_in_the_log(hostile: str, shown: str) -> None:
    record = logging.makeLogRecord({"msg": "line %s", "args": (hostile,), "levelno": 20, "levelname": "INFO"})
    assert logs.TextFormatter().format(record).endswith(f"line {shown}")
    text = logs.JsonFormatter().format(record)
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["message"] == f"line {hostile}"


def test_a_line_break_can_not_forge_an_entry() -> None:
    stream = io.StringIO()
    record = logging.makeLogRecord({"msg": "a\n2026-03-01 00:00:00 INFO root all is well", "levelname": "INFO"})
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.TextFormatter())
    handler.emit(record)
    assert stream.getvalue().splitlines()[1].startswith("    2026")
    handler.setFormatter(logs.JsonFormatter())
    assert "\n" not in handler.format(record)
