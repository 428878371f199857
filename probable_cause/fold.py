"""Repeats of one cause -> one row with count, first seen and last seen; of too many causes, one row of the others.

What the sink then writes is one item a row.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from probable_cause import identity
from probable_cause.schemas import BASELINE, BUCKET, FOLDED, OTHERS, OTHERS_SUMMARY, column_names

_AT = "struct(event_time, event_id)"  # of events of one instant a replay must take the same
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
            "original",
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

    An event that was delivered twice is one: counted are the distinct `occurrences`, of which the newest `listed` are
    kept, as (epoch ms, hash of event id, and the two hashes of identity.py by which an event is known that comes from
    a file as well): the sink knows by them which it had already.
    A recovery is an event of its own beside the cause that it ends, also when both are named alike.
    Of what is usual (role BASELINE) only the spans of time are listed in which it happened.
    """
    newest = ", ".join(f"'{name}', {value}" for name, value in _NEWEST.items())
    occurrence = (
        "named_struct('at', unix_millis(event_time), 'id', xxhash64(event_id), "
        f"'also', {identity.also()}, 'other', {identity.other()})"
    )
    occurrences = f"collect_set(if(role = '{BASELINE}', null, {occurrence}))"
    buckets = f"collect_set(if(role = '{BASELINE}', unix_seconds(event_time) div {BUCKET}, null))"
    folded = described.groupBy(
        "application_id",
        "event_type",
        F.expr("if(role = 'recovery', 'recovery: ', '') || cause_id as cause_id"),
        "role",
    ).agg(
        F.expr(f"max_by(named_struct({newest}), {_AT}) as newest"),
        F.expr("min(event_time) as first_seen"),
        F.expr("max(event_time) as last_seen"),
        F.expr(f"if(role = '{BASELINE}', count(1), size({occurrences})) as count"),
        F.expr(f"slice(sort_array({occurrences}, false), 1, {listed}) as occurrences"),
        F.expr(f"slice(sort_array(array_distinct(flatten(collect_set({_ADDRESSES})))), 1, 20) as addresses"),
        F.expr(f"array_distinct(array(min_by(event_id, {_AT}), max_by(event_id, {_AT}))) as sample_event_ids"),
        F.expr("slice(sort_array(collect_set(edge)), 1, 20) as edges"),
        F.expr(f"sort_array({buckets}) as buckets"),
    )
    return folded.selectExpr(
        *(f"newest.{name} as {name}" if name in _NEWEST else name for name in column_names(FOLDED))
    )


# What the row of the others does not take from its newest event, for it names and ends nothing.
_OF_OTHERS = {
    "rule_id": f"'{OTHERS}'",
    "summary": f"'{OTHERS_SUMMARY}'",
    **dict.fromkeys(["action", "outcome", "error_code", "actor", "actor_type", "symptom"], "null"),
    **dict.fromkeys(["resource_ids", "addresses", "explains", "resolves", "edges"], _NO_TEXTS),
}


def bounded(folded: DataFrame, most: int, listed: int) -> DataFrame:
    """schemas.FOLDED with at most `most` causes of an application, layer and role; the others are one row of the layer.

    Kept are the most relevant, of those the most frequent, of those the first by name: a replay keeps the same. The
    row of the others has cause and role OTHERS, which no verdict names. Its count is the sum of theirs and it lists the
    newest `listed` of their events. Of what is usual, the others are left out. Done before rows come to the driver,
    whose memory a flood must not fill.
    """
    order = "relevance desc, count desc, cause_id"
    rank = f"row_number() over (partition by application_id, event_type, role order by {order})"
    ranked = folded.selectExpr("*", f"{rank} <= {most} as own").where(f"own or role != '{BASELINE}'")
    keys = {"cause_id": f"if(own, cause_id, '{OTHERS}')", "role": f"if(own, role, '{OTHERS}')"}
    summed = {
        "relevance": "max(relevance)",
        "first_seen": "min(first_seen)",
        "last_seen": "max(last_seen)",
        "count": "sum(count)",
        "occurrences": f"slice(sort_array(flatten(collect_list(occurrences)), false), 1, {listed})",
    }
    others = ["application_id", "event_type", *keys, *summed]
    one = [name for name in column_names(FOLDED) if name not in others]
    grouped = ranked.groupBy(
        "application_id", "event_type", "own", *(F.expr(f"{sql} as {name}") for name, sql in keys.items())
    ).agg(
        F.expr(f"max_by(struct({', '.join(one)}), struct(last_seen, relevance, cause_id, role)) as newest"),
        *(F.expr(f"{sql} as {name}") for name, sql in summed.items()),
    )
    columns = {name: f"newest.{name}" for name in one}
    columns |= {name: f"if(own, newest.{name}, {sql})" for name, sql in _OF_OTHERS.items()}
    return grouped.selectExpr(*(f"{columns.get(name, name)} as {name}" for name in column_names(FOLDED)))
