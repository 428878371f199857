"""spark-submit entry point: Kinesis -> DynamoDB until stopped.

    spark-submit --py-files probable_cause-VERSION-py3-none-any.whl jobs/stream.py --conf my.yml

SIGTERM and SIGINT end it after the batch in progress.
"""

from __future__ import annotations

import argparse
import logging
import sys

import probable_cause
from probable_cause import entry, logs, settings, stream


def work(chosen: argparse.Namespace) -> None:
    logs.configure()
    configuration = settings.load(*chosen.conf)
    logs.configure(configuration.log_format)
    logging.info("probable-cause %s from %s", probable_cause.__version__, probable_cause.__file__)
    spark = entry.session_of("probable-cause", chosen.master, configuration, configuration.archive_enabled)
    job = stream.StreamJob(spark, configuration, on_report=stream.log_report)
    entry.on_end(job.stop)
    job.run()
    spark.stop()


if __name__ == "__main__":
    arguments = entry.parser("The Probable Cause stream job.").parse_args()
    sys.exit(entry.run(lambda: work(arguments)))
