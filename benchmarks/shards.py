"""What more shards cost: the same records, spread over more and more of them.

    python -m benchmarks.shards [--events 2000] [--times 3] [--json FILE]

On a stream in memory that answers each call after 10 ms, as Kinesis does nearby: a look of the scout at all shards
while each is busy (calls, seconds, CPU), then reading one batch of all records (CPU). Spark is not in it.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks import options
from probable_cause.sources.connection import Connection
from probable_cause.sources.positions import Offset, ranges
from probable_cause.sources.reader import RangeReader
from probable_cause.sources.scout import Limits, Scout
from probable_cause.sources.stream import Stream
from tests.unit.sources.fake_kinesis import HASH_SPACE, FakeKinesis

SHARDS = (1, 4, 16, 64)
ANSWER = 0.01  # seconds
RECORD = b"x" * 4096
SPAN_MS = 30_000  # in which the records arrived
LIMITS = Limits(1000, 2 * SPAN_MS, "fail")


@dataclass
class Nearby(FakeKinesis):
    """Answers as a service over a network does: late, and several callers at once."""

    answer: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def _begin(self, operation: str) -> None:
        time.sleep(self.answer)
        with self.lock:
            super()._begin(operation)


def point(shards: int, records: int, seed: int) -> dict[str, Any]:
    """One row: the records spread evenly, a look in the midst of them, and a batch that reads them all."""
    kinesis = Nearby(random.Random(seed), shard_count=shards)
    for number in range(records):
        kinesis.put(RECORD, key=(number % shards) * (HASH_SPACE // shards))
        kinesis.pass_time(SPAN_MS / records)
    stream = Stream(Connection(kinesis.name), kinesis, clock=lambda: kinesis.now_ms / 1000, pause=lambda _: None)
    scout = Scout(stream, LIMITS)
    begin = Offset.from_json(scout.latest(Offset(kinesis.name, "TRIM_HORIZON")).to_json(), kinesis.name)
    kinesis.pass_time(100)
    kinesis.answer, kinesis.calls = ANSWER, []
    began, cpu = time.perf_counter(), time.process_time()
    scout.latest(begin)
    looked, looked_cpu = time.perf_counter() - began, time.process_time() - cpu
    calls = len(kinesis.calls)
    kinesis.answer = 0.0
    whole = ranges(Offset(kinesis.name, "TRIM_HORIZON"), begin, SPAN_MS / 1000)
    cpu = time.process_time()
    read = sum(
        len(page) for part in whole for page in RangeReader(stream, part, "fail").pages() if isinstance(page, list)
    )
    return {
        "shards": shards,
        "records": read,
        "calls_of_a_look": calls,
        "look_seconds": round(looked, 3),
        "look_cpu_ms": round(looked_cpu * 1000, 1),
        "read_cpu_ms": round((time.process_time() - cpu) * 1000, 1),
    }


def main() -> None:
    chosen = options.parser(__doc__, 2000, 3).parse_args()
    rows = []
    for shards in SHARDS:
        found = [point(shards, chosen.events, chosen.seed) for _ in range(chosen.times)]
        rows.append(min(found, key=lambda one: one["look_seconds"]))
        print("   ".join(f"{name} {value}" for name, value in rows[-1].items()))
    options.keep({"seed": chosen.seed, "rows": rows}, chosen.json)


if __name__ == "__main__":
    main()
