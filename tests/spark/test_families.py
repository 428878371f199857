"""The parsers inside Spark: what `mapInArrow` gives is what the functions give, line for line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from probable_cause.errors import RejectedLineError
from probable_cause.families import FAMILIES, parse_line
from probable_cause.parsing import parse_batches
from tests.fuzz.seeds import seeds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_seed_and_some_rubbish_through_spark(spark: SparkSession, family: str) -> None:
    lines = [line for _, form, line in seeds(family) if form is None] + [
        "",
        "rubbish \ud800".encode("utf-8", "replace").decode(),
        "{",
    ]
    frame = spark.createDataFrame(list(enumerate(lines)), "index bigint, line string")
    rows = frame.mapInArrow(parse_batches(family), "index bigint, ok boolean, result_json string").collect()
    assert [row["index"] for row in sorted(rows)] == list(range(len(lines)))
    for row in rows:
        result = json.loads(row["result_json"])
        try:
            event = parse_line(family, lines[row["index"]])[0]
        except RejectedLineError as fault:
            assert (result["ok"], result["reason"]) == (False, fault.reason)
            continue
        assert result["ok"] is row["ok"] is True
        for column in ("action", "outcome", "source_ip", "level", "resource_ids", "fields"):
            assert (result["event"][column] or None) == (event.get(column) or None), column
