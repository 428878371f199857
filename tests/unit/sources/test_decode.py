"""The hop from records to events: what each row says about where it came from, and that no line vanishes.

A small parser stands in for the families, so that the hop itself is tested.
"""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from probable_cause import decode as decoding
from probable_cause import parsing
from probable_cause.arrow_schema import arrow_schema
from probable_cause.decode import decode, decode_batches, decode_records
from probable_cause.envelope import MAX_DECOMPRESSED
from probable_cause.errors import RejectedLineError
from probable_cause.parsing import parse_batches, parse_results
from probable_cause.routing import Routing
from probable_cause.schemas import EVENT, FOLDED, PARSED, RECORD, column_names

ROUTING = Routing((("flow", "vpc_flow", None, None), ("^/app/(?P<application_id>[^/]+)", "application", None, None)))
ARRIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
DELIVERED = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
OWN_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def small_parser(
    family: str, messages: list[str], form: str | None
) -> tuple[dict[str, list[Any]], list[int], list[tuple[int, str, str]]]:
    """Words of a message are orders: how many events it gives, and how it fails."""
    columns: dict[str, list[Any]] = {"event_time": [], "action": [], "source_port": [], "fields": [], "message": []}
    index: list[int] = []
    rejects: list[tuple[int, str, str]] = []
    for line, message in enumerate(messages):
        if "crash" in message:
            raise ValueError(message)
        if "refuse" in message:
            raise RejectedLineError("refused", "on purpose")
        if "reject" in message:
            rejects.append((line, "bad_line", "lone \ud800 surrogate"))
            continue
        if "nothing" in message:
            continue
        for _ in range(3 if "three" in message else 1):
            year_million = 4 * 10**18
            columns["event_time"].append(year_million if "eon" in message else OWN_TIME if "timed" in message else None)
            columns["action"].append(form or "A")
            columns["source_port"].append(2**40 if "huge" in message else 1)
            columns["fields"].append({"k": "v"})
            columns["message"].append("short" if "parsed" in message else None)
            index.append(line)
    if "eon" in " ".join(messages):
        columns["event_time"] = [value if isinstance(value, int) else 0 for value in columns["event_time"]]
    return columns, index, rejects


@pytest.fixture(autouse=True)
def _small_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "parse_lines", small_parser)


def record(group: str, *messages: str, position: str = "shard:1") -> decoding.Record:
    events = [
        {"id": f"{group}-{number}", "timestamp": 1_700_000_000_000, "message": message}
        for number, message in enumerate(messages)
    ]
    body = {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": group, "logStream": "s", "logEvents": events}
    return gzip.compress(json.dumps(body).encode()), ARRIVED, position


def rows(*records: decoding.Record, routing: Routing = ROUTING) -> list[dict[str, Any]]:
    batch = decode_records(records, routing)
    assert batch.schema == arrow_schema(EVENT)
    assert batch.schema.names == column_names(EVENT)
    return batch.to_pylist(maps_as_pydicts="strict")


def test_an_event_knows_where_it_came_from() -> None:
    (row,) = rows(record("/vpc/flow", "timed", position="shardId-000000000007:4965"))
    found = {name: value for name, value in row.items() if value is not None}
    assert found == {
        "event_id": "/vpc/flow-0",
        "owner": "1",
        "log_group": "/vpc/flow",
        "log_stream": "s",
        "delivered_at": DELIVERED,
        "arrived_at": ARRIVED,
        "position": "shardId-000000000007:4965",
        "family": "vpc_flow",
        "event_time": OWN_TIME,
        "action": "A",
        "source_port": 1,
        "message": "timed",
        "fields": {"k": "v"},
    }


@pytest.mark.parametrize(
    ("group", "message", "column", "expected"),
    [
        ("/vpc/flow", "plain", "event_time", DELIVERED),
        ("/vpc/flow", "timed", "event_time", OWN_TIME),
        ("/app/web", "timed", "event_time", DELIVERED),  # CloudWatch's time wins over an application's own clock
        ("/app/web", "plain", "application_id", "web"),
        ("/vpc/flow", "plain", "application_id", None),
        ("/vpc/flow", "plain", "message", "plain"),
        ("/app/web", "parsed", "message", "short"),
        ("/app/web", "parsed", "original", "parsed"),
        ("/app/web", "plain", "original", None),  # the message is the whole line
    ],
)
def test_columns(group: str, message: str, column: str, expected: object) -> None:
    (row,) = rows(record(group, message))
    assert row[column] == expected


def test_several_events_of_one_line_have_ids_of_their_own() -> None:
    found = rows(record("/vpc/flow", "plain", "three", "reject"))
    ids = [row["event_id"].removeprefix("/vpc/flow-") for row in found]
    assert ids == ["0", "1/1", "1/2", "1/3", "2"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("reject", "bad_line"),
        ("nothing", "no_event"),
        ("crash", "parser_error"),
        ("refuse", "refused"),
        ("huge", "parser_error"),
        ("eon", "bad_timestamp"),
    ],
)
@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_line_that_fails_is_kept_with_its_reason_and_its_neighbours_are_read(
    message: str, reason: str, place: int
) -> None:
    messages = ["timed"] * 7
    messages[place] = message
    found = rows(record("/vpc/flow", *messages))
    rejected = [row for row in found if row["reject_reason"]]
    assert len(rejected) == 1
    assert [rejected[0][name] for name in ("reject_reason", "message", "family")] == [reason, message, "vpc_flow"]
    assert rejected[0]["event_id"] == f"/vpc/flow-{place}"
    assert rejected[0]["position"] == "shard:1"
    assert sorted(row["event_id"] for row in found) == [f"/vpc/flow-{number}" for number in range(7)]


def test_a_parser_may_give_the_lines_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def backwards(
        family: str, messages: list[str], form: str | None
    ) -> tuple[dict[str, Any], list[int], list[tuple[int, str, str]]]:
        lines = list(reversed(range(len(messages))))
        return {"action": pa.array([messages[line] for line in lines])}, lines, []

    monkeypatch.setattr(parsing, "parse_lines", backwards)
    found = rows(record("/vpc/flow", "a", "b", "c"))
    assert [(row["event_id"][-1], row["action"], row["message"]) for row in found] == [
        ("2", "c", "c"),
        ("1", "b", "b"),
        ("0", "a", "a"),
    ]


def test_an_unknown_log_group_keeps_every_line() -> None:
    found = rows(record("/other", "one", "two"))
    assert [(row["reject_reason"], row["message"], row["log_group"]) for row in found] == [
        ("unknown_log_group", "one", "/other"),
        ("unknown_log_group", "two", "/other"),
    ]
    assert found[0]["delivered_at"] == DELIVERED


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"xx", "not_gzip"), (b"", "empty"), (gzip.compress(b'{"messageType": "CONTROL_MESSAGE"}'), "control_message")],
)
def test_a_record_that_can_t_be_opened_keeps_its_bytes(data: bytes, reason: str) -> None:
    (row,) = rows((data, ARRIVED, "shard:9"))
    assert (row["reject_reason"], row["position"], row["arrived_at"]) == (reason, "shard:9", ARRIVED)
    assert base64.b64decode(row["message"]) == data


def test_a_rejected_record_is_kept_up_to_64_kib() -> None:
    (row,) = rows((b"x" * 10_000_000, ARRIVED, "shard:9"))
    assert len(row["message"]) == 64 * 1024


def test_the_limit_of_the_routing_holds() -> None:
    tight = Routing(ROUTING.groups, max_decompressed=50)
    assert [row["reject_reason"] for row in rows(record("/vpc/flow", "x" * 100), routing=tight)] == ["too_large"]
    assert Routing(ROUTING.groups).max_decompressed == MAX_DECOMPRESSED


def test_faults_beside_readable_payloads_are_rows() -> None:
    data, arrived, position = record("/vpc/flow", "plain")
    found = rows((data + b"garbage", arrived, position))
    assert sorted(str(row["reject_reason"]) for row in found) == ["None", "not_gzip"]


def test_batches_are_bounded_and_hold_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BATCH_LINES", 10)
    records = [record("/vpc/flow", "a", "reject", "b", position=f"shard:{number}") for number in range(50)]
    batches = list(decode(records, ROUTING))
    assert max(batch.num_rows for batch in batches) <= 12
    assert sum(batch.num_rows for batch in batches) == 150
    assert len({position for batch in batches for position in batch.column("position").to_pylist()}) == 50
    monkeypatch.setattr(decoding, "BATCH_LINES", 10_000)
    monkeypatch.setattr(decoding, "BATCH_CHARACTERS", 20)
    assert len(list(decode(records, ROUTING))) > 10


def test_lines_that_are_parsed_a_few_at_a_time_are_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [record("/vpc/flow", *"abc", "reject", "three"), record("/app/web", *"defgh")]
    whole = list(decode(records, ROUTING))
    monkeypatch.setattr(decoding, "PARSED_LINES", 2)
    parts = list(decode(records, ROUTING))
    assert len(parts) > len(whole)
    of_whole, of_parts = ([str(row) for batch in some for row in batch.to_pylist()] for some in (whole, parts))
    assert sorted(of_parts) == sorted(of_whole)


def test_the_same_records_give_the_same_rows() -> None:
    records = [record("/vpc/flow", "a", "three", "reject"), record("/app/web", "b"), record("/other", "c")]
    assert decode_records(records, ROUTING).equals(decode_records(records, ROUTING))


def test_no_records_no_rows() -> None:
    assert rows() == []
    assert list(decode([], ROUTING)) == []


def test_the_hop_of_other_sources_gives_the_same_rows() -> None:
    data, arrived, _ = record("/vpc/flow", "a", "three", "reject")
    entry = {"shard_id": "shard", "sequence_number": "1", "arrived_at": arrived, "data": data}
    batch = pa.RecordBatch.from_pylist([entry], schema=arrow_schema(RECORD))
    found = pa.concat_batches(list(decode_batches(ROUTING)(iter([batch]))))
    assert found.equals(decode_records([record("/vpc/flow", "a", "three", "reject")], ROUTING))


@pytest.mark.parametrize("ddl", [RECORD, PARSED, EVENT, FOLDED])
def test_arrow_schemas_name_every_column(ddl: str) -> None:
    assert arrow_schema(ddl).names == column_names(ddl)
    assert all(column.nullable for column in arrow_schema(ddl))


def test_arrow_types() -> None:
    schema = arrow_schema("a string, b array<struct<at: bigint, id: bigint>>, c map<string,string>, d timestamp")
    assert schema.field("b").type == pa.list_(pa.struct([("at", pa.int64()), ("id", pa.int64())]))
    assert schema.field("c").type == pa.map_(pa.string(), pa.string())
    assert schema.field("d").type == pa.timestamp("us", tz="UTC")
    with pytest.raises(KeyError):
        arrow_schema("a decimal")


def test_parse_results_are_one_a_line_in_order() -> None:
    results = parse_results("vpc_flow", ["timed", "reject", "crash", "three", "nothing"], "form")
    assert [result["ok"] for result in results] == [True, False, False, True, False]
    assert [result.get("reason") for result in results] == [None, "bad_line", "parser_error", None, "no_event"]
    assert list(results[0]["event"]) == ["event_id", *column_names(PARSED)]
    assert results[0]["event"]["event_time"] == "2026-01-01T00:00:00.000Z"
    assert results[0]["event"]["fields"] == {"k": "v"}
    assert results[0]["event"]["message"] == "timed"
    assert results[0]["event"]["action"] == "form"
    assert results[0]["event"]["actor"] is None
    assert "events" not in results[0]
    assert len(results[3]["events"]) == 3


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_parse_hop_keeps_index_and_line_together(count: int) -> None:
    schema = arrow_schema("index bigint, line string")
    lines = ["timed", "reject", "three", "crash", "plain"][:count]
    batch = pa.RecordBatch.from_pylist(
        [{"index": 100 + number, "line": line} for number, line in enumerate(lines)], schema=schema
    )
    found = [row for out in parse_batches("vpc_flow")(iter([batch])) for row in out.to_pylist()]
    assert [row["index"] for row in found] == list(range(100, 100 + count))
    for row, line in zip(found, lines, strict=True):
        assert row["ok"] is (line not in ("reject", "crash"))
        assert json.loads(row["result_json"])["ok"] is row["ok"]
