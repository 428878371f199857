"""What happened between two snapshots of one application, layer by layer. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from probable_cause.lambdas.responder.snapshot import Layer, Snapshot
from probable_cause.verdict.types import LAYERS

Kind = Literal["Opened", "Changed", "Deferred", "Acknowledged", "Resolved", "Expired"]
KINDS: tuple[Kind, ...] = ("Opened", "Changed", "Deferred", "Acknowledged", "Resolved", "Expired")
_NOTHING = Layer()


@dataclass(frozen=True)
class Transition:
    """`shown` is the cause that the transition is about; `before` what the layer showed until then, when another.

    `ended` says how `shown` left, for Resolved and Expired (attribute `Ended` of state.shown).
    """

    kind: Kind
    application_id: str
    layer: str
    revision: int
    at: str
    health_before: str
    health_after: str
    shown: Layer
    before: Layer | None = None
    ended: dict[str, Any] | None = None

    @property
    def event_key(self) -> str:
        return str(self.shown["EventKey"])

    @property
    def by_operator(self) -> bool:
        """Somebody did it and waits to see it: never held back."""
        return self.kind == "Acknowledged" or (self.ended or {}).get("How") == "resolved"

    @property
    def transition_id(self) -> str:
        """The idempotency key: the same for every delivery of the same transition."""
        parts = (self.application_id, self.layer, self.kind, self.event_key, str(self.revision))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def between(before: Snapshot, after: Snapshot) -> list[Transition]:
    """The transitions from `before` to `after`, what ended before what began, in the order of the layers."""
    found = []
    for layer in LAYERS:
        old, new = before.layers.get(layer, _NOTHING), after.layers.get(layer, _NOTHING)
        for kind, shown, previous, ended in _of_layer(old, new):
            found.append(
                Transition(
                    kind,
                    after.application_id,
                    layer,
                    after.revision,
                    after.at,
                    before.health,
                    after.health,
                    shown,
                    previous,
                    ended,
                )  # fmt: skip
            )
    return found


_Found = tuple[Kind, Layer, Layer | None, dict[str, Any] | None]


def _of_layer(old: Layer, new: Layer) -> Iterator[_Found]:
    if not old.active and not new.active:
        return
    if not old.active:
        yield ("Deferred" if new["DeferredFrom"] else "Opened"), new, None, None
        return
    same = old["EventKey"] == new["EventKey"]
    ended = new["Ended"] if (new["Ended"] or {}).get("EventKey") == old["EventKey"] else None
    if not new.active:
        over = (ended or {}).get("How") in ("resolved", "recovered")
        yield ("Resolved" if over else "Expired"), old, None, ended or {"EventKey": old["EventKey"], "How": "expired"}
    elif same:
        yield from _same_event(old, new)
    elif ended and ended["How"] in ("resolved", "recovered"):
        yield "Resolved", old, None, ended
        yield ("Deferred" if new["DeferredFrom"] else "Opened"), new, None, None
    else:
        yield ("Deferred" if new["DeferredFrom"] else "Changed"), new, old, None


def _same_event(old: Layer, new: Layer) -> Iterator[_Found]:
    if old["Status"] != new["Status"]:
        # An operator took an acknowledgement back: it is open again.
        yield ("Acknowledged" if new["Status"] == "acknowledged" else "Opened"), new, None, None
    elif old["DeferredFrom"] != new["DeferredFrom"]:
        yield ("Deferred" if new["DeferredFrom"] else "Changed"), new, old, None
