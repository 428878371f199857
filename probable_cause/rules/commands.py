"""What `probable-cause rules ...` does, without arguments and printing: functions that give rows of plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probable_cause.errors import ProbableCauseError, RulesError
from probable_cause.parsing import parse
from probable_cause.rules.catalogue import DECAY, load
from probable_cause.rules.keys import plain_action
from probable_cause.rules.model import Rule, RuleSet
from probable_cause.schemas import EVENT, column_names

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Row = dict[str, Any]


def list_rules(
    ruleset: RuleSet,
    layer: str | None = None,
    role: str | None = None,
    service: str | None = None,
    family: str | None = None,
) -> list[Row]:
    """One row a rule, the most relevant first. `service` is part of what a rule's keys name: `rds`, `vpc_flow`."""
    return [
        {
            "rule_id": rule.rule_id,
            "title": rule.title,
            "family": rule.family,
            "layer": rule.event_type,
            "role": rule.role,
            "relevance": rule.relevance,
            "reason": rule.reason,
            "explains": list(rule.explains),
            "symptom": rule.symptom,
            "resolves": list(rule.resolves),
            "keys": list(rule.keys),
            "half_life_seconds": rule.half_life_seconds,
            "window_seconds": rule.window_seconds,
            "references": list(rule.references),
            "file": f"{rule.file}:{rule.line}",
        }
        for rule in ruleset.rules
        if layer in (None, rule.event_type)
        and role in (None, rule.role)
        and family in (None, rule.family)
        and (service is None or any(service.lower() in key.split("|", 1)[0] + "|" + _named(key) for key in rule.keys))
    ]


def _named(key: str) -> str:
    return key.split("|")[1]


def check(paths: Sequence[Path], decay: Mapping[str, tuple[int, int]] = DECAY) -> tuple[list[str], list[str], int]:
    """(faults, warnings, number of rules) of rule files. With faults there are no rules."""
    try:
        ruleset = load(paths, decay)
    except RulesError as error:
        return error.faults, [], 0
    return [], list(ruleset.warnings), len(ruleset)


def find(ruleset: RuleSet, rule_id: str) -> Rule:
    """The rule of an id. Raises ProbableCauseError that names similar ones."""
    if rule_id in ruleset.by_id:
        return ruleset.by_id[rule_id]
    words = set(rule_id.lower().split("-"))
    near = sorted(ruleset.by_id, key=lambda other: -len(words & set(other.split("-"))))[:5]
    raise ProbableCauseError(f"there is no rule {rule_id!r}; similar are {', '.join(near)}")


def explain_match(rule: Rule, line: str, spark: SparkSession, form: str | None = None) -> Row:
    """Whether a rule matches a raw line, which of its selections do, and what keeps it from matching.

    `form` is the field list of a flow log other than the default. For a line that the family can't read, `readable`
    is False and `reason` says why.
    """
    events, rejects = events_of([(rule.family, line)], spark, form)
    if rejects:
        return {"rule_id": rule.rule_id, "matched": False, "readable": False, "reason": rejects[0][1]}
    probes = [_probe(rule, name, condition) for name, condition in rule.selections]
    whole = RuleSet((rule,))
    found = _matching(events, RuleSet(tuple(probes)))
    event = events.first()
    matched = bool(_matching(events, whole))
    return {
        "rule_id": rule.rule_id,
        "matched": matched,
        "readable": True,
        "selections": {probe.rule_id: number in found for number, probe in enumerate(probes)},
        "prevented_by": [] if matched or event is None else _prevented(rule, event.asDict()),
    }


def _probe(rule: Rule, name: str, condition: Any) -> Rule:
    """A rule that looks at every event of the family for one selection alone."""
    tail = "||" if rule.family == "cloudtrail" else "|"
    keys = tuple({f"{rule.family}{tail}", *([f"{rule.family}!{tail}"] if rule.family == "cloudtrail" else [])})
    return replace(rule, rule_id=name, keys=keys, needles=(), condition=condition, any_outcome=True)


def _matching(events: DataFrame, ruleset: RuleSet) -> set[int]:
    from probable_cause.rules.classify import with_matches

    return {number for row in with_matches(events, ruleset).select("matches").collect() for number in row["matches"]}


def _prevented(rule: Rule, event: Mapping[str, Any]) -> list[str]:
    fields = event["fields"] or {}
    reasons = []
    if rule.family == "cloudtrail" and not rule.any_outcome:
        if event["outcome"] == "failure":
            reasons.append(f"the call failed ({event['error_code']}), and a failed call caused nothing")
        if fields.get("read_only") == "true":
            reasons.append("the call is read-only")
        if fields.get("dry_run") == "true":
            reasons.append("the call is a dry run")
    if rule.family == "application" and not rule.quiet_levels and event["level"] in ("TRACE", "DEBUG", "INFO"):
        reasons.append(f"the level is {event['level']}; a rule that does not name a level leaves quiet lines alone")
    return reasons


def coverage(ruleset: RuleSet, calls: Iterable[tuple[str, str]]) -> list[Row]:
    """For each (service, event name), such as (`rds`, `StopDBInstance`), the rules that may match it."""
    rows = []
    for service, name in calls:
        source = service if "." in service else f"{service}.amazonaws.com"
        key = f"cloudtrail|{source.lower()}|{plain_action(name).lower()}"
        rules = [rule for rule in ruleset.rules if key in rule.keys]
        rows.append(
            {
                "service": service,
                "event": name,
                "rules": [rule.rule_id for rule in rules],
                "relevance": max((rule.relevance for rule in rules), default=None),
            }
        )
    return rows


def coverage_of_sample(ruleset: RuleSet, events: DataFrame) -> list[Row]:
    """What kinds of event a sample holds, how often, and how many of each a rule matched; unmatched kinds first."""
    from pyspark.sql import functions as F

    from probable_cause.rules.classify import classify

    found = classify(events, ruleset).where("rule_id is not null")
    hits = found.groupBy("event_id").agg(F.array_sort(F.collect_set("rule_id")).alias("rules"))
    kind = F.concat_ws(" ", F.coalesce("resource_type", "event_source", "level"), "action")
    seen = events.where("reject_reason is null").join(hits, "event_id", "left")
    kinds = seen.groupBy("family", kind.alias("kind"), F.col("outcome")).agg(
        F.count(F.lit(1)).alias("events"),
        F.count("rules").alias("matched"),
        F.array_sort(F.array_distinct(F.flatten(F.collect_set("rules")))).alias("rules"),
    )
    return [row.asDict() for row in kinds.orderBy("matched", F.desc("events"), "family", "kind").collect()]


def shares(ruleset: RuleSet, events: DataFrame) -> list[Row]:
    """How large a share of its family's events in a sample each rule matched, the largest first."""
    from pyspark.sql import functions as F

    from probable_cause.rules.classify import with_matches

    totals = {row["family"]: row["count"] for row in events.groupBy("family").count().collect()}
    counted = with_matches(events, ruleset).select(F.explode("matches").alias("number")).groupBy("number").count()
    rows = []
    for found in counted.collect():
        rule = ruleset.rules[found["number"]]
        share = found["count"] / totals[rule.family]
        rows.append({"rule_id": rule.rule_id, "family": rule.family, "matched": found["count"], "share": share})
    return sorted(rows, key=lambda row: (-row["share"], row["rule_id"]))


def too_broad(rows: Iterable[Row], limit: float = 0.5) -> list[str]:
    """Warnings about rules that matched more than `limit` of their family's events (rows of `shares`)."""
    return [
        f"{row['rule_id']} matched {row['share']:.0%} of the {row['family']} events of the sample: "
        "it names no cause when it names everything; add a condition"
        for row in rows
        if row["share"] > limit
    ]


def events_of(
    lines: Sequence[tuple[str, str]], spark: SparkSession, form: str | None = None
) -> tuple[DataFrame, list[tuple[int, str]]]:
    """(schemas.EVENT of raw lines given as (family, line), lines that can't be read as (number, reason)).

    `event_id` is the line's number. Events without a time of their own get the first instant of 1970.
    """
    names = column_names(EVENT)
    rows: list[tuple[Any, ...]] = []
    rejects: list[tuple[int, str]] = []
    for family in dict.fromkeys(family for family, _ in lines):
        numbers = [number for number, (other, _) in enumerate(lines) if other == family]
        parsed = parse(family, [lines[number][1] for number in numbers], form if family == "vpc_flow" else None)
        for position, event in zip(parsed.index, parsed.events.to_pylist(maps_as_pydicts="lossy"), strict=True):
            number = numbers[position]
            event["event_id"] = str(number)
            event["message"] = lines[number][1] if event["message"] is None else event["message"]
            event["event_time"] = event["event_time"] or datetime.fromtimestamp(0, UTC)
            rows.append(tuple(event.get(name) for name in names))
        rejects += [(numbers[position], f"{reason}: {detail}") for position, reason, detail in parsed.rejects]
    return spark.createDataFrame(rows, EVENT), rejects
