"""What a session on one machine gives its Java."""

from __future__ import annotations

import pytest

from probable_cause.session import COLLECTOR, STACK, java_options


@pytest.mark.parametrize(
    ("environment", "has_ours"),
    [
        ({}, True),
        ({"JDK_JAVA_OPTIONS": "-Xmx1g -XX:+UseStringDeduplication"}, True),
        ({"JDK_JAVA_OPTIONS": "-XX:-UseParallelGC"}, True),
        ({"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}, False),
        ({"JAVA_TOOL_OPTIONS": "-XX:+UseG1GC"}, False),
        ({"_JAVA_OPTIONS": "-XX:+UseZGC -Xmx2g"}, False),
        ({"OTHER": "-XX:+UseG1GC"}, True),
    ],
)
def test_a_collector_of_the_environment_takes_the_place_of_ours(environment: dict[str, str], has_ours: bool) -> None:
    for collector in (COLLECTOR, "-XX:+UseSerialGC"):
        options = java_options(environment, collector).split()
        assert STACK in options
        assert (collector in options) == has_ours
