"""What was told of each application, and what is still to be sent: one item each in the table SentTransitions. Pure.

The state moves on and the documents enter the outbox in one conditional write; only then is anything sent. A crash
between the two sends them at the next try: nothing is lost, and what is sent twice carries the same id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from probable_cause.lambdas.responder import contract, quiet
from probable_cause.lambdas.responder.snapshot import Layer, Snapshot, nothing
from probable_cause.lambdas.responder.transitions import Transition, between
from probable_cause.state import tables
from probable_cause.state.moments import from_text
from probable_cause.state.tables import TableDefinition, Write

SENT = TableDefinition("SentTransitions", "ApplicationId")
_KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Message:
    """One document on its way; `to` names the channels that have not taken it yet."""

    id: str
    body: Mapping[str, Any]
    to: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """`seen` is what was told last: its layers may be older than its revision while changes are held back."""

    seen: Snapshot
    recent: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # layer -> quiet.Recent
    held: Mapping[str, int] = field(default_factory=dict)  # layer -> how many transitions were held back
    outbox: tuple[Message, ...] = ()
    version: int = 0

    def without(self, delivered: set[tuple[str, str]]) -> Told:
        """Without those (message id, channel) pairs in the outbox."""
        left = [replace(one, to=tuple(c for c in one.to if (one.id, c) not in delivered)) for one in self.outbox]
        return replace(self, outbox=tuple(one for one in left if one.to))


@dataclass(frozen=True)
class Options:
    """How to tell: over which channels, how often, with a link to which page."""

    channels: tuple[str, ...]
    limits: quiet.Limits | None = None  # None: nothing is held back
    dashboard: str | None = None


def advance(
    told: Told, now: Snapshot, options: Options, old: Snapshot | None = None, look_again: str | None = None
) -> Told:
    """`told` after the transitions to `now` entered its outbox, or were held back.

    Args:
        old: the image before `now`: what ended is told with its newest count and times.
        look_again: an instant at which what was held back is compared again; None: `now` is news.
    """
    if now.revision < told.seen.revision or (now.revision == told.seen.revision and look_again is None):
        return told
    at = look_again or now.at
    layers = dict(told.seen.layers)
    recent = {layer: list(entries) for layer, entries in told.recent.items()}
    held = dict(told.held)
    outbox = list(told.outbox)
    by_layer: dict[str, list[Transition]] = {}
    for one in between(_refreshed(told.seen, old), now):
        by_layer.setdefault(one.layer, []).append(one)
    for layer, found in by_layer.items():
        past = recent.get(layer, [])
        keep_quiet = options.limits is not None and all(
            not one.by_operator and quiet.holds_back(past, one.event_key, at, options.limits) for one in found
        )
        if keep_quiet:
            held[layer] = held.get(layer, 0) + (len(found) if look_again is None else 0)
        else:
            outbox += _messages(found, now, options, past, held.pop(layer, 0), at)
            layers[layer] = now.layers.get(layer, Layer())
        if not keep_quiet or look_again is None:
            recent[layer] = [*past, *((at, one.event_key) for one in found)]
    for layer in list(held):
        if layer not in by_layer:  # it went back to what was told: nothing is left to tell
            del held[layer]
    if not by_layer and held == dict(told.held):
        return told
    if options.limits is not None:
        recent = {name: quiet.within(one, from_text(at), options.limits) for name, one in recent.items()}
    return Told(
        replace(now, layers=layers),
        {name: tuple(one) for name, one in recent.items() if one},
        held,
        tuple(outbox),
        told.version,
    )


def _messages(
    found: Sequence[Transition], now: Snapshot, options: Options, past: quiet.Recent, held: int, at: str
) -> list[Message]:
    messages = []
    for one in found:
        flapping = options.limits is not None and quiet.last_before_quiet(past, one.event_key, at, options.limits)
        body = contract.document(one, now, held, flapping and not one.by_operator, options.dashboard)
        messages.append(Message(one.transition_id, body, options.channels))
    return messages


def _refreshed(seen: Snapshot, old: Snapshot | None) -> Snapshot:
    """`seen` with the newest counts and times of what it shows."""
    if old is None:
        return seen
    layers = {}
    for name, layer in seen.layers.items():
        newer = old.layers.get(name, Layer())
        same = newer["EventKey"] == layer["EventKey"]
        compared = {key: layer[key] for key in ("State", "DeferredFrom", "Status") if layer[key] is not None}
        rest = {key: value for key, value in newer.content.items() if key not in ("State", "DeferredFrom", "Status")}
        layers[name] = Layer({**rest, **compared}) if same else layer
    return replace(seen, layers=layers)


def to_write(told: Told) -> Write:
    """The conditional write of an item; it fails when somebody else has written since it was read."""
    seen = told.seen
    attributes: dict[str, Any] = {
        "Revision": seen.revision,
        "At": seen.at,
        "Health": seen.health,
        "Layers": json.dumps({name: layer.kept() for name, layer in seen.layers.items()}, sort_keys=True),
        "Recent": json.dumps(told.recent, sort_keys=True),
        "Held": json.dumps(told.held, sort_keys=True),
        "Outbox": json.dumps([{"id": one.id, "to": one.to, "body": one.body} for one in told.outbox]),
        "Version": told.version + 1,
        tables.EXPIRES_AT: int((from_text(seen.at) + _KEPT).timestamp()),
    }
    return Write({"ApplicationId": seen.application_id}, attributes, {"Version": told.version or None})


def of_item(item: Mapping[str, Any]) -> Told:
    """What `to_write` wrote."""
    layers = {name: Layer(content) for name, content in json.loads(item["Layers"]).items()}
    return Told(
        Snapshot(item["ApplicationId"], int(item["Revision"]), item["At"], item["Health"], layers),
        {name: tuple((at, key) for at, key in one) for name, one in json.loads(item["Recent"]).items()},
        json.loads(item["Held"]),
        tuple(Message(one["id"], one["body"], tuple(one["to"])) for one in json.loads(item["Outbox"])),
        int(item["Version"]),
    )


def first(application_id: str, old: Snapshot | None) -> Told:
    """Of an application that is met for the first time: what it was before the first image that came."""
    return Told(replace(old, revision=0) if old else nothing(application_id))
