"""The Kinesis source as a Python Data Source: `spark.readStream.format("probable-cause-kinesis")`.

Batches are ranges of sequence numbers in Spark's own offset log, found by the driver's scout and read by the executors,
which open and parse the records in the same hop (schemas.EVENT). docs/kinesis-source.md has the options and guarantees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition

from probable_cause.arrow_schema import arrow_schema
from probable_cause.decode import Record, decode
from probable_cause.python_worker import forget_archives
from probable_cause.schemas import EVENT
from probable_cause.sources.options import NAME, Options
from probable_cause.sources.positions import Offset, Range, grouped, ranges
from probable_cause.sources.reader import Gap, RangeReader, ahead
from probable_cause.sources.scout import Scout
from probable_cause.sources.stream import open_stream

TASK_SECONDS = 30.0  # stream time of several shards that one task takes on


class KinesisDataSource(DataSource):
    """CloudWatch Logs subscription records of one Kinesis stream, as schemas.EVENT."""

    @classmethod
    def name(cls) -> str:
        return NAME

    def schema(self) -> str:
        return EVENT

    def streamReader(self, schema: Any) -> KinesisStreamReader:
        return KinesisStreamReader(Options.parse(self.options))


@dataclass
class ShardRanges(InputPartition):
    """What one task reads."""

    parts: list[Range]


class KinesisStreamReader(DataSourceStreamReader):
    """Spark makes two of these on the driver, and pickles one to the executors: nothing but options may be in it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._scout: Scout | None = None
        self._position: Any = None  # the offset that the next batch starts at, as Spark knows it

    def initialOffset(self) -> dict[str, Any]:
        """The same at every start, without a call: see positions.py."""
        return Offset(self.options.connection.name, self.options.starting_position).to_json()

    def latestOffset(self, start: Any = None, limit: Any = None) -> Any:  # type: ignore[override]
        """The end of the next batch. From Spark 4.2 on, `start` is given; before, it was learnt in partitions().

        `limit` is not used: max_span admits, on every version.
        """
        begin = start if start is not None else self._position
        if begin is None:
            begin = self.initialOffset()
        if self._scout is None:
            self._scout = Scout(open_stream(self.options.connection), self.options.limits)
        offset = Offset.from_json(begin, self.options.connection.name)
        found = self._scout.latest(offset)
        # Unchanged must be the very same text, or Spark plans empty batches without end.
        return begin if found is offset else found.to_json()

    def partitions(self, start: Any, end: Any) -> list[InputPartition]:
        """The tasks of a batch, from the offset log alone. On a restart Spark first asks for (x, x) with its newest
        offset, then for the batch that was not finished."""
        self._position = end
        stream = self.options.connection.name
        span = self.options.limits.max_span_ms / 1000
        parts = ranges(Offset.from_json(start, stream), Offset.from_json(end, stream), span)
        return [ShardRanges(group) for group in grouped(parts, self.options.shards_per_task, TASK_SECONDS)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:  # type: ignore[override]
        """Batches of schemas.EVENT. A gap (on_trimmed: skip) is a rejected row."""
        forget_archives()
        parts: list[Range] = partition.parts  # type: ignore[attr-defined]  # ours, from partitions()
        stream = open_stream(self.options.connection)
        readers = (RangeReader(stream, part, self.options.limits.on_trimmed) for part in parts)
        found = ahead(chain.from_iterable(((reader.part.shard, page) for page in reader.pages()) for reader in readers))
        gaps: list[Gap] = []
        yield from decode(_records(found, gaps), self.options.routing, self.options.prefilter)
        if gaps:
            yield gap_batch(gaps)

    def commit(self, end: Any) -> None:
        """Nothing to do: Spark's offset log is all there is, and `commit` of the last batch comes with the next one."""


def _records(found: Iterator[tuple[str, Any]], gaps: list[Gap]) -> Iterator[Record]:
    for shard, page in found:
        if isinstance(page, Gap):
            gaps.append(page)
        else:
            for record in page:
                yield record.data, record.arrived_at, f"{shard}:{record.seq}"


def gap_batch(gaps: list[Gap]) -> pa.RecordBatch:
    """Rows of schemas.EVENT that say which records could not be read any more."""
    rows = [
        {"position": gap.position, "reject_reason": "trimmed", "reject_detail": gap.detail, "message": gap.detail}
        for gap in gaps
    ]
    return pa.RecordBatch.from_pylist(rows, schema=arrow_schema(EVENT))
