"""`probable-cause demo`: an AWS account on this machine, the real Spark job beside it, and scenarios played through
CloudWatch Logs into both. With `once`, every expectation of every scenario is checked.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from probable_cause import commands, settings
from probable_cause.clock import scenario_clock, set_offset, wall_clock
from probable_cause.errors import ProbableCauseError, SettingsError
from probable_cause.evaluation.bundle import load_bundle
from probable_cause.evaluation.incident import Bundle, OperatorAction, Truth
from probable_cause.evaluation.judge import faults_of
from probable_cause.evaluation.runner import Step, steps
from probable_cause.local import account, web
from probable_cause.local.emulator import embedded_aws, free_port, require_port
from probable_cause.local.player import Player, ends_at, log_groups, starts_at
from probable_cause.local.preflight import require_machine
from probable_cause.local.screen import Screen
from probable_cause.settings import Settings
from probable_cause.sources import routing_of
from probable_cause.state import dynamodb, lookups, state_record
from probable_cause.state.application import act, load_events, renew
from probable_cause.state.lease import last_beat
from probable_cause.state.tables import Tables
from probable_cause.wiring import model_of

_JOB_STARTS_WITHIN = 300.0  # seconds: a cold Java and Spark on a small machine
_STEP_WITHIN = 120.0  # seconds until a step's lines are in the tables
_GAP = timedelta(minutes=1)  # between two scenarios, on the demo's clock


@dataclass(frozen=True)
class Options:
    """`bundles` are folders; `port` is the dashboard's, None chooses a free one. `account` is a file of settings over
    the demo's, whose aws.endpoint_url names an emulator that runs already; None: one is started."""

    bundles: Sequence[Path]
    once: bool
    port: int | None
    folder: Path
    account: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """One moment of truth: the bundle, the instant, and what was not as expected (nothing: it was)."""

    bundle: str
    truth: Truth
    faults: tuple[str, ...]


def run(options: Options, screen: Screen) -> int:
    """Plays the demo; 0 when every expectation held (or the user ended it), else 1.

    Raises:
        ProbableCauseError: when the machine, a bundle, the account or the job is not fit for it.
    """
    account_settings = _account(options.account)
    require_machine(options.folder)
    if options.port is not None:
        require_port(options.port, "the dashboard", "--port")
    bundles = sorted(
        (load_bundle(path) for path in options.bundles), key=lambda b: ends_at(b) - starts_at(b), reverse=True
    )
    work = Path(tempfile.mkdtemp(prefix="demo-", dir=options.folder)).resolve()
    failed = _run(options, account_settings, bundles, work, screen)
    if failed:
        screen.say(f"What the job and the emulator logged is kept in {work}")
    else:
        shutil.rmtree(work, ignore_errors=True)
    return 1 if failed and options.once else 0


def _account(conf: Path | None) -> dict[str, Any]:
    """The settings of an account that is there already; none of its lines are anybody's but the demo's.

    Raises:
        SettingsError: they name no emulator, or have faults.
    """
    if conf is None:
        return {}
    settings.load(conf)
    content: dict[str, Any] = yaml.safe_load(conf.read_text(encoding="utf-8")) or {}
    if not content.get("aws", {}).get("endpoint_url"):
        allowed = "the demo plays made-up failures into emulated accounts only: give the URL of one, or no --conf"
        raise SettingsError("The demo's account has faults:", [f"{conf}: aws.endpoint_url is not set: {allowed}"])
    return content


def _run(
    options: Options, account_settings: dict[str, Any], bundles: Sequence[Bundle], work: Path, screen: Screen
) -> list[Outcome]:
    """Starts everything, plays, ends everything; the moments at which something was not as expected."""
    with ExitStack() as stack:
        if not account_settings:
            screen.say("Starting the embedded AWS (CloudWatch Logs, Kinesis, DynamoDB) ...")
            url = stack.enter_context(embedded_aws(free_port(), work / "aws.log"))
            account_settings = {"aws": {"endpoint_url": url}}
        conf = _write_conf(work, account_settings, bundles)
        demo = _Demo(settings.load(conf), bundles, screen)
        demo.prepare()
        screen.say("Starting the Spark job ...")
        job = stack.enter_context(Job(conf, work / "job.log"))
        page = web.serve(demo.tables, demo.clock, options.port or free_port(), model=demo.model)
        stack.callback(page.close)
        screen.say(f"Dashboard: {page.url}")
        with screen.open():
            outcomes = demo.play(job)
        screen.result(commands.overview(demo.tables, demo.clock(), demo.model), demo.clock())
        failed = [outcome for outcome in outcomes if outcome.faults]
        screen.say(f"{len(outcomes) - len(failed)} of {len(outcomes)} expectations held.")
        if not options.once:
            _wait_for_the_user(screen, page.url, job)
        return failed


def _write_conf(work: Path, account_settings: Mapping[str, Any], bundles: Sequence[Bundle]) -> Path:
    """The job's configuration: what the bundles say of log groups and networks, put together, and the account's."""
    groups: list[Any] = []
    cidrs: list[str] = []
    for bundle in bundles:
        groups += [group for group in bundle.settings.get("log_groups", []) if group not in groups]
        cidrs += [cidr for cidr in bundle.settings.get("network", {}).get("accepted_cidrs", []) if cidr not in cidrs]
    merged = settings.merge_mappings(bundle.settings for bundle in bundles)
    if groups:
        merged["log_groups"] = groups
    if cidrs:
        merged.setdefault("network", {})["accepted_cidrs"] = cidrs
    mine = {
        "checkpoint": str(work / "checkpoint"),
        "rejects": {"path": str(work / "rejected")},
        "tables": {"create_missing": True},
        "lookup": {"refresh": "5s"},
        "verdict": {"sweep": "1s"},
        "clock": {"file": str(work / "clock.json")},
    }
    path = work / "demo.yml"
    path.write_text(yaml.safe_dump(settings.merge_mappings([merged, mine, account_settings])), encoding="utf-8")
    return path


class Job:
    """The stream job in a process of its own, as a user runs it."""

    def __init__(self, conf: Path, log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-m", "probable_cause.cli", "run", "--conf", str(conf)],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def require_alive(self) -> None:
        """Raises ProbableCauseError with the end of the job's log when it ended."""
        if self._process.poll() is not None:
            last = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
            raise ProbableCauseError(f"the Spark job ended; its log is {self._log}:\n  " + "\n  ".join(last))

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _valid(rows: Sequence[Mapping[str, Any]], span: timedelta) -> list[dict[str, Any]]:
    """Lookup rows whose validity moves along with the records."""
    return [
        {
            name: (datetime.fromisoformat(value) + span).isoformat() if name in lookups.VALIDITY else value
            for name, value in row.items()
        }
        for row in rows
    ]


class _Demo:
    """The bundles, the account they are played into, and the clock they are played by."""

    def __init__(self, configuration: Settings, bundles: Sequence[Bundle], screen: Screen) -> None:
        self._settings, self._bundles, self._screen = configuration, bundles, screen
        assert configuration.clock_file is not None
        self._clock_file = Path(configuration.clock_file)
        self.clock = scenario_clock(self._clock_file)
        self.model = model_of(configuration)
        self.tables: Tables = dynamodb.connect(
            configuration.region, configuration.endpoint_url, configuration.table_prefix
        )
        routing = routing_of(configuration.log_groups, configuration.max_decompressed)
        self._player = Player(configuration, routing, bundles)
        self._expected_rows = 0
        self._drawn_at = 0.0

    def prepare(self) -> None:
        """Creates what an account needs."""
        configuration = self._settings
        dynamodb.create(configuration.region, configuration.endpoint_url, configuration.table_prefix)
        arn = account.create_stream(configuration)
        groups = sorted(set().union(*(log_groups(bundle) for bundle in self._bundles)))
        account.subscribe(configuration, groups, arn)

    def play(self, job: Job) -> list[Outcome]:
        """Plays all bundles; the last moment of the last one is now."""
        whole = sum((ends_at(bundle) - starts_at(bundle) + _GAP for bundle in self._bundles), timedelta())
        began = wall_clock().replace(microsecond=0)
        cursor = began - whole
        spans: list[timedelta] = []
        for bundle in self._bundles:
            spans.append(cursor - starts_at(bundle).replace(microsecond=0))
            cursor = ends_at(bundle) + spans[-1] + _GAP
            by_ip, by_resource = (_valid(rows, spans[-1]) for rows in (bundle.lookup_by_ip, bundle.lookup_by_resource))
            lookups.put(self.tables, by_ip, by_resource, began)
        outcomes: list[Outcome] = []
        for number, (bundle, span) in enumerate(zip(self._bundles, spans, strict=True), 1):
            title = f"{number}/{len(self._bundles)} {bundle.name}: {bundle.description}"
            self._screen.say(f"▶ {title}")
            for step in steps(bundle):
                outcomes += self._play_step(bundle, step, span, title, job)
        set_offset(self._clock_file, timedelta())
        return outcomes

    def _play_step(self, bundle: Bundle, step: Step, span: timedelta, title: str, job: Job) -> list[Outcome]:
        set_offset(self._clock_file, step.at + span - wall_clock())
        self._expected_rows += self._player.put(step, span)
        self._wait_for_rows(title, job)
        for action in step.actions:
            self._act(action)
        return [self._check(bundle, truth, span, title, job) for truth in step.truths]

    def _wait_for_rows(self, title: str, job: Job) -> None:
        deadline = time.monotonic() + (_STEP_WITHIN if last_beat(self.tables.states) else _JOB_STARTS_WITHIN)
        while True:
            job.require_alive()
            seen = int((last_beat(self.tables.states) or {}).get("LinesTotal", 0))
            self._draw(title, f"{seen} of {self._expected_rows} lines processed")
            if seen >= self._expected_rows:
                return
            if time.monotonic() > deadline:
                raise ProbableCauseError(
                    f"the job has processed {seen} of {self._expected_rows} lines, and stays there"
                )
            time.sleep(0.2)

    def _act(self, action: OperatorAction) -> None:
        now = self.clock()
        application, layer = action.application_id, action.event_type
        act(self.tables, application, layer, action.status, action.who, now, action.reason, action.cause)
        renew(self.tables, action.application_id, now, self.model, wall_clock())
        self._screen.say(f"  {action.who}: {action.action} {action.application_id} {action.event_type}")

    def _check(self, bundle: Bundle, truth: Truth, span: timedelta, title: str, job: Job) -> Outcome:
        """Looks until the tables say what is expected, or a verdict had its time to settle."""
        deadline = time.monotonic() + 15
        while True:
            job.require_alive()
            faults = self._faults(truth)
            if not faults or time.monotonic() > deadline:
                break
            time.sleep(0.3)
        self._draw(title, "")
        mark = "✗" if faults else "✓"
        self._screen.say(f"  {mark} {truth.application_id} at {truth.at + span:%H:%M:%S}: {truth.told()}")
        for fault in faults:
            self._screen.say(f"      {fault}")
        return Outcome(bundle.name, truth, tuple(faults))

    def _faults(self, truth: Truth) -> list[str]:
        """What differs from the truth: in the verdict judged now, and in the one that the job has stored."""
        now = self.clock()
        events = [stored.event for stored in load_events(self.tables, truth.application_id).values()]
        verdict = commands.verdict_of(self.tables, truth.application_id, now, self.model)
        faults = faults_of(truth, verdict, events)
        key = {"ApplicationId": truth.application_id, "StateKey": state_record.current_key(state_record.OVERALL)}
        stored = (self.tables.states.get(key) or {}).get("Signature")
        if events and stored != state_record.signature_text(verdict):
            faults.append(f"the stored verdict is {stored}, judged now it is {state_record.signature_text(verdict)}")
        return faults

    def _draw(self, title: str, progress: str) -> None:
        # Reading the tables costs what the job needs itself: only where somebody looks, and once a second.
        if not self._screen.live or time.monotonic() - self._drawn_at < 1:
            return
        self._drawn_at = time.monotonic()
        now = self.clock()
        self._screen.show(
            commands.overview(self.tables, now, self.model), now, title, f"{now:%Y-%m-%d %H:%M:%S} {progress}"
        )


def _wait_for_the_user(screen: Screen, url: str, job: Job) -> None:
    screen.say(f"The job goes on. Dashboard: {url}   Ctrl-C ends it.")
    try:
        while True:
            job.require_alive()
            time.sleep(1)
    except KeyboardInterrupt:
        screen.say("Ending.")
