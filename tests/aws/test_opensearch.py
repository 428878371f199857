"""The log indexer against a real OpenSearch node, whose jars Maven Central has; skipped without Maven or a JDK."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from probable_cause.lambdas.log_indexer import handler
from probable_cause.lambdas.log_indexer.documents import Document
from probable_cause.local.emulator import free_port
from tests.unit.indexer.test_log_indexer import ALL, record
from tools import search_contents

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".local" / "opensearch"  # some 60 MB, fetched once


def classpath() -> str:
    """The node's class path; fetched and compiled the first time."""
    if not (shutil.which("mvn") and shutil.which("javac")):
        pytest.skip("no mvn or javac here: the unit tests have recorded answers")
    if not (CACHE / "ready").is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        fetch = ["mvn", "-q", "-B", "-f", str(ROOT / "tests/search/pom.xml"), "dependency:copy-dependencies"]
        done = subprocess.run(
            [*fetch, f"-DoutputDirectory={CACHE / 'lib'}"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"OpenSearch's jars can't be had: {done.stdout[-500:]}")
        source = ROOT / "tests" / "search" / "OpenSearchNode.java"
        subprocess.run(["javac", "-cp", f"{CACHE / 'lib'}/*", "-d", str(CACHE / "classes"), str(source)], check=True)
        (CACHE / "ready").touch()
    return f"{CACHE / 'classes'}:{CACHE / 'lib'}/*"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path, folder, port = classpath(), tmp_path_factory.mktemp("node"), free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["java", "-Xmx512m", "-cp", path, "OpenSearchNode", str(folder), str(port)],
            stdin=subprocess.PIPE, stdout=log, stderr=log,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 180
        while not answers(url):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()[-2000:]
            time.sleep(0.3)
        search_contents.put_template(search_contents.Domain(url, "us-east-1"))
        yield url
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(url: str) -> bool:
    try:
        return bool(call("GET", url)["version"]["number"])
    except (OSError, urllib.error.URLError):
        return False


def call(method: str, url: str, body: Any = None) -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


def found(url: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    call("POST", f"{url}/_refresh")
    return [one["_source"] for one in call("POST", f"{url}/logs-*/_search", {"query": query})["hits"]["hits"]]


def test_lines_are_found_by_type(node: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", node)
    event = {"Records": [*ALL, record("/vpc/flow", "no flow record", ids="b")]}
    for _ in range(2):  # delivered twice, there once
        assert handler.handler(event, None) == {"batchItemFailures": []}
    assert len(found(node, {"match_all": {}})) == 4
    (flow,) = found(node, {"term": {"source_ip": "10.0.1.0/24"}})
    assert flow["destination_port"] == 5432
    (trail,) = found(node, {"bool": {"must": [{"term": {"actor": "kim"}}, {"term": {"resource_ids": "i-0abc"}}]}})
    assert trail["action"] == "StopInstances"
    (error,) = found(node, {"match": {"message": "REFUSED"}})
    assert error["level"] == "ERROR"
    assert len(found(node, {"range": {"@timestamp": {"gte": "2026-03-01T12:00:00Z", "lt": "2026-03-02"}}})) == 4
    (rejected,) = found(node, {"exists": {"field": "reject_reason"}})
    assert rejected["message"] == "no flow record"


def test_the_template_is_the_projects_own(node: str) -> None:
    (made,) = call("GET", f"{node}/_index_template/logs")["index_templates"]
    assert made["index_template"]["index_patterns"] == ["logs-*"]


def test_an_item_that_does_not_fit_is_given_up_and_its_neighbours_are_kept(
    node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", node)
    letters: list[tuple[Document, str]] = []
    monkeypatch.setattr(handler, "_give_up", lambda document, reason: letters.append((document, reason)))
    bodies = [{"bytes": 1, "action": "kept"}, {"bytes": "many"}, {"bytes": 2, "action": "kept"}]
    handler.index(Document("logs-test-1", str(number), body) for number, body in enumerate(bodies))
    ((document, reason),) = letters
    assert document.id == "1" and reason.startswith("400:") and "bytes" in reason
    assert len(found(node, {"term": {"action": "kept"}})) == 2
