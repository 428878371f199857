"""The benchmark's job written by hand for other engines: the same records in, the same final table out.

The job: of all lines, those of interest; attributed to applications by the lookup table; one row for each (application,
layer, cause) with count, first and last seen. Each peer has the seven rules that the workload can match written into it
and knows the exact shape of its lines, while the pipeline looks for the whole catalogue in lines of any format. Peers
so do less, never more; none of them writes, replays or judges anything.

A peer is a function (payloads, lookup) -> Answer; both are in memory when it starts.
"""

from __future__ import annotations

import gzip
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import Any

import orjson
from isal import igzip

from probable_cause.schemas import UNATTRIBUTED
from probable_cause.state.lookups import Row

CORES = 2
# (application, layer, cause) -> (count, first seen, last seen), in epoch milliseconds
Answer = dict[tuple[str, str, str], tuple[int, int, int]]
Peer = Callable[[Sequence[bytes], Sequence[Row]], Answer]

_ACCEPTED = [ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
CALLS = {"RebootInstances": "cloudsystem", "RevokeSecurityGroupIngress": "network"}
PHRASES = (
    ("connection failed", "java.net.ConnectException: Connection refused"),
    ("call timed out", "upstream request timed out"),
)
_ERROR = re.compile(r"^\S+ \S+ (?:ERROR|FATAL)\b")


def plain_python(payloads: Sequence[bytes], lookup: Sequence[Row]) -> Answer:
    """A consumer as a Lambda would be written, on one core: gzip, orjson, split, re; every line is parsed."""
    return _consume(payloads, lookup, gzip.decompress, words_first=False)


def tuned_python(payloads: Sequence[bytes], lookup: Sequence[Row]) -> Answer:
    """The same, tuned: ISA-L's gzip, and a line is parsed only if a word of the rules is in it."""
    return _consume(payloads, lookup, igzip.decompress, words_first=True)


def tuned_python_on_cores(payloads: Sequence[bytes], lookup: Sequence[Row]) -> Answer:
    """tuned_python in as many processes as there are cores, each with its share of the records."""
    global _SHARES  # noqa: PLW0603  forked processes find their records there, instead of having them sent
    _SHARES = [(payloads[place::CORES], lookup) for place in range(CORES)]
    merged: Answer = {}
    with get_context("fork").Pool(CORES) as pool:
        for part in pool.map(_share, range(CORES)):
            for key, (count, first, last) in part.items():
                _add(merged, key, first, last, count)
    return merged


_SHARES: list[tuple[Sequence[bytes], Sequence[Row]]] = []


def _share(place: int) -> Answer:
    return tuned_python(*_SHARES[place])


def _add(answer: Answer, key: tuple[str, str, str], first: int, last: int, count: int = 1) -> None:
    known = answer.get(key)
    answer[key] = (known[0] + count, min(known[1], first), max(known[2], last)) if known else (count, first, last)


def _consume(
    payloads: Sequence[bytes], lookup: Sequence[Row], opened: Callable[[bytes], bytes], words_first: bool
) -> Answer:
    owner = {row.key: row.application_id for row in lookup}
    answer: Answer = {}
    for data in payloads:
        payload = orjson.loads(opened(data))
        group = payload["logGroup"]
        for event in payload["logEvents"]:
            message = event["message"]
            if group == "/vpc/flow":
                if not words_first or "REJECT" in message:
                    _flow(answer, owner, message)
            elif group.startswith("/app/"):
                if not words_first or any(phrase in message for _, phrase in PHRASES):
                    _application(answer, group[5:], message, event["timestamp"])
            elif group == "/aws/cloudtrail":
                if not words_first or any(name in message for name in CALLS):
                    _call(answer, owner, orjson.loads(message))
            else:
                _config(answer, owner, orjson.loads(message)["detail"])
    return answer


def _accepted(address: str) -> bool:
    return any(ipaddress.ip_address(address) in network for network in _ACCEPTED)


def _flow(answer: Answer, owner: Mapping[str, str], message: str) -> None:
    words = message.split(" ")
    if words[12] != "REJECT" or not _accepted(words[3]):
        return
    start = int(words[10]) * 1000
    ends = {owner.get(end, UNATTRIBUTED): end for end in (words[3], words[4]) if _accepted(end)}
    for application, end in ends.items():  # of two ends of one application the destination stands
        kind = "Instance" if end in owner else "address"
        _add(answer, (application, "network", f"REJECT on {kind} {end}"), start, start)


def _application(answer: Answer, application: str, message: str, at: int) -> None:
    if message.startswith("{"):
        record = orjson.loads(message)
        text = record["message"] if record["level"] == "error" else ""
    else:
        text = message if _ERROR.match(message) else ""
    for cause, phrase in PHRASES:
        if phrase in text:
            _add(answer, (application, "application", cause), at, at)


def _call(answer: Answer, owner: Mapping[str, str], record: Mapping[str, Any]) -> None:
    layer = CALLS.get(record["eventName"])
    if layer is None or record.get("errorCode"):
        return
    at = _millis(record["eventTime"])
    for item in record["requestParameters"]["instancesSet"]["items"]:
        instance = item["instanceId"]
        cause = f"{record['eventName']} on {instance}"
        _add(answer, (owner.get(instance, UNATTRIBUTED), layer, cause), at, at)


def _config(answer: Answer, owner: Mapping[str, str], detail: Mapping[str, Any]) -> None:
    item = detail["configurationItem"]
    state = detail["configurationItemDiff"]["changedProperties"].get("Configuration.State.Name")
    cause = {"stopped": "stopped", "running": "recovery: started"}.get(state["updatedValue"]) if state else None
    if cause:
        at, instance = _millis(item["configurationItemCaptureTime"]), item["resourceId"]
        key = (owner.get(instance, UNATTRIBUTED), "cloudsystem", f"{cause} {item['resourceType']} {instance}")
        _add(answer, key, at, at)


def _millis(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def differing(expected: Answer, found: Answer) -> int:
    """Rows of the final table that are missing, too many, or unequal in a cell."""
    return sum(expected.get(key) != found.get(key) for key in expected.keys() | found.keys())


def opened_on_cores(payloads: Sequence[bytes]) -> list[bytes]:
    """Every record's JSON, by ISA-L on both cores: neither Polars nor DuckDB opens gzip'd values of a column."""
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(igzip.decompress, payloads, chunksize=64))
