"""Storage of recordings: a folder or an S3 bucket. A file has its final name only once it is complete."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow.fs import FileSystem, FileType, LocalFileSystem, S3FileSystem

_S3 = "s3://"


class RecordingStoreError(ValueError):
    """The folder or bucket cannot be used. The message gives the reason."""


class RecordingStore:
    """A folder or bucket with recordings.

    Incomplete downloads are resumed in a folder only; object stores cannot append.

    Args:
        place: A folder, or s3://bucket/prefix. Credentials, region and endpoint of S3 are those of the AWS tools:
            AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_ENDPOINT_URL and so on.

    Raises:
        RecordingStoreError: If the place is invalid.
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
                # Symbolic links are not resolved: rows of `_media` hold the path, and a link may change its target.
                self._files, root = LocalFileSystem(), str(Path(place).expanduser().absolute())
        except (OSError, ValueError, pa.ArrowException) as error:
            raise RecordingStoreError(f"{place}: {' '.join(str(error).split())}") from error
        self._root = root.rstrip("/")

    def uri(self, name: str) -> str:
        """Return the URI of a file in `_media`. It includes the place, so that files of other places differ."""
        return f"{_S3 if self.is_bucket else ''}{self._root}/{name}"

    def has(self, uri: str) -> bool:
        """Return whether a file that was stored here exists. Objects in a bucket are not checked."""
        if not uri.startswith(self.uri("")):
            return False
        return self.is_bucket or self._size_bytes(self._path(uri)) is not None

    def partial_bytes(self, name: str) -> int:
        """Return the number of bytes that an interrupted download has stored; always 0 in a bucket."""
        return 0 if self.is_bucket else self._size_bytes(f"{self._root}/{name}.part") or 0

    def etag(self, name: str) -> str | None:
        """Return the ETag of the stored part, by which the host recognises the version; None if unknown."""
        file = self._etag_file(name)
        return None if self.is_bucket or not file.is_file() else file.read_text(encoding="utf-8")

    def save_etag(self, name: str, etag: str | None) -> None:
        """Store the ETag of a download that starts."""
        file = self._etag_file(name)
        if self.is_bucket:
            return
        if etag is None:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(etag, encoding="utf-8")

    def open_partial(self, name: str) -> BinaryIO:
        """Open the stored part for reading."""
        opened: BinaryIO = self._files.open_input_stream(f"{self._root}/{name}.part")
        return opened

    def open(self, name: str, *, append: bool) -> Any:
        """Open a file for writing, after its stored part or from the start. The caller closes it."""
        path = f"{self._root}/{name}.part"
        if not self.is_bucket:
            Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._files.open_append_stream(path) if append else self._files.open_output_stream(path)

    def complete(self, name: str) -> str:
        """Give a complete file its final name and return its URI."""
        self._files.move(f"{self._root}/{name}.part", f"{self._root}/{name}")
        self.save_etag(name, None)
        return self.uri(name)

    def discard(self, name: str) -> None:
        """Remove an incomplete file from a bucket. In a folder it remains, and the next download continues it."""
        if self.is_bucket:
            self._remove(f"{self._root}/{name}.part")

    def remove(self, uri: str) -> None:
        """Remove a file if it exists, and its folder if that is empty then.

        Raises:
            RecordingStoreError: If it is in another place, or cannot be removed.
        """
        if not uri.startswith(self.uri("")):
            raise RecordingStoreError(f"{uri} is not below {self.uri('')}: run with --to and its folder or bucket")
        self._remove(self._path(uri))
        if not self.is_bucket:
            folder = Path(uri).parent
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _etag_file(self, name: str) -> Path:
        return Path(f"{self._root}/{name}.version")

    def _path(self, uri: str) -> str:
        return uri.removeprefix(_S3) if self.is_bucket else uri

    def _size_bytes(self, path: str) -> int | None:
        info = self._files.get_file_info(path)
        size: int | None = info.size if info.type == FileType.File else None
        return size

    def _remove(self, path: str) -> None:
        try:
            self._files.delete_file(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise RecordingStoreError(f"{path} cannot be removed: {' '.join(str(error).split())}") from error
