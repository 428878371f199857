"""The keys by which events find their rules, and the texts by which application lines do.

A rule that names its event (`eventSource` and `eventName`, a Config resource type, a flow log action) is only ever
looked at for such events, so that the cost grows with the events that match and not with the number of rules. An
event looks itself up in four FORMS, from the most special to the most general; a rule stands under one of them.

    cloudtrail|<event source>|<action>    a successful call; `cloudtrail!|...` is a failed one
    aws_config|<resource type>
    vpc_flow|<outcome>
    application|<error category>          nothing, when there is no text to look for either

Keys are lower case. Event names are without the version that Lambda and CloudFront put behind them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

from probable_cause.rules.model import Clause, Condition, Term, Test

FORMS = ("exact", "action", "source", "family")
QUIET_LEVELS = ("trace", "debug", "info", "notice", "verbose")
_VERSION = re.compile(r"(?<=[a-z])20\d{2}_?\d{2}_?\d{2}(v\d+)?$")
_ERROR_FIELDS = ("errorCode", "errorMessage")
NAMING: dict[str, tuple[str, ...]] = {
    "cloudtrail": ("eventSource", "eventName"),
    "aws_config": ("configurationItem.resourceType",),
    "vpc_flow": ("action", "log_status", "log-status"),
    "application": ("error_category",),
}


def plain_action(name: str) -> str:
    """An event name without its API version: `UpdateFunctionCode20150331v2` is `UpdateFunctionCode`."""
    return _VERSION.sub("", name)


def form_of(key: str) -> str:
    """Which of FORMS a key is of."""
    parts = key.split("|")
    if len(parts) == 2:
        return "exact" if parts[1] else "family"
    return {(True, True): "exact", (False, True): "action", (True, False): "source"}.get(
        (bool(parts[1]), bool(parts[2])), "family"
    )


def speaks_of_failure(condition: Condition) -> bool:
    """Whether a rule looks for error codes or messages, so that it is meant for failed calls."""
    return any(_fails(test) for term in condition for clause in term for test in clause)


def needs_failure(condition: Condition) -> bool:
    """Whether only a failed call can match."""
    return all(any(all(_fails(test) for test in clause) for clause in term) for term in condition)


def _fails(test: Test) -> bool:
    if test.field not in _ERROR_FIELDS:
        return False
    if test.op == "null":
        return test.negated
    return not test.negated and test.values != ("success",)


def keys_of(family: str, condition: Condition, any_outcome: bool) -> tuple[tuple[str, ...], Condition]:
    """The keys of a rule, and what is left of its condition once an event has one of them."""
    named = [_named(family, term) for term in condition]
    if all(names == named[0] for names in named):  # the key says it all
        condition = tuple(_without(family, term) for term in condition)
    condition = by_action(condition)
    keys = {key for names in named for key in _keys(family, names)}
    if family == "cloudtrail":
        failed = {key.replace("cloudtrail|", "cloudtrail!|", 1) for key in keys}
        keys = failed if needs_failure(condition) else keys | failed if any_outcome else keys
    return tuple(sorted(keys)), condition


def _named(family: str, term: Term) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for clause in term:
        test = clause[0]
        if len(clause) == 1 and test.field in NAMING[family] and test.op == "equals" and not test.negated:
            name = test.field.replace("-", "_")
            found.setdefault(name, tuple(sorted({plain_action(value).lower() for value in test.values})))
    return found


def _keys(family: str, names: dict[str, tuple[str, ...]]) -> list[str]:
    if family == "cloudtrail":
        return ["|".join((family, *parts)) for parts in product(*(names.get(n, ("",)) for n in NAMING[family]))]
    values = next(iter(names.values()), ("",))
    return [f"{family}|{value}" for value in values]


def _without(family: str, term: Term) -> Term:
    """A term without the first clause on each naming field: `_named` took the same ones. A second one stays."""
    kept: list[Clause] = []
    dropped: set[str] = set()
    for clause in term:
        test = clause[0]
        name = test.field.replace("-", "_")
        keyed = len(clause) == 1 and test.field in NAMING[family] and test.op == "equals" and not test.negated
        if keyed and name not in dropped and (family == "cloudtrail" or not dropped):
            dropped.add(name)
        else:
            kept.append(clause)
    return tuple(kept)


def by_action(condition: Condition) -> Condition:
    """Exact event names compared with the event's own action, which has no version."""
    return tuple(tuple(tuple(_action_test(test) for test in clause) for clause in term) for term in condition)


def _action_test(test: Test) -> Test:
    if test.field != "eventName" or test.op != "equals":
        return test
    values = tuple(plain_action(value).lower() for value in test.values)
    return replace(test, source="column", path="action", values=values)


def needles_of(condition: Condition) -> tuple[str, ...]:
    """Texts of which a line must hold at least one for the condition to hold; empty when there is no such list."""
    found: list[str] = []
    for term in condition:
        lists = [texts for clause in term if (texts := _texts(clause))]
        if not lists:
            return ()
        found.extend(max(lists, key=lambda texts: min(map(len, texts))))
    return tuple(dict.fromkeys(found))


def _texts(clause: tuple[Test, ...]) -> list[str]:
    texts: list[str] = []
    for test in clause:
        if test.negated or test.source not in ("line", "json") or test.op not in _TEXT_OPS:
            return []
        for value in test.values:
            text = max(re.split(r"(?:\\.|[%_])+", value), key=len) if test.op == "like" else value
            # What JSON would escape does not stand in the line as it does in the field.
            text = max(re.split(r'["\\\n\t/]+', text), key=len)
            if len(text) < 3:
                return []
            texts.append(text.lower())
    return texts


_TEXT_OPS = ("equals", "contains", "startswith", "endswith", "like")


def with_default_levels(condition: Condition) -> tuple[Condition, bool]:
    """An application rule that does not speak of `level` leaves alone the levels of everyday lines.

    Returns the condition, and whether lines of those quiet levels can match.
    """
    levels = [test for term in condition for clause in term for test in clause if test.field == "level"]
    if not levels:
        loud = Test("level", "column", "level", "equals", QUIET_LEVELS, negated=True)
        return tuple((*term, (loud,)) for term in condition), False
    quiet = any(
        test.negated or test.op != "equals" or any(value in QUIET_LEVELS for value in test.values) for test in levels
    )
    return condition, quiet
