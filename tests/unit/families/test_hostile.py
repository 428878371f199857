"""Lines made to make a parser slow: long runs of what a pattern may take in several ways. Each takes far below 1 s."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import suppress

import pytest

from probable_cause.errors import RejectedLineError
from probable_cause.families import FAMILIES, parse_line

LONG = 200_000
RUNS = [
    " ", "\n", "\t", "A", "a", "A.", "a.", "Aa::", "0", "1 ", "[", "(", "{", '"', "\\", "\\n", ":", "::", "-", "- ",
    "= ", "a=", "1.2.3.4 ", "a:b:", "Caused by: A", "i-0", "arn:aws:a:::", "ERROR ", "[ ", "\x1b[", "<1>", "A b: ", "'",
]  # fmt: skip
HEADS = [
    "", "INFO ", "INFO [", "ERROR ", "2024-03-01 12:00:00 ", "2024-03-01 12:00:00 [", "[2024-03-01 12:00:00] ERROR ",
    "[", "{", '{"', '{"level":"error","msg":"', "REPORT RequestId: ", "Traceback (most recent call last):\n",
    "level=error msg=", "10.0.0.1 - - [", "Mar  1 12:00:00 ", "<34>1 ", "# Time: ", "[pid: 1|", "- ", "panic: ",
]  # fmt: skip
TAILS = ["", "x", ":", "]", "\nCaused by: x", " nested exception is x", '"}', " Task timed out"]
LIMIT = 1.0  # seconds of CPU


@pytest.mark.parametrize("run", RUNS, ids=repr)
def test_long_runs_are_read_in_time(run: str) -> None:
    for family in FAMILIES:
        for number, head in enumerate(HEADS):
            line = head + run * (LONG // len(run)) + TAILS[number % len(TAILS)]
            started = time.process_time()
            with suppress(RejectedLineError):
                parse_line(family, line)
            took = time.process_time() - started
            assert took < LIMIT, f"{family}: {took:.1f} s for {head!r} and {LONG} characters of {run!r}"


def test_what_one_line_says_is_not_kept_for_ever() -> None:
    """Caches hold short words only: lines of 200 KB with ever new names must not fill the memory."""
    tracemalloc.start()
    for number in range(60):
        long = f"{number}" + "x" * LONG
        line = (
            f'{{"eventName":"{long}","eventSource":"{long}","eventTime":"{long}","userAgent":"{long}",'
            f'"userIdentity":{{"type":"IAMUser","userName":"{long}"}},"requestParameters":{{"{long}":"{long}"}}}}'
        )
        parse_line("cloudtrail", line)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2_000_000
