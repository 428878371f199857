"""Every tier of tests, in two processes that share the machine: `make test`.

Much of a test of Spark is one thread that plans, or a wait for a stream, so that two processes finish much sooner than
one. The second one's output is shown when the first has ended. Exit code 0 only if both passed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

# By cost, cheap ones first, and about as long as each other. Each process has a Spark session of its own.
HALVES = (("unit", "spark", "streaming", "scenarios"), ("aws", "browser"))
_ROOT = Path(__file__).parent.parent
# On a fresh machine Spark fetches jars from Maven. Two that do so at once would write into the same cache.
_JARS = "from probable_cause import session; session.build('', 'local[1]', archive=True, paths=['s3a://']).stop()"


def begin(tiers: tuple[str, ...], **output: object) -> subprocess.Popen[bytes]:
    folders = [f"tests/{tier}" for tier in tiers]
    command = [sys.executable, "-m", "pytest", "--durations=15", "--durations-min=5", *folders]
    return subprocess.Popen(command, cwd=_ROOT, **output)  # type: ignore[call-overload, no-any-return]


def main() -> int:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", _JARS], cwd=_ROOT, check=False, stderr=subprocess.DEVNULL)
    first, second = HALVES
    with tempfile.TemporaryFile() as kept:
        other = begin(second, stdout=kept, stderr=subprocess.STDOUT)
        print(f"{', '.join(second)}: running beside, shown below", flush=True)
        codes = [begin(first).wait(), other.wait()]
        kept.seek(0)
        print(f"\n{', '.join(second)}:", flush=True)
        sys.stdout.buffer.write(kept.read())
    for tiers, code in zip(HALVES, codes, strict=True):
        print(f"{', '.join(tiers)}: {'passed' if code == 0 else f'FAILED (pytest ended with {code})'}")
    print(f"{time.monotonic() - began:.0f} s")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
