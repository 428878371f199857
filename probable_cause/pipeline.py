"""The whole job on one screen: from a log line to what the sink writes.

    sources      a CloudWatch Logs subscription's records, from Kinesis or files ...
    decode       ... opened (envelope), what no rule can ask for passed over (prefilter) but for samples of what is
                 usual (accepted traffic), the rest parsed (families),
                 in one Python hop: schemas.EVENT
    classify     which events are of interest, and how much: schemas.INTEREST
    attribute    to which applications: schemas.ATTRIBUTED
    describe     the cause's identity and summary, in words
    fold         repeats of one cause become one row with a count, what a flood has too many of, one row: schemas.FOLDED
    sink         one conditional write per row; what is usual into the application's baseline; then each application's
                 verdict is renewed

Everything here is a function of DataFrames and plain values. A replayed batch gives the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from probable_cause import attribution, fold
from probable_cause.prefilter import Prefilter, prefilter_of
from probable_cause.rules.classify import classify
from probable_cause.rules.describe import describe
from probable_cause.rules.model import RuleSet
from probable_cause.schemas import BASELINE, EVENT, FAMILIES, column_names

LINES = "lines"  # name of the metric
# Up to so many rows of interest one task folds at least as fast as two that have to shuffle them, for less work: with
# 7,000 rows in 1.1 s either way, and a sixth less of CPU.
ONE_TASK = 8_000
FEW_FOLDED = 4 * ONE_TASK  # rows that a driver may hold of such a batch before the others of a flood are put together

# SQL, of a row of schemas.INTEREST: it could not be read; it says only what is usual.
_REJECTED = "reject_reason is not null"
_USUAL = f"coalesce(role, '') = '{BASELINE}'"


@dataclass(frozen=True)
class Scope:
    """What the stages need to know, as plain values. Durations are seconds."""

    rules: RuleSet
    accepted_cidrs: Sequence[str]
    count_external_sources: bool
    remembered_events: int  # by an item itself
    listed_events: int  # of one cause in one batch: what is beyond can't be told apart
    own_causes: int  # of one application, layer and role in one batch: what is beyond is counted as others
    identity_horizon: float
    max_future: float
    max_past: float
    baseline_lines: int = 0  # of accepted traffic that are read of each chunk of lines
    application_tags: Sequence[str] = attribution.APPLICATION_TAGS  # of a Config item, the first that it has counts


@dataclass(frozen=True)
class Size:
    """How many of a batch's kept rows could not be read, say what is usual, or are of interest."""

    rejects: int
    usual: int
    interest: int

    @property
    def matched(self) -> int:
        return self.usual + self.interest


def sizes() -> list[Column]:
    """The fields of a Size as metrics of the rows that of_interest_or_rejected() gave."""
    kinds = {
        "rejects": _REJECTED,
        "usual": f"not ({_REJECTED}) and {_USUAL}",
        "interest": f"not ({_REJECTED}) and not ({_USUAL})",
    }
    return [F.expr(f"count_if({kind}) as {name}") for name, kind in kinds.items()]


def prefilter(scope: Scope) -> Prefilter:
    """The lines that can only be counted, since none of the rules could match them: for the decode hop."""
    return prefilter_of(scope.rules, scope.max_future, scope.max_past, scope.baseline_lines)


def counted(events: DataFrame) -> DataFrame:
    """schemas.EVENT unchanged; while it passes, lines are counted by family into the batch's metric LINES."""
    return events.observe(LINES, *line_counts())


def line_counts() -> list[Column]:
    """How many lines of each family there are, those that the prefilter passed over among them; `unknown`: of none."""
    lines = "coalesce(sum(if({}, coalesce(skipped_lines, 1), 0)), 0) as {}"
    families = [lines.format(f"family = '{name}'", name) for name in FAMILIES]
    return [*map(F.expr, [*families, lines.format("family is null", "unknown")])]


def of_interest_or_rejected(events: DataFrame, scope: Scope) -> DataFrame:
    """schemas.EVENT -> schemas.INTEREST: what a rule matched, and (without a rule) what could not be read.

    The few rows of a batch that are worth keeping: one pass over it, after which it is small enough to cache.
    """
    return (
        with_plausible_times(events.where("skipped_lines is null"), scope.max_future, scope.max_past)
        .transform(classify, scope.rules)
        .transform(attribution.of_network_interest, scope.accepted_cidrs, scope.count_external_sources)
    )


def matched(kept: DataFrame) -> DataFrame:
    """The rows that a rule matched: those of interest, and samples of what is usual."""
    return kept.where(f"not ({_REJECTED})")


def without_usual(kept: DataFrame) -> DataFrame:
    """All rows but those that only say what is usual."""
    return kept.where(f"not ({_USUAL})")


def of_interest(kept: DataFrame) -> DataFrame:
    """The rows that a rule matched, but for those that only say what is usual."""
    return without_usual(matched(kept))


def rejected(kept: DataFrame) -> DataFrame:
    """schemas.EVENT of the rows that could not be read, or whose clock is wrong, each with its reason."""
    return kept.where(_REJECTED).select(*column_names(EVENT))


def by_cause(interest: DataFrame, lookup: DataFrame, scope: Scope) -> DataFrame:
    """schemas.INTEREST -> schemas.FOLDED: one row per (application, layer, cause), and of a flood one of the others."""
    # By layer, which suits all that bounded() does: one shuffle of folded rows.
    return bounded(_folded(interest, lookup, scope).repartition("application_id", "event_type"), scope)


def by_cause_of_few(interest: DataFrame, lookup: DataFrame, scope: Scope) -> DataFrame:
    """As by_cause(), of at most ONE_TASK rows and without bounded(): one task, no shuffle.

    The plan is the same whatever the rows are, so that it can be made before they are there. Where it gives more than
    FEW_FOLDED rows, since many applications share what an event names, the rest is missing.
    """
    return _folded(interest.coalesce(1), lookup, scope).limit(FEW_FOLDED + 1)


def _folded(interest: DataFrame, lookup: DataFrame, scope: Scope) -> DataFrame:
    return _described(interest, lookup, scope).transform(fold.fold, scope.listed_events)


def bounded(folded: DataFrame, scope: Scope) -> DataFrame:
    """schemas.FOLDED with at most `own_causes` of an application, layer and role, and one row of the others."""
    return folded.transform(fold.bounded, scope.own_causes, scope.listed_events)


def described(interest: DataFrame, lookup: DataFrame, scope: Scope) -> DataFrame:
    """schemas.INTEREST -> schemas.ATTRIBUTED with cause_id and summary: one row per (event, application), also of an
    event that was delivered twice."""
    return _described(interest, lookup, scope).dropDuplicates(
        ["event_id", "rule_id", "event_type", "role", "application_id"]
    )


def _described(interest: DataFrame, lookup: DataFrame, scope: Scope) -> DataFrame:
    return interest.transform(attribution.attribute, lookup, scope.accepted_cidrs, scope.application_tags).transform(
        describe
    )


def with_plausible_times(events: DataFrame, max_future: float, max_past: float) -> DataFrame:
    """Rejects events whose time lies too far from their arrival: one bad clock must not pin a verdict.

    Compared with the arrival in Kinesis, not with now, so that a replay decides alike.
    """
    ahead = "(unix_micros(event_time) - unix_micros(arrived_at)) / 1e6"
    future, past = f"{ahead} > {max_future}", f"{ahead} < -{max_past}"
    reason = f"case when {future} then 'event_in_the_future' when {past} then 'event_too_old' end"
    detail = "concat('event time ', event_time, ', arrived ', arrived_at)"
    return events.selectExpr(
        "* except (reject_reason, reject_detail)",
        f"coalesce(reject_reason, {reason}) as reject_reason",
        f"if(reject_reason is null and {reason} is not null, {detail}, reject_detail) as reject_detail",
    )
