"""Log files as AWS keeps them -> payloads of log lines. Pure functions of a file's bytes; no Spark.

    cloudtrail  AWSLogs/.../CloudTrail/...json.gz: {"Records": [...]}. CloudTrail User Guide, "log file examples"
    config      AWSLogs/.../Config/...json.gz, ConfigHistory and ConfigSnapshot: {"configurationItems": [...]}
    flow        AWSLogs/.../vpcflowlogs/...log.gz with the field names in the first line, or Parquet
    logs        an export of CloudWatch Logs: <stream>/000000.gz, `2026-03-01T12:00:00.000Z text` a line
    bundle      records.jsonl of an incident bundle: whole Kinesis records, ids and all

Their lines have no CloudWatch id (but a bundle's); identity.py says by what they are known.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from probable_cause.decode import Route, Routing, decode, decode_payloads
from probable_cause.envelope import GZIP, Fault, Payload
from probable_cause.errors import RejectedLineError
from probable_cause.sources.files import NAME, bundle_records

CLOUDTRAIL, CONFIG, FLOW, LOGS, BUNDLE = "cloudtrail", "config", "flow", "logs", "bundle"
KINDS = (CLOUDTRAIL, CONFIG, FLOW, LOGS, BUNDLE)
FAMILIES = {CLOUDTRAIL: "cloudtrail", CONFIG: "aws_config", FLOW: "vpc_flow"}
_PARQUET = b"PAR1"
_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?(.*)", re.DOTALL)
_EPOCH = 0  # of lines whose file says no time of its own: the family's parser finds it
Hop = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def wanted(kind: str, name: str) -> bool:
    """Whether a file of a folder holds lines of the kind: digests, marks and hidden files do not."""
    base = name.rpartition("/")[2]
    if kind == BUNDLE:
        return base == NAME
    if base.startswith((".", "_")) or base == "aws-logs-write-test" or base == "ConfigWritabilityCheckFile":
        return False
    return "CloudTrail-Digest" not in name


def file_batches(kind: str, routing: Routing, log_group: str | None) -> Hop:
    """The function for `mapInArrow`: (path string, content binary) -> schemas.EVENT.

    Args:
        routing: of a bundle's and an export's log groups.
        log_group: the group that an export is of (its files do not say); of the other kinds a name for the rows.
    """

    def hop(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        files = ((row["path"], row["content"]) for batch in batches for row in batch.to_pylist())
        for path, content in files:
            if kind == BUNDLE:
                rows = bundle_records(content.splitlines(), name=path)
                yield from decode(((row[3], row[2], f"{path}:{row[1]}") for row in rows), routing)
            else:
                yield from decode_payloads(_payloads(kind, routing, log_group, path, content))

    return hop


def _payloads(
    kind: str, routing: Routing, log_group: str | None, path: str, content: bytes
) -> Iterator[tuple[Payload, Route | None, str]]:
    group = log_group or f"file:{kind}"
    route = routing.route(group) if kind == LOGS else Route(FAMILIES[kind], None, None)
    try:
        if kind == FLOW:
            form, lines = flow_lines(content)
            route = Route(FAMILIES[FLOW], form, None)
            found = [(_EPOCH, line) for line in lines]
        elif kind == LOGS:
            found = list(exported_lines(content))
        else:
            found = [(_EPOCH, line) for line in json_lines(kind, content)]
    except RejectedLineError as fault:
        text = content[:1024].decode("utf-8", "replace")
        yield Payload(None, group, None, [], [], [], [Fault(fault.reason, fault.detail, text)]), route, path
        return
    stream = path.rsplit("/", 2)[-2] if kind == LOGS and "/" in path else None
    ids = [f"{number}" for number in range(len(found))]
    yield Payload(None, group, stream, ids, [time for time, _ in found], [line for _, line in found]), route, path


def plain(content: bytes) -> bytes:
    """The bytes without gzip. Raises RejectedLineError: corrupt_gzip."""
    if not content.startswith(GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as exc:
        raise RejectedLineError("corrupt_gzip", str(exc)) from exc


def json_lines(kind: str, content: bytes) -> list[str]:
    """One JSON text for each record of a CloudTrail file, or for each item of a Config file.

    Raises:
        RejectedLineError: corrupt_gzip, not_json, missing_fields.
    """
    key = "Records" if kind == CLOUDTRAIL else "configurationItems"
    try:
        document: Any = orjson.loads(plain(content))
    except orjson.JSONDecodeError as exc:
        raise RejectedLineError("not_json", str(exc)) from exc
    records = document.get(key) if isinstance(document, dict) else None
    if not isinstance(records, list):
        raise RejectedLineError("missing_fields", f"expected an object with {key}, a list")
    return [orjson.dumps(record).decode() for record in records]


def flow_lines(content: bytes) -> tuple[str | None, list[str]]:
    """(format, lines) of a flow log file. A text file names its fields in its first line; without one the format is
    the default.

    Raises:
        RejectedLineError: corrupt_gzip, not_parquet.
    """
    if content.startswith(_PARQUET):
        try:
            table = pq.read_table(io.BytesIO(content))  # type: ignore[no-untyped-call]
        except pa.ArrowException as exc:
            raise RejectedLineError("not_parquet", str(exc)) from exc
        columns = [["-" if value is None else str(value) for value in one.to_pylist()] for one in table.columns]
        return " ".join(table.column_names), [" ".join(row) for row in zip(*columns, strict=True)]
    lines = plain(content).decode("utf-8", "replace").splitlines()
    if lines and re.match(r"[a-z]", lines[0]) and "srcaddr" in lines[0].replace("-", "").replace("_", ""):
        return lines[0], lines[1:]
    return None, lines


def exported_lines(content: bytes) -> Iterator[tuple[int, str]]:
    """(epoch milliseconds, message) of each log event of an export; a line without a time belongs to the one before.

    Raises:
        RejectedLineError: corrupt_gzip.
    """
    time, parts = _EPOCH, list[str]()
    for line in plain(content).decode("utf-8", "replace").split("\n"):
        match = _LINE.fullmatch(line.removesuffix("\r"))
        if match is None:
            parts += [line] if parts else []
            continue
        if parts:
            yield time, "\n".join(parts)
        time, parts = round(datetime.fromisoformat(match[1]).timestamp() * 1000), [match[2]]
    if parts:
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        yield time, "\n".join(parts)
