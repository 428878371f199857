"""Headers of plain-text log lines in the common dialects: time, level, logger, thread, and the message behind them.

A dialect is a pattern that is tried at the start of the line's first 4096 characters, so that no line costs more than
its head. Patterns are grouped by what they start with. Time comes off first in most dialects.
"""

from __future__ import annotations

import re
from datetime import datetime

from probable_cause.families.app_levels import BY_LETTER, WORDS, level_of
from probable_cause.families.app_reading import Reading
from probable_cause.families.values import iso_time, words

HEAD = 4096

_MONTHS = {month: number for number, month in enumerate(words("jan feb mar apr may jun jul aug sep oct nov dec"), 1)}
_ZONE = r"Z|UTC|GMT|[ECMP][SD]T|CES?T|WES?T|EES?T|BST|IST|JST|KST|HKT|SGT|MSK|A[CEW][SD]T|[+-]\d\d:?\d\d"
_START = re.compile(
    rf"""[<\[]?(?:
        (?P<iso>\d{{4}}[-/]\d\d[-/]\d\d[T\ ]\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?)\ ?(?P<zone>{_ZONE})?
        | (?P<clock>\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?)
        | (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\ )?(?P<month>[A-Z][a-z]{{2}})\ +(?P<day>\d{{1,2}})
            \ (?P<time>\d\d:\d\d:\d\d(?:\.\d{{1,6}})?)(?:\ (?P<year>\d{{4}}))?
        | (?P<day2>\d\d)[-/\ ](?P<month2>[A-Z][a-z]{{2}})[-/\ ](?P<year2>\d{{4}})[:\ ]
            (?P<time2>\d\d:\d\d:\d\d(?:\.\d{{1,6}})?)(?:\ (?P<zone2>{_ZONE}))?
        | (?P<short>\d{{6}})\ +(?P<time3>\d{{1,2}}:\d\d:\d\d)
    )(?![\d])[\]>]?""",
    re.ASCII | re.VERBOSE,
)
_POSTGRES = r"LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG\d?|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION"
_L = rf"(?P<level>{WORDS})"
_LI = rf"(?P<level>(?i:{WORDS}))"
_LOGGER = r"(?P<logger>[A-Za-z_][\w.$/:\[\]#-]*?)"
_SOURCE = r"(?:go|py|js|ts|rb|rs|java|kt|scala|php|cc|cpp|c)"
_DOTTED = r"(?P<logger>[A-Za-z_][\w$-]*(?:(?:\.|::|/)[\w$\[\]-]+)+)"

# (first characters, pattern). The rest of the line behind the match is the message.
_DIALECTS = [
    (starts, re.compile(pattern, re.ASCII))
    for starts, pattern in (
        # Spring Boot: INFO 1 --- [app] [main] c.e.App : started
        ("A", rf"{_L} +(?P<pid>\d+) --- +(?:\[[^\]]*\] +)?\[ *(?P<thread>[^\]]*?) *\] +(?P<logger>\S+) *: ?"),
        # WildFly, Quarkus: INFO  [org.jboss.as] (MSC service thread 1-1) ...
        ("A", rf"{_L} +\[(?P<logger>[\w.$]+)\] +\((?P<thread>[^)]*)\) +"),
        # WARN [main] o.e.Class - ... ; WARN [main] Class : ... ; Tomcat: SEVERE [main] org.x.Class.method ...
        ("A", rf"{_L} +\[ *(?P<thread>[^\]]*?) *\] +(?P<logger>[A-Za-z_][\w.$/\[\]-]*)(?::\d+)? +[-:|] +"),
        ("A", rf"{_L} +\[(?P<logger>[A-Za-z_][\w$]*(?:\.[\w$]+)+)\](?: *[:-])? +"),
        ("A", rf"{_L} +\[ *(?P<thread>[^\]]*?) *\] +(?P<logger>[a-z]\w*(?:\.[\w$]+)+):? +"),
        # logback with a line number: ERROR c.e.Class#12 ... ; also file:line of Go and Python
        ("A", rf"{_L} +(?P<logger>[\w.$/\[\]-]+?)#(?P<line>\d+):?\s+(?:- )?"),
        ("A", rf"{_L} +(?P<logger>(?:[\w$-]+[./])*(?:[A-Z][\w$]*|[\w-]+\.{_SOURCE})):(?P<line>\d+):?\s+(?:- )?"),
        ("A", rf"{_L} *[|:-]? +{_DOTTED}(?: - | *: | +\[[^\]]*\] +- )"),
        ("A", rf"{_L} +(?P<logger>[A-Za-z_][\w.$-]*) +- +"),
        # loguru: ERROR    | module:function:12 - ...
        ("A|", rf"(?:\| *)?{_L} *\| *(?P<logger>\S+) +- +"),
        # Python's basicConfig: ERROR:root:...
        ("A", rf"{_L}:(?P<logger>[A-Za-z_][\w.]*):(?! )"),
        # Ruby: E, [2024-01-01T00:00:00.1 #12] ERROR -- app: ...
        ("A", rf"[DIWEFA], \[(?P<at>[^ \]]+) #(?P<pid>\d+)\] +{_L} -- (?P<logger>[^:]*?) ?: "),
        # glog, klog: E0517 15:04:22.619632 123 file.cc:253] ...
        ("A", r"(?P<letter>[IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +(?P<thread>\d+) (?P<logger>[^\]\s]+:\d+)\] "),
        # MongoDB before 4.4: I NETWORK  [conn1] ...
        ("A", r"(?P<letter>[DIWEF])\d? +(?P<logger>[A-Z]+) +\[(?P<thread>[^\]]+)\] "),
        # PostgreSQL without a prefix: two blanks behind the colon
        ("A", rf"(?P<level>{_POSTGRES}):  "),
        ("A", r"PHP (?P<php>Fatal error|Parse error|Warning|Notice|Deprecated|Recoverable fatal error): +"),
        # zap, Lambda for Node.js, log with tabs: ERROR\tlogger\t...
        ("A", rf"{_L}\t(?P<logger>[\w.$/-]+(?::\d+)?)\t"),
        ("A", rf"{_L}(?: *[:|\]-])?(?:\s+|$)"),
        ("aA", r"(?P<level>(?i:error|warning|warn|fatal|critical)): +"),
        # .NET: fail: Namespace.Class[0]
        ("a", r"(?P<dotnet>trce|dbug|info|warn|fail|crit): (?P<logger>[\w.`+]+)\[\d+\]\s*"),
        ("a", rf"{_LI}\t(?P<logger>[\w.$/-]+(?::\d+)?)\t"),
        ("a", rf"{_LI}\t"),
        # Elasticsearch: [WARN ][o.e.d.z.Zen] [node] ... ; gunicorn: [7] [ERROR] ... ; nginx: [error] 12#12: *1 ...
        ("[", rf"\[{_LI} *\] ?\[(?P<logger>[A-Za-z_][^\]\s]*) *\] *(?:\[(?P<node>[^\]]*)\] ?)?"),
        ("[", rf"\[{_LI}\] \[client (?P<client>[^\] ]+?)(?::(?P<port>\d+))?\] "),
        ("[", rf"\[(?P<pid>\d+)\] \[{_LI}\] "),
        # Lambda for Python: [ERROR]\ttime\trequest-id\t...
        ("[", rf"\[{_LI}\]\t(?P<at>[\d:.TZ-]+)\t(?P<request_id>[0-9a-f-]{{36}})\t"),
        ("[", rf"\[{_LI}\] (?P<pid>\d+)#\d+: (?:\*\d+ )?"),
        # Apache: [core:error] [pid 1:tid 2] [client 10.0.0.1:80] ...
        ("[", rf"\[(?P<logger>\w*):{_LI}\] (?:\[pid (?P<pid>\d+)(?::tid \w+)?\] )?"
              rf"(?:\[(?:client|remote) (?P<client>[^\] ]+?)(?::(?P<port>\d+))?\] )?"),
        # log4j: [main] ERROR c.e.Class - ...
        ("[", rf"\[ *(?P<thread>[^\]]+?) *\] +(?:\[[^\]]*\] +)?{_L} +(?P<logger>[A-Za-z_][\w.$/\[\]#-]*)"
              r"(?: +\[[^\]]*\])* *(?: -|:| \|) +"),
        ("[", rf"\[ *(?P<thread>[^\]]+?) *\] +{_L}(?: *[:-])? +"),
        ("[", rf"\[{_LI} *\](?:\t| *:? *(?:{_DOTTED}(?: - |: ))?)"),
        # PostgreSQL: [12] user@db ERROR:  ... ; RDS' prefix %t:%r:%u@%d:[%p]:
        ("[", r"\[(?P<pid>\d+)(?:-\d+)?\]:? *(?:\[\d+-\d+\] *)?(?:(?P<user>[^@\s]*)@(?P<database>\S*) *)?"
              rf"(?P<level>{_POSTGRES}): +"),
        (":", r":(?P<client>[^:(]*)(?:\((?P<port>\d+)\))?:(?P<user>[^@:]*)@(?P<database>[^:]*):\[(?P<pid>\d+)\]:"
              rf"(?P<level>{_POSTGRES}): +"),
        # MySQL: 0 [Warning] [MY-010068] [Server] ...
        ("0", r"(?P<thread>\d+) +\[(?P<level>Note|Warning|ERROR|System)\] +"
              r"(?:\[(?P<code>MY-\d+)\] +\[(?P<logger>\w+)\] +)?"),
        # Redis: 1:M 01 Jan 2024 00:00:00.000 # ...
        ("0", r"(?P<pid>\d+):[XCSM] "
              r"(?P<redis_at>\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(?:\.\d{3})?) (?P<redis>[.*#-]) "),
        # Lambda for Node.js: (time) request-id ERROR ...
        ("0a", rf"(?P<request_id>[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})[\t ]+(?:{_L}(?:[\t ]+|$))?"),
        # Python: - logger - ERROR - ... ; plain separators
        ("-|:,aA", rf"[-|:,]* *{_LOGGER} +[-|] +{_L} +[-|:]+ +"),
        ("-|:,", rf"[-|:,]+ *{_L} *[-|:]+ *(?:(?P<logger>[A-Za-z_][\w.]*) *[-|:]+ +)?"),
        # Python: logger ERROR ... ; logger ERROR: ...
        ("aA", rf"{_DOTTED}(?:\[\d+\])? +{_L}(?: *[:-])? +"),
        ("aA", rf"(?P<logger>[A-Za-z_][\w-]*)(?:\[(?P<pid>\d+)\])? +{_L} *[:-] +"),
        # Airflow: {taskinstance.py:12} ERROR - ...
        ("{", rf"\{{(?P<logger>[\w./-]+:\d+)\}} {_L} - "),
        # monolog, Laravel: production.ERROR: ...
        ("aA", rf"(?P<logger>[\w-]+)\.{_L}: "),
        # Go: file.go:12: ...
        ("aA", rf"(?P<logger>[\w./-]+\.{_SOURCE}:\d+):? "),
    )
]  # fmt: skip
_SETS: dict[str, list[re.Pattern[str]]] = {}
# kafka: [time] WARN ... (kafka.server.ReplicaManager)
_BEHIND = re.compile(r" \((?P<logger>[a-z][\w$-]*(?:\.[\w$-]+)+)\)\s*$", re.ASCII)
_TRACE = re.compile(r"\bTraceID: ?(?P<trace>[0-9a-fA-F-]{8,64}),? SpanID: ?(?P<span>[0-9a-fA-F-]{8,64})\s*", re.ASCII)
# Rust, Celery: [2024-01-01T00:00:00Z ERROR crate::module] ... ; [2024-01-01 00:00:00,000: ERROR/MainProcess] ...
_INSIDE = re.compile(
    rf"\[(?P<at>\d{{4}}-[^\s\]]+(?: \d\d:\d\d:\d\d[.,]?\d*)?):? +{_L}(?:/(?P<thread>[^\]]+)| +(?P<logger>[\w:.]+))?\] ",
    re.ASCII,
)
_SERILOG = re.compile(r"\[(?:[^\s\]]+ )?\d\d:\d\d:\d\d(?:\.\d+)? (?P<level>VRB|DBG|INF|WRN|ERR|FTL)\] ", re.ASCII)
# java.util.logging, in two lines: Jan 01, 2024 1:00:00 PM com.x.Class method\nSEVERE: ...
_JUL = re.compile(
    rf"[A-Z][a-z]{{2}} \d{{1,2}}, \d{{4}} \d{{1,2}}:\d\d:\d\d [AP]M (?P<logger>\S+)[^\n]*\n{_L}: ", re.ASCII
)
_PHP = {"Fatal error": "FATAL", "Parse error": "ERROR", "Recoverable fatal error": "ERROR", "Warning": "WARN"}
_REDIS = {".": "DEBUG", "-": "DEBUG", "*": "INFO", "#": "WARN"}


def read_text(reading: Reading) -> bool:
    """Takes the header off `reading.message` and keeps what it says. False when no dialect fits."""
    text = reading.message
    head = text[:HEAD]
    if head[0] == "[":
        for pattern in (_INSIDE, _SERILOG):
            if found := pattern.match(head):
                _keep(reading, found)
                return True
    elif found := _JUL.match(head):
        _keep(reading, found)
        return True
    start = _START.match(head)
    rest, bracketed = head, False
    if start:
        if reading.time is None:
            reading.time = _time(start)
        bracketed = head[0] == "["
        rest = head[start.end() :].lstrip(" \t")
    for pattern in _set(rest[:1]):
        found = pattern.match(rest)
        if found:
            tail = rest[found.end() :] + text[HEAD:]
            reading.message = tail
            _values(reading, found)
            break
    else:
        if not start:
            return False
        reading.message = rest.lstrip("-|:, \t") + text[HEAD:]
        return True
    if bracketed and reading.logger is None and reading.message.endswith(")"):
        behind = _BEHIND.search(reading.message[-300:])
        if behind:
            reading.logger = behind.group("logger")
            reading.message = reading.message[: -len(behind.group(0))]
    return True


def _set(start: str) -> list[re.Pattern[str]]:
    """The patterns to try for text that starts with this character."""
    if start in _SETS:
        return _SETS[start]
    key = "0" if start.isdigit() else "A" if start.isupper() else "a" if start.isalpha() else start
    found = [pattern for starts, pattern in _DIALECTS if key and key in starts] if start.isascii() else []
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
    elif redis := values.get("redis"):
        reading.level = _REDIS[redis]
    logger = values.get("logger")
    if logger:
        reading.logger = logger.strip()
    if reading.time is None and values.get("at"):
        reading.time = iso_time(values["at"])
    if reading.time is None and values.get("redis_at"):
        start = _START.match(values["redis_at"])
        reading.time = _time(start) if start else None
    if values.get("client"):
        reading.source_ip, reading.source_port = values["client"], values.get("port")
    for key in ("thread", "pid", "request_id", "line", "node", "code", "user", "database"):
        if values.get(key):
            reading.note(**{key: values[key]})
    if reading.message.startswith("TraceID") and (traced := _TRACE.match(reading.message)):
        reading.note(trace_id=traced.group("trace"), span_id=traced.group("span"))
        reading.message = reading.message[traced.end() :]


def _time(found: re.Match[str]) -> datetime | None:
    """The time of a _START match. Without a zone it is taken as UTC; without a date or a year there is none."""
    if found.group("iso"):
        return iso_time(found.group("iso").replace("/", "-") + (found.group("zone") or ""))
    if found.group("short"):  # MySQL before 5.7
        short = found.group("short")
        return iso_time(f"20{short[:2]}-{short[2:4]}-{short[4:]}T{found.group('time3'):>08}")
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
