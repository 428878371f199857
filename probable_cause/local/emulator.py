"""The embedded AWS: a moto server of our own on this machine, with real HTTP APIs for Logs, Kinesis and DynamoDB."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from probable_cause.errors import EnvironmentFaultError

_START_SECONDS = 60


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_port(port: int, what: str, option: str) -> None:
    """Raises EnvironmentFaultError when somebody listens on 127.0.0.1:`port` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as exc:
            raise EnvironmentFaultError(
                f"port {port} of 127.0.0.1, wanted for {what}, is taken: end what listens there, or choose another "
                f"with {option}"
            ) from exc


@contextmanager
def embedded_aws(port: int, log: Path) -> Iterator[str]:
    """Starts the server, yields its URL once it answers, and ends it.

    Args:
        port: of 127.0.0.1.
        log: file for the server's own output.

    Raises:
        EnvironmentFaultError: when it is not installed, or does not answer.
    """
    if importlib.util.find_spec("moto") is None:
        raise EnvironmentFaultError("the embedded AWS is not installed: run `make setup`, or pip install '.[demo]'")
    url = f"http://127.0.0.1:{port}"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            [sys.executable, "-m", "probable_cause.local.one_at_a_time", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C ends the demo, which then ends the server
        )
    try:
        _wait_until_it_answers(server, url, log)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_it_answers(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise EnvironmentFaultError(f"the embedded AWS ended at once; its output is in {log}")
        try:
            with urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=2):  # noqa: S310 - our own http URL
                return
        except OSError:
            time.sleep(0.1)
    raise EnvironmentFaultError(f"the embedded AWS did not answer within {_START_SECONDS} s; its output is in {log}")
