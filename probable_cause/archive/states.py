"""Items of the tables as rows of the archive, and back into empty tables after a loss. No Spark.

A row holds a whole item as JSON, so that what comes back is equal in every cell: numbers stay numbers, bytes bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from probable_cause.state import state_record
from probable_cause.state.identity import chunk_key
from probable_cause.state.moments import from_text
from probable_cause.state.tables import EXPIRES_AT, Table, Tables, Write

# One row an item and version. `item` is JSON, `digest` tells versions apart.
STATE = """
    table string, application_id string, item_key string, item string, digest string, observed_at timestamp
""".strip()
# What was believed of an application from `since` on.
VERDICT = """
    application_id string, since timestamp, health string, root_cause string, confidence double, verdict string
""".strip()
_NAMES = {one.name: one.name for one in fields(Tables)}
_BEAT = "heartbeat"  # a sign of life is no state
_THREADS = 16
Key = tuple[str, str]  # (table, JSON of the item's key)


@dataclass
class Known:
    """The digests of the items as the archive has them, and when it last looked."""

    digests: dict[Key, str]
    looked_at: datetime | None = None

    def next_moment(self, now: datetime) -> datetime:
        """`now`, or just after the last look when the clock has not moved on: a later version must be told as such."""
        if self.looked_at is not None and now <= self.looked_at:
            now = self.looked_at + timedelta(microseconds=1)
        self.looked_at = now
        return now

    def changed(
        self, name: str, table: Table, items: Iterable[Mapping[str, Any]], now: datetime
    ) -> list[dict[str, Any]]:
        """STATE rows of the items that the archive has not, or not so. Take them in by `keep` once they are written."""
        rows = []
        for item in items:
            if item.get("StateKey") == _BEAT:
                continue
            row = state_row(name, table, item, now)
            if self.digests.get((name, row["item_key"])) != row["digest"]:
                rows.append(row)
        return rows

    def keep(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.digests.update({(row["table"], row["item_key"]): row["digest"] for row in rows})


def state_row(name: str, table: Table, item: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """STATE of one item of the table that Tables calls `name`."""
    text = json.dumps(item, sort_keys=True, default=_bytes)
    return {
        "table": name,
        "application_id": str(item["ApplicationId"]),
        "item_key": json.dumps(_key(table, item)),
        "item": text,
        "digest": hashlib.blake2b(text.encode(), digest_size=8).hexdigest(),
        "observed_at": now,
    }


def verdict_rows(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """VERDICT of those STATE rows that say what was believed."""
    found = []
    for row in rows:
        item = item_of(row["item"])
        key = str(item.get("StateKey", ""))
        if row["table"] == "states" and key.startswith(f"{state_record.OVERALL}#") and key.endswith("#verdict"):
            verdict = json.loads(item["Verdict"])
            root = verdict["root_cause"]
            found.append(
                {
                    "application_id": item["ApplicationId"],
                    "since": from_text(item["Since"]),
                    "health": item["Health"],
                    "root_cause": root["event"]["summary"] if root else None,
                    "confidence": float(root["confidence"]) if root else None,
                    "verdict": item["Verdict"],
                }
            )
    return found


def everything(tables: Tables) -> Iterator[tuple[str, Table, list[dict[str, Any]]]]:
    """(name, table, items) of each table."""
    for name in _NAMES:
        table: Table = getattr(tables, name)
        yield name, table, table.scan()


def of_application(tables: Tables, application_id: str) -> Iterator[tuple[str, Table, list[dict[str, Any]]]]:
    """As everything(), of the two tables that the job writes and one application, with its chunks of event ids."""
    for name in ("events", "states"):
        table: Table = getattr(tables, name)
        yield name, table, table.query(application_id)
    yield "events", tables.events, tables.events.query(chunk_key(application_id, "", 0)["ApplicationId"])


def rebuild(
    tables: Tables, items: Iterable[tuple[str, str]], now: datetime, on_item: Callable[[bool], None] = lambda _: None
) -> int:
    """Puts items that a table has lost back into it; returns how many.

    Args:
        items: (name of the table in Tables, JSON of the item), one for each key: its newest version.
        now: items that DynamoDB would have removed by now are left out.
        on_item: called after each, with whether it was written.

    An item that is there already is not touched: what was written since is newer than the archive.
    """

    def one(entry: tuple[str, str]) -> bool:
        table: Table = getattr(tables, entry[0])
        item = item_of(entry[1])
        written = False
        if item.get(EXPIRES_AT, now.timestamp()) >= now.timestamp():
            key = _key(table, item)
            attributes = {name: value for name, value in item.items() if name not in key}
            written = table.apply(Write(key, attributes, {table.definition.hash_key: None}))
        on_item(written)
        return written

    with ThreadPoolExecutor(_THREADS) as pool:
        return sum(pool.map(one, items))


def item_of(text: str) -> dict[str, Any]:
    """The item of a row's JSON."""
    return dict(json.loads(text, object_hook=_from_json))


def _key(table: Table, item: Mapping[str, Any]) -> dict[str, str]:
    names = (table.definition.hash_key, table.definition.range_key)
    return {name: str(item[name]) for name in names if name}


def _bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"an item holds {type(value).__name__}")


def _from_json(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["$bytes"]) if value.keys() == {"$bytes"} else value
