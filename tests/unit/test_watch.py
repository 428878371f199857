"""`top --watch`: the page's order, hostile text as text, and a screen that outlives tables which do not answer."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from probable_cause import cli, watch
from probable_cause.dashboard import overview
from probable_cause.errors import BusyError
from probable_cause.state.application import add_repeats, renew
from probable_cause.state.event_item import batch_stamp
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Tables
from probable_cause.verdict import DEFAULT
from tests.unit.state.test_event_item import T0, repeats

NOW = T0 + timedelta(minutes=3)
HOSTILE = "\x1b[2Jgone \x9b31m\u202e [bold]x[/bold] <script>"


def scene() -> Tables:
    """Three applications, one healthy, one with hostile words."""
    made = memory_tables()
    for application, relevance, summary in (("calm", 1.2, "old"), ("bad", 9.0, HOSTILE), ("worse", 9.5, "REJECT")):
        row = repeats([0, 60], [1, 2], application_id=application, relevance=relevance, summary=summary)
        add_repeats(made, application, [row], batch_stamp(1, 0), 1000, T0)
        renew(made, application, NOW, DEFAULT)
    return made


def drawn(tables: Tables, beat: dict[str, Any], most: int = 50) -> str:
    console = Console(file=io.StringIO(), width=160, force_terminal=False, color_system=None)
    console.print(watch.view(overview.rows(tables.states.scan(), NOW), beat, NOW, most))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_rows_stand_in_the_order_of_the_page() -> None:
    made = scene()
    order = [row["application_id"] for row in overview.rows(made.states.scan(), NOW)]
    text = drawn(made, {})
    assert sorted(order, key=text.index) == order
    assert order[0] == "worse"


def test_hostile_words_are_text() -> None:
    text = drawn(scene(), {})
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert r"\u001b[2Jgone" in text


def test_more_rows_than_fit_are_counted() -> None:
    assert "... and 2 more" in drawn(scene(), {}, most=1)


@pytest.mark.parametrize(
    ("beat", "says"),
    [
        ({}, "has not run"),
        (
            {"JobSeenAt": "2026-03-01T12:02:00.000Z", "LagMax": 1500, "LinesTotal": 1200, "Rejects": {"a/b": 3}},
            "1.5 s behind, 1,200 lines, 3 rejected",
        ),
    ],
)
def test_how_the_job_is_stands_above(beat: dict[str, Any], says: str) -> None:
    assert says in drawn(scene(), beat)


def test_without_a_terminal_it_is_drawn_once() -> None:
    console = Console(file=io.StringIO(), width=120)
    watch.watch(scene(), lambda: NOW, lambda: NOW, console, 0.0, threading.Event())
    assert console.file.getvalue().count("3 applications") == 1  # type: ignore[attr-defined]


def test_tables_that_do_not_answer_leave_the_last_view() -> None:
    made, stop, looks = scene(), threading.Event(), []
    scan = made.states.scan

    def busy() -> list[dict[str, Any]]:
        looks.append(1)
        if len(looks) == 1:
            return scan()
        stop.set()
        raise BusyError("table SystemStateRecordsByApplication: slow down")

    made.states.scan = busy  # type: ignore[method-assign]
    console = Console(file=io.StringIO(), width=120, height=20, force_terminal=True)
    watch.watch(made, lambda: NOW, lambda: datetime.now(UTC), console, 0.0, stop)
    assert "slow down" in console.file.getvalue()  # type: ignore[attr-defined]


def test_what_the_command_line_prints_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    cli._print(f"summary {HOSTILE}")
    cli._print(json.dumps({"summary": HOSTILE}, ensure_ascii=False, indent=2))
    text = capsys.readouterr().out
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    assert json.loads(text.split("\n", 1)[1])["summary"] == HOSTILE
