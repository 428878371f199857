"""The scout: how far a batch may go, what a look costs, and when it refuses to go on."""

from __future__ import annotations

import json
import random

import pytest

from probable_cause.errors import SourceError
from probable_cause.sources.positions import Offset, Position
from probable_cause.sources.scout import HEARTBEAT_MS, Limits
from tests.unit.sources.engine import Engine
from tests.unit.sources.fake_kinesis import FakeKinesis

HOUR = 3_600_000


def busy(kinesis: FakeKinesis, seconds: float, every_ms: int = 100, size: int = 100) -> None:
    """Records at a steady pace."""
    for _ in range(int(seconds * 1000 / every_ms)):
        kinesis.put(b"x" * size)
        kinesis.pass_time(every_ms)


@pytest.fixture
def kinesis() -> FakeKinesis:
    return FakeKinesis(random.Random(7))


def test_nothing_new_returns_the_start_itself(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 5)
    engine.drain()
    start = Offset.from_json(json.loads(engine.start), kinesis.name)
    assert engine.scout.latest(start) is start


def test_a_batch_of_a_busy_shard_ends_about_a_lag_behind_now(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis, Limits(1000, 30_000, "fail"))
    busy(kinesis, 10)
    engine.step()
    newest = next(record for record in kinesis.open()[0].records if str(record.seq) == engine.rows()[-1][1])
    assert 900 <= kinesis.now_ms - newest.arrived_ms <= 1000


@pytest.mark.parametrize("span", [1000, 5000, 30_000])
def test_after_a_downtime_a_batch_covers_at_most_max_span(kinesis: FakeKinesis, span: int) -> None:
    engine = Engine(kinesis, Limits(1000, span, "fail"))
    busy(kinesis, 120)
    engine.drain()
    arrived = {str(record.seq): record.arrived_ms for record in kinesis.open()[0].records}
    spans = [arrived[batch[-1][1]] - arrived[batch[0][1]] for batch in engine.batches if batch]
    assert max(spans) <= span + 200, spans
    assert len(engine.rows()) == 1200


def test_a_closed_shard_with_a_backlog_is_admitted_in_spans_too(kinesis: FakeKinesis) -> None:
    busy(kinesis, 100)
    kinesis.split(kinesis.open()[0].id)
    engine = Engine(kinesis, Limits(1000, 10_000, "fail"))
    engine.drain()
    assert max(len(batch) for batch in engine.batches) <= 102
    assert len(engine.rows()) == 1000


def test_sparse_records_far_apart_make_progress_in_every_batch(kinesis: FakeKinesis) -> None:
    for _ in range(30):
        kinesis.put(b"x")
        kinesis.pass_time(100_000)  # more than max_span apart
    engine = Engine(kinesis)
    engine.drain(most=60)
    assert len(engine.rows()) == 30
    assert all(batch for batch in engine.batches[1:])


def test_a_look_at_a_quiet_shard_is_one_call(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    kinesis.calls.clear()
    for _ in range(5):
        kinesis.pass_time(500)
        assert not engine.plan()
    assert kinesis.calls == ["GetRecords"] * 5


def test_a_look_at_a_busy_shard_fetches_one_record(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 60, size=2000)
    engine.step()
    engine.step()
    busy(kinesis, 3, size=2000)
    kinesis.calls.clear()
    assert engine.plan()
    assert kinesis.calls.count("GetRecords") == 1


def test_a_record_on_a_quiet_shard_is_taken_at_once(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis, Limits(60_000, 300_000, "fail"))
    busy(kinesis, 1)
    engine.drain()
    kinesis.put(b"fresh")
    kinesis.pass_time(1)
    engine.step()
    assert engine.rows()[-1][2] == b"fresh", "lag is for busy shards"


def test_an_iterator_kept_too_long_is_renewed(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    kinesis.pass_time(600_000)
    kinesis.put(b"late")
    engine.step()
    assert engine.rows()[-1][2] == b"late"


def test_a_clock_ahead_of_kinesis_is_no_error(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis, Limits(0, 30_000, "fail"))
    engine.stream.clock = lambda: kinesis.now_ms / 1000 + 30
    busy(kinesis, 5)
    engine.scout.latest(Offset("logs", "TRIM_HORIZON"))
    engine.drain()
    assert len(engine.rows()) == 50


def test_a_tail_that_is_too_long_for_one_look_goes_on_in_the_next_batch(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    for _ in range(4500):  # a burst, then silence
        kinesis.put(b"x")
    kinesis.pass_time(5000)
    engine.drain()
    assert len(engine.rows()) == 4510
    assert len([batch for batch in engine.batches if len(batch) > 100]) > 1


def test_a_quiet_shard_s_position_is_renewed_now_and_then(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    batches = len(engine.batches)
    for _ in range(30):
        kinesis.pass_time(HOUR)
        engine.step()
    assert len(engine.batches) - batches == pytest.approx(30 * HOUR / HEARTBEAT_MS, abs=2)
    assert not any(engine.batches[batches:])


def test_a_shard_quiet_for_longer_than_the_retention_is_not_taken_for_trimmed(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    for _ in range(60):
        kinesis.pass_time(HOUR)
        engine.step()
    engine.crash()
    kinesis.put(b"after days")
    kinesis.pass_time(1000)
    engine.drain()
    assert engine.rows()[-1][2] == b"after days"
    assert not engine.gaps


@pytest.mark.parametrize("down_hours", [1, 20, 23])
def test_downtime_within_the_retention_loses_nothing(kinesis: FakeKinesis, down_hours: int) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    for _ in range(down_hours):
        kinesis.put(b"while down")
        kinesis.pass_time(HOUR)
    engine.crash()
    engine.drain()
    assert len(engine.rows()) == 10 + down_hours


def lost(on_trimmed: str) -> Engine:
    """A job that was down for two days of a stream that keeps one."""
    kinesis = FakeKinesis(random.Random(3))
    engine = Engine(kinesis, Limits(1000, 30_000, on_trimmed))
    busy(kinesis, 1)
    engine.drain()
    for hour in range(48):
        kinesis.put(b"%d" % hour)
        kinesis.pass_time(HOUR)
    kinesis.pass_time(HOUR // 2)
    engine.crash()
    return engine


def test_trimmed_records_stop_the_job() -> None:
    engine = lost("fail")
    with pytest.raises(SourceError, match=r"(?s)may be lost.*jobs/backfill.py"):
        engine.drain()


def test_trimmed_records_are_counted_as_one_gap_when_told_to_skip() -> None:
    engine = lost("skip")
    engine.drain()
    kept = [row[2] for row in engine.rows()[10:]]
    assert kept == [b"%d" % hour for hour in range(25, 48)]
    assert len(engine.gaps) == 1
    assert engine.gaps[0].after == engine.rows()[9][1]
    assert engine.gaps[0].shard in engine.gaps[0].position


def test_a_trimmed_position_without_anything_lost_goes_on(kinesis: FakeKinesis) -> None:
    """The last record read is older than the retention, but still there: AWS removes records late."""
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    kinesis.retention_hours = 48
    kinesis.pass_time(30 * HOUR)
    kinesis.put(b"new")
    kinesis.retention_hours = 48
    engine.crash()
    engine.drain()
    assert engine.rows()[-1][2] == b"new"
    assert not engine.gaps


@pytest.mark.parametrize("on_trimmed", ["fail", "skip"])
def test_shards_removed_unread(on_trimmed: str) -> None:
    """Two generations of shards came and went while the job was down."""
    kinesis = FakeKinesis(random.Random(5))
    engine = Engine(kinesis, Limits(1000, 30_000, on_trimmed))
    busy(kinesis, 1)
    engine.drain()
    for _ in range(3):
        kinesis.put(b"unread")
        kinesis.split(kinesis.open()[0].id)
        kinesis.pass_time(30 * HOUR)
    kinesis.put(b"last")
    engine.crash()
    if on_trimmed == "fail":
        with pytest.raises(SourceError, match="lost|removed unread"):
            engine.drain()
    else:
        engine.drain()
        assert engine.rows()[-1][2] == b"last"
        assert engine.gaps, "the loss is counted"


def test_a_stream_made_anew_is_not_read_with_old_positions(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    anew = FakeKinesis(random.Random(1), now_ms=kinesis.now_ms + 1000)
    engine.kinesis = anew
    engine.crash()
    with pytest.raises(SourceError, match="deleted and created anew"):
        engine.step()


def test_drained_shards_are_forgotten_when_aws_has_removed_them(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    for _ in range(40):
        busy(kinesis, 1)
        kinesis.reshard()
        engine.drain()
        kinesis.pass_time(3 * HOUR)
    assert len(engine.rows()) == 400
    assert len(engine.start) < 3000, "the offset does not grow with every reshard for ever"


def test_children_are_begun_as_soon_as_their_parent_is_drained(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    kinesis.split(kinesis.open()[0].id)
    kinesis.put(b"child")
    for _ in range(4):  # within a second, not at the next regular listing
        kinesis.pass_time(200)
        engine.step()
    assert engine.rows()[-1][2] == b"child"


def test_hundreds_of_shards_in_a_pool() -> None:
    kinesis = FakeKinesis(random.Random(9), shard_count=300, list_page=100)
    engine = Engine(kinesis)
    engine.scout.threads = 8
    for number in range(1000):
        kinesis.put(b"%d" % number)
    kinesis.pass_time(2000)
    engine.drain()
    assert sorted(int(row[2]) for row in engine.rows()) == list(range(1000))


def test_positions_taken_from_a_quiet_shard_say_until_when(kinesis: FakeKinesis) -> None:
    engine = Engine(kinesis)
    busy(kinesis, 1)
    engine.drain()
    offset = Offset.from_json(json.loads(engine.start), "logs")
    assert all(isinstance(position, Position) and position.covered for position in offset.shards.values())
