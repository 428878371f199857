"""What operators do to one application: acts follow a change in all its forms, and a record keeps its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from probable_cause.errors import ProbableCauseError
from probable_cause.state import tables
from probable_cause.state.application import act, add_repeats, load_events, renew
from probable_cause.state.event_item import batch_stamp
from probable_cause.state.memory import MemoryTable, memory_tables
from probable_cause.state.tables import Tables, Write
from probable_cause.verdict import DEFAULT
from tests.unit.state.test_event_item import T0, repeats
from tests.unit.state.test_recovery import reboot

NOW = T0 + timedelta(minutes=10)


def tables_with_a_change_seen_twice() -> Tables:
    """A stop that CloudTrail and Config both tell of, and another instance's reboot."""
    made = memory_tables()
    call = replace(
        reboot(0, [1]),
        cause_id="StopInstances on i-1",
        rule_id="stop-instances",
        action="StopInstances",
        resource_ids=("i-1",),
    )
    item = replace(
        call,
        cause_id="i-1 stopped",
        rule_id="config-instance-stopped",
        family="aws_config",
        action="UPDATE",
        actor=None,
        actor_type=None,
        first_seen=T0 + timedelta(seconds=90),
        last_seen=T0 + timedelta(seconds=90),
        occurrences=((int((T0 + timedelta(seconds=90)).timestamp() * 1000), 2),),
    )
    other = replace(reboot(30, [3]), cause_id="RebootInstances on i-9", resource_ids=("i-9",))
    add_repeats(made, "shop", [call, item, other], batch_stamp(1, 0), 100, NOW)
    renew(made, "shop", NOW, DEFAULT)
    return made


def statuses(made: Tables) -> dict[str, str]:
    return {one.event.cause_id: one.event.status for one in load_events(made, "shop").values()}


def test_an_act_follows_the_change_in_all_its_forms_and_touches_no_other() -> None:
    made = tables_with_a_change_seen_twice()
    act(made, "shop", "cloudsystem", "acknowledged", "ana", NOW, None, "StopInstances")
    assert statuses(made) == {
        "StopInstances on i-1": "acknowledged",
        "i-1 stopped": "acknowledged",
        "RebootInstances on i-9": "open",
    }


@pytest.mark.parametrize(("cause", "told"), [("i-", "3 unresolved"), ("nothing", "no unresolved")])
def test_a_cause_must_be_named_well_enough(cause: str, told: str) -> None:
    with pytest.raises(ProbableCauseError, match=told):
        act(tables_with_a_change_seen_twice(), "shop", "cloudsystem", "resolved", "ana", NOW, None, cause)


def test_a_layer_that_shows_nothing_can_not_be_acknowledged() -> None:
    with pytest.raises(ProbableCauseError, match="shows no cause"):
        act(tables_with_a_change_seen_twice(), "shop", "network", "acknowledged", "ana", NOW)


def test_the_ledger_keeps_when_a_record_first_showed() -> None:
    made = tables_with_a_change_seen_twice()
    key = {"ApplicationId": "shop", "StateKey": "cloudsystem#current"}
    before = made.states.get(key)
    assert before is not None
    act(made, "shop", "cloudsystem", "acknowledged", "ana", NOW)
    renew(made, "shop", NOW + timedelta(minutes=1), DEFAULT)
    shown = [one for one in made.states.query("shop", "cloudsystem#") if one.get("EventKey") == before["EventKey"]]
    assert {one["Ledger"]["written"] for one in shown} == {before["Ledger"]["written"]}


class AnswerLost(MemoryTable):
    """Carries a write out, and says what a client hears that sends it again because no answer came."""

    def apply(self, write: Write) -> bool:
        super().apply(write)
        return super().apply(write)


def test_an_operator_whose_answer_was_lost_is_not_told_of_somebody_else() -> None:
    made = replace(memory_tables(), events=AnswerLost(tables.EVENTS))
    add_repeats(made, "shop", [repeats([0], [1])], batch_stamp(1, 0), 1000, NOW)
    (done,) = act(made, "shop", "network", "acknowledged", "ana", NOW, "known", "REJECT")
    assert done.status == "open"
    (item,) = made.events.query("shop")
    assert (item["Status"], item["StatusBy"]) == ("acknowledged", "ana")
