"""Plain values out of log text: times, numbers, addresses, compact JSON. What can't be read is None, never an error."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds of year 1 and year 9999: what Python's and Spark's timestamps can both hold.
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
# Leading zeros are taken: some exports pad octets. The attribution stage normalises them.
IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)
# Hours that a zone's name is ahead of UTC, in the meaning that PostgreSQL and the BSD tools give it.
_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "IST": 5.5, "HKT": 8, "SGT": 8, "JST": 9, "KST": 9, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11,
    "EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8,
}  # fmt: skip
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?([A-Za-z]{1,4}|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


def words(table: str) -> list[str]:
    """The words of a table written as text."""
    return table.split()


def text(value: Any) -> str | None:
    """The value as the text of a `fields` entry: JSON's spelling of booleans, compact JSON of objects and lists.
    Empty and null are None."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return compact(value)


def name(value: Any) -> str | None:
    """The value if it is a word that names something: text or a number, not empty."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def compact(value: Any) -> str:
    """Compact JSON with its keys in the order they had."""
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, RecursionError):  # integers of more than 64 bits
        return str(value)


def is_ip(word: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    if IPV4.fullmatch(word):
        return True
    if ":" not in word or len(word) > 64:
        return False
    try:
        ipaddress.IPv6Address(word)
    except ValueError:
        return False
    return True


def integer(word: str, most: int) -> int | None:
    """The number if the text is digits, at most 19 of them without leading zeros, and at most `most`."""
    if word.isdigit() and word.isascii() and len(word.lstrip("0")) <= 19 and len(word) <= 64:
        number = int(word)
        return number if number <= most else None
    return None


def epoch_time(number: float) -> datetime | None:
    """The UTC time of an epoch number in seconds, milliseconds, microseconds or nanoseconds: its size tells which."""
    size = abs(number)
    if not size < 1e20:  # also NaN
        return None
    scale = 1 if size < 1e11 else 1_000 if size < 1e14 else 1_000_000 if size < 1e17 else 1_000_000_000
    microseconds = int(number) * 1_000_000 // scale if isinstance(number, int) else round(number * (1_000_000 / scale))
    if not _EARLIEST <= microseconds // 1_000_000 <= _LATEST:
        return None
    return _EPOCH + timedelta(microseconds=microseconds)


def iso_time(word: str) -> datetime | None:
    """The UTC time of ISO 8601 text with or without a zone (then UTC), with blank for T and comma for the point."""
    return _iso_time(word) if len(word) <= 64 else None


@lru_cache(maxsize=4096)  # the events of one record share few seconds
def _iso_time(word: str) -> datetime | None:
    found = _ISO.fullmatch(word.strip())
    return match_time(found) if found else None


def match_time(found: re.Match[str]) -> datetime | None:
    """The UTC time of a match of the eight groups year, month, day, hour, minute, second, fraction, zone."""
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    microsecond = int((fraction or "0").ljust(6, "0")[:6])
    try:
        # A leap second is read as the second before it.
        date = datetime(int(year), int(month), int(day), tzinfo=UTC)
        clock = timedelta(hours=int(hour or 0), minutes=int(minute or 0), seconds=min(int(second or 0), 59))
        return date + clock + timedelta(microseconds=microsecond) - zone_offset(zone)
    except (ValueError, OverflowError):
        return None


def zone_offset(zone: str | None) -> timedelta:
    """What a zone such as +05:30, -0700, +01 or PDT is ahead of UTC; zero for none.

    Raises:
        ValueError: a name that is no known zone.
    """
    if not zone:
        return timedelta(0)
    if zone[0] not in "+-":
        if zone.upper() not in _ZONES:
            raise ValueError(zone)
        return timedelta(hours=_ZONES[zone.upper()])
    digits = zone[1:].replace(":", "")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4] or 0))
    return -ahead if zone[0] == "-" else ahead


def any_time(value: Any) -> datetime | None:
    """The UTC time of ISO text, an epoch number, or text that holds one."""
    if isinstance(value, str):
        found = iso_time(value) if len(value) < 64 else None
        if found is None and value and value[0].isdigit() and len(value) <= 32:
            try:
                return epoch_time(float(value) if "." in value else int(value))
            except ValueError:
                return None
        return found
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return epoch_time(value)


def first(mapping: dict[str, Any], *keys: str) -> Any:
    """The first value of `keys` that is there and not null."""
    for key in keys:
        value = mapping.get(key)
        if value is not None:
            return value
    return None
