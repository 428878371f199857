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
    rule id). An event that no key and no word of a rule fits leaves at the first filter.
    """
    tables = tables_of(rules)
    rejected = F.col("reject_reason").isNotNull()
    kept = rejected | (F.size("candidates") > 0)
    called = events.withColumn("candidates", F.expr(spark_sql.candidates(tables))).where(kept)
    prepared = called.withColumns({name: F.expr(sql) for name, sql in spark_sql.prepared().items()})
    matched = prepared.withColumn("matches", F.expr(spark_sql.matches(tables)))
    won = matched.select(*column_names(EVENT), F.expr(f"inline_outer({spark_sql.winners(tables)})"))
    return won.where(rejected | F.col("rule_id").isNotNull())
