"""What kind of failure a message tells of, and the addresses and resources that it names.

The kind is the exception's class where there is one (of a chain, the innermost cause), else a short word such as
ConnectionRefused. Phrases are those that libraries and operating systems write, whole: the mere word `error` or
`timeout` says nothing, it stands in paths, settings and good news as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from probable_cause.families.app_phrases import PHRASES
from probable_cause.families.values import is_ip

SCANNED = 65_536  # characters of a message that are looked through
_MOST = 32  # addresses and ids kept

# Good news that quotes a phrase: `reconnected after connection refused`, `0 requests timed out`.
_GOOD = re.compile(
    r"\b(?:success(?:ful(?:ly)?)?|succeeded|recovered|resolved|reconnected|healthy again|no longer|without errors?"
    r"|no errors?|0 (?:errors?|failures|failed|requests?|connections?|timeouts?))\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:not|never|cannot|can't|n't|without) (?:\w{1,20} ){0,2}$", re.IGNORECASE
)  # did not exit successfully

# Classes that say nothing beside a phrase that does.
GENERIC = frozenset(
    {"Error", "Exception", "Throwable", "RuntimeException", "RuntimeError", "Failure", "Fault", "NativeError"}
)
_PACKAGE = r"(?:[A-Za-z_$][\w$]*(?:\.|::|\\{1,2})){0,24}"
_SUFFIX = r"(?:Exception|Error|Fault|Failure|Throwable|Interrupt|Exit)"
# An exception's class is followed by its message, its code or the end of the line.
_THROWN = re.compile(
    rf"(?<![\w.$/\\-])({_PACKAGE}(?:[A-Z][\w$]*?)?{_SUFFIX})(?=:| *$| *\(| +\[| +-|\s{1, 8}at\b|[\"'\]}},;]|\. |\.$)",
    re.ASCII | re.MULTILINE,
)
_CAUSED_BY = re.compile(rf"^[ \t]*(?:\.\.\. )?Caused by:[ \t]*({_PACKAGE}[A-Z][\w$]*)", re.ASCII | re.MULTILINE)
_ARROW = re.compile(rf"---> ({_PACKAGE}[A-Z][\w$]*)", re.ASCII)  # .NET's inner exceptions
_ORACLE = re.compile(r"\b(?:ORA|TNS)-\d{4,5}(?=[:,\s)]|$)", re.ASCII)
_NESTED = re.compile(rf"nested exception is ({_PACKAGE}[A-Z][\w$]*)", re.ASCII)
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):", re.MULTILINE)
_RAISED = re.compile(rf"^({_PACKAGE}[A-Za-z_]\w*)(?=:|[ \t]*$)", re.ASCII | re.MULTILINE)
_PANIC = re.compile(r"^(?:panic: |fatal error: |http: panic serving |thread '[^'\n]{0,80}' panicked)", re.MULTILINE)

_ADDRESS4 = re.compile(r"(?<![\w.-])(\d{1,3}(?:\.\d{1,3}){3})(?![\w-]|\.\d)", re.ASCII)
_ADDRESS6 = re.compile(r"(?<![\w:.])((?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?![\w:])", re.ASCII)
_NO_DIGIT = re.compile(r"[^0-9]*", re.ASCII)  # `ab::cd` names something in a program
_IS_VERSION = re.compile(r"(?:\b[A-Z][A-Za-z]*/|\b[Vv]ersion[ :=]{1,3})$")  # Chrome/120.0.0.0, but localhost/127.0.0.1
_HEX_BEHIND_DASH = re.compile(r"-[0-9a-f]{8}")
_RESOURCE = re.compile(
    r"(?<![\w-])((?:i|sg|vpc|subnet|rtb|acl|eni|vol|igw|nat|vpce|pcx|tgw|eipalloc|fs|ami|snap)-[0-9a-f]{8,17})(?![\w-])"
    r"|(?<![\w:])(arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{0,12}:[\w/:.$+=,@-]*[\w/$])",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """`kind`: the exception's class without its package, or a short word. `category`: connectivity, timeout, dns, ...
    `thrown`: the outermost exception's whole name. Each None when unknown."""

    kind: str | None = None
    category: str | None = None
    thrown: str | None = None


def failure_in(message: str) -> Failure:
    """What failed, by the words of the message. All None when nothing says so."""
    message = message[:SCANNED]
    lowered = message.lower()
    kind, category = next(((kind, group) for phrase, kind, group in PHRASES if phrase in lowered), (None, None))
    outer, inner = _exception(message)
    if inner is not None and not (kind and short_class(inner) in GENERIC):
        return Failure(short_class(inner), category, outer and outer.replace("\\\\", "\\"))
    if kind is None and _PANIC.search(message):
        return Failure("Panic", "crash")
    if kind is None and (coded := _ORACLE.search(message)):
        return Failure(coded.group(), None)
    return Failure(kind, category, outer)


def is_good_news(message: str) -> bool:
    """Whether the message says that all went well, whatever else it quotes."""
    message = message[:1000]
    return any(not _DENIED.search(message, 0, good.start()) for good in _GOOD.finditer(message))


def short_class(name: str) -> str:
    """`ConnectException` of java.net.ConnectException, also of PHP's and Rust's spellings."""
    return re.split(r"\.|::|\\", name)[-1]


def _exception(message: str) -> tuple[str | None, str | None]:
    """(outermost, innermost) exception class in the message."""
    if "Traceback (most" in message and _TRACEBACK.search(message):
        raised = [name for name in _RAISED.findall(message) if name != "Traceback"]
        if raised:
            return raised[-1], raised[-1]
    first = _THROWN.search(message)
    outer = first.group(1) if first else None
    for word, pattern in (("Caused by:", _CAUSED_BY), ("nested exception is", _NESTED), ("---> ", _ARROW)):
        chain = pattern.findall(message) if word in message else None
        if chain:
            return outer or chain[-1], chain[-1]
    return outer, outer


def addresses_in(message: str) -> list[str]:
    """IP addresses in the text, in order, each once. Versions of programs are none."""
    message = message[:SCANNED]
    found: dict[str, None] = {}
    if message.count(".") >= 3:
        for match in _ADDRESS4.finditer(message):
            word, start = match.group(1), match.start()
            if is_ip(word) and not _IS_VERSION.search(message, max(0, start - 24), start):
                found.setdefault(word)
    if message.count(":") >= 2:
        for match in _ADDRESS6.finditer(message):
            word = match.group(1)
            if ("::" in word or word.count(":") == 7) and not _NO_DIGIT.fullmatch(word) and is_ip(word):
                found.setdefault(word)
    return list(found)[:_MOST]


def resources_in(message: str) -> list[str]:
    """Typed AWS ids and ARNs in the text, in order, each once."""
    if "arn:aws" not in message and not _HEX_BEHIND_DASH.search(message):
        return []
    found = dict.fromkeys(match.group(1) or match.group(2) for match in _RESOURCE.finditer(message[:SCANNED]))
    return list(found)[:_MOST]
