"""`make evaluate`: the benchmark through the real pipeline, against the committed result.

python -m benchmarks.incidents.evaluate            fails when AC@1 dropped by more than 0.02, on either half
python -m benchmarks.incidents.evaluate --accept   writes what was measured as the new committed result
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.incidents.generate import BUNDLES
from probable_cause import settings
from probable_cause.evaluation import report
from probable_cause.evaluation.commands import measure
from probable_cause.wiring import model_of

RESULT = Path(__file__).parent / "result.json"
ALLOWED_DROP = 0.02
# What differs from run to run, or only repeats the bundles.
_LEFT_OUT = ("seconds", "bundles_per_minute", "details")


def drops(measured: dict[str, Any], committed: dict[str, Any]) -> list[str]:
    """What got worse by more than is allowed, one line each."""
    places = {"all": (measured["scores"], committed["scores"])}
    for split, before in committed["by_split"].items():
        places[split] = (measured["by_split"].get(split, {}), before)
    found = []
    for place, (now, before) in places.items():
        for name in ("ac_at_1", "specificity"):
            is_now, was = now.get(name), before.get(name)
            if was is not None and (is_now is None or is_now < was - ALLOWED_DROP):
                found.append(f"{place}: {name} is {is_now}, the committed result is {was}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accept", action="store_true", help="commit what is measured")
    chosen = parser.parse_args()
    found = measure([BUNDLES])
    told = found.to_dict(model_of(settings.load()))
    print(report.text(told, found.failed()))
    if told["errors"]:
        return 1
    if chosen.accept:
        kept = {name: value for name, value in told.items() if name not in _LEFT_OUT}
        RESULT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"\nwritten to {RESULT}")
        return 0
    worse = drops(told, json.loads(RESULT.read_text(encoding="utf-8")))
    for line in worse:
        print(f"worse than committed: {line}", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
