"""`probable-cause rejects`: what could not be read, by family and reason; one of them whole; and their replay."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from probable_cause import commands, rejects
from probable_cause.errors import ProbableCauseError
from probable_cause.settings import Settings
from probable_cause.storage import Folder


def run(chosen: argparse.Namespace, configuration: Settings, say: Callable[[str], None]) -> int:
    """One of list, show and replay; prints by `say` and gives the exit code."""
    store = Folder(configuration.rejects_path)
    return {"list": _list, "show": _show, "replay": _replay}[chosen.action](chosen, configuration, store, say)


def _list(chosen: argparse.Namespace, configuration: Settings, store: Folder, say: Callable[[str], None]) -> int:
    found = [
        {"family": family, "reason": reason, "count": count}
        for (family, reason), count in sorted(rejects.counts(rejects.stored(store)).items(), key=lambda one: -one[1])
        if chosen.family in (None, family) and chosen.reason in (None, reason)
    ]
    if chosen.json:
        say(commands.as_json(found))
        return 0
    for one in found:
        say(f"{one['count']:>8}  {one['family']:<12} {one['reason']}")
    if not found:
        say(f"no rejected records in {store.path}")
    return 0


def _show(chosen: argparse.Namespace, configuration: Settings, store: Folder, say: Callable[[str], None]) -> int:
    rows: list[dict[str, Any]] = []
    for batch in rejects.stored(store):
        rows += rejects.matching(batch.rows, chosen.family, chosen.reason)
        if len(rows) >= chosen.limit:
            break
    rows = rows[: chosen.limit]
    if chosen.json:
        say(commands.as_json(rows))
        return 0
    for row in rows:
        group = row.get("log_group", "no log group")
        say(f"{row.get('family', 'unknown')}/{row['reject_reason']}  {group}  arrived {row.get('arrived_at', '-')}")
        say(f"    {row.get('reject_detail') or '-'}")
        say(f"    {str(row.get('message', ''))[:2000]}")
    return 0


def _replay(chosen: argparse.Namespace, configuration: Settings, store: Folder, say: Callable[[str], None]) -> int:
    from probable_cause import session, wiring
    from probable_cause.sources import routing_of

    if not any(True for _ in rejects.stored(store)):
        raise ProbableCauseError(f"no rejected records in {store.path}: nothing to replay")
    spark = session.build("probable-cause-rejects", "local[2]")
    try:
        done = rejects.replay(
            spark,
            store,
            routing_of(configuration.log_groups, configuration.max_decompressed),
            wiring.sink_beside(configuration),
            chosen.family,
            chosen.reason,
        )
    finally:
        spark.stop()
    if chosen.json:
        applications = list(done.applications)
        say(commands.as_json({"rows": done.rows, "accepted": done.accepted, "applications": applications}))
        return 0
    say(f"{done.accepted} of {done.rows} records could be read now and have left {store.path}")
    if done.applications:
        say(f"verdicts renewed: {', '.join(done.applications)}")
    return 0
