"""The stream job that waits in mid-batch, once, as long as a file is there. For spark-submit, by test_spark_submit.py.

    spark-submit ... tests/aws/paused_job.py CONF FILE

The file is made when the batch is folded: what it kept lies in the executors' memory then, and its writes are to come.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from pathlib import Path

import probable_cause
from probable_cause import session, settings, stream


def main(conf: str, file: Path) -> None:
    paused = False

    def at_point(name: str) -> None:
        nonlocal paused
        if name == "folded" and not paused:
            paused = True
            file.touch()
            while file.exists():
                time.sleep(0.2)

    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    logging.info("probable-cause from %s", probable_cause.__file__)
    configuration = settings.load(conf)
    spark = session.build("paused", archive=configuration.archive_enabled)
    job = stream.StreamJob(spark, configuration, stream.log_report, at_point)
    signal.signal(signal.SIGTERM, lambda *_: job.stop())
    job.run()
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
