"""Every row of the shared logs, field by field. The table of rows right, wrong and rejected is in the output."""

from __future__ import annotations

import sys

import pytest

from probable_cause.errors import RejectedLineError
from probable_cause.families import parse_line
from tests.unit.families.shared_rows import FILES, LOGS, found, rows

pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason=f"the shared logs are not at {LOGS}")


def test_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    table = [f"{'family':<12} {'rows':>5} {'fields':>7} {'right':>6} {'wrong':>6} {'rejected':>9}"]
    wrong: list[str] = []
    for family in FILES:
        counts = {"rows": 0, "fields": 0, "right": 0, "wrong": 0, "rejected": 0}
        for row in rows(family):
            counts["rows"] += 1
            counts["fields"] += len(row.wanted)
            try:
                event = parse_line(family, row.raw, row.format)[0]
            except RejectedLineError as fault:
                counts["rejected"] += 1
                if not row.malformed:
                    wrong.append(f"{row.id}: rejected, {fault}")
                continue
            differences = [
                f"{row.id}: {path} is {found(event, path)!r}, expected {value!r}"
                for path, value in row.wanted.items()
                if found(event, path) != value
            ]
            differences += [f"{row.id}: malformed, but read"] if row.malformed else []
            counts["wrong" if differences else "right"] += 1
            wrong += differences
        table.append(
            f"{family:<12} {counts['rows']:>5} {counts['fields']:>7} "
            + "".join(f"{counts[key]:>{width}}" for key, width in (("right", 6), ("wrong", 7), ("rejected", 10)))
        )
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(table) + "\n")
    assert not wrong, "\n".join(wrong)
