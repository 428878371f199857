"""The identity of a cause and its summary in words: DataFrame[ATTRIBUTED] -> the same with `cause_id`, `summary`.

One expression fills every rule's template: a template is split at its braces, and each name is looked up among the
event's columns, its `fields`, and as a path of the raw record. `{name~pattern}` is the first group of a regular
expression in that value. What is absent shows as `-`.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from probable_cause.rules import spark_sql
from probable_cause.rules.fields import TEMPLATE_ALIASES, TEMPLATE_COLUMNS

LONGEST_CAUSE = 200  # characters of a cause id; what is longer is cut, a hash of the whole keeps it unique
LONGEST_VALUE = 300  # characters of one value in a summary
_HASH = 12


def describe(attributed: DataFrame) -> DataFrame:
    """Adds `cause_id string` and `summary string`, rendered from the columns cause_template and summary_template.

    A cause id has at most LONGEST_CAUSE characters, one line, and no `#`, which separates the parts of a key.
    """
    return (
        attributed.withColumn("cause_id", F.expr(_rendered("cause_template")))
        .withColumn("cause_id", F.expr(_short("replace(cause_id, '#', '-')")))
        .withColumn("summary", F.expr(_rendered("summary_template")))
    )


def _rendered(template: str) -> str:
    """SQL of the filled template: its even pieces are text, its odd pieces names."""
    value = f"coalesce(nullif(trim(left(regexp_replace({_value()}, '\\\\s+', ' '), {LONGEST_VALUE})), ''), '-')"
    return f"array_join(transform(split({template}, '[{{}}]'), (piece, i) -> if(i % 2 = 0, piece, {value})), '')"


def _value() -> str:
    """SQL of the value that a piece `name` or `name~pattern` stands for."""
    name, pattern = "split(piece, '~', 2)[0]", "get(split(piece, '~', 2), 1)"
    columns = " ".join(f"when '{column}' then cast({column} as string)" for column in sorted(TEMPLATE_COLUMNS))
    aliases = " ".join(
        f"when '{alias}' then cast({column} as string)" for alias, column in sorted(TEMPLATE_ALIASES.items())
    )
    line = spark_sql.LINE
    raw = (
        f"coalesce(try_element_at(fields, name), get_json_object({line}, concat('$.', name)), "
        f"get_json_object({line}, concat('$.detail.', name)))"
    )
    found = (
        f"case name {columns} {aliases} when 'permissions' then {_permissions()} "
        f"when 'changes' then array_join(slice({spark_sql.changes()}, 1, 3), '; ') else {raw} end"
    )
    return f"transform(array({name}), name -> if({pattern} is null, {found}, regexp_extract({found}, {pattern}, 1)))[0]"


def _permissions() -> str:
    """SQL of what a security group call opens or closes: `tcp 5432 from 10.0.0.0/16, sg-2`."""
    ddl = (
        "struct<items: array<struct<ipProtocol: string, fromPort: string, toPort: string, "
        "ipRanges: struct<items: array<struct<cidrIp: string>>>, "
        "ipv6Ranges: struct<items: array<struct<cidrIpv6: string>>>, "
        "groups: struct<items: array<struct<groupId: string>>>, "
        "prefixListIds: struct<items: array<struct<prefixListId: string>>>>>>"
    )
    parsed = f"from_json(get_json_object({spark_sql.LINE}, '$.requestParameters.ipPermissions'), '{ddl}')"
    nothing = "cast(array() as array<string>)"
    ends = (
        f"concat(coalesce(p.ipRanges.items.cidrIp, {nothing}), coalesce(p.ipv6Ranges.items.cidrIpv6, {nothing}), "
        f"coalesce(p.groups.items.groupId, {nothing}), coalesce(p.prefixListIds.items.prefixListId, {nothing}))"
    )
    ports = (
        "case when p.fromPort is null or p.fromPort = '-1' then '' when p.fromPort = p.toPort then "
        "concat(' ', p.fromPort) else concat(' ', p.fromPort, '-', coalesce(p.toPort, '')) end"
    )
    protocol = "if(p.ipProtocol = '-1', 'all traffic', coalesce(p.ipProtocol, 'traffic'))"
    one = f"concat({protocol}, {ports}, if(size({ends}) = 0, '', concat(' with ', array_join({ends}, ', '))))"
    rules = f"get_json_object({spark_sql.LINE}, '$.requestParameters.securityGroupRuleIds')"
    return f"coalesce(array_join(transform({parsed}.items, p -> {one}), '; '), {rules})"


def _short(text: str) -> str:
    """SQL of `text` in at most LONGEST_CAUSE characters."""
    cut = LONGEST_CAUSE - _HASH - 1
    return (
        f"transform(array({text}), t -> if(length(t) <= {LONGEST_CAUSE}, t, "
        f"concat(left(t, {cut}), '~', left(sha2(t, 256), {_HASH}))))[0]"
    )
