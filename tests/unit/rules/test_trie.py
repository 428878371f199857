"""One pattern for many words finds what looking for each of them finds."""

from __future__ import annotations

import random
import re

import pytest

from probable_cause.rules.trie import longest_of


def compiled(words: list[str]) -> re.Pattern[str]:
    """The pattern as Python writes it: Java's `\\x{20ac}` is a character."""
    pattern = re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: re.escape(chr(int(found[1], 16))), longest_of(words))
    return re.compile(f"(?=({pattern}))", re.DOTALL)


def longest_at_each_place(words: list[str], text: str) -> list[str]:
    starting = ([word for word in words if text.startswith(word, place)] for place in range(len(text)))
    return [max(found, key=len) for found in starting if found]


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["token"], "a token, two tokens", ["token", "token"]),
        (["token", "tokens"], "a token, two tokens", ["token", "tokens"]),
        (["abcd", "cdef"], "abcdef", ["abcd", "cdef"]),
        (["time", "timed", "timeout"], "timeouts timed, in time", ["timeout", "timed", "time"]),
        (["a.b", "a|b", "a(b", "a\\b"], "axb a.b a|b a(b a\\b", ["a.b", "a|b", "a(b", "a\\b"]),
        (["can't", '"x"', "line\nbreak"], 'can\'t say "x" line\nbreak', ["can't", '"x"', "line\nbreak"]),
        (["größe", "\U0001f4a5"], "die größe \U0001f4a5", ["größe", "\U0001f4a5"]),
        (["token"], "to ken", []),
    ],
)
def test_words_of_a_line(words: list[str], text: str, found: list[str]) -> None:
    assert compiled(words).findall(text) == found


def test_it_can_stand_in_a_raw_string_of_spark_sql_and_captures_nothing() -> None:
    pattern = longest_of(["can't", '"x"', "a(b)c"])
    assert "'" not in pattern and re.compile(re.sub(r"\\x\{[0-9a-f]+\}", "x", pattern)).groups == 0


@pytest.mark.parametrize("seed", range(40))
def test_any_words_in_any_line(seed: int) -> None:
    chosen = random.Random(seed)
    alphabet = "ab. \\'{"
    some = lambda most: "".join(chosen.choices(alphabet, k=chosen.randint(1, most)))  # noqa: E731
    words, text = [some(4) for _ in range(chosen.randint(1, 12))], some(60)
    assert compiled(words).findall(text) == longest_at_each_place(words, text), f"seed {seed}"
