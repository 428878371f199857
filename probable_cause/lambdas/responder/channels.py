"""Where documents go. Each channel sends one document or raises; the caller keeps order and tries again."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from probable_cause.errors import ProbableCauseError
from probable_cause.lambdas.responder import contract, slack
from probable_cause.lambdas.responder.told import Message

_SECONDS = 5.0  # a webhook that takes longer is tried again
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_REFUSED = {"MalformedDetail", "InvalidArgument", "InvalidParameter", "InvalidParameterValue", "ValidationException"}


class TryAgainError(ProbableCauseError):
    """The channel did not take the document now."""


class RefusedError(ProbableCauseError):
    """The channel will never take the document."""


class Channel(Protocol):
    def send(self, message: Message) -> None:
        """Raises TryAgainError or RefusedError."""


class EventBridge:
    """PutEvents on one bus: `source` probable-cause, `detail-type` Probable Cause <kind>."""

    def __init__(self, client: Any, bus: str) -> None:
        self._client, self._bus = client, bus

    def send(self, message: Message) -> None:
        body = message.body
        entry = {
            "Source": contract.SOURCE,
            "DetailType": contract.detail_type(body["transition"]),
            "Detail": contract.to_json(body),
            "EventBusName": self._bus,
            "Resources": [one for one in body["cause"]["resource_ids"] if one.startswith("arn:")][:10],
        }
        answer = _called("EventBridge", self._client.put_events, Entries=[entry])
        if answer.get("FailedEntryCount"):
            failed = answer["Entries"][0]
            _raise("EventBridge", str(failed.get("ErrorCode")), str(failed.get("ErrorMessage")))


class Topic:
    """SNS: JSON for machines, a sentence for e-mail and SMS, attributes to filter subscriptions by.

    A FIFO topic keeps the order of each application and drops what comes twice within 5 minutes.
    """

    def __init__(self, client: Any, arn: str) -> None:
        self._client, self._arn = client, arn

    def send(self, message: Message) -> None:
        body = message.body
        text = contract.to_json(body)
        words = contract.sentence(body)
        attributes = {
            "transition": body["transition"],
            "application_id": body["application_id"],
            "layer": body["layer"],
            "health": body["health"]["after"],
        }
        request: dict[str, Any] = {
            "TopicArn": self._arn,
            "Message": json.dumps({"default": text, "email": f"{words}\n\n{json.dumps(body, indent=2)}", "sms": words}),
            "MessageStructure": "json",
            # SNS takes printable ASCII, and at most 100 characters.
            "Subject": re.sub(r"[^\x20-\x7e]", "?", words)[:100].strip() or "Probable Cause",
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        }
        if self._arn.endswith(".fifo"):
            request["MessageGroupId"] = hashlib.sha256(body["application_id"].encode()).hexdigest()
            request["MessageDeduplicationId"] = message.id
        _called("SNS", self._client.publish, **request)


class Webhook:
    """POSTs the document, or its Slack form, as JSON over HTTPS. Redirects are not followed.

    With a `key`, the header X-Probable-Cause-Signature holds `sha256=` and the HMAC-SHA256 of the body in hex.
    """

    def __init__(self, url: str, form: str = "plain", key: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ProbableCauseError("the webhook's URL must begin with https://")
        if form not in ("plain", "slack"):
            raise ProbableCauseError(f"the webhook's format is {form!r}; allowed are plain and slack")
        self._url, self._form, self._key = url, form, key
        self._opener = urllib.request.build_opener(_NoRedirects)

    def send(self, message: Message) -> None:
        content: Mapping[str, Any] = slack.message(message.body) if self._form == "slack" else message.body
        data = contract.to_json(content).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.id}
        if self._key:
            headers["X-Probable-Cause-Signature"] = "sha256=" + hmac.digest(self._key.encode(), data, "sha256").hex()
        request = urllib.request.Request(self._url, data, headers, method="POST")  # noqa: S310 - checked above
        try:
            with self._opener.open(request, timeout=_SECONDS):
                return
        except urllib.error.HTTPError as exc:
            with exc:
                again = exc.code in (408, 425, 429) or exc.code >= 500
            raise (TryAgainError if again else RefusedError)(f"the webhook answered {exc.code}") from exc
        except OSError as exc:  # URLError and time-outs are; the URL is a secret and stays out of the log
            raise TryAgainError(f"the webhook can't be reached: {type(exc).__name__}") from exc


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _called(where: str, call: Any, **request: Any) -> dict[str, Any]:
    try:
        return dict(call(**request))
    except ClientError as exc:
        error = exc.response["Error"]
        _raise(where, error["Code"], error["Message"])
        raise AssertionError("unreachable") from exc
    except BotoCoreError as exc:
        raise TryAgainError(f"{where} can't be reached: {exc}") from exc


def _raise(where: str, code: str, text: str) -> None:
    # A missing permission or bus is repaired by people: it is tried until the record's age runs out.
    raise (RefusedError if code in _REFUSED else TryAgainError)(f"{where}: {code}: {text}")
