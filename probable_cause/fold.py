"""Repeats of one cause -> one row with count, first seen and last seen. What the sink then writes is one item a row."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from probable_cause import identity
from probable_cause.schemas import FOLDED, column_names

_NO_TEXTS = "cast(array() as array<string>)"
# Taken from the newest event of a cause; what the application owns comes first in the resources, for the cause is
# named after it.
_NEWEST = {
    **{
        name: name
        for name in [
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
        ]
    },
    "actor_type": "try_element_at(fields, 'actor_type')",
    "resource_ids": (
        f"slice(array_union(coalesce(owned_resource_ids, {_NO_TEXTS}), coalesce(resource_ids, {_NO_TEXTS})), 1, 20)"
    ),
}
# The addresses that an event names: the ends of a flow, or those that stand in an application's line.
_ADDRESSES = (
    "filter(case family when 'vpc_flow' then array(endpoint, peer) when 'application' then "
    f"split(coalesce(try_element_at(fields, 'addresses'), ''), ',') else {_NO_TEXTS} end, a -> a != '')"
)


def fold(described: DataFrame, listed: int) -> DataFrame:
    """schemas.ATTRIBUTED with cause_id and summary -> schemas.FOLDED.

    Rows are distinct events per application (attribution saw to it), so counting rows counts events. `occurrences`
    lists the newest `listed` of them as (epoch ms, hash of event id, and the two hashes of identity.py by which an
    event is known that comes from a file as well): the sink knows by them which it had already.
    A recovery is an event of its own beside the cause that it ends, also when both are named alike.
    """
    newest = ", ".join(f"'{name}', {value}" for name, value in _NEWEST.items())
    occurrence = (
        "named_struct('at', unix_millis(event_time), 'id', xxhash64(event_id), "
        f"'also', {identity.also()}, 'other', {identity.other()})"
    )
    folded = described.groupBy(
        "application_id",
        "event_type",
        F.expr("if(role = 'recovery', 'recovery: ', '') || cause_id as cause_id"),
        "role",
    ).agg(
        F.expr(f"max_by(named_struct({newest}), struct(event_time, event_id)) as newest"),
        F.expr("min(event_time) as first_seen"),
        F.expr("max(event_time) as last_seen"),
        F.expr("count(1) as count"),
        F.expr(f"slice(reverse(array_sort(collect_list({occurrence}))), 1, {listed}) as occurrences"),
        F.expr(f"slice(array_sort(array_distinct(flatten(collect_set({_ADDRESSES})))), 1, 20) as addresses"),
        F.expr("array_distinct(array(min_by(event_id, event_time), max_by(event_id, event_time))) as sample_event_ids"),
    )
    return folded.selectExpr(
        *(f"newest.{name} as {name}" if name in _NEWEST else name for name in column_names(FOLDED))
    )
