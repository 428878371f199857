"""The real job, over HTTP, killed in mid-batch and started again: the tables are those of a run that never failed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from probable_cause.archive import delta
from probable_cause.archive.states import item_of
from probable_cause.archive.writer import newest_items
from probable_cause.evaluation.incident import Bundle
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.state.lease import last_beat
from tests.aws.account import Account, open_account, put_records, run_here, scenario, wait_until

ROOT = Path(__file__).parents[2]
SECONDS = 240  # a cold JVM on a busy machine
NEVER = ("never", 1)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_aws(free_port(), tmp_path_factory.mktemp("aws") / "aws.log") as url:
        yield url


@contextmanager
def job(account: Account, point: str, number: int) -> Iterator[subprocess.Popen[bytes]]:
    """The job's process; ended gracefully if it still lives, and then it must have ended well."""
    log = account.conf.with_suffix(f".{point.replace(' ', '-')}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.aws.killed_job", str(account.conf), point, str(number)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                assert process.wait(120) == 0, log.read_text(errors="replace")[-3000:]
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                told = log.read_text(errors="replace")
                assert "StackOverflowError" not in told, "the stop was not silent"
                assert "Traceback" not in told, told[-3000:]


def run_to_the_end(account: Account, expected: Account, counts: dict[tuple[str, str], int]) -> None:
    before = last_beat(account.tables.states)
    with job(account, *NEVER) as process:

        def done() -> bool:
            assert process.poll() is None, account.conf.with_suffix(".never.log").read_text(errors="replace")[-3000:]
            # The driver that was killed may have written all: it is this one's work that is looked at.
            return account.counts() == counts and last_beat(account.tables.states) != before

        wait_until(done, SECONDS, lambda: f"{account.counts()} is not {counts}")
        wait_until(lambda: account.beliefs() == expected.beliefs(), 60, lambda: f"{account.beliefs()}")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return scenario("repeated-213-times")


def expected_counts(bundle: Bundle) -> int:
    (truth,) = [one for one in bundle.truth if one.counts][-1:]
    return truth.counts[0].count


def archived(spark: SparkSession, account: Account) -> list[tuple[str, str]]:
    """(event id, application) of every row of the archive's events."""
    rows = delta.read(spark, account.settings.archive_path, delta.EVENTS).select("event_id", "application_id")
    return sorted(map(tuple, rows.collect()))


def test_killed_in_mid_batch(
    aws: str, tmp_path_factory: pytest.TempPathFactory, bundle: Bundle, spark: SparkSession
) -> None:
    folder = tmp_path_factory.mktemp("recovery")
    has_archive = delta.available(spark)

    def opened(name: str) -> Account:
        archive = {"archive": {"enabled": has_archive, "path": str(folder / f"{name}-archive"), "drain": "1s"}}
        return open_account(aws, folder, name, "recovery", bundle, archive)

    clean, killed = opened("clean"), opened("killed")
    put_records(clean.settings, bundle)
    want = expected_counts(bundle)
    run_here(spark, clean, lambda: want in clean.counts().values())
    counts = clean.counts()
    checkpoint = Path(clean.settings.checkpoint)
    assert newest(checkpoint / "commits") == newest(checkpoint / "offsets"), "the batch in progress was not finished"
    if has_archive:
        assert len(set(archived(spark, clean))) == sum(counts.values()), "the archive misses the last batch"
    # Every point is tried in tests/spark, without a process of its own. Where the jars can't be had, the job runs
    # without its archive.
    points = ["events written", *([f"{delta.EVENTS} committed"] if has_archive else [])]
    for point in points:
        with job(killed, point, 1) as process:
            assert process.wait(SECONDS) == -signal.SIGKILL
    run_to_the_end(killed, clean, counts)
    assert killed.content() == clean.content()
    if has_archive:
        assert archived(spark, killed) == archived(spark, clean)
        items = newest_items(spark, killed.settings.archive_path)
        assert {item["EventKey"] for item in killed.tables.events.scan()} == {
            item_of(text)["EventKey"] for table, text in items if table == "events"
        }


def newest(folder: Path) -> int:
    """Number of the last batch in a log of the checkpoint."""
    return max(int(file.name) for file in folder.iterdir() if file.name.isdigit())
