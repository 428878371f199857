"""Passes over the lines that no rule can ask for, without reading them whole.

Ninety-nine of a hundred log lines are everyday: accepted traffic, calls that no rule names, lines of level INFO. The
parsers would make events of them that the rules then throw away, at ten times the cost of opening the record. What is
passed over here is only counted.

A line is passed over when two things are plain: the parser would read it, and no rule of the set could match what it
reads. Whatever is unusual about a line goes to the parser, which then decides. So rejects, times that are held apart
and counts stay what they would be; tests/spark/test_prefilter.py holds that over every line the project knows.

A `Prefilter` is plain data made of the rules; it travels to the executors as JSON. No Spark here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from probable_cause.errors import RejectedLineError
from probable_cause.everyday_records import is_plain_call, is_plain_item
from probable_cause.families.flow_format import COLUMNS, read_format
from probable_cause.rules.model import RuleSet

_DAY = 86_400


@dataclass(frozen=True)
class Prefilter:
    """What may be passed over, by family.

    flows: flow records of the outcomes `accept` and `nodata`.
    calls: successful CloudTrail calls, but for those that one of these keys names (`rules.keys`); None: none at all.
    items: Config items, but for those that one of these keys names; None: none at all.
    quiet: application lines of the levels info, debug and trace.
    baseline: flow records that are read all the same, of a chunk of lines: samples of what is usual.
    max_future, max_past: seconds by which a line's time may lie ahead of its arrival, or behind: others are rejected.
    """

    flows: bool = False
    calls: frozenset[str] | None = None
    items: frozenset[str] | None = None
    quiet: bool = False
    baseline: int = 0
    max_future: float = 0.0
    max_past: float = 0.0

    def to_json(self) -> str:
        """As from_json() takes it."""
        calls, items = (None if keys is None else sorted(keys) for keys in (self.calls, self.items))
        values = [self.flows, calls, items, self.quiet, self.baseline, self.max_future, self.max_past]
        return json.dumps(values, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Prefilter:
        """From what to_json() gave.

        Raises:
            ValueError, TypeError: it is something else.
        """
        flows, calls, items, quiet, baseline, future, past = json.loads(text)
        calls, items = (None if keys is None else frozenset(keys) for keys in (calls, items))
        return cls(bool(flows), calls, items, bool(quiet), int(baseline), float(future), float(past))


NOTHING = Prefilter()  # reads every line


def prefilter_of(rules: RuleSet, max_future: float, max_past: float, baseline: int = 0) -> Prefilter:
    """What the rules leave to pass over. A rule that any event of its family could match switches it off there; but
    what is only usual needs no more than samples, at most `baseline` of a chunk."""
    keys = {key for rule in rules.of_interest().rules if not rule.needles for key in rule.keys}
    calls, items = (frozenset(key for key in keys if key.startswith(f"{one}|")) for one in ("cloudtrail", "aws_config"))
    return Prefilter(
        flows=keys.isdisjoint({"vpc_flow|", "vpc_flow|accept", "vpc_flow|nodata"}),
        calls=None if "cloudtrail||" in calls else calls,
        items=None if "aws_config|" in items else items,
        quiet=not any(rule.quiet_levels for rule in rules.rules if rule.family == "application"),
        baseline=baseline,
        max_future=max_future,
        max_past=max_past,
    )


def sampling_less(prefilter: Prefilter, chunk: int) -> Prefilter:
    """For the chunk of this number, from 1 on, of those that one task reads: half the samples of the second, a third of
    the third. A live batch is one chunk or few; one that catches up is as well known by a tenth of what it would give.
    """
    return replace(prefilter, baseline=prefilter.baseline // chunk)


@dataclass(frozen=True)
class Span:
    """The times, in epoch seconds, that are plausible for all lines of a chunk; None: any."""

    earliest: int | None = None
    latest: int | None = None


def span_of(prefilter: Prefilter, arrivals: Iterable[Any]) -> Span:
    """From the arrivals (datetime or None) of a chunk's records. Rounded inwards, so that few spans are ever used."""
    known = [arrival.timestamp() for arrival in arrivals if arrival is not None]
    if not known:
        return Span()
    earliest, latest = max(known) - prefilter.max_past, min(known) + prefilter.max_future
    return Span(int(earliest // _DAY + 1) * _DAY, int(latest // 100) * 100)


def passed_over(
    prefilter: Prefilter, family: str, form: str | None, messages: list[str], delivered: Sequence[int], span: Span
) -> np.ndarray:
    """Which of the lines need not be parsed: booleans, one a line.

    Args:
        form: the format of flow logs.
        delivered: CloudWatch's timestamps of the lines, in epoch milliseconds.
        span: the plausible times.
    """
    everyday = _everyday(prefilter, family, form, messages, span)
    if everyday is None:
        return np.zeros(len(messages), np.bool_)
    if span.earliest is not None and span.latest is not None:
        times = np.asarray(delivered, np.int64)
        everyday &= (times >= span.earliest * 1000) & (times < span.latest * 1000)
    if family == "vpc_flow" and prefilter.baseline:
        everyday[_samples(np.flatnonzero(everyday), prefilter.baseline, delivered)] = False
    return everyday


def _samples(places: np.ndarray, most: int, delivered: Sequence[int]) -> np.ndarray:
    """At most so many of the places: the same for the same lines, but at no fixed distance, which flows might have."""
    if len(places) <= most:
        return places
    seed = (len(places), int(delivered[0]))
    return np.random.default_rng(seed).choice(places, most, replace=False, shuffle=False)


def _everyday(
    prefilter: Prefilter, family: str, form: str | None, messages: list[str], span: Span
) -> np.ndarray | None:
    if family == "vpc_flow" and prefilter.flows:
        pattern = _flow_pattern(form, span)
        return None if pattern is None else _matches(messages, pattern)
    if family == "application" and prefilter.quiet:
        quiet: np.ndarray = _matches(messages, _QUIET) & ~_matches(messages, _UNUSUAL)
        return quiet
    first, last = _iso(span.earliest), _iso(span.latest)
    plain: Iterable[bool]
    if family == "cloudtrail" and (calls := prefilter.calls) is not None:
        plain = (is_plain_call(line, calls, first, last) for line in messages)
    elif family == "aws_config" and (items := prefilter.items) is not None:
        plain = (is_plain_item(line, items, first, last) for line in messages)
    else:
        return None
    return np.fromiter(plain, np.bool_, len(messages))


def _iso(seconds: int | None) -> str | None:
    return None if seconds is None else f"{np.datetime64(seconds, 's')}Z"


def _matches(messages: list[str], pattern: str) -> np.ndarray:
    try:
        lines = pa.array(messages, pa.string())
    except UnicodeEncodeError:  # a lone surrogate
        lines = pa.array([line.encode("utf-8", "replace").decode() for line in messages], pa.string())
    found: np.ndarray = pc.match_substring_regex(lines, pattern).to_numpy(zero_copy_only=False)
    return found


# -- flow logs: one pattern of the format, with every field as the format says -----------------------------------------

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_UP_TO = {
    255: _OCTET,
    65_535: "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9][0-9]|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})",
}
_TOKENS = {
    "text": "[!-~]+",
    "address": rf"(?:{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}|-)",
    "action": "(?:ACCEPT|-)",
    "status": "(?:OK|NODATA|-)",
}


@lru_cache(maxsize=64)
def _flow_pattern(form: str | None, span: Span) -> str | None:
    """What a plain record of accepted traffic, or of none, looks like in this format; None when it has no pattern."""
    try:
        layout = read_format(form)
    except RejectedLineError:
        return None
    kinds = [COLUMNS.get(field, ("", "text", 0))[1:] for field in layout.fields]
    # A line of field names fits a format of texts only. Without an action nothing tells accepted from refused.
    if layout.delimiter is not None or len(set(layout.fields)) < len(layout.fields) or "action" not in layout.fields:
        return None
    if not any(kind in ("number", "address", "time") for kind, _ in kinds):
        return None
    tokens = []
    for position, (field, (kind, most)) in enumerate(zip(layout.fields, kinds, strict=True)):
        if kind == "number":
            token = f"(?:{_UP_TO.get(most, '[0-9]{1,18}')}|-)"
        elif kind == "time":
            # The start is the event's time; only where it is absent, the end.
            decides = field == "start" or "start" not in layout.fields
            token = _between(span) if decides else "[0-9]{10}"
        else:
            token = _TOKENS[kind]
        tokens.append(r"[!#-Z\\-z|}~][!-~]*" if position == 0 and kind == "text" else token)
    return f"^{' '.join(tokens)}$"


def _between(span: Span) -> str:
    """A pattern of the ten-digit numbers from `earliest` up to but not including `latest`."""
    if span.earliest is None or span.latest is None:
        return "[0-9]{10}"
    return f"(?:{'|'.join(_prefixes(max(span.earliest, 10**9), min(span.latest, 10**10)))})"


def _prefixes(first: int, end: int) -> list[str]:
    """The fewest patterns `digits[0-9]{n}` that between them cover the numbers first <= number < end."""
    found = []
    while first < end:
        size = 1
        while first % (size * 10) == 0 and first + size * 10 <= end:
            size *= 10
        digits = len(str(size)) - 1
        found.append(f"{first // size}[0-9]{{{digits}}}" if digits else str(first))
        first += size
    return found or ["[^0-9]"]


# -- application lines: a header of a quiet level, and nothing that could mean another ---------------------------------

_LEVELS = "(?:INFO|DEBUG|TRACE|info|debug|trace)"
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_VALUE = r"=(?:\"[^\"\\]*\"|[^\s\"=]+)"
_PAIR = rf"[A-Za-z_][\w.-]*{_VALUE}"
_OTHER_PAIR = rf"(?:[A-Za-km-z_]|l[A-Za-df-z_])[\w.-]*{_VALUE}"  # of another key than level: one alone makes no logfmt
_QUOTED = rf"(?:{_LEVELS}|\"{_LEVELS}\")"
_QUIET = "|".join(
    (
        rf"^{_TIME} +{_LEVELS} ",  # logback, log4j, env_logger
        rf"^{_TIME} \[[\w.-]{{1,64}}\] {_LEVELS} ",  # ... with the thread first
        rf"^{_TIME} - [\w.-]{{1,64}} - {_LEVELS} - ",  # Python's logging
        rf"^{_TIME}\t(?:[0-9a-f-]{{36}}\t)?{_LEVELS}\t",  # Lambda's Node.js, zap
        rf"^\{{(?:[^{{]*[,{{])? ?\"(?:level|severity)\" ?: ?\"{_LEVELS}\"[,}}]",  # JSON
        rf"^(?:(?:time|ts|t|timestamp){_VALUE} level={_QUOTED}|level={_QUOTED} {_OTHER_PAIR})(?: {_PAIR})*$",  # logfmt
        # An access log's line, answered well. Its user in ASCII: the parser knows more characters as blanks than RE2.
        r"^[0-9a-f.:]+ [!-~]+ [!-~]+ \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] \"[^\"\\]+\" [123]\d\d "
        r"(?:\d+|-)(?: |$)",
    )
)
# Lines that hold one of these are parsed: words of other levels and of failure, a level by number or a second one, an
# object or a line within the line, the answers 5xx, what a terminal or a shipper put in.
_UNUSUAL = (
    r"(?i)err|warn|fatal|crit|severe|alert|emerg|panic|fail|exception|fault|timed|kill|deprecated"
    r"|(?:level|lvl|severity|log_level)[\"']? ?[:=] ?[\"']?[^\"' idt]"
    r"|[:=\t] ?\"?\{|\\[\"nt]|[\n\r][\s\S]|[\x00-\x08\x0b\x0c\x0e-\x1f]|\" 5\d\d|platform\.|\[pid:"
)
