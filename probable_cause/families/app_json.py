"""JSON log lines, logfmt pairs and JSON inside text -> level, message, logger, error. Their keys are in app_keys.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from probable_cause.families import app_keys as keys
from probable_cause.families.app_access import request_time
from probable_cause.families.app_errors import short_class
from probable_cause.families.app_levels import ERROR, INFO, level_of, of_status
from probable_cause.families.app_reading import Reading
from probable_cause.families.app_shape import Keys, Shape, shape_of
from probable_cause.families.values import any_time, is_ip, name, text


def flatten(document: dict[str, Any]) -> dict[str, Any]:
    """Keys in lower case; those of well-known inner objects also as `outer.key`, and the objects themselves."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        key = key.lower()
        flat.setdefault(key, value)
        if type(value) is dict and key in keys.NESTED:
            for inner, item in value.items():
                inner = inner.lower()
                flat.setdefault(f"{key}.{inner}", item)
                if type(item) is dict and inner in ("thread", "response", "exception"):
                    for last, leaf in item.items():
                        flat.setdefault(f"{key}.{inner}.{last.lower()}", leaf)
    for outer in (
        "@fields",
        "fields",
        "record",
        "payload",
        "jsonpayload",
        "attributes",
        "properties",
        "data",
        "resource",
    ):
        inside = flat.get(outer)
        if type(inside) is dict:
            for inner, item in inside.items():
                flat.setdefault(inner.lower(), item)
    return flat


def read_values(reading: Reading, flat: dict[str, Any]) -> None:
    """Fills `reading` from the keys of a log object; what it has already stays, but for the message."""
    shape = shape_of(flat)
    _level(reading, flat, shape)
    if reading.time is None:
        reading.time = next((found for key in shape.time if (found := time_of(flat[key]))), None)
    if reading.time is None and type(flat.get("instant")) is dict:  # log4j2
        seconds, nanoseconds = flat.get("instant.epochsecond"), flat.get("instant.nanoofsecond")
        reading.time = any_time(seconds)
        if reading.time and type(nanoseconds) is int and 0 <= nanoseconds < 1_000_000_000:
            reading.time += timedelta(microseconds=nanoseconds // 1000)
    bunyan = "hostname" in flat and "v" in flat  # there, `name` is the application
    reading.logger = reading.logger or _word(flat, shape.logger)
    if bunyan:
        reading.note(service=name(flat.get("name")))
    for field, names in shape.notes:
        word = _word(flat, names)
        if word and (field != "status" or word.isdigit()):
            reading.fields.setdefault(field, word)
    _ends(reading, flat, shape)
    _error(reading, flat, shape)
    message = _message(flat, shape)
    if message is not None:
        reading.message = message


def _ends(reading: Reading, flat: dict[str, Any], shape: Shape) -> None:
    """Who sent the request, and where a proxy sent it on to."""
    client, port = next((end for key in shape.client if (end := _end(flat[key]))), (None, None))
    if client and reading.source_ip is None:
        reading.source_ip, reading.source_port = client, port or _word(flat, shape.client_port)
    upstream, port = next((end for key in shape.upstream if (end := _end(flat[key]))), (None, None))
    if upstream and reading.destination_ip is None:
        reading.destination_ip, reading.destination_port = upstream, port


def _end(value: Any) -> tuple[str, str | None] | None:
    """(address, port) of `10.0.0.1:80`, `10.0.0.1` or the first of a list of such."""
    word = value[0] if isinstance(value, list) and value else value
    if not isinstance(word, str):
        return None
    if is_ip(word):
        return word, None
    address, _, port = word.rpartition(":")
    address = address.strip("[]")
    return (address, port) if is_ip(address) and port.isdigit() else None


def _level(reading: Reading, flat: dict[str, Any], shape: Shape) -> None:
    if reading.level is not None:
        return
    kind = flat.get("type")
    if isinstance(kind, str):
        _platform(reading, kind, flat)
    if rcode := flat.get("rcode"):  # Route 53 Resolver's query log: a name that does not exist is an answer
        reading.level = ERROR if rcode in ("SERVFAIL", "REFUSED") else INFO
        if reading.level == ERROR:
            reading.kind, reading.category, reading.failed = "NameResolution", "dns", True
    if reading.level is not None:
        return
    for key in shape.level:
        value = flat[key]
        if value is None or (key in ("status", "s", "priority") and not isinstance(value, str)):
            continue
        if type(value) is dict:  # {"level": {"name": "ERROR"}}
            value = value.get("name") or value.get("standardLevel") or value.get("levelStr")
        if key == "status" and str(value).isdigit():
            continue
        reading.level = level_of(value, "gelf" if key == "level" and "short_message" in flat else key)
        if reading.level is not None:
            return
    if "@t" in flat and ("@mt" in flat or "@m" in flat):  # Serilog leaves out the level Information
        reading.level = INFO
    if reading.level is None and not keys.REQUESTED.isdisjoint(flat):
        status = next((str(flat[key]) for key in keys.OTHER["status"] if isinstance(flat.get(key), (int, str))), "")
        if len(status) == 3 and status.isdigit():
            reading.level = of_status(int(status))
            if reading.level == ERROR:
                reading.kind, reading.category, reading.failed = f"Http{status}", "availability", True


def _platform(reading: Reading, kind: str, flat: dict[str, Any]) -> None:
    """Lambda's `platform.report` and Step Functions' `TaskFailed` have a type in place of a level."""
    status = name(flat.get("record.status")) or ""
    if kind.startswith("platform."):
        reading.logger, reading.level = "platform", INFO
        reading.note(platform_event=kind.removeprefix("platform."), platform_status=status)
        if status in ("timeout", "error", "failure") or kind == "platform.fault":
            reading.level, reading.failed = ERROR, True
            error = name(flat.get("record.errortype")) or ""
            reading.kind = "Timeout" if status == "timeout" else error.rsplit(".", 1)[-1] or "RuntimeError"
            reading.category = "timeout" if status == "timeout" else "memory" if "OutOfMemory" in error else "crash"
    elif kind.endswith(("Failed", "TimedOut", "Aborted")) and ("execution_arn" in flat or "details" in flat):
        reading.level, reading.failed = ERROR, True
        reading.kind = "Timeout" if kind.endswith("TimedOut") else None
    elif flat.get("kind") == "Event":  # of Kubernetes
        reading.level = level_of(kind)


def _message(flat: dict[str, Any], shape: Shape) -> str | None:
    record = flat.get("record")
    if isinstance(record, str) and flat.get("type") in ("function", "extension"):  # Lambda's Telemetry API
        return record
    for key in shape.message:
        value = flat[key]
        if isinstance(value, str) and value.strip():
            return value
        if type(value) is dict:  # Lambda puts logged objects there
            inner = next(
                (value[key] for key in ("message", "msg", "errorMessage", "stringValue") if value.get(key)), None
            )
            if isinstance(inner, str):
                return inner
            if key in ("message", "msg", "body"):
                return text(value)
        if type(value) is list and value and key in ("message", "msg"):
            return text(value)
    return _word(flat, shape.error_text)


def _error(reading: Reading, flat: dict[str, Any], shape: Shape) -> None:
    inner = flat.get("message")
    if type(inner) is dict and ("errorType" in inner or "errorMessage" in inner or "stackTrace" in inner):
        flat = {key.lower(): value for key, value in inner.items()} | {"level": flat.get("level")}
        shape = shape_of(flat)
    kind = _word(flat, shape.error_type)
    if kind and reading.kind is None and not kind.isdigit():
        reading.thrown, reading.kind = kind, short_class(kind)
    parts = []
    error = _word(flat, shape.error_text)
    if error:
        reading.note(error_message=error[:4096])
        parts.append(error)
    for key in shape.stack:
        value = flat[key]
        if isinstance(value, list):
            value = "\n".join(item for item in value if isinstance(item, str))
        if isinstance(value, str) and value:
            parts.append(value)
            break
    reading.trace = "\n".join(parts)


def _word(flat: dict[str, Any], names: Keys) -> str | None:
    return next((found for key in names if (found := word_of(flat[key]))), None)


def word_of(value: Any) -> str | None:
    """The value as a word that names something; access logs write `-` for none."""
    found = name(value)
    return None if found == "-" else found


def time_of(value: Any) -> datetime | None:
    """The UTC time that the value of a time key means."""
    if type(value) is dict:  # MongoDB: {"t": {"$date": ...}}
        value = value.get("$date")
    if value is None or isinstance(value, bool):
        return None
    return any_time(value) or (request_time(value) if isinstance(value, str) else None)
