"""Where others look whether the job is well: an endpoint on this machine, and a file. I/O only; the words are
progress.Snapshot's and metrics.py's."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from probable_cause import metrics
from probable_cause.clock import Clock
from probable_cause.errors import EnvironmentFaultError
from probable_cause.progress import Progress, Snapshot
from probable_cause.state.moments import to_text

log = logging.getLogger(__name__)


def document(told: Snapshot, clock: Clock, max_silence: float) -> dict[str, Any]:
    """What /health and the health file say."""
    now = clock()
    return {
        "healthy": told.healthy(now, max_silence),
        "state": told.state,
        "reason": told.reason,
        "at": to_text(now),
        "seen_at": to_text(told.seen_at) if told.seen_at else None,
        "batch_at": to_text(told.batch_at) if told.batch_at else None,
        "batch_id": told.batch_id,
        "batches": told.batches,
        "restarts": told.restarts,
        "lag_ms_max": told.lag_ms_max,
        "rejects": sum(told.rejects.values()),
    }


@contextmanager
def endpoint(progress: Progress, clock: Clock, address: str, port: int | None, max_silence: float) -> Iterator[str]:
    """Serves /health (200 when healthy, else 503) and /metrics while the block runs; yields its URL, "" without port.

    Raises:
        EnvironmentFaultError: the port is taken.
    """
    if port is None:
        yield ""
        return

    class Handler(_Handler):
        pass

    Handler.progress, Handler.clock, Handler.max_silence = progress, staticmethod(clock), max_silence
    try:
        server = ThreadingHTTPServer((address, port), Handler)
    except OSError as exc:
        raise EnvironmentFaultError(
            f"the health endpoint can't have {address}:{port}: {exc}. Choose another health.port, or null for none."
        ) from exc
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.2,), name="health", daemon=True).start()
    url = f"http://{address}:{server.server_port}"
    log.info("health and metrics are at %s/health and %s/metrics", url, url)
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    progress: Progress
    clock: Clock
    max_silence: float
    server_version, sys_version = "probable-cause", ""

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        told = self.progress.snapshot()
        if self.path == "/metrics":
            text = metrics.prometheus(told, self.clock(), self.max_silence)
            self._answer(200, metrics.PROMETHEUS_TYPE, text)
        elif self.path == "/health":
            said = document(told, self.clock, self.max_silence)
            self._answer(200 if said["healthy"] else 503, "application/json", json.dumps(said))
        else:
            self._answer(404, "text/plain; charset=utf-8", "there are /health and /metrics\n")

    def _answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def write_file(path: str | None, told: Snapshot, clock: Clock, max_silence: float) -> None:
    """Rewrites the health file; whole, then renamed. A disk that is full is told, and does not stop the job."""
    if path is None:
        return
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps(document(told, clock, max_silence)) + "\n", encoding="utf-8")
        temporary.replace(file)
    except OSError as exc:
        log.warning("the health file %s can't be written: %s", path, exc)


def print_emf(told: Snapshot, clock: Clock, job: str) -> None:
    """One line on standard output, which CloudWatch takes where the job's output is a log group."""
    sys.stdout.write(metrics.emf(told, clock(), job) + "\n")
    sys.stdout.flush()
