"""One incident in the making: a world, a clock, and what happens in it. Seconds count from T0, the cause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.incidents import app_lines
from benchmarks.incidents.actors import Actor, iam_user, pipeline, sso_person
from benchmarks.incidents.aws_lines import FLOW_V2, cloudtrail, config_change, flow, flow_gap
from benchmarks.incidents.causes import Cause
from benchmarks.incidents.recorder import Recorder, stamp, write_bundle
from benchmarks.incidents.world import World


class Story:
    """Collects lines and truths of one bundle."""

    def __init__(self, name: str, kind: str, difficulty: str, split: str, description: str) -> None:
        self.name, self.kind, self.difficulty, self.split, self.description = name, kind, difficulty, split, description
        self.world = World.drawn(name)
        self.draw = self.world.draw
        self.recorder = Recorder(self.draw, owner=self.world.account)
        day = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=self.draw.randrange(120))
        self.t0 = day + timedelta(seconds=self.draw.randrange(6 * 3600, 20 * 3600))
        dialects = sorted(app_lines.DIALECTS)
        self.dialect = app_lines.DIALECTS[self.draw.choice(dialects)]
        self.person = self.draw.choice((iam_user, sso_person))(self.world.person, account=self.world.account)
        self.rejects = 0
        self.truth: list[dict[str, Any]] = []
        self.operator: list[dict[str, Any]] = []
        self.shared: list[tuple[str, str]] = []  # (resource, type) that the neighbour uses too
        self.window = self.draw.choice((60, 60, 300, 600)) if difficulty == "hard" else 60

    def at(self, seconds: float) -> datetime:
        return self.t0 + timedelta(seconds=seconds)

    # -- what changes ------------------------------------------------------------------------------------------------

    def call(
        self, seconds: float, service: str, action: str, parameters: Mapping[str, Any], actor: Actor | None = None,
        delay: float | None = None, **more: Any,
    ) -> None:  # fmt: skip
        world = self.world
        line = cloudtrail(
            self.draw, self.at(seconds), service, action, actor or self.person, parameters,
            account=world.account, region=world.region, **more,
        )  # fmt: skip
        stream = f"{world.account}_CloudTrail_{world.region}"
        self.recorder.add("cloudtrail", world.layout.trail, stream, self.at(seconds), line, delay)

    def cause(self, seconds: float, cause: Cause, actor: Actor | None = None, delay: float | None = None) -> None:
        """The call of a class, seen by CloudTrail."""
        parameters = cause.parameters(self.world)
        response = cause.response(self.world) if callable(cause.response) else cause.response
        self.call(seconds, cause.service, cause.action, parameters, actor, delay, response=response)

    def config(self, seconds: float, cause: Cause, delay: float | None = None) -> None:
        """The change of a class, seen by AWS Config; `seconds` is when Config captured it."""
        assert cause.config is not None
        kind, key, changed = cause.config
        resource = self.world[key]
        line = config_change(
            self.draw, self.at(seconds), kind, resource, changed(self.world), account=self.world.account,
            region=self.world.region, enveloped=self.draw.random() < 0.7, configuration={"id": resource},
        )  # fmt: skip
        self.recorder.add(
            "aws_config", self.world.layout.config, kind.replace("::", "-"), self.at(seconds), line, delay
        )

    # -- what shows ----------------------------------------------------------------------------------------------------

    def refused(self, first: float, last: float, count: int, source: str = "ip.web", target: str = "ip.store") -> None:
        """Refused flows between two addresses of the application; they are counted for the truth."""
        self._flows(first, last, count, self.world[source], self.world[target], "REJECT")
        self.rejects += count

    def accepted(self, first: float, last: float, count: int) -> None:
        self._flows(first, last, count, self.world["ip.web"], self.world["ip.store"], "ACCEPT")

    def bots(self, first: float, last: float, count: int) -> None:
        """The Internet knocking."""
        for _ in range(count):
            source = f"{self.draw.choice(('203.0.113', '198.51.100', '192.0.2'))}.{self.draw.randint(1, 254)}"
            moment = self.draw.uniform(first, last)
            self._flows(
                moment, moment, 1, source, self.world["ip.web"], "REJECT", self.draw.choice((22, 23, 445, 3389))
            )

    def _flows(
        self, first: float, last: float, count: int, source: str, target: str, action: str, port: int = 5432
    ) -> None:
        layout, eni = self.world.layout, self.world["eni.store"]
        for number in range(count):
            moment = first + (last - first) * number / max(count - 1, 1)
            # A record starts with its window's first packet of the flow.
            line = flow(
                self.draw, self.at(moment), source, target, port, action, self.window, eni,
                layout.flow_fields() or FLOW_V2, self.world.account, vpc_id=self.world["vpc"],
                subnet_id=self.world["subnet"], instance_id=self.world["instance"], tcp_flags="2", type="IPv4",
                version="5" if layout.flow_format else "2",
            )  # fmt: skip
            delay = self.window + self.draw.uniform(5, 60)
            self.recorder.add("vpc_flow", layout.flows, f"{eni}-all", self.at(moment), line, delay)

    def flow_gap(self, seconds: float, status: str) -> None:
        if self.world.layout.flow_format is None:
            line = flow_gap(self.at(seconds), status, self.world["eni.store"], self.window, self.world.account)
            self.recorder.add(
                "vpc_flow", self.world.layout.flows, f"{self.world['eni.store']}-all", self.at(seconds), line
            )

    def trouble(self, kind: str, first: float, last: float, count: int) -> None:
        """Application lines about one kind of trouble, in this application's dialect."""
        self._lines(app_lines.TROUBLE[kind], first, last, count, one_of=2)

    def daily(self, first: float, last: float, count: int) -> None:
        self._lines(app_lines.DAILY, first, last, count)

    def grumble(self, first: float, last: float, count: int) -> None:
        """Warnings and errors of any day: one now and then, none of them an outage."""
        self._lines(app_lines.GRUMBLE, first, last, count)

    def _lines(
        self, templates: tuple[tuple[str, str], ...], first: float, last: float, count: int, one_of: int | None = None
    ) -> None:
        world = self.world
        chosen = self.draw.sample(templates, min(one_of, len(templates))) if one_of else list(templates)
        words = {
            "db_host": world["db_host"], "host": world["host"], "ip": world["ip.store"], "role": world["role"],
            "table": world["table"], "queue": world["queue"], "key": world["key"], "account": world.account,
            "region": world.region,
        }  # fmt: skip
        for number in range(count):
            moment = self.at(first + (last - first) * number / max(count - 1, 1) + self.draw.uniform(0, 0.9))
            level, text = self.draw.choice(chosen)
            text = text.format(**words, n=self.draw.randint(1000, 99999), ms=self.draw.randint(2, 99))
            line = self.dialect(moment, level, text, self.draw)
            stream = f"web/{self.draw.choice('ab')}"
            self.recorder.add("application", world.layout.app, stream, moment, line)

    # -- what is true ------------------------------------------------------------------------------------------------

    def expect(
        self, seconds: float, root_cause: Any = ..., layers: Any = None, counts: Any = None, app: str = ""
    ) -> None:
        moment: dict[str, Any] = {"at": stamp(self.at(seconds)), "application_id": app or self.world.app}
        if root_cause is not ...:
            moment["root_cause"] = root_cause
        if layers:
            moment["layers"] = layers
        if counts:
            moment["counts"] = counts
        self.truth.append(moment)

    def act(self, seconds: float, action: str, layer: str) -> None:
        row = {"at": stamp(self.at(seconds)), "action": action, "application_id": self.world.app, "event_type": layer}
        self.operator.append(row)

    def _lookup(self) -> dict[str, list[dict[str, str]]]:
        lookup = self.world.lookup()
        for resource, kind in self.shared:
            row = {"resource_id": resource, "application_id": self.world.neighbour, "resource_type": kind}
            lookup["by_resource"].append(row)
        return lookup

    def write(self, folder: Path) -> int:
        """Writes the bundle; returns the bytes of its records."""
        incident: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "class": self.kind,
            "difficulty": self.difficulty,
            "split": self.split,
            "settings": self.world.settings(),
            "lookup": self._lookup(),
        }
        if self.operator:
            incident["operator"] = self.operator
        return write_bundle(folder / self.name, incident | {"truth": self.truth}, self.recorder)


def deployer(world: World) -> Actor:
    """The account's pipeline."""
    return pipeline(f"{world.app}-deployer", "ci-run-4117", world.account)
