"""Opens a CloudWatch Logs subscription record: gzip'd JSON -> the log events in it. Pure Python, no Spark.

The format is that of CloudWatch Logs subscriptions to Kinesis: gzip of a JSON object with `messageType`, `owner`,
`logGroup`, `logStream`, `subscriptionFilters` and `logEvents[{id, timestamp, message}]`. Real streams also hold what
other producers write, so these are taken too: several gzip members or JSON objects in one record, JSON that is not
compressed, timestamps as text, and the additional fields of an event (`extractedFields`, ...), which are ignored.

A record that can't be opened raises RejectedLineError; a broken part beside readable ones becomes a `Fault`, so that
nothing readable is lost with it.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from isal import isal_zlib

from probable_cause.errors import RejectedLineError

GZIP = b"\x1f\x8b"
MAX_DECOMPRESSED = 32 * 1024**2
_MAX_MEMBERS = 256  # each costs a copy of the rest: a record of a million empty members must not stop the stream
# Milliseconds of year 1 and year 9999: what Spark's and Python's timestamps can both hold.
_EARLIEST, _LATEST = -62_135_596_800_000, 253_402_300_799_999
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_WHITESPACE = " \t\r\n\0"


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of a record that can't be used: why (snake_case), what was found, and its text."""

    reason: str
    detail: str
    text: str


@dataclass(frozen=True, slots=True)
class Payload:
    """One subscription payload. `ids`, `timestamps` (epoch milliseconds) and `messages` run in parallel."""

    owner: str | None
    log_group: str | None
    log_stream: str | None
    ids: list[str]
    timestamps: list[int]
    messages: list[str]
    faults: list[Fault] = field(default_factory=list)


def open_record(data: bytes, max_decompressed: int = MAX_DECOMPRESSED) -> list[Payload]:
    """The payloads of one record.

    Raises:
        RejectedLineError: nothing in it is readable. Reasons: empty, not_gzip, corrupt_gzip, gzip_of_gzip, too_large,
            not_json, control_message, missing_field.
    """
    if not data:
        raise RejectedLineError("empty", "the record has no bytes")
    faults: list[Fault] = []
    payloads: list[Payload] = []
    for document in _documents(_plain(data, max_decompressed, faults), faults):
        try:
            payloads.append(_payload(document))
        except RejectedLineError as fault:
            faults.append(Fault(fault.reason, fault.detail, _text(document)))
    if not payloads:
        first = faults[0] if faults else Fault("not_json", "the record holds only white space", "")
        raise RejectedLineError(first.reason, first.detail)
    if faults:
        payloads.append(Payload(None, None, None, [], [], [], faults))
    return payloads


def _plain(data: bytes, limit: int, faults: list[Fault]) -> bytes:
    """The record's bytes without compression, at most `limit` of them."""
    if not data.startswith(GZIP):
        if data.lstrip()[:1] in (b"{", b"["):
            if len(data) > limit:
                raise RejectedLineError("too_large", f"{len(data)} bytes, allowed are {limit}")
            return data
        hint = "; it looks like base64 of gzip: the producer must send the decoded bytes" if data[:4] == b"H4sI" else ""
        raise RejectedLineError("not_gzip", f"starts with {data[:8].hex()}, gzip starts with 1f8b{hint}")
    members: list[bytes] = []
    size = 0
    rest = data
    while rest.startswith(GZIP):
        if len(members) == _MAX_MEMBERS:
            raise RejectedLineError("too_large", f"more than {_MAX_MEMBERS} gzip members")
        member, rest = _gunzip(rest, limit - size, limit)
        size += len(member)
        members.append(member)
    plain = b"".join(members)
    if plain.startswith(GZIP):
        raise RejectedLineError("gzip_of_gzip", "compressed twice; the producer must compress a record once")
    if rest.strip(b"\0"):  # zero padding after a gzip stream is legal
        found = rest[:1024].decode("utf-8", "replace")
        faults.append(Fault("not_gzip", f"{len(rest)} bytes after the gzip data", found))
    return plain


def _gunzip(data: bytes, room: int, limit: int) -> tuple[bytes, bytes]:
    """One gzip member of at most `room` bytes when decompressed, and what follows it."""
    stream = isal_zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(data, room + 1)
        if len(plain) > room:
            raise RejectedLineError("too_large", f"more than {limit} bytes when decompressed")
        if not stream.eof:
            plain += stream.flush()
    except (isal_zlib.error, zlib.error) as exc:  # type: ignore[misc]  # its stub says otherwise
        raise RejectedLineError("corrupt_gzip", str(exc)) from exc
    if not stream.eof:
        raise RejectedLineError("corrupt_gzip", f"the gzip data ends too early, after {len(plain)} bytes of text")
    return plain, stream.unused_data


def _documents(plain: bytes, faults: list[Fault]) -> Iterator[Any]:
    """The JSON values in `plain`; the elements, for those that are arrays."""
    try:
        documents = [orjson.loads(plain)]
    except orjson.JSONDecodeError:
        documents = list(_slow_documents(plain, faults))
    for document in documents:
        if isinstance(document, list):
            yield from document
        else:
            yield document


def _slow_documents(plain: bytes, faults: list[Fault]) -> Iterator[Any]:
    """As _documents, for what the strict parser refuses: several values, bytes that are not UTF-8, lone surrogates."""
    text = plain.decode("utf-8", "replace")
    decoder = json.JSONDecoder(strict=False)
    at = _skip_whitespace(text, 0)
    while at < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
            document = _without_surrogates(document)
        except (ValueError, RecursionError) as exc:
            found = f"{type(exc).__name__}: {exc}"
            faults.append(Fault("not_json", found[:300], _LONE_SURROGATE.sub("\ufffd", text[at : at + 65536])))
            return
        yield document
        at = _skip_whitespace(text, at)


def _skip_whitespace(text: str, at: int) -> int:
    while at < len(text) and text[at] in _WHITESPACE:
        at += 1
    return at


def _without_surrogates(value: Any) -> Any:
    """Lone surrogates can't be written as UTF-8: they become the replacement character."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _payload(document: Any) -> Payload:
    if not isinstance(document, dict):
        raise RejectedLineError("missing_field", f"found {type(document).__name__}, expected a payload object")
    kind = document.get("messageType")
    if kind == "CONTROL_MESSAGE":
        raise RejectedLineError("control_message", "CloudWatch Logs checks that the stream is reachable; no log lines")
    if kind not in (None, "DATA_MESSAGE"):
        raise RejectedLineError("unknown_message_type", f"messageType {kind!r:.100}, expected DATA_MESSAGE")
    group, events = document.get("logGroup"), document.get("logEvents")
    if not isinstance(group, str) or not group:
        raise RejectedLineError("missing_field", f"logGroup is {group!r:.100}; keys are {sorted(document)!r:.300}")
    if not isinstance(events, list):
        raise RejectedLineError("missing_field", f"logEvents is {type(events).__name__}, expected a list")
    owner, stream = document.get("owner"), document.get("logStream")
    return _with_events(None if owner is None else str(owner), group, None if stream is None else str(stream), events)


def _with_events(owner: str | None, group: str, stream: str | None, events: list[Any]) -> Payload:
    """The payload of `events`. The usual shape takes a fast path; anything else is looked at event by event."""
    try:
        ids = [event["id"] for event in events]
        times = [event["timestamp"] for event in events]
        messages = [event["message"] for event in events]
        if (
            {type(word) for word in ids} <= {str}
            and {type(word) for word in messages} <= {str}
            and {type(time) for time in times} <= {int}
            and all(ids)
            and (not times or (min(times) >= _EARLIEST and max(times) <= _LATEST))
        ):
            return Payload(owner, group, stream, ids, times, messages)
    except (KeyError, TypeError):
        pass
    payload = Payload(owner, group, stream, [], [], [])
    for event in events:
        try:
            event_id, time, message = _event(event)
        except RejectedLineError as fault:
            payload.faults.append(Fault(fault.reason, fault.detail, _text(event)))
            continue
        payload.ids.append(event_id)
        payload.timestamps.append(time)
        payload.messages.append(message)
    return payload


def _event(event: Any) -> tuple[str, int, str]:
    if not isinstance(event, dict):
        raise RejectedLineError("missing_field", f"a log event is {type(event).__name__}, expected an object")
    event_id, message = event.get("id"), event.get("message")
    if isinstance(event_id, bool) or not isinstance(event_id, (str, int)) or event_id == "":
        raise RejectedLineError("missing_field", f"a log event's id is {event_id!r:.100}, expected a string")
    if not isinstance(message, str):
        raise RejectedLineError("missing_field", f"a log event's message is {message!r:.100}, expected a string")
    return str(event_id), _milliseconds(event.get("timestamp")), message


def _milliseconds(value: Any) -> int:
    """Epoch milliseconds from a number, or from text that holds one."""
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError
        milliseconds = int(float(value)) if isinstance(value, str) and "." in value else int(value)
    except (ValueError, OverflowError) as exc:
        raise RejectedLineError("bad_timestamp", f"timestamp is {value!r:.100}, expected epoch milliseconds") from exc
    if not _EARLIEST <= milliseconds <= _LATEST:
        raise RejectedLineError("bad_timestamp", f"timestamp {milliseconds} is outside the years 1 to 9999")
    return milliseconds


def _text(document: Any) -> str:
    """The document as JSON, for the rejected-records store."""
    try:
        return json.dumps(document, ensure_ascii=False, default=str)[:65536]
    except RecursionError:
        return f"({type(document).__name__}, nested too deeply to be shown)"
