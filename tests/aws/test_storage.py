"""The job's own files on S3, over HTTP: what a folder on disk does, a prefix of a bucket does."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from probable_cause.local.emulator import embedded_aws, free_port
from probable_cause.storage import Folder


@pytest.mark.parametrize("scheme", ["s3", "s3a"])
def test_write_list_read_remove(scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "local"), ("SECRET_ACCESS_KEY", "local"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with embedded_aws(free_port(), tmp_path / "aws.log") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        boto3.client("s3", region_name="us-east-1", endpoint_url=url).create_bucket(Bucket="bucket")
        folder = Folder(f"{scheme}://bucket/probable-cause/spool")
        assert folder.folders() == folder.files() == []
        folder.write("epoch/1/_SUCCESS", b"")
        folder.write("plans/2.json", b"{}")
        folder.write("plans/2.json", b"[]")
        assert folder.folders() == ["epoch", "plans"]
        assert folder.files("plans") == ["2.json"]
        assert folder.all_files() == ["epoch/1/_SUCCESS", "plans/2.json"]
        assert folder.read("plans/2.json") == b"[]"
        assert folder.exists("epoch/1/_SUCCESS")
        assert folder.of("epoch") == f"{scheme}://bucket/probable-cause/spool/epoch"
        folder.remove("epoch/1")
        folder.remove("plans/2.json")
        folder.remove("plans/3.json")
        assert folder.all_files() == []
