"""`probable-cause top --watch`: the page's overview in a terminal, in the page's order, drawn anew every few seconds.

`view` is pure. Log text is untrusted: it is never markup, and its control characters are shown, not obeyed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from probable_cause.clock import Clock
from probable_cause.commands import ago
from probable_cause.dashboard import overview
from probable_cause.dashboard.operations import heartbeat
from probable_cause.errors import BusyError
from probable_cause.logs import visible
from probable_cause.state.moments import from_text
from probable_cause.state.tables import Tables
from probable_cause.verdict.types import LAYERS

_STYLES = {"healthy": "green", "degraded": "yellow", "failing": "bold red"}
_STALE = timedelta(minutes=5)  # as docs/metrics.md has it


def view(rows: Sequence[Mapping[str, Any]], beat: Mapping[str, Any], now: datetime, most: int) -> Group:
    """The whole screen.

    Args:
        rows: of dashboard.overview.rows, in their order.
        beat: the job's heartbeat; empty when it never ran.
        now: for ages.
        most: rows that fit.
    """
    table = Table(expand=True, pad_edge=False, show_edge=False)
    table.add_column("application", no_wrap=True)
    table.add_column("health", no_wrap=True)
    for layer in LAYERS:
        table.add_column(layer, ratio=2)
    table.add_column("probable root cause", ratio=3)
    for row in rows[:most]:
        layers = (_cause(row["layers"][layer]["event"], now) for layer in LAYERS)
        health = Text(row["health"], style=_STYLES.get(row["health"], ""))
        table.add_row(_text(row["application_id"]), health, *layers, _root(row["root_cause"], now))
    sick = sum(row["health"] != "healthy" for row in rows)
    title = Text(f"{len(rows)} applications, {sick} not healthy", style="bold")
    hidden = [Text(f"... and {len(rows) - most} more", style="dim")] if len(rows) > most else []
    return Group(title, _job(beat, now), table, *hidden)


def _text(content: str, style: str = "") -> Text:
    return Text(visible(content).replace("\n", " "), style=style, overflow="ellipsis", no_wrap=True)


def _cause(event: Mapping[str, Any] | None, now: datetime) -> Text:
    if not event:
        return Text("-", style="dim")
    count = f" ×{event['count']}" if event.get("count", 1) > 1 else ""
    status = "" if event.get("status", "open") == "open" else f" [{event['status']}]"
    relevance = overview.relevance_at(event, now)
    seen = ago(from_text(event["last_seen"]), now) if event.get("last_seen") else ""
    return _text(f"{relevance:.1f} {event.get('summary', '')}{count}, {seen}{status}", "dim" if status else "")


def _root(cause: Mapping[str, Any] | None, now: datetime) -> Text:
    if not cause:
        return Text("-", style="dim")
    who = f", {cause['actor']}" if cause.get("actor") else ""
    return _text(f"{cause.get('confidence', 0):.0%} {cause.get('summary', '')}{who}", "bold")


def _job(beat: Mapping[str, Any], now: datetime) -> Text:
    if not beat.get("JobSeenAt"):
        return Text("the job has not run on these tables yet", style="yellow")
    seen = from_text(beat["JobSeenAt"])
    lag = f", {beat['LagMax'] / 1000:.1f} s behind" if "LagMax" in beat else ""
    rejects = sum(beat.get("Rejects", {}).values())
    told = f"job seen {ago(seen, now)}{lag}, {beat.get('LinesTotal', 0):,} lines, {rejects:,} rejected"
    return Text(told, style="bold yellow" if now - seen > _STALE else "dim")


def watch(
    tables: Tables, clock: Clock, wall_clock: Clock, console: Console, seconds: float, stop: threading.Event
) -> None:
    """Draws until `stop` is set; without a terminal once. Tables that do not answer leave the last view, and say so.

    Args:
        clock: the instant that rows are sorted for; the demo's own time, say.
        wall_clock: the machine's time, which heartbeats are in.
    """

    def draw() -> Group:
        rows = overview.rows(tables.states.scan(), clock())
        return view(rows, heartbeat(tables), wall_clock(), max(console.height - 6, 5))

    if not console.is_terminal:
        console.print(draw())
        return
    last = draw()
    with Live(last, console=console, screen=True, auto_refresh=False) as live:
        live.refresh()
        while not stop.wait(seconds):
            try:
                last = draw()
                live.update(last, refresh=True)
            except BusyError as exc:
                live.update(Group(Text(visible(str(exc)), style="bold red"), last), refresh=True)
