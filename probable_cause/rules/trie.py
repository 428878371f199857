"""One regular expression for many words, so that a line is read once however many there are.

An engine that backtracks, as Java's does, tries the alternatives `a|b|...` of a group one by one at each character of
a line. Written as a trie, the words that begin alike are one alternative, and few are tried.
"""

from __future__ import annotations

from collections.abc import Iterable


def longest_of(words: Iterable[str]) -> str:
    """A pattern of Java's that matches the longest of the words that the text goes on with. At least one, none empty.

    It holds no quote and no group that captures.
    """
    return _pattern(sorted(set(words)))


def _pattern(words: list[str]) -> str:
    """Of sorted words, which may end here: the empty one is then the first."""
    optional, words = words[0] == "", [word for word in words if word]
    tails: dict[str, list[str]] = {}
    for word in words:
        tails.setdefault(word[0], []).append(word[1:])
    branches = [_escaped(first) + _pattern(rest) for first, rest in tails.items()]
    if not branches:
        return ""
    if len(branches) == 1 and not optional:
        return branches[0]
    return f"(?:{'|'.join(branches)}){'?' if optional else ''}"


def _escaped(char: str) -> str:
    return char if char.isascii() and char.isalnum() else f"\\x{{{ord(char):x}}}"
