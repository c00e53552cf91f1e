"""Where recordings go: a folder, or a bucket of S3. A file has its own name only once it is whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow.fs import FileSystem, FileType, LocalFileSystem, S3FileSystem

_S3 = "s3://"


class RecordingStoreError(ValueError):
    """RecordingStore cannot be kept there; says why."""


class RecordingStore:
    """A folder or bucket.

    Args:
        place: A folder, or s3://bucket/prefix. Credentials, region and endpoint of S3 come from where AWS's own tools
            look for them: AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_ENDPOINT_URL and so on.

    Raises:
        RecordingStoreError: It is no such place.
    """

    def __init__(self, place: str) -> None:
        self.is_bucket = place.startswith(_S3)
        try:
            endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            if self.is_bucket and endpoint:
                self._files, root = S3FileSystem(endpoint_override=endpoint), place.removeprefix(_S3)
            elif self.is_bucket:
                self._files, root = FileSystem.from_uri(place)
            else:
                # Not through links: rows of `_media` name files by it, and a link may lead elsewhere one day.
                self._files, root = LocalFileSystem(), str(Path(place).expanduser().absolute())
        except (OSError, ValueError, pa.ArrowException) as failure:
            raise RecordingStoreError(f"{place}: {' '.join(str(failure).split())}") from failure
        self._root = root.rstrip("/")

    def uri(self, name: str) -> str:
        """What `_media` calls a file: with the place, so that a file of another place is not taken for it."""
        return f"{_S3 if self.is_bucket else ''}{self._root}/{name}"

    def holds(self, uri: str) -> bool:
        """Whether a file that was kept here still is. Objects in a bucket are taken to be, without asking."""
        if not uri.startswith(self.uri("")):
            return False
        return self.is_bucket or self._size(self._path(uri)) is not None

    def begun(self, name: str) -> int:
        """Bytes of a file that are there from a download that broke off; a bucket keeps no beginnings."""
        return 0 if self.is_bucket else self._size(f"{self._root}/{name}.part") or 0

    def version(self, name: str) -> str | None:
        """What the host called the version of a file that these bytes are of."""
        noted = Path(f"{self._root}/{name}.version")
        return None if self.is_bucket or not noted.is_file() else noted.read_text(encoding="utf-8")

    def note_version(self, name: str, version: str | None) -> None:
        """Notes it for a file that begins anew."""
        noted = Path(f"{self._root}/{name}.version")
        if self.is_bucket:
            return
        if version is None:
            noted.unlink(missing_ok=True)
            return
        noted.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        noted.write_text(version, encoding="utf-8")

    def beginning(self, name: str) -> BinaryIO:
        """These bytes, to be read."""
        opened: BinaryIO = self._files.open_input_stream(f"{self._root}/{name}.part")
        return opened

    def open(self, name: str, *, append: bool) -> Any:
        """What the bytes of a file are written to, after those that are there or anew; close it in any case."""
        path = f"{self._root}/{name}.part"
        if not self.is_bucket:
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._files.open_append_stream(path) if append else self._files.open_output_stream(path)

    def complete(self, name: str) -> str:
        """Gives a file that is whole its own name; returns its URI."""
        self._files.move(f"{self._root}/{name}.part", f"{self._root}/{name}")
        self.note_version(name, None)
        return self.uri(name)

    def drop(self, name: str) -> None:
        """Removes what was written of a file that does not become whole; in a folder the next download goes on."""
        if self.is_bucket:
            self._remove(f"{self._root}/{name}.part")

    def remove(self, uri: str) -> None:
        """Removes a file, and its folder when that is empty then; one that is gone already is no error.

        Raises:
            RecordingStoreError: It is kept in another place, or cannot be removed.
        """
        if not uri.startswith(self.uri("")):
            raise RecordingStoreError(f"{uri} is not below {self.uri('')}: run with --to where it is")
        self._remove(self._path(uri))
        if not self.is_bucket:
            folder = Path(uri).parent
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _path(self, uri: str) -> str:
        return uri.removeprefix(_S3) if self.is_bucket else uri

    def _size(self, path: str) -> int | None:
        info = self._files.get_file_info(path)
        size: int | None = info.size if info.type == FileType.File else None
        return size

    def _remove(self, path: str) -> None:
        try:
            self._files.delete_file(path)
        except FileNotFoundError:
            return
        except OSError as failure:
            raise RecordingStoreError(f"{path} cannot be removed: {' '.join(str(failure).split())}") from failure
