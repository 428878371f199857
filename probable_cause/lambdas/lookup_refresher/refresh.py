"""One refresh: look everywhere, compare, write. A dry run stops before writing."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from probable_cause.lambdas.lookup_refresher import changes, ownership
from probable_cause.lambdas.lookup_refresher.accounts import Options, Place, places
from probable_cause.lambdas.lookup_refresher.changes import Change
from probable_cause.lambdas.lookup_refresher.inventory import Resource
from probable_cause.lambdas.lookup_refresher.ownership import BY_IP, BY_RESOURCE
from probable_cause.lambdas.lookup_refresher.sources import ALL
from probable_cause.state.tables import Tables

log = logging.getLogger(__name__)


@dataclass
class Found:
    """What was seen. Of a scope that is not in `complete` something could not be read, and `faults` says what."""

    resources: list[Resource] = field(default_factory=list)
    complete: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """What a refresh changed, or would."""

    resources: int
    rows: int
    changes: list[Change]
    faults: list[str]

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        counts = Counter(one.kind for one in self.changes)
        return {
            "resources": self.resources,
            "rows": self.rows,
            "opened": counts["open"] + counts["reopen"],
            "closed": counts["close"],
            "updated": counts["update"],
            "changes": [
                {"kind": c.kind, "table": c.table, "key": c.key, "application_id": c.application_id, "type": c.type}
                for c in self.changes
            ],
            "faults": self.faults,
        }


def look(options: Options) -> Found:
    """The resources of every account and region. What can't be read is told, and stops nothing else."""
    found = Found()
    for place in places(options):
        if isinstance(place, str):
            found.faults.append(place)
            continue
        seen, faults = _look_at(place, options.application_tags, options.stack_fallback)
        found.resources += seen
        found.faults += faults
        # Without a fault and without anything, a permission that filters is likelier than an empty account.
        if not faults and seen:
            found.complete.add(place.scope)
    return found


def _look_at(place: Place, tags: Iterable[str], stack_fallback: bool) -> tuple[list[Resource], list[str]]:
    wanted = [*tags, *([ownership.STACK] if stack_fallback else [])]
    seen: list[Resource] = []
    faults = []
    for name, source in ALL.items():
        try:
            seen += [replace(one, scope=place.scope) for one in source(place.client, wanted)]
        except (ClientError, BotoCoreError) as exc:
            faults.append(f"{place.scope}: {name}: {exc}")
    return seen, faults


def refresh(tables: Tables, options: Options, now: datetime, dry_run: bool = False) -> Report:
    """Brings both lookup tables up to date with the accounts."""
    found = look(options)
    wanted = ownership.rows(found.resources, options.application_tags, options.stack_fallback)
    there = {BY_IP: tables.by_ip.scan(), BY_RESOURCE: tables.by_resource.scan()}
    todo = changes.between(there, wanted, found.complete, now)
    if not dry_run:
        of = {BY_IP: tables.by_ip, BY_RESOURCE: tables.by_resource}
        for one in todo:
            of[one.table].apply(one.write)
    for fault in found.faults:
        log.warning("%s", fault)
    return Report(len(found.resources), len(wanted), todo, found.faults)
