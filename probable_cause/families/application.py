"""Application log lines -> canonical events: level, logger, message, kind of error, addresses and resources.

A line is unwrapped (container runtime, syslog, JSON around text), its header read (app_text, app_json, app_logfmt,
app_platform), then its message searched. Text that no dialect fits is still an event: its message is the line.
"""

from __future__ import annotations

import re
from typing import Any

from probable_cause.errors import RejectedLineError
from probable_cause.families.app_access import read_behind_header
from probable_cause.families.app_errors import GENERIC, addresses_in, failure_in, is_good_news, resources_in
from probable_cause.families.app_json import flatten, read_values
from probable_cause.families.app_levels import BAD, ERROR, FATAL, level_of
from probable_cause.families.app_logfmt import read_logfmt
from probable_cause.families.app_otlp import otlp_records
from probable_cause.families.app_platform import read_platform
from probable_cause.families.app_reading import Reading, without_colours
from probable_cause.families.app_text import read_text
from probable_cause.families.app_wrappers import unwrap_text
from probable_cause.families.jsontext import try_load
from probable_cause.families.resources import by_id
from probable_cause.families.values import compact, integer, is_ip

_BLANK = " \t\r\n\0\ufeff"
_DEEPEST = 4
_LONGEST_JSON = 1_048_576  # no log event of CloudWatch is longer
# Line breaks that a shipper wrote out: Lambda's lines, stack traces, or a line that ends with one.
_WRITTEN_OUT = re.compile(
    r"^(?:START|END|REPORT) RequestId|RequestId: [0-9a-f-]{36}|\\n\s*(?:\\t|at |File \"|\.\.\. )|\\n$"
)
_DATADOG = re.compile(r"\[dd\.trace_id=(?P<trace>\w+) dd\.span_id=(?P<span>\w+)\]\s*", re.ASCII)
_KEYED_TRACE = re.compile(r"\b(?:trace[_-]?id)[=: ]{1,2}\"?(?P<trace>[0-9a-fA-F-]{8,64})", re.ASCII | re.IGNORECASE)
_CUT_LEVEL = re.compile(r"\"(?:level|lvl|severity|loglevel|log\.level|levelname)\": ?\"(\w{3,12})\"", re.IGNORECASE)
# nginx, Apache, SQL Server
_CLIENT = re.compile(
    r"(?:, client: |\[client:? )(?P<client>[\da-fA-F.:]+?)(?::(?P<port>\d{2,5}))?(?=[,\]\s]|$)", re.IGNORECASE
)
_UPSTREAM = re.compile(r"upstream: \"\w+://(?P<ip>[\d.]+|\[[0-9a-f:]+\])(?::(?P<port>\d+))?")


def parse(message: str, form: str | None = None) -> list[dict[str, Any]]:
    """The event of an application's log line; events, where OTLP/JSON holds several. `form` is not used.

    Raises:
        RejectedLineError: empty_line.
    """
    line = without_colours(message).strip(_BLANK)
    if not line:
        raise RejectedLineError("empty_line", "the line is blank")
    if line.startswith('{"resourceLogs"') and type(document := try_load(line)) is dict:
        carried = [Reading(compact(record)) for record in otlp_records(document)]
    else:
        carried = []
    for reading in (readings := carried or [Reading(line)]):
        _read(reading, 0)
        reading.level = reading.level or reading.outer_level
    return [_event(reading) for reading in readings]


def _read(reading: Reading, depth: int) -> None:
    """Fills the reading from its message, wrapper by wrapper."""
    text = reading.message = _with_breaks(reading.message.strip(_BLANK))
    if not text:
        return
    if text[0] == "{" and depth < _DEEPEST:
        document = try_load(text) if len(text) <= _LONGEST_JSON else None
        if type(document) is dict and document:
            _read_object(reading, document, text, depth)
            return
    if depth < _DEEPEST and unwrap_text(reading):
        _read(reading, depth + 1)
        return
    if read_platform(reading):
        return
    if pairs := read_logfmt(text):
        read_values(reading, flatten(dict(pairs)))
        reading.record = compact(pairs)
        return
    if text[0] == "{" and (cut := _CUT_LEVEL.search(text[:8192])):  # JSON that was cut, or never was quite JSON
        reading.level = level_of(cut.group(1))
        return
    if read_text(reading):
        if _DATADOG.match(reading.message) and (traced := _DATADOG.match(reading.message)):
            reading.note(trace_id=traced.group("trace"), span_id=traced.group("span"))
            reading.message = reading.message[traced.end() :]
        read_behind_header(reading)
        _read_inside(reading, depth)


def _with_breaks(line: str) -> str:
    """The line with the line breaks and tabs that a shipper wrote out as two characters."""
    if "\\n" not in line and "\\t" not in line or "\n" in line or "\t" in line or not _WRITTEN_OUT.search(line[:8192]):
        return line if not line.endswith("\\n") else line.rstrip("\\n")
    return line.replace("\\n", "\n").replace("\\t", "\t").strip(_BLANK)


def _read_object(reading: Reading, document: dict[str, Any], text: str, depth: int) -> None:
    flat = flatten(document)
    read_values(reading, flat)
    if reading.message is not text:
        reading.record = text
    inner = without_colours(reading.message).strip(_BLANK)
    if inner and inner != text and (reading.level is None or inner[0] == "{"):
        # The object only carries a line: its own header or object says more.
        carried = Reading(inner, time=None)
        _read(carried, depth + 1)
        _merge(reading, carried)
    else:
        reading.message = inner


def _merge(reading: Reading, carried: Reading) -> None:
    reading.message = carried.message
    reading.level = carried.level or reading.level
    reading.logger = carried.logger or reading.logger
    reading.time = reading.time or carried.time
    reading.record = carried.record or reading.record
    for name in ("source_ip", "source_port", "destination_ip", "destination_port", "kind", "category", "thrown"):
        setattr(reading, name, getattr(reading, name) or getattr(carried, name))
    reading.failed = reading.failed or carried.failed
    reading.trace = "\n".join(part for part in (carried.trace, reading.trace) if part)
    reading.note(**carried.fields)


def _read_inside(reading: Reading, depth: int) -> None:
    """Reads a JSON object that is the message, or that ends it (zap's console form)."""
    message = reading.message
    if not message.endswith("}") or depth >= _DEEPEST:
        return
    at = 0 if message[0] == "{" else message.find("\t{") + 1
    if at == 0 and message[0] != "{":
        return
    document = try_load(message[at:])
    if type(document) is dict and document:
        level, text = reading.level, reading.message
        read_values(reading, flatten(document))
        reading.level = level or reading.level
        reading.message = text if at else reading.message


def _event(reading: Reading) -> dict[str, Any]:
    message = reading.message.strip(_BLANK)
    searched = f"{message}\n{reading.trace}" if reading.trace else message
    _find_failure(reading, searched)
    fields = reading.fields
    if "trace" in searched[:4096] and "trace_id" not in fields and (traced := _KEYED_TRACE.search(searched[:4096])):
        fields["trace_id"] = traced.group("trace")
    if ("client" in message or "CLIENT" in message) and (client := _CLIENT.search(message)):
        reading.source_ip = reading.source_ip or client.group("client")
        reading.source_port = reading.source_port or client.group("port")
    if "upstream: " in message and (upstream := _UPSTREAM.search(message)):
        reading.destination_ip, reading.destination_port = upstream.group("ip").strip("[]"), upstream.group("port")
    addresses = dict.fromkeys(ip for ip in (reading.source_ip, reading.destination_ip) if ip and is_ip(ip))
    addresses |= dict.fromkeys(addresses_in(searched))
    if addresses:
        fields["addresses"] = ",".join(addresses)
    ids = resources_in(searched)
    event: dict[str, Any] = {
        "family": "application",
        "event_time": reading.time,
        "level": reading.level,
        "logger": reading.logger,
        "message": message,
        "action": reading.kind,
        "resource_ids": ids or None,
        "fields": fields,
    }
    if reading.kind:
        fields["error_kind"] = reading.kind
    if reading.category:
        fields["error_category"] = reading.category
    if reading.thrown and reading.thrown != reading.kind:
        fields["error_class"] = reading.thrown
    if ids and (found := by_id(ids[0])):
        event["resource_type"] = found.kind
    if reading.record:
        event["record"] = reading.record
    if reading.source_ip and is_ip(reading.source_ip):
        event["source_ip"] = reading.source_ip
        event["source_port"] = integer(reading.source_port or "", 65_535)
    if reading.destination_ip and is_ip(reading.destination_ip):
        event["destination_ip"] = reading.destination_ip
        event["destination_port"] = integer(reading.destination_port or "", 65_535)
    return event


def _find_failure(reading: Reading, searched: str) -> None:
    """Kind and category of the error, for lines that tell of one: by level, or without a level by their words."""
    if reading.level is not None and reading.level not in BAD:
        if not reading.failed:
            reading.kind = reading.category = reading.thrown = None
        return
    if reading.kind is not None and reading.category is not None:
        return
    if reading.level is None and is_good_news(searched):
        return
    found = failure_in(searched)
    if found.kind is None:
        return
    if reading.kind is None or reading.kind in GENERIC:
        reading.kind, reading.thrown = found.kind, found.thrown or reading.thrown
    reading.category = reading.category or found.category
    if reading.level is None:
        reading.level = FATAL if found.kind in ("Panic", "OutOfMemory", "SegmentationFault") else ERROR
