"""The harness's results as one table."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.chaos.campaign import Result
from tests.chaos.guards import Outcome


def campaigns(results: Sequence[Result], show: int = 20) -> int:
    """Prints them; 0 when nothing differs."""
    table = Table(title="the job under fire: what the tables held at the end")
    table.add_column("")
    for result in results:
        table.add_column(f"{result.options.kinesis} + {result.options.dynamodb}", justify="right")
    for name, values in _rows(results):
        table.add_row(name, *values)
    Console(width=110).print(table)
    for result in results:
        for line in [*result.differences[:show], *(f"ended by itself: {one}" for one in result.by_itself[:3])]:
            sys.stdout.write(f"{result.options.kinesis} + {result.options.dynamodb}: {line}\n")
    return 1 if any(result.differences or result.by_itself for result in results) else 0


def _rows(results: Sequence[Result]) -> list[tuple[str, list[str]]]:
    def row(name: str, value: object) -> tuple[str, list[str]]:
        return name, [f"{value(result)}" for result in results]  # type: ignore[operator]

    return [
        row("seed", lambda r: r.options.seed),
        row("log lines", lambda r: f"{r.stream.lines:,}"),
        row("of interest, as applications see them", lambda r: f"{len(r.stream.facts):,}"),
        row("records put (redelivered, poison)", _records),
        row("reshards", lambda r: r.reshards),
        row("calls (throttled, answers lost)", _calls),
        row("kills (planned)", lambda r: f"{r.kills.total()} ({len(r.options.kinds or ()) or r.options.kills})"),
        row("  of what", lambda r: ", ".join(f"{kind} {n}" for kind, n in sorted(r.kills.items()))),
        row("starts; ended by itself", lambda r: f"{r.starts}; {len(r.by_itself)}"),
        row("operator actions", lambda r: r.actions),
        row("cells compared", lambda r: f"{r.events.cells + r.states.cells + r.rejects.cells:,}"),
        row("cells that differ", lambda r: len(r.differences)),
        row("events lost", lambda r: r.events.lost + r.rejects.lost),
        row("events counted twice", lambda r: r.events.double + r.rejects.double),
        row("seconds", lambda r: f"{r.seconds:.0f}"),
    ]


def _records(result: Result) -> str:
    stream = result.stream
    return f"{len(stream.records):,} ({stream.redelivered:,}, {stream.poison:,})"


def _calls(result: Result) -> str:
    total = result.calls.total() or 1
    shares = [f"{result.calls[kind] / total:.1%}" for kind in ("throttled", "lost")]
    return f"{total:,} ({', '.join(shares)})"


def guards(outcomes: Sequence[Outcome]) -> int:
    """Prints what each guard's absence cost; 0 when the harness found all of them out."""
    table = Table(title="each guard taken out once: what the harness found wrong")
    for name in ("guard", "without it", "wrong with it", "wrong without it", "found out"):
        table.add_column(name)
    for one in outcomes:
        found = f"{len(one.without_it)}: {one.without_it[0]}" if one.without_it else "0"
        table.add_row(one.guard, one.costs, str(len(one.with_it)), found[:200], "yes" if one.caught else "NO")
    Console(width=140).print(table)
    for one in outcomes:
        for line in one.with_it[:10]:
            sys.stdout.write(f"{one.guard}, with the guard: {line}\n")
    return 0 if all(one.caught for one in outcomes) else 1
