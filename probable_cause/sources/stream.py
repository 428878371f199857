"""Calls to Kinesis: throttling retried with jitter, answers as plain values."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from probable_cause.errors import BusyError
from probable_cause.sources.connection import Connection, client_for
from probable_cause.sources.faults import Missing, ShardGone, explained, worth_retrying
from probable_cause.sources.lineage import Shard
from probable_cause.sources.positions import Position

PATIENCE = 120.0  # seconds that one call is retried before the query fails (and is started again by its supervisor)


@dataclass(frozen=True, slots=True)
class KinesisRecord:
    seq: str
    arrived_at: datetime  # aware
    data: bytes

    @property
    def arrived_ms(self) -> int:
        return int(self.arrived_at.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of GetRecords. `next` is None at the end of a closed shard; `behind` is milliseconds."""

    records: list[KinesisRecord]
    next: str | None
    behind: int

    @property
    def caught_up(self) -> bool:
        return not self.records and self.behind == 0

    @property
    def size(self) -> int:
        return sum(len(record.data) for record in self.records)


@dataclass(frozen=True)
class Summary:
    created: int  # epoch ms
    retention_hours: int


@dataclass
class Stream:
    """One stream's calls. `client` is a boto3 Kinesis client; the clock and the pause can be replaced in tests."""

    connection: Connection
    client: Any
    clock: Callable[[], float] = time.time  # seconds since the epoch
    pause: Callable[[float], None] = time.sleep
    patience: float = PATIENCE
    jitter: random.Random = field(default_factory=random.Random)

    def _which(self) -> dict[str, str]:
        stream = self.connection.stream
        return {"StreamARN": stream} if stream.startswith("arn:") else {"StreamName": stream}

    def summary(self) -> Summary:
        """Creation time and retention.

        Raises:
            SourceError: no such stream, no permission, no credentials, no connection.
        """
        answer = self.call("describe_stream_summary", **self._which())["StreamDescriptionSummary"]
        created = int(answer["StreamCreationTimestamp"].timestamp() * 1000)
        return Summary(created, int(answer.get("RetentionPeriodHours", 24)))

    def shards(self) -> list[Shard]:
        """All shards that Kinesis still lists, open and closed."""
        found = []
        request: dict[str, Any] = self._which()
        while True:
            answer = self.call("list_shards", **request)
            for shard in answer["Shards"]:
                parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                closed = bool(shard["SequenceNumberRange"].get("EndingSequenceNumber"))
                found.append(Shard(shard["ShardId"], tuple(parent for parent in parents if parent), closed))
            if not answer.get("NextToken"):
                return found
            request = {"NextToken": answer["NextToken"]}

    def after(self, shard: str, position: Position) -> str:
        """An iterator behind `position`."""
        if position.seq is not None:
            return self._iterator(shard, ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=position.seq)
        if position.at is not None:
            return self.since(shard, position.at)
        return self._iterator(shard, ShardIteratorType="TRIM_HORIZON")

    def from_record(self, shard: str, seq: str) -> str:
        """An iterator whose first record is `seq`, if that is still kept."""
        return self._iterator(shard, ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=seq)

    def since(self, shard: str, at_ms: int) -> str:
        """An iterator at the first record that arrived at `at_ms` or later."""
        time = datetime.fromtimestamp(at_ms / 1000, UTC)
        return self._iterator(shard, ShardIteratorType="AT_TIMESTAMP", Timestamp=time)

    def _iterator(self, shard: str, **where: Any) -> str:
        try:
            return str(self.call("get_shard_iterator", **self._which(), ShardId=shard, **where)["ShardIterator"])
        except Missing as exc:
            self.summary()  # raises a SourceError if it is the whole stream that is missing
            raise ShardGone(shard) from exc

    def page(self, iterator: str, limit: int) -> Page:
        """At most `limit` records (10,000 and 10 MiB are Kinesis' own limits)."""
        request: dict[str, Any] = {"ShardIterator": iterator, "Limit": limit}
        if self.connection.stream.startswith("arn:"):
            request["StreamARN"] = self.connection.stream
        try:
            answer = self.call("get_records", **request)
        except Missing as exc:
            self.summary()
            raise ShardGone("the iterator's") from exc
        records = [
            KinesisRecord(record["SequenceNumber"], record["ApproximateArrivalTimestamp"], record["Data"])
            for record in answer["Records"]
        ]
        return Page(records, answer.get("NextShardIterator") or None, int(answer.get("MillisBehindLatest") or 0))

    def call(self, operation: str, **request: Any) -> Any:
        """One call, retried with full jitter while Kinesis is busy or out of reach, for `patience` seconds."""
        deadline = self.clock() + self.patience
        attempt = 0
        while True:
            try:
                return getattr(self.client, operation)(**request)
            except (ClientError, BotoCoreError) as exc:
                if not worth_retrying(exc):
                    raise explained(self.connection, operation, exc) from exc
                if self.clock() >= deadline:
                    raise BusyError(
                        f"Kinesis {operation} of stream {self.connection.stream} at {self.connection.place} failed for "
                        f"{self.patience:.0f} s: {exc}. Check the network and the endpoint; if it is throttling, see "
                        "who else reads the stream."
                    ) from exc
            attempt += 1
            self.pause(self.jitter.uniform(0.05, min(5.0, 0.2 * 2**attempt)))


def open_stream(connection: Connection) -> Stream:
    """The stream, through this process's client."""
    return Stream(connection, client_for(connection))
