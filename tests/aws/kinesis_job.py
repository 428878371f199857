"""A job of its own process, for tests that kill it: writes what each attempt of each batch held, and nothing else.

Run as `python -m tests.aws.kinesis_job URL STREAM CHECKPOINT OUTPUT`. An attempt's file is renamed when it is whole.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from pathlib import Path

from pyspark.sql import DataFrame

from probable_cause import session
from probable_cause.settings import LogGroup
from probable_cause.sources import read_stream
from tests.aws.kinesis_emulators import REGION

GROUPS = [LogGroup("^/app/", "application")]


def main(url: str, stream: str, checkpoint: str, output: str) -> None:
    folder = Path(output)

    def write(batch: DataFrame, batch_id: int) -> None:
        rows = sorted((row["position"], row["event_id"]) for row in batch.select("position", "event_id").collect())
        if rows:
            attempt = f"{batch_id:06d}-{uuid.uuid4().hex}"
            part = folder / f"{attempt}.new"
            part.write_text(json.dumps(rows), encoding="utf-8")
            part.rename(folder / f"{attempt}.json")
            time.sleep(1)  # between the write and Spark's commit: time for the test to kill the job there

    spark = session.build("kinesis-kill-test", "local[1]")
    events = read_stream(spark, stream_name=stream, log_groups=GROUPS, region=REGION, endpoint_url=url, lag=0.2)
    writer = events.writeStream.foreachBatch(write).option("checkpointLocation", checkpoint)
    writer.trigger(processingTime="100 milliseconds").start().awaitTermination()


if __name__ == "__main__":
    main(*sys.argv[1:])
