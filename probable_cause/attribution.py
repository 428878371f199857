"""Which application an event of interest concerns: by log group, by IP, by resource. Agentless.

Both lookups are one small table of (key, application), broadcast to every task.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from probable_cause.addresses import in_any
from probable_cause.schemas import ATTRIBUTED, INTEREST, column_names

# Schema of the broadcast table: an IP address, a resource id, an ARN or a log group, and whose it is.
LOOKUP = "lookup_key string, owner_application string, owner_type string"
UNATTRIBUTED = "(unattributed)"  # kept and counted like an application, so that nothing is lost


def of_network_interest(interest: DataFrame, accepted_cidrs: Sequence[str], count_external: bool) -> DataFrame:
    """Keeps flow records whose source lies in an accepted range: bots at the periphery concern nobody (contract 3.4).

    Args:
        interest: schemas.INTEREST; rows of other families and rejected rows pass.
        count_external: True keeps flow records from any source.
    """
    if count_external:
        return interest
    elsewhere = F.col("rule_id").isNull() | (F.col("family") != "vpc_flow")
    return interest.where(elsewhere | in_any(_source(), accepted_cidrs))


def attribute(interest: DataFrame, lookup: DataFrame, accepted_cidrs: Sequence[str]) -> DataFrame:
    """One row per (event of interest, application): schemas.INTEREST -> schemas.ATTRIBUTED.

    An event that several applications share gives a row to each. One that belongs to none goes to UNATTRIBUTED; an
    end of a flow that belongs to none does so too, beside the application of the other end. The same event delivered
    twice within the rows given is one.

    Args:
        lookup: LOOKUP, small enough to broadcast.
        accepted_cidrs: an end of a flow outside of them is not looked up.
    """
    identity = ["event_id", "rule_id", "event_type", "role"]
    keyed = interest.withColumn("event_id", F.coalesce("event_id", "position")).withColumn(
        "key", F.explode_outer(_keys(accepted_cidrs))
    )
    looked_up = keyed.join(F.broadcast(lookup), keyed["key"]["value"] == lookup["lookup_key"], how="left")
    direct = F.col("key")["place"] == "log_group"
    match = F.struct(
        F.when(direct & F.col("application_id").isNotNull(), F.col("application_id"))
        .otherwise(F.col("owner_application"))
        .alias("application"),
        F.col("key")["place"].alias("place"),
        F.col("key")["rank"].alias("rank"),
        F.col("key")["value"].alias("value"),
        F.col("owner_type").alias("type"),
    )
    per_event = looked_up.groupBy(*identity).agg(
        F.any_value(F.struct(*column_names(INTEREST))).alias("event"), F.sort_array(F.collect_set(match)).alias("all")
    )
    return (
        per_event.withColumn("matches", _unattributed_ends(F.col("all")))
        .withColumn("application", F.explode(F.array_distinct(F.col("matches")["application"])))
        .withColumn("own", F.filter("matches", lambda one: one["application"] == F.col("application")))
        .select(*_attributed_columns())
    )


def _source() -> Column:
    # srcaddr is the interface's primary address; the packet's own address is in pkt-srcaddr where the format has it.
    return F.coalesce("pkt_source_ip", "source_ip")


def _destination() -> Column:
    return F.coalesce("pkt_destination_ip", "destination_ip")


def _key(place: str, value: Column, rank: Column | None = None) -> Column:
    rank = F.lit(0) if rank is None else rank
    return F.struct(F.lit(place).alias("place"), rank.cast("int").alias("rank"), value.alias("value"))


def _keys(accepted_cidrs: Sequence[str]) -> Column:
    """What to look up for an event: array<struct<place, rank, value>>, in order of how much it says."""
    ends = F.array(
        F.when(in_any(_destination(), accepted_cidrs), _key("destination", _destination())),
        F.when(in_any(_source(), accepted_cidrs), _key("source", _source())),
    )
    resources = F.transform(F.col("resource_ids"), lambda value, rank: _key("resource", value, rank))
    groups = F.array(
        _key("log_group", F.col("log_group")),
        _key("log_group", F.element_at(F.split("log_group", "/"), -1), F.lit(1)),
    )
    return (
        F.when(F.col("family") == "vpc_flow", F.filter(ends, lambda one: one.isNotNull()))
        .when(F.col("family") == "application", F.filter(groups, lambda one: one["value"].isNotNull()))
        .otherwise(resources)
    )


def _unattributed_ends(matches: Column) -> Column:
    """Matches with an application; for those without: an unattributed end of a flow, or the whole event if none has one."""
    known = F.filter(matches, lambda one: one["application"].isNotNull())
    unknown = F.transform(
        F.filter(matches, lambda one: one["application"].isNull()),
        lambda one: one.withField("application", F.lit(UNATTRIBUTED)),
    )
    is_flow = F.col("event")["family"] == "vpc_flow"
    return F.when(is_flow, F.concat(known, unknown)).when(F.size(known) > 0, known).otherwise(unknown)


def _attributed_columns() -> list[Column]:
    """schemas.ATTRIBUTED out of event, application and own (its matches, sorted by application, place, rank)."""
    event, own = F.col("event"), F.col("own")
    is_flow = event["family"] == "vpc_flow"
    first = F.get(own, 0)
    source = F.coalesce(event["pkt_source_ip"], event["source_ip"])
    destination = F.coalesce(event["pkt_destination_ip"], event["destination_ip"])
    resources = F.array_sort(F.filter(own, lambda one: one["place"] == "resource"))
    # Named are the owned resources of the same kind as the first: i-1 and i-2 of a reboot, not their subnet.
    kind = F.substring_index(F.get(resources, 0)["value"], "-", 1)
    named = F.filter(resources, lambda one: F.substring_index(one["value"], "-", 1) == kind)
    values = {
        "application_id": F.col("application"),
        "endpoint": F.when(is_flow, first["value"]),
        "endpoint_type": F.when(is_flow, F.coalesce(first["type"], F.lit("address"))),
        "peer": F.when(is_flow, F.when(first["place"] == "destination", source).otherwise(destination)),
        "resource": F.when(~is_flow, F.array_join(F.slice(F.transform(named, lambda one: one["value"]), 1, 5), ", ")),
        "owned_resource_ids": F.transform(resources, lambda one: one["value"]),
    }
    return [values.get(name, event[name]).alias(name) for name in column_names(ATTRIBUTED)]
