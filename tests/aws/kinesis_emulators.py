"""Two independent Kinesis implementations on this machine: moto (from PyPI) and kinesis-local (from npm).

And dynalite (from npm), a DynamoDB that shares no code with moto's.

moto's SplitShard moves no records and it never ends a closed shard, so what concerns reshards runs on kinesis-local.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

KINESIS_LOCAL = "0.6.2"
DYNALITE = "4.0.0"
REGION = "eu-west-1"


@dataclass(frozen=True)
class Emulator:
    """A running one. Streams have one owner each, so tests may share it."""

    name: str
    url: str

    def client(self, service: str = "kinesis") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"mode": "standard", "max_attempts": 5}),
        )

    def stream(self, name: str, shards: int) -> Any:
        """A client, once the new stream is active."""
        client = self.client()
        client.create_stream(StreamName=name, ShardCount=shards)
        self.wait_active(name)
        return client

    def wait_active(self, name: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            summary = self.client().describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
            if summary["StreamStatus"] == "ACTIVE":
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} did not become active")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def moto_server(folder: Path) -> Iterator[Emulator]:
    port = free_port()
    program = Path(sys.executable).with_name("moto_server")
    if not program.exists():
        pytest.skip("moto_server is not installed: pip install -e .[demo]")
    with _running("moto", [str(program), "-H", "127.0.0.1", "-p", str(port)], port, folder) as emulator:
        yield emulator


@contextmanager
def kinesis_local(folder: Path) -> Iterator[Emulator]:
    port = free_port()
    package = _npm_package("kinesis-local", KINESIS_LOCAL)
    settings = {
        "KINESIS_MOCK_PLAIN_PORT": str(port),
        "KINESIS_MOCK_TLS_PORT": str(free_port()),
        "SHARD_LIMIT": "500",
        "LOG_LEVEL": "WARN",
    }
    for action in ("CREATE_STREAM", "DELETE_STREAM", "SPLIT_SHARD", "MERGE_SHARDS", "UPDATE_SHARD_COUNT"):
        settings[f"{action}_DURATION"] = "20ms"
    # It looks for server.json in its working directory.
    with _running("kinesis-local", ["node", "main.js"], port, folder, settings, package) as emulator:
        yield emulator


@contextmanager
def dynalite(folder: Path) -> Iterator[str]:
    """A DynamoDB in memory; yields its URL."""
    port = free_port()
    package = _npm_package("dynalite", DYNALITE)
    command = ["node", "cli.js", "--port", str(port), "--host", "127.0.0.1", "--createTableMs", "20"]
    with _running("dynalite", command, port, folder, None, package, "dynamodb") as emulator:
        yield emulator.url


def _npm_package(name: str, version: str) -> Path:
    """The package's folder, installed once into a folder for temporary files. Skips the test where that can't be."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip(f"npm and node are not installed: {name} can't be had")
    home = Path(tempfile.gettempdir()) / f"probable-cause-npm-{name}-{version}"
    package = home / "node_modules" / name
    if not (package / "package.json").is_file():
        home.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", f"{name}@{version}"]
        try:
            done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=180, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm install {name}@{version} took longer than 180 s")
        if done.returncode != 0:
            pytest.skip(f"npm install {name}@{version} failed: {done.stderr.strip()[-300:]}")
    return package


@contextmanager
def _running(
    name: str,
    command: list[str],
    port: int,
    folder: Path,
    settings: Mapping[str, str] | None = None,
    working_directory: Path | None = None,
    service: str = "kinesis",
) -> Iterator[Emulator]:
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=working_directory,
            env={**os.environ, **(settings or {})},
        )
    emulator = Emulator(name, f"http://127.0.0.1:{port}")
    try:
        _wait_until_it_answers(emulator, process, log, service)
        yield emulator
    finally:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(3)


def _wait_until_it_answers(emulator: Emulator, process: subprocess.Popen[bytes], log: Path, service: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            client = emulator.client(service)
            client.list_streams() if service == "kinesis" else client.list_tables()
            return
        except (BotoCoreError, ClientError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{emulator.name} does not answer:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.2)
