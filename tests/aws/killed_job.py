"""The stream job in a process that kills itself (SIGKILL) at a named point. Run by test_recovery.py.

    python -m tests.aws.killed_job CONF POINT NUMBER

POINT is what sink.Sink.at_point is called with; the process dies when it comes to it for the NUMBER-th time.
"""

from __future__ import annotations

import logging
import os
import signal
import sys

from probable_cause import session, settings, stream


def main(conf: str, point: str, number: int) -> None:
    left = [number]

    def at_point(name: str) -> None:
        if name == point:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    configuration = settings.load(conf)
    spark = session.build("killed", "local[2]", archive=configuration.archive_enabled)
    job = stream.StreamJob(spark, configuration, stream.log_report, at_point)
    signal.signal(signal.SIGTERM, lambda *_: job.stop())
    job.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
