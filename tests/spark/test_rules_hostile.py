"""Lines made to harm the rules: none may stop the stream (I5)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.spark.test_rules_classify import found, rule, rules_of

LONG = 200_000


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^(a|b)*$", "ab" * 10, True),
        ("^(a|b)*$", "ab" * LONG, True),  # a round of Java's engine takes stack; this many overflow it
        ("^(a|b)*c$", "ab" * LONG, False),
        ("(x|y)+z", "xyz" + "a" * LONG, True),
    ],
)
def test_a_regular_expression_on_a_very_long_value(
    spark: SparkSession, tmp_path: Path, pattern: str, text: str, matches: bool
) -> None:
    rules = rules_of(tmp_path, rule("evil", {"selection": {"userAgent|re": pattern}}))
    call = {"eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "userAgent": text, "eventID": "1"}
    call |= {"eventTime": "2026-03-01T12:00:00Z", "eventVersion": "1.11"}
    assert found(spark, rules, [("cloudtrail", json.dumps(call))]) == [{"evil"} if matches else set()]
