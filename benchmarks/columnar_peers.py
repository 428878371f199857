"""The benchmark's job by hand in Polars and in DuckDB (see peers.py): their own expressions, on both cores.

Both are given the records opened: neither reads gzip'd values of a column. Lines are parsed only where a word of the
rules is in them, as in the pipeline's prefilter.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from benchmarks.peers import CALLS, CORES, PHRASES, Answer, opened_on_cores
from probable_cause.schemas import UNATTRIBUTED
from probable_cause.state.lookups import Row

_PRIVATE = r"^(10\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.)"
_LEVEL = r"^\S+ \S+ (ERROR|FATAL)\b"
_STATE = "$.detail.configurationItemDiff.changedProperties['Configuration.State.Name'].updatedValue"
_CALLS = "|".join(CALLS)


def duckdb(payloads: Sequence[bytes], lookup: Sequence[Row]) -> Answer:
    """One SQL statement over the opened records."""
    import duckdb as engine
    import pyarrow as pa

    connection = engine.connect(config={"threads": CORES})
    connection.register("records", pa.table({"payload": pa.array(opened_on_cores(payloads)).cast(pa.string())}))
    connection.register(
        "owners",
        pa.table({"key": [row.key for row in lookup], "application": [row.application_id for row in lookup]}),
    )
    phrases = " ".join(f"when contains(message, '{text}') then '{cause}'" for cause, text in PHRASES)
    layers = " ".join(f"when '{name}' then '{layer}'" for name, layer in CALLS.items())
    state = _STATE.replace("['Configuration.State.Name']", '."Configuration.State.Name"')
    rows = connection.execute(f"""
        with opened as materialized (
            select from_json(payload, '{{"logGroup": "VARCHAR", "logEvents": [{{"timestamp": "BIGINT",
                "message": "VARCHAR"}}]}}') as r from records),
        lines as materialized (
            select log_group, e.timestamp as ts, e.message as message
            from (select r.logGroup as log_group, unnest(r.logEvents) as e from opened)
            where case when log_group = '/vpc/flow' then contains(e.message, 'REJECT')
                when log_group like '/app/%' then {" or ".join(f"contains(e.message, '{text}')" for _, text in PHRASES)}
                when log_group = '/aws/cloudtrail' then regexp_matches(e.message, '{_CALLS}') else true end),
        flows as (
            select row_number() over () as flow, w[4] as source, w[5] as destination, cast(w[11] as bigint) * 1000 as ts
            from (select string_split(message, ' ') as w from lines where log_group = '/vpc/flow')
            where w[13] = 'REJECT' and regexp_matches(w[4], '{_PRIVATE}')),
        ends as (
            select flow, destination as key, 0 as place, ts from flows
            union all select flow, source, 1, ts from flows),
        owned as (
            select flow, place, ts, key, coalesce(application, '{UNATTRIBUTED}') as application,
                if(application is null, 'address', 'Instance') as kind
            from ends left join owners using (key) where regexp_matches(key, '{_PRIVATE}')),
        causes as (
            select application, 'network' as layer, concat('REJECT on ', kind, ' ', key) as cause, ts from owned
            qualify row_number() over (partition by flow, application order by place) = 1
            union all
            select substr(log_group, 6), 'application', case {phrases} end, ts from lines
            where log_group like '/app/%' and (case when message[1] = '{{' then upper(message::json->>'$.level')
                else regexp_extract(message, '{_LEVEL}', 1) end) in ('ERROR', 'FATAL')
            union all
            select coalesce(application, '{UNATTRIBUTED}'), case name {layers} end, concat(name, ' on ', key), ts
            from (select m->>'$.eventName' as name, epoch_ms((m->>'$.eventTime')::timestamptz) as ts,
                    unnest(m->>'$.requestParameters.instancesSet.items[*].instanceId') as key
                from (select message::json as m from lines where log_group = '/aws/cloudtrail')
                where m->>'$.errorCode' is null) left join owners using (key)
            where name in ({", ".join(f"'{name}'" for name in CALLS)})
            union all
            select coalesce(application, '{UNATTRIBUTED}'), 'cloudsystem', concat(if(state = 'stopped', 'stopped ',
                'recovery: started '), type, ' ', key), ts
            from (select m->>'{state}' as state, m->>'$.detail.configurationItem.resourceType' as type,
                    m->>'$.detail.configurationItem.resourceId' as key,
                    epoch_ms((m->>'$.detail.configurationItem.configurationItemCaptureTime')::timestamptz) as ts
                from (select message::json as m from lines where log_group = '/aws/config'))
            left join owners using (key)
            where state in ('stopped', 'running'))
        select application, layer, cause, count(*), min(ts), max(ts) from causes group by all""").fetchall()  # noqa: S608  all texts are ours
    return {(row[0], row[1], row[2]): (row[3], row[4], row[5]) for row in rows}


def polars(payloads: Sequence[bytes], lookup: Sequence[Row]) -> Answer:
    """Lazy expressions over the opened records."""
    os.environ["POLARS_MAX_THREADS"] = str(CORES)
    import polars as pl

    event = pl.List(pl.Struct({"timestamp": pl.Int64, "message": pl.String}))
    records = pl.read_ndjson(b"\n".join(opened_on_cores(payloads)), schema={"logGroup": pl.String, "logEvents": event})
    group, line = pl.col("logGroup"), pl.col("message")
    lines = (
        records.lazy()
        .explode("logEvents")
        .unnest("logEvents")
        .filter(
            pl.when(group == "/vpc/flow")
            .then(line.str.contains("REJECT", literal=True))
            .when(group.str.starts_with("/app/"))
            .then(line.str.contains("|".join(text for _, text in PHRASES)))
            .when(group == "/aws/cloudtrail")
            .then(line.str.contains(_CALLS))
            .otherwise(True)
        )
        .collect()
        .lazy()
    )
    owners = pl.LazyFrame({"key": [row.key for row in lookup], "application": [row.application_id for row in lookup]})
    parts = [_flows(pl, lines), _errors(pl, lines), _calls(pl, lines), _items(pl, lines)]
    owned = pl.concat(parts, how="diagonal").join(owners, on="key", how="left")
    kind = pl.when(pl.col("application").is_null()).then(pl.lit("address")).otherwise(pl.lit("Instance"))
    found = (
        owned.with_columns(
            application=pl.coalesce("own", "application", pl.lit(UNATTRIBUTED)),
            cause=pl.when(pl.col("flow").is_null()).then("cause").otherwise(pl.format("REJECT on {} {}", kind, "key")),
        )
        .sort("place", maintain_order=True)
        # Of two ends of one application the destination stands.
        .filter(pl.col("flow").is_null() | pl.struct("flow", "application").is_first_distinct())
        .group_by("application", "layer", "cause")
        .agg(pl.len(), pl.col("at").min().alias("first"), pl.col("at").max().alias("last"))
        .collect()
    )
    return {(row[0], row[1], row[2]): (row[3], row[4], row[5]) for row in found.iter_rows()}


def _flows(pl: Any, lines: Any) -> Any:
    words = pl.col("message").str.split(" ")
    refused = (
        lines.filter(pl.col("logGroup") == "/vpc/flow")
        .select(words.list.get(number).alias(name) for number, name in ((3, "1"), (4, "0"), (10, "at"), (12, "action")))
        .filter(pl.col("action") == "REJECT", pl.col("1").str.contains(_PRIVATE))
        .select("0", "1", at=pl.col("at").cast(pl.Int64) * 1000)
        .with_row_index("flow")
    )
    ends = refused.unpivot(["0", "1"], index=["flow", "at"], variable_name="place", value_name="key")
    return ends.filter(pl.col("key").str.contains(_PRIVATE)).with_columns(layer=pl.lit("network"))


def _errors(pl: Any, lines: Any) -> Any:
    line = pl.col("message")
    level = (
        pl.when(line.str.starts_with("{"))
        .then(line.str.extract(r'"level":"(\w+)"').str.to_uppercase())
        .otherwise(line.str.extract(_LEVEL))
    )
    cause = pl.coalesce(pl.when(line.str.contains(text, literal=True)).then(pl.lit(cause)) for cause, text in PHRASES)
    return lines.filter(pl.col("logGroup").str.starts_with("/app/"), level.is_in(["ERROR", "FATAL"])).select(
        own=pl.col("logGroup").str.slice(5), layer=pl.lit("application"), cause=cause, at="timestamp"
    )


def _calls(pl: Any, lines: Any) -> Any:
    item = pl.Struct({"instanceId": pl.String})
    shape = pl.Struct(
        {
            "eventName": pl.String,
            "eventTime": pl.String,
            "errorCode": pl.String,
            "requestParameters": pl.Struct({"instancesSet": pl.Struct({"items": pl.List(item)})}),
        }
    )
    record = lines.filter(pl.col("logGroup") == "/aws/cloudtrail").select(pl.col("message").str.json_decode(shape))
    called = record.unnest("message").filter(pl.col("errorCode").is_null(), pl.col("eventName").is_in(list(CALLS)))
    items = pl.col("requestParameters").struct.field("instancesSet").struct.field("items")
    return (
        called.with_columns(items=items)
        .explode("items")
        .select(
            key=pl.col("items").struct.field("instanceId"),
            layer=pl.col("eventName").replace_strict(CALLS, return_dtype=pl.String),
            cause=pl.format("{} on {}", "eventName", pl.col("items").struct.field("instanceId")),
            at=pl.col("eventTime").str.to_datetime(time_unit="ms", time_zone="UTC").dt.epoch("ms"),
        )
    )


def _items(pl: Any, lines: Any) -> Any:
    line, where = pl.col("message"), "$.detail.configurationItem"
    told = {
        "key": f"{where}.resourceId",
        "type": f"{where}.resourceType",
        "time": f"{where}.configurationItemCaptureTime",
        "state": _STATE,
    }
    return (
        lines.filter(pl.col("logGroup") == "/aws/config")
        .select(line.str.json_path_match(path).alias(name) for name, path in told.items())
        .filter(pl.col("state").is_in(["stopped", "running"]))
        .select(
            "key",
            layer=pl.lit("cloudsystem"),
            cause=pl.format(
                "{} {} {}",
                pl.when(pl.col("state") == "stopped").then(pl.lit("stopped")).otherwise(pl.lit("recovery: started")),
                "type",
                "key",
            ),
            at=pl.col("time").str.to_datetime(time_unit="ms", time_zone="UTC").dt.epoch("ms"),
        )
    )
