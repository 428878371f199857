"""The job under spark-submit, on a standalone master with two workers, of which one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark.sql import SparkSession

from probable_cause.archive import delta
from probable_cause.local.emulator import embedded_aws, free_port
from tests.aws.account import Account, open_account, put_records, scenario, wait_until

ROOT = Path(__file__).parents[2]
SPARK = Path(pyspark.__file__).parent
SECONDS = 240
ENVIRONMENT = {**os.environ, "SPARK_HOME": str(SPARK), "SPARK_NO_DAEMONIZE": "1", "SPARK_LOCAL_HOSTNAME": "127.0.0.1"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*command, str(folder), str(ROOT)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_aws(free_port(), tmp_path_factory.mktemp("aws") / "aws.log") as url:
        yield url


@contextmanager
def program(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=ENVIRONMENT, cwd=log.parent, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A standalone master and two workers of one core each; gives the master's URL and the workers.

    What a worker runs is in its process group, and in the folder `work1` or `work2`.
    """
    port = free_port()
    master = f"spark://127.0.0.1:{port}"
    launch = [str(SPARK / "bin" / "spark-class")]
    address = ["--host", "127.0.0.1", "--webui-port", "0"]
    workers: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:
        main = [*launch, "org.apache.spark.deploy.master.Master", *address, "--port", str(port)]
        stack.enter_context(program(main, folder / "master.log"))
        log = folder / "master.log"
        wait_until(lambda: "I have been elected leader" in log.read_text(), SECONDS, log.read_text)
        for number in (1, 2):
            worker = [*launch, "org.apache.spark.deploy.worker.Worker", *address, "--cores", "1", "--memory", "1g"]
            worker += ["--work-dir", str(folder / f"work{number}"), master]
            workers.append(stack.enter_context(program(worker, folder / f"worker{number}.log")))
        wait_until(lambda: log.read_text().count("Registering worker") == 2, SECONDS, log.read_text)
        yield master, workers


def submit(
    master: str,
    wheel: Path,
    account: Account,
    want: int,
    job: list[str],
    in_mid_batch: Callable[[], None] | None = None,
) -> str:
    """Runs the job until an event of interest has the count `want`, and the archive rows; ends it by SIGTERM.

    Returns what it logged.
    """
    log = account.conf.with_suffix(".log")
    command = [
        str(SPARK / "bin" / "spark-submit"),
        *("--master", master, "--py-files", str(wheel)),
        *("--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1"),
        *("--conf", "spark.ui.enabled=false", "--conf", "spark.executor.memory=512m"),
        *(["--packages", delta.coordinates()] if account.settings.archive_enabled else []),
        *job,
    ]
    with program(command, log) as process:
        archived = Path(account.settings.archive_path) / delta.EVENTS / "_delta_log"

        def done() -> bool:
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            in_archive = not account.settings.archive_enabled or any(archived.glob("*.json"))
            return in_archive and want in account.counts().values()

        if in_mid_batch is not None:
            in_mid_batch()
        wait_until(done, SECONDS, lambda: log.read_text(errors="replace")[-3000:])
        # spark-submit's own JVM is the parent of the driver's Python, which ends after the batch in progress.
        name = Path(job[0]).name
        found = subprocess.run(["pgrep", "-P", str(process.pid), "-f", name], capture_output=True, check=True)
        os.kill(int(found.stdout), signal.SIGTERM)
        assert process.wait(120) == 0, log.read_text(errors="replace")[-3000:]
    return log.read_text(errors="replace")


def prepared(aws: str, folder: Path, name: str, more: dict[str, Any] | None = None) -> tuple[Account, int]:
    """An account whose stream holds a scenario, and the count that is expected of it."""
    bundle = scenario("reject-between-two-applications")
    account = open_account(aws, folder, name, f"submit-{name}", bundle, more)
    put_records(account.settings, bundle)
    return account, next(one.counts[0].count for one in bundle.truth if one.counts)


def test_a_worker_of_a_cluster_dies_in_mid_batch(aws: str, wheel: Path, tmp_path: Path, spark: SparkSession) -> None:
    archive = {"enabled": delta.available(spark), "path": str(tmp_path / "archive"), "drain": "1s"}
    account, want = prepared(aws, tmp_path, "standalone", {"archive": archive})
    paused = tmp_path / "paused"
    with cluster(tmp_path) as (master, workers):

        def kill() -> None:
            wait_until(
                paused.exists, SECONDS, lambda: account.conf.with_suffix(".log").read_text("utf-8", "replace")[-3000:]
            )
            # The one whose executor has what the batch kept; it dies with its worker.
            ran = [sum(map(tasks_of, (tmp_path / f"work{number}").glob("app-*/*/stderr"))) for number in (1, 2)]
            assert sum(ran) > 0
            os.killpg(workers[ran.index(max(ran))].pid, signal.SIGKILL)
            paused.unlink()

        job = [str(ROOT / "tests" / "aws" / "paused_job.py"), str(paused), "--conf", str(account.conf)]
        told = submit(master, wheel, account, want, job, kill)
    assert f"{wheel.name}" in told, "the code did not come from the wheel"
    assert len(list(tmp_path.glob("work*/app-*/*/stderr"))) >= 2, "both workers must have run an executor"
    counts = account.counts()
    assert want in counts.values()
    if delta.available(spark):
        archived = delta.read(spark, str(tmp_path / "archive"), delta.EVENTS).select("event_id", "application_id")
        assert archived.count() == archived.distinct().count() == sum(counts.values())


def tasks_of(log: Path) -> int:
    """Tasks that an executor has finished, by its log."""
    return log.read_text("utf-8", "replace").count("Finished task")
