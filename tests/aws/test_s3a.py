"""What the job keeps, on S3 by Hadoop's S3A and by PyArrow, over HTTP: checkpoint, spool, archive, files of the past.

Some tests of tests/spark run again here, over a bucket.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pyspark
import pytest
from pyspark.sql import SparkSession

from probable_cause import s3a
from probable_cause.archive import delta
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.settings import Settings
from probable_cause.storage import Folder
from tests.aws.account import Account, open_account, put_records, run_here, scenario
from tests.conftest import ROOT
from tests.spark.conftest import clock, reports, sink, tables  # noqa: F401 - fixtures of the tests below
from tests.spark.test_archive import (  # noqa: F401
    checkpoint,
    test_killed_and_started_again,
    test_maintenance_loses_nothing_that_is_kept,
)
from tests.spark.test_backfill import (  # noqa: F401
    configuration,
    record,
    test_the_archive_knows_the_flows_that_were_seen,
    trail,
)

BUCKET = "kept"
KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}
OPTIONS = re.compile(r"^ {4}(spark\.\S+) +(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def endpoint(_session: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An emulator with a bucket, at which this session's S3A and PyArrow look."""
    try:
        _session._jvm.org.apache.spark.util.Utils.classForName("org.apache.hadoop.fs.s3a.S3AFileSystem", True, False)
    except Exception:  # Py4J's wrapping of ClassNotFoundException
        pytest.skip(f"{' '.join(s3a.coordinates())} are not here and Maven is not reached")
    options = _session.sparkContext._jsc.hadoopConfiguration()
    with (
        embedded_aws(free_port(), tmp_path_factory.mktemp("aws") / "aws.log") as url,
        pytest.MonkeyPatch.context() as to,
    ):
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": url}.items():
            to.setenv(name, value)
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        # A JVM's environment is that of its start.
        for name, value in {**documented(url), "access.key": "local", "secret.key": "local"}.items():
            options.set(f"fs.s3a.bucket.{BUCKET}.{name.removeprefix('spark.hadoop.fs.s3a.')}", value)
        yield url


@pytest.fixture
def place(endpoint: str, tmp_path: Path) -> str:
    return f"s3a://{BUCKET}/{tmp_path.name}"


def documented(url: str) -> dict[str, str]:
    """The options of S3A that docs/archive.md names for an S3 other than AWS', with an address."""
    found = dict(OPTIONS.findall((ROOT / "docs" / "archive.md").read_text("utf-8")))
    return {name: url if name.endswith(".endpoint") else value for name, value in found.items() if ".s3a." in name}


def opened(url: str, tmp_path: Path, place: str) -> Account:
    kept = {"checkpoint": f"{place}/checkpoint", "rejects": {"path": f"{place}/rejected"}}
    archive = {"archive": {"enabled": True, "path": f"{place}/archive", "drain": "1s"}}
    bundle = scenario("reject-between-two-applications")
    account = open_account(url, tmp_path, tmp_path.name, tmp_path.name, bundle, {**kept, **archive})
    put_records(account.settings, bundle)
    return account


def archived(spark: SparkSession, settings: Settings) -> int:
    """Rows of events, of which no two are one event."""
    rows = delta.read(spark, settings.archive_path, delta.EVENTS).select("event_id", "application_id")
    assert rows.count() == rows.distinct().count()
    return rows.count()


def test_a_job_that_keeps_all_on_s3_dies_before_sparks_commit(
    with_delta: SparkSession, endpoint: str, tmp_path: Path, place: str
) -> None:
    account = opened(endpoint, tmp_path, place)
    want = max(one.count for truth in scenario("reject-between-two-applications").truth for one in truth.counts)
    run_here(with_delta, account, lambda: want in account.counts().values())
    before, counted = account.content(), sum(account.counts().values())
    assert archived(with_delta, account.settings) == counted
    commits = Folder(account.settings.checkpoint)
    last = max(int(name) for name in commits.files("commits") if name.isdigit())
    commits.remove(f"commits/{last}")
    run_here(with_delta, account, lambda: True)
    assert commits.exists(f"commits/{last}")
    assert account.content() == before
    assert archived(with_delta, account.settings) == counted


def test_the_jobs_under_spark_submit(with_delta: SparkSession, endpoint: str, tmp_path: Path, place: str) -> None:
    account = opened(endpoint, tmp_path, place)
    task = trail(place, [record("e-1"), record("e-2", 5)], [record("e-2", 5), record("e-3", 7)])
    properties = tmp_path / "s3a.conf"
    found = {**dict(OPTIONS.findall((ROOT / "docs" / "archive.md").read_text("utf-8"))), **documented(endpoint)}
    properties.write_text("\n".join(f"{name} {value}" for name, value in found.items()), encoding="utf-8")

    def submit(job: str, *arguments: str) -> str:
        home = Path(pyspark.__file__).parent
        options = ["--master", "local[2]", "--properties-file", str(properties), "--conf", "spark.ui.enabled=false"]
        command = [str(home / "bin" / "spark-submit"), *options, str(ROOT / "jobs" / job), "--conf", str(account.conf)]
        environment = {**os.environ, **KEYS, "SPARK_HOME": str(home), "PYTHONPATH": str(ROOT)}
        done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    assert "2 files read, 0 were done before: 4 lines" in submit("backfill.py", "--kind", "cloudtrail", *task.paths)
    assert archived(with_delta, account.settings) == sum(account.counts().values()) == 3
    assert f"{delta.EVENTS}: " in submit("maintain_archive.py")
    assert "0 files read, 2 were done before" in submit("backfill.py", "--kind", "cloudtrail", *task.paths)
    assert archived(with_delta, account.settings) == 3
