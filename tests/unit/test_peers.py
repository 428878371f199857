"""The benchmark's hand-written peers agree with one another, and a difference in any cell is seen."""

from __future__ import annotations

import gzip
import shutil

import orjson
import pytest

from benchmarks import columnar_peers, log_processor, peers
from benchmarks.peers import Answer, Peer
from benchmarks.workload import World, records
from probable_cause.schemas import UNATTRIBUTED

WORLD = World(applications=20, lookup_rows=200)
# A flow whose ends belong to one application, one end that nobody owns, and a source from the Internet.
FLOWS = [
    "2 1 eni-1 10.0.0.1 10.0.0.21 40000 443 6 1 40 1772366400 1772366460 REJECT OK",
    "2 1 eni-1 10.0.0.1 192.168.7.7 40000 443 6 1 40 1772366401 1772366461 REJECT OK",
    "2 1 eni-1 198.51.100.7 10.0.0.1 40000 443 6 1 40 1772366402 1772366462 REJECT OK",
    "2 1 eni-REJECT 10.0.0.1 10.0.0.2 40000 443 6 1 40 1772366403 1772366463 ACCEPT OK",
]
OTHERS: dict[str, tuple[Peer, str]] = {
    "tuned Python": (peers.tuned_python, "isal"),
    "two processes": (peers.tuned_python_on_cores, "isal"),
    "Polars": (columnar_peers.polars, "polars"),
    "DuckDB": (columnar_peers.duckdb, "duckdb"),
}


def payloads() -> list[bytes]:
    events = [{"id": str(number), "timestamp": 0, "message": line} for number, line in enumerate(FLOWS)]
    special = gzip.compress(orjson.dumps({"logGroup": "/vpc/flow", "logEvents": events}))
    return [special, *(data for _, data in records(5_000, 3, WORLD))]


def expected() -> Answer:
    return peers.plain_python(payloads(), WORLD.lookup())


def test_what_the_special_flows_give() -> None:
    found = peers.plain_python(payloads()[:1], WORLD.lookup())
    at = 1772366400000
    assert found == {
        ("app-0", "network", "REJECT on Instance 10.0.0.21"): (1, at, at),
        ("app-0", "network", "REJECT on Instance 10.0.0.1"): (1, at + 1000, at + 1000),
        (UNATTRIBUTED, "network", "REJECT on address 192.168.7.7"): (1, at + 1000, at + 1000),
    }


@pytest.mark.parametrize("name", OTHERS)
def test_peers_agree(name: str) -> None:
    peer, needs = OTHERS[name]
    pytest.importorskip(needs)
    answer = expected()
    assert len({layer for _, layer, _ in answer}) == 3
    assert peers.differing(answer, peer(payloads(), WORLD.lookup())) == 0


def test_a_difference_in_any_cell_is_seen() -> None:
    answer = {("a", "network", "c"): (2, 5, 9), ("b", "network", "c"): (1, 5, 5)}
    assert peers.differing(answer, dict(answer)) == 0
    key = ("a", "network", "c")
    for other in ((3, 5, 9), (2, 4, 9), (2, 5, 8)):
        assert peers.differing(answer, answer | {key: other}) == 1
    assert peers.differing(answer, {key: answer[key]}) == 1
    assert peers.differing({key: answer[key]}, answer) == 1


@pytest.mark.skipif(shutil.which(log_processor.PROCESSOR) is None, reason="syslog-ng is not installed")
def test_a_log_processor_reads_the_same_fields_of_each_line() -> None:
    rows = log_processor.measure(events=2_000, seed=5, times=1)
    assert [row["family"] for row in rows] == ["vpc_flow", "cloudtrail", "aws_config", "application"]
    assert all(row["lines"] >= 2_000 for row in rows)


def test_a_line_that_is_read_otherwise_makes_the_comparison_void(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(kind: log_processor.Kind, lines: list[str]) -> tuple[float, list[str]]:
        seconds, told = log_processor.parsed(kind, lines)
        return seconds, [*told[:-1], "-"]

    monkeypatch.setattr(log_processor, "processed", other)
    with pytest.raises(SystemExit, match="1 lines differ"):
        log_processor.measure(events=500, seed=5, times=1)
