"""Repeats of one cause -> one row with count, first seen and last seen. What the sink then writes is one item a row."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from probable_cause.schemas import FOLDED, column_names

# Taken from the newest event of a cause.
_NEWEST = (
    "rule_id",
    "family",
    "relevance",
    "half_life_seconds",
    "window_seconds",
    "summary",
    "message",
    "action",
    "outcome",
    "error_code",
    "actor",
    "explains",
    "symptom",
    "resolves",
    "delivered_at",
    "arrived_at",
)


def fold(described: DataFrame, remembered: int) -> DataFrame:
    """schemas.ATTRIBUTED with cause_id and summary -> schemas.FOLDED.

    Rows are distinct events per application (attribution saw to it), so counting rows counts events. `occurrences`
    lists the newest `remembered` of them as (epoch ms, hash of event id): the sink knows by it which it had already.
    """
    named = described.withColumn("cause_id", _cause_id())
    newest = F.max_by(F.struct(*_NEWEST, _actor_type(), _resources()), F.struct("event_time", "event_id"))
    at = F.unix_millis("event_time")
    occurrence = F.struct(at.alias("at"), F.xxhash64("event_id").alias("id"))
    folded = named.groupBy("application_id", "event_type", "cause_id", "role").agg(
        newest.alias("newest"),
        F.min("event_time").alias("first_seen"),
        F.max("event_time").alias("last_seen"),
        F.count(F.lit(1)).alias("count"),
        F.slice(F.reverse(F.array_sort(F.collect_list(occurrence))), 1, remembered).alias("occurrences"),
        F.slice(F.array_sort(F.array_distinct(F.flatten(F.collect_set(_addresses())))), 1, 20).alias("addresses"),
        F.array(F.min_by("event_id", "event_time"), F.max_by("event_id", "event_time")).alias("sample_event_ids"),
    )
    columns = {
        **{name: F.col("newest")[name] for name in (*_NEWEST, "actor_type", "resource_ids")},
        "sample_event_ids": F.array_distinct("sample_event_ids"),
    }
    return folded.select(*(columns.get(name, F.col(name)).alias(name) for name in column_names(FOLDED)))


def _cause_id() -> Column:
    """A recovery is an event of its own beside the cause that it ends, also when both are named alike."""
    return F.when(F.col("role") == "recovery", F.concat(F.lit("recovery: "), "cause_id")).otherwise(F.col("cause_id"))


def _actor_type() -> Column:
    return F.try_element_at("fields", F.lit("actor_type")).alias("actor_type")


def _resources() -> Column:
    """What the application owns first: that is how the cause is named."""
    return F.slice(F.array_union(_or_empty("owned_resource_ids"), _or_empty("resource_ids")), 1, 20).alias("resource_ids")


def _or_empty(name: str) -> Column:
    return F.coalesce(F.col(name), F.array().cast("array<string>"))


def _addresses() -> Column:
    ends = F.array(F.col("endpoint"), F.col("peer"))
    named = F.split(F.coalesce(F.try_element_at("fields", F.lit("addresses")), F.lit("")), ",")
    both = F.when(F.col("family") == "vpc_flow", ends).when(F.col("family") == "application", named)
    return F.filter(F.coalesce(both, F.array().cast("array<string>")), lambda one: one.isNotNull() & (one != ""))

