"""`make soak`: the job at a steady rate for some minutes; is anything growing?

    python -m tests.chaos.soak --minutes 30 --rate 2000

Samples every ten seconds: resident memory of the driver, the Java machine and the Python workers, files and bytes of
the checkpoint, items of the tables, and how far the job is behind. Prints them at a third, two thirds and the end (or
at 5, 15 and 30 minutes), and the lag's median and 99th percentile after the first minute.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from probable_cause.state.lease import last_beat
from tests.chaos.account import Account, cloud
from tests.chaos.process import Job, memory_kib
from tests.chaos.proxy import Faults
from tests.chaos.workload import Maker, Shape

SAMPLE_SECONDS = 10.0
WARM_UP = 60.0  # seconds whose lag is not counted: the Java machine starts and compiles


@dataclass(frozen=True)
class Sample:
    """Memory in MiB. `lag_ms` is what the heartbeat says, `lines` what the job has read since it started, `batches` how
    many it has done."""

    seconds: float
    batches: int
    driver: float
    jvm: float
    workers: float
    checkpoint_files: int
    checkpoint_kib: float
    items: int
    lag_ms: int
    lines: int


def sample(account: Account, job: Job, began: float) -> Sample:
    files = [one for one in (account.folder / "checkpoint").rglob("*") if one.is_file()]
    beat = last_beat(account.tables.states) or {}
    jvm = job.jvm()
    return Sample(
        seconds=time.monotonic() - began,
        batches=int(beat.get("BatchId", -1)) + 1,
        driver=memory_kib(job.process.pid) / 1024,
        jvm=memory_kib(jvm) / 1024 if jvm else 0.0,
        workers=sum(map(memory_kib, job.workers())) / 1024,
        checkpoint_files=len(files),
        checkpoint_kib=sum(one.stat().st_size for one in files if one.exists()) / 1024,
        items=len(account.tables.events.scan()),
        lag_ms=int(beat.get("LagMax", 0)),
        lines=int(beat.get("LinesTotal", 0)),
    )


def feed(account: Account, rate: int, seed: int, stop: threading.Event) -> None:
    """Puts `rate` lines a second, each second those of that second."""
    number, began = 0, time.monotonic()
    while not stop.is_set():
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=46)
        stream = Maker(seed + number, Shape(rate, 6, redelivered=0.02, disorder=2), start, prefix=number + 1).make()
        account.put_records(stream.records)
        number += 1
        stop.wait(max(0.0, began + number - time.monotonic()))


def run(minutes: float, rate: int, seed: int, folder: Path) -> list[Sample]:
    samples: list[Sample] = []
    stop = threading.Event()
    with cloud("kinesis-local", "dynalite", folder, Faults(seed, on=False)) as sky:
        account = sky.account(Maker(seed, Shape(applications=6), datetime.now(UTC)).world, shards=4)
        feeder = threading.Thread(target=feed, args=(account, rate, seed, stop))
        feeder.start()
        job = Job(account.conf, account.log)
        began = time.monotonic()
        try:
            while time.monotonic() - began < minutes * 60 and job.alive:
                time.sleep(SAMPLE_SECONDS)
                samples.append(sample(account, job, began))
        finally:
            stop.set()
            feeder.join()
            code = job.end()
    sys.stdout.write(f"the job ended with {code}\n")
    return samples


def report(samples: Sequence[Sample], minutes: float) -> None:
    moments = (5, 15, 30) if minutes >= 30 else (minutes / 3, minutes * 2 / 3, minutes)
    shown = [min(samples, key=lambda one: abs(one.seconds - moment * 60)) for moment in moments]  # noqa: B023
    table = Table(title="a steady stream: is anything growing?")
    table.add_column("")
    for one in shown:
        table.add_column(f"{one.seconds / 60:.1f} min", justify="right")
    for name in Sample.__dataclass_fields__:
        if name != "seconds":
            table.add_row(name.replace("_", " "), *(f"{getattr(one, name):,.0f}" for one in shown))
    Console(width=100).print(table)
    lags = sorted(one.lag_ms for one in samples if one.seconds > WARM_UP)
    if lags:
        half, most = lags[len(lags) // 2], lags[min(len(lags) - 1, int(len(lags) * 0.99))]
        last = samples[-1]
        sys.stdout.write(f"lag p50 {half} ms, p99 {most} ms; {last.lines / last.seconds:,.0f} lines/s read\n")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rate", type=int, default=2000, help="log lines a second")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        samples = run(chosen.minutes, chosen.rate, chosen.seed, Path(folder))
    if not samples:
        sys.stdout.write("no sample: the job did not live long enough\n")
        return 1
    report(samples, chosen.minutes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
