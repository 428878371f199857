"""OpenSearch's bulk API: requests within its limits, and what became of each item. Pure.

Format: https://docs.opensearch.org/latest/api-reference/document-apis/bulk/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from probable_cause.lambdas.log_indexer.documents import Document

MOST_BYTES = 5 * 1024**2  # of one request: OpenSearch advises 5 to 15 MiB; the service takes 10 MiB at the least
MOST_ITEMS = 2000


def requests(documents: Iterable[Document]) -> Iterator[tuple[list[Document], bytes]]:
    """(documents, request body) of each request."""
    held: list[Document] = []
    lines: list[bytes] = []
    size = 0
    for one in documents:
        line = _lines(one)
        if held and (size + len(line) > MOST_BYTES or len(held) == MOST_ITEMS):
            yield held, b"".join(lines)
            held, lines, size = [], [], 0
        held.append(one)
        lines.append(line)
        size += len(line)
    if held:
        yield held, b"".join(lines)


def outcome(sent: Sequence[Document], answer: Mapping[str, Any]) -> tuple[list[Document], list[tuple[Document, str]]]:
    """(to send again, refused for good with the reason) of what was sent.

    429 and 5xx pass: a queue is full, a shard moves. Other errors, such as a value that does not fit its field's type,
    will be the same next time.

    Raises:
        ValueError: the answer is not one to this request.
    """
    if not answer.get("errors"):
        return [], []
    items = [next(iter(item.values())) for item in answer.get("items", ())]
    if len(items) != len(sent):
        raise ValueError(f"{len(sent)} documents were sent, {len(items)} are answered")
    again, refused = [], []
    for document, item in zip(sent, items, strict=True):
        status = int(item.get("status", 500))
        if status == 429 or status >= 500:
            again.append(document)
        elif status >= 400:
            error = item.get("error") or {}
            reason = error.get("reason", error) if isinstance(error, Mapping) else error
            refused.append((document, f"{status}: {reason}"))
    return again, refused


def _lines(one: Document) -> bytes:
    action = json.dumps({"index": {"_index": one.index, "_id": one.id}}, separators=(",", ":"))
    body = json.dumps(one.body, separators=(",", ":"), ensure_ascii=False)
    return f"{action}\n{body}\n".encode("utf-8", "replace")
