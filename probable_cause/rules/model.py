"""Rules as plain data: what `catalogue` reads from files and what `classify` turns into one Spark expression.

A condition is three levels deep, whatever the Sigma file looked like: **any** term of which **all** clauses hold, a
clause holding when **any** of its tests does. Sigma's lists, selections and `not` all fit this form without much
growth, and one fixed Spark expression can evaluate it for every rule. Everything here is frozen and picklable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from probable_cause.schemas import BASELINE, EVENT_TYPES, ROLES

# Kinds of symptom. A symptom rule is of one kind; a cause rule names the kinds that it can explain (docs/rules.md).
SYMPTOMS = (
    "connectivity", "dns", "tls", "auth", "throttling", "timeout", "availability",
    "errors", "memory", "crash", "disk", "deadlock", "data", "deploy",
)  # fmt: skip


@dataclass(frozen=True)
class Test:
    """One comparison of a field with values; true when any value fits (`negated`: when none does).

    `source` is where the value comes from: `column` (a column of EVENT named by `path`), `fields` (a key of the
    `fields` map, also tried as a JSON path), `json` (a JSON path of the raw record), `line` (the whole line) or
    `change` (the differences of a Config item, one a line).
    `op`: equals, contains, startswith, endswith, like, regex, lt, lte, gt, gte, null, exists, field (equal to the
    value at another JSON path). Values are lower case unless `cased`; `regex` and `field` values are never changed.
    """

    __test__ = False  # not a test class, whatever pytest thinks of the name

    field: str
    source: str
    path: str
    op: str
    values: tuple[str, ...] = ()
    cased: bool = False
    negated: bool = False


Clause = tuple[Test, ...]
Term = tuple[Clause, ...]
Condition = tuple[Term, ...]
ALWAYS: Condition = ((),)  # one term without clauses


@dataclass(frozen=True)
class Examples:
    """Raw log lines that a rule must match, and lines it must leave alone."""

    match: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A checked rule.

    keys: the events that can match, as `probable_cause.rules.keys` builds them; empty for text rules.
    needles: for application rules, texts of which the lower-cased line must hold at least one; empty: no such text.
    condition: what remains to be tested once a key or needle matched.
    any_outcome: failed and read-only calls may match too.
    """

    rule_id: str
    sigma_id: str
    title: str
    family: str
    event_type: str
    role: str
    relevance: float
    half_life_seconds: int
    window_seconds: int
    cause_template: str
    summary_template: str
    explains: tuple[str, ...]
    symptom: str | None
    resolves: tuple[str, ...]
    keys: tuple[str, ...]
    needles: tuple[str, ...]
    condition: Condition
    selections: tuple[tuple[str, Condition], ...]
    any_outcome: bool
    quiet_levels: bool
    reason: str
    references: tuple[str, ...]
    examples: Examples
    file: str
    line: int

    @property
    def slot(self) -> int:
        """Number of the rule's (layer, role) pair: an event has at most one rule in each."""
        return EVENT_TYPES.index(self.event_type) * len(ROLES) + ROLES.index(self.role)


@dataclass(frozen=True)
class RuleSet:
    """All rules of a job, the most relevant first (ties by rule id). `warnings` are for people, not for the job."""

    rules: tuple[Rule, ...]
    warnings: tuple[str, ...] = field(default=(), compare=False)

    def of_interest(self) -> RuleSet:
        """Without those that only say what is usual."""
        return RuleSet(tuple(rule for rule in self.rules if rule.role != BASELINE), self.warnings)

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        return {rule.rule_id: rule for rule in self.rules}

    def __len__(self) -> int:
        return len(self.rules)
