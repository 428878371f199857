"""What Spark does with the source, without Spark: an offset log, a commit log, attempts, crashes and replays."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from probable_cause.sources.connection import Connection
from probable_cause.sources.positions import Offset, grouped, ranges
from probable_cause.sources.reader import Gap, RangeReader
from probable_cause.sources.scout import Limits, Scout
from probable_cause.sources.stream import Stream
from tests.unit.sources.fake_kinesis import FakeKinesis

Row = tuple[str, str, bytes]  # shard, sequence number, data


def stream_of(kinesis: FakeKinesis, seed: int = 0) -> Stream:
    """The fake through the source's own Stream; pauses move the fake's clock."""
    return Stream(
        Connection(kinesis.name),
        kinesis,
        clock=lambda: kinesis.now_ms / 1000,
        pause=lambda seconds: kinesis.pass_time(seconds * 1000),
        jitter=random.Random(seed),
    )


@dataclass
class Engine:
    """`offsets` is Spark's offset log as text; `batches` what each batch held. The scout dies with `crash`."""

    kinesis: FakeKinesis
    limits: Limits = field(default_factory=lambda: Limits(1000, 30_000, "fail"))
    initial: str = "TRIM_HORIZON"
    offsets: list[str] = field(default_factory=list)
    batches: list[list[Row]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    per_task: int = 3

    def __post_init__(self) -> None:
        self.crash()

    def crash(self) -> None:
        self.stream = stream_of(self.kinesis)
        self.scout = Scout(self.stream, self.limits, threads=1)

    @property
    def start(self) -> str:
        """The offset that the next batch starts at."""
        done = len(self.batches)
        return self.offsets[done - 1] if done else json.dumps(Offset(self.kinesis.name, self.initial).to_json())

    def plan(self) -> bool:
        """Writes the next batch's end into the offset log; False when there is nothing new."""
        if len(self.offsets) > len(self.batches):
            return True
        start = Offset.from_json(json.loads(self.start), self.kinesis.name)
        end = self.scout.latest(start)
        if end is start:
            return False
        text = json.dumps(end.to_json())
        assert text != self.start, "a batch without anything new"
        self.offsets.append(text)
        return True

    def read(self) -> tuple[list[Row], list[Gap]]:
        """What the planned batch holds, by one attempt of each of its tasks."""
        stream = self.kinesis.name
        begin: Any = json.loads(self.start)
        end: Any = json.loads(self.offsets[len(self.batches)])
        rows: list[Row] = []
        gaps: list[Gap] = []
        parts = ranges(Offset.from_json(begin, stream), Offset.from_json(end, stream), 30.0)
        for task in grouped(parts, self.per_task, 30.0):
            for part in task:
                for page in RangeReader(self.stream, part, self.limits.on_trimmed).pages():
                    if isinstance(page, Gap):
                        gaps.append(page)
                    else:
                        rows += [(part.shard, record.seq, record.data) for record in page]
        return rows, gaps

    def step(self) -> bool:
        """One whole batch; False when there was nothing new."""
        if not self.plan():
            return False
        rows, gaps = self.read()
        self.batches.append(rows)
        self.gaps += gaps
        return True

    def drain(self, most: int = 2000) -> None:
        """Batches until the source says three times, a lag apart, that there is nothing new."""
        idle = 0
        for _ in range(most):
            idle = 0 if self.step() else idle + 1
            if idle == 3:
                return
            self.kinesis.pass_time(self.limits.lag_ms + 10_001 if idle else 50)
        raise AssertionError(f"not drained after {most} batches")

    def rows(self) -> list[Row]:
        return [row for batch in self.batches for row in batch]
