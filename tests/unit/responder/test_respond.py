"""Each transition once, in order, whatever fails; quiet while a cause comes and goes."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from probable_cause.lambdas.responder.channels import RefusedError, TryAgainError
from probable_cause.lambdas.responder.quiet import Limits
from tests.unit.responder.stories import Desk, Life, told
from tests.unit.verdict.events import at, cause, symptom

STOP = cause("StopInstances", 0)
REBOOT = cause("RebootInstances", 20, resource="i-9")
ERRORS = symptom("connectivity", 2)


def busy_life() -> Life:
    life = Life()
    life.sees(3, ERRORS)
    life.sees(6, STOP)
    life.sees(21, REBOOT)
    life.acts(22, "cloudsystem", "acknowledged")
    life.acts(30, "cloudsystem", "resolved")
    return life


def test_a_redelivery_tells_nothing_again() -> None:
    life, desk = busy_life(), Desk()
    images = list(life.news())
    for now, old in images + images:
        desk.responder.respond(now, old)
    ids = [one.id for one in desk.channels["bus"].taken]
    assert len(ids) == len(set(ids)) >= 6


def test_two_responders_give_the_same_transition_the_same_id() -> None:
    first, second = Desk(), Desk()
    images = list(busy_life().news())
    for now, old in images:
        first.responder.respond(now, old)
        second.responder.respond(now, old)
    assert [one.id for one in first.channels["bus"].taken] == [one.id for one in second.channels["bus"].taken]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_fails_each_channel_gets_each_document_once_and_in_order(seed: int) -> None:
    draw = random.Random(seed)
    quiet = Desk("bus", "topic")
    desk = Desk("bus", "topic")
    for channel in desk.channels.values():
        channel.faults = [draw.choice([None, TryAgainError("throttled")]) for _ in range(12)]
    for now, old in busy_life().news():
        quiet.responder.respond(now, old)
        for _ in range(40):
            if desk.tries(now, old):
                break
    for name, channel in desk.channels.items():
        assert [one.id for one in channel.taken] == [one.id for one in quiet.channels[name].taken]
    assert not desk.refused


def test_a_channel_that_is_down_holds_up_no_other_and_catches_up() -> None:
    desk = Desk("bus", "hook")
    desk.channels["hook"].faults = [TryAgainError("503")] * 3
    life = busy_life()
    results = [desk.tries(now, old) for now, old in life.news()]
    assert results[:3] == [False] * 3 and all(results[3:])
    ids = {name: [one.id for one in channel.taken] for name, channel in desk.channels.items()}
    assert ids["hook"] == ids["bus"]


def test_what_is_refused_for_good_is_kept_aside_with_its_reason() -> None:
    desk = Desk("bus", "hook")
    desk.channels["hook"].faults = [RefusedError("the webhook answered 410")]
    life = Life()
    life.sees(1, STOP)
    assert told(desk.hears(life)) == [("Opened", "cloudsystem", STOP.summary)]
    (kept,) = desk.refused
    assert kept["channel"] == "hook" and "410" in kept["reason"] and kept["document"]["application_id"] == "shop"
    assert not desk.channels["hook"].taken


def test_lost_records_are_made_up_for_by_the_next() -> None:
    images = list(busy_life().news())
    desk = Desk()
    desk.responder.respond(*images[0])
    desk.responder.respond(*images[-1])
    whole = [(one.body["layer"], one.body["transition"]) for one in desk.channels["bus"].taken]
    assert whole[0] == ("application", "Opened")
    last = {layer: kind for layer, kind in whole}
    shown = {name: layer["State"] for name, layer in images[-1][0].layers.items()}
    assert last["cloudsystem"] == "Opened" and shown["cloudsystem"] == "probable_cause"


def flapping_life(times: int) -> Life:
    """The symptom is resolved by hand in the table's terms of time: it leaves and comes back every minute."""
    life = Life()
    for number in range(times):
        again = symptom("connectivity", number * 2, last=number * 2, count=5 + number)
        life.sees(number * 2, again)
        life.tables.events.delete({"ApplicationId": "shop", "EventKey": again.event_key})
        life.passes(number * 2 + 1)
    return life


def test_a_cause_that_comes_and_goes_is_told_three_times_then_when_it_is_steady() -> None:
    desk = Desk(limits=Limits(3, timedelta(minutes=15)))
    life = flapping_life(5)
    documents = desk.hears(life)
    assert [one["flapping"] for one in documents] == [False, False, True]
    assert [one["transition"] for one in documents] == ["Opened", "Expired", "Opened"]
    assert desk.later, "nobody would look again"
    life.sees(10, symptom("connectivity", 10))  # it stays: the same as was told last
    assert desk.hears(life) == []


def test_what_was_held_back_is_told_once_it_is_steady() -> None:
    desk = Desk(limits=Limits(3, timedelta(minutes=15)))
    life = flapping_life(5)
    images = list(life.news())
    for now, old in images:
        desk.responder.respond(now, old)
    before = len(desk.channels["bus"].taken)
    desk.responder.respond(images[-1][0], look_again=at(12))  # too early: it is asked again
    assert len(desk.channels["bus"].taken) == before
    assert desk.later[-1] == "shop"
    desk.responder.respond(images[-1][0], look_again=at(60))
    (last,) = desk.channels["bus"].taken[before:]
    assert last.body["transition"] == "Expired" and last.body["held_back"] > 0
    desk.responder.respond(images[-1][0], look_again=at(90))
    assert desk.channels["bus"].taken[before:] == [last]


def test_operators_and_other_causes_are_never_held_back() -> None:
    desk = Desk(limits=Limits(1, timedelta(minutes=15)))
    life = Life()
    life.sees(1, STOP)
    life.acts(2, "cloudsystem", "acknowledged")
    life.acts(3, "cloudsystem", "resolved")
    life.sees(21, REBOOT)
    assert [one["transition"] for one in desk.hears(life)] == ["Opened", "Acknowledged", "Resolved", "Opened"]
