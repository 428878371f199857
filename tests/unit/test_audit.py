"""The dependency audit: drift from the pins is found, and what can't be looked up is said."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import audit

ROOT = Path(__file__).parents[2]


def test_the_pins_are_read_and_hold_here() -> None:
    found = audit.pins(ROOT / "setup.py")
    assert found["pyspark"].count(".") == 2
    assert found["moto"], "extras in brackets are no part of the name"
    assert audit.drift({"pytest": found["pytest"], "no-such-package-at-all": "1"}) == []


def test_another_version_than_pinned_is_told() -> None:
    (told,) = audit.drift({"pytest": "0.0.1"})
    assert "setup.py pins 0.0.1" in told


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "faults", "reason"),
    [
        (0, "", "", 0, ""),
        (1, "isal 1.0 GHSA-aaaa-bbbb 1.1", "", 1, ""),
        (1, "", "ConnectionError: no route", 0, "not reached: ConnectionError"),
    ],
)
def test_findings_are_faults_and_an_unreached_service_is_none(
    monkeypatch: pytest.MonkeyPatch, code: int, stdout: str, stderr: str, faults: int, reason: str
) -> None:
    def run(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], code, stdout, stderr)

    monkeypatch.setattr(audit.shutil, "which", lambda *_, **__: "pip-audit")
    monkeypatch.setattr(audit.subprocess, "run", run)
    found, told = audit.vulnerabilities()
    assert len(found) == faults
    assert reason in told
