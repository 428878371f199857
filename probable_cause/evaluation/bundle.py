"""Incident bundles (design contract 3.6): a folder with incident.yml and records.jsonl, read into frozen values.

All faults of a bundle are reported together, each with file, key, what was found and what is allowed. Keys that are not
known are remarks, not faults: bundles may carry more than this reader uses.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from probable_cause.errors import BundleError
from probable_cause.evaluation.incident import (
    ACTIONS,
    HEALTHY,
    NONE,
    Bundle,
    Expected,
    ExpectedCount,
    OperatorAction,
    Record,
    Truth,
)
from probable_cause.schemas import EVENT_TYPES
from probable_cause.state.lookups import VALIDITY

_KNOWN = {"name", "description", "settings", "lookup", "operator", "truth", "class", "difficulty", "split"}


def find(paths: Iterable[Path]) -> list[Path]:
    """Bundle folders at or below each path, sorted. Raises BundleError for a path that holds none."""
    found: list[Path] = []
    faults = []
    for path in paths:
        below = sorted(one.parent for one in path.rglob("incident.yml")) if path.is_dir() else []
        if not below:
            faults.append(f"{path}: no incident.yml in or below it; give a folder of incident bundles")
        found += below
    if faults:
        raise BundleError("Bundles can't be found:", faults)
    return list(dict.fromkeys(found))


def load_bundle(folder: Path) -> Bundle:
    """The bundle of a folder. Raises BundleError with all its faults."""
    reader = _Reader(folder)
    bundle = reader.bundle()
    if bundle is None:
        raise BundleError(f"The bundle {folder} has faults:", reader.faults)
    return bundle


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder, self.faults, self.remarks = folder, [], []  # type: Path, list[str], list[str]

    def fault(self, file: str, key: str, found: Any, allowed: str) -> None:
        shown = repr(found)
        self.faults.append(f"{self.folder / file}: {key}: found {shown[:120]}, allowed is {allowed}")

    def bundle(self) -> Bundle | None:
        content = self._yaml()
        for key in content.keys() - _KNOWN:
            self.remarks.append(f"{self.folder / 'incident.yml'}: {key}: unknown key, left aside")
        lookup = self._mapping(content, "lookup")
        bundle = Bundle(
            name=str(content.get("name") or self.folder.name),
            path=self.folder,
            description=str(content.get("description") or ""),
            settings=self._mapping(content, "settings"),
            lookup_by_ip=self._rows(lookup, "by_ip", ("ip", "application_id"), ("endpoint_type", "resource_id")),
            lookup_by_resource=self._rows(lookup, "by_resource", ("resource_id", "application_id"), ("resource_type",)),
            operator=tuple(filter(None, (self._operator(*one) for one in self._list(content, "operator")))),
            truth=tuple(filter(None, (self._moment(*one) for one in self._list(content, "truth")))),
            records=self._records(),
            kind=str(content.get("class") or ""),
            difficulty=str(content.get("difficulty") or ""),
            split=str(content.get("split") or ""),
            remarks=tuple(self.remarks),
        )
        if not self.faults and not bundle.truth:
            self.fault("incident.yml", "truth", content.get("truth"), "a list with at least one moment")
        return None if self.faults else bundle

    def _yaml(self) -> dict[str, Any]:
        path = self.folder / "incident.yml"
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
            self.faults.append(f"{path}: can't be read: {' '.join(str(exc).split())}")
            return {}
        if not isinstance(content, dict):
            self.fault("incident.yml", "(file)", content, "a mapping with name, lookup and truth")
            return {}
        return content

    def _mapping(self, content: Mapping[str, Any], key: str) -> dict[str, Any]:
        found = content.get(key) or {}
        if isinstance(found, dict):
            return found
        self.fault("incident.yml", key, found, "a mapping")
        return {}

    def _list(self, content: Mapping[str, Any], key: str, prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
        found = content.get(key) or []
        if not isinstance(found, list):
            self.fault("incident.yml", prefix + key, found, "a list")
            return []
        pairs = []
        for index, one in enumerate(found):
            if isinstance(one, dict):
                pairs.append((f"{prefix}{key}[{index}]", one))
            else:
                self.fault("incident.yml", f"{prefix}{key}[{index}]", one, "a mapping")
        return pairs

    def _rows(
        self, lookup: Mapping[str, Any], key: str, needed: tuple[str, ...], optional: tuple[str, ...]
    ) -> tuple[dict[str, str], ...]:
        rows = []
        for where, one in self._list(lookup, key, "lookup."):
            for name in needed:
                if one.get(name) in (None, ""):
                    self.fault("incident.yml", f"{where}.{name}", one.get(name), "a text")
            row = {name: str(one[name]) for name in (*needed, *optional) if one.get(name) not in (None, "")}
            for name in VALIDITY:  # ISO 8601
                if one.get(name) not in (None, ""):
                    row[name] = self._time("incident.yml", f"{where}.{name}", one[name]).isoformat()
            if len(times := [row[name] for name in VALIDITY if name in row]) == 2 and times[0] >= times[1]:
                self.fault("incident.yml", f"{where}.valid_to", row["valid_to"], "a time after valid_from")
            if "ip" in row and not _is_ip(row["ip"]):
                self.fault("incident.yml", f"{where}.ip", row["ip"], "an IP address such as 10.0.1.10")
            rows.append(row)
        return tuple(rows)

    def _time(self, file: str, key: str, found: Any) -> datetime:
        if isinstance(found, datetime):
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        try:
            moment = datetime.fromisoformat(str(found))
        except ValueError:
            self.fault(file, key, found, "a time such as 2026-03-01T12:06:00Z")
            return datetime.min.replace(tzinfo=UTC)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def _one_of(self, key: str, found: Any, allowed: tuple[str, ...]) -> str:
        if found not in allowed:
            self.fault("incident.yml", key, found, " or ".join(allowed))
        return str(found)

    def _application(self, where: str, one: Mapping[str, Any]) -> str:
        if one.get("application_id") in (None, ""):
            self.fault("incident.yml", f"{where}.application_id", one.get("application_id"), "a text")
        return str(one.get("application_id"))

    def _operator(self, where: str, one: dict[str, Any]) -> OperatorAction:
        cause = one.get("cause")
        return OperatorAction(
            at=self._time("incident.yml", f"{where}.at", one.get("at")),
            action=self._one_of(f"{where}.action", one.get("action"), ACTIONS),
            application_id=self._application(where, one),
            event_type=self._one_of(f"{where}.event_type", one.get("event_type"), EVENT_TYPES),
            cause=None if cause is None else str(cause),
            who=str(one.get("who") or "operator"),
            reason=None if one.get("reason") is None else str(one["reason"]),
        )

    def _moment(self, where: str, one: dict[str, Any]) -> Truth:
        layers = {}
        for name, found in self._mapping(one, "layers").items():
            self._one_of(f"{where}.layers", name, EVENT_TYPES)
            layers[str(name)] = self._expected(f"{where}.layers.{name}", found, HEALTHY)
        root = one.get("root_cause", ...)
        return Truth(
            at=self._time("incident.yml", f"{where}.at", one.get("at")),
            application_id=self._application(where, one),
            # YAML writes "no cause" as none, null or ~
            root_cause=None if root is ... else self._expected(f"{where}.root_cause", root or NONE, NONE),
            layers=layers,
            counts=tuple(self._count(*pair) for pair in self._list(one, "counts", f"{where}.")),
        )

    def _expected(self, where: str, found: Any, word: str) -> Expected | str:
        names = ("event_type", "action", "resource_id", "deferred_from")
        if found == word:
            return word
        if not isinstance(found, dict) or not set(found) & set(names):
            self.fault("incident.yml", where, found, f"{word}, or a mapping of {', '.join(names)}")
            return word
        for name in ("event_type", "deferred_from"):
            if found.get(name) is not None:
                self._one_of(f"{where}.{name}", found[name], EVENT_TYPES)
        return Expected(**{name: str(found[name]) for name in names if found.get(name) is not None})

    def _count(self, where: str, one: dict[str, Any]) -> ExpectedCount:
        count = one.get("count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            self.fault("incident.yml", f"{where}.count", count, "a whole number")
            count = 0
        texts = {name: str(one[name]) for name in ("event_type", "action", "resource_id") if one.get(name) is not None}
        return ExpectedCount(count=count, **texts)

    def _records(self) -> tuple[Record, ...]:
        path = self.folder / "records.jsonl"
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as exc:
            self.faults.append(f"{path}: can't be read: {exc}")
            return ()
        records = [self._record(f"line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
        return tuple(sorted(records, key=lambda one: one.arrival))

    def _record(self, where: str, line: str) -> Record:
        empty = Record(datetime.min.replace(tzinfo=UTC), {})
        try:
            one = json.loads(line)
        except ValueError as exc:
            self.fault("records.jsonl", where, line, f"one JSON object a line ({exc})")
            return empty
        if not isinstance(one, dict) or ("payload" in one) == ("data_base64" in one):
            self.fault("records.jsonl", where, line, "an object with arrival and either payload or data_base64")
            return empty
        arrival = self._time("records.jsonl", f"{where}: arrival", one.get("arrival"))
        try:
            base64.b64decode(one.get("data_base64", ""), validate=True)
        except (binascii.Error, TypeError, ValueError) as exc:
            self.fault("records.jsonl", f"{where}: data_base64", one["data_base64"], f"base64 ({exc})")
            return empty
        return Record(arrival, one)


def _is_ip(text: str) -> bool:
    octets = text.split(".")
    # A leading zero is allowed here and normalised later (design contract 3.1): 10.01.01.01 is 10.1.1.1.
    plain = ".".join(octet.lstrip("0") or "0" for octet in octets) if len(octets) == 4 else text
    try:
        ipaddress.ip_address(plain)
    except ValueError:
        return False
    return True
