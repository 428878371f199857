"""What carries an application's line and is not part of it: syslog, the container runtime, docker compose."""

from __future__ import annotations

import re

from probable_cause.families.app_levels import WORDS, level_of
from probable_cause.families.app_reading import Reading
from probable_cause.families.values import IPV4, iso_time

_HEAD = 1024
_NO_LEVEL = rf"(?!(?:{WORDS}|trce|dbug|fail)\b)"
_CRI = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (?P<stream>stdout|stderr) (?P<part>[FP]) ", re.ASCII
)
_COMPOSE = re.compile(rf"{_NO_LEVEL}(?P<service>[a-z][\w.-]*(?:[-_]\d+(?=\s)|(?=\s+\| ?\{{)))\s+\| ?", re.ASCII)
# RFC 3164, and rsyslog's form of it with an ISO time.
_SYSLOG = re.compile(
    rf"(?:<(?P<pri>\d{{1,3}})>)?(?:(?P<at>\d{{4}}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?)"
    rf"|[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?) "
    rf"(?:(?i:{_NO_LEVEL})(?P<host>[\w.:-]+) (?:[a-z]+[0-9]?\.(?P<level>[a-z]+) )?)?"
    rf"(?i:{_NO_LEVEL})(?P<tag>[A-Za-z_][\w./()-]*)(?:\[(?P<pid>[\w-]+)\])?: ",
    re.ASCII,
)
_RFC5424 = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<at>\S+) (?P<host>\S+) (?P<tag>\S+) (?P<pid>\S+) (?P<id>\S+) "
    r"(?:-|(?:\[[^\]]{0,400}\])+) ?\ufeff?"
)


_BY_START = {
    **dict.fromkeys("0123456789", (_CRI, _SYSLOG)),
    **dict.fromkeys("ADFJMNOS", (_SYSLOG,)),  # the months
    **dict.fromkeys("abcdefghijklmnopqrstuvwxyz", (_COMPOSE,)),
    "<": (_RFC5424, _SYSLOG),
}


def unwrap_text(reading: Reading) -> bool:
    """Takes one wrapper off `reading.message`. False when there is none."""
    for pattern in _BY_START.get(reading.message[:1], ()):
        found = pattern.match(reading.message, 0, _HEAD)
        if found is None:
            continue
        values = found.groupdict()
        reading.message = reading.message[found.end() :]
        if reading.time is None and values.get("at"):
            reading.time = iso_time(values["at"])
        if values.get("pri"):
            reading.outer_level = level_of(int(values["pri"]) % 8, "priority")
        elif values.get("level"):  # facility.level, as BSD's syslogd writes it
            reading.outer_level = level_of(values["level"])
        host = values.get("host")
        reading.logger = reading.logger or _word(values.get("tag"))
        reading.note(stream=values.get("stream"), service=values.get("service") or _word(values.get("tag")))
        reading.note(pid=_word(values.get("pid")), host=_word(host))
        if host and IPV4.fullmatch(host):
            reading.note(sender=host)
        return True
    return False


def _word(value: str | None) -> str | None:
    return None if value == "-" else value
