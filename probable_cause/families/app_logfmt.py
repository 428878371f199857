"""logfmt lines: `time=2024-01-01T00:00:00Z level=error msg="no route" pod=a`."""

from __future__ import annotations

import re

_KEY = re.compile(r"[A-Za-z_@][\w.@/-]*=", re.ASCII)
_PAIR = re.compile(r'\s*([A-Za-z_@][\w.@/-]*)=("(?:[^"\\]++|\\.)*+"|[^\s"]*)(?=\s|$)', re.ASCII)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r"}
_MOST = 200


def read_logfmt(line: str) -> dict[str, str] | None:
    """The pairs of a line that consists of at least two of them and nothing else; None for other lines."""
    if not _KEY.match(line):
        return None
    values: dict[str, str] = {}
    at = 0
    line = line.rstrip()
    while at < len(line) and len(values) < _MOST:
        found = _PAIR.match(line, at)
        if found is None:
            return None
        key, value = found.groups()
        if value[:1] == '"':
            value = _ESCAPED.sub(lambda one: _PLAIN.get(one.group(1), one.group(1)), value[1:-1])
        values.setdefault(key, value)
        at = found.end()
    return values if len(values) > 1 else None
