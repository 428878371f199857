"""One snapshot in, documents out: what was told is kept before anything is sent, and noted after."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from probable_cause.errors import ProbableCauseError
from probable_cause.lambdas.responder import told as ledger
from probable_cause.lambdas.responder.channels import Channel, RefusedError, TryAgainError
from probable_cause.lambdas.responder.snapshot import Snapshot
from probable_cause.lambdas.responder.told import Message, Options, Told
from probable_cause.state.moments import to_text
from probable_cause.state.tables import Table

log = logging.getLogger(__name__)
_ATTEMPTS = 8  # each failed one means that another invocation wrote in between
_MOST_WAITING = 20  # documents of one application; older ones go to the dead-letter queue


class UndeliveredError(ProbableCauseError):
    """A channel did not take a document now: the record is to come again."""


@dataclass(frozen=True)
class Responder:
    """`later(application_id)` has the application looked at again when a window of quiet has passed; None: there is
    no such queue, and nothing is held back. `give_up(document)` keeps what a channel refused."""

    sent: Table
    channels: Mapping[str, Channel]
    options: Options
    give_up: Callable[[dict[str, Any]], None]
    later: Callable[[str], None] | None = None

    def respond(self, now: Snapshot, old: Snapshot | None = None, look_again: datetime | None = None) -> int:
        """Tells what is new in `now`; returns how many documents went out, counting each channel.

        Raises:
            UndeliveredError: some could not be sent now; they wait in the outbox.
        """
        at = to_text(look_again) if look_again else None
        for _ in range(_ATTEMPTS):
            item = self.sent.get({"ApplicationId": now.application_id})
            told = ledger.of_item(item) if item else ledger.first(now.application_id, old)
            moved = ledger.advance(told, now, self.options, old, at)
            if moved == told or self.sent.apply(ledger.to_write(moved)):
                break
        else:
            raise UndeliveredError(f"{now.application_id}: others write its record again and again")
        if moved.held and self.later is not None and (moved.held != told.held or look_again):
            self.later(now.application_id)
        return self._deliver(moved)

    def _deliver(self, told: Told) -> int:
        done: set[tuple[str, str]] = set()
        failed: list[str] = []
        refused = 0
        for name, channel in self.channels.items():
            for message in told.outbox:
                if name not in message.to:
                    continue
                try:
                    refused += self._send(name, channel, message)
                except TryAgainError as exc:  # what follows on this channel waits, so that order is kept
                    failed.append(f"{name}: {exc}")
                    break
                done.add((message.id, name))
        for message in told.outbox[:-_MOST_WAITING]:
            for name in message.to:
                if (message.id, name) not in done:
                    self._refuse(name, message, "too many documents wait")
                    refused += 1
                    done.add((message.id, name))
        self._note(told.seen.application_id, done)
        if failed:
            raise UndeliveredError(f"{told.seen.application_id}: {'; '.join(failed)}")
        return len(done) - refused

    def _send(self, name: str, channel: Channel, message: Message) -> int:
        """0 when it was sent, 1 when it was refused for good and kept aside."""
        try:
            channel.send(message)
            return 0
        except RefusedError as exc:
            log.error("%s of %s is refused: %s", message.id, message.body["application_id"], exc)
            self._refuse(name, message, str(exc))
            return 1

    def _refuse(self, name: str, message: Message, reason: str) -> None:
        self.give_up({"channel": name, "reason": reason, "document": dict(message.body)})

    def _note(self, application_id: str, done: set[tuple[str, str]]) -> None:
        for _ in range(_ATTEMPTS if done else 0):
            item = self.sent.get({"ApplicationId": application_id})
            if item is None or self.sent.apply(ledger.to_write(ledger.of_item(item).without(done))):
                return
        if done:
            raise UndeliveredError(f"{application_id}: sent, but others write its record again and again")
