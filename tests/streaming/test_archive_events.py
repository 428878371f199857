"""The table of all parsed events: what is in it, and that a batch which runs again adds nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from probable_cause.archive import delta, events
from probable_cause.schemas import EVENT
from tests.spark.rows import at, frame

QUIET = {"event_id": "quiet", "family": "vpc_flow", "action": "ACCEPT", "event_time": at(0), "arrived_at": at(9)}
BAD = {"event_id": "bad", "family": "cloudtrail", "reject_reason": "not_json", "arrived_at": at(9)}
SKIPPED = {"family": "vpc_flow", "skipped_lines": 20_000}
FUTURE = {"event_id": "future", "family": "application", "event_time": at(86400), "arrived_at": at(9)}
LINE = {"event_id": "line", "family": "application", "event_time": at(-86400), "arrived_at": at(9), "message": "hello"}


@pytest.fixture
def arrived(with_delta: SparkSession, tmp_path: Path) -> Any:
    """Puts rows of schemas.EVENT where the query reads."""
    folder = tmp_path / "arrived"
    folder.mkdir()
    return lambda *rows: frame(with_delta, EVENT, rows).write.mode("append").parquet(str(folder))


def run(spark: SparkSession, tmp_path: Path) -> None:
    """A driver that starts, takes in all that has arrived, and ends."""
    source = spark.readStream.schema(EVENT).parquet(str(tmp_path / "arrived"))
    rows = events.parsed(source, max_future=900, max_past=14 * 86400)
    query = events.write(rows, str(tmp_path / "archive"), str(tmp_path / "checkpoint"), every=0.1)
    try:
        query.processAllAvailable()
    finally:
        query.stop()


def stored(spark: SparkSession, tmp_path: Path) -> list[tuple[str, str, str]]:
    rows = delta.read(spark, str(tmp_path / "archive"), delta.ALL_EVENTS).toArrow().to_pylist()
    return sorted((str(row["day"]), row["family"], row["event_id"]) for row in rows)


def test_every_event_that_can_be_read_is_in_it(with_delta: SparkSession, arrived: Any, tmp_path: Path) -> None:
    arrived(QUIET, BAD, SKIPPED, FUTURE, LINE)
    run(with_delta, tmp_path)
    expected = [("2026-02-28", "application", "line"), ("2026-03-01", "vpc_flow", "quiet")]
    assert stored(with_delta, tmp_path) == expected


def test_a_batch_that_spark_runs_again_adds_nothing(with_delta: SparkSession, arrived: Any, tmp_path: Path) -> None:
    arrived(QUIET)
    run(with_delta, tmp_path)
    before = stored(with_delta, tmp_path)
    # The driver dies after Delta's commit and before Spark's own.
    commits = sorted((tmp_path / "checkpoint" / "commits").glob("[0-9]*"))
    assert commits
    commits[-1].unlink()
    run(with_delta, tmp_path)
    assert stored(with_delta, tmp_path) == before
    arrived(LINE)
    run(with_delta, tmp_path)
    assert len(stored(with_delta, tmp_path)) == 2


def test_a_checkpoint_goes_on_without_the_checksums_that_it_began_with(
    with_delta: SparkSession, arrived: Any, tmp_path: Path
) -> None:
    commits = tmp_path / "checkpoint" / "commits"
    with_delta.conf.set("fs.AbstractFileSystem.file.impl", "org.apache.hadoop.fs.local.LocalFs")
    try:
        arrived(QUIET)
        run(with_delta, tmp_path)
    finally:
        with_delta.conf.unset("fs.AbstractFileSystem.file.impl")
    before = set(commits.iterdir())
    assert any(path.suffix == ".crc" for path in before)
    arrived(LINE)
    run(with_delta, tmp_path)
    after = [path for path in commits.iterdir() if path not in before]
    assert after
    assert not any(path.suffix == ".crc" for path in after)
    assert len(stored(with_delta, tmp_path)) == 2
