"""The local server: the same API, files and nothing else, headers, token, rate, port."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from probable_cause.errors import EnvironmentFaultError
from probable_cause.local import web
from tests.unit.dashboard.dashboard_scenes import incident

TOKEN = "a-token-of-the-test"


@pytest.fixture
def server() -> Iterator[web.Server]:
    scene = incident()
    running = web.serve(scene.tables, scene.clock, 0, TOKEN, actor="robin")
    yield running
    running.close()


def ask(port: int, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body of one request; `headers` have _ for -."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    answer = response.status, response.headers, response.read()
    connection.close()
    return answer


def bearer(token: str = TOKEN) -> str:
    return f"Bearer {token}"


def test_the_link_carries_the_token_where_no_server_sees_it(server: web.Server) -> None:
    assert server.url == f"http://127.0.0.1:{server.port}/#token={TOKEN}"


def test_the_api_with_the_token(server: web.Server) -> None:
    status, headers, body = ask(server.port, "/api/applications", Authorization=bearer())
    assert status == 200 and json.loads(body)["applications"][0]["application_id"] == "shop"
    assert headers["X-Actor"] == "robin"
    again, _, nothing = ask(server.port, "/api/applications", Authorization=bearer(), If_None_Match=headers["ETag"])
    assert (again, nothing) == (304, b"")


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xff"])
def test_the_api_without_the_token(server: web.Server, given: str) -> None:
    status, _, body = ask(server.port, "/api/applications", Authorization=given)
    assert status == 401 and b"shop" not in body
    assert ask(server.port, f"/api/applications?token={TOKEN}")[0] == 401
    assert ask(server.port, "/api/applications", Cookie=f"token={TOKEN}")[0] == 401


def test_acting_over_http(server: web.Server) -> None:
    body = json.dumps({"event_type": "network", "action": "acknowledge", "reason": "on it"})
    path = "/api/applications/shop/act"
    assert ask(server.port, path, "POST", body, Content_Type="application/json")[0] == 401
    status, _, told = ask(server.port, path, "POST", body, Content_Type="application/json", Authorization=bearer())
    assert status == 200 and json.loads(told)["event"]["status_by"] == "robin"


@pytest.mark.parametrize("path", ["/", "/index.html", "/style.css", "/js/main.js", "/icon.svg", "/api/health", "/no"])
def test_every_answer_carries_the_policy(server: web.Server, path: str) -> None:
    _, headers, _ = ask(server.port, path)
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in headers or "Python" not in headers["Server"]


@pytest.mark.parametrize(
    "path",
    ["/../overview.py", "/%2e%2e/overview.py", "/js/../../http.py", "/..%2f..%2ferrors.py", "//etc/passwd", "/js",
     "/%00"],
)  # fmt: skip
def test_files_outside_of_the_site_are_not_served(server: web.Server, path: str) -> None:
    status, _, body = ask(server.port, path)
    assert status == 404 and b"import" not in body and b"root:" not in body


def test_another_name_for_this_address_gets_nothing(server: web.Server) -> None:
    assert ask(server.port, "/api/applications", Host="evil.example", Authorization=bearer())[0] == 421
    assert ask(server.port, "/", Host=f"localhost:{server.port}")[0] == 200


def test_a_long_request_is_refused(server: web.Server) -> None:
    headers = {"Content_Length": str(10**9), "Content_Type": "application/json"}
    assert ask(server.port, "/api/applications/shop/act", "POST", None, **headers)[0] == 413
    assert ask(server.port, "/api/applications/shop/act", "POST", None, Content_Length="-5")[0] == 413


def test_too_many_requests_are_told_to_wait() -> None:
    scene = incident()
    clock = [0.0]
    limit = web.RateLimit(rate=10, burst=3, monotonic=lambda: clock[0])
    running = web.serve(scene.tables, scene.clock, 0, TOKEN, limit=limit)
    try:
        seen = [ask(running.port, "/api/operations", Authorization=bearer())[0] for _ in range(4)]
        assert seen == [200, 200, 200, 429]
        assert ask(running.port, "/")[0] == 200  # files are not limited: the page can still say what is wrong
        clock[0] += 0.11
        assert ask(running.port, "/api/operations", Authorization=bearer())[0] == 200
    finally:
        running.close()


def test_a_failing_table_is_a_sentence_and_the_server_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = incident()
    running = web.serve(scene.tables, scene.clock, 0, TOKEN)
    try:
        with monkeypatch.context() as broken:
            broken.setattr(scene.tables.states, "scan", lambda: 1 / 0)
            status, _, body = ask(running.port, "/api/applications", Authorization=bearer())
            assert status == 500 and "ZeroDivisionError" in json.loads(body)["error"]
        assert ask(running.port, "/api/applications", Authorization=bearer())[0] == 200
    finally:
        running.close()


def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    scene = incident()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFaultError, match=rf"port {port} of 127\.0\.0\.1.*--port"):
            web.serve(scene.tables, scene.clock, port)
    with pytest.raises(EnvironmentFaultError):
        web.serve(scene.tables, scene.clock, 99999)


def test_closing_frees_the_port() -> None:
    scene = incident()
    first = web.serve(scene.tables, scene.clock, 0)
    first.close()
    first.close()
    second = web.serve(scene.tables, scene.clock, first.port)
    second.close()
    assert second.token != first.token and len(second.token) >= 32


def test_after_closing_a_kept_connection_gets_no_answer() -> None:
    scene = incident()
    running = web.serve(scene.tables, scene.clock, 0, TOKEN)
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    connection.request("GET", "/api/operations", headers={"Authorization": bearer()})
    assert connection.getresponse().read()
    running.close()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.request("GET", "/api/operations", headers={"Authorization": bearer()})
        connection.getresponse()


def test_the_site_has_no_inline_code_and_calls_nobody_else() -> None:
    page = (web.SITE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", page) and " style=" not in page and " onclick" not in page
    for file in web.SITE.rglob("*"):
        if file.suffix in (".html", ".js", ".css"):
            text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            forbidden = r"https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b"
            assert not re.search(forbidden, text), file


def test_the_site_is_small() -> None:
    assert sum(file.stat().st_size for file in web.SITE.rglob("*") if file.is_file()) < 150_000
