"""The envelope: what real streams hold, what hostile ones do, and that nothing readable is lost with what is not."""

from __future__ import annotations

import base64
import gzip
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probable_cause.envelope import open_record
from probable_cause.errors import RejectedLineError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "logs" / "envelopes.jsonl"
EVENT = {"id": "1", "timestamp": 1_700_000_000_000, "message": "hello"}


def payload(*events: Any, **changes: Any) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "/app/web",
        "logStream": "s",
        "subscriptionFilters": ["f"],
        "logEvents": list(events or [EVENT]),
    } | changes


def record(*documents: Any, text: bytes | None = None) -> bytes:
    return gzip.compress(text if text is not None else b"".join(json.dumps(one).encode() for one in documents))


def lines(data: bytes, limit: int = 1_000_000) -> list[tuple[str, int, str]]:
    found = []
    for one in open_record(data, limit):
        found += list(zip(one.ids, one.timestamps, one.messages, strict=True))
    return found


def reason(data: bytes, limit: int = 1_000_000) -> str:
    with pytest.raises(RejectedLineError) as caught:
        open_record(data, limit)
    return caught.value.reason


HELLO = ("1", 1_700_000_000_000, "hello")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (record(payload()), [HELLO]),
        (json.dumps(payload()).encode(), [HELLO]),
        (b"  \n" + json.dumps(payload()).encode(), [HELLO]),
        (record(payload(), payload()), [HELLO, HELLO]),
        (record(text=b"\n".join([json.dumps(payload()).encode()] * 3) + b"\n"), [HELLO] * 3),
        (record([payload(), payload()]), [HELLO, HELLO]),
        (record(payload()) + record(payload()), [HELLO, HELLO]),
        (record(payload()) + b"\0" * 100, [HELLO]),
        (record(payload(EVENT | {"timestamp": "1700000000000"})), [HELLO]),
        (record(payload(EVENT | {"timestamp": 1_700_000_000_000.0})), [HELLO]),
        (record(payload(EVENT | {"timestamp": "1700000000000.9"})), [HELLO]),
        (record(payload(EVENT | {"id": 1})), [HELLO]),
        (record(payload(EVENT | {"extractedFields": {"a": "b"}})), [HELLO]),
        (record(payload(EVENT | {"message": ""})), [("1", 1_700_000_000_000, "")]),
        (record(payload(messageType=None)), [HELLO]),
        (record(payload(logEvents=[])), []),
        (record(payload(EVENT | {"message": "a\x00b\u2028c"})), [("1", 1_700_000_000_000, "a\x00b\u2028c")]),
    ],
)
def test_what_is_read(data: bytes, expected: list[tuple[str, int, str]]) -> None:
    assert lines(data) == expected


def test_where_it_came_from() -> None:
    (one,) = open_record(record(payload()), 1000)
    assert (one.owner, one.log_group, one.log_stream, one.faults) == ("111122223333", "/app/web", "s", [])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"plain text", "not_gzip"),
        (b"\x00\x01\x02", "not_gzip"),
        (base64.b64encode(record(payload())), "not_gzip"),
        (record(payload())[:-12], "corrupt_gzip"),
        (record(payload())[:-6] + b"\x00" * 6, "corrupt_gzip"),
        (b"\x1f\x8b", "corrupt_gzip"),
        (b"\x1f\x8b" + b"\xff" * 50, "corrupt_gzip"),
        (gzip.compress(record(payload())), "gzip_of_gzip"),
        (record(text=b""), "not_json"),
        (record(text=b"  \n"), "not_json"),
        (record(text=b"not json"), "not_json"),
        (record(text=b'{"messageType": "DATA_MES'), "not_json"),
        (record(text=b"[" * 100_000), "not_json"),
        (record(text=b'{"a":' * 5000), "not_json"),
        (record("text"), "missing_field"),
        (record(7), "missing_field"),
        (record(payload(messageType="CONTROL_MESSAGE")), "control_message"),
        (record(payload(messageType="OTHER")), "unknown_message_type"),
        (record(payload(logGroup=None)), "missing_field"),
        (record(payload(logGroup="")), "missing_field"),
        (record(payload(logEvents=None)), "missing_field"),
        (record({"a": 1}), "missing_field"),
    ],
)
def test_what_is_rejected(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_base64_gets_a_hint() -> None:
    with pytest.raises(RejectedLineError, match="base64"):
        open_record(base64.b64encode(record(payload())), 1000)


@pytest.mark.parametrize(("size", "accepted"), [(1000, True), (1001, False), (100_000_000, False)])
def test_a_record_may_grow_to_the_limit_and_no_further(size: int, accepted: bool) -> None:
    text = json.dumps(payload()).encode()
    data = gzip.compress(text + b" " * (size - len(text)))
    assert (len(lines(data, 1000)) == 1) if accepted else (reason(data, 1000) == "too_large")


def test_the_limit_is_one_for_all_members_and_for_plain_json() -> None:
    text = json.dumps(payload()).encode()
    assert reason(gzip.compress(text) * 5, 2 * len(text)) == "too_large"
    assert reason(text, len(text) - 1) == "too_large"
    assert len(lines(text, len(text))) == 1


def test_a_million_empty_members_cost_no_time() -> None:
    began = time.perf_counter()
    assert reason(gzip.compress(b"") * 100_000) == "too_large"
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("text", "missing_field"),
        (None, "missing_field"),
        ({"id": "2", "timestamp": 1}, "missing_field"),
        ({"id": "2", "timestamp": 1, "message": None}, "missing_field"),
        ({"id": "2", "timestamp": 1, "message": {"a": 1}}, "missing_field"),
        ({"timestamp": 1, "message": "m"}, "missing_field"),
        ({"id": "", "timestamp": 1, "message": "m"}, "missing_field"),
        ({"id": True, "timestamp": 1, "message": "m"}, "missing_field"),
        ({"id": "2", "message": "m"}, "bad_timestamp"),
        ({"id": "2", "timestamp": "soon", "message": "m"}, "bad_timestamp"),
        ({"id": "2", "timestamp": True, "message": "m"}, "bad_timestamp"),
        ({"id": "2", "timestamp": 10**18, "message": "m"}, "bad_timestamp"),
        ({"id": "2", "timestamp": -(10**18), "message": "m"}, "bad_timestamp"),
        ({"id": "2", "timestamp": 1e400, "message": "m"}, "bad_timestamp"),
    ],
)
def test_a_broken_event_does_not_take_its_neighbours_with_it(event: Any, expected: str) -> None:
    (one,) = open_record(record(payload(EVENT, event, EVENT | {"id": "3"})), 1_000_000)
    assert one.ids == ["1", "3"]
    assert [fault.reason for fault in one.faults] == [expected]
    if isinstance(event, dict):
        assert str(event.get("message", "")).replace("'", '"') in one.faults[0].text or event.get("message") is None


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (b"{broken", "not_json"),
        (json.dumps(payload(messageType="CONTROL_MESSAGE")).encode(), "control_message"),
        (b"17", "missing_field"),
    ],
)
def test_a_broken_payload_does_not_take_its_neighbour_with_it(rest: bytes, expected: str) -> None:
    opened = open_record(record(text=json.dumps(payload()).encode() + rest), 1_000_000)
    assert opened[0].messages == ["hello"]
    assert [fault.reason for one in opened for fault in one.faults] == [expected]


def test_what_follows_the_gzip_data_is_a_fault() -> None:
    opened = open_record(record(payload()) + b"garbage", 1_000_000)
    assert opened[0].messages == ["hello"]
    assert [(fault.reason, fault.text) for fault in opened[1].faults] == [("not_gzip", "garbage")]


@pytest.mark.parametrize("word", [b'"\\ud800x"', b'"\xff\xfex"', b'"a\tb\x01x"'])
def test_text_that_is_not_quite_json_or_utf_8_is_read_and_can_be_written(word: bytes) -> None:
    text = json.dumps(payload()).encode().replace(b'"hello"', word)
    ((_, _, message),) = lines(record(text=text))
    assert message.encode("utf-8").endswith(b"x")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_opened_or_rejected(data: bytes, packed: bool) -> None:
    try:
        open_record(gzip.compress(data) if packed else data, 10_000)
    except RejectedLineError as fault:
        assert fault.reason.replace("_", "").isalpha()


@given(st.dictionaries(st.sampled_from(["messageType", "logGroup", "logEvents", "owner", "logStream"]), json_values))
@settings(max_examples=300, deadline=None)
def test_any_json_is_opened_or_rejected(changes: dict[str, Any]) -> None:
    try:
        opened = open_record(record(payload() | changes), 1_000_000)
    except RejectedLineError:
        return
    for one in opened:
        assert len(one.ids) == len(one.timestamps) == len(one.messages)
        for text in [*one.ids, *one.messages]:
            text.encode("utf-8")


def test_flipped_bits_never_raise_anything_else() -> None:
    seed = 20_261
    dice = random.Random(seed)
    good = bytearray(record(payload(*[EVENT | {"id": str(number)} for number in range(50)])))
    for _ in range(2000):
        bad = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            bad[dice.randrange(len(bad))] ^= 1 << dice.randrange(8)
        try:
            open_record(bytes(bad), 100_000)
        except RejectedLineError:
            continue


@pytest.mark.skipif(not SHARED.is_file(), reason="the shared sample data is not beside the repository")
def test_published_envelopes_give_what_their_sources_expect() -> None:
    samples = [json.loads(line) for line in SHARED.read_text(encoding="utf-8").splitlines()]
    assert len(samples) >= 3
    for sample in samples:
        expected = sample["expected"]
        raw = base64.b64decode(sample["data_b64"]) if "data_b64" in sample else sample["data_text"].encode()
        if expected["messageType"] == "CONTROL_MESSAGE":
            assert reason(raw) == "control_message", sample["source"]
            continue
        (one,) = open_record(raw, 1_000_000)
        assert (one.owner, one.log_group, one.log_stream) == (
            expected["owner"],
            expected["logGroup"],
            expected["logStream"],
        ), sample["source"]
        assert len(one.ids) == expected["n_logEvents"], sample["source"]
        assert one.messages[0] == expected["first_message"], sample["source"]
