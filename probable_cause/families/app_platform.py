"""Lines that services write about an application: Lambda's platform, access logs, database slow logs, kernels.

Lambda formats: AWS Lambda Developer Guide, "Working with Lambda function logs"; access logs: combined log format of
Apache and nginx.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from probable_cause.families.app_levels import ERROR, FATAL, INFO, WARN, of_status
from probable_cause.families.app_reading import Reading
from probable_cause.families.values import is_ip, iso_time, words

_HEAD = 8192
_LAMBDA = re.compile(
    r"(?P<what>START|END|REPORT|INIT_(?:START|REPORT)|RESTORE_(?:START|REPORT)|EXTENSION\tName:|TELEMETRY\tName:)\s?"
    r"(?:RequestId: (?P<id>[\w-]+))?",
    re.ASCII,
)
_PAIR = re.compile(r"(?:^|\t|\n) *([A-Z][A-Za-z ]{1,40}): ([^\t\n]*)", re.ASCII)
_REPORTED = {
    "Duration": "duration", "Billed Duration": "billed_duration", "Memory Size": "memory_size",
    "Max Memory Used": "max_memory_used", "Init Duration": "init_duration", "Status": "status",
    "Error Type": "error_type", "Version": "version", "Name": "name", "State": "state", "Phase": "phase",
}  # fmt: skip
_TRACE = re.compile(r"XRAY TraceId: ([\w-]+)", re.ASCII)
_TIMED_OUT = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z) (?P<id>[0-9a-f-]{36}) (?P<rest>Task timed out after [\d.]+ seconds)", re.ASCII
)
_KILLED = re.compile(r"RequestId: (?P<id>[0-9a-f-]{36}) (?P<rest>(?:Error: |Process exited )[\s\S]*)", re.ASCII)
_RUNTIME = re.compile(r"\bRuntime\.(\w+)", re.ASCII)

_ACCESS = re.compile(
    r"(?P<client>[\w.:-]+) \S+ (?P<user>\S+) \[(?P<at>[^\]]{10,40})\] \"(?P<request>(?:[^\"\\]|\\.){0,4000})\" "
    r"(?P<status>\d{3}) (?P<size>\d+|-)"
)
_ACCESS_TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d(?:\.\d+)?)(?: ([+-]\d{4}))?", re.ASCII)
_UWSGI = re.compile(
    r"\[pid: (?P<pid>\d+)\|[^\]]*\] (?P<client>\S+) \([^)]*\) \{[^}]*\} \[[^\]]*\] (?P<request>\S+ \S+) => "
    r"[^(]*\(HTTP/\S+ (?P<status>\d{3})\)",
    re.ASCII,
)
_HAPROXY = re.compile(
    r"(?P<client>[\d.a-fA-F:]+):(?P<port>\d+) \[(?P<at>[^\]]+)\] (?P<frontend>\S+) "
    r"(?P<backend>[^/\s]+)/(?P<server>\S+) [\d/+-]+ (?P<status>\d{3}|-1) \d+",
    re.ASCII,
)
# Elastic Load Balancing: Application (with a scheme in front) and Classic.
_ELB = re.compile(
    r"(?:(?P<scheme>https?|h2|wss?|grpcs?) )?(?P<iso>\d{4}-\d\d-\d\dT[\d:.]+Z) (?P<balancer>\S+) "
    r"(?P<client>[\d.a-fA-F:]+):(?P<port>\d+) (?P<target>\S+) [\d.-]+ [\d.-]+ [\d.-]+ (?P<status>\d{3}) \S+ \d+ \d+ "
    r"\"(?P<request>[^\"]{0,4000})\"",
    re.ASCII,
)
_UVICORN = re.compile(r"(?P<client>[\d.]+):(?P<port>\d+) - \"(?P<request>[^\"]*)\" (?P<status>\d{3})", re.ASCII)
_SLOW = re.compile(r"# (?:Time|User@Host|Query_time):")
_SLOW_HOST = re.compile(r"# User@Host: [^\n]*\[(?P<ip>[\d.]*)\]")
_SLOW_TIME = re.compile(r"# Time: (?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z?)")
_SLOW_QUERY = re.compile(r"Query_time: +(?P<seconds>[\d.]+)")
_MONTHS = {month: number for number, month in enumerate(words("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"), 1)}


def read_platform(reading: Reading) -> bool:
    """Reads a line of one of these services into `reading`. False when it is none."""
    readers = _BY_START.get(reading.message[:1])
    if readers is None:
        return False
    head = reading.message[:_HEAD]
    return any(reader(reading, head) for reader in readers)


def _lambda(reading: Reading, head: str) -> bool:
    found = _LAMBDA.match(head)
    if found is None or (found.group("id") is None and found.group("what") in ("START", "END", "REPORT")):
        return False
    reading.level, reading.logger = INFO, "platform"
    reading.note(request_id=found.group("id"), platform_event=found.group("what").lower())
    values = {key.strip(): value.strip() for key, value in _PAIR.findall(head[len(found.group("what")) :])}
    for key, field in _REPORTED.items():
        if key in values:
            reading.note(**{field: values[key]})
    if traced := _TRACE.search(head):
        reading.note(trace_id=traced.group(1))
    status, error = values.get("Status", ""), values.get("Error Type", "")
    if status in ("timeout", "error", "failure") or error:
        reading.level, reading.failed = ERROR, True
        if status == "timeout" or error == "Sandbox.Timedout":
            reading.kind, reading.category = "Timeout", "timeout"
        else:
            reading.kind = error.rsplit(".", 1)[-1] or "RuntimeError"
            reading.category = "memory" if "OutOfMemory" in error else "crash"
    elif (
        found.group("what") == "REPORT"
        and _number(values.get("Max Memory Used")) >= _number(values.get("Memory Size")) > 0
    ):
        # Without a status that is how a function looks which was killed for its memory, or is about to be.
        reading.level = WARN
        reading.note(memory_exhausted="true")
    return True


def _number(value: str | None) -> float:
    word = (value or "").split(" ")[0]
    return float(word) if word.replace(".", "", 1).isdigit() and word.isascii() else 0.0


def _timed_out(reading: Reading, head: str) -> bool:
    found = _TIMED_OUT.match(head) if "Task timed out" in head else None
    if found is None:
        return False
    reading.time, reading.level, reading.logger = iso_time(found.group("at")), ERROR, "platform"
    reading.kind, reading.category, reading.failed = "Timeout", "timeout", True
    reading.note(request_id=found.group("id"))
    reading.message = reading.message[found.start("rest") :]
    return True


def _killed(reading: Reading, head: str) -> bool:
    found = _KILLED.match(head)
    if found is None:
        return False
    reading.level, reading.logger, reading.failed = ERROR, "platform", True
    reading.note(request_id=found.group("id"))
    reading.message = reading.message[found.start("rest") :]
    if "signal: killed" in head:
        reading.level, reading.kind, reading.category = FATAL, "OutOfMemory", "memory"
    elif runtime := _RUNTIME.search(head):
        reading.kind, reading.category = runtime.group(1), "crash"
    else:
        reading.kind, reading.category = "ProcessExited", "crash"
    return True


def _access(reading: Reading, head: str) -> bool:
    found = _ACCESS.match(head) if '] "' in head else None
    if found is None:
        return False
    reading.note(size=found.group("size") if found.group("size") != "-" else None)
    _request(reading, found)
    return True


def _request(reading: Reading, found: re.Match[str]) -> None:
    """What all access logs have: client, request, status."""
    values = found.groupdict()
    status = int(found.group("status"))
    reading.level = of_status(status) or reading.level or INFO
    reading.failed = status >= 500
    reading.note(status=found.group("status"), request=values.get("request"), pid=values.get("pid"))
    if is_ip(found.group("client")):
        reading.source_ip, reading.source_port = found.group("client"), values.get("port")
    if status >= 500:
        reading.kind, reading.category = f"Http{status}", "availability"
    reading.note(backend=values.get("backend"), server=values.get("server"))
    at = _ACCESS_TIME.fullmatch(values.get("at") or "")
    if at and reading.time is None:
        day, month, year, clock, zone = at.groups()
        reading.time = iso_time(f"{year}-{_MONTHS.get(month, 0):02}-{day}T{clock}{zone or ''}")


def _uwsgi(reading: Reading, head: str) -> bool:
    return _by(reading, _UWSGI, head)


def _haproxy(reading: Reading, head: str) -> bool:
    return "/" in head and "] " in head and _by(reading, _HAPROXY, head)


def _elb(reading: Reading, head: str) -> bool:
    found = _ELB.match(head) if "Z " in head and ' "' in head else None
    if found is None:
        return False
    reading.time = reading.time or iso_time(found.group("iso"))
    _request(reading, found)
    address, _, port = found.group("target").rpartition(":")
    reading.destination_ip, reading.destination_port = address, port
    reading.note(load_balancer=found.group("balancer"))
    return True


def _by(reading: Reading, pattern: re.Pattern[str], head: str) -> bool:
    found = pattern.match(head)
    if found is None:
        return False
    _request(reading, found)
    return True


def read_request(reading: Reading) -> None:
    """Keeps client and status of an access log line whose level has been read already (uvicorn)."""
    if found := _UVICORN.match(reading.message[:_HEAD]):
        level = reading.level
        _request(reading, found)
        reading.level = level if reading.level == INFO else reading.level


def _slow_query(reading: Reading, head: str) -> bool:
    """MySQL's and MariaDB's slow log: one event of several lines."""
    if not _SLOW.match(head):
        return False
    reading.level, reading.logger = WARN, "slow_query"
    if at := _SLOW_TIME.search(head):
        reading.time = iso_time(at.group("at"))
    if (host := _SLOW_HOST.search(head)) and host.group("ip"):
        reading.source_ip = host.group("ip")
    if query := _SLOW_QUERY.search(head):
        reading.note(query_seconds=query.group("seconds"))
    return True


_READERS: list[tuple[str, Callable[[Reading, str], bool]]] = [
    ("SERILTX", _lambda),
    ("0123456789", _timed_out),
    ("R", _killed),
    ("[", _uwsgi),
    ("#", _slow_query),
    ("0123456789hwg", _elb),
    ("0123456789abcdefABCDEF", _haproxy),
    ("0123456789abcdefghijklmnopqrstuvwxyz:", _access),
]
_BY_START = {
    start: [reader for starts, reader in _READERS if start in starts]
    for start in dict.fromkeys("".join(starts for starts, _ in _READERS))
}
