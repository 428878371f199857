"""jobs/stream.py, which waits in mid-batch, once, as long as a file is there. test_spark_submit.py submits it.

    spark-submit ... tests/aws/paused_job.py FILE ARGUMENTS

The file is made when the batch is folded: what it kept lies in the executors' memory then, and its writes are to come.
"""

from __future__ import annotations

import runpy
import sys
import time
from functools import partial
from pathlib import Path

from probable_cause import stream


def main(file: Path, arguments: list[str]) -> None:
    paused = False

    def at_point(name: str) -> None:
        nonlocal paused
        if name == "folded" and not paused:
            paused = True
            file.touch()
            while file.exists():
                time.sleep(0.2)

    stream.StreamJob = partial(stream.StreamJob, at_point=at_point)  # type: ignore[misc,assignment]
    entry = Path(__file__).parents[2] / "jobs" / "stream.py"
    sys.argv = [str(entry), *arguments]
    runpy.run_path(str(entry), run_name="__main__")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
