"""A transition as the published document: docs/response.md tells it, docs/response.schema.json holds it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from probable_cause.lambdas.responder.snapshot import Layer, Snapshot
from probable_cause.lambdas.responder.transitions import Transition

SOURCE = "probable-cause"
VERSION = "1.0"
# EventBridge and SNS take 256 KB; the outbox of one application must fit into one item of 400 KB.
MOST_BYTES = 48 * 1024


def detail_type(kind: str) -> str:
    """EventBridge's `detail-type` of a kind of transition."""
    return f"Probable Cause {kind}"


def document(
    transition: Transition, now: Snapshot, held_back: int = 0, flapping: bool = False, dashboard: str | None = None
) -> dict[str, Any]:
    """The document of one transition, at most MOST_BYTES long.

    Args:
        now: the snapshot that the transition leads to: its root cause gives confidence and evidence.
        held_back: how many transitions of this layer were not told since the last one that was.
        flapping: this is the last one told until the cause is steady.
        dashboard: URL of the page, for a link.
    """
    root = now.root if now.root and _is_about(now.root, transition) else None
    body = {
        "version": VERSION,
        "transition_id": transition.transition_id,
        "transition": transition.kind,
        "at": transition.at,
        "application_id": transition.application_id,
        "layer": transition.layer,
        "health": {"before": transition.health_before, "after": transition.health_after},
        "cause": _cause(transition.shown),
        "previous_cause": _cause(transition.before) if transition.before else None,
        "deferred_from": transition.shown["DeferredFrom"],
        "ended": _ended(transition),
        "is_root_cause": root is not None,
        "root_cause": _named(now.root),
        "confidence": root["confidence"] if root else None,
        "evidence": list(root["evidence"]) if root else [],
        "rivals": [_rival(one) for one in root["rivals"]] if root else [],
        "gaps": list(root["gaps"]) if root else [],
        "ledger": dict(transition.shown["Ledger"] or {}),
        "proposed_inverse": root["proposed_inverse"] if root else None,
        "flapping": flapping,
        "held_back": held_back,
        "link": f"{dashboard.rstrip('/')}/#/app/{quote(transition.application_id, safe='')}" if dashboard else None,
    }
    return _shortened(body)


def to_json(body: Mapping[str, Any]) -> str:
    """One line of JSON, the same text for the same document."""
    return json.dumps(body, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def sentence(body: Mapping[str, Any]) -> str:
    """The document in one line of words, for a subject or a chat."""
    what = {
        "Opened": "{cause}",
        "Changed": "now {cause} (was: {previous})",
        "Deferred": "{cause}, deferred from {origin}",
        "Acknowledged": "{cause} acknowledged by {who}",
        "Resolved": "{cause} is over ({how})",
        "Expired": "{cause} is no longer recent",
    }[body["transition"]]
    ended = body["ended"] or {}
    words = what.format(
        cause=body["cause"]["summary"],
        previous=(body["previous_cause"] or {}).get("summary"),
        origin=body["deferred_from"],
        who=body["cause"]["status_by"] or "somebody",
        how=" ".join(filter(None, (ended.get("how"), f"by {ended['by']}" if ended.get("by") else None))),
    )
    return f"{body['application_id']} {body['layer']}: {words}"


def _is_about(root: Mapping[str, Any], transition: Transition) -> bool:
    return transition.event_key in (root["event"]["event_key"], *root.get("same_change", ()))


def _cause(layer: Layer) -> dict[str, Any]:
    return {
        "event_key": layer["EventKey"],
        "summary": layer["EventContextSummary"] or layer["EventKey"],
        "role": layer["Role"],
        "rule_id": layer["RuleId"],
        "action": layer["Action"],
        "resource_ids": list(layer["ResourceIds"] or ()),
        "actor": layer["Actor"],
        "actor_type": layer["ActorType"],
        "first_seen": layer["FirstSeenDate"],
        "last_seen": layer["LastSeenDate"],
        "count": layer["Count"],
        "relevance": layer["EventRelevance"],
        "status": layer["Status"],
        "status_by": layer["StatusBy"],
        "status_at": layer["StatusAt"],
        "status_reason": layer["StatusReason"],
        "event_ids": list(layer["SampleEventIds"] or ()),
    }


def _ended(transition: Transition) -> dict[str, Any] | None:
    if transition.ended is None:
        return None
    names = {"how": "How", "by": "By", "at": "At", "reason": "Reason"}
    return {name: transition.ended.get(attribute) for name, attribute in names.items()}


def _named(root: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if root is None:
        return None
    event = root["event"]
    told = {name: event[name] for name in ("event_key", "event_type", "summary")}
    return {**told, "confidence": root["confidence"]}


def _rival(rival: Mapping[str, Any]) -> dict[str, Any]:
    event = rival["event"]
    told = {name: event[name] for name in ("event_key", "event_type", "summary", "actor", "last_seen")}
    return {**told, "confidence": rival["confidence"], "why_lower": rival["why_lower"]}


def _shortened(body: dict[str, Any]) -> dict[str, Any]:
    """Drops the least telling parts until the document fits; `left_out` names them."""
    left_out: list[str] = []
    body["left_out"] = left_out
    for name in ("rivals", "evidence", "proposed_inverse", "gaps"):
        if len(to_json(body).encode()) <= MOST_BYTES:
            break
        left_out.append(name)
        body[name] = None if name == "proposed_inverse" else []
    return body
