"""Rule files to a RuleSet: reads YAML, lets pySigma parse the detections, checks everything, reports all faults."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from sigma.exceptions import SigmaError
from sigma.rule import SigmaDetectionItem, SigmaRule

from probable_cause.errors import RulesError
from probable_cause.rules.block import default_block, read_block
from probable_cause.rules.examples import example_line
from probable_cause.rules.fields import is_known, known_fields
from probable_cause.rules.keys import NAMING, by_action, keys_of, needles_of, speaks_of_failure, with_default_levels
from probable_cause.rules.model import ALWAYS, Condition, Examples, Rule, RuleSet
from probable_cause.rules.sigma_condition import ConditionFault, condition_of
from probable_cause.rules.yaml_lines import Document, documents

SERVICES = {"cloudtrail": "cloudtrail", "config": "aws_config", "vpcflow": "vpc_flow", "application": "application"}
DECAY = {"cloudtrail": (86400, 259200), "aws_config": (86400, 259200), "vpc_flow": (3600, 21600),
         "application": (3600, 21600)}  # fmt: skip

_EVERYWHERE = ("eventSource", "eventName", "eventTime", "configurationItem", "message", "srcaddr", "action")


@dataclass
class _Reading:
    """What is collected over all files."""

    decay: Mapping[str, tuple[int, int]]
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    resolves: list[tuple[str, int, str]] = field(default_factory=list)


def load(paths: Iterable[Path], family_defaults: Mapping[str, tuple[int, int]] = DECAY) -> RuleSet:
    """The rules of the given files and folders, the rules of a later path winning over equal ids of an earlier one.

    `family_defaults`: (half-life, window) in seconds for each family. Raises RulesError with every fault of every
    file, each with file and line.
    """
    reading = _Reading(family_defaults)
    for path in paths:
        found: dict[str, Rule] = {}
        if not path.exists():
            reading.faults.append(f"{path}: no such file or folder; it is listed under rules.paths")
        for file in sorted([*path.rglob("*.yml"), *path.rglob("*.yaml")]) if path.is_dir() else [path]:
            if file.exists():
                _read_file(file, reading, found)
        reading.rules.update(found)
    for file_name, line, rule_id in reading.resolves:
        if rule_id not in reading.rules:
            reading.faults.append(f"{file_name}:{line}: resolves: there is no rule {rule_id!r}")
    if reading.faults:
        raise RulesError(f"{len(reading.faults)} faults in the rule files", reading.faults)
    ranked = sorted(reading.rules.values(), key=lambda rule: (-rule.relevance, rule.rule_id))
    return RuleSet(tuple(ranked), tuple(reading.warnings))


def slug(title: str) -> str:
    """A readable id: `Instance rebooted` becomes `instance-rebooted`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _read_file(file: Path, reading: _Reading, found: dict[str, Rule]) -> None:
    try:
        for document in documents(file.read_text(encoding="utf-8")):
            _read_rule(document, file, reading, found)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        reading.faults.append(f"{file}:{mark.line + 1 if mark else 1}: not YAML: {getattr(error, 'problem', error)}")


def _read_rule(document: Document, file: Path, reading: _Reading, found: dict[str, Rule]) -> None:
    before = len(reading.faults)

    def report(*path: str | int, message: str) -> None:
        where = f"{'.'.join(map(str, path))}: " if path else ""
        reading.faults.append(f"{file}:{document.line(*path)}: {where}{message}")

    raw = document.value
    if not isinstance(raw, dict):
        return report(message="a rule must be a mapping with title, logsource and detection")
    sigma = SigmaRule.from_dict(_without_extras(raw), collect_errors=True)
    for error in sigma.errors:
        report(message=f"{error} (Sigma)")
    service = (raw.get("logsource") or {}).get("service") if isinstance(raw.get("logsource"), dict) else None
    family = SERVICES.get(str(service))
    if family is None:
        report("logsource", message=f"service {service!r} is not known; allowed are {', '.join(SERVICES)}")
    if family is None or len(reading.faults) > before:
        return None
    own = raw.get("probable_cause")
    title = str(raw.get("title", file.stem))
    block = own if isinstance(own, dict) else default_block(str(raw.get("level", "")), title, reading.decay[family])
    checked = read_block(block, family, reading.decay[family],
                         lambda *path, message: report("probable_cause", *path, message=message))  # fmt: skip
    condition, selections = _conditions(sigma, family, report)
    _check_fields(condition, family, own is not None, report, reading.warnings, f"{file}:{document.line('detection')}")
    if len(reading.faults) > before:
        return None
    any_outcome = checked.role == "symptom" or speaks_of_failure(condition)
    keys, rest = keys_of(family, condition, any_outcome)
    quiet = True
    needles: tuple[str, ...] = ()
    if family == "application":
        needles = needles_of(rest) if keys == ("application|",) else ()
        rest, quiet = with_default_levels(rest)
    if _matches_all(rest) and any(key.endswith("|") for key in keys):
        reading.warnings.append(f"{file}:{document.line()}: {title}: it matches every {family} event")
    rule_id = slug(str(raw.get("name") or title))
    for other in found.values():
        if other.rule_id == rule_id or (raw.get("id") and other.sigma_id == str(raw["id"])):
            report(message=f"the id of {rule_id!r} is taken by {other.rule_id!r} in {other.file}:{other.line}")
    line = document.line("probable_cause", "resolves")
    reading.resolves.extend((str(file), line, other) for other in checked.resolves)
    found[rule_id] = Rule(
        rule_id=rule_id,
        sigma_id=str(raw.get("id", "")),
        title=title,
        family=family,
        event_type=checked.layer,
        role=checked.role,
        relevance=checked.relevance,
        half_life_seconds=checked.half_life,
        window_seconds=checked.window,
        cause_template=checked.cause,
        summary_template=checked.summary,
        explains=checked.explains,
        symptom=checked.symptom,
        resolves=checked.resolves,
        keys=keys,
        needles=needles,
        condition=rest,
        selections=selections,
        any_outcome=any_outcome,
        quiet_levels=quiet,
        reason=checked.reason,
        references=tuple(str(link) for link in raw.get("references") or ()),
        examples=_examples(block.get("examples"), sigma, family, report),
        file=str(file),
        line=document.line(),
    )
    return None


def _without_extras(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What pySigma should read. It insists on dates and ids of a form that has no bearing on matching."""
    kept = ("title", "logsource", "detection", "level", "status")
    return {key: raw[key] for key in kept if key in raw}


def _conditions(sigma: SigmaRule, family: str, report: Any) -> tuple[Condition, tuple[tuple[str, Condition], ...]]:
    try:
        parsed = [parsed.parsed for parsed in sigma.detection.parsed_condition]
        condition: Condition = tuple(term for tree in parsed for term in condition_of(tree, family))
        selections = tuple(
            (name, by_action(condition_of(detection.postprocess(sigma.detection), family)))
            for name, detection in sigma.detection.detections.items()
        )
        return condition, selections
    except (SigmaError, ConditionFault) as error:
        report("detection", message=str(error))
        return ALWAYS, ()


def _matches_all(condition: Condition) -> bool:
    """Whether a term asks for nothing but fields that every event has."""
    return any(
        all(any(t.op == "exists" and not t.negated and t.field in _EVERYWHERE for t in clause) for clause in term)
        for term in condition
    )


def _check_fields(
    condition: Condition, family: str, strict: bool, report: Any, warnings: list[str], where: str
) -> None:
    for test in {test for term in condition for clause in term for test in clause}:
        if test.field and not is_known(family, test.field):
            message = f"{test.field!r} is no field of {family} logs; known are {known_fields(family)}"
            if strict:
                report("detection", message=message)
            else:
                warnings.append(f"{where}: {message}; a rule of others is kept all the same")


def _examples(raw: Any, sigma: SigmaRule, family: str, report: Any) -> Examples:
    lists: dict[str, tuple[str, ...]] = {}
    if raw is not None and not isinstance(raw, dict):
        report("probable_cause", "examples", message="it must hold the lists match and ignore")
    for key, values in raw.items() if isinstance(raw, dict) else ():
        fits = isinstance(values, list) and all(isinstance(value, str | dict) for value in values)
        if key not in ("match", "ignore") or not fits:
            report("probable_cause", "examples", key, message="it must be match or ignore, a list of lines or mappings")
        else:
            lists[key] = tuple(example_line(family, value, _naming(sigma, family)) for value in values)
    return Examples(**lists)


def _naming(sigma: SigmaRule, family: str) -> dict[str, str]:
    """The first value of each field that names the event, so that examples need not repeat it."""
    found: dict[str, str] = {}
    for detection in sigma.detection.detections.values():
        for item in detection.detection_items:
            if isinstance(item, SigmaDetectionItem) and item.field in NAMING.get(family, ()) and not item.modifiers:
                found.setdefault(item.field, str(item.value[0]))
    return found
