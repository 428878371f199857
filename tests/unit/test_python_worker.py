"""A task's Python forgets the archives on its path, and imports from them all the same."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from zipfile import ZipFile
from zipimport import zipimporter

import pytest

from probable_cause.python_worker import forget_archives


def test_archives_are_forgotten_and_still_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, folder = tmp_path / "modules.zip", tmp_path / "modules"
    with ZipFile(archive, "w") as file:
        for name in ("early_in_archive", "late_in_archive"):
            file.writestr(f"{name}.py", f"NAME = {name!r}")
    folder.mkdir()
    (folder / "in_folder.py").write_text("NAME = 'in_folder'")
    for path in (archive, folder):
        monkeypatch.syspath_prepend(path)
    for name in ("early_in_archive", "in_folder"):
        importlib.import_module(name)
    assert isinstance(sys.path_importer_cache[str(archive)], zipimporter)

    forget_archives()

    assert not any(isinstance(finder, zipimporter) for finder in sys.path_importer_cache.values())
    assert str(folder) in sys.path_importer_cache
    assert importlib.import_module("late_in_archive").NAME == "late_in_archive"
    for name in ("early_in_archive", "late_in_archive", "in_folder"):
        del sys.modules[name]
