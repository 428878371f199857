"""jobs/archive_events.py on a stream: every line that can be read is in the table, and SIGTERM ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from probable_cause.archive import delta
from probable_cause.decode import decode_records
from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.sources import routing_of
from tests.aws.account import open_account, put_records, scenario, wait_until
from tests.conftest import ROOT


def test_a_scenario_is_in_the_table_line_by_line(with_delta: SparkSession, tmp_path: Path) -> None:
    bundle, archive, log = scenario("all-four-families"), str(tmp_path / "archive"), tmp_path / "log"
    more = {"archive": {"path": archive, "drain": "1s"}}

    def stored() -> list[str]:
        if not delta.exists(with_delta, archive, delta.ALL_EVENTS):
            return []
        rows = delta.read(with_delta, archive, delta.ALL_EVENTS).select("family", "message").toArrow().to_pylist()
        return sorted(f"{row['family']} {row['message']}" for row in rows)

    with embedded_aws(free_port(), tmp_path / "aws.log") as url:
        account = open_account(url, tmp_path, "events", "events", bundle, more)
        put_records(account.settings, bundle)
        records = [(one.data, one.arrival, str(place)) for place, one in enumerate(bundle.records)]
        lines = decode_records(records, routing_of(account.settings.log_groups)).to_pylist(maps_as_pydicts="strict")
        expected = sorted(f"{line['family']} {line['message']}" for line in lines if line["reject_reason"] is None)
        assert len({one.split(" ")[0] for one in expected}) == 4
        job = [sys.executable, str(ROOT / "jobs" / "archive_events.py"), "--conf", str(account.conf)]
        with log.open("wb") as output:
            process = subprocess.Popen([*job, "--master", "local[2]"], stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: len(stored()) >= len(expected) or process.poll() is not None, 240, log.read_text)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(120)
    assert code == 0, log.read_text(errors="replace")[-3000:]
    assert stored() == expected
