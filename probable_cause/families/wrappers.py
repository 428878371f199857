"""What AWS puts around a record on its way into a log group: EventBridge, SNS, SQS, Lambda, arrays. Taken off here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from probable_cause.families.jsontext import try_load

_DEEPEST = 8
# Keys under which another service puts the record, as an object or as JSON text; lists of records come last.
_INNER = (
    "detail", "eventJson", "invokingEvent", "Message", "message", "@message", "body", "CloudTrailEvent", "eventData",
    "event", "log", "record", "Sns", "awslogs",
)  # fmt: skip
_LISTS = ("Records", "records", "configurationItems", "baseConfigurationItems", "Events", "events", "logEvents")


def unwrap(value: Any, is_record: Callable[[dict[str, Any]], bool]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(record, the object that it was taken out of) of each record in `value`; the record itself where nothing was
    around it. Yields nothing when there is no record."""
    pending: list[tuple[Any, dict[str, Any] | None, int]] = [(value, None, 0)]
    while pending:
        value, around, depth = pending.pop()
        if isinstance(value, str):
            value = try_load(value) if value.lstrip()[:1] in ("{", "[") else None
        if isinstance(value, list):
            # A list adds no level: reversed, as the last pushed is the first taken.
            pending += [(item, around, depth + 1) for item in reversed(value)] if depth < _DEEPEST else []
        elif isinstance(value, dict):
            if is_record(value):
                yield value, value if around is None else around
            elif depth < _DEEPEST:
                pending += [(value[key], value, depth + 1) for key in reversed(_INNER + _LISTS) if value.get(key)]
