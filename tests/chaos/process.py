"""The job's processes: started in a group of their own, looked at in /proc, killed one by one or all at once."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
SWITCHES = Path(__file__).parent / "switches"
# Marked credentials: they must not turn up in anything that the job writes.
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIACHAOSCANARY00000",
    "AWS_SECRET_ACCESS_KEY": "canary/secret+chaos",
    "AWS_SESSION_TOKEN": "canary-token-chaos",
}


class Job:
    """One run of tests.chaos.driver. Its log is appended to `log`."""

    def __init__(self, conf: Path, log: Path, kill: str = "never:1", off: str = "") -> None:
        self.log = log
        self._from = log.stat().st_size if log.exists() else 0
        environment = {**os.environ, **SECRETS, "CHAOS_OFF": off, "SPARK_LOCAL_IP": "127.0.0.1"}
        environment |= {"PYTHONPATH": os.pathsep.join([str(ROOT), *([str(SWITCHES)] if off == "children" else [])])}
        environment |= {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.driver", str(conf), "--kill", kill, "--off", off],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )
        self.started = time.monotonic()

    def told(self) -> str:
        """What this run has logged."""
        with self.log.open("rb") as file:
            file.seek(self._from)
            return file.read().decode("utf-8", "replace")

    @property
    def batches(self) -> int:
        """Batches that this run has reported."""
        return self.told().count(" batch=")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def jvm(self) -> int | None:
        """The process id of its Java machine, once there is one."""
        found = [pid for pid in _family(self.process.pid) if _name(pid) == "java"]
        return found[0] if found else None

    def workers(self) -> list[int]:
        """Python processes under the Java machine: the source's, the daemon and its workers."""
        jvm = self.jvm()
        return [pid for pid in _family(jvm) if _name(pid).startswith("python")] if jvm else []

    def kill(self, what: str, dice: random.Random) -> bool:
        """SIGKILL of the `driver`, the `jvm`, one `worker` or `all`; False when there is none to kill."""
        if what == "all":
            os.killpg(self.process.pid, signal.SIGKILL)
            return True
        workers = self.workers() if what == "worker" else []
        pid = {"driver": self.process.pid, "jvm": self.jvm()}.get(what) or (dice.choice(workers) if workers else None)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def end(self, seconds: float = 90) -> int | None:
        """Asks it to stop; its exit code, or None when it had to be killed."""
        if self.alive:
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.clear()

    def clear(self) -> None:
        """Ends what is left of its process group, and of those that it started outside of it."""
        for pid in _family(self.process.pid):
            _kill(pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def leaked(paths: Iterable[Path]) -> list[str]:
    """Files that hold one of SECRETS."""
    marks = [text.encode() for name, text in SECRETS.items() if name != "AWS_ACCESS_KEY_ID"]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
    return [str(file) for file in files if any(mark in file.read_bytes() for mark in marks)]


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _family(pid: int) -> list[int]:
    """All descendants of a process."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.append(child)
            waiting.append(child)
    return found


def memory_kib(pid: int) -> int:
    """Resident memory of a process, 0 when it is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
