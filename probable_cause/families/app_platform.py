"""Lines that services write about an application: Lambda's platform, API Gateway, databases; access logs by app_access.

Lambda formats: AWS Lambda Developer Guide, "Working with Lambda function logs". API Gateway: its Developer Guide, "Set
up CloudWatch logging". PostgreSQL: "Using CSV-Format Log Output".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime

from probable_cause.families.app_access import ACCESS_READERS, DATE, request_time
from probable_cause.families.app_access import HEAD as _HEAD
from probable_cause.families.app_levels import DEBUG, ERROR, FATAL, INFO, WARN, level_of, of_status
from probable_cause.families.app_reading import Reading
from probable_cause.families.values import any_time, iso_time

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

_SLOW = re.compile(r"# (?:Time|User@Host|Query_time):")
_SLOW_HOST = re.compile(r"# User@Host: [^\n]*\[(?P<ip>[\d.]*)\]")
_SLOW_TIME = re.compile(r"# Time: (?:(?P<at>\d{4}-\d\d-\d\dT[\d:.]+Z?)|(?P<short>\d{6}) +(?P<clock>\d{1,2}:\d\d:\d\d))")
_SLOW_QUERY = re.compile(r"Query_time: +(?P<seconds>[\d.]+)")
_CSVLOG = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \w{1,6},", re.ASCII)
_GATEWAY = re.compile(r"\((?P<id>[0-9a-f-]{36}|[\w+/-]{8,24}={1,2})\) (?:Extended Request Id: |(?=[A-Z]))", re.ASCII)
_COMPLETED = re.compile(r"(?:Method completed with status|Lambda invocation failed with status): (?P<status>\d{3})")
# MariaDB's server_audit and Aurora MySQL: time, server, user, host, connection, query, operation, ..., return code
_AUDIT = re.compile(
    r"(?P<at>\d{8} \d\d:\d\d:\d\d|\d{16}),[^,]*,(?P<user>[^,]*),(?P<host>[^,]*),\d+,\d+,(?P<operation>[A-Z_]+),"
    r"(?P<database>[^,]*),",
    re.ASCII,
)
_AUDIT_CODE = re.compile(r",(\d{1,9})(?:,[A-Z0-9.]{0,40})?$", re.ASCII)
_LISTENER = re.compile(  # Oracle
    r"(?P<at>\d\d-[A-Z]{3}-\d{4} \d\d:\d\d:\d\d) \* .*?(?:\(HOST=(?P<host>[\d.a-fA-F:]+)\)\(PORT=(?P<port>\d+)\)\)+ )?"
    r"\* (?P<operation>\w+) \* (?:[^*]* \* )?(?P<code>\d+)$",
    re.ASCII,
)
_WINDOWS = re.compile(r"<Event [^>]*schemas\.microsoft\.com/win/")
_WINDOWS_PARTS = {
    name: re.compile(pattern)
    for name, pattern in (
        ("logger", r"<Provider [^>]*?Name=[\"']([^\"']{1,200})"),
        ("time", r"<TimeCreated [^>]*?SystemTime=[\"']([^\"']{1,40})"),
        ("level", r"<Level>(\d)</Level>"),
        ("code", r"<EventID[^>]*>(\d{1,10})</EventID>"),
        ("host", r"<Computer>([^<]{1,200})</Computer>"),
        ("message", r"<Message>([^<]{1,8000})</Message>"),
    )
}
_WINDOWS_LEVELS = {"1": FATAL, "2": ERROR, "3": WARN, "4": INFO, "5": DEBUG, "0": INFO}


def read_platform(reading: Reading) -> bool:
    """Reads a line of one of these services into `reading`. False when it is none."""
    text = reading.message
    readers = _BY_START.get(DATE if text[4:5] == "-" and text[:4].isdigit() else text[:1])
    if readers is None:
        return False
    head = text[:_HEAD]
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


def _slow_query(reading: Reading, head: str) -> bool:
    """MySQL's and MariaDB's slow log: one event of several lines."""
    if not _SLOW.match(head):
        return False
    reading.level, reading.logger = WARN, "slow_query"
    if at := _SLOW_TIME.search(head):
        short, clock = at.group("short"), at.group("clock")  # before MySQL 5.7
        date = f"20{short[:2]}-{short[2:4]}-{short[4:]}T{clock:>08}" if short else at.group("at")
        reading.time = iso_time(date.replace(" ", "0"))
    if (host := _SLOW_HOST.search(head)) and host.group("ip"):
        reading.source_ip = host.group("ip")
    if query := _SLOW_QUERY.search(head):
        reading.note(query_seconds=query.group("seconds"))
    return True


def _csvlog(reading: Reading, head: str) -> bool:
    """PostgreSQL's csvlog: its 12th to 14th columns are severity, SQLSTATE and message."""
    if not _CSVLOG.match(head):
        return False
    try:
        row = next(csv.reader(io.StringIO(reading.message)))
    except (csv.Error, StopIteration):
        return False
    level = level_of(row[11]) if len(row) > 20 else None
    if level is None:
        return False
    reading.time, reading.level, reading.message = iso_time(row[0]), level, row[13]
    reading.note(user=row[1], database=row[2], pid=row[3], code=row[12] if row[12] != "00000" else None)
    address, _, port = row[4].rpartition(":")
    reading.source_ip, reading.source_port = (address, port) if address else (row[4], None)
    return True


def _gateway(reading: Reading, head: str) -> bool:
    """API Gateway's execution log: the request's id in front of each step."""
    found = _GATEWAY.match(head)
    if found is None:
        return False
    reading.note(request_id=found.group("id"))
    reading.message = reading.message[found.end() :]
    if completed := _COMPLETED.match(reading.message):
        status = completed.group("status")
        reading.level = of_status(int(status))
        reading.note(status=status)
        if status >= "500":
            reading.kind, reading.category, reading.failed = f"Http{status}", "availability", True
    return True


def _audit(reading: Reading, head: str) -> bool:
    """MariaDB's and Aurora MySQL's audit log: a statement or a connection that failed is an error."""
    found = _AUDIT.match(head)
    coded = _AUDIT_CODE.search(reading.message[-60:]) if found else None
    if found is None or coded is None:
        return False
    code, at = coded.group(1), found.group("at")
    reading.time = any_time(at) if len(at) == 16 else iso_time(f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[9:]}")
    reading.level = ERROR if code != "0" else None
    reading.note(user=found.group("user"), database=found.group("database"), operation=found.group("operation"))
    reading.note(code=code if code != "0" else None)
    reading.source_ip = found.group("host")
    if found.group("operation") == "FAILED_CONNECT":
        reading.level, reading.kind, reading.category, reading.failed = ERROR, "AuthenticationFailed", "auth", True
    return True


def _listener(reading: Reading, head: str) -> bool:
    """Oracle's listener: a connection that it could not hand on has a TNS code."""
    found = _LISTENER.match(head)
    if found is None:
        return False
    code = found.group("code")
    reading.level, reading.logger, reading.time = (
        INFO if code == "0" else ERROR,
        "listener",
        _oracle_time(found.group("at")),
    )
    reading.source_ip, reading.source_port = found.group("host"), found.group("port")
    if code != "0":
        reading.kind, reading.category, reading.failed = f"TNS-{code}", "connectivity", True
    return True


def _oracle_time(word: str) -> datetime | None:
    day, month, rest = word.split("-", 2)
    return request_time(f"{day}/{month.title()}/{rest.replace(' ', ':')}")


def _windows(reading: Reading, head: str) -> bool:
    """An event of Windows as XML. Its text stands in <Message>, where the agent renders it."""
    if not _WINDOWS.match(head):
        return False
    values = {name: found.group(1) for name, part in _WINDOWS_PARTS.items() if (found := part.search(head))}
    reading.level, reading.logger = _WINDOWS_LEVELS.get(values.get("level", "")), values.get("logger")
    reading.time = iso_time(values.get("time", ""))
    reading.note(code=values.get("code"), host=values.get("host"))
    reading.record, reading.message = reading.message, values.get("message", reading.message)
    return True


_READERS: list[tuple[str, Callable[[Reading, str], bool]]] = [
    ("SERILTX", _lambda),
    (DATE, _timed_out),
    ("R", _killed),
    ("#", _slow_query),
    (DATE, _csvlog),
    ("(", _gateway),
    ("0123456789", _audit),
    ("0123", _listener),
    ("<", _windows),
    *ACCESS_READERS,
]
_BY_START = {
    start: [reader for starts, reader in _READERS if start in starts]
    for start in dict.fromkeys("".join(starts for starts, _ in _READERS))
}
