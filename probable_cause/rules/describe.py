"""The identity of a cause and its summary in words: DataFrame[ATTRIBUTED] -> the same with `cause_id`, `summary`.

One expression fills every rule's template: a template is split at its braces, and each name is looked up among the
event's columns, its `fields`, and as a path of the raw record. What is absent shows as `-`.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

from probable_cause.rules.fields import TEMPLATE_ALIASES, TEMPLATE_COLUMNS, TEMPLATE_COMPUTED
from probable_cause.rules.spark_sql import LINE, changes
from probable_cause.sql import let

LONGEST_CAUSE = 200  # characters of a cause id; what is longer is cut, a hash of the whole keeps it unique
LONGEST_VALUE = 300  # characters of one value in a summary
_HASH = 12


# What the messages of one statement in a program share: quoted text and words with a digit stand for anything.
_PATTERN = (
    "left(regexp_replace(regexp_replace(substring_index(message, '\\n', 1), r'\"[^\"]*\"', '*'), "
    "r'[^ \"]*[0-9][^ \"]*', '*'), 60)"
)


def describe(attributed: DataFrame) -> DataFrame:
    """Adds `cause_id string` and `summary string`, rendered from the columns cause_template and summary_template.

    A cause id has at most LONGEST_CAUSE characters, one line, and no `#`, which separates the parts of a key.
    """
    computed = {
        "permissions": f"if(contains(summary_template, '{{permissions}}'), {_permissions()}, null)",
        "changes": f"if(contains(summary_template, '{{changes}}'), {_changes()}, null)",
        "pattern": f"if(contains(cause_template, '{{pattern}}'), {_PATTERN}, null)",
    }
    texts = f"transform(array(cause_template, summary_template), template -> {_rendered()}) as texts"
    cause = _short("replace(texts[0], '#', '-')")
    return (
        attributed.selectExpr("*", *(f"{sql} as {name}" for name, sql in computed.items()))
        .selectExpr(f"* except ({', '.join(computed)})", texts)
        .selectExpr("* except (texts)", f"{cause} as cause_id", "texts[1] as summary")
    )


def _rendered() -> str:
    """SQL of the filled `template`. Of its pieces the even ones are text, the odd ones names."""
    # Not '[{}]': a pattern of one character is not compiled anew for each row.
    pieces = r"split(replace(template, '}', '{'), r'\{')"
    short = f"trim(left(regexp_replace({_value()}, '\\\\s+', ' '), {LONGEST_VALUE}))"
    value = let("v", short, "if(v != '', v, '-')")
    return f"array_join(transform({pieces}, (name, i) -> if(i % 2 = 0, name, {value})), '')"


def _value() -> str:
    """SQL of the value that `name` stands for."""
    names = {name: name for name in sorted(TEMPLATE_COLUMNS | TEMPLATE_COMPUTED)} | TEMPLATE_ALIASES
    columns = " ".join(f"when '{name}' then cast({column} as string)" for name, column in names.items())
    raw = f"coalesce(try_element_at(fields, name), get_json_object({LINE}, concat('$.', name)))"
    return f"case name {columns} else {raw} end"


def _changes() -> str:
    """SQL of the first differences of a Config item."""
    return f"array_join(slice({changes()}, 1, 3), '; ')"


def _permissions() -> str:
    """SQL of what a security group call opens or closes: `tcp 5432 with 10.0.0.0/16, sg-2`.

    Calls name whole rules (ipPermissions), one rule in loose parameters, or the ids of rules.
    """
    ddl = (
        "struct<ipPermissions: struct<items: array<struct<ipProtocol: string, fromPort: string, toPort: string, "
        "ipRanges: struct<items: array<struct<cidrIp: string>>>, "
        "ipv6Ranges: struct<items: array<struct<cidrIpv6: string>>>, "
        "groups: struct<items: array<struct<groupId: string>>>, "
        "prefixListIds: struct<items: array<struct<prefixListId: string>>>>>>, "
        "ipProtocol: string, fromPort: string, toPort: string, cidrIp: string>"
    )
    parameters = f"get_json_object({LINE}, '$.requestParameters')"
    lists = ("ipRanges.items.cidrIp", "ipv6Ranges.items.cidrIpv6", "groups.items.groupId",
             "prefixListIds.items.prefixListId")  # fmt: skip
    ends = f"concat_ws(', ', {', '.join(f'p.{one}' for one in lists)})"
    listed = f"transform(r.ipPermissions.items, p -> {_permission('p', ends)})"
    loose = f"if(r.ipProtocol is null, null, {_permission('r', 'r.cidrIp')})"
    ids = f"array_join(regexp_extract_all({parameters}, 'sgr-[0-9a-z]+', 0), ', ')"
    text = f"coalesce(nullif(array_join({listed}, '; '), ''), {loose}, nullif({ids}, ''))"
    return let("r", f"from_json({parameters}, '{ddl}')", text)


def _permission(rule: str, ends: str) -> str:
    """SQL of one rule in words: protocol, ports, and the other ends."""
    ports = (
        f"case when {rule}.fromPort is null or {rule}.fromPort = '-1' then '' when {rule}.fromPort = {rule}.toPort "
        f"then concat(' ', {rule}.fromPort) else concat(' ', {rule}.fromPort, '-', coalesce({rule}.toPort, '')) end"
    )
    protocol = f"if({rule}.ipProtocol = '-1', 'all traffic', coalesce({rule}.ipProtocol, 'traffic'))"
    return f"concat_ws(' with ', concat({protocol}, {ports}), nullif({ends}, ''))"


def _short(text: str) -> str:
    """SQL of `text` in at most LONGEST_CAUSE characters."""
    cut = f"concat(left(t, {LONGEST_CAUSE - _HASH - 1}), '~', left(sha2(t, 256), {_HASH}))"
    return let("t", text, f"if(length(t) <= {LONGEST_CAUSE}, t, {cut})")
