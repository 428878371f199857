"""Each log family alone: events/s on two cores, beside the envelope alone and beside the simplest parser that would do.

    python -m benchmarks.families

The simple parsers read the default format only: a split for flow logs, one JSON load and a few keys for records, one
pattern for application lines. They fill the same columns, so that what differs is the reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa

from benchmarks import options
from benchmarks.speed import best_of, drain, envelope_only, groups, in_memory
from benchmarks.workload import World, records
from probable_cause import session, settings
from probable_cause.arrow_schema import arrow_schema
from probable_cause.decode import decode_batches
from probable_cause.envelope import open_record
from probable_cause.families.flow_format import COLUMNS, DEFAULT
from probable_cause.schemas import EVENT, PARSED
from probable_cause.sources import routing_of

KINDS = ("flow", "cloudtrail", "config", "application")
_LINE = re.compile(r"(?P<at>\S+ \S+) (?P<level>[A-Z]+) +\[(?P<thread>[^\]]*)\] (?P<logger>\S+) - (?P<message>.*)")
Event = dict[str, Any]


def simple_flow(line: str) -> Event:
    """Split, and name by position."""
    event: Event = {}
    for field, word in zip(DEFAULT.split(), line.split(), strict=True):
        column, kind, _ = COLUMNS.get(field, ("", "text", 0))
        if column and column != "log_status" and word != "-":
            event[column] = int(word) if kind in ("number", "time") else word
    event["outcome"] = str(event.get("action", "")).lower()
    event["event_time"] = datetime.fromtimestamp(event["start"], UTC)
    return event


def simple_trail(line: str) -> Event:
    """One load, a few keys."""
    record = orjson.loads(line)
    parameters = record["requestParameters"] or {}
    items = parameters.get("instancesSet", {}).get("items", [])
    return {
        "event_time": datetime.fromisoformat(record["eventTime"]),
        "account_id": record["recipientAccountId"],
        "region": record["awsRegion"],
        "action": record["eventName"],
        "event_source": record["eventSource"],
        "outcome": "failure" if record.get("errorCode") else "success",
        "actor": record["userIdentity"].get("arn"),
        "source_ip": record["sourceIPAddress"],
        "resource_ids": [item["instanceId"] for item in items],
        "fields": {"event_id": record["eventID"], "user_agent": record["userAgent"]},
    }


def simple_config(line: str) -> Event:
    """One load, a few keys."""
    detail = orjson.loads(line)["detail"]
    item = detail["configurationItem"]
    return {
        "event_time": datetime.fromisoformat(item["configurationItemCaptureTime"]),
        "account_id": item["awsAccountId"],
        "region": item["awsRegion"],
        "action": detail["configurationItemDiff"]["changeType"],
        "resource_ids": [item["resourceId"]],
        "resource_type": item["resourceType"],
        "fields": {"changes": orjson.dumps(detail["configurationItemDiff"]["changedProperties"]).decode()},
    }


def simple_application(line: str) -> Event:
    """One pattern, or one load."""
    if line[0] == "{":
        record = orjson.loads(line)
        return {"level": record["level"].upper(), "logger": record["logger"], "message": record["message"]}
    found = _LINE.match(line)
    if found is None:
        return {"message": line}
    return {"level": found["level"], "logger": found["logger"], "message": found["message"]}


SIMPLE: dict[str, Callable[[str], Event]] = {
    "flow": simple_flow,
    "cloudtrail": simple_trail,
    "config": simple_config,
    "application": simple_application,
}


def simply(kind: str) -> Callable[[Any], Iterator[pa.RecordBatch]]:
    """The function for mapInArrow: the envelope opened, each line read by the simple parser."""

    def hop(batches: Any) -> Iterator[pa.RecordBatch]:
        schema, read = arrow_schema(PARSED), SIMPLE[kind]
        for batch in batches:
            for data in batch.column("data"):
                for payload in open_record(data.as_py(), 64 * 1024**2):
                    yield pa.RecordBatch.from_pylist([read(line) for line in payload.messages], schema=schema)

    return hop


def measure(events: int, seed: int, times: int) -> list[dict[str, Any]]:
    """A row for each family."""
    spark = session.build("bench-families", "local[2]", {"spark.driver.memory": "4g"})
    hop = decode_batches(routing_of(settings.load(overrides={"log_groups": groups()}).log_groups))
    rows = []
    for kind in KINDS:
        payloads = [data for _, data in records(events, seed, World(), {kind: 1.0})]
        source = in_memory(spark, payloads)
        steps = {
            "envelope": source.mapInArrow(envelope_only, "message string"),
            "simple": source.mapInArrow(simply(kind), PARSED),
            "family": source.mapInArrow(hop, EVENT),
        }
        lines = steps["family"].where("reject_reason is null").count()
        seconds: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(times):  # taking turns
            for name, frame in steps.items():
                seconds[name].append(best_of(1, lambda frame=frame: drain(frame)))
        best = {name: min(found) for name, found in seconds.items()}
        rows.append(
            {
                "family": kind,
                "events": lines,
                **{f"{name}_per_s": round(lines / best[name]) for name in steps},
                "of_simple": round(best["simple"] / best["family"], 3),
                "of_envelope": round(best["envelope"] / best["family"], 3),
            }
        )
        source.unpersist()
    spark.stop()
    return rows


def main() -> None:
    chosen = options.parser(__doc__, 200_000, 3).parse_args()
    rows = measure(chosen.events, chosen.seed, chosen.times)
    print(f"{'family':<12} {'events':>8} {'envelope/s':>11} {'simple/s':>9} {'family/s':>9} {'of simple':>10}")
    for row in rows:
        print(
            f"{row['family']:<12} {row['events']:>8} {row['envelope_per_s']:>11} {row['simple_per_s']:>9} "
            f"{row['family_per_s']:>9} {row['of_simple']:>10.2f}"
        )
    options.keep(rows, chosen.json)


if __name__ == "__main__":
    main()
