"""spark-submit entry point: log files of the past -> the tables, by the stream's own pipeline; or --rebuild.

    spark-submit --py-files probable_cause-VERSION-py3-none-any.whl jobs/backfill.py --conf my.yml \
        --kind cloudtrail s3://BUCKET/AWSLogs/123456789012/CloudTrail/

Ended, it goes on where it was when it is started again with the same arguments.
"""

from __future__ import annotations

import sys

from probable_cause.backfill_cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
