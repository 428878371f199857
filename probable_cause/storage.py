"""The job's own small files, on disk or S3, without Spark: what is there, read, write whole, remove.

Paths are folders as Spark takes them: `/a/b`, `.local/b`, `file:///a/b`, `s3://bucket/b`, `s3a://bucket/b`. S3 is
reached with AWS' default credential chain, and at AWS_ENDPOINT_URL where that is set.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from pyarrow import fs

from probable_cause.errors import ProbableCauseError


class Folder:
    """A folder on disk or S3; it need not exist. Names are relative to it, with `/` between their parts."""

    def __init__(self, path: str) -> None:
        self.path = path.rstrip("/") or path
        try:
            if re.match(r"[a-z0-9]+://", path):
                self._files, self._root = fs.FileSystem.from_uri(re.sub(r"^s3[an]://", "s3://", self.path))
            else:
                self._files, self._root = fs.LocalFileSystem(), str(Path(path).absolute())
        except (OSError, ValueError) as exc:
            raise ProbableCauseError(f"{path}: {exc}; allowed is a folder on disk or an s3:// path") from exc

    def of(self, name: str) -> str:
        """The path of `name`, as Spark takes it."""
        return f"{self.path}/{name}"

    def folders(self, name: str = "") -> list[str]:
        """Names of the folders directly in `name`, sorted; none when it does not exist."""
        return sorted(one.base_name for one in self._entries(name) if one.type == fs.FileType.Directory)

    def files(self, name: str = "") -> list[str]:
        """Names of the files directly in `name`, sorted; none when it does not exist."""
        return sorted(one.base_name for one in self._entries(name) if one.type == fs.FileType.File)

    def all_files(self, name: str = "") -> list[str]:
        """Names of all files at any depth below `name`, relative to it, sorted."""
        start = len(self._at(name).strip("/")) + 1
        found = self._entries(name, recursive=True)
        return sorted(one.path.strip("/")[start:] for one in found if one.type == fs.FileType.File)

    def exists(self, name: str) -> bool:
        return bool(self._files.get_file_info(self._at(name)).type != fs.FileType.NotFound)

    def is_file(self) -> bool:
        """Whether the path is no folder but a file."""
        return bool(self._files.get_file_info(self._root).type == fs.FileType.File)

    def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        with self._files.open_input_stream(self._at(name), compression=None) as stream:
            return bytes(stream.read())

    def write(self, name: str, data: bytes) -> None:
        """Whole or not at all: a reader, or a crash, never sees half of it."""
        target = self._at(name)
        self._files.create_dir(target.rpartition("/")[0], recursive=True)
        temporary = f"{target}.{uuid.uuid4().hex}.new"
        with self._files.open_output_stream(temporary, compression=None) as stream:
            stream.write(data)
        self._files.move(temporary, target)

    def remove(self, name: str) -> None:
        """Removes a file or a folder with all in it; nothing happens when there is none."""
        kind = self._files.get_file_info(self._at(name)).type
        if kind == fs.FileType.Directory:
            self._files.delete_dir(self._at(name))
        elif kind == fs.FileType.File:
            self._files.delete_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}" if name else self._root

    def _entries(self, name: str, recursive: bool = False) -> list[fs.FileInfo]:
        found = self._files.get_file_info(fs.FileSelector(self._at(name), allow_not_found=True, recursive=recursive))
        return list(found)
