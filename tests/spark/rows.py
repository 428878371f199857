"""Rows of the stages' schemas for tests: a few values given, the rest null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from probable_cause.schemas import column_names

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """T0 plus some seconds."""
    return T0 + timedelta(seconds=seconds)


def frame(spark: SparkSession, schema: str, rows: Sequence[Mapping[str, Any]]) -> DataFrame:
    """A DataFrame of `schema` (DDL) from rows that name only some columns."""
    names = column_names(schema)
    for row in rows:
        unknown = set(row) - set(names)
        assert not unknown, unknown
    return spark.createDataFrame([tuple(row.get(name) for name in names) for row in rows], schema)


def interest(event_id: str = "e1", **values: Any) -> dict[str, Any]:
    """An event of interest (schemas.INTEREST) of a reboot, with `values` over it."""
    return {
        "event_id": event_id,
        "family": "cloudtrail",
        "event_time": T0,
        "arrived_at": at(60),
        "action": "RebootInstances",
        "message": "{}",
        "resource_ids": ["i-1"],
        "fields": {},
        "rule_id": "reboot-instances",
        "event_type": "cloudsystem",
        "role": "cause",
        "relevance": 8.0,
        "half_life_seconds": 86400,
        "window_seconds": 259200,
        "cause_template": "{action} on {resource}",
        "summary_template": "{action} on {resource}",
        "explains": ["connectivity"],
        **values,
    }


def reject(event_id: str, source: str, destination: str, **values: Any) -> dict[str, Any]:
    """A refused flow (schemas.INTEREST)."""
    return interest(
        event_id,
        family="vpc_flow",
        action="REJECT",
        outcome="reject",
        source_ip=source,
        destination_ip=destination,
        resource_ids=["eni-1"],
        rule_id="flow-reject",
        event_type="network",
        role="symptom",
        cause_template="REJECT on {endpoint_type} {endpoint}",
        summary_template="REJECT on {endpoint_type} {endpoint}",
        **values,
    )
