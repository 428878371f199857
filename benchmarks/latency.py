"""`make bench`, second part: from PutLogEvents to the item in DynamoDB, at a steady rate, on the embedded AWS.

    python -m benchmarks.latency [--rate 100] [--seconds 60] [--flood 0] [--warm-up 150] [--json FILE]

Application lines of interest are put among others at `rate` lines a second; each cause is an application of its own, so
that each line's item, and with it its ledger, can be told apart. The others are put on the stream as the records that
CloudWatch Logs would make of them, which is no work of the account's; with `--flood` so many errors a second of one
more application are among them. Reported: p50, p95 and p99 of put -> verdict written, and where it goes: delivered ->
arrived in Kinesis -> taken up by the sink -> written. Before it the job does some batches, since a stream's job is
started once, and Java is slow until it has run for a while.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks import options
from benchmarks.workload import subscription_record
from probable_cause import settings
from probable_cause.clock import wall_clock
from probable_cause.local import account
from probable_cause.local.demo import Job
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.state import dynamodb, lookups
from probable_cause.state.lease import last_beat
from probable_cause.state.moments import from_text
from probable_cause.state.tables import Tables

OF_INTEREST_EACH = 1.0  # seconds between two lines of interest
GROUP = "/app/latency-{}"
LINES_OF_A_RECORD = 500
_TIME = "2026-03-01 12:00:00,123"
ERROR = "ERROR c.e.Db - java.net.ConnectException: Connection refused (10.0.0.9:5432)"


def measure(rate: int, seconds: int, flood: int = 0, warm_up: int = 150) -> dict[str, Any]:
    """Runs the job on an emulator for `seconds` of traffic and reads the ledgers.

    Args:
        rate, flood: everyday lines, and errors of one application, a second.
        warm_up: batches before.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with embedded_aws(free_port(), work / "aws.log") as url:
            conf = work / "latency.yml"
            conf.write_text(yaml.safe_dump(_conf(work, url)), encoding="utf-8")
            loaded = settings.load(conf)
            dynamodb.create(loaded.region, url)
            tables = dynamodb.connect(loaded.region, url)
            lookups.put(tables, [], [], wall_clock())
            causes = int(seconds / OF_INTEREST_EACH)
            groups = [GROUP.format(number) for number in range(causes)] + [GROUP.format("noise")]
            account.subscribe(loaded, groups, account.create_stream(loaded))
            with Job(conf, work / "job.log") as job:
                _warm_up(loaded, tables, job, warm_up)
                put_at = _put(loaded, rate, flood, causes)
                return {"rate": rate, "flood": flood, **_read(tables, put_at, job)}


def _conf(work: Path, url: str) -> dict[str, Any]:
    return {
        "aws": {"endpoint_url": url},
        "checkpoint": str(work / "checkpoint"),
        "rejects": {"path": str(work / "rejected")},
        "log_groups": [{"pattern": "^/app/(?P<application_id>[^/]+)", "family": "application"}],
    }


def _warm_up(loaded: settings.Settings, tables: Tables, job: Job, batches: int) -> None:
    """Until the job has done so many batches."""
    writer = account.LogWriter(loaded)
    number = 0
    while int((last_beat(tables.states) or {}).get("BatchId", -1)) < batches:
        job.require_alive()
        writer.put(GROUP.format("noise"), "warm", [(int(time.time() * 1000), f"{ERROR} {number}")])
        number += 1
        time.sleep(0.5)


def _put(loaded: settings.Settings, rate: int, flood: int, causes: int) -> dict[str, datetime]:
    """Puts the lines; application -> when its line of interest was put."""
    writer = account.LogWriter(loaded)
    kinesis = dynamodb.client("kinesis", loaded.region, loaded.endpoint_url)
    put_at: dict[str, datetime] = {}
    errors = round(flood * OF_INTEREST_EACH)
    noise = _records(max(0, round(rate * OF_INTEREST_EACH) - 1), "noise", "INFO request {} served in 12 ms")
    for number in range(causes):
        until = time.monotonic() + OF_INTEREST_EACH
        flooding = _records(errors, "flooded", f"{ERROR} {{}}", number * errors)
        if noise or flooding:
            kinesis.put_records(StreamName=loaded.stream.name, Records=[*noise, *flooding])
        put_at[f"latency-{number}"] = wall_clock()
        writer.put(GROUP.format(number), "lines", [(int(time.time() * 1000), ERROR)])
        time.sleep(max(0.0, until - time.monotonic()))
    return put_at


def _records(lines: int, group: str, words: str, start: int = 0) -> list[dict[str, Any]]:
    """Subscription records of so many lines of now. `words`: with a place for a line's number, from `start` on."""
    millis = int(time.time() * 1000)
    found = []
    for first in range(start, start + lines, LINES_OF_A_RECORD):
        events = [
            {"id": f"{line:056d}", "timestamp": millis, "message": f"{_TIME} {words.format(line)}"}
            for line in range(first, min(start + lines, first + LINES_OF_A_RECORD))
        ]
        stream = f"{group}-{first}"
        found.append({"Data": subscription_record(GROUP.format(group), stream, events), "PartitionKey": stream})
    return found


def _read(tables: Tables, put_at: dict[str, datetime], job: Job) -> dict[str, Any]:
    legs: dict[str, list[float]] = {"whole": [], "to Kinesis": [], "to the sink": [], "to the item": []}
    deadline = time.monotonic() + 60
    for application_id, put in put_at.items():
        while not (items := tables.events.query(application_id)):
            job.require_alive()
            if time.monotonic() > deadline:
                raise SystemExit(f"{application_id}: no item after 60 s")
            time.sleep(0.2)
        key = {"ApplicationId": application_id, "StateKey": "overall#current"}
        while (state := tables.states.get(key)) is None:
            time.sleep(0.1)
        ledger = {name: from_text(text) for name, text in items[0]["Ledger"].items()}
        written = from_text(state["JudgedAt"])
        legs["whole"].append((written - put).total_seconds())
        legs["to Kinesis"].append((ledger["arrived"] - put).total_seconds())
        legs["to the sink"].append((ledger["processed"] - ledger["arrived"]).total_seconds())
        legs["to the item"].append((written - ledger["processed"]).total_seconds())
    return {
        "samples": len(put_at),
        "seconds": {
            name: {f"p{share}": round(_percentile(values, share), 3) for share in (50, 95, 99)}
            for name, values in legs.items()
        },
    }


def _percentile(values: list[float], share: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=100, help="lines a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--flood", type=int, default=0, help="errors of one application a second")
    parser.add_argument("--warm-up", type=int, default=150, help="batches before")
    parser.add_argument("--json", type=Path, help="file for the figures")
    chosen = parser.parse_args()
    told = measure(chosen.rate, chosen.seconds, chosen.flood, chosen.warm_up)
    flood = f", a flood of {told['flood']} lines/s" if told["flood"] else ""
    print(f"{told['rate']} lines/s{flood}, {told['samples']} of interest: put -> verdict written, seconds")
    for name, values in told["seconds"].items():
        print(f"{name:<14}" + "".join(f"   {share} {found:6.2f}" for share, found in values.items()))
    options.keep(told, chosen.json)


if __name__ == "__main__":
    main()
