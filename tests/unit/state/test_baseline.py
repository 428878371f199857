"""What is usual between applications: the same whatever comes twice or late; and what it tells of."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probable_cause.dashboard import detail, overview
from probable_cause.state import baseline
from probable_cause.state.application import act, learn, load_events, renew
from probable_cause.state.baseline import MOST_EDGES, REMEMBERED, Baseline
from probable_cause.state.event_item import Repeats, Stored
from probable_cause.state.event_of_interest import EventOfInterest
from probable_cause.state.identity import Seen
from probable_cause.state.memory import memory_tables
from probable_cause.state.shown import layers
from probable_cause.verdict import DEFAULT, VerdictModel, judge
from tests.unit.verdict.events import cause, symptom

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = int(T0.timestamp()) // baseline.BUCKET
DB, CACHE = "shop -> db:5432/tcp", "shop -> cache:6379/tcp"
VALUES = Repeats.__dataclass_fields__
PLAIN = {
    "application_id": "shop", "event_type": "network", "cause_id": "x", "role": "baseline", "rule_id": "flow-accept",
    "family": "vpc_flow", "relevance": 4.5, "half_life_seconds": 3600, "window_seconds": 21600, "first_seen": T0,
    "last_seen": T0, "count": 1, "summary": "", "message": "", "symptom": "connectivity",
}  # fmt: skip


def seen(edge: str | None, *spans: int) -> Repeats:
    """Accepted traffic on an edge in spans of 5 minutes after T0; None: with an end that nobody knows."""
    values = {name: PLAIN.get(name) for name in VALUES} | {
        "edges": (edge,) if edge else (), "buckets": tuple(FIRST + span for span in spans)
    }  # fmt: skip
    for name in ("resource_ids", "addresses", "explains", "resolves", "occurrences", "sample_event_ids"):
        values[name] = ()
    return Repeats(**values)


def of(*rows: Repeats) -> Baseline:
    return baseline.added(Baseline(), rows)


def at(span: float) -> datetime:
    return T0 + timedelta(seconds=span * baseline.BUCKET)


def silent(known: Baseline) -> list[EventOfInterest]:
    return baseline.silences("shop", known)


def test_the_same_baseline_however_often_and_in_whatever_order_its_parts_come():
    dice = random.Random(20260301)
    rows = [seen(dice.choice([DB, CACHE, None]), *dice.sample(range(60), dice.randrange(1, 6))) for _ in range(80)]
    whole = of(*rows)
    for _ in range(20):
        parts = rows + dice.sample(rows, 30)
        dice.shuffle(parts)
        known = Baseline()
        for start in range(0, len(parts), 7):
            known = baseline.added(known, parts[start : start + 7])
        assert known == whole
        assert baseline.added(known, parts) == known
    held = {edge: {span for row in rows if edge in row.edges for span in row.buckets} for edge in (DB, CACHE)}
    for edge, spans in held.items():
        assert set(whole.edges[edge].spans()) == {one for one in spans if one > max(spans) - REMEMBERED}


def test_an_item_gives_back_what_was_written():
    known = of(seen(DB, *range(30)), seen(CACHE, 3, 29), seen(None, 31))
    write = baseline.write("shop", known)
    assert baseline.from_item({**write.key, **write.attributes}) == known
    assert baseline.from_item(None) == baseline.from_item({"BucketSeconds": 60, "Revision": 3}) == Baseline()


def test_edges_are_bounded_and_the_most_regular_ones_stay():
    rare = [seen(f"shop -> x{number}:1/tcp", 20) for number in range(MOST_EDGES + 50)]
    known = of(seen(DB, *range(20)), *rare)
    assert len(known.edges) == MOST_EDGES and DB in known.edges


def test_an_edge_that_is_long_gone_is_forgotten():
    assert set(of(seen(DB, *range(24)), seen(CACHE, baseline.FORGOTTEN_AFTER + 24)).edges) == {CACHE}


ALL_DAY = tuple(range(24))


@pytest.mark.parametrize(
    ("rows", "want"),
    [
        pytest.param([seen(DB, *ALL_DAY), seen(CACHE, *range(28))], [(DB, 24, 27, 3)], id="silent for three spans"),
        pytest.param([seen(DB, *ALL_DAY), seen(None, *range(28))], [(DB, 24, 27, 3)], id="others of unknown ends"),
        pytest.param([seen(DB, *ALL_DAY), seen(CACHE, *range(27))], [], id="the newest span does not count"),
        pytest.param([seen(DB, *ALL_DAY)], [], id="the end of the records"),
        pytest.param([seen(DB, *ALL_DAY), seen(CACHE, *ALL_DAY)], [], id="all fall silent together"),
        pytest.param([seen(DB, *ALL_DAY), seen(CACHE, *ALL_DAY, 40)], [], id="back after a gap of all flow logs"),
        pytest.param([seen(DB, *range(0, 24, 4)), seen(CACHE, *range(60))], [], id="a job that runs now and then"),
        pytest.param([seen(DB, *range(0, 24, 2)), seen(CACHE, *range(36))], [], id="every other span, for an hour"),
        pytest.param([seen(DB, *range(0, 24, 2)), seen(CACHE, *range(40))], [(DB, 23, 39, 16)], id="... and longer"),
        pytest.param([seen(DB, 21, 22, 23), seen(CACHE, *range(40))], [], id="new, so that nothing is usual yet"),
        pytest.param([seen(DB, *ALL_DAY, 30), seen(CACHE, *range(31))], [], id="traffic is back"),
        pytest.param([seen(DB, *ALL_DAY), seen(CACHE, *range(100))], [(DB, 24, 48, 23)], id="it fades after two hours"),
    ],
)
def test_silences(rows, want):
    told = [(one.edges[0], one.first_seen, one.last_seen, one.count) for one in silent(of(*rows))]
    assert told == [(edge, at(first), at(last), count) for edge, first, last, count in want]


def test_a_silence_in_words():
    (one,) = silent(of(seen(DB, *ALL_DAY), seen(CACHE, *range(28))))
    assert one.summary == "no accepted traffic shop -> db:5432/tcp since 14:00"
    assert one.event_key == "network#no accepted traffic shop -> db:5432/tcp since 2026-03-01T14:00:00.000Z#1"
    assert (one.role, one.symptom, one.relevance, one.rule_id) == ("symptom", "connectivity", 4.5, "flow-accept")


def refused(first: float, last: float, edge: str = DB, **more: object) -> EventOfInterest:
    values = {"outcome": "reject", "edges": (edge,), "first_seen": at(first), "last_seen": at(last)} | more
    return symptom("connectivity", 0, layer="network", **values)


@pytest.mark.parametrize(
    ("accepted", "event", "until"),
    [
        pytest.param([1, 2, 3], refused(4.5, 5), at(4), id="accepted, then refused"),
        pytest.param([1, 2, 3], refused(3.4, 5), at(3.4), id="within one span"),
        pytest.param([1, 2, 3, 9], refused(4.5, 6), at(4), id="it stays one when traffic is back"),
        pytest.param([3], refused(3 + 71, 80), at(4), id="hours before"),
        pytest.param([3], refused(3 + 74, 80), None, id="too long before"),
        pytest.param([1, 2, 3, 5, 6], refused(4.5, 6.5), None, id="accepted all along"),
        pytest.param([8, 9], refused(4.5, 6), None, id="accepted only later"),
        pytest.param([1, 2, 3], refused(4.5, 5, edge=CACHE), None, id="another edge"),
        pytest.param([1, 2, 3], refused(4.5, 5, edges=(CACHE, DB)), at(4), id="one of its edges"),
        pytest.param([1, 2, 3], refused(4.5, 5, edges=()), None, id="its ends are not known"),
        pytest.param([1, 2, 3], refused(4.5, 5, outcome="accept"), None, id="no refusal"),
        pytest.param([1, 2, 7], refused(0.5, 9, bursts=((at(0.5), at(0.6)), (at(8), at(9)))), at(8), id="newest burst"),
    ],
)
def test_flips(accepted, event, until):
    told = baseline.with_flip(event, of(seen(DB, *accepted)))
    assert told.flip == ((DB, until) if until else None)
    assert told.told == event.summary + (f" ({DB} had been accepted)" if until else "")


def test_a_flip_is_stronger_evidence_and_says_so():
    change = cause("Revoke", 20, layer="network", resource="sg-0123456789")
    lone = refused(4.5, 4.5, count=1)
    known = of(seen(DB, 1, 2, 3))
    plain, flip = (judge([change, one], at(6)).root_cause for one in (lone, baseline.with_flip(lone, known)))
    assert flip.strength > plain.strength and flip.confidence > plain.confidence
    assert flip.factors["clue"] == pytest.approx(DEFAULT.flip * plain.factors["clue"])
    assert f"though {DB} had been accepted until 2026-03-01 12:20:00 UTC" in flip.evidence[1].text
    assert "accepted" not in plain.evidence[1].text
    without = judge([change, baseline.with_flip(lone, known)], at(6), replace(VerdictModel(), flip=1.0)).root_cause
    assert without.strength == plain.strength


def test_one_write_for_what_is_new_and_none_for_a_replay():
    tables = memory_tables()
    known, writes = learn(tables, "shop", [seen(DB, *range(5))], None)
    assert writes == 1
    for before in (known, None):  # by the same driver, and by one that knows nothing
        again, writes = learn(tables, "shop", [seen(DB, 2, 4)], before)
        assert (again, writes) == (known, 0)
    # Another wrote in between: what it knew is not lost.
    learn(tables, "shop", [seen(CACHE, 5)], None)
    both, writes = learn(tables, "shop", [seen(DB, 5)], known)
    assert writes == 1 and both == of(seen(DB, *range(6)), seen(CACHE, 5))
    assert baseline.from_item(tables.states.get(baseline.key("shop"))) == both


def test_a_silence_shows_in_its_layer_can_be_acted_on_and_ends_with_traffic():
    tables = memory_tables()
    now = at(28)
    learn(tables, "shop", [seen(DB, *ALL_DAY), seen(CACHE, *range(28))], None)
    (event_key,) = load_events(tables, "shop")
    verdict = renew(tables, "shop", now, DEFAULT).verdict
    assert verdict.health == "degraded" and verdict.root_cause is None
    assert verdict.layers["network"].state == "symptom" and verdict.layers["network"].event.event_key == event_key
    page = detail.application(tables, "shop", now, DEFAULT)
    assert page is not None and page["layers"]["network"]["event_key"] == event_key
    assert [one["application_id"] for one in overview.rows(tables.states.scan(), now)] == ["shop"]
    assert detail.history(tables, "shop")["records"][0]["event_key"] == event_key
    act(tables, "shop", "network", "acknowledged", "kim", now, "a planned pause")
    learn(tables, "shop", [seen(CACHE, 28)], None)  # goes on, and stays acknowledged
    (kept,) = load_events(tables, "shop").values()
    assert (kept.event.status, kept.event.status_by, kept.event.count) == ("acknowledged", "kim", 4)
    act(tables, "shop", "network", "resolved", "kim", now, "gone for good", cause=kept.event.cause_id)
    assert renew(tables, "shop", now, DEFAULT).verdict.health == "healthy"
    learn(tables, "shop", [seen(DB, 29), seen(CACHE, 29)], None)
    assert load_events(tables, "shop") == {}
    assert renew(tables, "shop", at(30), DEFAULT).verdict.layers["network"].state == "healthy"


def test_a_silence_is_over_when_traffic_is_back():
    tables = memory_tables()
    learn(tables, "shop", [seen(DB, *ALL_DAY), seen(CACHE, *range(28))], None)
    (event_key,) = load_events(tables, "shop")
    renew(tables, "shop", at(28), DEFAULT)
    learn(tables, "shop", [seen(DB, 29), seen(CACHE, 29)], None)
    renew(tables, "shop", at(30), DEFAULT)
    told = tables.states.get({"ApplicationId": "shop", "StateKey": "overall#current"})["Layers"]["network"]
    assert told["Ended"] == {"EventKey": event_key, "How": "recovered", "Reason": "accepted traffic is back"}


@pytest.mark.parametrize(
    ("shown", "how"), [("REJECT", "outranked"), (None, "recovered"), ("RebootInstances", "recovered")]
)
def test_how_a_silence_left_its_layer(shown, how):
    before = {"network": {"EventKey": "network#silence#1", "Action": baseline.ACTION}}
    item = {"EventKey": "network#other#1", "Action": shown}
    told = layers(judge([], at(30), DEFAULT, application_id="shop"), {"network": item}, before, {})
    assert told["network"]["Ended"]["How"] == how


@pytest.mark.parametrize(
    ("event", "silent"),
    [
        (refused(23.5, 27), False),
        (refused(22, 22.9), True),  # over before the silence began
        (refused(23.5, 27, edge=CACHE), True),
        (refused(23.5, 27, outcome="accept"), True),
    ],
)
def test_what_is_refused_is_no_silence(event, silent):
    known = of(seen(DB, *ALL_DAY), seen(CACHE, *range(28)))
    told = baseline.events("shop", {event.event_key: Stored(event, None, Seen())}, known)
    assert any(one.event.outcome == "silence" for one in told.values()) == silent


def test_a_silence_is_explained_by_a_change_before_it():
    closed = cause("Revoke", 118, layer="network", resource="sg-0123456789", explains=("connectivity",))
    verdict = judge([closed, *silent(of(seen(DB, *ALL_DAY), seen(CACHE, *range(28))))], at(28))
    assert verdict.root_cause is not None and verdict.root_cause.event.action == "Revoke"
