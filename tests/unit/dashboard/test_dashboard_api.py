"""The API's answers over tables in memory: what it shows, whom it refuses, and that nobody overwrites anybody."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from probable_cause.dashboard.http import Request, Response
from probable_cause.lambdas import dashboard_api
from probable_cause.lambdas.dashboard_api import respond
from probable_cause.state.application import load_events
from probable_cause.state.memory import MemoryTable
from probable_cause.state.tables import Write
from probable_cause.verdict.types import LAYERS
from tests.unit.dashboard.dashboard_scenes import (
    HOSTILE,
    NOON,
    Scene,
    change,
    deferral,
    errors,
    incident,
    many,
    recovered,
    refused,
)

REVOKE = "network#RevokeSecurityGroupIngress on sg-0a1b2c3d#1"
JSON_TYPE = {"content-type": "application/json"}


def get(scene: Scene, path: str, actor: str | None = "robin", **headers: str) -> Response:
    return respond(Request("GET", path, headers), scene.tables, scene.now, actor)


def post(scene: Scene, path: str, body: Any, actor: str | None = "robin", headers: Any = JSON_TYPE) -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return respond(Request("POST", path, headers, text), scene.tables, scene.now, actor)


def act(scene: Scene, actor: str = "robin", application_id: str = "shop", **asked: Any) -> Response:
    return post(scene, f"/api/applications/{application_id}/act", asked, actor)


# --- who is let in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/api/applications", "/api/applications/shop", "/api/applications/shop/history", "/api/operations", "/api/health",
     "/api/badge/shop.svg", "/api/nothing"],
)  # fmt: skip
def test_nobody_unknown_gets_anything(path: str) -> None:
    scene = incident()
    refused_answer = get(scene, path, actor=None)
    assert refused_answer.status == 401
    assert b"shop" not in refused_answer.body and "ETag" not in refused_answer.headers


def test_nobody_unknown_changes_anything() -> None:
    scene = incident()
    before = scene.tables.events.scan()
    answer = post(scene, "/api/applications/shop/act", {"event_key": REVOKE, "action": "resolve"}, actor=None)
    assert answer.status == 401
    assert scene.tables.events.scan() == before


# --- overview ------------------------------------------------------------------------------------------------------


def test_overview_shows_every_application_what_hurts_most_first() -> None:
    scene = recovered(deferral(incident()))
    rows = get(scene, "/api/applications").json()["applications"]
    # Both are failing; nobody is on shop yet, and search has recovered.
    assert [(row["application_id"], row["health"]) for row in rows] == [
        ("shop", "failing"),
        ("checkout", "failing"),
        ("search", "healthy"),
    ]
    shop, checkout = rows[0], rows[1]
    assert shop["root_cause"]["summary"] == "RevokeSecurityGroupIngress on sg-0a1b2c3d"
    assert shop["root_cause"]["actor"] == "dana"
    assert shop["root_cause"]["status"] == "open"
    assert 0.5 < shop["root_cause"]["confidence"] <= 1
    assert set(shop["layers"]) == set(LAYERS)
    assert shop["accounts"] == ["123456789012"]
    assert checkout["layers"]["network"]["deferred_from"] == "cloudsystem"
    assert checkout["root_cause"]["status"] == "acknowledged" and checkout["root_cause"]["status_by"] == "robin"


def test_overview_carries_what_the_page_draws_decay_from() -> None:
    row = get(incident(), "/api/applications").json()["applications"][0]
    for event in (row["root_cause"], row["layers"]["network"]["event"]):
        assert event["relevance"] == 8.0
        assert event["half_life_seconds"] == 24 * 3600
        assert event["window_seconds"] == 72 * 3600
        assert event["first_seen"] == event["last_seen"] == "2026-03-01T11:48:00.000Z"
        assert event["count"] == 1


def test_overview_holds_no_log_line() -> None:
    scene = incident()
    assert b"original line" not in get(scene, "/api/applications").body
    assert b"hikari" not in get(scene, "/api/applications").body


def test_overview_of_empty_tables_is_an_empty_list() -> None:
    assert get(Scene(), "/api/applications").json() == {"applications": []}


def test_the_job_s_own_items_are_no_application() -> None:
    scene = Scene()
    scene.tables.states.apply(Write({"ApplicationId": "(job)", "StateKey": "overall#current"}, {"Health": "failing"}))
    assert get(scene, "/api/applications").json() == {"applications": []}


def test_order_follows_the_relevance_of_now() -> None:
    scene = Scene()
    for name, relevance, minutes in (("old-strong", 9.0, 300), ("new-weak", 6.5, 10)):
        at = NOON - timedelta(minutes=minutes)
        scene.see(name, errors(name, at, 5, relevance=relevance, window_seconds=24 * 3600))
    names = [row["application_id"] for row in get(scene, "/api/applications").json()["applications"]]
    assert names == ["new-weak", "old-strong"]


def test_500_applications_are_one_answer_under_100_kb_on_the_wire() -> None:
    scene = many(500)
    request = Request("GET", "/api/applications", {"accept-encoding": "gzip, br"})
    answer = respond(request, scene.tables, scene.now, "robin").compressed_for(request)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.body) < 100_000
    rows = json.loads(gzip.decompress(answer.body))["applications"]
    assert len(rows) == 500
    order = ["failing", "degraded", "healthy"]
    assert [order.index(row["health"]) for row in rows] == sorted(order.index(row["health"]) for row in rows)


# --- one application -----------------------------------------------------------------------------------------------


def test_application_tells_why() -> None:
    told = get(incident(), "/api/applications/shop").json()
    cause = told["root_cause"]
    assert told["health"] == "failing"
    assert cause["event_key"] == REVOKE
    assert [rival["event_key"] for rival in cause["rivals"]] == [
        "cloudsystem#RebootInstances on i-0abc12def#1",
        "application#deploy#1",
    ]
    assert all(rival["why_lower"] for rival in cause["rivals"])
    assert cause["gaps"]
    assert cause["proposed_inverse"]["call"]["operation"] == "AuthorizeSecurityGroupIngress"
    assert cause["ledger"] == {
        "event": "2026-03-01T11:48:00.000Z",
        "delivered": "2026-03-01T11:48:01.200Z",
        "arrived": "2026-03-01T11:48:01.600Z",
        "processed": "2026-03-01T11:48:03.600Z",
        "written": "2026-03-01T11:48:03.600Z",
    }


def test_every_sentence_leads_to_an_original_line() -> None:
    told = get(incident(), "/api/applications/shop").json()
    by_id = {event_id: event for event in told["events"] for event_id in event["event_ids"]}
    for sentence in told["root_cause"]["evidence"]:
        lines = [by_id[one]["message"] for one in sentence["event_ids"]]
        assert lines and all(lines)


def test_counts_and_times_are_the_table_s() -> None:
    events = {one["event_key"]: one for one in get(incident(), "/api/applications/shop").json()["events"]}
    rejects = events["network#REJECT 10.0.1.10#1"]
    assert rejects["count"] == sum(20 + minute % 4 for minute in range(10))
    assert rejects["first_seen"] == "2026-03-01T11:49:00.000Z"
    assert rejects["last_seen"] == "2026-03-01T11:58:55.000Z"


def test_verdict_is_judged_live_and_nothing_is_written() -> None:
    scene = incident()
    states, events = scene.tables.states, scene.tables.events
    assert isinstance(states, MemoryTable) and isinstance(events, MemoryTable)
    before = states.writes, events.writes
    scene.now += timedelta(hours=7)  # symptoms' window has passed; no event came, and no sweep ran
    assert get(scene, "/api/applications/shop").json()["health"] == "healthy"
    get(scene, "/api/applications")
    get(scene, "/api/applications/shop/history")
    assert (states.writes, events.writes) == before


def test_an_unknown_application_is_404_with_a_sentence() -> None:
    answer = get(incident(), "/api/applications/nothing%20here")
    assert answer.status == 404
    assert "nothing here" in answer.json()["error"]


@pytest.mark.parametrize("name", ["a/b", "team a", "ü-α", "x%y", "app#1", "history", "act"])
def test_any_name_of_an_application_can_be_addressed(name: str) -> None:
    scene = Scene()
    scene.see(name, errors(name, NOON - timedelta(minutes=5), 3))
    quoted = name.encode().hex("%")
    found = get(scene, f"/api/applications/%{quoted}")
    assert found.json()["application_id"] == name
    assert get(scene, f"/api/applications/%{quoted}/history").json()["records"][0]["event_type"] == "application"


def test_history_is_newest_first_and_says_what_was_believed() -> None:
    past = get(recovered(), "/api/applications/search/history").json()
    assert [one["health"] for one in past["beliefs"]][-3:] == ["healthy", "failing", "healthy"][-3:]
    assert [one["since"] for one in past["beliefs"]] == sorted((b["since"] for b in past["beliefs"]), reverse=True)
    assert [one["since"] for one in past["records"]] == sorted((r["since"] for r in past["records"]), reverse=True)
    deferred = [one for one in past["records"] if one["deferred_from"] == "cloudsystem"]
    assert deferred[0]["until"] is not None


# --- hostile text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines_come_through_whole_and_as_json_text(name: str) -> None:
    scene = Scene()
    line = HOSTILE[name]
    scene.see("shop", errors("shop", NOON - timedelta(minutes=2), 2, message=line, summary=line[:200], actor=line[:50]))
    answer = get(scene, "/api/applications/shop")
    assert answer.content_type.startswith("application/json")
    assert answer.json()["events"][0]["message"] == line


def test_a_lone_surrogate_does_not_break_the_answer() -> None:
    scene = Scene()
    scene.see("shop", errors("shop", NOON - timedelta(minutes=2), 2, message="half \ud83d of a smile"))
    answer = get(scene, "/api/applications/shop")
    assert answer.status == 200
    json.loads(answer.body.decode("utf-8"))


def test_a_badge_is_escaped() -> None:
    scene = Scene()
    name = '"><script>alert(1)</script>&'
    scene.see(name, errors(name, NOON - timedelta(minutes=2), 9))
    quoted = "%" + name.encode().hex("%")
    badge = get(scene, f"/api/badge/{quoted}.svg")
    assert badge.content_type == "image/svg+xml"
    assert b"<script" not in badge.body and b"&lt;script" in badge.body and b"failing" in badge.body


def test_a_badge_of_an_unknown_application_says_unknown() -> None:
    assert b"unknown" in get(Scene(), "/api/badge/none.svg").body


# --- ETag ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/applications", "/api/applications/shop", "/api/operations", "/api/health"])
def test_an_unchanged_answer_is_304_with_the_time_of_now(path: str) -> None:
    scene = incident()
    first = get(scene, path)
    scene.now += timedelta(seconds=1)
    second = get(scene, path, **{"if-none-match": first.headers["ETag"]})
    assert (second.status, second.body) == (304, b"")
    assert second.headers["X-Now"] == "2026-03-01T12:00:01.000Z"
    weak = get(scene, path, **{"if-none-match": f'"other", W/{first.headers["ETag"]}'})
    assert weak.status == 304


def test_a_changed_table_is_200() -> None:
    scene = incident()
    tag = get(scene, "/api/applications/shop").headers["ETag"]
    scene.now += timedelta(seconds=5)
    scene.see("shop", refused("shop", scene.now - timedelta(seconds=3), 2))
    answer = get(scene, "/api/applications/shop", **{"if-none-match": tag})
    assert answer.status == 200 and answer.headers["ETag"] != tag


# --- acting --------------------------------------------------------------------------------------------------------


def test_acknowledging_changes_the_table_and_the_next_verdict() -> None:
    scene = incident()
    answer = act(scene, event_key=REVOKE, action="acknowledge", reason="on it", seen_status="open")
    assert answer.status == 200, answer.json()
    event = load_events(scene.tables, "shop")[REVOKE].event
    assert (event.status, event.status_by, event.status_at, event.status_reason) == (
        "acknowledged", "robin", scene.now, "on it",
    )  # fmt: skip
    row = get(scene, "/api/applications").json()["applications"][0]
    # An open cause that reaches the threshold ranks before an acknowledged one.
    assert row["root_cause"]["event_key"] == "cloudsystem#RebootInstances on i-0abc12def#1"
    assert row["layers"]["network"]["event"]["status"] == "acknowledged"


def test_resolving_then_reopening() -> None:
    scene = incident()
    assert act(scene, event_key=REVOKE, action="resolve").status == 200
    told = get(scene, "/api/applications/shop").json()
    assert REVOKE not in [one["event_key"] for one in told["ranking"]]
    assert next(one for one in told["events"] if one["event_key"] == REVOKE)["status"] == "resolved"
    assert act(scene, event_key=REVOKE, action="reopen", seen_status="resolved").status == 200
    assert get(scene, "/api/applications/shop").json()["root_cause"]["event_key"] == REVOKE


def test_the_second_of_two_people_sees_the_first_s_action() -> None:
    scene = incident()
    assert act(scene, "dana", event_key=REVOKE, action="acknowledge", reason="mine", seen_status="open").status == 200
    before = scene.tables.events.scan(), scene.tables.states.scan()
    answer = act(scene, "robin", event_key=REVOKE, action="resolve", reason="done", seen_status="open")
    assert answer.status == 409
    told = answer.json()
    assert "dana acknowledged this" in told["error"]
    assert (told["event"]["status_by"], told["event"]["status_reason"]) == ("dana", "mine")
    assert (scene.tables.events.scan(), scene.tables.states.scan()) == before


def test_the_same_word_set_again_by_another_person_is_a_conflict_too() -> None:
    scene = incident()
    act(scene, "dana", event_key=REVOKE, action="acknowledge")
    seen_at = load_events(scene.tables, "shop")[REVOKE].event.status_at
    scene.now += timedelta(seconds=9)
    act(scene, "sam", event_key=REVOKE, action="reopen")
    act(scene, "sam", event_key=REVOKE, action="acknowledge")
    assert seen_at is not None
    stale = act(
        scene, event_key=REVOKE, action="resolve", seen_status="acknowledged", seen_status_at="2026-03-01T12:00:00.000Z"
    )
    assert stale.status == 409


def test_a_write_between_look_and_action_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other person's write lands after the API has read the item: only the condition on the write can see it."""
    scene = incident()
    table = scene.tables.events
    apply = table.apply

    def raced(write: Write) -> bool:
        monkeypatch.undo()
        act(scene, "dana", event_key=REVOKE, action="acknowledge", reason="first")
        return apply(write)

    monkeypatch.setattr(table, "apply", raced)
    answer = act(scene, "robin", event_key=REVOKE, action="resolve")
    assert answer.status == 409 and "dana" in answer.json()["error"]
    assert load_events(scene.tables, "shop")[REVOKE].event.status == "acknowledged"


def test_acting_by_layer_takes_what_it_shows() -> None:
    scene = incident()
    answer = act(scene, event_type="cloudsystem", action="acknowledge")
    assert answer.json()["event"]["event_key"] == "cloudsystem#RebootInstances on i-0abc12def#1"
    by_cause = act(scene, event_type="network", cause="RevokeSecurityGroupIngress on sg-0a1b2c3d", action="acknowledge")
    assert by_cause.json()["event"]["event_key"] == REVOKE


def test_what_config_recorded_of_the_same_change_follows() -> None:
    scene = incident()
    item = change(
        "shop", "network", "ConfigurationItem", "sg-0a1b2c3d", NOON - timedelta(minutes=11), family="aws_config",
        actor=None, actor_type=None, message="{}",
    )  # fmt: skip
    scene.see("shop", item)
    answer = act(scene, event_key=REVOKE, action="acknowledge")
    assert answer.json()["also"] == ["network#ConfigurationItem on sg-0a1b2c3d#1"]
    told = get(scene, "/api/applications/shop").json()
    assert told["root_cause"]["event_key"] != "network#ConfigurationItem on sg-0a1b2c3d#1"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("{", 400, "not JSON"),
        ("[]", 400, "object"),
        ({"event_key": REVOKE}, 400, "acknowledge, resolve, reopen"),
        ({"event_key": REVOKE, "action": "delete"}, 400, "'delete'"),
        ({"event_key": REVOKE, "action": "resolve", "reason": 7}, 400, "reason must be text"),
        ({"event_key": {"$ne": 1}, "action": "resolve"}, 400, "event_key must be text"),
        ({"action": "resolve", "event_type": "database"}, 400, "application, network, cloudsystem"),
        ({"action": "resolve"}, 400, "event_key"),
        ({"event_key": "network#none#1", "action": "resolve"}, 404, "no such event"),
        ({"event_type": "network", "cause": "none", "action": "resolve"}, 404, "no such event"),
        ({"event_key": REVOKE, "action": "resolve", "reason": "x" * 20000}, 413, "16384 bytes"),
    ],
)
def test_a_wrong_action_is_refused_with_its_reason_and_changes_nothing(body: Any, status: int, says: str) -> None:
    scene = incident()
    before = scene.tables.events.scan()
    answer = post(scene, "/api/applications/shop/act", body)
    assert (answer.status, says in answer.json()["error"]) == (status, True), answer.json()
    assert scene.tables.events.scan() == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_of_another_site_is_refused(kind: str) -> None:
    scene = incident()
    body = {"event_key": REVOKE, "action": "resolve"}
    assert post(scene, "/api/applications/shop/act", body, headers={"content-type": kind}).status == 415


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/applications", 404),
        ("POST", "/api/operations", 404),
        ("POST", "/api/applications/shop", 404),
        ("DELETE", "/api/applications/shop", 405),
        ("PUT", "/api/applications/shop/act", 405),
        ("GET", "/api/applicationsX", 404),
        ("GET", "/api/", 404),
    ],
)
def test_what_is_not_offered(method: str, path: str, status: int) -> None:
    answer = respond(Request(method, path, JSON_TYPE, "{}"), incident().tables, NOON, "robin")
    assert answer.status == status and answer.json()["error"]


def test_a_reason_is_cut_and_text_stays_text() -> None:
    scene = incident()
    act(scene, event_key=REVOKE, action="acknowledge", reason="  <b>" + "x" * 600)
    reason = load_events(scene.tables, "shop")[REVOKE].event.status_reason
    assert reason is not None and len(reason) == 500 and reason.startswith("<b>x")


# --- the job and Grafana ----------------------------------------------------------------------------------------


def test_operations_tell_lag_and_rejects() -> None:
    scene = incident()
    beat = {
        "JobSeenAt": "2026-03-01T11:59:59.000Z",
        "BatchId": 7,
        "Lines": {"vpc_flow": 10},
        "Rejects": {"application/not_json": 2, "vpc_flow/bad_field_count": 5},
        "Lag": {"shardId-1": 1500, "shardId-0": 200},
    }
    scene.tables.states.apply(Write({"ApplicationId": "(job)", "StateKey": "heartbeat"}, beat))
    answer = get(scene, "/api/operations")
    told = answer.json()
    assert told["lag_ms"] == {"shardId-0": 200, "shardId-1": 1500}
    assert told["rejects"] == [
        {"family": "vpc_flow", "reason": "bad_field_count", "count": 5},
        {"family": "application", "reason": "not_json", "count": 2},
    ]
    assert answer.headers["X-Job-Seen-At"] == "2026-03-01T11:59:59.000Z"
    health = get(scene, "/api/health").json()
    assert health["job"] == {"seen_at": "2026-03-01T11:59:59.000Z", "lag_ms_max": 1500, "rejects": 7}
    assert health["applications"][0]["level"] == 2 and health["applications"][0]["application"] == "shop"


def test_operations_before_the_first_batch() -> None:
    told = get(Scene(), "/api/operations").json()
    assert told["job_seen_at"] is None and told["lag_ms"] == {} and told["rejects"] == []


# --- behind API Gateway -----------------------------------------------------------------------------------------


def gateway(path: str, claims: dict[str, str] | None = None, stage: str = "$default", **more: Any) -> dict[str, Any]:
    context: dict[str, Any] = {"http": {"method": more.pop("method", "GET"), "path": path}, "stage": stage}
    if claims is not None:
        context["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    fixed = {"version": "2.0", "rawPath": path, "headers": {}, "isBase64Encoded": False}
    return {**fixed, "requestContext": context, **more}


@pytest.fixture
def behind_gateway(monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = incident()
    monkeypatch.setattr(dashboard_api, "_tables", lambda: scene.tables)
    monkeypatch.setattr(dashboard_api, "wall_clock", scene.clock)
    return scene


def body_of(answer: dict[str, Any]) -> Any:
    assert answer["isBase64Encoded"] is True
    raw = base64.b64decode(answer["body"])
    return json.loads(gzip.decompress(raw) if answer["headers"].get("Content-Encoding") == "gzip" else raw)


def test_gateway_without_claims_is_401(behind_gateway: Scene) -> None:
    assert dashboard_api.handler(gateway("/api/applications"), None)["statusCode"] == 401
    assert dashboard_api.handler(gateway("/api/applications", {}), None)["statusCode"] == 401


@pytest.mark.parametrize(
    ("claims", "who"),
    [
        ({"email": "robin@example.com", "sub": "1-2-3"}, "robin@example.com"),
        ({"username": "robin", "sub": "1-2-3"}, "robin"),
        ({"sub": "1-2-3"}, "1-2-3"),
    ],
)
def test_gateway_s_identity_is_the_actor(behind_gateway: Scene, claims: dict[str, str], who: str) -> None:
    body = base64.b64encode(json.dumps({"event_key": REVOKE, "action": "acknowledge"}).encode()).decode()
    event = gateway(
        "/prod/api/applications/shop/act", claims, "prod", method="POST", body=body, isBase64Encoded=True,
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    answer = dashboard_api.handler(event, None)
    assert answer["statusCode"] == 200, body_of(answer)
    assert load_events(behind_gateway.tables, "shop")[REVOKE].event.status_by == who


def test_pages_open_at_once_share_one_scan() -> None:
    scene = incident()
    clock = [0.0]
    table = dashboard_api.RecentScan(scene.tables.states, 0.5, lambda: clock[0])
    first = table.scan()
    scene.tables.states.apply(Write({"ApplicationId": "other", "StateKey": "overall#current"}, {"Health": "failing"}))
    assert table.scan() is first and table.get({"ApplicationId": "other", "StateKey": "overall#current"})
    clock[0] = 0.5
    assert len(table.scan()) == len(first) + 1


def test_gateway_compresses_for_those_who_take_it(behind_gateway: Scene) -> None:
    event = gateway("/api/applications/shop", {"sub": "1"}, headers={"Accept-Encoding": "gzip"})
    answer = dashboard_api.handler(event, None)
    assert answer["headers"]["Content-Encoding"] == "gzip"
    assert body_of(answer)["application_id"] == "shop"
