"""The demo's terminal: what is being played, and every application's state as it changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from probable_cause.commands import ago
from probable_cause.logs import visible
from probable_cause.state.moments import from_text

_COLOURS = {"failing": "bold red", "degraded": "yellow", "healthy": "green"}
_LAYERS = ("application", "network", "cloudsystem")


@dataclass
class Screen:
    """Draws on a terminal; on anything else (a log, CI) it prints one plain line a step."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    _live: Live | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Keeps the live view drawn while inside."""
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, refresh_per_second=4, transient=False) as self._live:
            yield
        self._live = None

    @property
    def live(self) -> bool:
        """Somebody looks at a terminal."""
        return self._live is not None

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(escape(visible(text)))

    def show(self, states: Sequence[Mapping[str, Any]], now: datetime, title: str, progress: str) -> None:
        """Draws the applications; does nothing where there is no terminal.

        Args:
            states: verdicts as JSON values (verdict.types.Verdict.to_dict), in the order to show them.
            now: the demo's time.
        """
        if self._live is not None:
            self._live.update(Group(Text(title, style="bold"), Text(progress, style="dim"), _table(states, now)))

    def result(self, states: Sequence[Mapping[str, Any]], now: datetime) -> None:
        """The applications as they are in the end."""
        self.console.print(_table(states, now))


def _table(states: Sequence[Mapping[str, Any]], now: datetime) -> Table:
    table = Table(show_lines=False, expand=True, pad_edge=False)
    table.add_column("application", no_wrap=True)
    table.add_column("health", no_wrap=True)
    for layer in _LAYERS:
        table.add_column(layer, ratio=1)
    table.add_column("root cause", ratio=1)
    for state in states:
        table.add_row(
            Text(visible(state["application_id"])),
            Text(state["health"], style=_COLOURS[state["health"]]),
            *(_layer(state["layers"][layer], now) for layer in _LAYERS),
            _root(state["root_cause"]),
        )
    return table


def _layer(layer: Mapping[str, Any], now: datetime) -> Text:
    event = layer["event"]
    if event is None:
        return Text("-", style="dim")
    count = f" ×{event['count']}" if event["count"] > 1 else ""
    origin = f"\n← {layer['deferred_from']}" if layer["deferred_from"] else ""
    seen = ago(from_text(event["last_seen"]), now)
    status = "" if event["status"] == "open" else f" {event['status']}"
    return Text(
        f"{visible(event['summary'])}{count}{origin}\n{layer['relevance']:.1f} · {seen}{status}", overflow="fold"
    )


def _root(root: Mapping[str, Any] | None) -> Text:
    if root is None:
        return Text("-", style="dim")
    return Text(f"{visible(root['event']['summary'])}\n{root['confidence']:.0%}", style="bold")
