"""The Lambda behind the Kinesis stream.

Environment: `OPENSEARCH_URL`; `DEAD_LETTERS` (queue URL); `LOG_GROUPS`, JSON of conf `log_groups:` (absent: the
defaults); `AWS_REGION` (set by Lambda) and `AWS_ENDPOINT_URL` for an emulator. Requests to https are signed.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from probable_cause.errors import ProbableCauseError
from probable_cause.lambdas.log_indexer import bulk
from probable_cause.lambdas.log_indexer.documents import Document, documents
from probable_cause.routing import Routing
from probable_cause.state.dynamodb import client

log = logging.getLogger(__name__)
_ATTEMPTS = 4  # of one request's items; then the record comes again
_SECONDS = 30.0
_LETTER = 200 * 1024  # bytes of one message; SQS takes 256 KiB
# The order of conf/default.yml, without what only a deployment knows.
_GROUPS = (
    ("(?i)cloudtrail|/trail", "cloudtrail", None, None),
    ("(?i)config", "aws_config", None, None),
    ("(?i)(vpc|flow)", "vpc_flow", None, None),
    ("^/app/(?P<application_id>[^/]+)", "application", None, None),
    (".", "application", None, None),
)


class BusyError(ProbableCauseError):
    """OpenSearch takes nothing now."""


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Indexes a batch. When OpenSearch is busy, answers with the first record that is to come again: its lines replace
    themselves, so that those which were indexed do not double."""
    records = event["Records"]
    decoded = [
        (
            base64.b64decode(one["kinesis"]["data"]),
            datetime.fromtimestamp(one["kinesis"]["approximateArrivalTimestamp"], UTC),
            one["kinesis"]["sequenceNumber"],
        )
        for one in records
    ]
    try:
        index(documents(decoded, _routing()))
    except BusyError as exc:
        log.warning("%d records come again: %s", len(records), exc)
        return {"batchItemFailures": [{"itemIdentifier": records[0]["kinesis"]["sequenceNumber"]}]}
    return {"batchItemFailures": []}


def index(found: Iterable[Document]) -> None:
    """Sends all documents; items that pass are sent again, those that never will go to the dead-letter queue.

    Raises:
        BusyError: some were not taken after all attempts.
    """
    for sent, body in bulk.requests(found):
        waiting, request = sent, body
        for attempt in range(_ATTEMPTS):
            waiting, refused = bulk.outcome(waiting, _post(request))
            for document, reason in refused:
                _give_up(document, reason)
            if not waiting:
                break
            time.sleep(random.uniform(0, 0.2 * 2**attempt))  # noqa: S311 - jitter
            request = b"".join(part for _, part in bulk.requests(waiting))
        else:
            raise BusyError(f"{len(waiting)} of {len(sent)} documents were not taken")


def _post(body: bytes) -> dict[str, Any]:
    url = os.environ["OPENSEARCH_URL"].rstrip("/") + "/_bulk"
    request = urllib.request.Request(url, body, _headers(url, body), method="POST")  # noqa: S310 - our own setting
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return dict(json.load(answer))
    except urllib.error.HTTPError as exc:
        with exc:
            raise BusyError(f"OpenSearch answered {exc.code}") from exc
    except (OSError, ValueError) as exc:
        raise BusyError(f"OpenSearch can't be reached: {exc}") from exc


def _headers(url: str, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/x-ndjson"}
    if urlsplit(url).scheme != "https":
        return headers
    request = AWSRequest("POST", url, headers, body)
    credentials = botocore.session.get_session().get_credentials()
    SigV4Auth(credentials, "es", os.environ.get("AWS_REGION", "us-east-1")).add_auth(request)
    return dict(request.headers.items())


def _give_up(document: Document, reason: str) -> None:
    told = {"reason": reason, "index": document.index, "id": document.id, "document": document.body}
    text = json.dumps(told)
    if len(text) > _LETTER:
        text = json.dumps({**told, "document": None, "cut": json.dumps(document.body)[: _LETTER // 2]})
    region, url = os.environ.get("AWS_REGION", "us-east-1"), os.environ.get("AWS_ENDPOINT_URL")
    client("sqs", region, url).send_message(QueueUrl=os.environ["DEAD_LETTERS"], MessageBody=text)


@lru_cache(maxsize=1)
def _routing() -> Routing:
    told = os.environ.get("LOG_GROUPS")
    if not told:
        return Routing(_GROUPS)
    groups = ((one["pattern"], one["family"], one.get("format"), one.get("application_id")) for one in json.loads(told))
    return Routing(tuple(groups))
