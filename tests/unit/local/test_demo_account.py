"""The demo makes up failures: it plays them into emulated accounts only, and says so before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from probable_cause.errors import SettingsError
from probable_cause.local.demo import Options, run
from probable_cause.local.screen import Screen


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("stream: {name: job}", "aws.endpoint_url is not set"),
        ("", "aws.endpoint_url is not set"),
        ("aws: {endpoint: http://127.0.0.1:1}", "aws.endpoint: unknown"),
    ],
)
def test_only_an_emulated_account_is_played_into(tmp_path: Path, content: str, told: str) -> None:
    conf = tmp_path / "account.yml"
    conf.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        run(Options([], once=True, port=None, folder=tmp_path, account=conf), Screen())
    assert told in str(raised.value) and str(conf) in str(raised.value)
    assert list(tmp_path.iterdir()) == [conf]
