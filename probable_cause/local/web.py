"""The dashboard on this machine: the same static files and the same API as in AWS, on 127.0.0.1 only.

Whoever has the token may look and act. It is made at the start, travels in the link's fragment (which a browser never
sends), and comes back in the Authorization header. A cookie would be sent by any page; this is not.
"""

from __future__ import annotations

import contextlib
import getpass
import hmac
import logging
import mimetypes
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from probable_cause.clock import Clock
from probable_cause.dashboard.http import SECURITY_HEADERS, Request, Response, refusal
from probable_cause.errors import EnvironmentFaultError
from probable_cause.lambdas.dashboard_api import respond
from probable_cause.state.tables import Tables
from probable_cause.verdict import VerdictModel
from probable_cause.verdict.model import DEFAULT

log = logging.getLogger(__name__)

SITE = Path(__file__).parent.parent / "dashboard" / "site"
_BODY = 64 * 1024  # bytes read of a request at most
_IDLE_SECONDS = 30  # a connection that says nothing for so long is closed


@dataclass
class RateLimit:
    """A token bucket over all API calls: `rate` a second, `burst` at once. One page asks two to four times a second."""

    rate: float = 50.0
    burst: float = 200.0
    monotonic: Callable[[], float] = time.monotonic
    _level: float = field(init=False)
    _at: float = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._level, self._at = self.burst, self.monotonic()

    def allows(self) -> bool:
        with self._lock:
            now = self.monotonic()
            self._level = min(self.burst, self._level + (now - self._at) * self.rate)
            self._at = now
            if self._level < 1:
                return False
            self._level -= 1
            return True


@dataclass(frozen=True)
class Server:
    """A running dashboard. `url` carries the token in its fragment: whoever has it may look and act."""

    url: str
    token: str
    port: int
    _httpd: ThreadingHTTPServer
    _thread: threading.Thread

    def close(self) -> None:
        """Stops and frees the port. Calling it twice does no harm."""
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join(timeout=5)


def serve(
    tables: Tables,
    clock: Clock,
    port: int = 0,
    token: str | None = None,
    actor: str | None = None,
    model: VerdictModel = DEFAULT,
    limit: RateLimit | None = None,
) -> Server:
    """Serves the dashboard in a thread until `close()`.

    Args:
        clock: verdicts are judged at the time it gives (the demo's runs ahead of the machine's).
        port: 0 takes a free one.
        token: None makes a random one.
        actor: who acts through this page; None: the user of this machine.

    Raises:
        EnvironmentFaultError: when the port can't be had.
    """
    secret = token or secrets.token_urlsafe(24)
    name = actor or _user()
    api = _Api(tables, clock, secret, name, model, limit or RateLimit())
    handler = type("Handler", (_Handler,), {"api": api})
    try:
        httpd = _Httpd(("127.0.0.1", port), handler)
    except (OSError, OverflowError) as exc:
        raise EnvironmentFaultError(
            f"the dashboard can't listen on port {port} of 127.0.0.1 ({exc}): another program may have it. "
            "Give another one with --port, or 0 for any free port."
        ) from exc
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.1}, name="dashboard", daemon=True)
    thread.start()
    bound = httpd.server_address[1]
    return Server(f"http://127.0.0.1:{bound}/#token={secret}", secret, bound, httpd, thread)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "operator"


class _Httpd(ThreadingHTTPServer):
    daemon_threads = True
    # A restart gets its port back at once. On Windows the same flag would let two programs share a port.
    allow_reuse_address = sys.platform != "win32"
    allow_reuse_port = False
    request_queue_size = 64

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Ends kept-alive connections too: without this, a browser would be answered after the end."""
        super().server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closes a connection early is no event worth a traceback on the terminal."""
        log.debug("connection from %s ended", client_address, exc_info=True)


@dataclass(frozen=True)
class _Api:
    """The API with its token, limit and tables."""

    tables: Tables
    clock: Clock
    token: str
    actor: str
    model: VerdictModel
    limit: RateLimit

    def respond(self, request: Request) -> Response:
        if not self.limit.allows():
            return refusal(429, "Too many requests; the page tries again by itself.").with_headers({"Retry-After": "1"})
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        known = hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())
        try:
            return respond(request, self.tables, self.clock(), self.actor if known else None, self.model)
        except Exception as exc:  # the page says so, and the server lives on
            log.exception("%s %s failed", request.method, request.path)
            return refusal(500, f"The API could not answer: {type(exc).__name__}: {exc}")


class _Handler(BaseHTTPRequestHandler):
    api: _Api
    protocol_version = "HTTP/1.1"
    server_version = "probable-cause"
    sys_version = ""
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = int(headers.get("content-length", "0") or 0) if headers.get("content-length", "0").isdigit() else -1
        if not 0 <= length <= _BODY:
            self.close_connection = True
            self._send(refusal(413, f"The request is longer than {_BODY} bytes."))
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        if not self._host_is_ours(headers.get("host", "")):
            self._send(refusal(421, "This server answers on 127.0.0.1 and localhost only."))
            return
        request = Request(self.command, urlsplit(self.path).path, headers, body)
        response = self.api.respond(request) if request.path.startswith("/api/") else _static(request)
        self._send(response.compressed_for(request))

    def _host_is_ours(self, host: str) -> bool:
        """Another site's name that was pointed at 127.0.0.1 (DNS rebinding) gets nothing."""
        return host.rsplit(":", 1)[0] in ("127.0.0.1", "localhost")

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in {**SECURITY_HEADERS, "Cache-Control": "no-store", **response.headers}.items():
            self.send_header(name, value)
        if response.status != 304:
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status != 304:
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)


def _static(request: Request) -> Response:
    """A file of the site; nothing outside of it."""
    if request.method not in ("GET", "HEAD"):
        return refusal(405, "Files are only read.")
    # Only names that the site's folder lists: whatever an address spells, nothing else can be meant.
    file = _files().get(unquote(request.path).lstrip("/") or "index.html")
    if file is None:
        return refusal(404, f"{request.path} is no file of the dashboard.")
    kind = mimetypes.types_map.get(file.suffix, "application/octet-stream")
    kind = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}.get(file.suffix, kind)
    charset = "; charset=utf-8" if kind.startswith(("text/", "image/svg")) else ""
    return Response(200, file.read_bytes(), kind + charset)


def _files() -> dict[str, Path]:
    """The site's files by their path in it."""
    return {file.relative_to(SITE).as_posix(): file for file in SITE.rglob("*") if file.is_file()}
