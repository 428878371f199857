"""Headers of plain-text log lines: time, level, logger, thread, and the message behind them.

A dialect is a pattern that is tried at the start of the line's first 4096 characters, so that no line costs more than
its head. Time comes off first in most dialects.
"""

from __future__ import annotations

import re
from datetime import datetime

from probable_cause.families.app_dialects import DIALECTS, INSIDE, JUL, LOWER, SERILOG, START
from probable_cause.families.app_levels import BY_LETTER, WORDS, level_of
from probable_cause.families.app_reading import Reading
from probable_cause.families.values import any_time, iso_time, words

HEAD = 4096
_MONTHS = {month: number for number, month in enumerate(words("jan feb mar apr may jun jul aug sep oct nov dec"), 1)}
_WORD = re.compile(r"\[[^\]]*\]|\S+")
_LEVEL_WORD = re.compile(rf"[\[<(]?(?:{WORDS})[\]>)]?:?")
_DATE = re.compile(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?", re.ASCII)
_SPARK = re.compile(r"(?P<logger>[A-Z]\w+): ", re.ASCII)
_NO_PROSE = re.compile(r"\[|[^a-z]+$|[^0-9]*[0-9]|[\w.-]+=|[\w./-]+:$")
_SETS: dict[str, list[re.Pattern[str]]] = {}
# kafka: [time] WARN ... (kafka.server.ReplicaManager)
_BEHIND = re.compile(r" \((?P<logger>[a-z][\w$-]*(?:\.[\w$-]+)+)\)\s*$", re.ASCII)
_TRACE = re.compile(r"\bTraceID: ?(?P<trace>[0-9a-fA-F-]{8,64}),? SpanID: ?(?P<span>[0-9a-fA-F-]{8,64})\s*", re.ASCII)
_PHP = {"Fatal error": "FATAL", "Parse error": "ERROR", "Recoverable fatal error": "ERROR", "Warning": "WARN"}
_ESXI = dict(zip(words("Em Al Cr Er Wa No In Db"), words("FATAL FATAL FATAL ERROR WARN INFO INFO DEBUG"), strict=True))
_REDIS = {".": "DEBUG", "-": "DEBUG", "*": "INFO", "#": "WARN"}


def read_text(reading: Reading) -> bool:
    """Takes the header off `reading.message` and keeps what it says. False when no dialect fits."""
    text = reading.message
    head = text[:HEAD]
    if head[0] == "[":
        for pattern in (INSIDE, SERILOG):
            if found := pattern.match(head):
                _keep(reading, found)
                return True
    elif found := JUL.match(head):
        _keep(reading, found)
        return True
    start = START.match(head)
    rest, bracketed = head, False
    if start:
        if reading.time is None:
            reading.time = _time(start)
        bracketed = head[0] == "["
        rest = head[start.end() :].lstrip(" \t")
    found = _dialect(rest)
    if found is None and start and start.group("iso"):
        found = LOWER.match(rest)
    if found is None and (at := _level_behind(rest, 0 if start else 2)):
        # Some put host, process or block ids in front of the level.
        found = _dialect(rest[at:])
        if found and reading.time is None and (inside := _DATE.search(rest, 0, at)):
            reading.time = iso_time(inside.group().replace("/", "-"))
        rest = rest[at:] if found else rest
    if found is None:
        if not start:
            return False
        reading.message = rest.lstrip("-|:, \t") + text[HEAD:]
        return True
    reading.message = rest[found.end() :] + text[HEAD:]
    _values(reading, found)
    if start and start.group("spark") and reading.logger is None and (found := _SPARK.match(reading.message)):
        _keep(reading, found)
    if bracketed and reading.logger is None:
        told, broken, trace = reading.message.partition("\n")
        if told.endswith(")") and (behind := _BEHIND.search(told[-300:])):
            reading.logger = behind.group("logger")
            reading.message = told[: -len(behind.group(0))] + broken + trace
    return True


def _dialect(rest: str) -> re.Match[str] | None:
    for pattern in _set(rest[:1]):
        found = pattern.match(rest)
        if found:
            return found
    return None


def _level_behind(rest: str, numbers: int) -> int:
    """Where a level's word stands behind at most nine words that are no prose (numbers, ids, brackets), at least
    `numbers` of them with a digit. 0: nowhere."""
    for count, word in enumerate(_WORD.finditer(rest, 0, 400)):
        if count > 9:
            return 0
        if _LEVEL_WORD.fullmatch(word.group()):
            return word.start() if numbers <= 0 else 0
        if not _NO_PROSE.match(word.group()):
            return 0
        numbers -= any(map(str.isdigit, word.group()))
    return 0


def _set(start: str) -> list[re.Pattern[str]]:
    """The patterns to try for text that starts with this character."""
    if start in _SETS:
        return _SETS[start]
    key = "0" if start.isdigit() else "A" if start.isupper() else "a" if start.isalpha() else start
    found = [pattern for starts, pattern in DIALECTS if key and key in starts] if start.isascii() else []
    if start.isascii():
        _SETS[start] = found
    return found


def _keep(reading: Reading, found: re.Match[str]) -> None:
    reading.message = reading.message[found.end() :]
    _values(reading, found)


def _values(reading: Reading, found: re.Match[str]) -> None:
    """Keeps the named groups of a dialect's match."""
    values = found.groupdict()
    level = values.get("level") or values.get("dotnet")
    if level:
        reading.level = level_of(level)
    elif letter := values.get("letter"):
        reading.level = BY_LETTER[letter]
    elif php := values.get("php"):
        reading.level = _PHP.get(php, "INFO")
    elif esxi := values.get("esxi"):
        reading.level = _ESXI[esxi]
    elif redis := values.get("redis"):
        reading.level = _REDIS[redis]
    logger = values.get("logger")
    if logger:
        reading.logger = logger.strip()
    at = values.get("at") or values.get("redis_at")
    if reading.time is None and at:
        reading.time = iso_time(at) or ((start := START.match(at)) and _time(start)) or None
    if values.get("client"):
        reading.source_ip, reading.source_port = values["client"], values.get("port")
    for key in (
        "thread",
        "pid",
        "request_id",
        "line",
        "node",
        "code",
        "user",
        "database",
        "service",
        "trace_id",
        "span_id",
    ):
        if values.get(key):
            reading.note(**{key: values[key].strip()})
    if reading.message.startswith("TraceID") and (traced := _TRACE.match(reading.message)):
        reading.note(trace_id=traced.group("trace"), span_id=traced.group("span"))
        reading.message = reading.message[traced.end() :]


def _time(found: re.Match[str]) -> datetime | None:
    """The time of a START match. Without a zone it is taken as UTC; without a date or a year there is none."""
    if found.group("iso"):
        return iso_time(found.group("iso").replace("/", "-").replace(", ", " ") + (found.group("zone") or ""))
    if found.group("short"):  # MySQL before 5.7
        short = found.group("short")
        return iso_time(f"20{short[:2]}-{short[2:4]}-{short[4:]}T{found.group('time3'):>08}")
    if found.group("epoch"):
        return any_time(found.group("epoch"))
    if found.group("dotted"):
        day, month, rest = found.group("dotted").split(".", 2)
        return iso_time(f"{rest[:4]}-{month}-{day}T{rest[5:]}")
    if found.group("spark"):
        return iso_time(f"20{found.group('spark').replace('/', '-')}")
    if found.group("hdfs"):
        year, month, day, hour, minute, second = re.findall("..", found.group("hdfs").replace(" ", ""))
        return iso_time(f"20{year}-{month}-{day}T{hour}:{minute}:{second}")
    for month, day, year, clock, zone in (
        ("month", "day", "year", "time", None),
        ("month2", "day2", "year2", "time2", "zone2"),
    ):
        if found.group(month) and found.group(year):
            number = _MONTHS.get(found.group(month).lower(), 0)
            ahead = (found.group(zone) if zone else None) or ""
            word = f"{found.group(year)}-{number:02}-{int(found.group(day)):02}T{found.group(clock)}"
            return iso_time(word + ahead)
    return None
