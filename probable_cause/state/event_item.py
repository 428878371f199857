"""How an event of interest is held in EventsOfInterestByApplication; episodes.py adds a batch's repeats to it.

Standard library only; no clock. The two promises kept here (design contract 3.1):

I1  Count = number of distinct log events. Each item remembers which events it has counted (identity.py), so that an
    event delivered twice counts once, whichever batch it comes in. A batch that is replayed is recognised by its stamp.
I2  What an operator set is never overwritten: a stream's write leaves the Status attributes alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from probable_cause.state import identity, tables
from probable_cause.state.event_of_interest import EventOfInterest, Status
from probable_cause.state.identity import Seen
from probable_cause.state.moments import from_text, to_millis, to_text
from probable_cause.state.tables import Write

STAMP = "BatchStamp"
MESSAGE_BYTES = 8 * 1024  # design contract: the newest original line, whole up to 8 KiB
TEXT_BYTES = 2 * 1024  # of any other text, so that no line however made lets an item grow beyond DynamoDB's 400 KB
_KEEP_AFTER_WINDOW = timedelta(days=30)  # how long the table keeps an item that left the ranking


@dataclass(frozen=True)
class Repeats:
    """One row of the fold (schemas.FOLDED): all of one batch's events of one (application, layer, cause).

    `occurrences` are (epoch ms, 64-bit hash of the event id, also, other) of the newest distinct events, ascending by
    time; `count` may exceed their number when there were too many to carry. An event that is known by `other` came
    already by the other way, from a file or from the stream; it is remembered as `also` too, for that way. Both may be
    absent.
    """

    application_id: str
    event_type: str
    cause_id: str
    role: str
    rule_id: str
    family: str
    relevance: float
    half_life_seconds: int
    window_seconds: int
    first_seen: datetime
    last_seen: datetime
    count: int
    summary: str
    message: str
    action: str | None
    outcome: str | None
    error_code: str | None
    actor: str | None
    actor_type: str | None
    resource_ids: tuple[str, ...]
    addresses: tuple[str, ...]
    explains: tuple[str, ...]
    symptom: str | None
    resolves: tuple[str, ...]
    occurrences: tuple[tuple[int, ...], ...]
    sample_event_ids: tuple[str, ...]
    delivered_at: datetime | None
    arrived_at: datetime | None
    original: str | None = None  # the newest line as it came; None: `message` is all of it
    edges: tuple[str, ...] = ()
    buckets: tuple[int, ...] = ()  # of what is usual: spans of time (baseline.py)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Repeats:
        """From one row of `DataFrame.toArrow().to_pylist()`."""
        values: dict[str, Any] = dict(row)
        for name, value in row.items():
            if isinstance(value, str) and name not in ("message", "original"):
                values[name] = cut(value, TEXT_BYTES)
        for name in ("resource_ids", "addresses", "explains", "resolves", "sample_event_ids", "edges"):
            values[name] = tuple(cut(one, TEXT_BYTES) for one in values.get(name) or ())
        values["buckets"] = tuple(values.get("buckets") or ())
        values["occurrences"] = tuple(sorted(map(_occurrence, values["occurrences"] or ())))
        return cls(**values)


def _occurrence(one: dict[str, int | None]) -> tuple[int, ...]:
    """(at, id, also, other), with `id` in the place of what is absent: it says nothing new."""
    return tuple(int(one.get(name) or one["id"] or 0) for name in ("at", "id", "also", "other"))


@dataclass(frozen=True)
class Stored:
    """An item with what only the stream's bookkeeping needs."""

    event: EventOfInterest
    stamp: str | None
    seen: Seen


def batch_stamp(epoch: int, batch_id: int) -> str:
    """Orders batches over restarts: a new checkpoint starts batch ids at 0 again, but with a higher epoch (I3)."""
    return f"{epoch:010d}.{batch_id:012d}"


def beside_stamp(name: str) -> str:
    """The stamp of a writer beside the stream: a replay of rejects, a backfill.

    It is put behind the stream's own stamp of an item, so that the order of the stream's batches stays as it was and
    each of the two finds out when the other wrote in between. Such a writer lists every occurrence: a count without
    its events could not be told from a replay.

    Args:
        name: unique for each write.
    """
    return f"+{name}"


def cut(text: str, most: int = MESSAGE_BYTES) -> str:
    """At most `most` bytes of UTF-8, cut between characters."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= most else data[:most].decode("utf-8", "ignore")


def stream_write(stored: Stored, before: Stored | None) -> Write:
    """The stream's write of an item, on what it was before (None: it did not exist)."""
    event = stored.event
    attributes = to_item(event)
    key = {name: attributes.pop(name) for name in (tables.EVENTS.hash_key, tables.EVENTS.range_key or "")}
    if before is not None:
        # I2: these belong to the operator.
        for name in ("Status", "StatusBy", "StatusAt", "StatusReason"):
            attributes.pop(name, None)
    attributes[STAMP] = stored.stamp
    attributes |= identity.to_attributes(stored.seen)
    expected: dict[str, Any] = {STAMP: before.stamp if before else None}
    # An event after a resolution that came while we worked belongs to a new episode. Any other act of an operator is
    # left as it is, and need not hold up the stream.
    if before is None:
        expected["StatusAt"] = None
    elif before.event.status == "resolved":
        expected |= {"Status": "resolved", "StatusAt": to_text(at) if (at := before.event.status_at) else None}
    else:
        return Write(key, attributes, expected, {"Status": "resolved"})
    return Write(key, attributes, expected)


_SAID = "MessageText"
_TEXTS = {
    "ApplicationId": "application_id",
    "EventType": "event_type",
    "CauseId": "cause_id",
    "Role": "role",
    "RuleId": "rule_id",
    "Family": "family",
    "EventContextSummary": "summary",
    "Action": "action",
    "Outcome": "outcome",
    "ErrorCode": "error_code",
    "Actor": "actor",
    "ActorType": "actor_type",
    "Symptom": "symptom",
    "Status": "status",
    "StatusBy": "status_by",
    "StatusReason": "status_reason",
}
_NUMBERS = {
    "Episode": "episode",
    "EventRelevance": "relevance",
    "HalfLifeSeconds": "half_life_seconds",
    "WindowSeconds": "window_seconds",
    "Count": "count",
}
_LISTS = {
    "ResourceIds": "resource_ids",
    "Addresses": "addresses",
    "Explains": "explains",
    "Resolves": "resolves",
    "SampleEventIds": "sample_event_ids",
    "Edges": "edges",
}
_MOMENTS = {"FirstSeenDate": "first_seen", "LastSeenDate": "last_seen", "StatusAt": "status_at"}


def to_item(event: EventOfInterest) -> dict[str, Any]:
    """The item's attributes in the table's terms; absent values are left out."""
    item: dict[str, Any] = {"EventKey": event.event_key}
    for names in (_TEXTS, _NUMBERS):
        item |= {attribute: getattr(event, name) for attribute, name in names.items()}
    item |= {attribute: list(getattr(event, name)) for attribute, name in _LISTS.items()}
    item |= {
        attribute: to_text(moment)
        for attribute, name in _MOMENTS.items()
        if (moment := getattr(event, name)) is not None
    }
    # ISO 8601 intervals
    item["Bursts"] = [f"{to_text(start)}/{to_text(end)}" for start, end in event.bursts]
    item["EventContextSummary"] = event.told
    item["EventMessage"] = event.line
    # What the verdict reads, where the line says more. Empty, not absent: an item keeps what a write does not name.
    item[_SAID] = "" if event.original is None else event.message
    item["Ledger"] = {name: to_text(moment) for name, moment in event.ledger.items()}
    item[tables.EXPIRES_AT] = int((event.expires_from_ranking_at + _KEEP_AFTER_WINDOW).timestamp())
    return {name: value for name, value in item.items() if value is not None and value != []}


def from_item(item: dict[str, Any]) -> Stored:
    """The event of interest of an item. Raises KeyError or ValueError when it is not one."""
    values: dict[str, Any] = {}
    for names in (_TEXTS, _NUMBERS):
        values |= {name: item[attribute] for attribute, name in names.items() if attribute in item}
    values |= {name: tuple(item.get(attribute, ())) for attribute, name in _LISTS.items()}
    values |= {name: from_text(item[attribute]) for attribute, name in _MOMENTS.items() if attribute in item}
    said = item.get(_SAID)
    values |= {"message": said or item["EventMessage"], "original": item["EventMessage"] if said else None}
    values["ledger"] = {name: from_text(text) for name, text in item.get("Ledger", {}).items()}
    values["bursts"] = tuple((from_text(start), from_text(end)) for start, _, end in _intervals(item))
    values["relevance"] = float(values["relevance"])
    event = EventOfInterest(**values)
    seen = identity.from_attributes(item, identity.second(to_millis(event.last_seen)))
    return Stored(event, item.get(STAMP), seen)


def _intervals(item: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [str(text).partition("/") for text in item.get("Bursts", ())]


def operator_write(event: EventOfInterest, status: Status, who: str, at: datetime, reason: str | None) -> Write:
    """An operator's action, on the status that the operator saw: two people can't undo each other blindly.

    Of an event that was worked out of the baseline it makes an item, which keeps the status.
    """
    key = {"ApplicationId": event.application_id, "EventKey": event.event_key}
    told = {"Status": status, "StatusBy": who, "StatusAt": to_text(at), "StatusReason": reason}
    if not event.stored:
        item = {name: value for name, value in to_item(event).items() if name not in key}
        return Write(key, item | told, {"Status": None})
    return Write(
        key,
        told,
        {"Status": event.status, "StatusAt": to_text(event.status_at) if event.status_at else None},
    )
