"""Many CloudTrail records at once, column by column: those that come bare, as CloudTrail writes them.

What takes a look into the record (who called, on what, and how it went) is asked of the same functions as of single
records; who a caller is, once for all calls of a session. All other values go into columns as they are. Other lines,
such as wrapped records and those whose objects are text, are named and left to cloudtrail.parse, so that both ways give
the same events; tests/unit/families/test_cloudtrail_columns.py holds that over every line the project knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from probable_cause.arrow_schema import TIMESTAMP
from probable_cause.families.blocks import Block, Columns, distinct, fields_of
from probable_cause.families.cloudtrail import LONGEST, NOTES, OBJECTS, note, resources_of, time_of, unversioned
from probable_cause.families.cloudtrail_actor import actor_of, actor_type
from probable_cause.families.cloudtrail_outcome import dry_run, failure
from probable_cause.families.values import is_ip, name

Values = Sequence[Any]  # one of each record
Row = tuple[Any, ...]

_LONGEST_CALLER = 4096  # bytes of a caller's JSON and program that are worth remembering
# Keys of what stands around a record, and of Insight events.
_MORE = frozenset({"time", "account", "region", "insightDetails"})
_KEYS = (
    *NOTES.values(), "eventTime", "eventSource", "awsRegion", "recipientAccountId", "sourceIPAddress",
)  # fmt: skip
_CONSOLE = NOTES["session_from_console"]
_RESPELLED = pa.array(["", "True", "False"])  # texts that are not their own note


class _Caller(NamedTuple):
    """What the identity of a record tells, as columns and as notes in `fields`."""

    actor: str | None
    account: str | None
    actor_type: str | None
    identity_type: str | None
    invoked_by: str | None
    access_key_id: str | None


class _Call(NamedTuple):
    """What the rest of a record tells that is not under one key."""

    action: str
    error_code: str | None
    error_message: str | None
    dry_run: str | None
    resource_ids: tuple[str, ...]  # of texts, tuples cost the garbage collector nothing
    resource_type: str | None


def parse_plain(messages: Sequence[str]) -> tuple[list[Block], list[int]]:
    """(the events of plain records, if any, the lines that are left to be read one by one)."""
    rows, lines, rest = [], [], []
    for line, message in enumerate(messages):
        record = _record(message)
        row = None if record is None else _row(record)
        if row is None:
            rest.append(line)
        else:
            rows.append(row)
            lines.append(line)
    return [Block(_columns(rows), lines)] if rows else [], rest


def _record(message: str) -> dict[str, Any] | None:
    """The record of a line that is nothing else and has its usual form, apart from what _notes() and _each() take."""
    try:
        record = orjson.loads(message)
    except orjson.JSONDecodeError:
        return None
    if type(record) is not dict or not _MORE.isdisjoint(record) or type(record.get("userIdentity")) is not dict:
        return None
    event_name, source, agent = record.get("eventName"), record.get("eventSource"), record.get("userAgent")
    usual = (
        type(event_name) is str
        and 0 < len(event_name) <= LONGEST
        and type(source) is str
        and (agent is None or type(agent) is str)
        and str not in map(type, map(record.get, OBJECTS))
    )
    return record if usual else None


def _row(record: dict[str, Any]) -> Row | None:
    """The values of _KEYS, _Caller and _Call; None where remembering the caller is not worth it."""
    get = record.get
    try:
        identity = orjson.dumps(record["userIdentity"])
    except orjson.JSONEncodeError:  # nested too deeply
        return None
    agent = get("userAgent") or ""
    if len(identity) + len(agent) > _LONGEST_CALLER:
        return None
    console = _CONSOLE in record and (note(record[_CONSOLE]) or "").lower() == "true"
    code = error = None
    if "errorCode" in record or "errorMessage" in record or get("responseElements") or get("serviceEventDetails"):
        code, error = failure(record, {})
    asked_only = "true" if (get("requestParameters") or code) and dry_run(record, code) else None
    action = unversioned(record["eventName"])
    ids, kind = resources_of(record, action, record["eventSource"])
    call = _Call(action, code, error, asked_only, tuple(ids), kind)
    return (*map(get, _KEYS), *_caller(identity, agent, console), *call)


@lru_cache(maxsize=4096)
def _caller(identity: bytes, agent: str, console: bool) -> _Caller:
    """As cloudtrail.parse tells of a userIdentity, here as JSON."""
    who = orjson.loads(identity)
    actor = actor_of(who)
    kind = actor_type(who, actor, note(agent) or "", console)
    account, *notes = (name(who.get(key)) for key in ("accountId", "type", "invokedBy", "accessKeyId"))
    return _Caller(actor, account, kind, *notes)


def _columns(rows: Sequence[Row]) -> Columns:
    """The columns of schemas.PARSED."""
    values = dict(zip((*_KEYS, *_Caller._fields, *_Call._fields), zip(*rows, strict=True), strict=True))

    def words(column: str) -> pa.Array:
        return pa.array(values[column], pa.string())

    code, error = words("error_code"), words("error_message")
    failed = pc.or_(code.is_valid(), error.is_valid())
    notes = {field: _notes(values[key]) for field, key in NOTES.items()}
    notes["error_message"] = pc.coalesce(error, notes["error_message"])
    notes["source_ip_service"] = _each(_service, values["sourceIPAddress"], pa.string())
    notes |= {field: words(field) for field in (*_Caller._fields[2:], "dry_run")}
    return {
        "event_time": _each(time_of, values["eventTime"], TIMESTAMP),
        "account_id": pc.coalesce(_each(name, values["recipientAccountId"], pa.string()), words("account")),
        "region": _each(name, values["awsRegion"], pa.string()),
        "action": words("action"),
        "event_source": _each(name, values["eventSource"], pa.string()),
        "outcome": pc.if_else(failed, "failure", "success"),
        "error_code": code,
        "actor": words("actor"),
        "source_ip": _each(_address, values["sourceIPAddress"], pa.string()),
        "resource_ids": values["resource_ids"],
        "resource_type": words("resource_type"),
        "fields": fields_of([(field, told) for field, told in notes.items() if told.null_count < len(rows)], len(rows)),
    }


def _notes(values: Values) -> pa.Array:
    """note() of each value."""
    column = _texts(values)
    if column is None or pc.any(pc.is_in(column, value_set=_RESPELLED)).as_py():
        return pa.array([note(value) for value in values], pa.string())
    return column


def _each(function: Callable[[Any], Any], values: Values, kind: pa.DataType) -> pa.Array:
    """function(value) of each value."""
    column = _texts(values)
    return pa.array([function(value) for value in values], kind) if column is None else distinct(column, function, kind)


def _texts(values: Values) -> pa.Array | None:
    """The values as a column, if they are texts or null."""
    try:
        return pa.array(values, pa.string())
    except pa.ArrowException:
        return None


def _address(word: Any) -> str | None:
    found = name(word)
    return found if found and is_ip(found) else None


def _service(word: Any) -> str | None:
    found = name(word)
    return None if found and is_ip(found) else found
