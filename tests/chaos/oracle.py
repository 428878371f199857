"""What the tables must hold, worked out in plain Python from the facts, and the comparison cell by cell.

Independent of the product: no code of it is imported here. Items are compared as DynamoDB returns them.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos.workload import Fact

Key = tuple[str, str]  # ApplicationId, EventKey


@dataclass(frozen=True)
class Resolution:
    """An operator's act at an instant (epoch ms): later events are of a new episode."""

    application_id: str
    event_type: str
    cause: str
    at: int


@dataclass
class Comparison:
    """`lost` and `double` are events; `differences` are cells, each in words."""

    cells: int = 0
    lost: int = 0
    double: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return not self.differences

    def cell(self, where: str, found: Any, wanted: Any) -> None:
        self.cells += 1
        if found != wanted:
            self.differences.append(f"{where}: found {found!r}, wanted {wanted!r}")


def expected(facts: Iterable[Fact], resolutions: Iterable[Resolution] = ()) -> dict[Key, dict[str, Any]]:
    """(application, event key) -> the cells that the table must hold."""
    ended = {(one.application_id, one.event_type, one.cause): one.at for one in resolutions}
    grouped: dict[Key, dict[str, Fact]] = defaultdict(dict)
    for fact in facts:
        resolved_at = ended.get((fact.application_id, fact.event_type, fact.cause))
        episode = 2 if resolved_at is not None and fact.at > resolved_at else 1
        grouped[fact.application_id, f"{fact.event_type}#{fact.cause}#{episode}"][fact.event_id] = fact
    return {key: _cells(list(distinct.values())) for key, distinct in grouped.items()}


def _cells(facts: list[Fact]) -> dict[str, Any]:
    last = max(fact.at for fact in facts)
    newest = [fact for fact in facts if fact.at == last]
    return {
        "EventType": newest[0].event_type,
        "Role": newest[0].role,
        "Count": len(facts),
        "FirstSeenDate": moment(min(fact.at for fact in facts)),
        "LastSeenDate": moment(last),
        # Several events may be the newest: any of them may lend its words.
        "EventMessage": {fact.message for fact in newest},
        "EventContextSummary": {fact.summary for fact in newest},
    }


def moment(millis: int) -> str:
    """ISO 8601 with milliseconds."""
    text = datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def compare(
    items: Iterable[Mapping[str, Any]],
    wanted: Mapping[Key, Mapping[str, Any]],
    flags: Mapping[Key, set[tuple[Any, ...]]] | None = None,
) -> Comparison:
    """Every item of EventsOfInterestByApplication against the truth.

    Args:
        flags: (Status, StatusBy, StatusAt) that operators may have left on an item; all others must be open.
    """
    done = Comparison()
    found = {(one["ApplicationId"], one["EventKey"]): one for one in items}
    for key in sorted(found.keys() | wanted.keys()):
        where = " ".join(key)
        have, want = found.get(key), wanted.get(key)
        if have is None or want is None:
            done.cells += 1
            done.differences.append(f"{where}: {'missing' if have is None else 'nobody sent this'}")
            done.lost += want["Count"] if want else 0
            done.double += int(have["Count"]) if have else 0
            continue
        done.lost += max(want["Count"] - int(have["Count"]), 0)
        done.double += max(int(have["Count"]) - want["Count"], 0)
        for name, value in want.items():
            if isinstance(value, set):
                told = have.get(name)
                done.cell(f"{where} {name}", told if told in value else (told, "not in", sorted(value)[:2]), told)
            else:
                done.cell(f"{where} {name}", have.get(name), value)
        allowed = (flags or {}).get(key, {("open", None, None)})
        shown = tuple(have.get(name) for name in ("Status", "StatusBy", "StatusAt"))
        done.cell(f"{where} flags", shown if shown in allowed else (shown, "not in", allowed), shown)
    return done


def compare_states(states: Iterable[Mapping[str, Any]], events: Mapping[Key, Mapping[str, Any]]) -> Comparison:
    """What each layer shows now must be one of the application's own events, as that event's item has it: a verdict
    that was left behind by a crash shows an older count."""
    done = Comparison()
    told = {(one["ApplicationId"], one["StateKey"]): one for one in states}
    for application in {key[0] for key in events}:
        overall = told.get((application, "overall#current"))
        done.cell(f"{application} overall#current", overall is not None, True)
        for layer in ("application", "network", "cloudsystem"):
            shown = told.get((application, f"{layer}#current"), {})
            if "EventKey" not in shown:
                continue
            event = events.get((application, shown["EventKey"]), {})
            for name in ("Count", "FirstSeenDate", "LastSeenDate", "Status", "StatusBy"):
                done.cell(f"{application} {layer}#current {name}", shown.get(name), event.get(name))
    return done


def rejects_on_disk(folder: Path) -> dict[str, int]:
    """Reason -> rows, of the JSON lines that the job keeps."""
    found: Counter[str] = Counter()
    for file in folder.glob("*/*/*.json"):
        found.update(json.loads(line)["reject_reason"] for line in file.read_text(encoding="utf-8").splitlines())
    return dict(found)


def compare_rejects(found: Mapping[str, int], wanted: Mapping[str, int]) -> Comparison:
    """Every record that can't be read is kept once, with its reason (I5)."""
    done = Comparison()
    for reason in sorted(found.keys() | wanted.keys()):
        done.cell(f"rejects {reason}", found.get(reason, 0), wanted.get(reason, 0))
        done.lost += max(wanted.get(reason, 0) - found.get(reason, 0), 0)
        done.double += max(found.get(reason, 0) - wanted.get(reason, 0), 0)
    return done
