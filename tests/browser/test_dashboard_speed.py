"""How fast and how small, measured in Chromium; figures go to test-artifacts/browser/figures.jsonl."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import Any

from probable_cause.state.application import load_events
from tests.browser.conftest import Figures, Open, Serve
from tests.unit.dashboard.dashboard_scenes import incident, many, refused

_WITHIN = 2.0  # s from a table's change to pixels: the promise of the page


def test_from_table_write_to_pixels(serve: Serve, page: Open, figures: Figures) -> None:
    scene = incident()
    shown = page(serve(scene), "/app/shop")
    shown.locator("li.event").first.wait_for()
    total = load_events(scene.tables, "shop")["network#REJECT 10.0.1.10#1"].event.count
    waits = []
    for turn in range(20):
        scene.now += timedelta(seconds=7)
        shown.wait_for_timeout(37 * turn % 900)  # so that writes fall anywhere between two looks of the page
        count = 3 + turn % 5
        total += count
        scene.see("shop", refused("shop", scene.now - timedelta(seconds=5), count, spread=1))
        written = time.time()
        seen = shown.wait_for_function(
            "n => document.querySelector('li.event.symptom.network .meta').textContent.includes('×' + n)"
            " && new Promise(done => requestAnimationFrame(() => setTimeout(() => done(Date.now()))))",
            arg=total,
        )
        waits.append(seen.json_value() / 1000 - written)
    p95 = statistics.quantiles(waits, n=20)[18]
    figures("table_write_to_pixels", p50_ms=statistics.median(waits) * 1000, p95_ms=p95 * 1000)
    assert p95 < _WITHIN


def test_500_applications(serve: Serve, page: Open, figures: Figures) -> None:
    scene = many(500)
    server = serve(scene)
    paints, wholes = [], []
    shown = None
    for _ in range(5):
        if shown is not None:
            shown.close()  # or its polling would be measured too
        shown = page(server)
        shown.wait_for_function("() => document.querySelectorAll('li.app').length >= 20")
        paints.append(shown.evaluate("performance.now()"))
        shown.wait_for_function("() => document.querySelectorAll('li.app').length === 500")
        wholes.append(shown.evaluate("performance.now()"))
    assert shown is not None
    shown.evaluate(
        "window.longest = 0; new PerformanceObserver(l => { for (const e of l.getEntries())"
        " longest = Math.max(longest, e.duration) }).observe({type: 'longtask'})"
    )
    for step in range(3):
        scene.now += timedelta(seconds=10)
        scene.see("service-000", refused("service-000", scene.now - timedelta(seconds=5), 2 + step, spread=1))
        shown.wait_for_timeout(1300)
    shown.locator("#search").press_sequentially("person-3", delay=30)
    shown.wait_for_timeout(300)
    longest = shown.evaluate("longest")
    figures(
        "500_applications",
        first_rows_ms=statistics.median(paints),
        all_rows_ms=statistics.median(wholes),
        longest_task_while_live_ms=longest,
    )
    assert statistics.median(paints) < 4000  # half a second on a machine that is not busy
    assert longest < 500


def test_what_is_transferred(serve: Serve, page: Open, figures: Figures) -> None:
    server = serve(incident())
    shown = page(server)
    shown.locator("li.app").first.wait_for()
    shown.goto(f"http://127.0.0.1:{server.port}/#/app/shop")
    shown.locator("li.event").first.wait_for()
    shown.goto(f"http://127.0.0.1:{server.port}/#/operations")
    shown.locator("section.panel").first.wait_for()
    entries: list[dict[str, Any]] = shown.evaluate(
        "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".map(e => ({name: e.name, wire: e.transferSize, size: e.decodedBodySize}))"
    )
    files = [one for one in entries if "/api/" not in one["name"]]
    wire = sum(one["wire"] for one in files)
    figures("whole_site", bytes=wire, files=len(files), unpacked_bytes=sum(one["size"] for one in files))
    assert 10_000 < wire < 150_000


def test_an_idle_page_costs_almost_nothing(serve: Serve, page: Open) -> None:
    shown = page(serve(many(100)))
    shown.locator("li.app").first.wait_for()
    answers: list[int] = []
    shown.on("response", lambda response: answers.append(response.status))
    shown.wait_for_timeout(4000)
    assert 2 <= len(answers) <= 5
    assert set(answers) == {304}
