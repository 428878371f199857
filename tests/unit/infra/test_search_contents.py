"""What is put into an OpenSearch domain, as HTTP calls: order, signature, replacement, refusal.

The index template is put into a real node in tests/aws/test_opensearch.py; the plugins that the other calls are for
are in no Maven artifact.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.credentials import Credentials

from tools import search_contents
from tools.search_contents import Domain, SearchError

POLICY = "/_plugins/_ism/policies/logs"
ROLE = "arn:aws:iam::123456789012:role/indexer"


@contextmanager
def server(answers: dict[tuple[str, str], tuple[int, Any]]) -> Iterator[tuple[Domain, list[tuple[str, str, bytes]]]]:
    """A new domain that answers as told, else with success; and the calls that it was given."""
    answers = {("GET", POLICY): (404, {}), **answers}
    calls: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            calls.append((self.command, self.path, self.rfile.read(length)))
            assert self.path.startswith("/_dashboards") <= ("osd-xsrf" in self.headers)
            status, body = answers.get((self.command, self.path.partition("?")[0]), (200, {"success": True}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_GET = do_PUT = do_POST = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield Domain(f"http://127.0.0.1:{running.server_port}", "us-east-1"), calls
        running.shutdown()
        thread.join()


def test_all_of_it_in_order() -> None:
    said: list[str] = []
    with server({}) as (domain, calls):
        search_contents.put_all(domain, ROLE, said.append)
    assert [(method, path) for method, path, _ in calls] == [
        ("PUT", "/_index_template/logs"),
        ("GET", POLICY),
        ("PUT", POLICY),
        ("PUT", "/_plugins/_security/api/roles/probable-cause-indexer"),
        ("PUT", "/_plugins/_security/api/rolesmapping/probable-cause-indexer"),
        ("POST", "/_dashboards/api/saved_objects/_import?overwrite=true"),
    ]
    bodies = {path.partition("?")[0]: body for method, path, body in calls if method != "GET"}
    assert json.loads(bodies["/_plugins/_security/api/rolesmapping/probable-cause-indexer"]) == {
        "backend_roles": [ROLE]
    }
    assert json.loads(bodies[POLICY])["policy"]["ism_template"][0]["index_patterns"] == ["logs-*"]
    objects = bodies["/_dashboards/api/saved_objects/_import"].decode().split("\r\n\r\n")[1].split("\r\n--")[0]
    assert {json.loads(line)["type"] for line in objects.strip().splitlines()} >= {
        "index-pattern",
        "search",
        "dashboard",
    }
    assert len(said) == 4


def test_a_policy_that_is_there_is_replaced_as_it_was_seen() -> None:
    with server({("GET", POLICY): (200, {"_seq_no": 7, "_primary_term": 2})}) as (domain, calls):
        search_contents.put_retention(domain)
    assert calls[-1][:2] == ("PUT", f"{POLICY}?if_seq_no=7&if_primary_term=2")


@pytest.mark.parametrize(
    ("call", "status", "body", "says"),
    [
        (("GET", POLICY), 500, {"message": "not now"}, "500.*not now"),
        (("PUT", "/_index_template/logs"), 403, {"message": "no permissions"}, "403.*no permissions.*master user"),
        (
            ("POST", "/_dashboards/api/saved_objects/_import"),
            200,
            {"success": False, "successCount": 1, "errors": [{"id": "changes"}]},
            "took 1.*changes",
        ),
    ],
)
def test_a_refusal_says_what_was_refused(call: tuple[str, str], status: int, body: Any, says: str) -> None:
    with server({call: (status, body)}) as (domain, _), pytest.raises(SearchError, match=says):
        search_contents.put_all(domain, ROLE, lambda _: None)


def test_a_domain_of_aws_is_asked_with_a_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def urlopen(request: Any, timeout: float) -> Any:
        sent.append(request)
        raise TimeoutError

    monkeypatch.setattr(search_contents.urllib.request, "urlopen", urlopen)
    domain = replace(Domain("https://d.us-east-1.es.amazonaws.com", "us-east-1"), credentials=Credentials("AKID", "s"))
    with pytest.raises(TimeoutError):
        search_contents.put_template(domain)
    (request,) = sent
    assert request.get_header("Authorization").startswith("AWS4-HMAC-SHA256 Credential=AKID/")
