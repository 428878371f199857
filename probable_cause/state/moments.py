"""Instants as the tables hold them: UTC, ISO 8601, milliseconds, `Z` - so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """`2026-03-01T12:00:02.120Z` of an aware datetime; finer digits are cut."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """The aware UTC datetime of an ISO 8601 text. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it as 2026-03-01T12:00:00Z")
    return moment.astimezone(UTC)


def from_millis(millis: int) -> datetime:
    """The aware UTC datetime of epoch milliseconds."""
    return datetime.fromtimestamp(millis // 1000, UTC).replace(microsecond=millis % 1000 * 1000)


def to_millis(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime; finer digits are cut."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000
