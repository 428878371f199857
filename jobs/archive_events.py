"""spark-submit entry point: every event of the stream that can be parsed -> the archive's table `events`.

    spark-submit --packages ... --py-files probable_cause-VERSION-py3-none-any.whl jobs/archive_events.py --conf my.yml

Beside jobs/stream.py, where the table is wanted (docs/archive.md says what it costs). SIGTERM and SIGINT end it.
"""

from __future__ import annotations

import argparse
import sys
import threading
from dataclasses import replace

from probable_cause import entry, logs, settings, stream, wiring
from probable_cause.archive import delta, events


def work(chosen: argparse.Namespace) -> None:
    stopping = threading.Event()
    entry.on_end(stopping.set)
    configuration = settings.load(*chosen.conf)
    logs.configure(configuration.log_format)
    spark = entry.session_of("probable-cause-events", chosen.master, configuration)
    delta.require(spark)
    every = configuration.archive_drain
    # A batch must be able to cover more stream time than lies between two, or it would never catch up.
    span = max(configuration.stream.max_span, 2 * every)
    configuration = replace(configuration, stream=replace(configuration.stream, max_span=span))
    source = wiring.events_of(spark, configuration, scope=None)
    rows = events.parsed(source, configuration.max_future, configuration.max_past)
    query = events.write(rows, configuration.archive_path, f"{configuration.checkpoint}-events", every)
    while query.isActive and not stopping.wait(0.5):
        pass
    error = query.exception()
    query.stop()
    if error is not None:
        raise stream.reason_of(error)
    spark.stop()


if __name__ == "__main__":
    arguments = entry.parser("The table of all parsed events of the Probable Cause archive.").parse_args()
    sys.exit(entry.run(lambda: work(arguments)))
