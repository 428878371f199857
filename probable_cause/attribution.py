"""Which application an event of interest concerns: by log group, by IP, by resource. Agentless.

Both lookups are one small table of (key, application), broadcast to every task.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from probable_cause.addresses import in_any

# Schema of the broadcast table: an IP address, a resource id, an ARN or a log group, and whose it is.
LOOKUP = "lookup_key string, owner_application string, owner_type string"
UNATTRIBUTED = "(unattributed)"  # kept and counted like an application, so that nothing is lost

# srcaddr is the interface's primary address; the packet's own address is in pkt-srcaddr where the format has it.
_SOURCE = "coalesce({0}pkt_source_ip, {0}source_ip)"
_DESTINATION = "coalesce({0}pkt_destination_ip, {0}destination_ip)"
_NO_TEXTS = "cast(array() as array<string>)"


def of_network_interest(interest: DataFrame, accepted_cidrs: Sequence[str], count_external: bool) -> DataFrame:
    """Keeps flow records whose source lies in an accepted range: bots at the periphery concern nobody (contract 3.4).

    Args:
        interest: schemas.INTEREST; rows of other families and rejected rows pass.
        count_external: True keeps flow records from any source.
    """
    if count_external:
        return interest
    return interest.where(f"rule_id is null or family != 'vpc_flow' or {in_any(_SOURCE.format(''), accepted_cidrs)}")


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
    keyed = interest.selectExpr(
        "coalesce(event_id, position) as event_id",
        *identity[1:],
        "struct(*) as event",
        f"explode_outer({_keys(accepted_cidrs)}) as key",
    )
    looked_up = keyed.join(F.broadcast(lookup), F.expr("key.value = lookup_key"), how="left")
    return (
        looked_up.groupBy(*identity)
        .agg(F.expr("any_value(event) as event"), F.expr(f"sort_array(collect_set({_MATCH})) as matches"))
        .selectExpr("event_id as id", "event", f"{_matches()} as matches")
        .selectExpr("id", "event", "matches", "explode(array_distinct(matches.application)) as owner")
        .selectExpr("id", "event", "owner", "filter(matches, m -> m.application = owner) as own")
        .selectExpr(
            "id",
            "event",
            "owner",
            "get(own, 0) as first",
            "array_sort(filter(own, m -> m.place = 'resource')) as owned",
        )
        .selectExpr("event.* except (event_id, application_id)", "id as event_id", "owner as application_id", *_ends())
    )


# Whose the looked-up key is: by the log group's own name, else by the table.
_MATCH = (
    "struct(if(key.place = 'log_group', coalesce(event.application_id, owner_application), owner_application) "
    "as application, key.place as place, key.rank as rank, key.value as value, owner_type as type)"
)


def _key(place: str, value: str, rank: str = "0") -> str:
    return f"named_struct('place', '{place}', 'rank', {rank}, 'value', {value})"


def _keys(accepted_cidrs: Sequence[str]) -> str:
    """SQL of what to look up for an event: array<struct<place, rank, value>>, in order of how much it says."""
    source, destination = _SOURCE.format(""), _DESTINATION.format("")
    ends = (
        f"filter(array(if({in_any(destination, accepted_cidrs)}, {_key('destination', destination)}, null), "
        f"if({in_any(source, accepted_cidrs)}, {_key('source', source)}, null)), k -> k is not null)"
    )
    resources = f"transform(resource_ids, (r, i) -> {_key('resource', 'r', 'i')})"
    whole, last = _key("log_group", "log_group"), _key("log_group", "substring_index(log_group, '/', -1)", "1")
    groups = f"filter(array({whole}, {last}), k -> k.value is not null)"
    return f"case family when 'vpc_flow' then {ends} when 'application' then {groups} else {resources} end"


def _matches() -> str:
    """SQL: matches with an application. What has none is an unattributed end of a flow, or, when no match has one, the
    whole event."""
    known = "filter(matches, m -> m.application is not null)"
    unknown = (
        f"transform(filter(matches, m -> m.application is null), m -> named_struct('application', '{UNATTRIBUTED}', "
        "'place', m.place, 'rank', m.rank, 'value', m.value, 'type', m.type))"
    )
    return (
        f"case when event.family = 'vpc_flow' then concat({known}, {unknown}) "
        f"when size({known}) > 0 then {known} else {unknown} end"
    )


def _ends() -> list[str]:
    """The columns of schemas.OWNERSHIP from `first`, an application's best match, and `owned`, its resources."""
    flow = "event.family = 'vpc_flow'"
    source, destination = _SOURCE.format("event."), _DESTINATION.format("event.")
    # Named are the owned resources of the same kind as the first: i-1 and i-2 of a reboot, not their subnet.
    kind = "substring_index({}, '-', 1)"
    named = f"filter(owned, m -> {kind.format('m.value')} = {kind.format('get(owned, 0).value')})"
    return [
        f"if({flow}, first.value, null) as endpoint",
        f"if({flow}, coalesce(first.type, 'address'), null) as endpoint_type",
        f"if({flow}, if(first.place = 'destination', {source}, {destination}), null) as peer",
        f"if({flow}, null, array_join(slice({named}.value, 1, 5), ', ')) as resource",
        "owned.value as owned_resource_ids",
    ]
