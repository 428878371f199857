"""The whole way in one test: lines put into CloudWatch Logs, the real Spark job, the tables, the page; and back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser.conftest import Open

ROOT = Path(__file__).parent.parent.parent
SCENARIO = ROOT / "tests" / "scenarios" / "group-closed-after-the-reboot"
_PLAYED_WITHIN = 420  # s, on two cores that others use too


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Any]:
    """`probable-cause demo` with one scenario, played to its end; `.url` is its page."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("no Java here, and the demo runs Spark")
    if not SCENARIO.is_dir():
        pytest.skip(f"{SCENARIO} is not here")
    output = tmp_path / "demo.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "probable_cause.cli", "demo", "--bundle", str(SCENARIO)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _until_played(process, output)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()


def _until_played(process: subprocess.Popen[bytes], output: Path) -> Any:
    for _ in range(_PLAYED_WITHIN):
        text = output.read_text(encoding="utf-8", errors="replace")
        held = re.search(r"(\d+) of (\d+) expectations held", text)
        if held:
            assert held[1] == held[2], text
            match = re.search(r"http://127\.0\.0\.1:(\d+)/#token=(\S+)", text)
            assert match, text
            return SimpleNamespace(port=int(match[1]), token=match[2])
        assert process.poll() is None, text
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(f"not played within {_PLAYED_WITHIN} s:\n{output.read_text(errors='replace')}")


def test_the_demo_s_stream_feeds_the_page_and_the_page_acts(demo: Any, page: Open) -> None:
    from playwright.sync_api import expect

    shown = page(demo)
    row = shown.locator('li.app[data-app="closed-shop"]')
    expect(row.locator(".cause .summary")).to_contain_text("sg-0c30c105000000002")
    expect(row.locator(".layer.deferred")).to_contain_text("defers to network")
    row.locator("a.name").click()
    expect(shown.locator(".sentence strong")).to_contain_text("sg-0c30c105000000002")
    expect(shown.locator(".card.cloudsystem")).to_contain_text("acknowledged")
    shown.locator("details.line summary").first.click()
    expect(shown.locator("pre.log").first).to_contain_text("RevokeSecurityGroupIngress")
    expect(shown.locator("#live-text")).to_have_text("Live")

    shown.get_by_role("button", name="Resolve").first.click()
    shown.get_by_label("Reason").fill("rule restored")
    shown.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    resolved = shown.locator("li.event", has_text=re.compile("sg-0c30c105000000002.*resolved", re.DOTALL))
    expect(resolved.first).to_be_visible()
    # The job sweeps on; what the person set stays.
    shown.wait_for_timeout(3000)
    expect(resolved.first).to_be_visible()
    shown.goto(f"http://127.0.0.1:{demo.port}/#/operations")
    expect(shown.locator("main")).to_contain_text("cloudtrail")
