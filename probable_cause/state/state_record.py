"""How a verdict is held in SystemStateRecordsByApplication: a current item per layer, one for the whole application,
and a record of each probable cause that there was. Standard library only; no clock.

    <EventType>#current                        what the layer shows now
    <EventType>#<since, ISO 8601>#<cause>      one per past (and the present) record; newest first when read backwards
    overall#current                            health, root cause with confidence, evidence and rivals; and what every
                                               layer shows (shown.py), so that the responder needs this item alone
    overall#<since, ISO 8601>#verdict          what was believed from then on: the whole verdict as JSON
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from probable_cause.state import shown, tables
from probable_cause.state.event_item import Stored, to_item
from probable_cause.state.moments import to_text
from probable_cause.state.tables import Write
from probable_cause.verdict.types import LAYERS, LayerRecord, LayerVerdict, Verdict

OVERALL = "overall"
_HISTORY_KEPT = timedelta(days=90)
# Attributes that say when a verdict was looked at, not what it is: alone they are no reason to write.
_BOOKKEEPING = {"JudgedAt", "Revision", "NextChangeAt", "Ledger"}


def current_key(layer: str) -> str:
    """Sort key of what a layer, or `overall`, shows now."""
    return f"{layer}#current"


def previous_records(current: Mapping[str, Mapping[str, Any]], events: Mapping[str, Stored]) -> dict[str, LayerRecord]:
    """What each layer showed before, for `verdict.judge`.

    Args:
        current: items by StateKey.
        events: stored events of the application by EventKey.
    """
    previous = {}
    for layer in LAYERS:
        item = current.get(current_key(layer), {})
        stored = events.get(item.get("EventKey", ""))
        if stored is not None:
            previous[layer] = LayerRecord(stored.event, item.get("DeferredFrom"))
    return previous


def writes(
    verdict: Verdict,
    current: Mapping[str, Mapping[str, Any]],
    now: datetime,
    written_at: datetime,
    next_change: datetime | None,
    events: Mapping[str, Stored] | None = None,
) -> list[Write]:
    """The writes that bring the table from `current` to `verdict`; none when it says the same already.

    Args:
        now: the instant the verdict is for.
        written_at: the machine's time, for the latency ledger; differs from `now` only on a scenario's clock.
        events: stored events of the application by EventKey: they say how what a layer showed before has ended.

    Records of the past come first and `overall#current` last, so that a reader never sees a verdict without its parts.
    """
    records: list[Write] = []
    layers: list[Write] = []
    items = {}
    for layer in LAYERS:
        before = current.get(current_key(layer), {})
        items[layer] = after = _layer_item(verdict.layers[layer], before, now, written_at, layer)
        if _differs(before, after):
            layers.append(_replace(verdict.application_id, before, after))
            records += _record_writes(verdict.application_id, layer, before, after, now)
    before = current.get(current_key(OVERALL), {})
    after = _overall_item(verdict, before, now, next_change)
    known = {key: stored.event for key, stored in (events or {}).items()}
    after["Layers"] = shown.layers(verdict, items, before.get("Layers", {}), known)
    overall = []
    if _differs(before, after) or layers:
        overall.append(_replace(verdict.application_id, before, after))
    if before.get("Signature") != after["Signature"]:
        records.append(_belief(verdict, after["Since"], now))
    return records + layers + overall


def signature_text(verdict: Verdict) -> str:
    """What an operator would call the same verdict, as the table holds it."""
    return json.dumps(verdict.signature(), default=str)


def _layer_item(
    shown: LayerVerdict, before: Mapping[str, Any], now: datetime, written_at: datetime, layer: str
) -> dict[str, Any]:
    item: dict[str, Any] = {
        "StateKey": current_key(layer),
        "EventType": layer,
        "State": shown.state,
        "DeferredFrom": shown.deferred_from,
        "Symptoms": list(shown.symptoms),
        "JudgedAt": to_text(now),
    }
    if shown.event is not None:
        event = to_item(shown.event)
        for name in ("ApplicationId", "EventType", tables.EXPIRES_AT):
            event.pop(name, None)
        item |= event
        same = before.get("EventKey") == item["EventKey"] and before.get("DeferredFrom") == shown.deferred_from
        item["Ledger"] = _ledger(event.get("Ledger", {}), before.get("Ledger", {}) if same else {}, written_at)
        item["Since"] = before["Since"] if same and "Since" in before else to_text(now)
        item["RecordKey"] = f"{layer}#{item['Since']}#{_short(item['EventKey'])}"
    return item


def _ledger(event: dict[str, str], before: Mapping[str, str], written_at: datetime) -> dict[str, str]:
    """`written` is when a record first showed in the table: a later rewrite of the item for other reasons keeps it."""
    known = before.get("written") if before.get("processed") == event.get("processed") else None
    return {**event, "written": known or to_text(written_at)}


def _overall_item(
    verdict: Verdict, before: Mapping[str, Any], now: datetime, next_change: datetime | None
) -> dict[str, Any]:
    told = verdict.to_dict()
    signature = signature_text(verdict)
    root = verdict.root_cause
    return {
        "StateKey": current_key(OVERALL),
        "Health": verdict.health,
        "RootCause": json.dumps(told["root_cause"], sort_keys=True) if root else None,
        "EventKey": root.event.event_key if root else None,
        "EventContextSummary": root.event.summary if root else None,
        "Confidence": round(root.confidence, 4) if root else None,
        "Actor": root.event.actor if root else None,
        "WhyNone": verdict.why_none,
        "Signature": signature,
        "Since": before["Since"] if before.get("Signature") == signature else to_text(now),
        "JudgedAt": to_text(now),
        "NextChangeAt": to_text(next_change) if next_change else None,
    }


def _record_writes(
    application_id: str, layer: str, before: Mapping[str, Any], after: Mapping[str, Any], now: datetime
) -> list[Write]:
    """The record of the cause shown now, and the end of the one shown before."""
    done = []
    if "RecordKey" in before and before["RecordKey"] != after.get("RecordKey"):
        done.append(_record(application_id, before["RecordKey"], {"Until": to_text(now)}))
    if "RecordKey" in after:
        skipped = {"StateKey", "RecordKey", *_BOOKKEEPING} - {"Ledger"}
        content = {name: value for name, value in after.items() if name not in skipped}
        expires = int((now + _HISTORY_KEPT).timestamp())
        done.append(_record(application_id, after["RecordKey"], {**content, tables.EXPIRES_AT: expires}, whole=True))
    return done


def _record(application_id: str, state_key: str, attributes: dict[str, Any], whole: bool = False) -> Write:
    return Write({"ApplicationId": application_id, "StateKey": state_key}, attributes, whole=whole)


def _belief(verdict: Verdict, since: str, now: datetime) -> Write:
    attributes = {
        "Verdict": json.dumps(verdict.to_dict(), sort_keys=True),
        "Health": verdict.health,
        "Since": since,
        tables.EXPIRES_AT: int((now + _HISTORY_KEPT).timestamp()),
    }
    return _record(verdict.application_id, f"{OVERALL}#{since}#verdict", attributes, whole=True)


def _replace(application_id: str, before: Mapping[str, Any], after: dict[str, Any]) -> Write:
    """The whole item, and only on the revision that was read."""
    attributes = {name: value for name, value in after.items() if name != "StateKey"}
    attributes["Revision"] = int(before.get("Revision", 0)) + 1
    key = {"ApplicationId": application_id, "StateKey": after["StateKey"]}
    return Write(key, attributes, {"Revision": before.get("Revision")}, whole=True)


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    def content(item: Mapping[str, Any]) -> dict[str, Any]:
        skipped = {"ApplicationId", *_BOOKKEEPING}
        return {name: value for name, value in item.items() if value not in (None, []) and name not in skipped}

    return content(before) != content(after)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
