"""The `probable_cause:` block of a rule file: checks, and defaults for Sigma rules that have none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from probable_cause.rules.fields import (
    APPLICATION_FIELDS,
    TEMPLATE_ALIASES,
    TEMPLATE_COLUMNS,
    TEMPLATE_COMPUTED,
    is_known,
)
from probable_cause.rules.model import SYMPTOMS
from probable_cause.schemas import BASELINE, EVENT_TYPES, ROLES

KEYS = ("layer", "role", "relevance", "reason", "half_life", "window", "cause", "summary", "explains", "symptom",
        "resolves", "examples")  # fmt: skip
RELEVANCE_OF_LEVEL = {"critical": 9.0, "high": 7.0, "medium": 5.0, "low": 3.0, "informational": 2.0}
LONGEST_WINDOW = 14 * 86400
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

Report = Callable[..., None]  # report(*path, message): a fault at that key of the block


@dataclass(frozen=True)
class Block:
    """The checked values of a block."""

    layer: str
    role: str
    relevance: float
    reason: str
    half_life: int
    window: int
    cause: str
    summary: str
    explains: tuple[str, ...]
    symptom: str | None
    resolves: tuple[str, ...]


def default_block(level: str, title: str, decay: tuple[int, int]) -> dict[str, Any]:
    """The block of a Sigma rule that has none: a cause in the account's own layer, as relevant as its level says."""
    return {
        "layer": "cloudsystem",
        "role": "cause",
        "relevance": RELEVANCE_OF_LEVEL.get(level, 3.0),
        "reason": f"the Sigma level of the rule is {level or 'not given'}",
        "cause": "{eventName} on {resource}",
        "summary": f"{title}: {{actor}} called {{eventName}} on {{resource}}".replace("\n", " "),
    }


def read_block(raw: Mapping[str, Any], family: str, decay: tuple[int, int], report: Report) -> Block:
    """Checks a block. Every fault goes to `report`; the result is only of use when there was none."""
    for key in raw:
        if key not in KEYS:
            report(key, message=f"unknown key {key!r}; allowed are {', '.join(KEYS)}")
    layer = _one_of(raw, "layer", EVENT_TYPES, report)
    role = _one_of(raw, "role", ROLES, report)
    relevance = raw.get("relevance")
    if isinstance(relevance, bool) or not isinstance(relevance, int | float) or not 0 <= relevance <= 10:
        report("relevance", message=f"found {relevance!r}; it must be a number from 0 to 10")
        relevance = 0
    half_life = _seconds(raw, "half_life", decay[0], report)
    window = _seconds(raw, "window", decay[1], report)
    if window > LONGEST_WINDOW:
        report("window", message="a window longer than 14d is impossible: CloudWatch Logs takes no older lines")
    elif 0 < window < half_life:
        report("window", message="it ends before one half-life has passed; make it longer or the half-life shorter")
    cause, summary = _template(raw, "cause", family, report), _template(raw, "summary", family, report)
    explains = _words(raw, "explains", report)
    symptom = raw.get("symptom")
    for kind in (*explains, *([symptom] if symptom is not None else [])):
        if kind not in SYMPTOMS:
            key = "symptom" if kind == symptom else "explains"
            report(key, message=f"unknown kind {kind!r}; allowed are {', '.join(SYMPTOMS)}")
    if role in ("symptom", BASELINE) and symptom is None:
        report("symptom", message=f"a {role} needs its kind, one of {', '.join(SYMPTOMS)}")
    if role == BASELINE and family != "vpc_flow":
        report("role", message=f"only of vpc_flow a {BASELINE} is kept")
    resolves = _words(raw, "resolves", report)
    if role == "recovery" and not resolves:
        report("resolves", message="a recovery needs the ids of the rules whose causes it ends")
    return Block(
        layer, role, float(relevance), str(raw.get("reason", "")), half_life, window, cause, summary, explains,
        symptom, resolves,
    )  # fmt: skip


def _one_of(raw: Mapping[str, Any], key: str, allowed: tuple[str, ...], report: Report) -> str:
    value = raw.get(key)
    if value not in allowed:
        report(key, message=f"found {value!r}; it must be one of {', '.join(allowed)}")
        return allowed[0]
    return str(value)


def _seconds(raw: Mapping[str, Any], key: str, default: int, report: Report) -> int:
    if key not in raw:
        return default
    match = _DURATION.fullmatch(str(raw[key]))
    seconds = int(float(match[1]) * _UNIT[match[2]]) if match else 0
    if seconds <= 0:
        report(key, message=f"found {raw[key]!r}; it must be a duration above zero such as 90s, 30m, 24h or 3d")
    return seconds


def _words(raw: Mapping[str, Any], key: str, report: Report) -> tuple[str, ...]:
    value = raw.get(key, [])
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        report(key, message=f"found {value!r}; it must be a list of words")
        return ()
    return tuple(value)


def _template(raw: Mapping[str, Any], key: str, family: str, report: Report) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value.strip():
        report(key, message='a text is needed, such as "{eventName} on {resource}"')
        return ""
    if value.count("{") != len(PLACEHOLDER.findall(value)) or value.count("}") != value.count("{"):
        report(key, message="the braces do not pair")
    known = TEMPLATE_COLUMNS | TEMPLATE_COMPUTED | set(TEMPLATE_ALIASES)
    known |= APPLICATION_FIELDS if family == "application" else frozenset()
    for name in PLACEHOLDER.findall(value):
        if name not in known and (family == "application" and "." not in name or not is_known(family, name)):
            allowed = f"{', '.join(sorted(known))} and the fields of the raw log"
            report(key, message=f"{{{name}}} is no field of {family} events; allowed are {allowed}")
    return value
