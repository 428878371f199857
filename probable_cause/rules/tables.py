"""A rule set as the few tables that the Spark expression reads: plain lists and dicts, numbered by rule.

A rule's number is its place in `RuleSet.rules`; the lower of two numbers is the more relevant rule.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from probable_cause.rules.keys import FORMS, form_of
from probable_cause.rules.model import Rule, RuleSet
from probable_cause.rules.trie import longest_of

# Words so common in logs that looking for them would let every other line through.
_EVERYDAY = frozenset(
    """error errors failed failure fail connection connect connections request requests server client service could
    cannot unable with from that this have been while after before more than exception status code message database
    lang java com http https port host task process time user file name because during when would execute executing
    lock task remote upstream already does exist exists not found closed local operation response call object""".split()  # noqa: SIM905
)
_WORD = re.compile(r"[a-z0-9_]+")

Index = list[dict[str, list[int]]]


@dataclass(frozen=True)
class Anchors:
    """Few words that between them stand in everything that rules look for in lines.

    pattern: finds the longest of them at a place of a line. index: as in Tables, which rules that calls up, also those
    of the shorter ones that it begins with.
    """

    pattern: str
    index: Index


@dataclass(frozen=True)
class Tables:
    """indexes: for each form in use, buckets of key -> rule numbers, by crc32 of the key.
    anchors: the words by which application lines are known; quiet_anchors: those of level info and below."""

    indexes: dict[str, Index]
    anchors: Anchors | None
    quiet_anchors: Anchors | None
    conditions: list[Any]
    any_outcome: list[bool]
    slots: list[int]
    rows: list[dict[str, Any]]


@lru_cache(maxsize=4)
def tables_of(ruleset: RuleSet) -> Tables:
    """The tables of a rule set; the same object for the same rules, since each micro batch may ask."""
    rules = ruleset.rules
    return Tables(
        indexes=_indexes(rules),
        anchors=_anchors(rules, quiet=False),
        quiet_anchors=_anchors(rules, quiet=True),
        conditions=[_condition(rule) for rule in rules],
        any_outcome=[rule.any_outcome for rule in rules],
        slots=[rule.slot for rule in rules],
        rows=[_row(rule) for rule in rules],
    )


def bucket_of(key: str, buckets: int) -> int:
    """The bucket of a key; Spark's `crc32` gives the same number."""
    return zlib.crc32(key.encode()) % buckets


def _indexes(rules: tuple[Rule, ...]) -> dict[str, Index]:
    found: dict[str, dict[str, list[int]]] = {form: {} for form in FORMS}
    for number, rule in enumerate(rules):
        for key in () if rule.needles else rule.keys:
            found[form_of(key)].setdefault(key, []).append(number)
    indexes: dict[str, Index] = {}
    for form, keys in found.items():
        if keys:
            indexes[form] = _index(keys)
    return indexes


def _index(keys: Mapping[str, list[int]]) -> Index:
    buckets: Index = [{} for _ in range(2 * len(keys))]
    for key, numbers in keys.items():
        buckets[bucket_of(key, len(buckets))][key] = numbers
    return buckets


def _anchors(rules: tuple[Rule, ...], quiet: bool) -> Anchors | None:
    owners: dict[str, set[int]] = {}
    for number, rule in enumerate(rules):
        if not quiet or rule.quiet_levels:
            for needle in rule.needles:
                owners.setdefault(needle, set()).add(number)
    found: dict[str, set[int]] = {}
    for needle, word in _cover(owners).items():
        found.setdefault(word, set()).update(owners[needle])
    if not found:
        return None
    called = {
        word: sorted({number for end in range(1, len(word) + 1) for number in found.get(word[:end], ())})
        for word in sorted(found)
    }
    return Anchors(longest_of(called), _index(called))


def _cover(needles: Iterable[str]) -> dict[str, str]:
    """For each needle a text in it, shared with as many other needles as possible."""
    choices = {needle: [w for w in _WORD.findall(needle) if len(w) > 3 and w not in _EVERYDAY] for needle in needles}
    popularity: dict[str, int] = {}
    for words in choices.values():
        for word in set(words):
            popularity[word] = popularity.get(word, 0) + 1
    return {
        needle: max(words, key=lambda word: (popularity[word], len(word), word)) if words else needle
        for needle, words in choices.items()
    }


def _condition(rule: Rule) -> list[list[list[dict[str, Any]]]]:
    return [
        [
            [{"s": t.source, "p": t.path, "o": t.op, "v": t.values, "c": t.cased, "n": t.negated} for t in clause]
            for clause in term
        ]
        for term in rule.condition
    ]


def _row(rule: Rule) -> dict[str, Any]:
    """The columns of schemas.RULE."""
    return {
        "rule_id": rule.rule_id,
        "event_type": rule.event_type,
        "role": rule.role,
        "relevance": rule.relevance,
        "half_life_seconds": rule.half_life_seconds,
        "window_seconds": rule.window_seconds,
        "cause_template": rule.cause_template,
        "summary_template": rule.summary_template,
        "explains": rule.explains,
        "symptom": rule.symptom,
        "resolves": rule.resolves,
    }
