"""Operators who acknowledge and reopen causes while the stream writes to the same items, and the proof that no action
was overwritten: each action names the status that it replaced, so the actions on one item must form one chain."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from probable_cause.errors import ProbableCauseError
from probable_cause.state.application import act
from probable_cause.state.moments import to_text
from probable_cause.state.tables import Tables

Flags = tuple[Any, ...]  # Status, StatusBy, StatusAt


@dataclass
class Operators:
    """`hands` threads on random open causes of `keys` (application, event key) until stopped."""

    tables: Tables
    keys: list[tuple[str, str]]
    seed: int
    hands: int = 4
    pause: float = 0.4
    actions: list[tuple[tuple[str, str], str | None, Flags]] = field(default_factory=list)  # item, replaced, new
    perhaps: list[tuple[tuple[str, str], Flags]] = field(default_factory=list)  # refused, or carried out unheard
    faults: list[str] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _latest: datetime = datetime.min.replace(tzinfo=UTC)

    def start(self) -> None:
        self._pool = ThreadPoolExecutor(self.hands)
        self._running = [self._pool.submit(self._work, number) for number in range(self.hands)]

    def stop(self) -> None:
        self._stopping.set()
        for one in self._running:
            one.result()
        self._pool.shutdown()

    def _moment(self) -> datetime:
        """Now, and no other act's: an item knows its acts by their milliseconds, of which two may share one."""
        with self._lock:
            self._latest = max(datetime.now(UTC), self._latest + timedelta(milliseconds=1))
            return self._latest

    def _work(self, number: int) -> None:
        dice = random.Random(f"{self.seed}/{number}")
        while not self._stopping.wait(dice.uniform(0, 2 * self.pause)):
            application, key = dice.choice(self.keys)
            layer, cause = key.split("#", 1)
            status = dice.choice(("acknowledged", "open"))
            now = self._moment()
            who = f"operator-{number}"
            try:
                done = act(self.tables, application, layer, status, who, now, "chaos", cause)  # type: ignore[arg-type]
            except ProbableCauseError:
                # Not in the table yet, or somebody was faster; or it was carried out, its answer was lost, and somebody
                # had replaced it before it was sent again.
                self.perhaps.append(((application, key), (status, who, to_text(now))))
                continue
            except Exception as exc:
                self.faults.append(f"{type(exc).__name__}: {exc}"[:200])
                continue
            for event in done:
                seen = to_text(event.status_at) if event.status_at else None
                self.actions.append(((application, event.event_key), seen, (status, who, to_text(now))))

    def flags(self) -> tuple[dict[tuple[str, str], set[Flags]], list[str]]:
        """What each item may show at the end, and each action that another one overwrote unseen."""
        sure: dict[tuple[str, str], dict[str | None, Flags]] = defaultdict(dict)
        faults = []
        for item, seen, new in self.actions:
            if seen in sure[item]:
                faults.append(f"{item}: {sure[item][seen]} and {new} both replaced {seen}")
            sure[item][seen] = new
        may: dict[tuple[str, str], set[Flags]] = defaultdict(set)
        for item, new in self.perhaps:
            may[item].add(new)
        final = {}
        for item in sure.keys() | may.keys():
            replaced = set(sure[item])
            known = {*sure[item].values(), *may[item]}
            unheard = replaced - {None} - {one[2] for one in known}
            faults += [f"{item}: nobody set what was replaced at {at}" for at in sorted(unheard, key=str)]
            untouched = set() if None in replaced else {("open", None, None)}
            final[item] = {one for one in known if one[2] not in replaced} | untouched
        return final, faults
