"""Parsing alone: each family's parser beside a log processor, line by line the same answer.

    python -m benchmarks.log_processor

The processor is syslog-ng (Debian: syslog-ng-core), since Debian, PyPI and npm have neither Fluent Bit nor Vector.
It is given the lines of the workload without their envelopes, which it can't open, on standard input, and writes the
fields that both know, one line each; the parsers do all that they do for the job, down to the Arrow columns. Both have
one process. A row whose fields differ in any line is void, and the command fails. Without syslog-ng it only says so.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import options
from benchmarks.workload import World, records
from probable_cause.decode import BATCH_LINES
from probable_cause.envelope import open_record
from probable_cause.families.flow_format import DEFAULT
from probable_cause.parsing import parse

PROCESSOR = "syslog-ng"
_CONF = """@version: 3.35
options {{ stats-freq(0); log-msg-size(1048576); log-fifo-size(100000); }};
source lines {{ stdin(flags(no-parse) log-fetch-limit(1000) log-iw-size(10000)); }};
destination fields {{ file("{out}" template("{template}\\n")); }};
log {{
  source(lines);
  {parser}
  destination(fields);
  flags(flow-control);
}};
"""
_NAMES = ", ".join(f'"{name.replace("-", "_")}"' for name in DEFAULT.split())
# An access log's line has no level: to us it is what its status says, of this workload always INFO.
_APPLICATION = r"""
  if {
    parser { json-parser(); };
  } elif {
    filter { message("time=" type(string) flags(prefix)); };
    parser { kv-parser(); };
    rewrite { set("${msg}" value("message")); };
  } elif {
    parser { regexp-parser(patterns("^\\S+ \\S+ (?<level>[A-Z]+) +\\[[^\\]]*\\] (?<logger>\\S+) - (?<message>.*)")); };
  } else {
    rewrite { set("info" value("level")); set("${MESSAGE}" value("message")); };
  };
"""


@dataclass(frozen=True)
class Kind:
    """How a family of the workload is read: by syslog-ng, and the fields that are compared."""

    family: str
    columns: tuple[str, ...]  # of schemas.PARSED
    template: str
    parser: str


KINDS = {
    "flow": Kind(
        "vpc_flow",
        ("account_id", "source_ip", "destination_ip", "source_port", "destination_port", "protocol", "bytes", "packets",
         "start", "end", "outcome"),
        "${account_id}\t${srcaddr}\t${dstaddr}\t${srcport}\t${dstport}\t${protocol}\t${bytes}\t${packets}\t${start}\t"
        "${end}\t$(lowercase ${action})",
        f'parser {{ csv-parser(columns({_NAMES}) delimiters(" ")); }};',
    ),
    "cloudtrail": Kind(
        "cloudtrail",
        ("account_id", "region", "event_source", "source_ip"),
        "${.j.recipientAccountId}\t${.j.awsRegion}\t${.j.eventSource}\t${.j.sourceIPAddress}",
        'parser { json-parser(prefix(".j.")); };',
    ),
    "config": Kind(
        "aws_config",
        ("account_id", "region", "resource_type"),
        "${.j.detail.configurationItem.awsAccountId}\t${.j.detail.configurationItem.awsRegion}\t"
        "${.j.detail.configurationItem.resourceType}",
        'parser { json-parser(prefix(".j.")); };',
    ),
    "application": Kind(
        "application", ("level", "logger", "message"), "$(uppercase ${level})\t${logger}\t${message}", _APPLICATION
    ),
}  # fmt: skip


def processed(kind: Kind, lines: list[str]) -> tuple[float, list[str]]:
    """Seconds that the processor takes for the lines, and the fields of each."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        out, conf = work / "fields", work / "syslog-ng.conf"
        conf.write_text(_CONF.format(out=out, template=kind.template, parser=kind.parser), encoding="utf-8")
        files = [part for name in ("persist-file", "pidfile", "control") for part in (f"--{name}", str(work / name))]
        command = [PROCESSOR, "--foreground", "--no-caps", "--cfgfile", str(conf), *files]
        given = "".join(f"{line}\n" for line in lines).encode()
        began = time.perf_counter()
        subprocess.run(command, input=given, check=True, stdout=subprocess.DEVNULL, timeout=600)
        return time.perf_counter() - began, out.read_text(encoding="utf-8").splitlines()


def parsed(kind: Kind, lines: list[str]) -> tuple[float, list[str]]:
    """The same by the job's parser."""
    began = time.perf_counter()
    parts = [parse(kind.family, lines[at : at + BATCH_LINES], None) for at in range(0, len(lines), BATCH_LINES)]
    seconds = time.perf_counter() - began
    in_order = (part.events.take(pc.array_sort_indices(pa.array(part.index, pa.int64()))) for part in parts)
    table = pa.Table.from_batches(in_order)
    texts = [pc.coalesce(table.column(name).cast(pa.string()), pa.scalar("")) for name in kind.columns]
    return seconds, pc.binary_join_element_wise(*texts, "\t").to_pylist()


def measure(events: int, seed: int, times: int) -> list[dict[str, Any]]:
    """A row for each family. Raises SystemExit where a line's fields differ."""
    rows = []
    for name, kind in KINDS.items():
        payloads = [data for _, data in records(events, seed, World(), {name: 1.0})]
        lines = [line for data in payloads for one in open_record(data) for line in one.messages]
        seconds: dict[str, list[float]] = {"processor": [], "parser": []}
        for _ in range(times):  # taking turns
            took, theirs = processed(kind, lines)
            seconds["processor"].append(took)
            took, ours = parsed(kind, lines)
            seconds["parser"].append(took)
            differing = [told for told in zip(lines, theirs, ours, strict=True) if told[1] != told[2]]
            if differing:
                raise SystemExit("\n".join([f"{name}: {len(differing)} lines differ, first", *differing[0]]))
        best = {who: min(found) for who, found in seconds.items()}
        per_second = {f"{who}_per_s": round(len(lines) / found) for who, found in best.items()}
        ratio = {"of_processor": round(best["processor"] / best["parser"], 2)}
        rows.append({"family": kind.family, "lines": len(lines), **per_second, **ratio})
    return rows


def main() -> None:
    chosen = options.parser(__doc__, 200_000, 3).parse_args()
    if shutil.which(PROCESSOR) is None:
        print(f"{PROCESSOR} is not installed: parsing is not compared with a log processor (Debian: syslog-ng-core)")
        return
    rows = measure(chosen.events, chosen.seed, chosen.times)
    print(f"{'family':<12} {'lines':>8} {PROCESSOR + '/s':>12} {'parser/s':>10} {'ratio':>6}")
    for row in rows:
        print("{family:<12} {lines:>8} {processor_per_s:>12} {parser_per_s:>10} {of_processor:>6.2f}".format(**row))
    options.keep(rows, chosen.json)


if __name__ == "__main__":
    main()
