"""spark-submit entry point: retention, compaction and clean-up of the archive's Delta tables; run it once a day.

spark-submit --py-files probable_cause-VERSION-py3-none-any.whl jobs/maintain_archive.py --conf my.yml
"""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from probable_cause import session, settings
from probable_cause.archive.maintenance import maintain
from probable_cause.clock import wall_clock
from probable_cause.errors import ProbableCauseError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Maintenance of the Probable Cause archive.")
    parser.add_argument("--conf", action="append", default=[], metavar="FILE", help="YAML merged over conf/default.yml")
    parser.add_argument("--master", help="only without spark-submit, e.g. local[2]")
    chosen = parser.parse_args(arguments)
    try:
        configuration = settings.load(*chosen.conf)
        spark = session.build("probable-cause-maintain-archive", chosen.master, archive=True)
        retention = timedelta(seconds=configuration.archive_retention)
        for one in maintain(spark, configuration.archive_path, wall_clock(), retention):
            dropped = ", old days dropped" if one.dropped else ""
            sys.stdout.write(f"{one.table}: {one.removed} files became {one.added}{dropped}\n")
        spark.stop()
    except ProbableCauseError as exc:
        sys.stderr.write(f"probable-cause: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
