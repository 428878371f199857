"""Sigma rules of others load unchanged. Set SIGMA_RULES to a folder of them (such as rules/cloud/aws/cloudtrail of
https://github.com/SigmaHQ/sigma); none are kept here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from probable_cause.rules.catalogue import load
from probable_cause.rules.classify import classify
from probable_cause.rules.commands import events_of
from probable_cause.rules.examples import example_line

FOLDER = os.environ.get("SIGMA_RULES")


@pytest.mark.skipif(not FOLDER, reason="SIGMA_RULES names no folder of public rules")
def test_public_rules_load_beside_ours_and_match(spark: SparkSession) -> None:
    files = sorted(Path(str(FOLDER)).rglob("*.yml"))
    assert files
    rules = load([Path(__file__).parents[2] / "conf" / "rules", Path(str(FOLDER))])
    theirs = [rule for rule in rules.rules if Path(str(FOLDER)) in Path(rule.file).parents]
    assert len(theirs) == len(files)
    calls = [
        ("cloudtrail.amazonaws.com", "StopLogging"),
        ("elasticfilesystem.amazonaws.com", "DeleteFileSystem"),
        ("s3.amazonaws.com", "GetObject"),
    ]
    lines = [example_line("cloudtrail", {"eventSource": source, "eventName": name}, {}) for source, name in calls]
    events, _ = events_of([("cloudtrail", line) for line in lines], spark)
    found = classify(events, rules).where("event_id = '0'").select("rule_id").collect()
    assert {row["rule_id"] for row in found} & {rule.rule_id for rule in theirs}
