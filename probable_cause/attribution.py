"""Which application an event of interest concerns: by log group, by IP, by resource, by tag, by relation. Agentless.

Both lookups are one small table of (key, application, since, until), broadcast to every task. An event belongs to who
had the address or the resource at the event's time, not at its arrival.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from probable_cause.addresses import in_any
from probable_cause.schemas import UNATTRIBUTED
from probable_cause.sql import let

# Schema of the broadcast table: one row, a hash table of what is looked up (an IP address, a resource id, an ARN or a
# log group). A key lies in the bucket pmod(crc32(key), number of buckets), with whose it is, from when and until before
# when (null: open). One row, so that an event's keys are looked up where the event is: a row a key would have to be
# joined row by row, and what belongs to an event be brought together again by a shuffle.
OWNER = "struct<application: string, type: string, since: timestamp, until: timestamp>"
LOOKUP = f"lookup array<map<string, array<{OWNER}>>>"
# Tags of a Config item that name its application; of several the first here.
APPLICATION_TAGS = ("Application", "application", "App", "app")

# srcaddr is the interface's primary address; the packet's own address is in pkt-srcaddr where the format has it.
_SOURCE = "coalesce(pkt_source_ip, source_ip)"
_DESTINATION = "coalesce(pkt_destination_ip, destination_ip)"
_NO_TEXTS = "cast(array() as array<string>)"
# Linux gives ports from here on to clients: of two such neither is a service.
_FIRST_EPHEMERAL = 32_768
# What a Config item is related to says whose it is only where few share it.
_SHARED = ("AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::IAM::Policy", "AWS::KMS::Key", "AWS::Config::ResourceCompliance")
_MOST_RELATED = 50
_MOST_MENTIONED = 40


def of_network_interest(interest: DataFrame, accepted_cidrs: Sequence[str], count_external: bool) -> DataFrame:
    """Keeps flow records whose source lies in an accepted range: bots at the periphery concern nobody (contract 3.4).

    Args:
        interest: schemas.INTEREST; rows of other families and rejected rows pass.
        count_external: True keeps flow records from any source.
    """
    if count_external:
        return interest
    return interest.where(f"rule_id is null or family != 'vpc_flow' or {in_any(_SOURCE, accepted_cidrs)}")


def attribute(
    interest: DataFrame,
    lookup: DataFrame,
    accepted_cidrs: Sequence[str],
    application_tags: Sequence[str] = APPLICATION_TAGS,
) -> DataFrame:
    """One row per (event of interest, application): schemas.INTEREST -> schemas.ATTRIBUTED.

    An event that several applications share gives a row to each. One that belongs to none goes to UNATTRIBUTED; an
    end of a flow that belongs to none does so too, beside the application of the other end. A call whose resources
    nobody owns belongs to those whose resource is any other string among its parameters. A Config item belongs to
    the application that its tag names, too; if neither tag nor table know it, to those of what it is related to.

    A refused call that is a symptom, as one of a burst, concerns the application that the caller's role belongs to,
    whosever resource was asked for; if nobody has the role, it is attributed as any other call.

    Args:
        lookup: LOOKUP, small enough to broadcast.
        accepted_cidrs: an end of a flow outside of them is not looked up.
        application_tags: names of the tag that carries an application's id; of several that an item has, the first.
    """
    keys = _keys(accepted_cidrs, application_tags)
    return (
        interest.select("*", lookup.scalar().alias("lookup"))
        # The table leaves with the first step: it must not become part of each row.
        .selectExpr(
            "* except (event_id, lookup)", "coalesce(event_id, position) as event_id", f"{_found(keys)} as matches"
        )
        .selectExpr("* except (matches)", f"{_matches()} as matches")
        .selectExpr("*", f"inline(transform(array_distinct(matches.application), holder -> {_owner()}))")
        .selectExpr("* except (application_id, matches, holder, own, owned)", "holder as application_id", *_ends())
    )


def _owner() -> str:
    """SQL of one application's struct: which matches are its own, and which of those are resources that it owns.
    UNATTRIBUTED owns nothing that is only mentioned."""
    named = f"m.place = 'mentioned' and holder != '{UNATTRIBUTED}'"
    owned = f"m.application = holder and (m.place = 'resource' or ({named}))"
    return (
        "named_struct('holder', holder, 'own', filter(matches, m -> m.application = holder), "
        f"'owned', sort_array(filter(matches, m -> {owned})))"
    )


def _found(keys: str) -> str:
    """SQL of array<struct<application, place, rank, value, type>>: what the keys tell, each at the event's time. One
    that nobody has is there without an application; an event without a key has one of nulls."""
    bucket = "get(table, cast(pmod(crc32(k.value), size(table)) as int))"
    valid = "(o.since is null or event_time >= o.since) and (o.until is null or event_time < o.until)"
    owners = f"filter({bucket}[k.value], o -> {valid})"
    match = (
        # Whose the key is: by the log group's own name, by the tag itself, else by the table.
        "struct(case k.place when 'log_group' then coalesce(application_id, o.application) "
        "when 'tag' then k.value else o.application end as application, "
        "k.place as place, k.rank as rank, k.value as value, o.type as type)"
    )
    known = let("owners", owners, f"transform(if(size(owners) > 0, owners, array(null)), o -> {match})")
    matches = let(
        "keys",
        keys,
        f"sort_array(array_distinct(flatten(transform(if(size(keys) > 0, keys, array(null)), k -> {known}))))",
    )
    return let("table", "lookup", matches)


def _key(place: str, value: str, rank: str = "0") -> str:
    return f"named_struct('place', '{place}', 'rank', {rank}, 'value', {value})"


def _keys(accepted_cidrs: Sequence[str], application_tags: Sequence[str]) -> str:
    """SQL of what to look up for an event: array<struct<place, rank, value>>, in order of how much it says."""
    ends = f"array({_key('destination', _DESTINATION)}, {_key('source', _SOURCE)})"
    inside = f"filter({ends}, k -> {in_any('k.value', accepted_cidrs)})"
    resources = f"transform(resource_ids, (r, i) -> {_key('resource', 'r', 'i')})"
    whole, last = _key("log_group", "log_group"), _key("log_group", "substring_index(log_group, '/', -1)", "1")
    groups = f"filter(array({whole}, {last}), k -> k.value is not null)"
    config = f"concat({resources}, {_tag(application_tags)}, {_related()})"
    return (
        f"case family when 'vpc_flow' then {inside} when 'application' then {groups} when 'aws_config' then {config} "
        f"else concat({resources}, {_mentioned()}, {_caller()}) end"
    )


def _caller() -> str:
    """SQL: who made a call that failed and is a symptom, as keys: ARN and name of the role, else of the user."""
    path = "get_json_object(coalesce(record, message), '$.userIdentity.{}')"
    arn, name = (
        f"coalesce({path.format(f'sessionContext.sessionIssuer.{part}')}, {path.format(part)})"
        for part in ("arn", "userName")
    )
    keys = f"array({_key('caller', arn)}, {_key('caller', name, '1')})"
    symptom = "family = 'cloudtrail' and role = 'symptom' and outcome = 'failure'"
    return f"if({symptom}, filter({keys}, k -> k.value is not null), array())"


def _tag(application_tags: Sequence[str]) -> str:
    """SQL: the application that a tag of a Config item names, as an array of none or one key."""
    tags = "from_json(try_element_at(fields, 'tags'), 'map<string,string>')"
    named = [f"nullif(trim(try_element_at(t, {_text(name)})), '')" for name in application_tags]
    value = f"element_at(transform(array({tags}), t -> coalesce({', '.join([*named, 'cast(null as string)'])})), 1)"
    return f"filter(array({_key('tag', value)}), k -> k.value is not null)"


def _related() -> str:
    """SQL: what a Config item is related to, as keys."""
    ddl = "array<struct<resourceId: string, resourceName: string, resourceType: string>>"
    shared = ", ".join(map(_text, _SHARED))
    own = f"filter(r, one -> coalesce(one.resourceType, '') not in ({shared}))"
    names = f"filter(flatten(transform({own}, one -> array(one.resourceId, one.resourceName))), n -> n is not null)"
    ids = f"transform(array(from_json(try_element_at(fields, 'relationships'), '{ddl}')), r -> {names})"
    keys = f"transform(slice(element_at({ids}, 1), 1, {_MOST_RELATED}), (n, i) -> {_key('related', 'n', 'i')})"
    return f"coalesce({keys}, array())"


def _mentioned() -> str:
    """SQL: the other strings among a call's parameters, as keys: every service names its resources in its own way."""
    parameters = "get_json_object(coalesce(record, message), '$.requestParameters')"
    strings = f'regexp_extract_all({parameters}, r\'"([^"\\\\]{{3,256}})"(?!\\s*:)\', 1)'
    others = f"array_except({strings}, coalesce(resource_ids, {_NO_TEXTS}))"
    return (
        f"coalesce(transform(slice({others}, 1, {_MOST_MENTIONED}), (n, i) -> {_key('mentioned', 'n', 'i')}), array())"
    )


def _text(value: str) -> str:
    """A string literal of Spark SQL."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _matches() -> str:
    """SQL: matches with an application; those by mention or relation only where there are no others; only the
    caller's where it has any. What has none is an unattributed end of a flow, or, when no match has one, the whole
    event."""
    # Asked once an event: few have a caller among their keys, and what stands in a lambda is done for each match.
    callers = "filter(known, m -> m.place = 'caller')"
    asked = f"if(size({callers}) > 0, filter(known, m -> array_contains({callers}.application, m.application)), known)"
    is_direct = "m -> m.place not in ('mentioned', 'related')"
    foremost = let("asked", asked, f"if(exists(asked, {is_direct}), filter(asked, {is_direct}), asked)")
    unknown = (
        f"transform(filter(matches, m -> m.application is null), m -> named_struct('application', '{UNATTRIBUTED}', "
        "'place', m.place, 'rank', m.rank, 'value', m.value, 'type', m.type))"
    )
    return let(
        "foremost",
        let("known", "filter(matches, m -> m.application is not null)", foremost),
        f"if(family != 'vpc_flow' and size(foremost) > 0, foremost, concat(foremost, {unknown}))",
    )


def _edge() -> str:
    """SQL of `client -> server:port/protocol`, where both ends have an application; of an address with several, this
    one, or the first. The service's port is the lower one; null where both are a client's, and without ports."""
    ends = []
    for place in ("source", "destination"):
        mine, any_known = (
            f"get(filter({matches}, m -> m.place = '{place}' and m.application != '{UNATTRIBUTED}'), 0).application"
            for matches in ("own", "matches")
        )
        ends.append(f"coalesce({mine}, {any_known})")
    ports = "source_port", "destination_port"
    service = f"least({', '.join(ports)})"
    named = let(
        "e",
        f"array({', '.join(ends)})",
        f"concat(if({ports[1]} <= {ports[0]}, concat(e[0], ' -> ', e[1]), concat(e[1], ' -> ', e[0])), ':', {service}, "
        "if(protocol = 6, '/tcp', '/udp'))",
    )
    return f"if(holder != '{UNATTRIBUTED}' and protocol in (6, 17) and {service} < {_FIRST_EPHEMERAL}, {named}, null)"


def _ends() -> list[str]:
    """The columns of schemas.OWNERSHIP from `first`, an application's best match, and `owned`, its resources."""
    flow = "family = 'vpc_flow'"
    # Named are the owned resources of the same kind as the first: i-1 and i-2 of a reboot, not their subnet.
    kind = "substring_index({}, '-', 1)"
    named = f"filter(owned, m -> {kind.format('m.value')} = {kind.format('get(owned, 0).value')})"
    return [
        f"if({flow}, get(own, 0).value, null) as endpoint",
        f"if({flow}, coalesce(get(own, 0).type, 'address'), null) as endpoint_type",
        f"if({flow}, if(get(own, 0).place = 'destination', {_SOURCE}, {_DESTINATION}), null) as peer",
        f"if({flow}, {_edge()}, null) as edge",
        # By a tag or a relation the item's own resource is concerned, though the table does not know it.
        f"case when {flow} then null when family = 'aws_config' and size(owned) = 0 then "
        f"get(resource_ids, 0) else array_join(slice({named}.value, 1, 5), ', ') end as resource",
        # Who looks after unattributed lines must know where they came from.
        f"if(family = 'application' and holder = '{UNATTRIBUTED}' and log_group is not null, "
        "array(log_group), owned.value) as owned_resource_ids",
    ]
