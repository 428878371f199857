"""`make chaos`: the job under fire, against an oracle that knows what the tables must hold.

    python -m tests.chaos --seed 1 --kills 40 --events 200000
    python -m tests.chaos --guards-off

Prints one table. Exit 0 when every cell is right (and, with --guards-off, when each missing guard was found out).
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.chaos import campaign, report
from tests.chaos.account import DYNAMODB, KINESIS
from tests.chaos.driver import GUARDS
from tests.chaos.workload import Shape

KINDS = sorted(set(campaign.RANDOM_KINDS))
PAIRS = (("kinesis-local", "dynalite"), ("moto", "moto"))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="default: a new one, which is printed")
    parser.add_argument("--kills", type=int, default=16, help="of each pair of emulators")
    parser.add_argument("--events", type=int, default=40_000, help="log lines of each pair")
    parser.add_argument("--seconds", type=float, default=240, help="no kill is begun after so many, for each pair")
    parser.add_argument(
        "--of", nargs="+", choices=KINDS, help="what is killed: drawn of these instead of all points and kinds"
    )
    parser.add_argument("--kinesis", choices=KINESIS, help="with --dynamodb: one pair instead of two")
    parser.add_argument("--dynamodb", choices=DYNAMODB)
    parser.add_argument("--guards-off", action="store_true", help="each guard taken out once: what does it cost?")
    parser.add_argument("--guard", default="", choices=["", *GUARDS], help="with --guards-off: only this one")
    parser.add_argument("--show", type=int, default=20, help="differences that are listed")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(2**31)
    if chosen.guards_off:
        from tests.chaos import guards

        with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
            return report.guards(guards.run(seed, Path(folder), chosen.guard))
    pairs = [(chosen.kinesis or KINESIS[0], chosen.dynamodb or DYNAMODB[0])]
    if not (chosen.kinesis or chosen.dynamodb):
        pairs = list(PAIRS)
    results = []
    for kinesis, dynamodb in pairs:
        options = campaign.Options(
            seed=seed,
            kinesis=kinesis,
            dynamodb=dynamodb,
            kills=chosen.kills,
            shape=Shape(events=chosen.events),
            reshards=0 if kinesis == "moto" else 2,  # moto's reshards lose the records of the parent
            seconds=chosen.seconds,
            kinds=tuple(random.Random(seed).choices(chosen.of, k=chosen.kills)) if chosen.of else None,
        )
        logs = Path(tempfile.mkdtemp(prefix="chaos-"))
        results.append(campaign.run(options, logs))
        sys.stdout.write(f"logs are in {logs}\n")
    return report.campaigns(results, chosen.show)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
