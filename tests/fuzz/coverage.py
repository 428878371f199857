"""Coverage-guided fuzzing of one family's parser with atheris (libFuzzer). Needs `pip install -e '.[fuzz]'`.

    python -m tests.fuzz.coverage --family application --seconds 60
    python -m tests.fuzz.coverage              all four, one after another; says so if atheris is not installed

Ends with exit code 0 when nothing was found; a crash or a line of more than a second ends it at once, and libFuzzer
prints the input.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.seeds import seeds

FORMATS = (None, "srcaddr dstaddr start end action log-status", "account-id action bytes tcp-flags pkt-srcaddr end")
FAMILIES = ("cloudtrail", "aws_config", "vpc_flow", "application")
SLOWEST = 1  # seconds an input may take


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=FAMILIES)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.stdout.write("no search by coverage: atheris is not installed; try: pip install -e '.[fuzz]'\n")
        return 2 if arguments.family else 0
    if arguments.family is None:  # libFuzzer ends the process, so each family has its own
        told = [f"--seconds={arguments.seconds}", f"--seed={arguments.seed}"]
        runs = [[sys.executable, "-m", "tests.fuzz.coverage", "--family", family, *told] for family in FAMILIES]
        return max(subprocess.run(run, check=False).returncode for run in runs)
    import atheris

    with atheris.instrument_imports(include=["probable_cause.families"]):
        from probable_cause.errors import RejectedLineError
        from probable_cause.families import parse_line, parse_lines

    def one_input(data: bytes) -> None:
        """The first byte chooses the format; the rest is the line, read alone and, as several, together."""
        form = FORMATS[data[0] % len(FORMATS)] if data and arguments.family == "vpc_flow" else None
        line = data[1:].decode("utf-8", "surrogatepass" if data[:1] > b"\x7f" else "replace")
        try:
            alone = len(parse_line(arguments.family, line, form))
        except RejectedLineError:
            alone = 0
        _, index, rejects = parse_lines(arguments.family, [line] * 9, form)
        if len(index) != 9 * alone or len(rejects) != (0 if alone else 9):
            raise AssertionError(f"alone {alone} events, together {len(index)} events and {len(rejects)} rejects")

    def guarded(data: bytes) -> None:
        try:
            one_input(data)
        except UnicodeDecodeError:
            return

    with tempfile.TemporaryDirectory() as folder:
        for number, (_, _, line) in enumerate(seeds(arguments.family)):
            Path(folder, str(number)).write_bytes(b"\x00" + line.encode("utf-8", "replace")[:8192])
        options = [
            f"-max_total_time={arguments.seconds}",
            f"-timeout={SLOWEST}",
            f"-seed={arguments.seed}",
            "-max_len=16384",
        ]
        atheris.Setup([sys.argv[0], folder, *options], guarded)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
