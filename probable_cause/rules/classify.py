"""Which events are of interest: DataFrame[EVENT] -> DataFrame[INTEREST]."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from probable_cause.rules import spark_sql
from probable_cause.rules.model import RuleSet
from probable_cause.rules.tables import tables_of
from probable_cause.schemas import EVENT, column_names


def classify(events: DataFrame, rules: RuleSet) -> DataFrame:
    """The events that a rule matches, each with the rule's columns; rejected lines pass, without a rule.

    Takes EVENT, gives INTEREST: one row for each (event, layer, role), with the most relevant rule of it (ties by
    rule id).
    """
    winners = F.expr(f"inline_outer({spark_sql.winners(tables_of(rules))})")
    won = with_matches(events, rules).select(*column_names(EVENT), winners)
    return won.where(F.col("reject_reason").isNotNull() | F.col("rule_id").isNotNull())


def with_matches(events: DataFrame, rules: RuleSet) -> DataFrame:
    """EVENT with `matches array<int>`: the numbers in `rules.rules` of all rules that match, the most relevant first.

    Events are not filtered by their candidates: Spark would push the filter below them, and work them out twice.
    """
    tables = tables_of(rules)
    called = events.withColumn("candidates", F.expr(spark_sql.candidates(tables)))
    prepared = called.withColumns({name: F.expr(sql) for name, sql in spark_sql.prepared().items()})
    matched = prepared.withColumn("matches", F.expr(spark_sql.matches(tables)))
    return matched.select(*column_names(EVENT), "matches")
