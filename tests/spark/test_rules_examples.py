"""Every example line of every rule in conf/rules, through the real parsers and the real expression, in one batch."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from probable_cause.rules.catalogue import load
from probable_cause.rules.classify import classify
from probable_cause.rules.commands import events_of

RULES = Path(__file__).parents[2] / "conf" / "rules"


def test_each_rule_matches_its_examples_and_leaves_the_others_alone(spark: SparkSession) -> None:
    """A `match` line must give the rule itself, not only one of the same layer and role; an `ignore` line must not."""
    rules = load([RULES])
    cases = [
        (rule.rule_id, wanted, rule.family, line)
        for rule in rules.rules
        for wanted, lines in ((True, rule.examples.match), (False, rule.examples.ignore))
        for line in lines
    ]
    assert len(cases) > 2 * len(rules)
    events, rejects = events_of([(family, line) for _, _, family, line in cases], spark)
    assert rejects == []
    found = classify(events, rules).select("event_id", "rule_id").toArrow().to_pylist()
    matched = {(int(row["event_id"].split("/")[0]), row["rule_id"]) for row in found}
    wrong = [
        f"{rule_id} {'misses' if wanted else 'takes'} {line}"
        for number, (rule_id, wanted, _, line) in enumerate(cases)
        if ((number, rule_id) in matched) != wanted
    ]
    assert wrong == []
