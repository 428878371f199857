"""Mutates lines of every family and checks what the parsers promise: no exception, no lost line, no slow line.

python -m tests.fuzz.run --lines 1000000 --seed 1 [--family vpc_flow]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby

import pyarrow as pa

from probable_cause.families import FAMILIES, parse_lines
from tests.fuzz.both_ways import SCHEMA, alone, together
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import Seed, seeds

BATCH = 500
SLOWEST = 1.0  # seconds a line may take


@dataclass
class Outcome:
    """What a run found. `faults` is empty when all promises held."""

    lines: int = 0
    events: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)


def fuzz(family: str, lines: int, seed: int) -> Outcome:
    """Parses `lines` mutated lines of a family. The same seed gives the same lines."""
    rng = random.Random(f"{family}:{seed}")
    pool, outcome = seeds(family), Outcome()
    while outcome.lines < lines and len(outcome.faults) < 10:
        batch = []
        for _ in range(min(BATCH, lines - outcome.lines)):
            _, form, line = rng.choice(pool)
            batch.append((form, mutate(line, rng.choice(pool)[2], rng)))
        batch.sort(key=lambda one: one[0] or "")
        for form, group in groupby(batch, key=lambda one: one[0]):
            _check(family, form, [line for _, line in group], outcome)
        outcome.lines += len(batch)
    return outcome


def _check(family: str, form: str | None, lines: list[str], outcome: Outcome) -> None:
    started = time.perf_counter()
    try:
        columns, index, rejects = parse_lines(family, lines, form)
        for name, values in columns.items():
            column = pa.array(values, SCHEMA.field(name).type)
            if len(column) != len(index):
                outcome.faults.append(f"{family}: column {name} has {len(column)} values for {len(index)} events")
    except Exception as fault:  # the promise is that there is none
        for line in lines:
            _blame(family, form, line, outcome)
        outcome.faults.append(f"{family}: {type(fault).__name__}: {fault}")
        return
    took = time.perf_counter() - started
    rejected = [line for line, _, _ in rejects]
    if sorted({*index} | {*rejected}) != list(range(len(lines))) or {*index} & {*rejected}:
        outcome.faults.append(f"{family}: a line is lost, or both read and rejected")
    outcome.events += len(index)
    outcome.reasons.update(reason for _, reason, _ in rejects)
    if took < SLOWEST:
        outcome.slowest = max(outcome.slowest, took / len(lines))
        return
    for line in lines:
        started = time.process_time()
        _blame(family, form, line, outcome)
        alone = time.process_time() - started
        outcome.slowest = max(outcome.slowest, alone)
        if alone > SLOWEST:
            outcome.faults.append(f"{family}: {alone:.1f} s for {line[:300]!r} of {len(line)} characters")


def _blame(family: str, form: str | None, line: str, outcome: Outcome) -> None:
    """Names the line that fails when it is alone."""
    try:
        columns, _, _ = parse_lines(family, [line], form)
        for name, values in columns.items():
            pa.array(values, SCHEMA.field(name).type)
    except Exception as fault:
        outcome.faults.append(f"{family}, format {form!r}: {type(fault).__name__}: {fault}; line {line[:500]!r}")


def compare(family: str, lines: int, seed: int) -> list[str]:
    """Lines, half of them mutated, that parse_lines and parse_line read differently: in words."""
    rng = random.Random(f"compare:{family}:{seed}")
    faults = []
    for form, group in groupby(sorted(seeds(family), key=_format), key=_format):
        own = [line for _, _, line in group]
        batch = [rng.choice(own) for _ in range(lines)]
        batch = [mutate(line, rng.choice(own), rng) if rng.random() < 0.5 else line for line in batch]
        for line, apart in zip(batch, together(family, batch, form), strict=True):
            if apart != (single := alone(family, line, form)):
                faults.append(f"{family}, format {form!r}, line {line!r}: together {apart}, alone {single}")
    return faults


def _format(seed: Seed) -> str:
    return seed[1] or ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, help="mutated lines in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", choices=sorted(FAMILIES), action="append")
    arguments = parser.parse_args()
    families = arguments.family or list(FAMILIES)
    failed = False
    for family in families:
        started = time.perf_counter()
        outcome = fuzz(family, arguments.lines // len(families), arguments.seed)
        took = time.perf_counter() - started
        reasons = ", ".join(f"{reason} {count}" for reason, count in outcome.reasons.most_common(6))
        sys.stdout.write(
            f"{family:<12} seed {arguments.seed}: {outcome.lines} lines, {outcome.events} events, "
            f"{len(outcome.faults)} faults, slowest {outcome.slowest * 1000:.1f} ms a line, "
            f"{outcome.lines / took:.0f} lines/s; {reasons}\n"
        )
        for fault in outcome.faults:
            sys.stdout.write(f"  {fault}\n")
        failed = failed or bool(outcome.faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
