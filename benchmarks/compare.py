"""`make bench`, the table: the pipeline beside its floor and beside the same job by hand in other engines.

    python -m benchmarks.compare [--events 1000000] [--growth 100000,300000] [--seed 1] [--times 3] [--json FILE]

All read the same records, which are hashed, and give the same final table: (application, layer, cause) with count,
first and last seen. It is compared cell by cell with the pipeline's, and a row that differs is void. The floor opens
the records and hands on their lines, in the same engine; it has no answer. Each row is a process of its own, so that
its peak memory is its own: the sum over its processes of the most that each ever held. Seconds are those of the
fastest of several runs, CPU seconds are of that run, over all processes. Before them each row runs at the smallest size
for some seconds, Spark's for a minute, since a stream's job is started once, and Java is slow until it has run for a
while. peers.py says what peers do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import columnar_peers, options, peers
from benchmarks.peers import CORES, Answer, Peer
from benchmarks.speed import drain, envelope_only, folded, groups, in_memory
from benchmarks.workload import World, records
from probable_cause.schemas import BASELINE

FLOOR, PIPELINE = "envelope only, Spark (floor)", "pipeline"
PEERS: dict[str, Peer] = {
    "plain Python, one core": peers.plain_python,
    "tuned Python, one core": peers.tuned_python,
    "tuned Python, two processes": peers.tuned_python_on_cores,
    "Polars": columnar_peers.polars,
    "DuckDB": columnar_peers.duckdb,
}
WARM_UP, WARM_UP_OF_SPARK = 10.0, 60.0  # seconds
SMALL = 200 * 1024**2  # bytes of records, about three million events
T = TypeVar("T")
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(sizes: Sequence[int], seed: int, times: int) -> dict[str, Any]:
    """All rows at all sizes (events, ascending)."""
    made = [data for _, data in records(sizes[-1], seed, World())]
    rows: list[dict[str, Any]] = []
    expected: list[Answer] = []
    with tempfile.TemporaryDirectory() as folder:
        file, answers = Path(folder) / "records.arrow", Path(folder) / "answers.json"
        with pa.ipc.new_file(file, pa.schema([("data", pa.binary())])) as out:
            out.write(pa.record_batch({"data": made}))
        shares = [round(len(made) * size / sizes[-1]) for size in sizes]
        for name in (PIPELINE, FLOOR, *PEERS):
            command = [sys.executable, "-m", "benchmarks.compare", "--one", name, str(file), str(answers)]
            command += [*map(str, (times, *shares))]
            row = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            found = _read(answers)
            expected = expected or found
            rows.append({**row, "differing_rows": _differing(expected, found)})
            print(rows[-1], file=sys.stderr)  # so that a run that is cut short has told something
    return {
        "seed": seed,
        "input": hashlib.sha256(b"".join(made)).hexdigest()[:16],
        "events": [sum(_lines(data) for data in made[:share]) for share in shares],
        "answer_rows": [len(one) for one in expected],
        "rows": [{**row, "of_pipeline": _ratio(rows[0], row)} for row in rows],
    }


def _ratio(pipeline: dict[str, Any], row: dict[str, Any]) -> float:
    """How many times as long a row takes as the pipeline, at the largest size."""
    return round(row["seconds"][-1] / pipeline["seconds"][-1], 2)


def _differing(expected: list[Answer], found: list[Answer]) -> int | None:
    """Over all sizes; None for the floor, which has no answer."""
    pairs = zip(expected, found, strict=True)
    return sum(peers.differing(one, other) for one, other in pairs) if found else None


def _lines(data: bytes) -> int:
    return len(peers.orjson.loads(peers.igzip.decompress(data))["logEvents"])


def _read(file: Path) -> list[Answer]:
    told = json.loads(file.read_text(encoding="utf-8"))
    return [{(a, layer, cause): tuple(rest) for a, layer, cause, *rest in one} for one in told]


def run_one(name: str, file: Path, answers: Path, times: int, shares: Sequence[int]) -> dict[str, Any]:
    """One row, in this process: its figures; its answers go to a file."""
    with pa.memory_map(str(file)) as source:
        payloads = pa.ipc.open_file(source).read_all().column("data").to_pylist()
    # Java's heap holds the records as well.
    heap = "2g" if file.stat().st_size < SMALL else "8g"
    make = _peer(PEERS[name]) if name in PEERS else _spark(name, heap)
    warm_up = WARM_UP if name in PEERS else WARM_UP_OF_SPARK
    seconds, cpu, found = [], [], []
    warm, began = make(payloads[: shares[0]]), time.perf_counter()
    while time.perf_counter() - began < warm_up:
        warm()
    for share in shares:
        run = make(payloads[:share])
        run()
        best = min((timed(run) for _ in range(times)), key=lambda one: one[0])
        seconds.append(round(best[0], 3))
        cpu.append(round(best[1], 2))
        if (answer := best[2]) is not None:
            found.append([[*key, *values] for key, values in answer.items()])
    answers.write_text(json.dumps(found), encoding="utf-8")
    return {"what": name, "seconds": seconds, "cpu_seconds": cpu, "peak_mb": round(_peak_kb() / 1024)}


def timed(run: Callable[[], T]) -> tuple[float, float, T]:
    """Seconds, CPU seconds over this process and all that it started, and what the run gave."""
    cpu, began = _cpu(), time.perf_counter()
    answer = run()
    return time.perf_counter() - began, _cpu() - cpu, answer


def _peer(peer: Peer) -> Callable[[Sequence[bytes]], Callable[[], Answer | None]]:
    lookup = World().lookup()
    return lambda payloads: lambda: peer(payloads, lookup)


def _spark(name: str, heap: str) -> Callable[[list[bytes]], Callable[[], Answer | None]]:
    """The pipeline with its whole catalogue as the job runs it, or its floor, over records in Spark's memory."""
    from probable_cause import pipeline, session, settings, wiring
    from probable_cause.decode import decode_batches
    from probable_cause.lookup_cache import lookup_frame
    from probable_cause.schemas import EVENT
    from probable_cause.sources import routing_of

    configuration = settings.load(overrides={"log_groups": groups()})
    scope = wiring.scope_of(configuration)
    spark = session.build("bench", "local[2]", {"spark.driver.memory": heap})
    lookup = lookup_frame(spark, World().lookup()).persist()
    hop = decode_batches(routing_of(configuration.log_groups), pipeline.prefilter(scope))

    def make(payloads: list[bytes]) -> Callable[[], Answer | None]:
        source = in_memory(spark, payloads)

        def floor() -> None:
            drain(source.mapInArrow(envelope_only, "message string"))

        def whole() -> Answer:
            # Planned anew each time: a plan that ran before would find its shuffles done.
            kept = pipeline.of_interest_or_rejected(source.mapInArrow(hop, EVENT), scope)
            return _answer(folded(kept, lookup, scope))

        return floor if name == FLOOR else whole

    return make


def _answer(folded: pa.Table) -> Answer:
    """What is usual belongs to the job's work, but not to the answer, which no peer has."""
    folded = folded.filter(pc.not_equal(folded.column("role"), BASELINE))
    columns = ["application_id", "event_type", "cause_id", "count", "first_seen", "last_seen"]
    as_millis = [
        folded.column(one).cast(pa.timestamp("ms", "UTC")).cast(pa.int64())
        if one.endswith("_seen")
        else folded.column(one)
        for one in columns
    ]
    rows = zip(*(column.to_pylist() for column in as_millis), strict=True)
    return {(a, layer, cause): (count, first, last) for a, layer, cause, count, first, last in rows}


def _proc(path: str) -> str:
    """A file of /proc, empty when what it tells of has just ended."""
    try:
        return Path("/proc", path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _tree(pid: int) -> list[int]:
    """A process and all that it started."""
    tasks = [task.name for task in Path(f"/proc/{pid}/task").glob("*")]
    children = [int(child) for task in tasks for child in _proc(f"{pid}/task/{task}/children").split()]
    return [pid, *(one for child in children for one in _tree(child))]


def _cpu() -> float:
    """CPU seconds of this process and its children, those that have ended among them."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    stats = (_proc(f"{pid}/stat").rpartition(")")[2].split() for pid in _tree(os.getpid()))
    return ended.ru_utime + ended.ru_stime + sum((int(one[11]) + int(one[12])) / _TICKS for one in stats if one)


def _peak_kb() -> int:
    """The most that each process held, summed; of those that have ended, the largest once for each core."""
    tree = _tree(os.getpid())
    found = [re.search(r"VmHWM:\s+(\d+)", _proc(f"{pid}/status")) for pid in tree]
    ended = CORES * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if len(tree) == 1 else 0
    return ended + sum(int(one[1]) for one in found if one)


def table(told: dict[str, Any]) -> str:
    """The figures as text."""
    heads = "".join(f"{f'{events:,} ev.':>16}" for events in told["events"])
    lines = [f"seed {told['seed']}, input {told['input']}, rows of the final table {told['answer_rows']}"]
    lines.append(f"{'events/s':<30}{heads}{'x pipeline':>12}{'CPU s/M':>9}{'peak MB':>9}  answer")
    for row in told["rows"]:
        rates = "".join(f"{events / s:>16,.0f}" for events, s in zip(told["events"], row["seconds"], strict=True))
        cpu, differing = row["cpu_seconds"][-1] / told["events"][-1] * 1e6, row["differing_rows"]
        answer = {None: "none", 0: "equal"}.get(differing, f"VOID: {differing} rows differ")
        lines.append(f"{row['what']:<30}{rates}{row['of_pipeline']:>12.2f}{cpu:>9.1f}{row['peak_mb']:>9}  {answer}")
    return "\n".join(lines)


def main() -> None:
    parser = options.parser(__doc__, 1_000_000, 3)
    parser.add_argument("--growth", default="100000,300000", help="smaller sizes, measured as well")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        name, file, answers, *numbers = chosen.one
        times, *shares = map(int, numbers)
        print(json.dumps(run_one(name, Path(file), Path(answers), times, shares)))
        return
    smaller = sorted(int(size) for size in chosen.growth.split(",") if size)
    told = measure([*smaller, chosen.events], chosen.seed, chosen.times)
    print(table(told))
    options.keep(told, chosen.json)
    if any(row["differing_rows"] for row in told["rows"]):
        raise SystemExit("rows whose answer differs are void")


if __name__ == "__main__":
    main()
