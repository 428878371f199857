"""What more rules cost: the same events with 30, 300 and 1,000 rules, in one run, taking turns.

    python -m benchmarks.rules

The 30 are those that match the workload, filled up from the catalogue in its own proportions, as the 300 are. The
1,000 are the whole catalogue and copies of its rules that name other calls and other words: rules that match nothing
here, as most rules match nothing on most days. All keep the same rows; that is checked. Also told is what a small batch
takes, of which planning is the most.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyspark.sql import DataFrame

from benchmarks import options
from benchmarks.speed import best_of, drain, groups, in_memory
from benchmarks.workload import World, records
from probable_cause import pipeline, session, settings, wiring
from probable_cause.decode import decode_batches
from probable_cause.rules.classify import classify
from probable_cause.rules.model import Rule, RuleSet
from probable_cause.schemas import EVENT
from probable_cause.sources import routing_of

FEW, SOME, MANY = 30, 300, 1_000
SMALL = 20  # records of a small batch


def few(rules: RuleSet, needed: set[str], number: int) -> RuleSet:
    """So many rules: the needed ones, and every so many-th of the others."""
    others = [rule for rule in rules.rules if rule.rule_id not in needed]
    step = len(others) / max(number - len(needed), 1)
    filling = [others[int(place * step)] for place in range(number - len(needed))]
    return _ordered([rule for rule in rules.rules if rule.rule_id in needed] + filling)


def many(rules: RuleSet) -> RuleSet:
    """MANY rules: all of them, and copies that name what no event here has."""
    able = [rule for rule in rules.rules if rule.needles or all(not key.endswith("|") for key in rule.keys)]
    copies = [_other(able[number % len(able)], number) for number in range(max(MANY - len(rules), 0))]
    return _ordered([*rules.rules, *copies])


def _other(rule: Rule, number: int) -> Rule:
    """The same rule about something else."""
    return replace(
        rule,
        rule_id=f"{rule.rule_id}-copy-{number}",
        keys=tuple(f"{key}copy{number}" for key in rule.keys),
        needles=tuple(f"{needle} copy{number}" for needle in rule.needles),
    )


def _ordered(rules: list[Rule]) -> RuleSet:
    return RuleSet(tuple(sorted(rules, key=lambda rule: (-rule.relevance, rule.rule_id))))


def matching(events: DataFrame, rules: RuleSet) -> set[str]:
    """Ids of the rules that any of the events (schemas.EVENT) matches best."""
    rows = classify(events, rules).where("rule_id is not null").select("rule_id").distinct().collect()
    return {row[0] for row in rows}


def measure(events: int, seed: int, times: int) -> dict[str, Any]:
    """Events/s and seconds of a small batch, by number of rules."""
    payloads = [data for _, data in records(events, seed, World())]
    configuration = settings.load(overrides={"log_groups": groups()})
    scope = wiring.scope_of(configuration)
    # The events here are all of interest, or nothing to any rule.
    scope = replace(scope, rules=scope.rules.of_interest())
    spark = session.build("bench-rules", "local[2]", {"spark.driver.memory": "4g"})
    hop = decode_batches(routing_of(configuration.log_groups))
    whole, small = (in_memory(spark, part).mapInArrow(hop, EVENT) for part in (payloads, payloads[:SMALL]))
    lines = whole.count()
    found = matching(whole, scope.rules)
    sets = {
        "envelope + families": None,
        **{
            str(len(one)): one
            for one in (few(scope.rules, found, FEW), few(scope.rules, found, SOME), many(scope.rules))
        },
    }

    def kept(source: DataFrame, rules: RuleSet | None) -> DataFrame:
        return source if rules is None else pipeline.of_interest_or_rejected(source, replace(scope, rules=rules))

    rows = {name: kept(whole, rules).count() for name, rules in sets.items() if rules is not None}
    if len(set(rows.values())) != 1:
        raise SystemExit(f"the rule sets keep different rows: {rows}")
    told: dict[str, list[float]] = {name: [] for name in sets}
    batch: dict[str, list[float]] = {name: [] for name in sets}
    for _ in range(times):  # taking turns, so that a busy minute of the machine strikes all alike
        for name, rules in sets.items():
            told[name].append(best_of(1, lambda rules=rules: drain(kept(whole, rules))))
            batch[name].append(best_of(1, lambda rules=rules: drain(kept(small, rules))))
    spark.stop()
    floor = min(told[str(FEW)])
    return {
        "events": lines,
        "seed": seed,
        "kept": next(iter(rows.values())),
        "rows": [
            {
                "rules": name,
                "events_per_s": round(lines / min(told[name])),
                "of_few": round(floor / min(told[name]), 3),
                "small_batch_seconds": round(min(batch[name]), 3),
            }
            for name in sets
        ],
    }


def main() -> None:
    chosen = options.parser(__doc__, 500_000, 5).parse_args()
    told = measure(chosen.events, chosen.seed, chosen.times)
    print(f"{told['events']} events, seed {told['seed']}, {told['kept']} kept")
    for row in told["rows"]:
        print(
            f"{row['rules']:>20} rules {row['events_per_s']:>9} events/s {row['of_few']:6.2f} of that with {FEW}, "
            f"small batch {row['small_batch_seconds']:.2f} s"
        )
    options.keep(told, chosen.json)


if __name__ == "__main__":
    main()
