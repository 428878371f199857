"""spark-submit entry point: retention, compaction and clean-up of the archive's Delta tables; run it once a day.

spark-submit --py-files probable_cause-VERSION-py3-none-any.whl jobs/maintain_archive.py --conf my.yml
"""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from probable_cause import entry, settings
from probable_cause.archive.maintenance import maintain
from probable_cause.clock import wall_clock


def work(chosen: argparse.Namespace) -> None:
    configuration = settings.load(*chosen.conf)
    spark = entry.session_of("probable-cause-maintain-archive", chosen.master, configuration)
    retention = timedelta(seconds=configuration.archive_retention)
    for one in maintain(spark, configuration.archive_path, wall_clock(), retention):
        dropped = ", old days dropped" if one.dropped else ""
        sys.stdout.write(f"{one.table}: {one.removed} files became {one.added}{dropped}\n")
    spark.stop()


if __name__ == "__main__":
    arguments = entry.parser("Maintenance of the Probable Cause archive.").parse_args()
    sys.exit(entry.run(lambda: work(arguments)))
