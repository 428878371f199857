"""A sink over the tables in memory, with two applications, and a clock that tests set."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from probable_cause import settings, wiring
from probable_cause.lookup_cache import LookupCache
from probable_cause.sink import BatchReport, Sink
from probable_cause.state import lookups
from probable_cause.state.lease import acquire
from probable_cause.state.memory import memory_tables
from probable_cause.state.tables import Tables
from tests.spark.rows import T0, at


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = at(600)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tables() -> Tables:
    made = memory_tables()
    lookups.put(
        made,
        [
            {"ip": "10.1.1.10", "application_id": "app1", "endpoint_type": "Instance"},
            {"ip": "10.11.11.10", "application_id": "app2", "endpoint_type": "ELB"},
        ],
        [{"resource_id": "i-1", "application_id": "app1", "resource_type": "AWS::EC2::Instance"}],
        T0,
    )
    return made


@pytest.fixture
def reports() -> list[BatchReport]:
    return []


@pytest.fixture
def place(tmp_path: Path) -> str:
    """Folder of what the job keeps."""
    return str(tmp_path)


@pytest.fixture
def sink(tables: Tables, clock: Clock, reports: list[BatchReport], place: str) -> Sink:
    configuration = settings.load()
    return Sink(
        scope=wiring.scope_of(configuration),
        tables=tables,
        model=wiring.model_of(configuration),
        clock=clock,
        wall_clock=clock,
        lookup=LookupCache(tables, 60),
        rejects_path=f"{place}/rejected",
        lease=acquire(tables.states, "test", "checkpoint", T0),
        on_report=reports.append,
    )
