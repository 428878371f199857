"""spark-submit entry point: Kinesis -> DynamoDB until stopped.

    spark-submit --py-files probable_cause-VERSION-py3-none-any.whl jobs/stream.py --conf my.yml

SIGTERM and SIGINT end it after the batch in progress.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys

import probable_cause
from probable_cause import logs, session, settings, stream
from probable_cause.errors import ProbableCauseError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="The Probable Cause stream job.")
    parser.add_argument("--conf", action="append", default=[], metavar="FILE", help="YAML merged over conf/default.yml")
    parser.add_argument("--master", help="only without spark-submit, e.g. local[2]")
    chosen = parser.parse_args(arguments)
    logs.configure()
    try:
        configuration = settings.load(*chosen.conf)
        logs.configure(configuration.log_format)
        logging.info("probable-cause %s from %s", probable_cause.__version__, probable_cause.__file__)
        spark = session.build("probable-cause", chosen.master, archive=configuration.archive_enabled)
        job = stream.StreamJob(spark, configuration, on_report=stream.log_report)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: job.stop())
        job.run()
        spark.stop()
    except ProbableCauseError as exc:
        sys.stderr.write(f"probable-cause: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
