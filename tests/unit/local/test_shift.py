"""Lines move in time as a whole: every instant by the same span, and nothing that only looks like one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from probable_cause.local.shift import shift_text

NEAR = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EPOCH = int(NEAR.timestamp())


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ('{"eventTime":"2026-03-01T12:00:00Z"}', '{"eventTime":"2026-03-02T13:00:00Z"}'),
        ("2026-03-01 12:00:00,123 ERROR x", "2026-03-02 13:00:00,123 ERROR x"),
        ("2026-03-01T12:00:00.120+01:00", "2026-03-02T13:00:00.120+01:00"),
        (f"eni-1 {EPOCH} {EPOCH + 60} REJECT OK", f"eni-1 {EPOCH + 90000} {EPOCH + 90060} REJECT OK"),
        (f'"timestamp":{EPOCH}123', f'"timestamp":{EPOCH + 90000}123'),
        ("2 123456789012 eni-1234567890 10.0.1.10", "2 123456789012 eni-1234567890 10.0.1.10"),
        ("bytes 1234567890 far from now", "bytes 1234567890 far from now"),
        ("no time here", "no time here"),
    ],
)
def test_instants_move_and_the_rest_stays(text: str, moved: str) -> None:
    assert shift_text(text, NEAR, timedelta(hours=25)) == moved
