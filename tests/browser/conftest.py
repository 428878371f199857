"""A real Chromium on pages served from tables in memory. Skipped, with the reason, where there is no browser."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from probable_cause.local import web

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
TOKEN = "token-of-the-browser-tests"
ARTEFACTS = Path(__file__).parent.parent.parent / "test-artifacts" / "browser"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]

Serve = Callable[..., web.Server]
Open = Callable[..., Any]
Figures = Callable[..., None]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Playwright over Debian's Chromium, with a user-data directory of its own."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install -e '.[browser]')")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not installed (apt-get install chromium; or set CHROMIUM)")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(scene, actor=..., port=...)`: a running dashboard over the scene's tables, closed after the test."""
    running = []

    def start(scene: Any, actor: str = "robin", port: int = 0) -> web.Server:
        # No test is about the limit on requests, and some ask hundreds of times a second.
        limit = web.RateLimit(rate=10000, burst=10000)
        server = web.serve(scene.tables, scene.clock, port, TOKEN, actor, limit=limit)
        running.append(server)
        return server

    yield start
    for server in running:
        server.close()


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Open]:
    """`page(server, "/app/shop", viewport=..., errors=False)`: an open page that must not raise or log an error.

    After the test each page leaves a screenshot in test-artifacts/browser.
    """
    contexts: list[Any] = []
    faults: list[str] = []

    def open_page(server: web.Server, to: str = "/", faulty: bool = False, **context: Any) -> Any:
        options = {"viewport": {"width": 1280, "height": 800}, "timezone_id": "Europe/Paris", **context}
        one = browser.new_context(**options)
        one.set_default_timeout(8000)
        contexts.append(one)
        opened = one.new_page()
        if not faulty:
            opened.on("pageerror", lambda error: faults.append(f"{to}: {error}"))
            opened.on("console", lambda said: said.type == "error" and faults.append(f"{to}: {said.text}"))
        opened.goto(f"http://127.0.0.1:{server.port}/#token={server.token}&to={to}")
        return opened

    yield open_page
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    for number, context in enumerate(contexts):
        for opened in context.pages:
            name = request.node.name.replace("/", "_")[:80]
            opened.screenshot(path=ARTEFACTS / f"{name}-{number}.png", full_page=True)
        context.close()
    assert not faults, faults


@pytest.fixture
def figures(capsys: pytest.CaptureFixture[str]) -> Figures:
    """`figures(name, **values)`: shown in the run's output and kept beside the screenshots."""

    def keep(name: str, **values: float) -> None:
        rounded = {key: round(value) for key, value in values.items()}
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        with (ARTEFACTS / "figures.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"figure": name, **rounded}) + "\n")
        with capsys.disabled():
            sys.stdout.write(f"\n{name}: {rounded}\n")

    return keep
