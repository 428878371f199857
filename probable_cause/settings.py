"""Configuration: YAML files merged over conf/default.yml, checked once before Spark starts, into frozen objects.

Every fault is reported together, each with file, key, what was found and what is allowed. `conf/default.yml` names
every key, its unit and its reason; a key that is not there is a fault.
"""

from __future__ import annotations

import atexit
import ipaddress
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from probable_cause.errors import SettingsError
from probable_cause.logs import FORMATS
from probable_cause.schemas import FAMILIES

_DURATION = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_kept_open = ExitStack()
atexit.register(_kept_open.close)


@dataclass(frozen=True)
class LogGroup:
    """Which family a log group carries. `pattern` is a regular expression; a named group `application_id` attributes
    every line of the group."""

    pattern: str
    family: str
    format: str | None = None
    application_id: str | None = None


@dataclass(frozen=True)
class Stream:
    name: str
    starting_position: str
    lag: float
    max_span: float
    trigger: float
    on_trimmed: str
    prefilter: bool


@dataclass(frozen=True)
class Decay:
    """Seconds after which relevance is halved, and after which it is 0."""

    half_life: float
    window: float


@dataclass(frozen=True)
class Health:
    """Where the job tells how it is. `port` None: no endpoint; `file` None: no file."""

    file: str | None
    address: str
    port: int | None
    max_silence: float


@dataclass(frozen=True)
class Settings:
    """The whole configuration. Durations are seconds, sizes bytes."""

    region: str
    endpoint_url: str | None
    stream: Stream
    checkpoint: str
    table_prefix: str
    create_tables: bool
    log_groups: tuple[LogGroup, ...]
    accepted_cidrs: tuple[str, ...]
    count_external_sources: bool
    baseline_lines: int
    lookup_refresh: float
    rule_paths: tuple[Path, ...]
    decay: Mapping[str, Decay]
    max_decompressed: int
    remembered_events: int
    listed_events: int
    own_causes: int
    identity_horizon: float
    sweep: float
    max_future: float
    max_past: float
    clock_file: str | None
    rejects_path: str
    archive_enabled: bool
    archive_path: str
    archive_drain: float
    archive_snapshot: float
    archive_retention: float
    health: Health
    emf: bool
    log_format: str
    verdict: Mapping[str, Any] = field(default_factory=dict)
    lookup_scan: Mapping[str, Any] = field(default_factory=dict)  # what `lookup refresh` goes by, as conf `lookup:`
    sources: tuple[str, ...] = ()

    @property
    def folders(self) -> tuple[str, ...]:
        """What Spark reads and writes, on disk or S3."""
        return self.checkpoint, self.rejects_path, self.archive_path

    def family_defaults(self) -> dict[str, tuple[int, int]]:
        """family -> (half-life, window) in seconds, as the rule catalogue wants them."""
        return {family: (int(decay.half_life), int(decay.window)) for family, decay in self.decay.items()}


@cache
def conf_folder() -> Path:
    """The folder of default.yml and the rules: conf/ of a clone, or a copy of what travels in an installed wheel."""
    beside = Path(__file__).resolve().parent.parent / "conf"
    if (beside / "default.yml").is_file():
        return beside
    # A wheel that spark-submit was given stays a zip archive; rule files are read as files.
    folder = Path(_kept_open.enter_context(tempfile.TemporaryDirectory(prefix="probable-cause-conf-")))
    _copy(resources.files("probable_cause") / "conf", folder)
    return folder


def _copy(packed: Traversable, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for one in packed.iterdir():
        if one.is_dir():
            _copy(one, folder / one.name)
        else:
            (folder / one.name).write_bytes(one.read_bytes())


def load(*paths: str | Path, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from conf/default.yml, then each of `paths`, then `overrides` (a nested mapping).

    Raises:
        SettingsError: with all faults of all files.
    """
    default = conf_folder() / "default.yml"
    faults: list[str] = []
    layers: list[tuple[Path, Mapping[str, Any]]] = []
    for path in (default, *map(Path, paths)):
        content = _read(path, faults)
        layers.append((path, content))
    if overrides:
        layers.append((Path("overrides"), overrides))
    known = layers[0][1]
    merged: dict[str, Any] = {}
    origin: dict[str, Path] = {}
    for path, content in layers:
        _check_keys(path, content, known, faults)
        merged = _merge(merged, content, path, origin)
    checked = _Checker(merged, origin, faults, default.parent)
    settings = checked.settings(tuple(str(path) for path, _ in layers))
    if faults:
        raise SettingsError("The configuration has faults:", faults)
    assert settings is not None
    return settings


def _read(path: Path, faults: list[str]) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        faults.append(f"{path}: no such file; give an existing YAML file to --conf")
        return {}
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        faults.append(f"{path}: not YAML: {' '.join(str(exc).split())}")
        return {}
    if not isinstance(content, dict):
        faults.append(f"{path}: found {type(content).__name__}, allowed is a mapping of keys as in conf/default.yml")
        return {}
    return content


# Keys whose content is free: the mapping below them is checked by whoever reads it.
_FREE = {"verdict"}


def _check_keys(
    path: Path, content: Mapping[str, Any], known: Mapping[str, Any], faults: list[str], prefix: str = ""
) -> None:
    for key, value in content.items():
        name = f"{prefix}{key}"
        if key not in known:
            allowed = ", ".join(sorted(map(str, known)))
            faults.append(f"{path}: {name}: unknown key; allowed here: {allowed}")
        elif isinstance(known[key], dict) and name not in _FREE:
            if isinstance(value, dict):
                _check_keys(path, value, known[key], faults, f"{name}.")
            else:
                faults.append(f"{path}: {name}: found {value!r}, allowed is a mapping of {', '.join(known[key])}")


def _merge(
    under: Mapping[str, Any], over: Mapping[str, Any], path: Path, origin: dict[str, Path], prefix: str = ""
) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            below = merged.get(key)
            merged[key] = _merge(below if isinstance(below, dict) else {}, value, path, origin, f"{name}.")
        else:
            merged[key] = value
        origin[name] = path
    return merged


def parse_duration(value: Any) -> float:
    """Seconds of `24h`, `500ms`, `0.5s` or a plain number of seconds. Raises ValueError."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return float(value)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", str(value))
    if not match:
        raise ValueError("a duration such as 500ms, 30s, 5m, 24h or 3d")
    return float(match[1]) * _DURATION[match[2]]


def parse_size(value: Any) -> int:
    """Bytes of `32MiB` or a plain number of bytes. Raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = re.fullmatch(r"\s*(\d+)\s*(B|KiB|MiB|GiB)\s*", str(value))
    if not match:
        raise ValueError("a size such as 512KiB or 32MiB")
    return int(match[1]) * _SIZE[match[2]]


class _Checker:
    """Reads typed values out of the merged mapping and notes each fault; never raises on bad input."""

    def __init__(self, merged: Mapping[str, Any], origin: Mapping[str, Path], faults: list[str], conf: Path) -> None:
        self._merged, self._origin, self._faults, self._conf = merged, origin, faults, conf

    def _at(self, key: str) -> Any:
        value: Any = self._merged
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def fault(self, key: str, found: Any, allowed: str) -> None:
        parent = key.split("[")[0]
        where = self._origin.get(parent) or self._origin.get(parent.split(".")[0]) or self._conf / "default.yml"
        self._faults.append(f"{where}: {key}: found {found!r}, allowed is {allowed}")

    def value(self, key: str, read: Callable[[Any], Any], default: Any = None) -> Any:
        found = self._at(key)
        try:
            return read(found)
        except (ValueError, TypeError) as exc:
            self.fault(key, found, str(exc))
            return default

    def one_of(self, key: str, *allowed: str) -> str:
        def read(found: Any) -> str:
            if found not in allowed:
                raise ValueError(" or ".join(allowed))
            return str(found)

        return str(self.value(key, read, allowed[0]))

    def duration(self, key: str) -> float:
        return float(self.value(key, parse_duration, 1.0))

    def settings(self, sources: tuple[str, ...]) -> Settings | None:
        decay = {
            family: Decay(self.duration(f"relevance.{family}.half_life"), self.duration(f"relevance.{family}.window"))
            for family in FAMILIES
        }
        for family, one in decay.items():
            if one.half_life <= 0:
                self.fault(f"relevance.{family}.half_life", one.half_life, "more than 0")
        built = Settings(
            region=self.value("aws.region", _text),
            endpoint_url=self.value("aws.endpoint_url", _optional_url),
            stream=Stream(
                name=self.value("stream.name", _text),
                starting_position=self.one_of("stream.starting_position", "TRIM_HORIZON", "LATEST"),
                lag=self.duration("stream.lag"),
                max_span=self.duration("stream.max_span"),
                trigger=self.duration("stream.trigger"),
                on_trimmed=self.one_of("stream.on_trimmed", "fail", "skip"),
                prefilter=self.value("stream.prefilter", _boolean),
            ),
            checkpoint=self.value("checkpoint", _text),
            table_prefix=self.value("tables.prefix", _table_prefix),
            create_tables=self.value("tables.create_missing", _boolean),
            log_groups=self._log_groups(),
            accepted_cidrs=self._cidrs(),
            count_external_sources=self.value("network.count_external_sources", _boolean),
            baseline_lines=self.value("network.baseline_lines", _count_or_none, 0),
            lookup_refresh=self.duration("lookup.refresh"),
            lookup_scan=self._lookup_scan(),
            rule_paths=self._rule_paths(),
            decay=decay,
            max_decompressed=self.value("envelope.max_decompressed", parse_size, 1),
            remembered_events=self.value("identity.remembered_events", _count, 1),
            listed_events=self.value("identity.listed_events", _count, 1),
            own_causes=self.value("floods.own_causes", _count, 1),
            identity_horizon=self.duration("identity.horizon"),
            sweep=self.duration("verdict.sweep"),
            max_future=self.duration("clock.max_future"),
            max_past=self.duration("clock.max_past"),
            clock_file=self.value("clock.file", _optional_text),
            rejects_path=self.value("rejects.path", _text),
            archive_enabled=self.value("archive.enabled", _boolean),
            archive_path=self.value("archive.path", _text),
            archive_drain=self.duration("archive.drain"),
            archive_snapshot=self.duration("archive.snapshot"),
            archive_retention=self.duration("archive.retention"),
            health=Health(
                file=self.value("health.file", _optional_text),
                address=self.value("health.address", _text),
                port=self.value("health.port", _optional_port),
                max_silence=self.duration("health.max_silence"),
            ),
            emf=self.value("metrics.emf", _boolean),
            log_format=self.one_of("log.format", *FORMATS),
            verdict={k: v for k, v in (self._at("verdict") or {}).items() if k != "sweep"},
            sources=sources,
        )
        return None if self._faults else built

    def _log_groups(self) -> tuple[LogGroup, ...]:
        found = self._at("log_groups")
        if not isinstance(found, list):
            self.fault("log_groups", found, "a list of {pattern, family, format?, application_id?}")
            return ()
        groups = []
        for index, entry in enumerate(found):
            key = f"log_groups[{index}]"
            if not isinstance(entry, Mapping) or not {"pattern", "family"} <= set(entry):
                self.fault(key, entry, "a mapping with pattern and family")
                continue
            for name in set(entry) - {"pattern", "family", "format", "application_id"}:
                self.fault(f"{key}.{name}", entry[name], "pattern, family, format or application_id")
            try:
                re.compile(str(entry["pattern"]))
            except re.error as exc:
                self.fault(f"{key}.pattern", entry["pattern"], f"a regular expression ({exc})")
            if entry["family"] not in FAMILIES:
                self.fault(f"{key}.family", entry["family"], " or ".join(FAMILIES))
            if entry.get("format") is not None and entry["family"] != "vpc_flow":
                self.fault(f"{key}.format", entry["format"], "no format: only vpc_flow groups have one")
            groups.append(
                LogGroup(str(entry["pattern"]), entry["family"], entry.get("format"), entry.get("application_id"))
            )
        return tuple(groups)

    def _lookup_scan(self) -> dict[str, Any]:
        scan = {name: self.value(f"lookup.{name}", _texts, []) for name in ("application_tags", "regions", "roles")}
        for index, role in enumerate(scan["roles"]):
            if not re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:role/\S+", role):
                self.fault(f"lookup.roles[{index}]", role, "the ARN of an IAM role")
        return {
            **scan,
            "stack_fallback": self.value("lookup.stack_fallback", _boolean),
            "external_id": self.value("lookup.external_id", _optional_text),
        }

    def _cidrs(self) -> tuple[str, ...]:
        found = self._at("network.accepted_cidrs")
        if not isinstance(found, list):
            self.fault("network.accepted_cidrs", found, "a list of CIDR ranges such as 10.0.0.0/8")
            return ()
        good = []
        for index, text in enumerate(found):
            try:
                good.append(str(ipaddress.ip_network(str(text))))
            except ValueError:
                self.fault(f"network.accepted_cidrs[{index}]", text, "a CIDR range whose host bits are 0: 10.0.0.0/8")
        return tuple(good)

    def _rule_paths(self) -> tuple[Path, ...]:
        found = self._at("rules.paths")
        if not isinstance(found, list) or not found:
            self.fault("rules.paths", found, "a list of folders or files")
            return ()
        base = self._origin.get("rules.paths", self._conf / "default.yml").parent
        paths = tuple((base / str(entry)).resolve() for entry in found)
        for entry, path in zip(found, paths, strict=True):
            if not path.exists():
                self.fault("rules.paths", entry, f"an existing folder or file (looked for {path})")
        return paths


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise ValueError("a list of texts")
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def _optional_url(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not re.match(r"https?://[^/\s]+", value):
        raise ValueError("null or a URL such as http://127.0.0.1:4566")
    return value.rstrip("/")


def _optional_port(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
        raise ValueError("null or a TCP port (0: a free one)")
    return value


def _table_prefix(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{0,100}", value):
        raise ValueError("letters, digits, _ . - (up to 100)")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a whole number from 1")
    return value


def _count_or_none(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("a whole number from 0")
    return value


def merge_mappings(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Nested mappings merged, later over earlier: how a bundle's `settings` go over another overlay."""
    merged: dict[str, Any] = {}
    for part in parts:
        merged = _merge(merged, part, Path("overrides"), {})
    return merged
