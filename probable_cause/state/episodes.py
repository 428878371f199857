"""How the repeats of one batch are added to the episodes of a cause. Standard library only; no clock.

An episode ends by resolution, or by a silence longer than the cause's window; what comes after it opens another.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from probable_cause.state import identity
from probable_cause.state.bursts import Bursts, with_moment
from probable_cause.state.event_item import Repeats, Stored, cut, stream_write
from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.state.identity import DAY, Seen
from probable_cause.state.moments import from_millis, to_millis
from probable_cause.state.tables import Write


class Change(NamedTuple):
    """An episode as a batch leaves it: its conditional write, and what must be written before it, unconditionally."""

    stored: Stored
    write: Write
    chunks: tuple[Write, ...] = ()


def add(
    existing: Sequence[Stored],
    repeats: Repeats,
    stamp: str,
    remembered: int,
    processed_at: datetime,
    horizon: float = DAY,
    counted: Collection[int] = (),
) -> list[Change]:
    """The episodes that `repeats` change.

    Args:
        existing: all stored episodes of this application, layer and cause.
        repeats: what one batch saw.
        stamp: of this batch; an item that carries it (or a later one) has this batch's events already.
        remembered: how many events an item remembers itself.
        processed_at: for the latency ledger.
        horizon: seconds for which events that left the item are remembered in chunks.
        counted: hashes of those of `repeats` that a chunk of `existing` holds (chunks.Chunks.counted).
    """
    seen = set(counted).union(*(stored.seen.hashes() for stored in existing))
    applied_before = any(stored.stamp is not None and stored.stamp >= stamp for stored in existing)
    new = [one for one in repeats.occurrences if one[1] not in seen and one[-1] not in seen]
    # Events that were counted but are too many to list: only the stamp can tell whether they are in.
    unlisted = 0 if applied_before else max(repeats.count - len(repeats.occurrences), 0)
    if not new and not unlisted:
        return []
    # A writer beside the stream adds a portion to an item at once: with its stamp there, all of it is in.
    whole = {s.event.episode for s in existing if stamp.startswith("+") and (s.stamp or "").endswith(stamp)}
    episodes = [_Episode.of(stored) for stored in sorted(existing, key=lambda one: one.event.episode)]
    changed: dict[int, _Episode] = {}
    for millis, *identities in new:
        at = from_millis(millis)
        # The oldest that takes it: what happened before a resolution belongs to what was resolved, however late it is.
        episode = next((one for one in episodes if one.takes(at)), None)
        if episode is not None and episode.number in whole:
            continue
        if episode is None:
            number = max((one.number for one in episodes), default=0) + 1
            episode = _Episode.opened_at(at, number, repeats)
            episodes.append(episode)
        episode.take(at, identity.second(millis), identities[:2])
        changed[episode.number] = episode
    if unlisted:
        oldest = changed[min(changed)] if changed else episodes[-1]
        oldest.count += unlisted
        oldest.first = min(oldest.first, repeats.first_seen)
        changed[oldest.number] = oldest
    return [episode.change(repeats, stamp, remembered, horizon, processed_at) for _, episode in sorted(changed.items())]


@dataclass
class _Episode:
    """An episode while a batch is added to it."""

    number: int
    event: EventOfInterest
    before: Stored | None
    first: datetime
    last: datetime
    count: int
    new: list[tuple[int, int]]  # epoch seconds, hash
    bursts: Bursts

    @classmethod
    def of(cls, stored: Stored) -> _Episode:
        event = stored.event
        return cls(event.episode, event, stored, event.first_seen, event.last_seen, event.count, [], event.bursts)

    @classmethod
    def opened_at(cls, at: datetime, number: int, repeats: Repeats) -> _Episode:
        event = EventOfInterest(
            application_id=repeats.application_id,
            event_type=repeats.event_type,
            cause_id=repeats.cause_id,
            episode=number,
            first_seen=at,
            last_seen=at,
            count=0,
            **_description(repeats),
        )
        return cls(number, event, None, at, at, 0, [], ())

    def takes(self, at: datetime) -> bool:
        """An event belongs here within the window around what was seen, and not after the episode was resolved."""
        if self.event.status == "resolved" and self.event.status_at is not None and at > self.event.status_at:
            return False
        window = timedelta(seconds=self.event.window_seconds)
        return self.first - window <= at <= self.last + window

    def take(self, at: datetime, second: int, identities: Sequence[int]) -> None:
        self.first, self.last = min(self.first, at), max(self.last, at)
        self.count += 1
        self.new += [(second, one) for one in dict.fromkeys(identities)]
        self.bursts = with_moment(self.bursts, at)

    def change(self, repeats: Repeats, stamp: str, remembered: int, horizon: float, processed_at: datetime) -> Change:
        event = replace(self.event, first_seen=self.first, last_seen=self.last, count=self.count, bursts=self.bursts)
        before = self.before.seen if self.before else Seen()
        seen, made = identity.remember(before, self.new, remembered, horizon)
        stored = _described(
            Stored(event, self.before.stamp if self.before else None, seen), repeats, stamp, processed_at
        )
        # Twice: horizons count from the newest event, and a cause may fall silent.
        expires = int((processed_at + timedelta(seconds=2 * horizon)).timestamp())
        chunks = (identity.chunk_write(event.application_id, event.event_key, *one, expires) for one in made)
        return Change(stored, stream_write(stored, self.before), tuple(chunks))


def _next_stamp(stored: str | None, stamp: str) -> str:
    """The stream's own part never goes back; a writer beside it puts its name behind that part."""
    known = stored or ""
    return known.partition("+")[0] + stamp if stamp.startswith("+") else max(known, stamp)


def _described(stored: Stored, repeats: Repeats, stamp: str, processed_at: datetime) -> Stored:
    """The newest event of a cause gives its description; all of its events give its resources and addresses."""
    event = stored.event
    merged = replace(
        event,
        resource_ids=_union(event.resource_ids, repeats.resource_ids),
        addresses=_union(event.addresses, repeats.addresses),
        sample_event_ids=_union(event.sample_event_ids, repeats.sample_event_ids),
        edges=_union(event.edges, repeats.edges),
    )
    # A batch's newest event may lie in another episode than this one.
    if to_millis(repeats.last_seen) == to_millis(event.last_seen) or not event.ledger:
        ledger = {"event": event.last_seen, "processed": processed_at}
        if repeats.delivered_at is not None:
            ledger["delivered"] = repeats.delivered_at
        if repeats.arrived_at is not None:
            ledger["arrived"] = repeats.arrived_at
        merged = replace(merged, ledger=ledger, **_description(repeats))
    return replace(stored, event=merged, stamp=_next_stamp(stored.stamp, stamp))


_COPIED = (
    "role", "rule_id", "family", "relevance", "half_life_seconds", "window_seconds", "summary", "action", "outcome",
    "error_code", "actor", "actor_type", "explains", "symptom", "resolves",
)  # fmt: skip


def _description(repeats: Repeats) -> dict[str, Any]:
    """The fields of an event that its newest repeat tells."""
    original = None if repeats.original is None else cut(repeats.original)
    return {name: getattr(repeats, name) for name in _COPIED} | {"message": cut(repeats.message), "original": original}


def _union(known: tuple[str, ...], new: tuple[str, ...], at_most: int = 20) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *new)))[:at_most]
