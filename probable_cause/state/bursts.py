"""When something happened, as a few intervals: a symptom that comes back after a silence begins anew. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

Bursts = tuple[tuple[datetime, datetime], ...]

# Longer than the longest window of a flow log (10 minutes), which writes one line a window however long it lasts.
SILENCE = timedelta(minutes=15)
KEPT = 8  # newest intervals


def with_moment(bursts: Bursts, at: datetime) -> Bursts:
    """`bursts` (ascending, more than SILENCE apart) with one more instant. The order of additions does not matter,
    except for instants before the oldest interval that is still kept."""
    start, end = at, at
    apart = []
    for first, last in bursts:
        if last + SILENCE < start or end + SILENCE < first:
            apart.append((first, last))
        else:
            start, end = min(start, first), max(end, last)
    return tuple(sorted([*apart, (start, end)])[-KEPT:])
