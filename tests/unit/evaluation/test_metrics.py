"""Figures on outcomes whose right values are known by hand, and the runner with a pipeline of four lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from probable_cause.evaluation import metrics, report
from probable_cause.evaluation.answers import Answer, BundleRun, Timing, outcome
from probable_cause.evaluation.baselines import BASELINES, ablations, baseline
from probable_cause.evaluation.incident import (
    HEALTHY,
    NONE,
    Bundle,
    Expected,
    ExpectedCount,
    OperatorAction,
    Record,
    Truth,
)
from probable_cause.evaluation.runner import evaluate, steps
from probable_cause.verdict import DEFAULT, judge
from tests.unit.verdict.events import at, cause, symptom

REBOOT = cause("RebootInstances", 0)
STOP = cause("StopDBInstance", 0.5, resource="orders-db", relevance=6.0)
LATE = cause("ModifyListener", 2, layer="network", resource="listener", relevance=9.0)
OUTAGE = symptom("connectivity", 1, count=7, last=3)


def bundle(name="one", truth=(), records=(), operator=(), kind="", difficulty=""):
    return Bundle(name, Path(name), "", {}, (), (), operator, tuple(truth), tuple(records), kind, difficulty)


def answer(events, minute=3, **truth):
    moment = Truth(at(minute), "shop", **truth)
    return Answer(moment, judge(events, at(minute), application_id="shop"), tuple(events))


def run(*answers, name="one", kind="k", difficulty="easy"):
    return BundleRun(bundle(name, [one.truth for one in answers], kind=kind, difficulty=difficulty), answers, 0.1)


def outcomes(*runs):
    return [outcome(one.bundle, given) for one in runs for given in one.answers]


FIRST = answer([REBOOT, STOP, OUTAGE], root_cause=Expected(action="RebootInstances"), layers={"network": HEALTHY})
SECOND = answer(
    [REBOOT, STOP, OUTAGE], root_cause=Expected(action="StopDBInstance"), counts=(ExpectedCount(7, "application"),)
)
MISSED = answer([REBOOT, OUTAGE], root_cause=Expected(action="Other"), layers={"network": Expected(action="REJECT")})
QUIET = answer([REBOOT], root_cause=NONE)
FALSE_ALARM = answer([REBOOT, OUTAGE], root_cause=NONE, counts=(ExpectedCount(8, "application"),))
NOT_ASKED = answer([REBOOT, OUTAGE], layers={"cloudsystem": Expected(action="RebootInstances")})


def test_scores_of_known_answers():
    found = metrics.scores(outcomes(run(FIRST, SECOND, MISSED, QUIET, FALSE_ALARM, NOT_ASKED)))
    assert (found.moments, found.causes, found.quiet) == (6, 3, 2)
    assert found.ac_at_1 == pytest.approx(1 / 3)
    assert found.ac_at_3 == pytest.approx(2 / 3)
    assert found.avg_at_5 == pytest.approx((1 / 3 + 4 * 2 / 3) / 5)
    assert found.specificity == pytest.approx(1 / 2)
    assert (found.layer_accuracy, found.layers) == (pytest.approx(2 / 3), 3)
    assert (found.exact_counts, found.counts) == (pytest.approx(1 / 2), 2)
    assert found.all_right == pytest.approx(3 / 6)


def test_of_nothing_there_is_no_share():
    found = metrics.scores([])
    assert (found.ac_at_1, found.specificity, found.layer_accuracy, found.exact_counts) == (None,) * 4
    assert json.dumps(found.to_dict())


def test_groups_leave_out_the_unnamed():
    found = metrics.grouped(
        outcomes(run(FIRST, kind="b"), run(MISSED, kind="a"), run(QUIET, kind="")), lambda one: one.kind
    )
    assert list(found) == ["a", "b"]
    assert (found["a"].ac_at_1, found["b"].ac_at_1) == (0.0, 1.0)


def test_calibration_bins_hold_every_named_verdict_once():
    found = outcomes(run(FIRST, SECOND, MISSED, QUIET, FALSE_ALARM, NOT_ASKED))
    bins = metrics.calibration(found)
    assert sum(one.verdicts for one in bins) == 4  # QUIET names none, NOT_ASKED is not judged
    assert sum(round(one.verdicts * one.right) for one in bins) == 1
    assert all(one.low <= one.confidence <= one.high for one in bins)
    error = metrics.calibration_error(bins)
    assert error == pytest.approx(sum(one.verdicts * abs(one.confidence - one.right) for one in bins) / 4)
    assert metrics.calibration_error([]) is None


def test_time_to_verdict():
    timings = (Timing("a", 10.0, 3), Timing("b", 30.0, 5), Timing("c", None, None))
    told = metrics.time_to_verdict([BundleRun(bundle(), (), 0.0, timings)])
    assert (told["incidents"], told["named"]) == (3, 2)
    assert told["seconds"] == {"p50": 20.0, "p95": 29.0}
    assert metrics.time_to_verdict([])["seconds"] is None


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("latest change", "ModifyListener"),
        ("highest severity", "ModifyListener"),
        ("nearest before the first symptom", "StopDBInstance"),
    ],
)
def test_baselines_name_what_they_say(name, want):
    given = run(answer([REBOOT, STOP, LATE, OUTAGE], root_cause=Expected(action=want)))
    assert baseline([given], BASELINES[name])["ac_at_1"] == 1.0
    other = run(answer([REBOOT, STOP, LATE, OUTAGE], root_cause=Expected(action="RebootInstances")))
    assert baseline([other], BASELINES[name])["ac_at_1"] == 0.0
    assert baseline([other], BASELINES[name])["ac_at_3"] == 1.0


def test_a_baseline_is_silent_only_without_symptoms_or_causes():
    assert baseline([run(QUIET)], BASELINES["latest change"])["specificity"] == 1.0
    assert baseline([run(FALSE_ALARM)], BASELINES["latest change"])["specificity"] == 0.0


def test_a_random_ranking_is_the_same_each_time():
    given = [run(FIRST, SECOND)]
    assert baseline(given, BASELINES["random"]) == baseline(given, BASELINES["random"])


def test_without_the_factor_that_decides_the_answer_changes():
    auth = symptom("auth", 10, count=4, last=12)
    role = cause("DetachRolePolicy", 5, resource="shop-role", explains=("auth",), relevance=6.0)
    given = run(
        answer(
            [role, cause("StopInstances", 9, relevance=9.0), auth], 12, root_cause=Expected(action="DetachRolePolicy")
        )
    )
    found = ablations([given], DEFAULT)
    assert found["kind"]["ac_at_1"] == 0.0
    assert found["path"]["ac_at_1"] == found["actor"]["ac_at_1"] == 1.0


def record(minute):
    return Record(at(minute), {"payload": {}})


def test_steps_keep_the_order_of_arrival_and_put_actions_before_truths():
    truth = (Truth(at(10), "shop"), Truth(at(5), "shop"))
    action = OperatorAction(at(10), "resolve", "shop", "network")
    found = list(steps(bundle(truth=truth, records=[record(m) for m in (1, 5, 7, 10, 11)], operator=(action,))))
    assert [step.at for step in found] == [at(5), at(10)]
    assert [[one.arrival for one in step.records] for step in found] == [[at(1), at(5)], [at(7), at(10)]]
    assert (found[0].actions, found[1].actions) == ((), (action,))


def test_the_runner_reports_what_the_pipeline_answered(tmp_path):
    for name, action in (("right", "RebootInstances"), ("wrong", "Other"), ("broken", "RebootInstances")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "records.jsonl").touch()
        (tmp_path / name / "incident.yml").write_text(
            f"name: {name}\nclass: {name}\ndifficulty: easy\ntruth:\n"
            f"  - {{at: 2026-03-01T12:03:00Z, application_id: shop, root_cause: {{action: {action}}}}}\n"
        )

    def pipeline(given):
        if given.name == "broken":
            return BundleRun(given, (), 0.0, error="no such stream")
        verdict = judge([REBOOT, OUTAGE], given.truth[0].at)
        return BundleRun(given, (Answer(given.truth[0], verdict, (REBOOT, OUTAGE)),), 0.0, (Timing("shop", 2.0, 1),))

    (tmp_path / "unreadable").mkdir()
    folders = [tmp_path / name for name in ("broken", "unreadable", "right", "wrong")]
    found = evaluate(folders, pipeline, at_once=2)
    told = found.to_dict(DEFAULT)
    assert json.loads(json.dumps(told)) == told
    assert told["errors"].pop("broken") == "no such stream"
    (why,) = told["errors"].values()
    assert "can't be read" in why and told["bundles"] == 3
    assert told["scores"]["ac_at_1"] == 0.5
    assert set(told["by_class"]) == {"right", "wrong"}
    assert [one["holds"] for one in told["details"]["right"]] == [True]
    assert found.failed()[0].startswith(str(tmp_path / "unreadable"))
    assert found.failed()[1:] == [
        "broken: no such stream",
        "wrong: shop at 12:03:00: root_cause: expected Other, answered cloudsystem RebootInstances on i-0a1b2c3d4e5f",
    ]
    shown = report.text(told, found.failed())
    assert "0.500" in shown and "no such stream" in shown and "time to verdict" in shown
