"""A Kinesis stream in memory, with boto3's calls, its errors and its disagreeable habits; time is the test's.

Modelled after the service's API reference: sequence numbers grow along a shard; arrival times are approximate and may
run backwards; answers may be empty before the tip; a closed shard ends with NextShardIterator null; iterators expire
after 5 minutes; records vanish after the retention, and so do closed shards without any.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

ITERATOR_LIFE_MS = 300_000
HASH_SPACE = 2**128


@dataclass
class FakeRecord:
    seq: int
    arrived_ms: int
    data: bytes


@dataclass
class FakeShard:
    id: str
    low: int  # of its hash key range, both ends included
    high: int
    parents: tuple[str, ...]
    born_ms: int
    records: list[FakeRecord] = field(default_factory=list)
    trimmed: int = 0  # how many of `records` are gone
    closed_ms: int | None = None


def client_error(code: str, operation: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message or code}, "ResponseMetadata": {"HTTPStatusCode": status}}, operation
    )


@dataclass
class FakeKinesis:
    """`chance_*` are probabilities per call, drawn from `dice`."""

    dice: random.Random
    name: str = "logs"
    shard_count: int = 1
    now_ms: int = 1_800_000_000_000
    retention_hours: int = 24
    disorder_ms: int = 0  # how far an arrival time may lie beside the real one
    chance_throttle: float = 0.0
    chance_error: float = 0.0
    chance_empty: float = 0.0  # of an empty answer although there are records
    max_page: int = 10_000
    list_page: int = 1000
    exists: bool = True
    refuses_positions: bool = False  # as if every sequence number were trimmed
    calls: list[str] = field(default_factory=list)
    shards: dict[str, FakeShard] = field(default_factory=dict)
    _seq: int = 49_000_000

    def __post_init__(self) -> None:
        self.created_ms = self.now_ms
        step = HASH_SPACE // self.shard_count
        for index in range(self.shard_count):
            high = HASH_SPACE - 1 if index == self.shard_count - 1 else (index + 1) * step - 1
            self._add(index * step, high, ())

    # What producers and operators do

    def put(self, data: bytes, key: int | None = None) -> None:
        key = self.dice.randrange(HASH_SPACE) if key is None else key
        shard = next(shard for shard in self.open() if shard.low <= key <= shard.high)
        self._seq += self.dice.randint(1, 9)
        arrived = self.now_ms - (self.dice.randint(0, self.disorder_ms) if self.disorder_ms else 0)
        shard.records.append(FakeRecord(self._seq, arrived, data))

    def split(self, shard_id: str) -> None:
        shard = self.shards[shard_id]
        if shard.high - shard.low < 4:
            return
        middle = self.dice.randint(shard.low + 1, shard.high - 1)
        shard.closed_ms = self.now_ms
        self._add(shard.low, middle, (shard_id,))
        self._add(middle + 1, shard.high, (shard_id,))

    def merge(self, left_id: str, right_id: str) -> None:
        left, right = self.shards[left_id], self.shards[right_id]
        assert left.high + 1 == right.low
        left.closed_ms = right.closed_ms = self.now_ms
        self._add(left.low, right.high, (left_id, right_id))

    def open(self) -> list[FakeShard]:
        return sorted((shard for shard in self.shards.values() if shard.closed_ms is None), key=lambda shard: shard.low)

    def reshard(self) -> None:
        """One split or merge, at random."""
        shards = self.open()
        if len(shards) > 1 and self.dice.random() < 0.45:
            index = self.dice.randrange(len(shards) - 1)
            self.merge(shards[index].id, shards[index + 1].id)
        else:
            self.split(self.dice.choice(shards).id)

    def pass_time(self, milliseconds: float) -> None:
        """Moves the clock and lets the retention work."""
        self.now_ms += int(milliseconds)
        oldest = self.now_ms - self.retention_hours * 3_600_000
        for shard in list(self.shards.values()):
            while shard.trimmed < len(shard.records) and shard.records[shard.trimmed].arrived_ms < oldest:
                shard.trimmed += 1
            if shard.closed_ms is not None and shard.closed_ms < oldest:
                del self.shards[shard.id]

    def _add(self, low: int, high: int, parents: tuple[str, ...]) -> None:
        number = max((int(shard[-12:]) for shard in self.shards), default=-1) + 1
        shard = FakeShard(f"shardId-{number:012d}", low, high, parents, self.now_ms)
        self.shards[shard.id] = shard

    # boto3's calls

    def describe_stream_summary(self, **which: str) -> dict[str, Any]:
        self._begin("DescribeStreamSummary")
        return {
            "StreamDescriptionSummary": {
                "StreamName": self.name,
                "StreamCreationTimestamp": _time(self.created_ms),
                "RetentionPeriodHours": self.retention_hours,
            }
        }

    def list_shards(self, NextToken: str | None = None, StreamName: str | None = None) -> dict[str, Any]:
        self._begin("ListShards")
        assert (NextToken is None) != (StreamName is None)
        start = int(NextToken or 0)
        shards = sorted(self.shards.values(), key=lambda shard: shard.id)[start : start + self.list_page]
        answer: dict[str, Any] = {"Shards": [self._described(shard) for shard in shards]}
        if start + self.list_page < len(self.shards):
            answer["NextToken"] = str(start + self.list_page)
        return answer

    def _described(self, shard: FakeShard) -> dict[str, Any]:
        sequence = {"StartingSequenceNumber": "1"}
        if shard.closed_ms is not None:
            sequence["EndingSequenceNumber"] = str(shard.records[-1].seq if shard.records else 1)
        described: dict[str, Any] = {"ShardId": shard.id, "SequenceNumberRange": sequence}
        for key, parent in zip(("ParentShardId", "AdjacentParentShardId"), shard.parents, strict=False):
            described[key] = parent
        return described

    def get_shard_iterator(
        self,
        StreamName: str,
        ShardId: str,
        ShardIteratorType: str,
        StartingSequenceNumber: str | None = None,
        Timestamp: datetime | None = None,
    ) -> dict[str, Any]:
        self._begin("GetShardIterator")
        shard = self._shard(ShardId, "GetShardIterator")
        index = shard.trimmed
        if ShardIteratorType in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            seq = int(StartingSequenceNumber or "")
            if seq > self._seq or self.refuses_positions:
                raise client_error("InvalidArgumentException", "GetShardIterator", f"{seq} is not of this stream")
            if ShardIteratorType == "AFTER_SEQUENCE_NUMBER":
                seq += 1
            index = max(index, sum(record.seq < seq for record in shard.records))
        elif ShardIteratorType == "AT_TIMESTAMP":
            assert Timestamp is not None
            at = Timestamp.timestamp() * 1000
            if at > self.now_ms:
                raise client_error("InvalidArgumentException", "GetShardIterator", "the time lies in the future")
            found = (i for i in range(index, len(shard.records)) if shard.records[i].arrived_ms >= at)
            index = next(found, len(shard.records))
        elif ShardIteratorType != "TRIM_HORIZON":
            raise client_error("ValidationException", "GetShardIterator", ShardIteratorType)
        return {"ShardIterator": self._iterator(shard, index)}

    def get_records(self, ShardIterator: str, Limit: int) -> dict[str, Any]:
        self._begin("GetRecords")
        assert 1 <= Limit <= 10_000
        shard_id, index_text, made = ShardIterator.split("|")
        if self.now_ms - int(made) > ITERATOR_LIFE_MS:
            raise client_error("ExpiredIteratorException", "GetRecords")
        shard = self._shard(shard_id, "GetRecords")
        index = max(int(index_text), shard.trimmed)
        until = min(index + min(Limit, self.max_page), len(shard.records))
        if index < until and self.dice.random() < self.chance_empty:
            until = index
        records = shard.records[index:until]
        rest = shard.records[until:]
        behind = max(self.now_ms - rest[0].arrived_ms, 1) if rest else 0
        answer: dict[str, Any] = {
            "Records": [
                {
                    "SequenceNumber": str(record.seq),
                    "ApproximateArrivalTimestamp": _time(record.arrived_ms),
                    "Data": record.data,
                    "PartitionKey": "k",
                }
                for record in records
            ],
            "MillisBehindLatest": behind,
            "NextShardIterator": self._iterator(shard, until),
        }
        if shard.closed_ms is not None and not rest:
            del answer["NextShardIterator"]
        return answer

    def _iterator(self, shard: FakeShard, index: int) -> str:
        return f"{shard.id}|{index}|{self.now_ms}"

    def _shard(self, shard_id: str, operation: str) -> FakeShard:
        if shard_id not in self.shards:
            raise client_error("ResourceNotFoundException", operation, f"Shard {shard_id} not found")
        return self.shards[shard_id]

    def _begin(self, operation: str) -> None:
        self.calls.append(operation)
        if not self.exists:
            raise client_error("ResourceNotFoundException", operation, f"Stream {self.name} not found")
        if self.dice.random() < self.chance_throttle:
            raise client_error("ProvisionedThroughputExceededException", operation, "Rate exceeded")
        if self.dice.random() < self.chance_error:
            raise client_error("InternalFailure", operation, status=500)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
