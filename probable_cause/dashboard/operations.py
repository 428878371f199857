"""Is the job itself well: its heartbeat, lag per shard, rejects by reason; health for Grafana; a badge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from probable_cause.dashboard.overview import HEALTH_LEVELS
from probable_cause.state.lease import JOB
from probable_cause.state.tables import Tables

HEARTBEAT = {"ApplicationId": JOB, "StateKey": "heartbeat"}
_COLOURS = {"healthy": "#2e7d4f", "degraded": "#8a6100", "failing": "#b3261e", "unknown": "#5f6368"}
_CHARACTER = 6.6  # px, mean width at the badge's font size


def heartbeat(tables: Tables) -> dict[str, Any]:
    """What the job said of itself last; empty when it has not run on these tables."""
    return tables.states.get(HEARTBEAT) or {}


def operations(tables: Tables) -> dict[str, Any]:
    """Heartbeat, lag (ms by shard), lines by family, rejects as rows, and which driver holds the lease."""
    beat = heartbeat(tables)
    lease = tables.states.get({"ApplicationId": JOB, "StateKey": "lease"}) or {}
    return {
        "job_seen_at": beat.get("JobSeenAt"),
        "batch_id": beat.get("BatchId"),
        "lag_ms": dict(sorted(beat.get("Lag", {}).items())),
        "lines": dict(sorted(beat.get("Lines", {}).items())),
        "rejects": _rejects(beat.get("Rejects", {})),
        "driver": {"owner": lease.get("Owner"), "epoch": lease.get("Epoch"), "taken_at": lease.get("TakenAt")},
    }


def _rejects(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Rows of family, reason and count, most first, of `family/reason` -> count."""
    rows = []
    for name, count in counts.items():
        family, _, reason = name.partition("/")
        rows.append({"family": family, "reason": reason or "unknown", "count": count})
    return sorted(rows, key=lambda one: (-one["count"], one["family"], one["reason"]))


def health(rows: Iterable[Mapping[str, Any]], beat: Mapping[str, Any]) -> dict[str, Any]:
    """Flat rows for Grafana's Infinity or JSON data source: numbers where a panel wants to draw them."""
    lag: Sequence[int] = list(beat.get("Lag", {}).values())
    return {
        "applications": [
            {
                "application": row["application_id"],
                "health": row["health"],
                "level": HEALTH_LEVELS.get(row["health"], 0),
                "since": row["since"],
                "root_cause": (row["root_cause"] or {}).get("summary"),
                "layer": (row["root_cause"] or {}).get("event_type"),
                "confidence": (row["root_cause"] or {}).get("confidence"),
                "status": (row["root_cause"] or {}).get("status"),
            }
            for row in rows
        ],
        "job": {
            "seen_at": beat.get("JobSeenAt"),
            "lag_ms_max": max(lag, default=None),
            "rejects": sum(beat.get("Rejects", {}).values()),
        },
    }


def badge(application_id: str, health_word: str) -> bytes:
    """A status badge: SVG without script, link or outside font."""
    name = application_id if len(application_id) <= 40 else application_id[:39] + "…"
    left, right = (round(len(text) * _CHARACTER) + 14 for text in (name, health_word))
    label = escape(f"{name}: {health_word}", {'"': "&quot;"})
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{label}">'
        f"<title>{label}</title>"
        f'<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3c4043"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS.get(health_word, _COLOURS["unknown"])}"/></g>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2}" y="14">{escape(name)}</text>'
        f'<text x="{left + right / 2}" y="14">{escape(health_word)}</text></g></svg>'
    ).encode("utf-8", "replace")
