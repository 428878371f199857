"""What files hold: records.jsonl, one line a Kinesis record; or plain log lines, for the `parse` command."""

from __future__ import annotations

import base64
import binascii
import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from probable_cause.errors import BundleError
from probable_cause.parsing import RESULT, parse_batches
from probable_cause.schemas import RECORD

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NAME = "records.jsonl"
SHARD = "file"  # the shard id of records that never were on a stream
RecordRow = tuple[str, str, datetime, bytes]  # schemas.RECORD
FORMAT = '{"arrival": "2026-03-01T12:00:02.120Z", "payload": {...}} or {"arrival": ..., "data_base64": "..."}'


def bundle_records(lines: Iterable[str | bytes], shard: str = SHARD, name: str = NAME) -> Iterator[RecordRow]:
    """Lines of a records.jsonl -> rows of schemas.RECORD, in order; the sequence number is the line's number, from 1.

    A `payload` is gzip'd as CloudWatch Logs would; `data_base64` is handed over as it is. Empty lines are passed over.

    Raises:
        BundleError: with every line that has not the form above.
    """
    faults = []
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append((shard, str(number), *_record(orjson.loads(line))))
        except (ValueError, KeyError, TypeError) as exc:
            faults.append(f"{name}:{number}: {exc}; expected {FORMAT}")
    if faults:
        raise BundleError(f"{name} has lines that are no records:", faults)
    return iter(rows)


def _record(entry: Any) -> tuple[datetime, bytes]:
    if not isinstance(entry, dict):
        raise ValueError(f"found {type(entry).__name__}")
    arrival = entry.get("arrival")
    try:
        arrived_at = datetime.fromisoformat(arrival or "")
    except (TypeError, ValueError) as exc:
        raise ValueError(f"arrival is {arrival!r}, not an ISO 8601 time") from exc
    arrived_at = arrived_at.replace(tzinfo=UTC) if arrived_at.tzinfo is None else arrived_at.astimezone(UTC)
    if "payload" in entry and "data_base64" not in entry:
        return arrived_at, gzip.compress(orjson.dumps(entry["payload"]), compresslevel=1, mtime=0)
    if "data_base64" in entry and "payload" not in entry:
        try:
            return arrived_at, base64.b64decode(entry["data_base64"], validate=True)
        except (binascii.Error, ValueError, TypeError) as exc:
            raise ValueError(f"data_base64 is not base64: {exc}") from exc
    raise ValueError("found neither, or both, of payload and data_base64")


def read_records(spark: SparkSession, path: str | Path) -> DataFrame:
    """schemas.RECORD of a records.jsonl, or of the one in the folder `path`. A local path.

    Raises:
        BundleError: no such file, or lines that are no records.
    """
    file = Path(path)
    file = file / NAME if file.is_dir() else file
    if not file.is_file():
        raise BundleError("There are no records to read:", [f"{file}: no such file"])
    with file.open("rb") as lines:
        rows = list(bundle_records(lines, name=str(file)))
    return spark.createDataFrame(rows, RECORD)


def parse_lines(spark: SparkSession, family: str, form: str | None, data: bytes) -> Iterator[str]:
    """One JSON document for each line of `data`, in order: what the family's parser makes of it.

    The same hop as the stream's, in Spark; parsing.parse_results() is the function behind it.
    """
    lines = data.split(b"\n")
    if not lines[-1]:  # the end of the last line, no line of its own
        lines.pop()
    texts = [line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines]
    if not texts:
        return iter(())
    schema = pa.schema([("index", pa.int64()), ("line", pa.string())])
    table = pa.table([pa.array(range(len(texts)), pa.int64()), pa.array(texts, pa.string())], schema=schema)
    results = spark.createDataFrame(table).mapInArrow(parse_batches(family, form), RESULT).orderBy("index")
    return (row["result_json"] for row in results.toLocalIterator())
