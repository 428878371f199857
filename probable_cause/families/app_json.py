"""JSON log lines, logfmt pairs and JSON inside text: which key is the level, the message, the logger, the error.

The key names are those of the common libraries: ECS, logstash, log4j2, logback, bunyan, pino, winston, structlog, zap,
zerolog, logrus, Serilog, NLog, Monolog, OpenTelemetry, Datadog, GELF, journald, MongoDB, Caddy, Lambda's JSON format.
"""

from __future__ import annotations

from typing import Any

from probable_cause.families.app_errors import short_class
from probable_cause.families.app_levels import ERROR, INFO, level_of, of_status
from probable_cause.families.app_reading import Reading
from probable_cause.families.values import any_time, is_ip, name, text, words

_LEVEL = words(
    """level severity log.level loglevel log_level lvl levelname level_name severitytext severity_text severitynumber
    severity_number @l logged_level levelno syslog.severity priority s status"""
)
_MESSAGE = words("message msg @message log @m @mt body event short_message text textpayload fullmessage full_message")
_LOGGER = words(
    """logger logger_name loggername log.logger sourcecontext category target module component class caller channel c
    name syslog_identifier"""
)
_TIME = words(
    "@timestamp timestamp time ts t @t datetime date asctime timemillis eventtime event_timestamp __realtime_timestamp"
)
_TRACE_ID = words(
    """trace_id traceid trace.id dd.trace_id oteltraceid x-b3-traceid logging.googleapis.com/trace xray_trace_id trace
    correlation_id correlationid"""
)
_SPAN_ID = words("span_id spanid span.id dd.span_id otelspanid x-b3-spanid logging.googleapis.com/spanid")
_SERVICE = words(
    """service service.name service_name servicename dd.service app application app_name kubernetes.container_name
    container_name program syslog_identifier"""
)
_THREAD = words("thread thread_name threadname process.thread.name")
_STACK = words(
    """stack_trace stacktrace stack error.stack_trace error.stack err.stack exc_info exception @x traceback
    exception.stacktrace exception.stack_trace thrown.extendedstacktrace trace_back"""
)
_ERROR_TYPE = words(
    """error.type error.kind error.name error.class error.code errortype error_type exception.type exception_class
    exception.exception_class exception.exceptionclass exception.class exception.name err.type err.name err.code
    thrown.name error_class error_code errorcode details.error"""
)
_ERROR_TEXT = words(
    """error.message errormessage error_message err.message exception.message exception.exception_message
    thrown.message error err exception details.cause"""
)
_REQUEST_ID = words("request_id requestid awsrequestid aws_request_id record.requestid function_request_id")
_REQUESTED = ("method", "request", "httpmethod", "routekey", "path", "uri", "request_uri", "url")
_CLIENT = words(
    """client_ip remote_ip client.ip clientip remote_addr request.client_ip request.remote_ip source.ip sourceip"""
)
_OTHER = {
    "pod": ["kubernetes.pod_name", "kubernetes.pod.name", "pod", "pod_name"],
    "namespace": ["kubernetes.namespace_name", "kubernetes.namespace.name", "namespace"],
    "node": ["kubernetes.host", "kubernetes.node.name", "node"],
    "container": ["kubernetes.container_name", "container_name", "container"],
    "host": ["host", "hostname", "host.name", "_hostname"],
    "stream": ["stream"],
    "pid": ["pid", "process.pid"],
    "status": ["http.status_code", "status_code", "statuscode", "status", "http.response.status_code"],
    "environment": ["env", "environment", "dd.env"],
}
# The only keys under which levels and messages hide one level deeper.
_NESTED = frozenset(
    words(
        """@fields fields log error err exception process kubernetes service trace span http host dd thrown syslog
        attributes extra context details record resource instant data otel payload request client source"""
    )
)


def flatten(document: dict[str, Any]) -> dict[str, Any]:
    """Keys in lower case; those of well-known inner objects also as `outer.key`, and the objects themselves."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        key = key.lower()
        flat.setdefault(key, value)
        if type(value) is dict and key in _NESTED:
            for inner, item in value.items():
                inner = inner.lower()
                flat.setdefault(f"{key}.{inner}", item)
                if type(item) is dict and inner in ("thread", "response"):
                    for last, leaf in item.items():
                        flat.setdefault(f"{key}.{inner}.{last.lower()}", leaf)
    for outer in ("@fields", "fields", "record", "payload", "attributes", "data", "resource"):
        inside = flat.get(outer)
        if type(inside) is dict:
            for inner, item in inside.items():
                flat.setdefault(inner.lower(), item)
    return flat


def read_values(reading: Reading, flat: dict[str, Any]) -> None:
    """Fills `reading` from the keys of a log object; what it has already stays, but for the message."""
    _level(reading, flat)
    if reading.time is None:
        reading.time = next((found for key in _TIME if (found := _time(flat.get(key)))), None)
    if reading.time is None and type(flat.get("instant")) is dict:  # log4j2
        reading.time = any_time(flat.get("instant.epochsecond"))
    bunyan = "hostname" in flat and "v" in flat  # there, `name` is the application
    reading.logger = reading.logger or _word(flat, _LOGGER)
    service = flat.get("name") if bunyan else None
    reading.note(service=name(service) or _word(flat, _SERVICE), trace_id=_word(flat, _TRACE_ID))
    reading.note(span_id=_word(flat, _SPAN_ID), request_id=_word(flat, _REQUEST_ID), thread=_word(flat, _THREAD))
    for field, keys in _OTHER.items():
        word = _word(flat, keys)
        if field != "status" or (word and word.isdigit()):
            reading.note(**{field: word})
    client = _word(flat, _CLIENT)
    if client and is_ip(client):
        reading.source_ip = reading.source_ip or client
    _error(reading, flat)
    message = _message(flat)
    if message is not None:
        reading.message = message


def _level(reading: Reading, flat: dict[str, Any]) -> None:
    if reading.level is not None:
        return
    for key in _LEVEL:
        value = flat.get(key)
        if value is None or (key in ("status", "s", "priority") and not isinstance(value, str)):
            continue
        if type(value) is dict:  # {"level": {"name": "ERROR"}}
            value = value.get("name") or value.get("standardLevel") or value.get("levelStr")
        if key == "status" and str(value).isdigit():
            continue
        reading.level = level_of(value, "gelf" if key == "level" and "short_message" in flat else key)
        if reading.level is not None:
            return
    kind = flat.get("type")
    if isinstance(kind, str):
        _platform(reading, kind, flat)
    if reading.level is None and isinstance(flat.get("status"), (int, str)) and str(flat["status"]).isdigit():
        status = str(flat["status"])
        if len(status) == 3 and any(
            key in flat for key in ("method", "request", "httpmethod", "routekey", "path", "uri")
        ):
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


def _message(flat: dict[str, Any]) -> str | None:
    for key in _MESSAGE:
        value = flat.get(key)
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
    return _word(flat, _ERROR_TEXT)


def _error(reading: Reading, flat: dict[str, Any]) -> None:
    inner = flat.get("message")
    if type(inner) is dict and ("errorType" in inner or "errorMessage" in inner or "stackTrace" in inner):
        flat = {key.lower(): value for key, value in inner.items()} | {"level": flat.get("level")}
    kind = _word(flat, _ERROR_TYPE)
    if kind and reading.kind is None and not kind.isdigit():
        reading.thrown, reading.kind = kind, short_class(kind)
    parts = []
    error = _word(flat, _ERROR_TEXT)
    if error:
        reading.note(error_message=error[:4096])
        parts.append(error)
    for key in _STACK:
        value = flat.get(key)
        if isinstance(value, list):
            value = "\n".join(item for item in value if isinstance(item, str))
        if isinstance(value, str) and value:
            parts.append(value)
            break
    reading.trace = "\n".join(parts)


def _word(flat: dict[str, Any], keys: list[str]) -> str | None:
    for key in keys:
        value = flat.get(key)
        if value is not None and (found := name(value)):
            return found
    return None


def _time(value: Any) -> Any:
    if type(value) is dict:  # MongoDB: {"t": {"$date": ...}}
        value = value.get("$date")
    return any_time(value) if value is not None and not isinstance(value, bool) else None
