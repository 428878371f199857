"""`probable-cause doctor`: looks at the machine, the configuration and the account, and says what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from probable_cause import settings
from probable_cause.clock import wall_clock
from probable_cause.errors import ProbableCauseError
from probable_cause.local.preflight import JAVA, java_version
from probable_cause.rules import catalogue
from probable_cause.settings import Settings
from probable_cause.state import dynamodb, lease, tables
from probable_cause.state.moments import from_text
from probable_cause.storage import Folder

_SUPPORTED_SPARK = ((4, 1, 1), (4, 4, 0))  # from, and before
_SPOOLED = 2000  # batches that wait for the archive; a drain takes them every minute
_SILENT_AFTER = 120.0  # seconds without a sign of the job


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `advice` says what to do when it is not ok."""

    what: str
    ok: bool
    found: str
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(confs: Sequence[str]) -> list[Finding]:
    """All findings; a fault in one never hides the others."""
    findings = [*_machine()]
    try:
        configuration = settings.load(*confs)
    except ProbableCauseError as exc:
        return [*findings, Finding("configuration", False, str(exc), "correct the keys named, see conf/default.yml")]
    findings.append(Finding("configuration", True, ", ".join(configuration.sources)))
    return [*findings, *_rules(configuration), *_archive(configuration), *_account(configuration)]


def _machine() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "Python", sys.version_info >= (3, 11), python, "" if sys.version_info >= (3, 11) else "use 3.11 or newer"
    )
    try:
        java = java_version()
        advice = "" if java >= JAVA else f"Spark 4 needs {JAVA} or newer: install it and set JAVA_HOME"
        yield Finding("Java", java >= JAVA, str(java), advice)
    except ProbableCauseError as exc:
        yield Finding("Java", False, "none", str(exc))
    try:
        spark = version("pyspark")
        number = tuple(int(part) for part in spark.split(".")[:3] if part.isdigit())
        fits = _SUPPORTED_SPARK[0] <= number < _SUPPORTED_SPARK[1]
        yield Finding("Spark", fits, spark, "" if fits else "install pyspark >=4.1.1,<4.4, as setup.py pins it")
    except PackageNotFoundError:
        yield Finding("Spark", False, "pyspark is not installed", "run `make setup`")


def _rules(configuration: Settings) -> Iterator[Finding]:
    try:
        rules = catalogue.load(list(configuration.rule_paths), configuration.family_defaults())
        yield Finding("rules", True, f"{len(rules.rules)} rules")
    except ProbableCauseError as exc:
        yield Finding("rules", False, str(exc), "`probable-cause rules check` names file and line")


def _archive(configuration: Settings) -> Iterator[Finding]:
    if not configuration.archive_enabled:
        yield Finding("archive", True, "off (archive.enabled)")
        return
    from probable_cause.archive import delta, spool
    from probable_cause.archive.writer import spool_path

    try:
        jars, waiting = delta.coordinates(), spool.waiting(Folder(spool_path(configuration.checkpoint)))
    except (ProbableCauseError, OSError) as exc:
        yield Finding("archive", False, str(exc), "see docs/archive.md")
        return
    advice = "" if waiting <= _SPOOLED else "the archive can't be written: the job's log says why (docs/runbook.md)"
    yield Finding("archive", waiting <= _SPOOLED, f"{jars}; {waiting} batches wait in the spool", advice)


def _account(configuration: Settings) -> Iterator[Finding]:
    region, endpoint = configuration.region, configuration.endpoint_url
    where = endpoint or f"AWS {region}"

    def asked(what: str, call: Callable[[], str], advice: str) -> Finding:
        try:
            return Finding(what, True, call())
        except (ClientError, BotoCoreError, ProbableCauseError) as exc:
            return Finding(what, False, str(exc), advice)

    def identity() -> str:
        return str(dynamodb.client("sts", region, endpoint).get_caller_identity()["Arn"])

    yield asked(
        "credentials", identity, f"set credentials for {where}, e.g. a profile or a role; check aws.endpoint_url"
    )

    def stream() -> str:
        kinesis = dynamodb.client("kinesis", region, endpoint)
        summary = kinesis.describe_stream_summary(StreamName=configuration.stream.name)["StreamDescriptionSummary"]
        return f"{configuration.stream.name}: {summary['StreamStatus']}, {summary['OpenShardCount']} open shards"

    yield asked("stream", stream, "create it, or correct stream.name and aws.region; the job needs kinesis:List/Get*")

    def table(definition: tables.TableDefinition) -> str:
        name = configuration.table_prefix + definition.name
        told = dynamodb.client("dynamodb", region, endpoint).describe_table(TableName=name)["Table"]
        wanted = tables.create_request(definition, configuration.table_prefix)["KeySchema"]
        if sorted(map(str, told["KeySchema"])) != sorted(map(str, wanted)):
            raise ProbableCauseError(f"{name} has keys {told['KeySchema']}, allowed are {wanted}")
        return str(told["TableStatus"])

    for definition in tables.ALL:
        yield asked(
            f"table {definition.name}",
            lambda definition=definition: table(definition),  # type: ignore[misc]
            "`probable-cause tables create` creates what is missing",
        )

    def job() -> str:
        beat = lease.last_beat(dynamodb.connect(region, endpoint, configuration.table_prefix).states)
        if beat is None:
            raise ProbableCauseError("never seen on these tables")
        silent = (wall_clock() - from_text(beat["JobSeenAt"])).total_seconds()
        if silent > _SILENT_AFTER:
            raise ProbableCauseError(f"silent for {silent:.0f} s (last: {beat['JobSeenAt']})")
        return f"seen {silent:.0f} s ago, {beat.get('LinesTotal', 0)} lines since its start"

    yield asked("job", job, "start it: `probable-cause run`, or see its log")
