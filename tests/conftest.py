"""Fixtures that several tiers share. Collection runs the tiers in order of cost."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
# For Java machines that live for one test: not optimizing code that runs once halves the start of a job.
COLD_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_TIERS = ("unit", "spark", "streaming", "aws", "browser")

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def tier(item: pytest.Item) -> int:
        parts = item.path.relative_to(ROOT).parts
        return _TIERS.index(parts[1]) if parts[1] in _TIERS else len(_TIERS)

    items.sort(key=tier)


@pytest.fixture(scope="session")
def _session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    from probable_cause import session
    from probable_cause.errors import EnvironmentFaultError

    confs = {
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("spark") / "warehouse"),
        # Tests look at plans of a few rows: fewer tasks, less waiting.
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.streaming.stopTimeout": "60s",
    }
    try:
        spark = session.build("probable-cause-tests", "local[2]", confs, archive=True, paths=["s3a://"])
    except EnvironmentFaultError:
        # Ivy may have what Delta needs from an earlier run.
        spark = session.build("probable-cause-tests", "local[2]", confs, archive=True)
    yield spark
    spark.stop()


@pytest.fixture
def spark(_session: SparkSession) -> Iterator[SparkSession]:
    """The one session of the run; what a test cached or named is gone after it."""
    yield _session
    _session.catalog.clearCache()
    for view in _session.catalog.listTables():
        if view.isTemporary:
            _session.catalog.dropTempView(view.name)


@pytest.fixture
def with_delta(spark: SparkSession) -> SparkSession:
    """The session, with Delta; skips where its jars can't be had."""
    from probable_cause.archive import delta

    if not delta.available(spark):
        pytest.skip("Delta's jars are not here and Maven is not reached")
    return spark


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real log lines beside the clone; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real log lines are not here (../shared/data): the project's own fixtures are used elsewhere")
    return SHARED_DATA
