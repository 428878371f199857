"""Rows of the shared logs, and what each says the event must hold: {path of the event: value}.

`expected` comes from the row's source, `derived` is a mechanical reading of the raw text by whoever collected it.
A path is a column, or `fields.<key>`. Where a source's value is not in the text at all (the name of a pod), there is
nothing to compare.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probable_cause.families.app_levels import level_of
from probable_cause.families.values import any_time

LOGS = Path(__file__).parents[3].parent / "shared" / "data" / "logs"
FILES = {
    "cloudtrail": "cloudtrail.jsonl",
    "aws_config": "config.jsonl",
    "vpc_flow": "vpcflow.jsonl",
    "application": "application.jsonl",
}
_FLOW = {
    "srcaddr": "source_ip", "dstaddr": "destination_ip", "srcport": "source_port", "dstport": "destination_port",
    "pkt_srcaddr": "pkt_source_ip", "pkt_dstaddr": "pkt_destination_ip",
}  # fmt: skip
_COLUMNS = frozenset(
    """account_id region action interface_id protocol bytes packets start end resource_id""".split()  # noqa: SIM905
)
_TRAIL = {
    "eventSource": "event_source", "awsRegion": "region", "errorCode": "error_code", "recipientAccountId": "account_id",
    "eventName": "fields.event_name", "eventVersion": "fields.event_version", "eventType": "fields.event_type",
    "eventID": "fields.event_id", "eventCategory": "fields.event_category",
}  # fmt: skip
_CONFIG = {
    "messageType": "fields.message_type", "resourceType": "resource_type", "resourceName": "fields.resource_name",
    "configurationItemStatus": "fields.status", "awsRegion": "region", "accountId": "account_id", "arn": "fields.arn",
    "changeType": "action",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    id: str
    raw: str
    format: str | None
    wanted: dict[str, Any]
    malformed: bool


def rows(family: str) -> Iterator[Row]:
    for line in (LOGS / FILES[family]).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        expected, derived = row["expected"], row["derived"]
        wanted = _WANTED[family](derived, row["raw"]) | _WANTED[family](expected, row["raw"])
        yield Row(row["id"], row["raw"], row.get("format"), wanted, bool(expected.get("_malformed")))


def found(event: dict[str, Any], path: str) -> Any:
    column, _, key = path.partition(".")
    value = event.get(column)
    return (value or {}).get(key) if key else value


def _flow(values: dict[str, Any], _: str) -> dict[str, Any]:
    wanted = {}
    for key, value in values.items():
        if not key.startswith("_"):
            path = _FLOW.get(key, key if key in _COLUMNS else f"fields.{key}")
            absent = value in (None, "-")
            wanted[path] = None if absent else str(value) if path.startswith("fields.") else value
    return wanted


def _cloudtrail(values: dict[str, Any], raw: str) -> dict[str, Any]:
    wanted = {path: values[key] or None for key, path in _TRAIL.items() if values.get(key) is not None}
    if isinstance(values.get("eventTime"), str):
        wanted["event_time"] = any_time(values["eventTime"])
    if values.get("sourceIPAddress") is not None:
        word = values["sourceIPAddress"]
        is_address = word.count(".") == 3 and word.replace(".", "").isdigit()
        wanted["source_ip"] = word if is_address else None
    if "readOnly" in values:
        wanted["fields.read_only"] = str(values["readOnly"]).lower()
    if values.get("userIdentity.userName") and values.get("userIdentity.type") == "IAMUser":
        wanted["actor"] = values["userIdentity.userName"]
    if values.get("userIdentity.invokedBy"):
        wanted["fields.invoked_by"] = values["userIdentity.invokedBy"]
    if values:
        wanted["outcome"] = "failure" if values.get("errorCode") else "success"
    return wanted


def _config(values: dict[str, Any], _: str) -> dict[str, Any]:
    wanted = {path: values[key] for key, path in _CONFIG.items() if values.get(key) is not None}
    if values.get("configurationItemCaptureTime"):
        wanted["event_time"] = any_time(values["configurationItemCaptureTime"])
    if values.get("resourceId"):
        wanted["fields.resource_id"] = values["resourceId"]
    return wanted


def _application(values: dict[str, Any], raw: str) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if values.get("level") is not None:
        wanted["level"] = level_of(values["level"])
    for key in ("trace_id", "span_id", "service"):
        if values.get(key) and f'"{values[key]}"' in raw.replace(": ", ':"').replace(" ", '"'):
            wanted[f"fields.{key}"] = values[key]
    if values.get("timestamp") and values["timestamp"] in raw:
        wanted["event_time"] = any_time(values["timestamp"])
    return wanted


_WANTED = {"cloudtrail": _cloudtrail, "aws_config": _config, "vpc_flow": _flow, "application": _application}
