"""Rule files: what is read from them, and every fault of all of them at once."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from probable_cause.errors import RulesError
from probable_cause.rules.catalogue import load
from probable_cause.rules.model import Rule

GOOD: dict[str, Any] = {
    "title": "Instance rebooted",
    "id": "6f0b4c52-0d0e-4f0f-9a57-3f0f6a8f1c02",
    "logsource": {"product": "aws", "service": "cloudtrail"},
    "detection": {
        "selection": {"eventSource": "ec2.amazonaws.com", "eventName": "RebootInstances"},
        "condition": "selection",
    },
    "probable_cause": {
        "layer": "cloudsystem",
        "role": "cause",
        "relevance": 8,
        "cause": "{eventName} on {resource}",
        "summary": "{actor} rebooted {resource}",
        "explains": ["connectivity"],
    },
}


def changed(path: str, value: Any, base: dict[str, Any] = GOOD) -> dict[str, Any]:
    """GOOD with the value at a dotted path; None takes the key away."""
    out = yaml.safe_load(yaml.safe_dump(base, sort_keys=False))
    *parents, last = path.split("/")
    place = out
    for name in parents:
        place = place.setdefault(name, {})
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value
    return out


def write(folder: Path, name: str, *documents: Any) -> Path:
    file = folder / name
    file.write_text("---\n".join(yaml.safe_dump(document, sort_keys=False) for document in documents), "utf-8")
    return file


def faults(*paths: Path) -> list[str]:
    with pytest.raises(RulesError) as caught:
        load(paths)
    return caught.value.faults


def line_of(file: Path, start: str) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


def test_a_rule_is_read_with_the_family_defaults_where_it_says_nothing(tmp_path: Path) -> None:
    write(
        tmp_path, "a.yml", GOOD, changed("probable_cause/window", "3d", changed("title", "Other", changed("id", None)))
    )
    rules = load([tmp_path], {"cloudtrail": (60, 3600)})
    rebooted, other = rules.by_id["instance-rebooted"], rules.by_id["other"]
    assert (rebooted.half_life_seconds, rebooted.window_seconds) == (60, 3600)
    assert other.window_seconds == 3 * 86400
    assert rebooted.keys == ("cloudtrail|ec2.amazonaws.com|rebootinstances",)
    text = (tmp_path / "a.yml").read_text(encoding="utf-8").splitlines()
    assert (rebooted.file, rebooted.line) == (str(tmp_path / "a.yml"), 1)
    assert text[other.line - 1] == "title: Other"
    assert not rules.warnings


def test_a_rule_set_travels_to_the_executors(tmp_path: Path) -> None:
    rules = load([write(tmp_path, "a.yml", GOOD)])
    copy = pickle.loads(pickle.dumps(rules))  # noqa: S301 - our own bytes
    assert copy == rules
    assert hash(copy) == hash(rules)


def test_the_name_is_the_id_that_users_see(tmp_path: Path) -> None:
    assert list(load([write(tmp_path, "a.yml", changed("name", "ec2-reboot"))]).by_id) == ["ec2-reboot"]


FAULTY: list[tuple[str, Any, str]] = [
    ("logsource/service", "guardduty", "service 'guardduty' is not known"),
    ("logsource", None, "log source"),
    ("title", None, "title"),
    ("detection/selection/eventNames", "x", "'eventNames' is no field of cloudtrail logs"),
    ("detection/selection/eventName|re", "Stop(", "invalid"),
    ("detection/selection/eventName|near", "Stop", "near"),
    ("detection/condition", "selection and other", "other"),
    ("detection/condition", "selection |", ""),
    ("probable_cause/layer", "database", "found 'database'; it must be one of application, network, cloudsystem"),
    ("probable_cause/role", "effect", "it must be one of cause, symptom, recovery"),
    ("probable_cause/relevance", 11, "found 11; it must be a number from 0 to 10"),
    ("probable_cause/relevance", True, "it must be a number from 0 to 10"),
    ("probable_cause/half_life", "a day", "it must be a duration above zero"),
    ("probable_cause/window", "0s", "it must be a duration above zero"),
    ("probable_cause/window", "30d", "a window longer than 14d is impossible"),
    ("probable_cause/window", "1h", "it ends before one half-life has passed"),
    ("probable_cause/cause", None, "a text is needed"),
    ("probable_cause/cause", "{eventNam} on {resource}", "{eventNam} is no field of cloudtrail events"),
    ("probable_cause/summary", "{actor rebooted", "the braces do not pair"),
    ("probable_cause/explains", ["outage"], "unknown kind 'outage'"),
    ("probable_cause/explains", 3, "it must be a list of words"),
    ("probable_cause/resolves", ["no-such-rule"], "there is no rule 'no-such-rule'"),
    ("probable_cause/colour", "red", "unknown key 'colour'"),
    ("probable_cause/examples", {"match": "x"}, "a list of lines or mappings"),
    ("probable_cause/examples", {"like": []}, "match or ignore"),
]


@pytest.mark.parametrize(("path", "value", "words"), FAULTY, ids=[f"{path}={value}" for path, value, _ in FAULTY])
def test_a_faulty_rule_is_refused_with_its_place(tmp_path: Path, path: str, value: Any, words: str) -> None:
    file = write(tmp_path, "a.yml", changed(path, value))
    found = faults(file)
    assert found
    assert any(words in fault for fault in found), found
    assert all(fault.startswith(f"{file}:") and fault.split(":")[1].isdigit() for fault in found), found


def test_a_symptom_needs_its_kind_and_a_recovery_what_it_ends(tmp_path: Path) -> None:
    file = write(tmp_path, "a.yml", changed("probable_cause/role", "symptom"))
    assert any("a symptom needs its kind" in fault for fault in faults(file))
    file = write(tmp_path, "a.yml", changed("probable_cause/role", "recovery"))
    assert any("a recovery needs the ids" in fault for fault in faults(file))


def test_every_fault_of_every_file_is_reported_at_once_with_its_line(tmp_path: Path) -> None:
    a = write(tmp_path, "a.yml", changed("probable_cause/relevance", 12, changed("probable_cause/layer", "x")))
    b = write(tmp_path, "b.yml", GOOD, changed("title", "Twin"))
    (tmp_path / "c.yml").write_text("title: [\n", encoding="utf-8")
    (tmp_path / "d.yml").write_text("- just\n- a list\n", encoding="utf-8")
    found = faults(tmp_path, tmp_path / "missing")
    places = [fault.removeprefix(f"{tmp_path}/").split(" ")[0] for fault in found]
    expected = [
        ("a.yml", line_of(a, "  layer:")),
        ("a.yml", line_of(a, "  relevance:")),
        ("b.yml", line_of(b, "title: Twin")),
    ]
    assert places == [*(f"{name}:{line}:" for name, line in expected), "c.yml:2:", "d.yml:1:", "missing:"]


def test_ids_are_unique_within_a_folder_and_later_folders_win(tmp_path: Path) -> None:
    own, shipped = tmp_path / "own", tmp_path / "shipped"
    own.mkdir()
    shipped.mkdir()
    write(shipped, "a.yml", GOOD)
    write(own, "a.yml", changed("probable_cause/relevance", 2))
    assert load([shipped, own]).by_id["instance-rebooted"].relevance == 2
    write(own, "b.yml", changed("id", None))
    assert "taken by 'instance-rebooted'" in faults(shipped, own)[0]


def test_a_rule_that_matches_everything_is_a_warning(tmp_path: Path) -> None:
    everything = changed("detection/selection", {"eventName": "*"})
    assert "matches every cloudtrail event" in " ".join(load([write(tmp_path, "a.yml", everything)]).warnings)


SOMEONES = """
title: AWS EC2 startup script change
id: 1ab3c5ed-5baf-417b-bb6b-78ca33f6c3df
status: test
author: someone
date: 2020-02-12
tags: [attack.execution]
logsource: {product: aws, service: cloudtrail}
detection:
  selection_source:
    eventSource: ec2.amazonaws.com
    requestParameters.attribute: userData
    eventName: ModifyInstanceAttribute
  condition: selection_source
falsepositives: [Valid changes]
level: LEVEL
"""


@pytest.mark.parametrize(
    ("level", "relevance"), [("critical", 9), ("high", 7), ("medium", 5), ("low", 3), ("informational", 2)]
)
def test_a_sigma_rule_without_our_block_is_a_cause_as_relevant_as_its_level(
    tmp_path: Path, level: str, relevance: float
) -> None:
    (tmp_path / "a.yml").write_text(SOMEONES.replace("LEVEL", level), encoding="utf-8")
    rule: Rule = load([tmp_path]).rules[0]
    assert (rule.role, rule.event_type, rule.relevance) == ("cause", "cloudsystem", relevance)
    assert rule.cause_template == "{eventName} on {resource}"
    assert rule.rule_id == "aws-ec2-startup-script-change"


def test_a_sigma_rule_of_others_may_name_fields_that_we_do_not_know(tmp_path: Path) -> None:
    text = SOMEONES.replace("LEVEL", "low").replace("requestParameters.attribute", "severity")
    (tmp_path / "a.yml").write_text(text, encoding="utf-8")
    rules = load([tmp_path])
    assert len(rules) == 1
    assert "'severity' is no field" in rules.warnings[0]


def test_the_most_relevant_rule_comes_first_and_ties_are_settled_by_id(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a.yml",
        *(
            changed("id", None, changed("title", title, changed("probable_cause/relevance", relevance)))
            for title, relevance in (("b", 5), ("c", 9), ("a", 5))
        ),
    )
    assert [rule.rule_id for rule in load([tmp_path]).rules] == ["c", "a", "b"]
