"""OTLP/JSON, what an OpenTelemetry collector writes as one line: its log records, one by one.

Format: OpenTelemetry protocol, ExportLogsServiceRequest in its JSON form.
"""

from __future__ import annotations

from typing import Any


def otlp_records(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The log records of an OTLP/JSON request, each as one object with its resource's attributes and scope."""
    records = []
    for resource in _objects(document.get("resourceLogs")):
        about = resource.get("resource")
        around = _attributes(about.get("attributes")) if isinstance(about, dict) else {}
        for scope in _objects(resource.get("scopeLogs")):
            named = scope.get("scope")
            logger = named.get("name") if isinstance(named, dict) else None
            for record in _objects(scope.get("logRecords")):
                inner = {"attributes": _attributes(record.get("attributes")), "logger": logger}
                records.append(around | record | inner)
    return records


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _attributes(pairs: Any) -> dict[str, Any]:
    """{key: value} of OTLP's [{"key": ..., "value": {"stringValue": ...}}]."""
    values = {}
    for pair in _objects(pairs):
        value = pair.get("value")
        if isinstance(pair.get("key"), str):
            values[pair["key"]] = next(iter(value.values()), None) if isinstance(value, dict) else value
    return values
