"""Properties that hold for any set of events: seeds are in the names of the cases."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from probable_cause.state.event_of_interest import RECENT
from probable_cause.verdict import judge
from tests.unit.verdict.events import HOUR, at, cause, recovery, symptom

KINDS = ("connectivity", "auth", "timeout", "errors", "memory", "sparkles", None)
LAYERS = ("application", "network", "cloudsystem")


def drawn(seed):
    draw = random.Random(seed)
    events = []
    for number in range(draw.randint(0, 12)):
        minute = draw.uniform(-3000, 30)
        last = minute + draw.choice([0, 0, draw.uniform(0, 600)])
        more = {
            "status": draw.choice(["open", "open", "open", "acknowledged", "resolved"]),
            "relevance": draw.uniform(0, 10),
            "half_life_seconds": draw.choice([1, 6, 24]) * HOUR,
            "window_seconds": draw.choice([1, 6, 72]) * HOUR,
            "last_seen": at(last),
            "count": draw.randint(1, 300),
            "resource_ids": tuple(
                draw.sample(["i-0aaaaaaa1", "i-0bbbbbbb2", "sg-0ccccccc3", "orders-db"], draw.randint(0, 3))
            ),
            "actor_type": draw.choice(["person", "pipeline", "service", None]),
        }
        role = draw.choice(["cause", "cause", "symptom", "symptom", "recovery"])
        if role == "cause":
            kinds = tuple(draw.sample([kind for kind in KINDS if kind], draw.randint(0, 3)))
            family = draw.choice(["cloudtrail", "aws_config"])
            action = draw.choice(["StopInstances", "UpdateStack", "UpdateService", None])
            found = cause(f"A{number}", minute, layer=draw.choice(LAYERS), explains=kinds, family=family, rule_id="r")
            events.append(replace(found, action=action, **more))
        elif role == "symptom":
            found = symptom(draw.choice(KINDS), minute, layer=draw.choice(LAYERS), cause_id=f"s{number}")
            events.append(replace(found, **(more | {"resource_ids": ()})))
        else:
            events.append(replace(recovery(f"R{number}", minute, "r"), **(more | {"status": "open"})))
    draw.shuffle(events)
    return events


@pytest.mark.parametrize("seed", range(150))
def test_any_events_give_a_consistent_verdict(seed):
    events = drawn(seed)
    now = at(random.Random(seed).uniform(-100, 4000))
    verdict = judge(events, now, application_id="shop")
    assert json.dumps(verdict.to_dict(), allow_nan=False)
    assert verdict == judge(list(reversed(events)), now, application_id="shop")
    keys = {event.event_key: event for event in events}
    for layer in verdict.layers.values():
        assert (layer.event is None) == (layer.state == "healthy")
        if layer.event is not None:
            assert keys[layer.event.event_key].status != "resolved"
            assert layer.event.role != "recovery"
            assert (layer.deferred_from is None) == (layer.event.event_type == layer.event_type)
    ranked = [one.event.event_key for one in verdict.ranking]
    assert len(ranked) == len(set(ranked))
    assert all(one.relevance >= RECENT for one in verdict.ranking)
    root = verdict.root_cause
    assert (root is None) == (verdict.why_none is not None)
    if root is not None:
        assert root.event.role == "cause" and root.event.status != "resolved"
        assert root.event.event_key not in verdict.resolved_by
        assert 0 < root.confidence < 1 and 0 < root.strength <= 1
        assert sum(rival.confidence for rival in root.rivals) + root.confidence <= 1 + 1e-9
        assert verdict.health != "healthy"
        assert all(sentence.text.endswith(".") for sentence in root.evidence)
    else:
        assert verdict.why_none
