"""The Spark SQL text that evaluates a rule set. Its size does not depend on the number of rules: the rules are data.

Spark plans every micro batch anew, so a text of one expression a rule would cost seconds a batch with a thousand
rules. Here the rules are JSON literals that the planner folds once into arrays, and one expression walks them.
"""

from __future__ import annotations

import json
from typing import Any

from probable_cause.rules.fields import APPLICATION_COLUMNS, FLOW_COLUMNS
from probable_cause.rules.keys import QUIET_LEVELS
from probable_cause.rules.tables import Anchors, Index, Tables
from probable_cause.schemas import RULE
from probable_cause.sql import let

TEST = "struct<s: string, p: string, o: string, v: array<string>, c: boolean, n: boolean>"
LINE = "coalesce(record, message)"
# A parser takes the header off an application's line; the logger's or exception's name in it may be what a rule names.
TEXT = f"if(family = 'application', concat_ws(': ', try_element_at(fields, 'error_kind'), logger, {LINE}), {LINE})"
# Characters that a regular expression is held against. Java's engine takes stack for each round of a repeated group:
# `(a|b)*` on a long line would overflow it (session.py gives threads enough for this many), and stop the stream.
LONGEST_SEARCHED = 8192
NO_RULES = "cast(array() as array<int>)"

# For each family: its name with `!` for a failed call, then what names the event. See rules/keys.py.
_FAMILY = "concat(family, if(family = 'cloudtrail' and outcome = 'failure', '!', ''))"
_KEYS = {
    "exact": "concat_ws('|', {family}, case family when 'cloudtrail' then concat(lower(event_source), '|', "
    "lower(action)) when 'aws_config' then lower(resource_type) when 'vpc_flow' then lower(outcome) "
    "else try_element_at(fields, 'error_category') end)",
    "action": "concat({family}, '||', lower(action))",
    "source": "concat({family}, '|', lower(event_source), '|')",
    "family": "concat({family}, if(family = 'cloudtrail', '||', '|'))",
}


def literal(value: Any, ddl: str) -> str:
    """SQL of a constant of any type, written as JSON in a raw string (which may hold no quote of its own)."""
    text = json.dumps(value, separators=(",", ":")).replace("'", "\\u0027")
    return f"from_json(r'{text}', '{ddl}')"


def candidates(tables: Tables) -> str:
    """SQL of array<int>: the rules that an event's keys, or an application line's words, call up."""
    lists = [_lookup(index, _KEYS[form].format(family=_FAMILY)) for form, index in tables.indexes.items()]
    if tables.anchors is not None:
        lists.append(_text_rules(tables.anchors, tables.quiet_anchors))
    return f"sort_array(array_distinct(concat({', '.join(lists)})))" if len(lists) > 1 else (lists or [NO_RULES])[0]


def _lookup(index: Index, key: str) -> str:
    table = literal(index, "array<map<string, array<int>>>")
    bucket = f"cast(pmod(crc32({key}), {len(index)}) as int)"
    return f"coalesce(get({table}, {bucket})[{key}], {NO_RULES})"


def _text_rules(anchors: Anchors, quiet_anchors: Anchors | None) -> str:
    found = f"if(family = 'application' and not {_quiet()}, {_found(anchors)}, {NO_RULES})"
    if quiet_anchors is None:
        return found
    calm = f"if(family = 'application' and {_quiet()}, {_found(quiet_anchors)}, {NO_RULES})"
    return f"concat({found}, {calm})"


def _quiet() -> str:
    levels = ", ".join(f"'{level}'" for level in QUIET_LEVELS)
    return f"coalesce(lower(level) in ({levels}), false)"


def _found(anchors: Anchors) -> str:
    """SQL of the rules whose word stands in the line: at each place the longest that stands there is looked up."""
    words = f"array_distinct(regexp_extract_all(lower({TEXT}), r'(?=({anchors.pattern}))', 1))"
    return f"flatten(transform({words}, word -> {_lookup(anchors.index, 'word')}))"


def prepared() -> dict[str, str]:
    """SQL of the columns that `matches` reads: what of a row would otherwise be computed anew for each comparison."""
    change = f"if(size(candidates) > 0, array_join({changes()}, '\\n'), null)"
    # nullif around the condition: within, Spark would work out its first argument twice.
    return {"line_text": f"if(size(candidates) > 0, {TEXT}, null)", "change_text": f"nullif({change}, '')"}


def matches(tables: Tables) -> str:
    """SQL of array<int>: those of the column `candidates` whose condition holds."""
    conditions = literal(tables.conditions, f"array<array<array<array<{TEST}>>>>")
    any_outcome = literal(tables.any_outcome, "array<boolean>")
    holds = (
        f"exists(get({conditions}, n), term -> forall(term, clause -> exists(clause, t -> t.n != coalesce({_test()}, "
        "false))))"
    )
    return f"filter(candidates, n -> (get({any_outcome}, n) or {_effective()}) and {holds})"


def _effective() -> str:
    """Failed, dry-run and read-only calls caused nothing."""
    flags = " or ".join(
        f"coalesce(try_element_at(fields, '{name}') = 'true', false)" for name in ("read_only", "dry_run")
    )
    return f"not (family = 'cloudtrail' and (coalesce(outcome = 'failure', false) or {flags}))"


def _test() -> str:
    # A JSON list is its text, and the one element that a path with [*] found is quoted: equal to any of its strings.
    listed = "(left(e, 1) in ('[', '\"') and contains(e, concat('\"', x, '\"')))"
    compare = (
        f"case t.o when 'equals' then e = x or {listed} when 'contains' then contains(e, x) "
        "when 'startswith' then startswith(e, x) when 'endswith' then endswith(e, x) when 'like' then e like x "
        f"when 'regex' then left(e, {LONGEST_SEARCHED}) rlike x "
        "when 'lt' then try_cast(e as double) < try_cast(x as double) "
        "when 'lte' then try_cast(e as double) <= try_cast(x as double) "
        "when 'gt' then try_cast(e as double) > try_cast(x as double) "
        "when 'gte' then try_cast(e as double) >= try_cast(x as double) "
        f"when 'field' then e = lower(get_json_object({LINE}, x)) end"
    )
    cased = let("v", _value(), "if(t.c, v, lower(v))")
    found = f"exists(array({cased}), e -> exists(t.v, x -> {compare}))"
    return f"case t.o when 'null' then {_value()} is null when 'exists' then {_value()} is not null else {found} end"


def _value() -> str:
    columns = dict.fromkeys([*FLOW_COLUMNS.values(), *APPLICATION_COLUMNS.values(), "action"])
    column = " ".join(f"when '{name}' then cast({name} as string)" for name in columns)
    return (
        f"case t.s when 'json' then get_json_object({LINE}, t.p) when 'line' then line_text "
        f"when 'change' then change_text when 'column' then case t.p {column} end "
        "when 'fields' then try_element_at(fields, t.p) end"
    )


def changes() -> str:
    """SQL of array<string>: the differences of a Config item, one text each:
    `UPDATE Configuration.DesiredCapacity: 4 -> 0 (down)`."""
    ddl = "map<string, struct<changeType: string, previousValue: string, updatedValue: string>>"
    found = f"get_json_object({LINE}, '$.configurationItemDiff.changedProperties')"
    before, after = (f"try_cast(d.value.{side} as double)" for side in ("previousValue", "updatedValue"))
    text = (
        "concat(coalesce(d.value.changeType, 'UPDATE'), ' ', d.key, ': ', coalesce(d.value.previousValue, 'null'), "
        "' -> ', coalesce(d.value.updatedValue, 'null'), "
        f"case when {after} < {before} then ' (down)' when {after} > {before} then ' (up)' else '' end)"
    )
    listed = f"transform(map_entries(from_json({found}, '{ddl}')), d -> {text})"
    return f"if(family = 'aws_config', {listed}, null)"


def winners(tables: Tables) -> str:
    """SQL of array<struct<RULE>>: of the column `matches`, the most relevant rule for each layer and role."""
    slots = literal(tables.slots, "array<int>")
    rows = literal(tables.rows, f"array<struct<{RULE}>>")
    first = f"not exists(slice(matches, 1, i), m -> get({slots}, m) = get({slots}, n))"
    return f"transform(filter(matches, (n, i) -> {first}), n -> get({rows}, n))"
