"""One line of every format that AWS and the common programs write, of all four families, and what must be read of it.

The lines are composed after the formats' own documentation. `expected` maps a path of the event (a column, or
`fields.<key>`) to its value, null for what the line does not give; `layout` is a flow log's format; `reject` a reason.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from probable_cause.errors import RejectedLineError
from probable_cause.families import parse_line

CASES = [
    json.loads(line)
    for path in sorted(Path(__file__).parent.glob("formats_*.jsonl"))
    for line in path.read_text(encoding="utf-8").splitlines()
]


def value(event: dict[str, Any], path: str) -> Any:
    column, _, key = path.partition(".")
    found = event.get(column)
    found = (found or {}).get(key) if key else found
    return found.isoformat() if isinstance(found, datetime) else found


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case['family']}: {case['format']}: {case['line'][:40]}" for case in CASES]
)
def test_what_the_line_says(case: dict[str, Any]) -> None:
    if "reject" in case:
        with pytest.raises(RejectedLineError) as fault:
            parse_line(case["family"], case["line"], case.get("layout"))
        assert fault.value.reason == case["reject"]
        return
    event = parse_line(case["family"], case["line"], case.get("layout"))[0]
    assert {path: value(event, path) for path in case["expected"]} == case["expected"]
