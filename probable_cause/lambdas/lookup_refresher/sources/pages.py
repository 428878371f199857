"""Pages of a boto3 call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def items(client: Any, operation: str, key: str, **request: Any) -> Iterator[Any]:
    """The entries under `key` of every page of a call."""
    for page in client.get_paginator(operation).paginate(**request):
        yield from page.get(key) or ()


def in_parts(values: list[str], size: int) -> Iterator[list[str]]:
    """`values` in lists of at most `size`, as describe calls take them."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
