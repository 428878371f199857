"""The Lambda behind the state table's stream, and behind the queue of applications to look at again.

Environment: `TABLE_PREFIX`; `SENT_TABLE` (name of the table SentTransitions); any of `EVENT_BUS`, `TOPIC_ARN`,
`WEBHOOK_SECRET` (Secrets Manager: {"url", "format": "plain" or "slack", "key"}); `DEAD_LETTERS` and `LOOK_AGAIN`
(queue URLs); `DASHBOARD_URL`; `AWS_REGION` (set by Lambda) and `AWS_ENDPOINT_URL` for an emulator.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from probable_cause.clock import wall_clock
from probable_cause.errors import ProbableCauseError
from probable_cause.lambdas.responder import snapshot
from probable_cause.lambdas.responder.channels import Channel, EventBridge, Topic, Webhook
from probable_cause.lambdas.responder.quiet import Limits
from probable_cause.lambdas.responder.respond import Responder
from probable_cause.lambdas.responder.told import SENT, Options
from probable_cause.state.dynamodb import DynamoDBTable, client, connect, plain_item
from probable_cause.state.state_record import OVERALL, current_key
from probable_cause.state.tables import Table

log = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answers with the records that are to come again (partial batch response), for a stream and for a queue."""
    failures = []
    failed: set[str] = set()
    for record in event["Records"]:
        queued = record.get("eventSource") == "aws:sqs"
        application_id = record["body"] if queued else record["dynamodb"]["Keys"]["ApplicationId"]["S"]
        if application_id in failed:  # order: nothing of it before what failed; Lambda sends all of it again
            continue
        try:
            if queued:
                _look_again(application_id)
            else:
                _of_stream(record)
        except ProbableCauseError as exc:
            log.warning("%s comes again: %s", application_id, exc)
            failed.add(application_id)
            failures.append(record["messageId"] if queued else record["dynamodb"]["SequenceNumber"])
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failures]}


def _of_stream(record: Mapping[str, Any]) -> None:
    images = record["dynamodb"]
    try:
        now = _snapshot(images.get("NewImage"))
    except (KeyError, ValueError, TypeError) as exc:
        # It will never be read better: kept aside, so that the stream goes on.
        _responder().give_up({"reason": f"unreadable image: {exc!r}", "keys": images.get("Keys")})
        return
    if now is None:
        return
    old = None
    with contextlib.suppress(KeyError, ValueError, TypeError):  # only newest counts are taken from it
        old = _snapshot(images.get("OldImage"))
    _responder().respond(now, old)


def _snapshot(image: Mapping[str, Any] | None) -> snapshot.Snapshot | None:
    return snapshot.of_item(plain_item(dict(image))) if image else None


def _look_again(application_id: str) -> None:
    item = _states().get({"ApplicationId": application_id, "StateKey": current_key(OVERALL)})
    now = snapshot.of_item(item) if item else None
    if now is not None:
        _responder().respond(now, look_again=wall_clock())


def _client(service: str) -> Any:
    return client(service, os.environ.get("AWS_REGION", "us-east-1"), os.environ.get("AWS_ENDPOINT_URL"))


@lru_cache(maxsize=1)
def _states() -> Table:
    region = os.environ.get("AWS_REGION", "us-east-1")
    return connect(region, os.environ.get("AWS_ENDPOINT_URL"), os.environ.get("TABLE_PREFIX", "")).states


@lru_cache(maxsize=1)
def _responder() -> Responder:
    sent = DynamoDBTable(_client("dynamodb"), SENT)
    sent.name = os.environ["SENT_TABLE"]
    channels = _channels()
    dead_letters, again = os.environ["DEAD_LETTERS"], os.environ.get("LOOK_AGAIN")
    queues = _client("sqs")
    limits = Limits()

    def give_up(document: dict[str, Any]) -> None:
        queues.send_message(QueueUrl=dead_letters, MessageBody=json.dumps(document, ensure_ascii=True))

    def later(application_id: str) -> None:
        seconds = int(limits.window.total_seconds())
        queues.send_message(QueueUrl=again, MessageBody=application_id, DelaySeconds=seconds)

    options = Options(tuple(channels), limits if again else None, os.environ.get("DASHBOARD_URL") or None)
    return Responder(sent, channels, options, give_up, later if again else None)


def _channels() -> dict[str, Channel]:
    channels: dict[str, Channel] = {}
    if bus := os.environ.get("EVENT_BUS"):
        channels["eventbridge"] = EventBridge(_client("events"), bus)
    if topic := os.environ.get("TOPIC_ARN"):
        channels["sns"] = Topic(_client("sns"), topic)
    if secret := os.environ.get("WEBHOOK_SECRET"):
        told = json.loads(_client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
        channels["webhook"] = Webhook(told["url"], told.get("format", "plain"), told.get("key"))
    return channels
