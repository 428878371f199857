"""Jobs of this tier are cold starts, each in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.conftest import COLD_JVM


@pytest.fixture(scope="session", autouse=True)
def _cold_jvms() -> Iterator[None]:
    """The tests' own session lives longer, but has few rows here: it may do without, too."""
    with pytest.MonkeyPatch.context() as patch:
        if "JDK_JAVA_OPTIONS" not in os.environ:
            patch.setenv("JDK_JAVA_OPTIONS", COLD_JVM)
        yield
