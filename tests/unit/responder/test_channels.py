"""The webhook over real HTTP, plain and as Slack; text of logs can't become markup."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from probable_cause.errors import ProbableCauseError
from probable_cause.lambdas.responder import slack
from probable_cause.lambdas.responder.channels import RefusedError, TryAgainError, Webhook
from probable_cause.lambdas.responder.told import Message
from tests.unit.responder.stories import Desk, Life
from tests.unit.verdict.events import cause, symptom


class Receiver(ThreadingHTTPServer):
    """Answers every POST with `status` and keeps it."""

    status = 200
    posts: list[tuple[dict[str, str], bytes]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((dict(self.headers.items()), body))
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver(("127.0.0.1", 0), Handler)
    server.posts = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def message(summary: str = "kim stopped i-1") -> Message:
    life = Life()
    life.sees(3, replace(cause("StopInstances", 0), summary=summary), symptom("connectivity", 2))
    desk = Desk(dashboard="https://page.example.org")
    desk.hears(life)
    return desk.channels["bus"].taken[-1]


def test_the_webhook_gets_the_document_signed_and_with_its_key(receiver: Receiver) -> None:
    sent = message()
    Webhook(receiver.url, key="secret").send(sent)
    ((headers, body),) = receiver.posts
    assert json.loads(body) == sent.body
    assert headers["Idempotency-Key"] == sent.id == sent.body["transition_id"]
    expected = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Probable-Cause-Signature"] == f"sha256={expected}"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, TryAgainError),
        (503, TryAgainError),
        (408, TryAgainError),
        (302, RefusedError),
        (400, RefusedError),
        (410, RefusedError),
    ],
)
def test_answers_that_are_no_success(receiver: Receiver, status: int, error: type[Exception]) -> None:
    receiver.status = status
    with pytest.raises(error, match=str(status)) as raised:
        Webhook(receiver.url).send(message())
    assert receiver.url not in str(raised.value)
    assert len(receiver.posts) == 1


def test_a_webhook_that_is_not_there_is_tried_again(receiver: Receiver) -> None:
    url = receiver.url
    receiver.server_close()
    with pytest.raises(TryAgainError):
        Webhook(url).send(message())


@pytest.mark.parametrize(
    ("url", "form"),
    [("http://example.org/x", "plain"), ("file:///etc/passwd", "plain"), ("https://example.org", "teams")],
)
def test_what_no_webhook_is(url: str, form: str) -> None:
    with pytest.raises(ProbableCauseError):
        Webhook(url, form)


def test_slack_gets_blocks_within_its_limits(receiver: Receiver) -> None:
    Webhook(receiver.url, "slack").send(message())
    content = json.loads(receiver.posts[0][1])
    text = content["blocks"][0]["text"]["text"]
    assert "kim stopped i-1" in text and "Root cause with confidence" in text and "healthy → failing" in text
    assert content["blocks"][1]["text"]["text"] == "<https://page.example.org/#/app/shop|Open the dashboard>"


def test_text_of_logs_is_no_markup_in_slack() -> None:
    content = slack.message(message("<!channel> *<https://evil.example|click>* `x`").body)
    told = content["text"] + content["blocks"][0]["text"]["text"]
    assert "<!channel>" not in told and "<https://evil" not in told and "&lt;!channel&gt;" in told
    long = slack.message(message("x" * 9000).body)
    assert all(len(block["text"]["text"]) <= 3000 for block in long["blocks"])
