"""spark-submit entry point: every event of the stream that can be parsed -> the archive's table `events`.

    spark-submit --packages ... --py-files probable_cause-VERSION-py3-none-any.whl jobs/archive_events.py --conf my.yml

Beside jobs/stream.py, where the table is wanted (docs/archive.md says what it costs). SIGTERM and SIGINT end it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from dataclasses import replace

from probable_cause import logs, session, settings, stream, wiring
from probable_cause.archive import delta, events
from probable_cause.errors import ProbableCauseError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="The table of all parsed events of the Probable Cause archive.")
    parser.add_argument("--conf", action="append", default=[], metavar="FILE", help="YAML merged over conf/default.yml")
    parser.add_argument("--master", help="only without spark-submit, e.g. local[2]")
    chosen = parser.parse_args(arguments)
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    try:
        configuration = settings.load(*chosen.conf)
        logs.configure(configuration.log_format)
        spark = session.build("probable-cause-events", chosen.master, archive=True)
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
    except ProbableCauseError as exc:
        sys.stderr.write(f"probable-cause: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
