"""An application's life, and the images of `overall#current` that a table's stream would hand over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from probable_cause.lambdas.responder import snapshot
from probable_cause.lambdas.responder.channels import RefusedError, TryAgainError
from probable_cause.lambdas.responder.respond import Responder, UndeliveredError
from probable_cause.lambdas.responder.snapshot import Snapshot
from probable_cause.lambdas.responder.told import SENT, Message, Options
from probable_cause.state import tables
from probable_cause.state.application import act, renew
from probable_cause.state.event_item import operator_write, to_item
from probable_cause.state.event_of_interest import EventOfInterest, Status
from probable_cause.state.memory import MemoryTable
from probable_cause.state.tables import Tables, Write
from probable_cause.verdict import DEFAULT
from tests.unit.verdict.events import at

Images = tuple[Snapshot, Snapshot | None]


class Streamed(MemoryTable):
    """A table that keeps (new, old) of each change of an application's whole state."""

    images: list[tuple[dict[str, Any], dict[str, Any] | None]]

    def apply(self, write: Write) -> bool:
        old = self.get(write.key)
        done = super().apply(write)
        if done and write.key.get("StateKey") == "overall#current":
            self.images.append((self.get(write.key) or {}, old))
        return done


class Life:
    """The tables of one application `shop`; time is minutes after T0."""

    def __init__(self) -> None:
        made = [Streamed(definition) for definition in tables.ALL]
        self.states = made[3]
        self.states.images = []
        self.tables = Tables(*made)
        self._taken = 0

    def sees(self, minute: float, *events: EventOfInterest) -> None:
        for event in events:
            item = to_item(event)
            key = {"ApplicationId": event.application_id, "EventKey": item.pop("EventKey")}
            item.pop("ApplicationId")
            self.tables.events.apply(Write(key, item))
        self.passes(minute)

    def passes(self, minute: float) -> None:
        renew(self.tables, "shop", at(minute), DEFAULT)

    def acts(self, minute: float, layer: str, status: Status, cause: str | None = None) -> None:
        act(self.tables, "shop", layer, status, "ana", at(minute), "known", cause)
        self.passes(minute)

    def resolves(self, minute: float, event: EventOfInterest) -> None:
        assert self.tables.events.apply(operator_write(event, "resolved", "ana", at(minute), "known"))
        self.passes(minute)

    def news(self) -> Iterator[Images]:
        """The images since the last call, as snapshots (new, old)."""
        images = self.states.images[self._taken :]
        self._taken = len(self.states.images)
        for new, old in images:
            now = snapshot.of_item(new)
            assert now is not None
            yield now, snapshot.of_item(old) if old else None


class Recorder:
    """A channel that keeps what it took; `faults` are raised by the next sends, in turn."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.faults: list[TryAgainError | RefusedError | None] = []

    def send(self, message: Message) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.taken.append(message)


class Desk:
    """A responder over recorders."""

    def __init__(self, *names: str, **options: Any) -> None:
        self.channels = {name: Recorder() for name in names or ("bus",)}
        self.refused: list[dict[str, Any]] = []
        self.later: list[str] = []
        self.sent = MemoryTable(SENT)
        chosen = Options(tuple(self.channels), **options)
        self.responder = Responder(self.sent, self.channels, chosen, self.refused.append, self.later.append)

    def hears(self, life: Life) -> list[dict[str, Any]]:
        """Answers all news; returns the documents that the first channel took."""
        first = next(iter(self.channels.values()))
        before = len(first.taken)
        for now, old in life.news():
            self.responder.respond(now, old)
        return [dict(one.body) for one in first.taken[before:]]

    def tries(self, now: Snapshot, old: Snapshot | None = None) -> bool:
        """Whether all went out."""
        try:
            self.responder.respond(now, old)
        except UndeliveredError:
            return False
        return True


def told(documents: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(transition, layer, summary) of each."""
    return [(one["transition"], one["layer"], one["cause"]["summary"]) for one in documents]
