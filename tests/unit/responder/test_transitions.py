"""What becomes a transition, and of which kind; every document is valid by the published schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from probable_cause.lambdas.responder import contract, snapshot
from probable_cause.lambdas.responder.transitions import KINDS
from tests.unit.responder.stories import Desk, Life, told
from tests.unit.verdict.events import cause, flow, recovery, symptom

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "response.schema.json").read_text("utf-8"))
VALID = Draft202012Validator(SCHEMA)
STOP = cause("StopInstances", 0)
REBOOT = cause("RebootInstances", 20, resource="i-9")
REVOKE = cause("RevokeSecurityGroupIngress", 1, "network", "sg-1")
REJECT = symptom("connectivity", 2, "network", message=flow(2))
ERRORS = symptom("connectivity", 2)
START = recovery("StartInstances", 8, "StopInstances")


def opened(life: Life) -> None:
    life.sees(1, STOP)


def deferred(life: Life) -> None:
    life.sees(3, STOP, ERRORS)


def symptom_first(life: Life) -> None:
    life.sees(3, ERRORS)
    life.sees(6, STOP)


def changed(life: Life) -> None:
    life.sees(1, STOP)
    life.sees(21, REBOOT)


def acknowledged_and_reopened(life: Life) -> None:
    life.sees(1, STOP)
    life.acts(2, "cloudsystem", "acknowledged")
    life.acts(3, "cloudsystem", "open", "StopInstances")


def resolved(life: Life) -> None:
    life.sees(1, STOP)
    life.acts(2, "cloudsystem", "resolved")


def recovered(life: Life) -> None:
    life.sees(1, STOP)
    life.sees(9, START)


def resolved_with_another_behind(life: Life) -> None:
    life.sees(21, STOP, REBOOT)
    shown = life.tables.states.get({"ApplicationId": "shop", "StateKey": "cloudsystem#current"}) or {}
    life.resolves(22, REBOOT if "Reboot" in shown["EventKey"] else STOP)


def expired(life: Life) -> None:
    life.sees(3, ERRORS)
    life.passes(6 * 60)


def only_repeats(life: Life) -> None:
    life.sees(1, STOP)
    life.sees(2, replace(STOP, count=2))
    life.passes(3)


STORIES: list[tuple[Callable[[Life], None], list[tuple[str, str, str]]]] = [
    (opened, [("Opened", "cloudsystem", STOP.summary)]),
    (deferred, [("Deferred", "application", STOP.summary), ("Opened", "cloudsystem", STOP.summary)]),
    (
        symptom_first,
        [
            ("Opened", "application", ERRORS.summary),
            ("Deferred", "application", STOP.summary),
            ("Opened", "cloudsystem", STOP.summary),
        ],
    ),
    (changed, [("Opened", "cloudsystem", STOP.summary), ("Changed", "cloudsystem", REBOOT.summary)]),
    (
        acknowledged_and_reopened,
        [
            ("Opened", "cloudsystem", STOP.summary),
            ("Acknowledged", "cloudsystem", STOP.summary),
            ("Opened", "cloudsystem", STOP.summary),
        ],
    ),
    (resolved, [("Opened", "cloudsystem", STOP.summary), ("Resolved", "cloudsystem", STOP.summary)]),
    (recovered, [("Opened", "cloudsystem", STOP.summary), ("Resolved", "cloudsystem", STOP.summary)]),
    (
        resolved_with_another_behind,
        [
            ("Opened", "cloudsystem", REBOOT.summary),
            ("Resolved", "cloudsystem", REBOOT.summary),
            ("Opened", "cloudsystem", STOP.summary),
        ],
    ),
    (expired, [("Opened", "application", ERRORS.summary), ("Expired", "application", ERRORS.summary)]),
    (only_repeats, [("Opened", "cloudsystem", STOP.summary)]),
]


@pytest.mark.parametrize(("story", "expected"), STORIES, ids=[story.__name__ for story, _ in STORIES])
def test_stories(story: Callable[[Life], None], expected: list[tuple[str, str, str]]) -> None:
    life = Life()
    story(life)
    documents = Desk().hears(life)
    assert told(documents) == expected
    for document in documents:
        VALID.validate(document)
        assert contract.sentence(document).startswith(f"shop {document['layer']}: ")


def test_the_stories_tell_every_kind() -> None:
    assert {kind for _, expected in STORIES for kind, _, _ in expected} == set(KINDS)
    assert SCHEMA["properties"]["transition"]["enum"] == list(KINDS)


def documents_of(story: Callable[[Life], None]) -> list[dict[str, Any]]:
    life = Life()
    story(life)
    return Desk(dashboard="https://page.example.org/").hears(life)


def test_the_document_of_a_root_cause_has_confidence_evidence_and_the_call_that_would_undo_it() -> None:
    life = Life()
    parameters = {"instancesSet": {"items": [{"instanceId": "i-0a1b2c3d4e5f"}]}}
    call = {"eventName": "StopInstances", "requestParameters": parameters}
    life.sees(3, replace(STOP, message=json.dumps(call)), ERRORS)
    document = Desk(dashboard="https://page.example.org/").hears(life)[1]
    assert document["is_root_cause"] and 0 < document["confidence"] <= 1
    assert any("id-StopInstances-0" in one["event_ids"] for one in document["evidence"])
    assert document["proposed_inverse"]["call"]["operation"] == "StartInstances"
    assert document["health"] == {"before": "healthy", "after": "failing"}
    assert document["link"] == "https://page.example.org/#/app/shop"


@pytest.mark.parametrize(
    ("story", "ended"),
    [
        (resolved, {"how": "resolved", "by": "ana", "at": "2026-03-01T12:02:00.000Z", "reason": "known"}),
        (recovered, {"how": "recovered", "by": "kim", "at": "2026-03-01T12:08:00.000Z", "reason": START.summary}),
        (expired, {"how": "expired", "by": None, "at": None, "reason": None}),
    ],
    ids=["resolved", "recovered", "expired"],
)
def test_an_end_says_how_and_by_whom(story: Callable[[Life], None], ended: dict[str, Any]) -> None:
    assert documents_of(story)[-1]["ended"] == ended


def test_what_ends_is_told_with_its_newest_count() -> None:
    life = Life()
    life.sees(3, ERRORS)
    life.sees(4, replace(ERRORS, count=213))
    life.passes(6 * 60)
    assert [one["cause"]["count"] for one in Desk().hears(life)] == [5, 213]


def test_a_document_that_is_too_long_says_what_it_leaves_out() -> None:
    life = Life()
    life.sees(3, STOP, ERRORS)
    now, _ = list(life.news())[-1]
    assert now.root is not None
    long = replace(now, root={**now.root, "evidence": [{"text": "x" * contract.MOST_BYTES, "event_ids": []}]})
    desk = Desk()
    desk.responder.respond(long)
    document = desk.channels["bus"].taken[-1].body
    assert document["left_out"] == ["rivals", "evidence"]
    assert len(contract.to_json(document).encode()) <= contract.MOST_BYTES
    VALID.validate(document)


@pytest.mark.parametrize(
    "item",
    [
        {"ApplicationId": "shop", "StateKey": "network#current", "State": "symptom"},
        {"ApplicationId": "shop", "StateKey": "overall#2026-03-01T12:00:00.000Z#verdict", "Verdict": "{}"},
        {"ApplicationId": "(job)", "StateKey": "heartbeat", "BatchId": 3},
    ],
    ids=lambda item: item["StateKey"],
)
def test_other_items_of_the_table_are_no_news(item: dict[str, Any]) -> None:
    assert snapshot.of_item(item) is None


@pytest.mark.parametrize(
    "change",
    [
        {"transition_id": "1"},
        {"transition": "Reopened"},
        {"confidence": 1.5},
        {"at": "yesterday"},
        {"extra": 1},
        {"ended": {"how": "resolved", "by": None, "at": None, "reason": None}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_schema_refuses(change: dict[str, Any]) -> None:
    document = documents_of(opened)[0]
    VALID.validate(document)
    assert not VALID.is_valid({**document, **change})
