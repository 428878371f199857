"""Moves a recorded log line in time: every instant in it by the same span, so that it may be played as of now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?")
_EPOCH = re.compile(r"(?<![\w.-])(\d{10}|\d{13})(?![\w.:-])")
_NEAR = timedelta(days=2)  # a number this near to the record's time is an instant, not a port or an id


def shift_text(text: str, near: datetime, span: timedelta) -> str:
    """`text` with ISO 8601 instants and epoch seconds or milliseconds moved by `span`.

    Args:
        near: when the line was recorded; only epoch numbers within two days of it are taken for instants.
        span: how far to move.
    """

    def iso(match: re.Match[str]) -> str:
        original = match[0]
        main, fraction, zone = re.fullmatch(r"(.{19})([.,]\d+)?(.*)", original).groups()  # type: ignore[union-attr]
        moved = datetime.fromisoformat(main.replace(" ", "T")) + span  # noqa: DTZ007 - the zone is kept as text
        return moved.isoformat(sep=original[10], timespec="seconds") + (fraction or "") + zone

    def epoch(match: re.Match[str]) -> str:
        number = int(match[0])
        seconds = number / (1000 if len(match[0]) == 13 else 1)
        if abs(datetime.fromtimestamp(seconds, UTC) - near) > _NEAR:
            return match[0]
        unit = 1000 if len(match[0]) == 13 else 1
        return str(number + int(span.total_seconds()) * unit)

    return _EPOCH.sub(epoch, _ISO.sub(iso, text))
