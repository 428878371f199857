"""The document as a Slack message (incoming webhook, Block Kit). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probable_cause.lambdas.responder.contract import sentence

_MARK = {
    "Opened": ":red_circle:", "Changed": ":large_orange_circle:", "Deferred": ":large_yellow_circle:",
    "Acknowledged": ":eyes:", "Resolved": ":large_green_circle:", "Expired": ":white_circle:",
}  # fmt: skip
_MOST = 2900  # characters; Slack refuses a section of more than 3000
_SENTENCES = 6


def message(body: Mapping[str, Any]) -> dict[str, Any]:
    """`{"text": ..., "blocks": [...]}`; log text can't become markup, a mention or a link."""
    title = escaped(sentence(body))
    lines = [f"{_MARK[body['transition']]} *{title}*"]
    if body["confidence"] is not None:
        lines.append(f"Root cause with confidence {body['confidence']:.0%}.")
    elif body["root_cause"] is not None:
        lines.append(f"Root cause: {escaped(body['root_cause']['summary'])}.")
    health = body["health"]
    lines.append(f"Health: {health['before']} → {health['after']}.")
    lines += [f"• {escaped(one['text'])}" for one in body["evidence"][:_SENTENCES]]
    if body["proposed_inverse"]:
        lines.append(f"To undo: {escaped(body['proposed_inverse']['text'])}")
    if body["flapping"]:
        lines.append("It comes and goes: the next message follows when it is steady.")
    if body["held_back"]:
        lines.append(f"{body['held_back']} changes of it were not told meanwhile.")
    blocks: list[dict[str, Any]] = [_section("\n".join(lines))]
    if body["link"]:
        blocks.append(_section(f"<{body['link']}|Open the dashboard>"))
    return {"text": title[:_MOST], "blocks": blocks}


def escaped(text: str) -> str:
    """As Slack asks: these three characters are what its markup begins with. Formatting characters stay harmless."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("*", "∗").replace("`", "'")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text if len(text) <= _MOST else text[:_MOST] + "…"}}
