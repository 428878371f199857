"""One item of EventsOfInterestByApplication: a cause or symptom of one application, with its count. Pure data.

Standard library only: the verdict, the tables, the CLI and the Lambdas share it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Status = Literal["open", "acknowledged", "resolved"]
RECENT = 1.0  # below this relevance an event is no longer recent (design contract 3.2)


@dataclass(frozen=True)
class EventOfInterest:
    """An aggregated event of interest. Times are aware UTC datetimes; `relevance` is the base value (0-10), which is
    also the relevance at `last_seen`."""

    application_id: str
    event_type: str  # layer: application | network | cloudsystem
    cause_id: str
    episode: int
    role: str  # cause | symptom | recovery | (others): what a flood has beyond its foremost causes
    rule_id: str
    family: str
    relevance: float
    half_life_seconds: int
    window_seconds: int
    first_seen: datetime
    last_seen: datetime
    count: int
    summary: str
    message: str  # what the newest line says, without an application's header
    action: str | None = None
    outcome: str | None = None
    error_code: str | None = None
    actor: str | None = None
    actor_type: str | None = None  # person | pipeline | service
    resource_ids: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()  # IPs the event names
    explains: tuple[str, ...] = ()  # kinds of symptom that this cause can explain
    symptom: str | None = None  # the kind of symptom that this is
    resolves: tuple[str, ...] = ()  # for a recovery: the rules whose causes it ends
    sample_event_ids: tuple[str, ...] = ()  # CloudWatch event ids: first, newest
    status: Status = "open"
    status_by: str | None = None
    status_at: datetime | None = None
    status_reason: str | None = None
    ledger: dict[str, datetime] = field(default_factory=dict)  # event, delivered, arrived, processed (newest record)
    # When it happened, as (start, end) of bursts with silence between them, ascending. Empty: one, first to last seen.
    bursts: tuple[tuple[datetime, datetime], ...] = ()
    original: str | None = None  # the newest line as it came; None: `message` is all of it
    edges: tuple[str, ...] = ()  # of the service graph, of refused flows: `app1 -> app2:5432/tcp`
    # Of a refusal where traffic had been accepted: the edge, and until when. Worked out of the baseline, never stored.
    flip: tuple[str, datetime] | None = None
    stored: bool = True  # False: worked out of the baseline, without an item until an operator acts on it

    @property
    def event_key(self) -> str:
        """Sort key of the table: `<EventType>#<CauseId>#<episode>`."""
        return f"{self.event_type}#{self.cause_id}#{self.episode}"

    @property
    def line(self) -> str:
        """The newest original line."""
        return self.message if self.original is None else self.original

    @property
    def told(self) -> str:
        """The summary as people read it."""
        return self.summary if self.flip is None else f"{self.summary} ({self.flip[0]} had been accepted)"

    @property
    def expires_from_ranking_at(self) -> datetime:
        """The instant after which this event has relevance 0."""
        return self.last_seen + timedelta(seconds=self.window_seconds)

    def relevance_at(self, now: datetime) -> float:
        """base * 2^(-(now - last_seen) / half_life), and 0 past the window (design contract 3.2).

        An event seen after `now` (clock skew) has its base relevance.
        """
        age = (now - self.last_seen).total_seconds()
        if age > self.window_seconds:
            return 0.0
        return self.relevance * math.pow(2.0, -max(age, 0.0) / self.half_life_seconds)

    def is_recent(self, now: datetime) -> bool:
        return self.relevance_at(now) >= RECENT
