"""The stream job in a process of its own, for the harness: it can kill itself at a named point, or lack one guard.

    python -m tests.chaos.driver CONF [--kill POINT:NUMBER] [--off GUARD]

POINT is one of sink.Sink.at_point's names, or `write TABLE before` / `write TABLE after` around the writes to a table.
The guards are switched off here and nowhere in the product.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from probable_cause import logs, session, settings, sink, stream
from probable_cause.errors import ProbableCauseError
from probable_cause.state import application, dynamodb, episodes, tables
from probable_cause.state.identity import Seen
from probable_cause.state.tables import Write

# A driver lives for seconds here: what makes a Java machine fast in the long run costs more than it brings.
JVM = f"{session.STACK} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
POINTS = (
    "folded",
    "baseline written",
    "events written",
    "verdict written",
    *(f"write {one.name} {when}" for one in (tables.EVENTS, tables.STATES) for when in ("before", "after")),
)
GUARDS = {
    "identity": "events are told apart by nothing but the batch that they came in",
    "epoch": "a batch is known by its number alone",
    "fencing": "no driver asks whether a newer one runs",
    "children": "a shard's children are read beside their parents",
}


def switch_off(guard: str) -> None:
    """Takes one guard out of this process."""
    if guard == "identity":
        add = episodes.add

        def forgetful(existing: Sequence[Any], row: Any, stamp: str, remembered: int, at: Any, *_: Any) -> Any:
            return add([replace(one, seen=Seen()) for one in existing], row, stamp, remembered, at)

        application.add = forgetful  # type: ignore[attr-defined,assignment]
    elif guard == "epoch":
        sink.batch_stamp = lambda epoch, batch_id: f"{batch_id:012d}"  # type: ignore[attr-defined,assignment]
    elif guard == "fencing":
        sink.check = lambda states, lease: None  # type: ignore[attr-defined,assignment]
    # `children` is switched off in every process of the job: switches/sitecustomize.py


class Death:
    """Kills this process, without a goodbye, when it comes to a point for the n-th time."""

    def __init__(self, point: str, number: int) -> None:
        self._point, self._left = point, number

    def at_point(self, name: str) -> None:
        if name == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch_writes(self) -> None:
        apply = dynamodb.DynamoDBTable.apply

        def watched(table: dynamodb.DynamoDBTable, write: Write) -> bool:
            self.at_point(f"write {table.definition.name} before")
            done = apply(table, write)
            self.at_point(f"write {table.definition.name} after")
            return done

        dynamodb.DynamoDBTable.apply = watched  # type: ignore[method-assign,assignment]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("conf")
    parser.add_argument("--kill", default="never:1")
    parser.add_argument("--off", default="")
    chosen = parser.parse_args(arguments)
    logs.configure()
    for name in filter(None, chosen.off.split(",")):
        switch_off(name)
    point, _, number = chosen.kill.rpartition(":")
    death = Death(point, int(number))
    death.watch_writes()
    try:
        spark = session.build("chaos", "local[2]", {"spark.driver.extraJavaOptions": JVM})
        job = stream.StreamJob(spark, settings.load(chosen.conf), stream.log_report, death.at_point)
        signal.signal(signal.SIGTERM, lambda *_: job.stop())
        job.run()
        spark.stop()
    except ProbableCauseError as exc:
        sys.stderr.write(f"ENDED {type(exc).__name__}: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
