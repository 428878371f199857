"""Seeded mutation of log lines. The same seed gives the same lines on every machine."""

from __future__ import annotations

import json
import random

# Pieces that parsers stumble over: braces, quotes, escapes, marks of other formats, huge numbers, odd Unicode.
PIECES = [
    "{", "}", "[", "]", '"', "\\", "\\u0000", "\\ud800", "\ud800", "\x00", "\ufeff", "\u2028", "\x1b[31m", "\t", "\n",
    "\r", "  ", "-", "null", "true", "NaN", "1e999", "9" * 25, "-1", "0x10", "\u0663", "\u00b2", "::",
    "255.255.255.256", "1.2.3.4", "ERROR", "level=error", "Caused by: ", "at a.B(", "nested exception is A.",
    "Traceback (most recent call last):\n", "arn:aws:", "arn:aws:ec2:::", "i-0", "eventName", "detail", "Records",
    "messageType", "a." * 200, "A" * 300, "(" * 50, '{"a":' * 40, "[" * 1100, "\\n\\tat ", "<134>", "Mar  1 12:00:00 ",
    "2024-13-45T99:99:99Z", "0000-00-00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+01:00",
]  # fmt: skip
VALUES = [None, [], {}, "", 0, -1, 1.5, True, False, "x", [None], {"a": None}, "9" * 30, 2**70, "arn:aws:s3:::b"]
KEYS = [
    "message",
    "log",
    "detail",
    "Message",
    "Records",
    "invokingEvent",
    "requestParameters",
    "level",
    "err",
    "status",
]


def mutate(line: str, other: str, rng: random.Random) -> str:
    """`line` after one to four random changes; `other` is a line to take pieces of."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        line = rng.choice(_CHANGES)(line, other, rng)
        if len(line) > 200_000:
            line = line[:200_000]
    return line


def _place(line: str, rng: random.Random) -> int:
    return rng.randrange(len(line) + 1)


def _insert(line: str, other: str, rng: random.Random) -> str:
    at = _place(line, rng)
    return line[:at] + rng.choice(PIECES) + line[at:]


def _delete(line: str, other: str, rng: random.Random) -> str:
    at = _place(line, rng)
    return line[:at] + line[at + rng.choice((1, 1, 2, 5, 20, 100)) :]


def _cut(line: str, other: str, rng: random.Random) -> str:
    return line[: _place(line, rng)]


def _repeat(line: str, other: str, rng: random.Random) -> str:
    at = _place(line, rng)
    piece = line[at : at + rng.choice((1, 3, 10, 50))]
    return line[:at] + piece * rng.choice((2, 3, 10, 100)) + line[at:]


def _swap(line: str, other: str, rng: random.Random) -> str:
    at = _place(line, rng)
    return line[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0x110000)))) + line[at + 1 :]


def _splice(line: str, other: str, rng: random.Random) -> str:
    return line[: _place(line, rng)] + other[_place(other, rng) :]


def _token(line: str, other: str, rng: random.Random) -> str:
    tokens = line.split(" ")
    tokens[rng.randrange(len(tokens))] = rng.choice([*PIECES[:40], rng.choice(other.split(" "))])
    return " ".join(tokens)


def _value(line: str, other: str, rng: random.Random) -> str:
    """Puts another value in place of one inside a JSON line, so that it stays JSON."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return _insert(line, other, rng)
    node = document
    for _ in range(rng.randrange(1, 6)):
        if isinstance(node, dict) and node:
            key = rng.choice(list(node))
            if rng.random() < 0.4 or not isinstance(node[key], (dict, list)):
                node[key] = rng.choice([*VALUES, node[key], [node[key]], {"items": [node[key]]}])
                break
            node = node[key]
        elif isinstance(node, list) and node:
            node = node[rng.randrange(len(node))]
    return json.dumps(document)


def _wrap(line: str, other: str, rng: random.Random) -> str:
    key = rng.choice(KEYS)
    return json.dumps({key: rng.choice((line, [line], {"message": line}, {key: line}))})


_CHANGES = (_insert, _insert, _delete, _delete, _cut, _repeat, _swap, _splice, _token, _token, _value, _value, _wrap)
