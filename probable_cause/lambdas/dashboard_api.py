"""The dashboard's API. `respond` is all of it, over any kind of tables; `handler` puts it behind API Gateway.

    GET  /api/applications               every application, what hurts most first
    GET  /api/applications/{id}          one application, judged now
    GET  /api/applications/{id}/history  its past records and beliefs
    POST /api/applications/{id}/act      acknowledge, resolve, reopen
    GET  /api/operations                 the job: heartbeat, lag, rejects
    GET  /api/health                     flat rows for Grafana
    GET  /api/badge/{id}.svg             a status badge

Every GET has an ETag over its content. What time alone changes is not in the content: `X-Now` and `X-Job-Seen-At`
are headers, also of a 304. Nobody without a known identity gets anything (401).
"""

from __future__ import annotations

import base64
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from probable_cause.clock import wall_clock
from probable_cause.dashboard import actions, detail, operations, overview
from probable_cause.dashboard.http import Request, Response, answer, refusal, revalidated
from probable_cause.state.moments import to_text
from probable_cause.state.tables import Table, Tables
from probable_cause.verdict import VerdictModel
from probable_cause.verdict.model import DEFAULT

_APPLICATIONS = "/api/applications"
_SCAN_SHARED = 0.5  # seconds
_BODY = 16 * 1024  # bytes of a request; an action with its reason needs a tenth


def respond(
    request: Request, tables: Tables, now: datetime, actor: str | None, model: VerdictModel = DEFAULT
) -> Response:
    """The response to one request.

    Args:
        now: the instant that verdicts are judged at, aware UTC.
        actor: who asks, as authenticated; None: nobody known, and the answer is 401.
    """
    if actor is None:
        return refusal(401, "This needs a valid token. Open the link that the program printed, or sign in again.")
    if request.method == "POST":
        return _post(request, tables, now, actor, model)
    if request.method not in ("GET", "HEAD"):
        return refusal(405, f"{request.method} is not offered here; GET and POST are.")
    beat = operations.heartbeat(tables)
    headers = {"X-Now": to_text(now), "X-Actor": quote(actor)}
    if "JobSeenAt" in beat:
        headers["X-Job-Seen-At"] = beat["JobSeenAt"]
    return revalidated(request, _get(request.path, tables, now, model, beat)).with_headers(headers)


def _get(path: str, tables: Tables, now: datetime, model: VerdictModel, beat: Mapping[str, Any]) -> Response:
    if path == _APPLICATIONS:
        return answer({"applications": overview.rows(tables.states.scan(), now)})
    if path == "/api/operations":
        return answer(operations.operations(tables))
    if path == "/api/health":
        return answer(operations.health(overview.rows(tables.states.scan(), now), beat))
    if path.startswith("/api/badge/") and path.endswith(".svg"):
        application_id = unquote(path[len("/api/badge/") : -len(".svg")])
        current = detail.current_items(tables, application_id)
        word = overview.row(application_id, current)["health"] if current else "unknown"
        return Response(200, operations.badge(application_id, word), "image/svg+xml")
    application_id, rest = _application(path)
    if application_id and rest == "":
        found = detail.application(tables, application_id, now, model)
        return answer(found) if found else _unknown(application_id)
    if application_id and rest == "history":
        return answer(detail.history(tables, application_id))
    return refusal(404, f"{path} is no address of this API.")


def _post(request: Request, tables: Tables, now: datetime, actor: str, model: VerdictModel) -> Response:
    application_id, rest = _application(request.path)
    if not application_id or rest != "act":
        return refusal(404, f"{request.path} takes no POST.")
    # A form of another site can't send this type without asking first: together with the token in a header it makes
    # cross-site requests impossible.
    if not request.headers.get("content-type", "").startswith("application/json"):
        return refusal(415, "Send application/json.")
    if len(request.body) > _BODY:
        return refusal(413, f"The request is longer than {_BODY} bytes.")
    return actions.act(tables, application_id, request.body, now, actor, model)


def _application(path: str) -> tuple[str, str]:
    """Application id and what follows it: "", "history" or "act". Ids may hold slashes, encoded or not."""
    if not path.startswith(_APPLICATIONS + "/"):
        return "", ""
    rest = path[len(_APPLICATIONS) + 1 :]
    for suffix in ("history", "act"):
        if rest.endswith("/" + suffix):
            return unquote(rest[: -len(suffix) - 1]), suffix
    return unquote(rest), ""


def _unknown(application_id: str) -> Response:
    return refusal(404, f"Nothing is known of an application {application_id!r}: no event of interest named it yet.")


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """For API Gateway HTTP API (payload 2.0) behind its JWT authoriser.

    Environment: `TABLE_PREFIX`, `VERDICT_MODEL` (JSON, conf `verdict:`), `AWS_REGION` (set by Lambda), and
    `AWS_ENDPOINT_URL` for an emulator.
    """
    request = _request(event)
    response = respond(request, _tables(), wall_clock(), _actor(event), _model()).compressed_for(request)
    return {
        "statusCode": response.status,
        "headers": {"Content-Type": response.content_type, "X-Content-Type-Options": "nosniff", **response.headers},
        "body": base64.b64encode(response.body).decode("ascii"),
        "isBase64Encoded": True,
    }


def _request(event: Mapping[str, Any]) -> Request:
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode("utf-8", "replace")
    http = event["requestContext"]["http"]
    # A named stage is part of rawPath; the site calls through $default or CloudFront.
    path = event.get("rawPath") or http["path"]
    stage = event["requestContext"].get("stage", "$default")
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Request(http["method"], path.removeprefix(f"/{stage}"), headers, body)


def _actor(event: Mapping[str, Any]) -> str | None:
    """Who the JWT authoriser let in: the e-mail address, else the user name, else the subject."""
    claims = event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims", {})
    found = next((claims[name] for name in ("email", "username", "sub") if claims.get(name)), None)
    return str(found) if found else None


class RecentScan:
    """A table whose scan is shared by all who ask within `seconds`: ten open pages cost as much as one."""

    def __init__(self, table: Table, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._table, self._seconds, self._monotonic = table, seconds, monotonic
        self._items: list[dict[str, Any]] = []
        self._at = -math.inf

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def scan(self) -> list[dict[str, Any]]:
        if self._monotonic() - self._at >= self._seconds:
            self._items = self._table.scan()
            self._at = self._monotonic()
        return self._items


@lru_cache(maxsize=1)
def _tables() -> Tables:
    from probable_cause.state.dynamodb import connect  # here: the tests of `respond` need no boto3

    region = os.environ.get("AWS_REGION", "us-east-1")
    tables = connect(region, os.environ.get("AWS_ENDPOINT_URL"), os.environ.get("TABLE_PREFIX", ""))
    return replace(tables, states=RecentScan(tables.states, _SCAN_SHARED))


@lru_cache(maxsize=1)
def _model() -> VerdictModel:
    return DEFAULT.with_overrides(json.loads(os.environ.get("VERDICT_MODEL", "{}")))
