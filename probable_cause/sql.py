"""Pieces of Spark SQL text. The stages are written as text: one call into the JVM however long it is."""

from __future__ import annotations


def let(name: str, value: str, body: str) -> str:
    """SQL of `body` with `name` standing for `value`, computed once: an array of one is the only `let` that SQL has."""
    return f"transform(array({value}), {name} -> {body})[0]"
