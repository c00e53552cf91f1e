"""One recording from its link to its place: streamed, gone on with where it broke off, checked for its length."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import httpx

from destinations.recording_store import RecordingStore
from sources.gong.api.retry import MEDIA_DOWNLOADS, RETRYABLE_ERRORS, RetryableResponseError, is_retryable_status
from sources.gong.api.urls import is_loopback

_PIECE = 2**20
_TIMEOUT = httpx.Timeout(connect=15.0, read=60.0, write=30.0, pool=None)
_ENDING = re.compile(r"\.[a-z0-9]{1,5}", re.ASCII)


class MediaLinkExpiredError(Exception):
    """The host of recordings takes the link no more: a new one has to be asked for."""


class DownloadError(Exception):
    """A recording that did not come; says why."""


class _IncompleteDownloadError(RetryableResponseError):
    """The recording did not come whole; what came is kept and gone on with."""


@asynccontextmanager
async def media_host() -> AsyncIterator[httpx.AsyncClient]:
    """A client for the host of recordings. It knows no credential of Gong's and follows no redirect."""
    async with httpx.AsyncClient(
        timeout=_TIMEOUT, follow_redirects=False, headers={"User-Agent": "gong-elt", "Accept-Encoding": "identity"}
    ) as host:
        yield host


def file_name(call_id: str, kind: str, link: str) -> str:
    """Where a recording stands below its place: a folder a call, the ending that its link has."""
    ending = PurePosixPath(urlsplit(link).path).suffix.lower()
    return f"{call_id}/{kind}{ending if _ENDING.fullmatch(ending) else ''}"


async def download(
    host: httpx.AsyncClient,
    link: str,
    recordings: RecordingStore,
    name: str,
    *,
    backoff: float,
    came: Callable[[int], None],
) -> tuple[int, str]:
    """Brings a recording to its place.

    Args:
        host: From `media_host`.
        link: Where it is; https, or http on loopback.
        recordings: Where it goes.
        name: Its name there.
        backoff: Stretches the waits between tries.
        came: Told how many bytes came, piece by piece.

    Returns:
        Its length in bytes, and their SHA-256 in hexadecimal.

    Raises:
        MediaLinkExpiredError: The link is good no more.
        DownloadError: It did not come whole, however often it was asked for.
    """
    if urlsplit(link).scheme != "https" and not (urlsplit(link).scheme == "http" and is_loopback(link)):
        raise DownloadError(f"its link is not https, but {urlsplit(link).scheme or 'nothing'}: it was not followed")
    under_way = _Download(host, link, recordings, name, came)
    try:
        async for attempt in MEDIA_DOWNLOADS.attempts(backoff_factor=backoff):
            with attempt:
                await under_way.go_on()
    except RETRYABLE_ERRORS as failure:
        recordings.drop(name)
        raise DownloadError(
            f"it did not come whole, tried {MEDIA_DOWNLOADS.max_attempts} times;"
            f" last: {str(failure) or type(failure).__name__}; run again"
        ) from failure
    except (MediaLinkExpiredError, DownloadError):
        recordings.drop(name)
        raise
    return under_way.size, under_way.digest


class _Download:
    """A recording on its way; `size` and `digest` are of what is in its place."""

    def __init__(
        self, host: httpx.AsyncClient, link: str, recordings: RecordingStore, name: str, came: Callable[[int], None]
    ) -> None:
        self._host, self._link, self._recordings, self._name, self._came = host, link, recordings, name, came
        self._hash = sha256()
        self._version: str | None = None
        self.size = 0

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    async def go_on(self) -> None:
        """One try: the rest of what is there already, or all of it where the host has something else now."""
        await asyncio.to_thread(self._take_up)
        headers = {"Range": f"bytes={self.size}-"} if self.size else {}
        if self.size and self._version is not None:
            headers["If-Range"] = self._version
        async with self._host.stream("GET", self._link, headers=headers) as answer:
            self._check(answer)
            whole = self._whole(answer)
            with self._recordings.open(self._name, append=self.size > 0) as file:
                # As they come: a piece that is waited for is lost where the connection breaks off.
                async for piece in answer.aiter_bytes():
                    file.write(piece)
                    self._hash.update(piece)
                    self.size += len(piece)
                    self._came(len(piece))
        if whole is not None and self.size != whole:
            raise _IncompleteDownloadError(f"{self.size:,} of {whole:,} bytes came")

    def _take_up(self) -> None:
        """Counts and hashes what an earlier try or run has left."""
        self._hash, self.size = sha256(), 0
        self._version = self._recordings.version(self._name)
        # Without it nobody can tell whether what is there is of the same recording.
        if self._version is None or not self._recordings.begun(self._name):
            return
        with self._recordings.beginning(self._name) as begun:
            while piece := begun.read(_PIECE):
                self._hash.update(piece)
                self.size += len(piece)

    def _check(self, answer: httpx.Response) -> None:
        """Raises for an answer without a recording; starts anew where it is not the rest of what is there."""
        status = answer.status_code
        if status in (401, 403, 410):
            raise MediaLinkExpiredError(f"HTTP {status}")
        if is_retryable_status(status):
            raise _IncompleteDownloadError(f"HTTP {status}")
        if status == 416:
            # What is there is longer than the recording: it is of another one.
            self._recordings.open(self._name, append=False).close()
            raise _IncompleteDownloadError("what was there was not of this recording")
        if status not in (200, 206):
            raise DownloadError(f"HTTP {status} from {urlsplit(self._link).hostname}")
        if status == 206 and not answer.headers.get("content-range", "").startswith(f"bytes {self.size}-"):
            raise DownloadError("its host sent another part of it than was asked for")
        if status == 200:
            self._hash, self.size = sha256(), 0
            self._recordings.note_version(self._name, answer.headers.get("etag"))

    def _whole(self, answer: httpx.Response) -> int | None:
        """The length of all of it, as the host tells it."""
        if answer.status_code == 206:
            total = answer.headers.get("content-range", "").rpartition("/")[2]
            return int(total) if total.isdecimal() else None
        length = answer.headers.get("content-length", "")
        return int(length) if length.isdecimal() else None
