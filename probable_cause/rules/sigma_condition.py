"""Sigma detections, as pySigma parsed them, to the condition form of `model`.

pySigma applies the modifiers and resolves `1 of selection*`; what is left is a tree of and, or, not and comparisons.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SpecialChars,
)

from probable_cause.rules.fields import locate
from probable_cause.rules.model import ALWAYS, Clause, Condition, Term, Test

MAX_TERMS = 128
_COMPARISONS = frozenset({"lt", "lte", "gt", "gte"})


class ConditionFault(ValueError):
    """A detection that can't be evaluated here; the text says why."""


def condition_of(tree: Any, family: str) -> Condition:
    """The condition of a parsed Sigma tree. Raises ConditionFault for what is not supported."""
    return _merge(_terms(tree, family, negated=False))


def _terms(node: Any, family: str, negated: bool) -> list[Term]:
    if isinstance(node, ConditionNOT):
        return _terms(node.args[0], family, not negated)
    if isinstance(node, ConditionAND | ConditionOR):
        parts = [_terms(arg, family, negated) for arg in node.args]
        conjunction = isinstance(node, ConditionAND) != negated
        return _all_of(parts) if conjunction else _any_of(parts)
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return _comparison(node.field, node.value, family, negated)
    if isinstance(node, ConditionValueExpression):
        return _comparison("", node.value, family, negated)
    raise ConditionFault(f"{type(node).__name__} is not supported in a condition")


def _all_of(parts: list[list[Term]]) -> list[Term]:
    size = 1
    for part in parts:
        size *= len(part)
    if size > MAX_TERMS:
        raise ConditionFault(f"the condition has {size} alternatives, at most {MAX_TERMS} are allowed: split the rule")
    return [tuple(clause for term in terms for clause in term) for terms in product(*parts)]


def _any_of(parts: list[list[Term]]) -> list[Term]:
    """Alternatives of one test each share a clause, so that lists stay short."""
    shared: list[Test] = []
    rest: list[Term] = []
    for part in parts:
        if len(part) == 1 and len(part[0]) == 1:
            shared.extend(part[0][0])
        else:
            rest.extend(part)
    return ([((tuple(shared)),)] if shared else []) + rest


def _comparison(name: str, value: Any, family: str, negated: bool) -> list[Term]:
    if isinstance(value, SigmaExpansion):
        return _expansion(name, list(value.values), family, negated)
    if isinstance(value, SigmaCIDRExpression):
        return _expansion(name, [SigmaString(pattern) for pattern in value.expand()], family, negated)
    source, path = locate(family, name) if name else ("line", "")
    if isinstance(value, SigmaFieldReference):
        return [((Test(name, source, path, "field", (_other_field(value, family),), False, negated),),)]
    op, values, cased, inverted = _operation(value)
    if not name:
        op, values = _anywhere(op, values)
    if source == "change" and op == "regex":  # the differences are lines of one text
        values = tuple(f"(?m){pattern}" for pattern in values)
    return [((Test(name, source, path, op, values, cased, negated != inverted),),)]


def _other_field(value: SigmaFieldReference, family: str) -> str:
    source, path = locate(family, value.field)
    if source != "json" or value.starts_with or value.ends_with:
        raise ConditionFault(f"fieldref to {value.field!r}: only equality with a field of a JSON record is supported")
    return path


def _anywhere(op: str, values: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """A text without a field may stand anywhere in the line."""
    if op == "like":
        return op, tuple(f"%{value.strip('%')}%" for value in values)
    return ("contains" if op in ("equals", "startswith", "endswith") else op), values


def _expansion(name: str, values: list[Any], family: str, negated: bool) -> list[Term]:
    parts = [_comparison(name, value, family, negated) for value in values]
    return _all_of(parts) if negated else _any_of(parts)


def _operation(value: Any) -> tuple[str, tuple[str, ...], bool, bool]:
    """(op, values, cased, inverted) of one Sigma value."""
    if isinstance(value, SigmaNull):
        return "null", (), False, False
    if isinstance(value, SigmaExists):
        return "exists", (), False, not bool(value)
    if isinstance(value, SigmaBool):
        return "equals", (str(value).lower(),), False, False
    if isinstance(value, SigmaCompareExpression):
        op = value.op.name.lower()
        return (op if op in _COMPARISONS else "equals"), (str(value.number),), False, op == "neq"
    if isinstance(value, SigmaRegularExpression):
        flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
        pattern = value.to_plain()
        return "regex", (f"(?{flags}){pattern}" if flags else pattern,), True, False
    if isinstance(value, SigmaString):
        op, text = _text(value)
        if op == "exists":
            return op, (), False, False
        cased = isinstance(value, SigmaCasedString)
        return op, (text if cased else text.lower(),), cased, False
    if isinstance(value, SigmaNumber):
        return "equals", (str(value),), False, False
    raise ConditionFault(f"values of type {type(value).__name__} are not supported")


def _text(value: SigmaString) -> tuple[str, str]:
    """(op, text) of a string with wildcards: the cheapest comparison that means the same."""
    parts = list(value.s)
    many = [part is SpecialChars.WILDCARD_MULTI for part in parts]
    plain = [isinstance(part, str) for part in parts]
    if not parts:
        return "equals", ""
    if all(many):
        return "exists", ""
    if plain == [True]:
        return "equals", str(parts[0])
    if len(parts) == 2 and plain[0] and many[1]:
        return "startswith", str(parts[0])
    if len(parts) == 2 and many[0] and plain[1]:
        return "endswith", str(parts[1])
    if len(parts) == 3 and many[0] and plain[1] and many[2]:
        return "contains", str(parts[1])
    return "like", "".join(_like(part) for part in parts)


def _like(part: Any) -> str:
    if part is SpecialChars.WILDCARD_MULTI:
        return "%"
    if part is SpecialChars.WILDCARD_SINGLE:
        return "_"
    if not isinstance(part, str):
        raise ConditionFault("placeholders (the expand modifier) are not supported")
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _merge(terms: list[Term]) -> Condition:
    """Equal comparisons of one field in a clause become one test with several values; a term that always holds
    makes the condition ALWAYS."""
    merged = tuple(tuple(_merge_clause(clause) for clause in term) for term in terms)
    return ALWAYS if any(not term for term in merged) else merged


def _merge_clause(clause: Clause) -> Clause:
    groups: dict[tuple[Any, ...], list[str]] = {}
    out: list[Test] = []
    for test in clause:
        if test.negated or test.op in ("null", "exists"):
            out.append(test)
        else:
            groups.setdefault((test.field, test.source, test.path, test.op, test.cased), []).extend(test.values)
    for (name, source, path, op, cased), values in groups.items():
        out.append(Test(name, source, path, op, tuple(dict.fromkeys(values)), cased))
    return tuple(out)
