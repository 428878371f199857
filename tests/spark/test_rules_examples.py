"""Every example line of every rule in conf/rules, through the real parsers and the real expression, in one batch."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from probable_cause.rules.catalogue import load
from probable_cause.rules.classify import classify
from probable_cause.rules.commands import events_of
from probable_cause.rules.examples import example_line

RULES = Path(__file__).parents[2] / "conf" / "rules"


# Calls that only label something, in each service's words for it.
TAG_CALLS = [
    ("ec2", "CreateTags"), ("ec2", "DeleteTags"), ("rds", "AddTagsToResource"), ("rds", "RemoveTagsFromResource"),
    ("elasticloadbalancing", "AddTags"), ("elasticloadbalancing", "RemoveTags"), ("autoscaling", "CreateOrUpdateTags"),
    ("lambda", "TagResource20170331v2"), ("lambda", "UntagResource20170331v2"), ("ecs", "TagResource"),
    ("s3", "PutBucketTagging"), ("s3", "DeleteBucketTagging"), ("iam", "TagRole"), ("route53", "ChangeTagsForResource"),
    ("kms", "TagResource"), ("cloudfront", "TagResource2020_05_31"), ("sqs", "TagQueue"), ("tagging", "TagResources"),
]  # fmt: skip


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
    tags = [{"eventSource": f"{service}.amazonaws.com", "eventName": action} for service, action in TAG_CALLS]
    cases += [("any", False, "cloudtrail", example_line("cloudtrail", tag, {})) for tag in tags]
    events, rejects = events_of([(family, line) for _, _, family, line in cases], spark)
    assert rejects == []
    found = classify(events, rules).select("event_id", "rule_id").toArrow().to_pylist()
    matched = {(int(row["event_id"].split("/")[0]), row["rule_id"]) for row in found}
    wrong = [
        f"{rule_id} {'misses' if wanted else 'takes'} {line}"
        for number, (rule_id, wanted, _, line) in enumerate(cases)
        if ((number, rule_id) in matched) != wanted
    ]
    tagged = {(number, rule_id) for number, rule_id in matched if number >= len(cases) - len(tags)}
    assert (wrong, tagged) == ([], set())
