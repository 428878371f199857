"""The job's metrics as text: for Prometheus, and for CloudWatch in its embedded metric format (EMF). Pure functions.

Formats: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, 0.0.4) and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from probable_cause.progress import STATES, Snapshot

PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NAMESPACE = "ProbableCause"
Sample = tuple[Mapping[str, str], float]


def prometheus(told: Snapshot, now: datetime, max_silence: float) -> str:
    """All metrics in the text format; docs/metrics.md says what each means."""
    rejects = [(dict(zip(("family", "reason"), key.split("/", 1), strict=True)), n) for key, n in told.rejects.items()]
    families = [
        _metric("healthy", "gauge", "1 when the job looks at its stream", [({}, told.healthy(now, max_silence))]),
        _metric("state", "gauge", "1 for the state it is in", [({"state": one}, one == told.state) for one in STATES]),
        _metric("batches_total", "counter", "batches that are committed", [({}, told.batches)]),
        _metric("restarts_total", "counter", "times that a failed query was started again", [({}, told.restarts)]),
        _metric("lines_total", "counter", "log lines read, by family", _by("family", told.lines)),
        _metric("rejects_total", "counter", "lines and records that could not be read", rejects),
        _metric("causes_total", "counter", "rows of causes that batches were folded to", [({}, told.causes)]),
        _metric("table_writes_total", "counter", "items written", [({}, told.writes)]),
        _metric("batch_seconds", "gauge", "what the sink took for the last batch", [({}, told.batch_seconds)]),
        _metric("batch_phase_seconds", "gauge", "Spark's phases of the last batch", _seconds("phase", told.phases_ms)),
        _metric("lag_seconds", "gauge", "how far a shard's last batch ended behind", _seconds("shard", told.lag_ms)),
    ]
    if told.batch_at is not None:
        families.append(_metric("last_batch_timestamp_seconds", "gauge", "", [({}, told.batch_at.timestamp())]))
    return "".join(families)


def _metric(name: str, kind: str, told: str, samples: Iterable[Sample]) -> str:
    full = f"probable_cause_{name}"
    lines = [f"# HELP {full} {told}"] if told else []
    lines.append(f"# TYPE {full} {kind}")
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        number = float(value)
        lines.append(f"{full}{{{inside}}} {number:g}" if inside else f"{full} {_plain(number)}")
    return "\n".join(lines) + "\n"


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)


def _by(label: str, values: Mapping[str, float]) -> list[Sample]:
    return [({label: name}, value) for name, value in sorted(values.items())]


def _seconds(label: str, millis: Mapping[str, int]) -> list[Sample]:
    return [({label: name}, value / 1000) for name, value in sorted(millis.items())]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


_EMF = {
    "Lines": "Count",
    "Rejects": "Count",
    "Causes": "Count",
    "TableWrites": "Count",
    "BatchSeconds": "Seconds",
    "LagMax": "Milliseconds",
    "Restarts": "Count",
}


def emf(told: Snapshot, now: datetime, job: str) -> str:
    """One line for the last batch: CloudWatch makes metrics of it where the job's output is a log group.

    Args:
        job: the dimension `Job`, such as the stream's name.
    """
    values = {
        "Lines": told.batch_lines,
        "Rejects": told.batch_rejects,
        "Causes": told.batch_causes,
        "TableWrites": told.batch_writes,
        "BatchSeconds": round(told.batch_seconds, 3),
        "LagMax": told.lag_ms_max,
        "Restarts": told.restarts,
    }
    known = {name: value for name, value in values.items() if value is not None}
    definition = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Job"]],
        "Metrics": [{"Name": name, "Unit": _EMF[name]} for name in known],
    }
    document = {
        "_aws": {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [definition]},
        "Job": job,
        "BatchId": told.batch_id,
        **known,
    }
    return json.dumps(document, separators=(",", ":"))
