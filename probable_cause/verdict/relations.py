"""How changes and onsets relate: time, kind and path, each pair worked out once; and how usual a change is.

None of it depends on the instant that is asked about, so one memory serves all instants of one set of events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.verdict import factors, usual
from probable_cause.verdict.changes import Change
from probable_cause.verdict.factors import Onset, Topology
from probable_cause.verdict.model import VerdictModel


@dataclass(frozen=True)
class Relation:
    """`time`, `kind`, `path` and `realm` are factors (0..1), the cases name the latter three in words."""

    time: float
    kind: float
    path: float
    realm: float
    kind_case: str
    path_case: str
    realm_case: str

    @property
    def value(self) -> float:
        """What the change explains of the onset."""
        return self.time * self.kind * self.path * self.realm


class Relations:
    """The relations of one application's events."""

    def __init__(
        self, model: VerdictModel, topology: Topology | None = None, events: Sequence[EventOfInterest] = ()
    ) -> None:
        self.model = model
        self._topology = topology
        self._days = usual.days(events)
        self._known: dict[tuple[tuple[str, ...], Onset], Relation] = {}

    def of(self, change: Change, onset: Onset) -> Relation:
        """The relation of a change and an onset."""
        key = (change.key, onset)
        if key not in self._known:
            self._known[key] = self._work_out(change, onset)
        return self._known[key]

    def usual(self, change: Change) -> int:
        """On how many earlier days such a change was made by the same caller."""
        return usual.earlier(change.lead, self._days)

    def actor(self, change: Change) -> float:
        """The factor of who made a change, and how usual that is."""
        return factors.actor(change.lead, self.usual(change), self.model)

    def _work_out(self, change: Change, onset: Onset) -> Relation:
        model = self.model
        time = factors.time(change, onset, model)
        kind, kind_case = factors.kind(change, onset.symptom, model)
        if time <= model.after or kind_case == "mismatch":
            # Texts are not searched for what can't be a cause anyway.
            return Relation(time, kind, model.path["unknown"], 1.0, kind_case, "unknown", "unknown")
        path, path_case = factors.path(change, onset.symptom, self._topology, model)
        realm, realm_case = factors.realm(change, onset.symptom, model)
        return Relation(time, kind, path, realm, kind_case, path_case, realm_case)
