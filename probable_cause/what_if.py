"""What would have been said: old events under other rules or weights, over tables in memory, verdict by verdict.

The stream's own stages and state are used. Events come in the order in which they arrived, in ticks; after each tick
the applications touched are judged, and between ticks those whose verdict time alone changes. Operators' actions are
not played: what is compared is what the ranking says by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, cast

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from probable_cause import pipeline
from probable_cause.fold import fold
from probable_cause.pipeline import Scope
from probable_cause.schemas import EVENT, UNATTRIBUTED
from probable_cause.state.application import add_repeats, renew
from probable_cause.state.event_item import Repeats, batch_stamp
from probable_cause.state.memory import memory_tables
from probable_cause.state.moments import to_text
from probable_cause.verdict import Verdict, VerdictModel

_MARK = "\x1f"  # between an application and a tick: in neither
_LISTED = 100_000  # events of one cause in one tick


@dataclass(frozen=True)
class Belief:
    """What was said of an application from `at` on."""

    at: datetime
    health: str
    cause: str | None
    confidence: float | None

    @property
    def said(self) -> tuple[str, str | None]:
        return self.health, self.cause

    def to_dict(self) -> dict[str, Any]:
        return {"health": self.health, "root_cause": self.cause, "confidence": self.confidence}


@dataclass(frozen=True)
class Change:
    """A span in which the two would have said different things; `until` is None for one that lasts to the end."""

    application_id: str
    since: datetime
    until: datetime | None
    before: Belief | None
    after: Belief | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "application_id": self.application_id,
            "from": to_text(self.since),
            "to": to_text(self.until) if self.until else None,
            "before": self.before.to_dict() if self.before else None,
            "after": self.after.to_dict() if self.after else None,
        }


Timelines = Mapping[str, Sequence[Belief]]


def play(
    events: DataFrame, lookup: DataFrame, scope: Scope, model: VerdictModel, until: datetime, tick: float = 60.0
) -> Timelines:
    """What would have been said of each application, up to `until`.

    Args:
        events: schemas.EVENT.
        lookup: attribution.LOOKUP.
        tick: seconds of arrival that are judged together.
    """
    rows = _by_tick(pipeline.of_interest_or_rejected(events, scope), lookup, scope, tick).toArrow().to_pylist()
    keyed = []
    for row in rows:
        application, _, number = row["application_id"].partition(_MARK)
        keyed.append((int(number), application, Repeats.from_row(row | {"application_id": application})))
    keyed.sort(key=lambda one: (one[0], one[1], one[2].event_type, one[2].cause_id, one[2].role))
    timelines = _Timelines(model)
    for number, of_tick in groupby(keyed, key=lambda one: one[0]):
        now = datetime.fromtimestamp((number + 1) * tick, UTC)
        if now > until:
            break
        timelines.pass_time(now)
        for application, some in groupby(of_tick, key=lambda one: one[1]):
            timelines.add(application, [one[2] for one in some], batch_stamp(1, number), scope.remembered_events, now)
    timelines.pass_time(until)
    return timelines.told


def _by_tick(kept: DataFrame, lookup: DataFrame, scope: Scope, tick: float) -> DataFrame:
    """schemas.FOLDED with one row for each application, tick and cause."""
    arrived = "coalesce(arrived_at, event_time)"
    alone = F.expr(f"concat(application_id, '{_MARK}', cast(floor(unix_micros({arrived}) / 1e6 / {tick}) as bigint))")
    described = pipeline.described(pipeline.of_interest(kept), lookup, scope)
    return described.withColumn("application_id", alone).transform(fold, _LISTED)


class _Timelines:
    """Tables in memory, and what was said of each application so far."""

    def __init__(self, model: VerdictModel) -> None:
        self.told: dict[str, list[Belief]] = {}
        self._tables, self._model = memory_tables(), model
        self._next: dict[str, datetime] = {}

    def add(self, application: str, rows: list[Repeats], stamp: str, remembered: int, now: datetime) -> None:
        add_repeats(self._tables, application, rows, stamp, remembered, now)
        self._judge(application, now)

    def pass_time(self, now: datetime) -> None:
        """Judges each application at the instants up to `now` at which time alone changes what is said."""
        while due := [(at, application) for application, at in self._next.items() if at <= now]:
            for at, application in sorted(due):
                self._judge(application, at)

    def _judge(self, application: str, now: datetime) -> None:
        renewal = renew(self._tables, application, now, self._model)
        self._next.pop(application, None)
        if renewal.next_change is not None:
            self._next[application] = max(renewal.next_change, now + timedelta(milliseconds=1))
        belief, told = _belief(renewal.verdict, now), self.told.setdefault(application, [])
        if not told or told[-1].said != belief.said:
            told.append(belief)


def _belief(verdict: Verdict, now: datetime) -> Belief:
    root = verdict.root_cause
    if root is None:
        return Belief(now, verdict.health, None, None)
    return Belief(now, verdict.health, root.event.summary, round(root.confidence, 3))


def compare(before: Timelines, after: Timelines) -> list[Change]:
    """The spans in which the two differ, by application and time."""
    changes: list[Change] = []
    for application in sorted({*before, *after}):
        one, other = before.get(application, ()), after.get(application, ())
        instants = sorted({belief.at for belief in (*one, *other)})
        for place, at in enumerate(instants):
            until = instants[place + 1] if place + 1 < len(instants) else None
            old, new = _at(one, at), _at(other, at)
            if (old.said if old else None) != (new.said if new else None):
                changes.append(Change(application, at, until, old, new))
    return changes


def _at(timeline: Sequence[Belief], at: datetime) -> Belief | None:
    return next((belief for belief in reversed(timeline) if belief.at <= at), None)


def text(changes: Iterable[Change]) -> list[str]:
    """One line a change."""

    def told(belief: Belief | None) -> str:
        return "nothing" if belief is None else f"{belief.health}, {belief.cause or 'no cause'}"

    return [
        f"{one.application_id}  {to_text(one.since)} - {to_text(one.until) if one.until else 'the end'}: "
        f"{told(one.before)}  ->  {told(one.after)}"
        for one in changes
    ]


def archived(rows: DataFrame) -> DataFrame:
    """The archive's events as schemas.EVENT: one row an event, whatever its rules and applications were. What the
    archive does not keep is null."""
    own = F.expr(f"if(family = 'application', nullif(application_id, '{UNATTRIBUTED}'), null)")
    kept = rows.withColumn("application_id", own)
    columns = [
        F.col(field.name) if field.name in kept.columns else F.lit(None).cast(field.dataType).alias(field.name)
        for field in cast(StructType, StructType.fromDDL(EVENT)).fields
    ]
    return kept.select(*columns).dropDuplicates(["event_id"])
