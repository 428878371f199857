"""Records become typed documents; items are sent again, given up or done. OpenSearch is a server that answers alike:
bulk answers with single items refused, a full queue, an outage."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from probable_cause.lambdas.log_indexer import bulk, handler
from probable_cause.lambdas.log_indexer.documents import Document, documents
from probable_cause.routing import Routing

TEMPLATE = json.loads((Path(__file__).parents[3] / "infra" / "search" / "index-template.json").read_text("utf-8"))
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MILLIS = int(NOW.timestamp() * 1000)
TRAIL = json.dumps(
    {
        "eventVersion": "1.08", "eventTime": "2026-03-01T12:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "StopInstances", "awsRegion": "us-east-1", "userIdentity": {"type": "IAMUser", "userName": "kim"},
        "requestParameters": {"instancesSet": {"items": [{"instanceId": "i-0abc"}]}}, "eventID": "e-1",
    }
)  # fmt: skip
FLOW = f"2 123456789012 eni-0a 10.0.1.5 10.0.2.6 41000 5432 6 3 180 {MILLIS // 1000} {MILLIS // 1000 + 60} REJECT OK"
ERROR = "2026-03-01T12:00:00Z ERROR [main] com.shop.Orders - connection refused"


def record(group: str, *messages: str, ids: str = "e") -> dict[str, Any]:
    """A record as the event source mapping hands it over."""
    payload = {
        "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": group, "logStream": "s",
        "subscriptionFilters": ["probable-cause"],
        "logEvents": [{"id": f"{ids}-{n}", "timestamp": MILLIS, "message": m} for n, m in enumerate(messages)],
    }  # fmt: skip
    data = base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()
    kinesis = {"data": data, "approximateArrivalTimestamp": NOW.timestamp(), "sequenceNumber": f"4{ids}"}
    return {"kinesis": kinesis, "eventSource": "aws:kinesis"}


def found(*records: dict[str, Any]) -> list[Document]:
    given = [(base64.b64decode(one["kinesis"]["data"]), NOW, "shard:1") for one in records]
    return list(documents(given, Routing(handler._GROUPS)))


ALL = (record("/aws/cloudtrail", TRAIL), record("/vpc/flow", FLOW), record("/app/shop", ERROR, ids="a"))


def test_documents_are_typed_by_family_and_named_by_day() -> None:
    by_index = {one.index: one.body for one in found(*ALL)}
    assert set(by_index) == {
        "logs-cloudtrail-2026.03.01", "logs-vpc_flow-2026.03.01", "logs-application-2026.03.01"
    }  # fmt: skip
    trail, flow = by_index["logs-cloudtrail-2026.03.01"], by_index["logs-vpc_flow-2026.03.01"]
    assert trail["action"] == "StopInstances" and trail["actor"] == "kim" and "i-0abc" in trail["resource_ids"]
    assert (flow["source_ip"], flow["destination_port"], flow["outcome"]) == ("10.0.1.5", 5432, "reject")
    assert by_index["logs-application-2026.03.01"]["level"] == "ERROR"
    assert {one["@timestamp"] for one in by_index.values()} == {"2026-03-01T12:00:00.000Z"}


def test_every_field_of_a_document_has_a_type_in_the_template() -> None:
    known = TEMPLATE["template"]["mappings"]["properties"]
    for one in found(*ALL, record("/vpc/flow", "no flow record")):
        assert set(one.body) <= set(known), one.index


def test_saved_searches_show_fields_that_there_are_and_the_dashboard_finds_them() -> None:
    known = TEMPLATE["template"]["mappings"]["properties"]
    text = (Path(__file__).parents[3] / "infra" / "search" / "saved-objects.ndjson").read_text("utf-8")
    objects = [json.loads(line) for line in text.splitlines()]
    names = {(one["type"], one["id"]) for one in objects}
    for one in objects:
        assert {(other["type"], other["id"]) for other in one["references"]} <= names
        assert set(one["attributes"].get("columns", ())) <= set(known)
        if one["type"] == "search":
            query = json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
            assert {word.split(":")[0] for word in query.split() if ":" in word} <= set(known)
    assert ("dashboard", "what-happened") in names


def test_a_line_that_no_parser_takes_is_findable_with_its_reason() -> None:
    (one,) = found(record("/vpc/flow", "no flow record"))
    assert one.index == "logs-rejected-2026.03.01"
    assert one.body["reject_reason"] and one.body["message"] == "no flow record"


def test_a_redelivered_line_has_its_id_again_and_others_have_their_own() -> None:
    twice = found(record("/app/shop", ERROR, ERROR)), found(record("/app/shop", ERROR, ERROR))
    assert [one.id for one in twice[0]] == [one.id for one in twice[1]]
    assert len({one.id for one in twice[0]}) == 2


def test_requests_stay_within_the_limits() -> None:
    many = [Document("logs-x", str(n), {"message": "y" * 1000}) for n in range(9000)]
    requests = list(bulk.requests(many))
    assert [one for sent, _ in requests for one in sent] == many
    assert all(len(body) <= bulk.MOST_BYTES and len(sent) <= bulk.MOST_ITEMS for sent, body in requests)
    assert all(body.count(b"\n") == 2 * len(sent) for sent, body in requests)


def test_an_answer_to_another_request_is_no_answer() -> None:
    with pytest.raises(ValueError, match="2 documents"):
        bulk.outcome([Document("i", "1", {}), Document("i", "2", {})], {"errors": True, "items": []})


class OpenSearch(ThreadingHTTPServer):
    """Keeps documents by index and id. `plan` has (HTTP status, id -> item status) of the next requests."""

    plan: list[tuple[int, dict[int, int]]]
    kept: dict[tuple[str, str], Any]
    requests: int


class Handler(BaseHTTPRequestHandler):
    server: OpenSearch

    def do_POST(self) -> None:
        lines = self.rfile.read(int(self.headers["Content-Length"])).decode().splitlines()
        self.server.requests += 1
        status, faults = self.server.plan.pop(0) if self.server.plan else (200, {})
        items = []
        for place, (action, body) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
            meta = json.loads(action)["index"]
            item = {"_index": meta["_index"], "_id": meta["_id"], "status": faults.get(place, 201)}
            if item["status"] >= 400:
                item["error"] = {"type": "mapper_parsing_exception", "reason": "failed to parse field [source_ip]"}
            elif status == 200:
                self.server.kept[meta["_index"], meta["_id"]] = json.loads(body)
            items.append({"index": item})
        answer = json.dumps({"took": 3, "errors": bool(faults), "items": items}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenSearch]:
    server = OpenSearch(("127.0.0.1", 0), Handler)
    server.plan, server.kept, server.requests = [], {}, 0
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    monkeypatch.setenv("OPENSEARCH_URL", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setattr(handler.time, "sleep", lambda _: None)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Document, str]]:
    kept: list[tuple[Document, str]] = []
    monkeypatch.setattr(handler, "_give_up", lambda document, reason: kept.append((document, reason)))
    return kept


def test_a_batch_is_indexed_and_a_redelivery_replaces_it(search: OpenSearch) -> None:
    event = {"Records": list(ALL)}
    assert handler.handler(event, None) == {"batchItemFailures": []}
    assert handler.handler(event, None) == {"batchItemFailures": []}
    assert len(search.kept) == 3


def test_items_that_pass_are_sent_again_alone(search: OpenSearch, letters: list[Any]) -> None:
    search.plan = [(200, {0: 429, 2: 503}), (200, {0: 429})]
    assert handler.handler({"Records": list(ALL)}, None) == {"batchItemFailures": []}
    assert len(search.kept) == 3 and search.requests == 3 and not letters


def test_items_that_never_will_go_to_the_dead_letters(search: OpenSearch, letters: list[Any]) -> None:
    search.plan = [(200, {1: 400})]
    assert handler.handler({"Records": list(ALL)}, None) == {"batchItemFailures": []}
    ((document, reason),) = letters
    assert document.body["family"] == "vpc_flow" and reason == "400: failed to parse field [source_ip]"
    assert len(search.kept) == 2 and search.requests == 1


@pytest.mark.parametrize(
    "plan", [[(503, {})] * 4, [(200, {0: 429})] * 4, [(413, {})] * 4], ids=["out", "full", "large"]
)
def test_while_it_is_busy_the_batch_comes_again(search: OpenSearch, plan: list[Any], letters: list[Any]) -> None:
    search.plan = list(plan)
    answer = handler.handler({"Records": list(ALL)}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": ALL[0]["kinesis"]["sequenceNumber"]}]}
    search.plan = []
    assert handler.handler({"Records": list(ALL)}, None) == {"batchItemFailures": []}
    assert len(search.kept) == 3 and not letters
