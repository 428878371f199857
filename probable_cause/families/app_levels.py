"""Levels of every logging library -> TRACE DEBUG INFO WARN ERROR FATAL. Pure data and two look-ups."""

from __future__ import annotations

import re
from typing import Any

TRACE, DEBUG, INFO, WARN, ERROR, FATAL = "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"
BAD = frozenset({WARN, ERROR, FATAL})

_WORDS = {
    TRACE: "trace finest finer verbose vrb trc trce trac all silly noise trivia",
    DEBUG: "debug debug1 debug2 debug3 debug4 debug5 d1 d2 d3 d4 d5 dbg dbug debu fine config",
    INFO: """info inf information informational notice note log system success ok default audit http
        statement detail hint context query location normal progress""",
    WARN: "warn warning wrn warnning deprecated",
    ERROR: "error err eror erro fail failure severe exception crash supervisor",
    FATAL: "fatal fata ftl critical crit crt alert emerg emergency panic pani pnc dpanic",
}
BY_WORD = {word: level for level, words in _WORDS.items() for word in words.split()}
# The words that count as a level where text puts one; the rest of BY_WORD are levels only as the value of a level key.
WORDS = (
    "TRACE|FINEST|FINER|FINE|VERBOSE|DEBUG[1-5]?|INFO|INFORMATION|NOTICE|WARN(?:ING)?|ERROR|ERR|SEVERE|CRIT(?:ICAL)?"
    "|ALERT|EMERG(?:ENCY)?|FATAL|PANIC"
)
# One letter: glog, Ruby, MongoDB, Android.
BY_LETTER = {"T": TRACE, "V": TRACE, "D": DEBUG, "I": INFO, "N": INFO, "W": WARN, "E": ERROR, "F": FATAL, "C": FATAL}

_BETWEEN = re.compile(r"([a-z]+)[+-]\d{1,3}")  # Go's slog: ERROR+2
_SYSLOG_KEYS = ("priority", "severity", "syslog.severity", "syslog_level", "gelf")
_SYSLOG = {0: FATAL, 1: FATAL, 2: FATAL, 3: ERROR, 4: WARN, 5: INFO, 6: INFO, 7: DEBUG}
# bunyan and pino count 10 per level from trace; Python's logging from debug. The key or its company tells them apart.
_BUNYAN = {10: TRACE, 20: DEBUG, 30: INFO, 40: WARN, 50: ERROR, 60: FATAL}
_PYTHON = {10: DEBUG, 20: INFO, 30: WARN, 40: ERROR, 50: FATAL}
_MONOLOG = {100: DEBUG, 200: INFO, 250: INFO, 300: WARN, 400: ERROR, 500: FATAL, 550: FATAL, 600: FATAL}
_OPEN_TELEMETRY = [(4, TRACE), (8, DEBUG), (12, INFO), (16, WARN), (20, ERROR), (24, FATAL)]


def level_of(value: Any, key: str = "") -> str | None:
    """The level that the value of a level key means, None for what is no level.

    Args:
        key: the key's name in lower case: `severitynumber` counts as OpenTelemetry does, `levelno` as Python.
    """
    if isinstance(value, str):
        word = value.strip().lower()
        if word in BY_WORD:
            return BY_WORD[word]
        if len(word) == 1 and word.upper() in BY_LETTER:
            return BY_LETTER[word.upper()]
        if between := _BETWEEN.fullmatch(word):
            return BY_WORD.get(between.group(1))
        if not word.isascii() or not word.isdigit() or len(word) > 4:
            return None
        value = int(word)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if key in ("severitynumber", "severity_number"):
        return next((level for most, level in _OPEN_TELEMETRY if 1 <= value <= most), None)
    if key == "levelno":
        return _PYTHON.get(int(value))
    if 0 <= value <= 7:
        # Below 3, libraries that count upwards from debug disagree with syslog; from 3 on it is an error for most.
        return _SYSLOG.get(int(value)) if value >= 3 or key in _SYSLOG_KEYS else None
    if 10 <= value < 100:
        return _BUNYAN.get(int(value) // 10 * 10)
    return _MONOLOG.get(int(value)) if 100 <= value <= 600 else None


def of_status(status: int) -> str | None:
    """The level of an access log line: what the server failed at is an error, what it refused a warning."""
    if 500 <= status <= 599:
        return ERROR
    if 400 <= status <= 499:
        return WARN
    return INFO if 100 <= status <= 399 else None
