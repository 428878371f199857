"""Writes the benchmark: `python -m benchmarks.incidents.generate [FOLDER]`. The same seed writes the same bytes.

Classes are dealt into two halves: weights were tuned on `train` and are reported on `test`, which holds other classes.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.incidents.causes import CAUSES
from benchmarks.incidents.duels import CROWDS, DUELS
from benchmarks.incidents.fooled import FOOLED
from benchmarks.incidents.plain import story_of
from benchmarks.incidents.quiet import QUIET
from benchmarks.incidents.story import Story

BUNDLES = Path(__file__).parent / "bundles"
_COPIES = 2  # of each class that tries to fool
_CROWDS = 12  # of each class of crowds: these are for calibration


def splits() -> dict[str, str]:
    """Class -> train or test. Every other class in order of name, so that no eye chose them."""
    groups = sorted(CAUSES), sorted(FOOLED), sorted(QUIET), sorted(DUELS), sorted(CROWDS)
    return {name: ("train", "test")[number % 2] for names in groups for number, name in enumerate(names)}


def stories() -> Iterator[Story]:
    """Every bundle, built but not written."""
    split = splits()
    for number, (name, cause) in enumerate(sorted(CAUSES.items())):
        # Each class is there in its hardest form; the others take turns with the easier ones.
        for difficulty in ("hard", ("easy", "medium")[number // 2 % 2]):
            yield story_of(cause, difficulty, split[name])
    for name, (tell, difficulty) in sorted([*FOOLED.items(), *QUIET.items(), *DUELS.items(), *CROWDS.items()]):
        for copy in range(1, (_CROWDS if name in CROWDS else _COPIES) + 1):
            story = Story(
                f"{name}-{copy}", name, difficulty, split[name], (tell.__doc__ or "").strip().replace("\n", " ")
            )
            story.window = 60
            tell(story)
            yield story


def write(folder: Path) -> tuple[int, int]:
    """Writes all bundles below `folder`, replacing what was there; returns their number and the bytes of records."""
    shutil.rmtree(folder, ignore_errors=True)
    sizes = [story.write(folder) for story in stories()]
    return len(sizes), sum(sizes)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLES
    count, size = write(target)
    print(f"{count} bundles, {size / 1e6:.1f} MB of records, in {target}")
