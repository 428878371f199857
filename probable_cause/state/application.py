"""What is known of one application, and the two things done to it: events are added, and its verdict is renewed.

Works on any kind of table. Time is an argument.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from probable_cause.errors import BusyError, ProbableCauseError
from probable_cause.schemas import OTHERS
from probable_cause.state import baseline, state_record
from probable_cause.state.baseline import Baseline
from probable_cause.state.chunks import Chunks
from probable_cause.state.episodes import add
from probable_cause.state.event_item import Repeats, Stored, from_item, operator_write
from probable_cause.state.event_of_interest import EventOfInterest, Status
from probable_cause.state.identity import DAY
from probable_cause.state.lease import JOB
from probable_cause.state.others import NO_LIMIT, admitted
from probable_cause.state.tables import Tables, Write
from probable_cause.verdict import DEFAULT, VerdictModel, judge, next_change_at
from probable_cause.verdict.changes import changes
from probable_cause.verdict.types import LAYERS, Verdict

_ATTEMPTS = 12  # each failed attempt means that somebody else wrote in between


@dataclass(frozen=True)
class Renewal:
    """A renewed verdict, when it will change by itself, and how many items were written for it."""

    verdict: Verdict
    next_change: datetime | None
    writes: int


def load_events(tables: Tables, application_id: str) -> dict[str, Stored]:
    """All events of interest of an application, by EventKey: the stored ones, and what its baseline tells."""
    return _events(tables, application_id, tables.states.get(baseline.key(application_id)))


def _events(tables: Tables, application_id: str, learned: dict[str, Any] | None) -> dict[str, Stored]:
    """As load_events(), of the item of the baseline; None: there is none."""
    return baseline.events(application_id, _stored(tables, application_id), baseline.from_item(learned))


def _stored(tables: Tables, application_id: str) -> dict[str, Stored]:
    items = tables.events.query(application_id)
    return {item["EventKey"]: from_item(item) for item in items}


def learn(tables: Tables, application_id: str, rows: Sequence[Repeats], known: Baseline | None) -> tuple[Baseline, int]:
    """Adds one batch's rows of accepted traffic to the application's baseline: it, and the number of writes. There is
    one only when the rows say something new.

    Args:
        known: as the caller last had it; None: it is read.

    Raises:
        BusyError: when others keep changing it at the same time.
    """
    for _ in range(_ATTEMPTS):
        if known is None:
            known = baseline.from_item(tables.states.get(baseline.key(application_id)))
        after = baseline.added(known, rows)
        if after == known:
            return known, 0
        write = baseline.write(application_id, after)
        if tables.states.apply(write):
            return replace(after, revision=write.attributes["Revision"]), 1
        known = None
    raise BusyError(f"others change the baseline of {application_id} again and again; the batch will be replayed")


def add_repeats(
    tables: Tables,
    application_id: str,
    rows: Iterable[Repeats],
    stamp: str,
    remembered: int,
    processed_at: datetime,
    horizon: float = DAY,
    chunks: Chunks | None = None,
    own_causes: int = NO_LIMIT,
) -> int:
    """Adds one batch's rows of one application, each by one conditional write; returns the number of writes.

    Args:
        remembered, horizon: see event_item.add.
        chunks: of these tables; kept by the caller, they are read once.
        own_causes: see others.admitted.

    Raises:
        BusyError: when others keep changing an item at the same time.
    """
    chunks = chunks or Chunks(tables.events)
    written = 0
    waiting = list(rows)
    for _ in range(_ATTEMPTS):
        known = _stored(tables, application_id).values()
        by_cause: dict[tuple[str, str], list[Stored]] = defaultdict(list)
        for stored in known:
            by_cause[stored.event.event_type, stored.event.cause_id].append(stored)
        again = []
        for row in admitted(waiting, (stored.event for stored in known), own_causes):
            existing = by_cause[row.event_type, row.cause_id]
            # An event that comes again may meanwhile be one of the others, or no longer be.
            if row.role == OTHERS:
                elsewhere = [one for one in known if one.event.event_type == row.event_type]
            else:
                elsewhere = by_cause.get((row.event_type, OTHERS), [])
            counted = chunks.counted([*existing, *elsewhere], row).union(*(one.seen.hashes() for one in elsewhere))
            for change in add(existing, row, stamp, remembered, processed_at, horizon, counted):
                for chunk in change.chunks:
                    written += tables.events.apply(chunk)
                if tables.events.apply(change.write):
                    written += 1
                else:
                    again.append(row)
                    break
        if not again:
            return written
        waiting = again
    raise BusyError(f"events of {application_id} are changed by others again and again; the batch will be replayed")


def renew(
    tables: Tables, application_id: str, now: datetime, model: VerdictModel, written_at: datetime | None = None
) -> Renewal:
    """Judges an application at `now` and writes what changed.

    Args:
        written_at: the machine's time for the latency ledger, when `now` is a scenario's.

    Raises:
        BusyError: when others keep changing its state at the same time.
    """
    for _ in range(_ATTEMPTS):
        # What it showed is read first: a verdict that another renews meanwhile, of newer events, is not overwritten.
        # History lies under the same hash key and grows, so only the current items are read.
        keys = [state_record.current_key(layer) for layer in (*LAYERS, state_record.OVERALL)]
        known_as = [{"ApplicationId": application_id, "StateKey": key} for key in keys]
        learned, *shown = tables.states.get_all([baseline.key(application_id), *known_as])
        current = {key: item for key, item in zip(keys, shown, strict=True) if item is not None}
        events = _events(tables, application_id, learned)
        previous = state_record.previous_records(current, events)
        known: list[EventOfInterest] = [stored.event for stored in events.values()]
        verdict = judge(known, now, model, previous, application_id=application_id)
        next_change = next_change_at(known, now, model)
        writes = state_record.writes(verdict, current, now, written_at or now, next_change, events)
        if all(tables.states.apply(write) for write in writes):
            return Renewal(verdict, next_change, len(writes))
    raise BusyError(f"the state of {application_id} is changed by others again and again; it will be judged again")


def act(
    tables: Tables,
    application_id: str,
    event_type: str,
    status: Status,
    who: str,
    now: datetime,
    reason: str | None = None,
    cause: str | None = None,
    model: VerdictModel = DEFAULT,
) -> list[EventOfInterest]:
    """An operator's acknowledge, resolve or reopen: of one cause, or of what the layer shows now.

    What tells of the same change follows: Config's view of a call, the calls of one deployment. An event of it that
    somebody acts on at the same moment stays as that person set it.

    Args:
        cause: CauseId, EventKey or a part of either; None takes what `<event_type>#current` shows.
        model: says which events tell of one change.

    Returns:
        The events as they were when the operator's action took hold.

    Raises:
        ProbableCauseError: when nothing, or several things, fit; or when somebody else acted at the same moment.
    """
    events = load_events(tables, application_id)
    chosen = _choose(tables, application_id, event_type, cause, events)
    for event in chosen:
        write = operator_write(event, status, who, now, reason)
        if not tables.events.apply(write) and not _is_there(tables, write):
            raise ProbableCauseError(
                f"{event.summary}: somebody else acted on it at the same moment. Look again: `probable-cause top "
                f"{application_id}`"
            )
    known = [stored.event for stored in events.values()]
    others = {one.event_key: one for event in chosen for one in same_change(event, known, model)}
    for event in chosen:
        others.pop(event.event_key, None)
    writes = [(one, operator_write(one, status, who, now, reason)) for one in others.values()]
    followed = [one for one, write in writes if tables.events.apply(write) or _is_there(tables, write)]
    return chosen + followed


def _is_there(tables: Tables, write: Write) -> bool:
    """Whether a refused write is the operator's own: carried out, but its answer was lost and it was sent again."""
    item = tables.events.get(write.key) or {}
    return all(item.get(name) == value for name, value in write.attributes.items())


def same_change(event: EventOfInterest, events: list[EventOfInterest], model: VerdictModel) -> list[EventOfInterest]:
    """The other events of interest that tell of the same change as `event` and have its status.

    Args:
        events: all of the application.
    """
    for change in changes([one for one in events if one.role == "cause"], model):
        if change.lead.event_key == event.event_key:
            return [one for one in change.members if one.event_key != event.event_key and one.status == event.status]
    return []


def _choose(
    tables: Tables, application_id: str, event_type: str, cause: str | None, events: dict[str, Stored]
) -> list[EventOfInterest]:
    if cause is None:
        key = {"ApplicationId": application_id, "StateKey": state_record.current_key(event_type)}
        shown = (tables.states.get(key) or {}).get("EventKey")
        if shown not in events:
            raise ProbableCauseError(f"{application_id}: layer {event_type} shows no cause now; name one, or see `top`")
        return [events[shown].event]
    fitting = [
        stored.event
        for key, stored in events.items()
        if stored.event.event_type == event_type and stored.event.status != "resolved" and cause in key
    ]
    names = {event.cause_id for event in fitting}
    if len(names) != 1:
        known = sorted({s.event.cause_id for s in events.values() if s.event.event_type == event_type})
        raise ProbableCauseError(
            f"{application_id}: {len(names) or 'no'} unresolved {event_type} causes fit {cause!r}; known are: "
            f"{'; '.join(known) or 'none'}"
        )
    return fitting


def is_judged(tables: Tables, application_id: str) -> bool:
    """Whether the application has a verdict. One that only talks to others has none."""
    key = {"ApplicationId": application_id, "StateKey": state_record.current_key(state_record.OVERALL)}
    return tables.states.get(key) is not None


def applications(tables: Tables) -> dict[str, dict[str, object]]:
    """`overall#current` of every application, by ApplicationId."""
    return {
        item["ApplicationId"]: item
        for item in tables.states.scan()
        if item["StateKey"] == state_record.current_key(state_record.OVERALL) and item["ApplicationId"] != JOB
    }
