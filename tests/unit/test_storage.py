"""Folders on disk: written whole, listed, removed. (S3 is the same library; tests/aws has it against an emulator.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from probable_cause.errors import ProbableCauseError
from probable_cause.storage import Folder


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_write_list_read_remove(tmp_path: Path, scheme: str) -> None:
    folder = Folder(f"{scheme}{tmp_path}/deep/er/")
    assert folder.folders() == folder.files() == folder.all_files() == []
    folder.write("a/b/one.json", b"1")
    folder.write("a/two.json", b"2")
    folder.write("a/two.json", b"3")
    assert folder.folders() == ["a"]
    assert folder.files("a") == ["two.json"]
    assert folder.all_files("a") == ["b/one.json", "two.json"]
    assert folder.read("a/two.json") == b"3"
    assert (folder.exists("a/b"), folder.exists("a/c")) == (True, False)
    assert folder.of("a") == f"{scheme}{tmp_path}/deep/er/a"
    folder.remove("a/two.json")
    folder.remove("a/two.json")
    assert folder.all_files("a") == ["b/one.json"]
    folder.remove("a")
    assert not folder.exists("a")
    with pytest.raises(FileNotFoundError):
        folder.read("a/two.json")


def test_a_path_that_is_none_is_told() -> None:
    with pytest.raises(ProbableCauseError, match=r"gopher.*s3://"):
        Folder("gopher://hole/a")
