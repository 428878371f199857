"""One run of the harness: a seeded stream is put, the job is killed again and again while it reads it, and in the end
the tables are compared with the truth, cell by cell."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from probable_cause.errors import ProbableCauseError
from probable_cause.state import lookups
from probable_cause.state.application import act
from probable_cause.state.identity import is_chunk
from probable_cause.state.lease import last_beat
from probable_cause.state.moments import from_millis
from tests.chaos import oracle
from tests.chaos.account import RULES, Account, cloud
from tests.chaos.driver import POINTS
from tests.chaos.operators import Operators
from tests.chaos.oracle import Comparison, Resolution
from tests.chaos.process import Job, leaked
from tests.chaos.proxy import Faults
from tests.chaos.workload import Fact, Maker, Shape, Stream, World, payload, slices, trail_line

START_SECONDS = 120.0  # a cold JVM on a busy machine
IDLE_SECONDS = 60.0  # without any change, after which the job has done what it will do
MOST_ENDS = 3  # of the job by itself while it is waited for: more of them tell nothing new
RANDOM_KINDS = ("driver", "jvm", "all", *["worker"] * 6)  # by how often; a worker costs no start of a Java machine


@dataclass(frozen=True)
class Options:
    seed: int
    kinesis: str = "kinesis-local"
    dynamodb: str = "dynalite"
    kills: int = 8
    shape: Shape = Shape()
    reshards: int = 2
    throttled: float = 0.2
    lost_answers: float = 0.01
    seconds: float = 540.0  # no kill is begun after so long; what was not run is told
    kinds: tuple[str, ...] | None = None  # what is killed, in order; None: drawn
    off: str = ""


@dataclass
class Result:
    options: Options
    stream: Stream
    kills: Counter[str] = field(default_factory=Counter)
    starts: int = 0
    by_itself: list[str] = field(default_factory=list)  # how a driver ended that nobody had killed
    reshards: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    actions: int = 0
    events: Comparison = field(default_factory=Comparison)
    states: Comparison = field(default_factory=Comparison)
    rejects: Comparison = field(default_factory=Comparison)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    beat: dict[str, Any] = field(default_factory=dict)  # the heartbeat at the end

    @property
    def differences(self) -> list[str]:
        return [*self.faults, *self.events.differences, *self.states.differences, *self.rejects.differences]


def plan(dice: random.Random, kills: int, kinds: tuple[str, ...] = RANDOM_KINDS) -> list[str]:
    """What is killed, in order: every named point first, then instants at random, shuffled."""
    points = [f"point {one}" for one in POINTS]
    chosen = [points[n] if n < len(points) else dice.choice(kinds) for n in range(kills)]
    dice.shuffle(chosen)
    return chosen


@dataclass
class Campaign:
    """One account under fire."""

    options: Options
    account: Account
    world: World
    dice: random.Random
    result: Result
    job: Job | None = None
    _batches: int = 0  # that the job had reported at the last kill

    def start(self, kill: str = "never:1") -> Job:
        self.result.starts += 1
        self._batches = 0
        self.job = Job(self.account.conf, self.account.log, kill, self.options.off)
        return self.job

    def under_fire(self) -> None:
        """Puts the stream while the job is killed; what is left to put when the time is over is put at once."""
        chosen = list(self.options.kinds or plan(self.dice, self.options.kills))
        parts = list(slices(self.result.stream.records, len(chosen) + 1))
        reshard_at = {round((n + 1) * len(parts) / (self.options.reshards + 1)) for n in range(self.options.reshards)}
        began = time.monotonic()
        for number, part in enumerate(parts):
            feeding = threading.Thread(target=self._feed, args=(part, number in reshard_at))
            feeding.start()
            if number == len(parts) // 2:
                self.upgrade()
            in_time = time.monotonic() - began < self.options.seconds
            if number < len(chosen) and in_time:
                self._kill(chosen[number])
            feeding.join()

    def upgrade(self) -> None:
        """Other settings and more rules, on the checkpoint that is there: the next start must go on with it."""
        content = yaml.safe_load(self.account.conf.read_text(encoding="utf-8"))
        content["rules"]["paths"].append(str(RULES / "cloudtrail" / "rds.yml"))
        content["stream"] |= {"trigger": "300ms", "max_span": "20s"}
        content["identity"] = {"remembered_events": 256}
        self.account.conf.write_text(yaml.safe_dump(content), encoding="utf-8")

    def _feed(self, records: list[bytes], reshard: bool) -> None:
        for part in slices(records, 4):
            self.account.put_records(part)
            time.sleep(0.15)
        if reshard:
            self.account.reshard(self.dice)
            self.result.reshards += 1

    def _kill(self, what: str) -> None:
        if what.startswith("point "):
            self._end_of_job()
            job = self.start(f"{what.removeprefix('point ')}:{self.dice.randint(1, 3)}")
            self._until(
                lambda: not job.alive, START_SECONDS
            )  # it may have nothing to do at that point: then at any instant
        else:
            job = self._running()
            if self.dice.random() < 0.75:
                # A batch since the last kill: the job gives up after five failures in a row without one.
                self._until(lambda: job.batches > self._batches or not job.alive, START_SECONDS)
            time.sleep(self.dice.uniform(0.0, 2.5))
            self._batches = job.batches
        killed = job.process.returncode == -9 or job.kill(
            what if not what.startswith("point ") else "driver", self.dice
        )
        if killed:
            self.result.kills[what.split()[0]] += 1
        if what != "worker":
            self._until(lambda: not job.alive, 60)
            self._end_of_job(expected=killed)

    def _running(self) -> Job:
        if self.job is None or not self.job.alive:
            self._end_of_job(expected=self.job is None)
            return self.start()
        return self.job

    def _end_of_job(self, expected: bool = True) -> None:
        """Clears away what a job has left."""
        if self.job is None:
            return
        if self.job.alive:
            self.job.kill("all", self.dice)
        elif not expected:
            self.result.by_itself.append(self.job.told()[-300:])
        self.job.clear()
        self.job = None

    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if holds():
                return True
            time.sleep(0.1)
        return False

    def settle(self, facts: list[Fact], resolutions: list[Resolution], operators: Operators | None) -> None:
        """Lets the job run until the tables are equal to the truth and stay so, or nothing changes any more."""
        wanted = oracle.expected(facts, resolutions)
        equal_since: float | None = None

        def equal(job: Job) -> bool:
            nonlocal equal_since
            self._compare(wanted, operators, resolutions)
            now = time.monotonic()
            equal_since = None if self.result.differences else (equal_since or now)
            return equal_since is not None and now - equal_since > 2.5 and job.batches > 0

        self._while_it_moves(equal)

    def _while_it_moves(self, holds: Callable[[Job], bool]) -> bool:
        """Keeps a job running until it holds; False when nothing changes any more, or the job ends again and again."""
        changed, before, ends = time.monotonic(), None, len(self.result.by_itself)
        while len(self.result.by_itself) - ends < MOST_ENDS:
            job = self._running()
            if holds(job):
                return True
            beat = last_beat(self.account.tables.states) or {}
            counts = sum(int(one["Count"]) for one in self.account.tables.events.scan() if not is_chunk(one))
            told = (beat.get("LinesTotal"), job.batches, counts, len(self.result.differences))
            now = time.monotonic()
            if told != before:
                changed, before = now, told
            if now - changed > IDLE_SECONDS and (job.batches > 0 or now - job.started > START_SECONDS):
                return False
            time.sleep(0.5)
        return False

    def _compare(
        self, wanted: Mapping[oracle.Key, Mapping[str, Any]], operators: Operators | None, ended: list[Resolution]
    ) -> None:
        flags, forks = operators.flags() if operators else ({}, [])
        for one in ended:
            key = (one.application_id, f"{one.event_type}#{one.cause}#1")
            flags[key] = {("resolved", "chaos", oracle.moment(one.at))}
        events = [one for one in self.account.tables.events.scan() if not is_chunk(one)]
        self.result.events = oracle.compare(events, wanted, flags)
        by_key = {(one["ApplicationId"], one["EventKey"]): one for one in events}
        self.result.states = oracle.compare_states(self.account.tables.states.scan(), by_key)
        found = oracle.rejects_on_disk(self.account.folder / "rejected")
        self.result.rejects = oracle.compare_rejects(found, self.result.stream.rejects)
        self.result.faults = [one for one in self.result.faults if "overwrote" not in one] + [
            f"overwrote: {fork}" for fork in forks
        ]

    def resolve_and_repeat(self, start: datetime) -> tuple[list[Fact], list[Resolution]]:
        """An operator resolves a cause; then come an event from before that, one from after it, and both once more."""
        application = self.world.applications[0]
        instance = self.world.instance(application, 9)  # nobody's in the lookup: put there now, by resource
        self._own(instance, application)
        cause = f"RebootInstances on {instance}"
        instants = [start + timedelta(seconds=seconds) for seconds in (10, 40, 20, 80)]
        facts, records = [], []
        for number, at in enumerate(instants):
            event_id = f"9{number:055}"
            line = trail_line("RebootInstances", instance, "ana", at, number)
            told = f"ana rebooted {instance}"
            fact = Fact(application, "cloudsystem", cause, told, "cause", round(at.timestamp() * 1000), event_id, line)
            facts.append(fact)
            records.append(payload("/aws/cloudtrail", [{"id": event_id, "timestamp": fact.at, "message": line}]))
        self.account.put_records(records[:2])
        key = {"ApplicationId": application, "EventKey": f"cloudsystem#{cause}#1"}

        def there(_: Job) -> bool:
            item = self.account.tables.events.get(key)
            return item is not None and item["Count"] == 2

        at = from_millis(facts[1].at + 5000)
        try:
            if not self._while_it_moves(there):
                raise ProbableCauseError("it has not come up with both of its events")
            act(self.account.tables, application, "cloudsystem", "resolved", "chaos", at, "fixed", cause)
        except ProbableCauseError as exc:
            # What was put is still owed; the second half of the scene makes sense only after the first.
            self.result.faults.append(f"{cause} could not be resolved: {exc}")
            return facts[:2], []
        self.account.put_records([records[3], records[2], records[0], records[3]])
        return facts, [Resolution(application, "cloudsystem", cause, facts[1].at + 5000)]

    def _own(self, instance: str, application: str) -> None:
        row = {"resource_id": instance, "application_id": application, "resource_type": "AWS::EC2::Instance"}
        lookups.put(self.account.tables, [], [row], datetime.now(UTC))


def run(options: Options, folder: Path) -> Result:
    """The whole campaign."""
    began = time.monotonic()
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=50)
    maker = Maker(options.seed, options.shape, start)
    result = Result(options, maker.make())
    faults = Faults(options.seed, options.throttled, options.lost_answers)
    with cloud(options.kinesis, options.dynamodb, folder, faults) as sky:
        account = sky.account(maker.world, lookup={"refresh": "2s"})
        campaign = Campaign(options, account, maker.world, random.Random(options.seed), result)
        keys = sorted(oracle.expected(result.stream.facts))
        operators = Operators(account.shaky, keys, options.seed)
        with _ending(campaign):
            operators.start()
            campaign.under_fire()
            operators.stop()
            more, resolutions = campaign.resolve_and_repeat(start)
            campaign.settle([*result.stream.facts, *more], resolutions, operators)
            result.beat = last_beat(account.tables.states) or {}
            if campaign.job is not None and campaign.job.end() != 0:
                result.faults.append(f"the job did not end well: {campaign.job.told()[-500:]}")
            campaign.job = None
    result.faults += [f"credentials in {one}" for one in leaked([account.folder, account.log, account.conf])]
    result.actions = len(operators.actions)
    result.faults += operators.faults
    result.calls = faults.seen
    result.seconds = time.monotonic() - began
    return result


@contextmanager
def _ending(campaign: Campaign) -> Iterator[None]:
    try:
        yield
    finally:
        if campaign.job is not None:
            campaign.job.clear()
