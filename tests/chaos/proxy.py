"""An HTTP proxy before the emulators that behaves as AWS does on a bad day: throttles, answers late, or not at all.

Requests go to Kinesis or DynamoDB by their target header. Faults are drawn from a seed: a call is refused before it
reaches the emulator (throttling), or its answer is lost after the emulator has carried it out.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Faults:
    """Chances of a call; `on` switches all of them. `seen` counts what happened, by kind."""

    seed: int
    throttled: float = 0.2
    lost_answers: float = 0.01
    on: bool = True
    seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def draw(self) -> str:
        """`pass`, `throttled` or `lost`."""
        with self._lock:
            chance = self._dice.random()
            kind = "pass"
            if self.on and chance < self.throttled:
                kind = "throttled"
            elif self.on and chance < self.throttled + self.lost_answers:
                kind = "lost"
            self.seen[kind] += 1
            return kind


@contextmanager
def proxy(kinesis: str, dynamodb: str, faults: Faults) -> Iterator[str]:
    """Yields the URL of both behind one endpoint."""

    class Handler(_Handler):
        pass

    Handler.targets = {"Kinesis": urlsplit(kinesis).netloc, "DynamoDB": urlsplit(dynamodb).netloc}
    Handler.faults = faults
    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, *_: object) -> None: ...  # clients are killed all the time


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    targets: dict[str, str]
    faults: Faults

    def setup(self) -> None:
        super().setup()
        self._upstream: dict[str, http.client.HTTPConnection] = {}

    def finish(self) -> None:
        super().finish()
        for connection in self._upstream.values():
            connection.close()

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # its client was killed in mid-request: half of one ends dynalite
            self.close_connection = True
            return
        service, _, operation = self.headers.get("X-Amz-Target", "").partition("_")
        kind = self.faults.draw()
        if kind == "throttled":
            self._answer(400, json.dumps({"__type": _throttling(operation), "message": "slow down"}).encode())
            return
        try:
            status, answer = self._forward(service, body)
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        if kind == "lost":
            self._answer(500, b'{"__type":"InternalServerError","message":"the answer was lost"}')
            return
        self._answer(status, answer)

    def _forward(self, service: str, body: bytes) -> tuple[int, bytes]:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "accept-encoding")}
        for attempt in range(2):
            connection = self._upstream.get(service)
            if connection is None:
                connection = http.client.HTTPConnection(self.targets[service], timeout=60)
                self._upstream[service] = connection
            try:
                connection.request("POST", self.path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                # A kept connection that the emulator closed: nothing was carried out.
                self._upstream.pop(service).close()
                if attempt:
                    raise
        raise AssertionError("unreachable")

    def _answer(self, status: int, body: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # its client was killed
            self.close_connection = True

    def log_message(self, *_: object) -> None: ...


def _throttling(operation: str) -> str:
    if operation.endswith(("ListShards", "DescribeStreamSummary")):
        return "LimitExceededException"
    return "ProvisionedThroughputExceededException"
