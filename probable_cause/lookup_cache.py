"""The lookup tables as a DataFrame, read now and then; what is emptied or garbled in flight is not believed at once."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from probable_cause.arrow_schema import arrow_schema
from probable_cause.attribution import LOOKUP
from probable_cause.errors import TableError
from probable_cause.state import lookups
from probable_cause.state.tables import Tables

log = logging.getLogger(__name__)

# Fewer lookup rows than this share of those before are doubted, until so many looks in a row have found them.
_MANY, _LOOKS = 0.5, 5


@dataclass
class LookupCache:
    """The lookup tables as a DataFrame, read again when older than `refresh` seconds."""

    tables: Tables
    refresh: float
    _rows: list[lookups.Row] = field(default_factory=list)
    _frame: DataFrame | None = None
    _read_at: datetime | None = None
    _doubted: int = 0  # looks in a row that found far fewer rows than before

    def at(self, spark: SparkSession, now: datetime) -> DataFrame:
        """attribution.LOOKUP. Tables that were emptied or garbled in flight, or do not answer, keep the last rows that
        were good, with a warning."""
        # From 0 on: a clock that was set back must not keep old rows until it has caught up.
        fresh = self._read_at is not None and timedelta(0) <= now - self._read_at < timedelta(seconds=self.refresh)
        if self._frame is None or not fresh:
            try:
                rows = lookups.rows(self.tables)
                if self._believed(rows):
                    self._rows, self._frame = rows, lookup_frame(spark, rows)
            except TableError:
                raise
            except Exception as exc:  # whatever is in the tables: it must not stop the stream
                if self._frame is None:
                    raise
                log.warning("the lookup tables can't be read, %d rows read before are kept: %s", len(self._rows), exc)
            self._read_at = now
        assert self._frame is not None
        return self._frame

    def _believed(self, rows: list[lookups.Row]) -> bool:
        """Nothing where there was something is never believed, far fewer rows only when they stay."""
        if len(rows) >= _MANY * len(self._rows):
            self._doubted = 0
            return True
        self._doubted += 1
        if rows and self._doubted >= _LOOKS:
            log.warning(
                "the lookup tables keep having %d rows, there were %d: believed now", len(rows), len(self._rows)
            )
            self._doubted = 0
            return True
        log.warning("the lookup tables have %d rows, there were %d: those are kept", len(rows), len(self._rows))
        return False


def lookup_frame(spark: SparkSession, rows: Sequence[lookups.Row]) -> DataFrame:
    """attribution.LOOKUP of the rows of the lookup tables.

    Through Arrow it is a table in the plan; a list of tuples would start Python workers in every batch that reads it.
    """
    schema = arrow_schema(LOOKUP)
    buckets: list[dict[str, list[dict[str, Any]]]] = [{} for _ in range(max(1, len(rows)))]
    for key, *owner in rows:
        bucket = buckets[zlib.crc32(key.encode()) % len(buckets)]
        bucket.setdefault(key, []).append(dict(zip(("application", "type", "since", "until"), owner, strict=True)))
    table = [[list(bucket.items()) for bucket in buckets]]
    return spark.createDataFrame(pa.Table.from_pydict({"lookup": table}, schema=schema))
