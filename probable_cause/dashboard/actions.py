"""An operator's action from the page: acknowledge, resolve, reopen. Nobody undoes another person's action blindly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from probable_cause.dashboard import detail
from probable_cause.dashboard.http import Response, answer, refusal
from probable_cause.state.application import load_events, renew, same_change
from probable_cause.state.event_item import operator_write
from probable_cause.state.event_of_interest import EventOfInterest, Status
from probable_cause.state.state_record import current_key
from probable_cause.state.tables import Tables
from probable_cause.verdict import VerdictModel
from probable_cause.verdict.types import LAYERS

STATUS: dict[str, Status] = {"acknowledge": "acknowledged", "resolve": "resolved", "reopen": "open"}
_REASON = 500  # characters


def act(tables: Tables, application_id: str, body: str, now: datetime, actor: str, model: VerdictModel) -> Response:
    """Does what `body` asks, on every event of the same change, and renews the verdict at once.

    `body` is JSON: `action`, and `event_key` or `event_type` (with `cause`, a CauseId; without it what the layer
    shows); `reason`; `seen_status` and `seen_status_at`, what the page showed when the person decided.

    Returns:
        200 with the event as it is now; 409 with the other person's action when the event is no longer as seen;
        400 or 404 with what is wrong.
    """
    asked = _parse(body)
    if isinstance(asked, str):
        return refusal(400, asked)
    events = {key: one.event for key, one in load_events(tables, application_id).items()}
    key = _chosen(tables, application_id, asked, events)
    if key is None or key not in events:
        return refusal(404, f"{application_id} has no such event of interest now; it may have expired. Look again.")
    event, status = events[key], STATUS[asked["action"]]
    if not _as_seen(event, asked):
        return _conflict(event)
    reason = (asked.get("reason") or "").strip()[:_REASON] or None
    if not tables.events.apply(operator_write(event, status, actor, now, reason)):
        return _conflict(load_events(tables, application_id)[key].event)
    also = same_change(event, list(events.values()), model)
    # The others of one change follow; one that somebody has acted on meanwhile stays as that person set it.
    followed = [one.event_key for one in also if tables.events.apply(operator_write(one, status, actor, now, reason))]
    renew(tables, application_id, now, model)
    after = load_events(tables, application_id)[key].event
    return answer({"event": detail.event(after), "also": followed})


def _parse(body: str) -> dict[str, Any] | str:
    """The asked action, or what is wrong with it."""
    try:
        asked = json.loads(body)
    except ValueError:
        return "The request's body is not JSON."
    if not isinstance(asked, dict):
        return "The request's body must be a JSON object."
    if asked.get("action") not in STATUS:
        return f"action is {asked.get('action')!r}; allowed are {', '.join(STATUS)}."
    texts = ("event_key", "event_type", "cause", "reason", "seen_status", "seen_status_at")
    wrong = [name for name in texts if asked.get(name) is not None and not isinstance(asked[name], str)]
    if wrong:
        return f"{', '.join(wrong)} must be text."
    if not asked.get("event_key") and asked.get("event_type") not in LAYERS:
        return f"Give event_key, or event_type as one of {', '.join(LAYERS)}."
    return asked


def _chosen(
    tables: Tables, application_id: str, asked: Mapping[str, Any], events: Mapping[str, EventOfInterest]
) -> str | None:
    if asked.get("event_key"):
        return str(asked["event_key"])
    layer, cause = asked["event_type"], asked.get("cause")
    if not cause:
        shown = tables.states.get({"ApplicationId": application_id, "StateKey": current_key(layer)})
        return (shown or {}).get("EventKey")
    episodes = [one for one in events.values() if (one.event_type, one.cause_id) == (layer, cause)]
    return max(episodes, key=lambda one: one.episode).event_key if episodes else None


def _as_seen(event: EventOfInterest, asked: Mapping[str, Any]) -> bool:
    if asked.get("seen_status") is not None and asked["seen_status"] != event.status:
        return False
    # Acknowledged, reopened and acknowledged again is not what the page showed, though the word is the same.
    seen_at = asked.get("seen_status_at")
    return seen_at is None or seen_at == detail.event(event)["status_at"]


def _conflict(event: EventOfInterest) -> Response:
    word = {"open": "reopened", "acknowledged": "acknowledged", "resolved": "resolved"}[event.status]
    sentence = f"{event.status_by or 'Somebody else'} {word} this in the meantime. Nothing was changed."
    return refusal(409, sentence, event=detail.event(event))
