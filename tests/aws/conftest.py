"""Jobs of this tier are cold starts, each in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _cold_jvms() -> Iterator[None]:
    """JVMs that start from now on don't optimize code that runs once, which would be half of a job's start.

    The tests' own session, which lives long, has started by then if the whole suite runs.
    """
    with pytest.MonkeyPatch.context() as patch:
        if "JDK_JAVA_OPTIONS" not in os.environ:
            patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        yield
