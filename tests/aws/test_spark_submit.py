"""`jobs/stream.py` under spark-submit: in local mode, and on a standalone master with two worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark
import pytest

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
def cluster(folder: Path) -> Iterator[str]:
    """A standalone master and two workers of one core each; gives the master's URL."""
    port = free_port()
    master = f"spark://127.0.0.1:{port}"
    launch = [str(SPARK / "bin" / "spark-class")]
    address = ["--host", "127.0.0.1", "--webui-port", "0"]
    with ExitStack() as stack:
        main = [*launch, "org.apache.spark.deploy.master.Master", *address, "--port", str(port)]
        stack.enter_context(program(main, folder / "master.log"))
        log = folder / "master.log"
        wait_until(lambda: "I have been elected leader" in log.read_text(), SECONDS, log.read_text)
        for number in (1, 2):
            worker = [*launch, "org.apache.spark.deploy.worker.Worker", *address, "--cores", "1", "--memory", "1g"]
            stack.enter_context(
                program([*worker, "--work-dir", str(folder / f"work{number}"), master], folder / f"worker{number}.log")
            )
        wait_until(lambda: log.read_text().count("Registering worker") == 2, SECONDS, log.read_text)
        yield master


def submit(master: str, wheel: Path, account: Account, want: int) -> str:
    """Runs the job until an event of interest has the count `want`, ends it by SIGTERM; gives what it logged."""
    log = account.conf.with_suffix(".log")
    command = [
        str(SPARK / "bin" / "spark-submit"),
        *("--master", master, "--py-files", str(wheel)),
        *("--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1"),
        *("--conf", "spark.ui.enabled=false", "--conf", "spark.executor.memory=512m"),
        *(str(ROOT / "jobs" / "stream.py"), "--conf", str(account.conf)),
    ]
    with program(command, log) as process:

        def done() -> bool:
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            return want in account.counts().values()

        wait_until(done, SECONDS, lambda: log.read_text(errors="replace")[-3000:])
        # spark-submit's own JVM is the parent of the driver's Python, which ends after the batch in progress.
        found = subprocess.run(["pgrep", "-P", str(process.pid), "-f", "stream.py"], capture_output=True, check=True)
        os.kill(int(found.stdout), signal.SIGTERM)
        assert process.wait(120) == 0, log.read_text(errors="replace")[-3000:]
    return log.read_text(errors="replace")


@pytest.mark.parametrize("mode", ["local", "standalone"])
def test_the_job_under_spark_submit(mode: str, aws: str, wheel: Path, tmp_path: Path) -> None:
    bundle = scenario("reject-between-two-applications")
    account = open_account(aws, tmp_path, mode, f"submit-{mode}", bundle)
    put_records(account.settings, bundle)
    want = next(one.counts[0].count for one in bundle.truth if one.counts)
    with ExitStack() as stack:
        master = "local[2]" if mode == "local" else stack.enter_context(cluster(tmp_path))
        told = submit(master, wheel, account, want)
    assert f"{wheel.name}" in told, "the code did not come from the wheel"
    assert "Traceback" not in told, told[-3000:]
    if mode == "standalone":
        executors = list(tmp_path.glob("work*/app-*/*/stderr"))
        assert len(executors) == 2, "both workers must have run an executor"
