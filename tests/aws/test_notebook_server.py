"""What `make notebook` starts: it serves the notebooks, and runs one of them on tables in DynamoDB."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jupyter_client.blocking.client import BlockingKernelClient

from probable_cause import notebook
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.state import dynamodb
from probable_cause.state.tables import Write
from tests.aws.kinesis_emulators import REGION
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed: run `make setup`")

BUNDLE = ROOT / "tests" / "scenarios" / "group-closed-after-the-reboot"
REVIEW = "2_incident_review.ipynb"
_SECONDS = 120.0


@dataclass(frozen=True)
class Server:
    """A running JupyterLab; `runtime` is the folder of its connection files."""

    url: str
    token: str
    runtime: Path

    def call(self, path: str, body: Any = None, method: str | None = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return bytes(answer.read())


def command() -> list[str]:
    """The last command of `make notebook`, with the Python that runs this test."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    told = subprocess.run(
        ["make", "--dry-run", "notebook"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return [sys.executable, *shlex.split(told.stdout.strip().splitlines()[-1])[1:]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    work = tmp_path_factory.mktemp("jupyter")
    own = {name: str(work / name.lower()) for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    log = work / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command(), "--no-browser", "--port", str(free_port())],
            cwd=ROOT,
            env={**os.environ, **own, "PYTHONPATH": paths},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        runtime = Path(own["JUPYTER_RUNTIME_DIR"])
        told = runtime / f"jpserver-{process.pid}.json"
        deadline = time.monotonic() + _SECONDS
        while not told.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        about = json.loads(told.read_text())
        yield Server(about["url"], about["token"], runtime)
    finally:
        process.terminate()
        process.wait(_SECONDS)


@pytest.fixture
def conf(spark: SparkSession, tmp_path: Path) -> Iterator[Path]:
    """The configuration of an installation whose tables hold a played scenario."""
    with embedded_aws(free_port(), tmp_path / "moto.log") as url:
        dynamodb.create(REGION, url)
        made = dynamodb.connect(REGION, url)
        played = notebook.play(spark, BUNDLE)
        for source, target in ((played.events, made.events), (played.states, made.states)):
            names = {source.definition.hash_key, source.definition.range_key}
            for item in source.scan():
                key = {name: item.pop(name) for name in names & item.keys()}
                assert target.apply(Write(key, item))
        path = tmp_path / "my.yml"
        path.write_text(yaml.safe_dump({"aws": {"endpoint_url": url, "region": REGION}}), encoding="utf-8")
        yield path


def test_it_serves_the_notebooks_on_this_machine_alone_and_to_who_has_the_token(server: Server) -> None:
    assert server.url.startswith("http://127.0.0.1:")
    listed = json.loads(server.call("api/contents"))["content"]
    assert {path.name for path in (ROOT / "notebooks").glob("*.ipynb")} <= {one["name"] for one in listed}
    assert b"JupyterLab" in server.call("lab")
    with pytest.raises(urllib.request.HTTPError, match="403"):
        Server(server.url, "guessed", server.runtime).call("api/contents")


def test_the_review_runs_on_tables_of_an_installation(server: Server, conf: Path) -> None:
    cells = json.loads(server.call(f"api/contents/{REVIEW}"))["content"]["cells"]
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    # As the notebook's own comment says it.
    played, opened = "notebook.play(spark, BUNDLE)", f"notebook.open_tables({str(conf)!r})"
    assert sum(played in source for source in code) == 1
    asked = {"path": REVIEW, "name": REVIEW, "type": "notebook", "kernel": {"name": "python3"}}
    session = json.loads(server.call("api/sessions", asked))
    shown = run(
        server.runtime / f"kernel-{session['kernel']['id']}.json", [one.replace(played, opened) for one in code]
    )
    server.call(f"api/sessions/{session['id']}", method="DELETE")
    assert "image/png" in shown
    assert "Root cause:" in shown


def run(connection: Path, sources: list[str]) -> str:
    """Sources through a kernel that runs already -> all that they showed."""
    shown: list[str] = []
    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_SECONDS)
        for source in sources:
            answer = client.execute_interactive(
                source, timeout=_SECONDS, output_hook=lambda message: shown.append(json.dumps(message["content"]))
            )
            assert answer["content"]["status"] == "ok", answer["content"]
    finally:
        client.stop_channels()
    return "\n".join(shown)
