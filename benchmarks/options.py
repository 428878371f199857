"""What the benchmarks' command lines share."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def parser(about: str | None, events: int, times: int) -> argparse.ArgumentParser:
    """--events, --seed, --times and --json, with these defaults; `about` is the module's docstring."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--events", type=int, default=events)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--times", type=int, default=times)
    made.add_argument("--json", type=Path, help="file for the figures")
    return made


def keep(figures: Any, file: Path | None) -> None:
    """Writes the figures as JSON where a file was asked for."""
    if file:
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
