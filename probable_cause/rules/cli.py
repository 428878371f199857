"""`probable-cause rules list | check | test | coverage`: prints what `commands` gives."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probable_cause.errors import ProbableCauseError
from probable_cause.rules import commands
from probable_cause.rules.catalogue import load
from probable_cause.rules.commands import Row
from probable_cause.rules.model import RuleSet
from probable_cause.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Print = Callable[[str], None]


def run(chosen: argparse.Namespace, settings: Settings, show: Print) -> int:
    """Runs the chosen action; the exit code is 1 for faulty files, a rule that does not match, or a gap."""
    action = {"list": _list, "check": _check, "test": _test, "coverage": _coverage}[chosen.action]
    return action(chosen, settings, show)


def _ruleset(settings: Settings, paths: Sequence[Path] = ()) -> RuleSet:
    return load(list(paths) or list(settings.rule_paths), settings.family_defaults())


def _json(value: Any, show: Print) -> None:
    show(json.dumps(value, indent=2, ensure_ascii=False))


def _list(chosen: argparse.Namespace, settings: Settings, show: Print) -> int:
    rows = commands.list_rules(_ruleset(settings), chosen.layer, chosen.role, chosen.service)
    if chosen.json:
        _json(rows, show)
        return 0
    for row in rows:
        show(f"{row['relevance']:>4g}  {row['role']:<8}  {row['layer']:<11}  {row['rule_id']:<44}  {row['title']}")
    show(f"{len(rows)} rules")
    return 0


def _check(chosen: argparse.Namespace, settings: Settings, show: Print) -> int:
    paths = list(chosen.paths) or list(settings.rule_paths)
    faults, warnings, number = commands.check(paths, settings.family_defaults())
    family, sample = getattr(chosen, "family", None), getattr(chosen, "sample", None)
    if not faults and sample is not None:
        ruleset = _ruleset(settings, paths)
        events = _events(sample, family or "cloudtrail", "probable-cause rules check")
        warnings = [*warnings, *commands.too_broad(commands.shares(ruleset, events))]
    if chosen.json:
        _json({"rules": number, "faults": faults, "warnings": warnings}, show)
        return 1 if faults else 0
    for fault in faults:
        show(f"fault: {fault}")
    for warning in warnings:
        show(f"warning: {warning}")
    show(f"{len(faults)} faults: no rule was loaded" if faults else f"{number} rules, no fault")
    return 1 if faults else 0


def _test(chosen: argparse.Namespace, settings: Settings, show: Print) -> int:
    file = Path(chosen.rule)
    ruleset = _ruleset(settings, [file] if file.is_file() else ())
    rules = list(ruleset.rules) if file.is_file() else [commands.find(ruleset, chosen.rule)]
    line = sys.stdin.read().rstrip("\n") if chosen.line == "-" else chosen.line
    spark = _spark("probable-cause rules test")
    rows = [commands.explain_match(rule, line, spark) for rule in rules]
    if chosen.json:
        _json(rows if len(rows) > 1 else rows[0], show)
    else:
        for row in rows:
            _show_match(row, show)
    return 0 if any(row["matched"] for row in rows) else 1


def _show_match(row: Row, show: Print) -> None:
    show(f"{row['rule_id']}: {'matches' if row['matched'] else 'does not match'}")
    if not row["readable"]:
        show(f"  the line can't be read: {row['reason']}")
        return
    for name, held in row["selections"].items():
        show(f"  {'yes' if held else 'no ':<3} {name}")
    for reason in row["prevented_by"]:
        show(f"  prevented: {reason}")


def _coverage(chosen: argparse.Namespace, settings: Settings, show: Print) -> int:
    family = getattr(chosen, "family", None)
    if family is not None:
        events = _events(chosen.calls, family, "probable-cause rules coverage")
        rows = commands.coverage_of_sample(_ruleset(settings), events)
        gaps = [row for row in rows if not row["matched"]]
        lines = [f"{row['matched']:>6} of {row['events']:>6}  {row['kind']} ({row['outcome']})" for row in rows]
    else:
        rows = commands.coverage(_ruleset(settings), _calls(chosen.calls))
        gaps = [row for row in rows if not row["rules"]]
        lines = [f"{row['service']}:{row['event']}  {', '.join(row['rules']) or 'no rule'}" for row in rows]
    if chosen.json:
        _json(rows, show)
    else:
        for line in lines:
            show(line)
        show(f"{len(rows) - len(gaps)} of {len(rows)} are known to the catalogue")
    return 0


def _calls(file: Path) -> list[tuple[str, str]]:
    """(service, event name) of a JSON list of objects or `service:EventName` texts, or of such texts one a line."""
    text = file.read_text(encoding="utf-8")
    try:
        entries: list[Any] = json.loads(text)
    except ValueError:
        entries = [line for line in (line.strip() for line in text.splitlines()) if line and not line.startswith("#")]
    calls = []
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, dict):
            service = entry.get("event_source") or entry.get("endpointPrefix") or entry.get("service")
            name = entry.get("event_name") or entry.get("event")
        else:
            service, _, name = str(entry).replace(" ", ":").partition(":")
        if not service or not name:
            raise ProbableCauseError(
                f"{file}: entry {number} is {entry!r}; it must be like rds:StopDBInstance, or an object with "
                "event_source and event_name"
            )
        calls.append((str(service), str(name)))
    return calls


def _events(file: Path, family: str, name: str) -> DataFrame:
    lines = [(family, line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return commands.events_of(lines, _spark(name))[0]


def _spark(name: str) -> Any:
    from probable_cause import session

    return session.build(name, "local[1]")
