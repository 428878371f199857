"""A report of an evaluation as text for a terminal: from the JSON document to lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COLUMNS = ("ac_at_1", "ac_at_3", "avg_at_5", "specificity", "layer_accuracy", "exact_counts")
_HEADS = ("AC@1", "AC@3", "Avg@5", "specificity", "layers", "counts")


def text(told: Mapping[str, Any], failed: list[str]) -> str:
    """The whole report.

    Args:
        told: `Report.to_dict()`.
        failed: `Report.failed()`.
    """
    lines = [
        f"{told['bundles']} bundles in {told['seconds']:.0f} s ({told['bundles_per_minute']} a minute)",
        "",
        _row("", _HEADS),
        _scores("all", told["scores"]),
    ]
    for title, key in (("by split", "by_split"), ("by difficulty", "by_difficulty"), ("by class", "by_class")):
        if told[key]:
            lines += ["", title, *(_scores(f"  {name}", one) for name, one in told[key].items())]
    lines += ["", "baselines: what simpler ways would have named"]
    lines += [_scores(f"  {name}", one) for name, one in told["baselines"].items()]
    lines += ["", "without one factor"]
    lines += [_scores(f"  {name}", one) for name, one in told["without_factor"].items()]
    lines += ["", *_calibration(told), "", *_time(told["time_to_verdict"])]
    if failed:
        lines += ["", "not as expected:", *(f"  {one}" for one in failed)]
    return "\n".join(lines)


def _row(name: str, cells: tuple[str, ...]) -> str:
    return f"{name:<38}" + "".join(f"{cell:>12}" for cell in cells)


def _scores(name: str, one: Mapping[str, Any]) -> str:
    return _row(name[:37], tuple(_share(one.get(column)) for column in _COLUMNS))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _calibration(told: Mapping[str, Any]) -> list[str]:
    if not told["calibration"]:
        return ["calibration: no cause was named"]
    lines = ["calibration     verdicts  confidence  right"]
    for one in told["calibration"]:
        span = f"{one['from']:.1f} - {one['to']:.1f}"
        lines.append(f"  {span}   {one['verdicts']:>8}  {one['confidence']:>10.2f}  {one['right']:>5.2f}")
    return [*lines, f"  expected calibration error {told['calibration_error']:.3f}"]


def _time(told: Mapping[str, Any]) -> list[str]:
    if not told["named"]:
        return ["time to verdict: not measured, or no cause was named"]
    seconds, events = told["seconds"], told["events"]
    return [
        f"time to verdict, from the first symptom's arrival: {seconds['p50']:.0f} s (p95 {seconds['p95']:.0f} s), "
        f"{events['p50']:.0f} log lines (p95 {events['p95']:.0f}), in {told['named']} of {told['incidents']} incidents"
    ]
