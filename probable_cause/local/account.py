"""What an account needs before the job can run: stream, log groups, subscriptions, tables, lookup rows."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from probable_cause.errors import SourceError
from probable_cause.settings import Settings
from probable_cause.state import dynamodb

FILTER = "probable-cause"  # name of the subscription filter on each log group
_ROLE = "arn:aws:iam::123456789012:role/logs-to-kinesis"  # the emulator asks for one and does not use it


def create_stream(settings: Settings, shards: int = 2, wait_seconds: float = 60) -> str:
    """Creates the Kinesis stream when it is missing; returns its ARN once it is active.

    Raises:
        SourceError: when it does not become active in time.
    """
    kinesis = dynamodb.client("kinesis", settings.region, settings.endpoint_url)
    try:
        kinesis.create_stream(StreamName=settings.stream.name, ShardCount=shards)
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ResourceInUseException":
            raise
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        summary = kinesis.describe_stream_summary(StreamName=settings.stream.name)["StreamDescriptionSummary"]
        if summary["StreamStatus"] == "ACTIVE":
            return str(summary["StreamARN"])
        time.sleep(0.2)
    raise SourceError(f"stream {settings.stream.name} is not active after {wait_seconds:.0f} s")


def subscribe(settings: Settings, log_groups: Iterable[str], stream_arn: str) -> None:
    """Creates the log groups that are missing and subscribes each to the stream."""
    logs = dynamodb.client("logs", settings.region, settings.endpoint_url)
    for group in log_groups:
        try:
            logs.create_log_group(logGroupName=group)
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        logs.put_subscription_filter(
            logGroupName=group, filterName=FILTER, filterPattern="", destinationArn=stream_arn, roleArn=_ROLE
        )


class LogWriter:
    """Puts log events as an agent or an AWS service would: PutLogEvents, ordered by time, within its limits."""

    MOST_EVENTS = 10_000  # of one call
    MOST_BYTES = 1_048_576  # of one call, counting 26 bytes beside each message

    def __init__(self, settings: Settings) -> None:
        self._logs = dynamodb.client("logs", settings.region, settings.endpoint_url)
        self._streams: set[tuple[str, str]] = set()

    def put(self, group: str, stream: str, events: Iterable[tuple[int, str]]) -> int:
        """Puts (epoch ms, message) pairs; returns how many.

        Raises:
            SourceError: when CloudWatch Logs refuses some of them (too old, too new).
        """
        if (group, stream) not in self._streams:
            try:
                self._logs.create_log_stream(logGroupName=group, logStreamName=stream)
            except ClientError as exc:
                if exc.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise
            self._streams.add((group, stream))
        put = 0
        for chunk in self._chunks(sorted(events, key=lambda event: event[0])):
            answer = self._logs.put_log_events(
                logGroupName=group,
                logStreamName=stream,
                logEvents=[{"timestamp": timestamp, "message": message} for timestamp, message in chunk],
            )
            if answer.get("rejectedLogEventsInfo"):
                raise SourceError(f"{group}: CloudWatch Logs refused events: {answer['rejectedLogEventsInfo']}")
            put += len(chunk)
        return put

    def _chunks(self, events: list[tuple[int, str]]) -> Iterable[list[tuple[int, str]]]:
        chunk: list[tuple[int, str]] = []
        size = 0
        for event in events:
            needed = len(event[1].encode()) + 26
            if chunk and (len(chunk) == self.MOST_EVENTS or size + needed > self.MOST_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append(event)
            size += needed
        if chunk:
            yield chunk


def put_raw(settings: Settings, data: bytes, partition_key: str) -> None:
    """Puts bytes on the stream as they are: what a subscription never sends, but a stream may hold."""
    kinesis: Any = dynamodb.client("kinesis", settings.region, settings.endpoint_url)
    kinesis.put_record(StreamName=settings.stream.name, Data=data, PartitionKey=partition_key)
