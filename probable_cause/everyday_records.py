"""Records of CloudTrail and Config that no rule asks for, told by the few of their keys that decide: the part of the
prefilter that reads JSON.

Records are loaded, not searched: a name may stand anywhere in one. What is unusual about one goes to the parser.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import orjson

from probable_cause.families.cloudtrail import unversioned
from probable_cause.families.cloudtrail_outcome import failure

_RESOURCE_TYPE = re.compile("[A-Za-z0-9:]+")
_ITEM_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z", re.ASCII)
# What EventBridge puts around an item. With another key beside them the parser might find more than the item.
_EVENT = frozenset(["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"])
_ITEM_CHANGED = "ConfigurationItemChangeNotification"


def is_plain_call(line: str, calls: frozenset[str], first: str | None, last: str | None) -> bool:
    """A successful call that none of the keys names, of a time within first <= time < last (ISO text; None: any)."""
    record = _object(line)
    if record is None or "insightDetails" in record:
        return False
    name, source, time = record.get("eventName"), record.get("eventSource"), record.get("eventTime")
    if not (type(name) is str and name and type(source) is str and source and type(time) is str):
        return False
    if len(time) != 20 or time[10] != "T" or time[19] != "Z" or not _is_within(time, first, last):
        return False
    action, source = unversioned(name[:256]).lower(), source.lower()
    if f"cloudtrail|{source}|{action}" in calls or f"cloudtrail||{action}" in calls or f"cloudtrail|{source}|" in calls:
        return False
    # Some pipelines write the objects inside as text; the parser reads it.
    if type(record.get("responseElements")) is str or type(record.get("serviceEventDetails")) is str:
        return False
    return failure(record, {}) == (None, None)


def is_plain_item(line: str, items: frozenset[str], first: str | None, last: str | None) -> bool:
    """The change of a resource whose type none of the keys names, bare or in EventBridge's event; times as above."""
    record = _object(line)
    if record is not None and type(record.get("detail")) is dict and record.keys() <= _EVENT:
        record = record["detail"]
    if (
        record is None
        or record.get("messageType") != _ITEM_CHANGED
        or type(record.get("configurationItem")) is not dict
    ):
        return False
    item = record["configurationItem"]
    kind, time = item.get("resourceType"), item.get("configurationItemCaptureTime")
    if not (type(kind) is str and _RESOURCE_TYPE.fullmatch(kind) and type(time) is str and _ITEM_TIME.fullmatch(time)):
        return False
    try:
        datetime.fromisoformat(time)
    except ValueError:  # the parser would go by another time
        return False
    return f"aws_config|{kind.lower()}" not in items and _is_within(f"{time[:19]}Z", first, last)


def _object(line: str) -> dict[str, Any] | None:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return record if type(record) is dict else None


def _is_within(time: str, first: str | None, last: str | None) -> bool:
    return first is None or last is None or first <= time < last
