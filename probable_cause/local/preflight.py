"""What a machine needs, looked at before anything is installed or started. Each fault is one clear sentence."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from probable_cause.errors import EnvironmentFaultError

JAVA = 17  # the oldest that Spark 4 runs on
PYTHON = (3, 11)
_DISK = 1024**3  # checkpoints, logs and rejects of a demo, with room to spare


def java_version() -> int:
    """The major version of the `java` that Spark will start.

    Raises:
        EnvironmentFaultError: when there is none, or it says no version.
    """
    java = shutil.which("java")
    advice = (
        f"install Java {JAVA} or newer (Debian: apt-get install openjdk-{JAVA}-jre-headless) and put it on the PATH"
    )
    if java is None:
        raise EnvironmentFaultError(f"Java was not found: {advice}")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    found = re.search(r'version "(\d+)(?:\.(\d+))?', told)
    if found is None:
        raise EnvironmentFaultError(f"{java} does not say its version: {advice}")
    major = int(found[1])
    return int(found[2] or 0) if major == 1 else major


def require_machine(folder: Path) -> None:
    """Raises EnvironmentFaultError when Python, Java or the disk below `folder` will not do."""
    if sys.version_info < PYTHON:
        raise EnvironmentFaultError(
            f"this is Python {sys.version.split()[0]}: use {'.'.join(map(str, PYTHON))} or newer"
        )
    version = java_version()
    if version < JAVA:
        raise EnvironmentFaultError(
            f"this is Java {version}, Spark 4 needs {JAVA} or newer: install it and set JAVA_HOME"
        )
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < _DISK:
        raise EnvironmentFaultError(
            f"{folder}: {free // 1024**2} MiB free, {_DISK // 1024**2} MiB are needed: make room"
        )
