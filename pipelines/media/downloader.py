"""Download one recording: streamed, resumed after a connection error, checked for its length."""

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
from sources.gong.api.retry import (
    MAX_CONNECT_SECONDS,
    MAX_FIRST_CONTACT_FAILURES,
    MEDIA_DOWNLOADS,
    RETRYABLE_ERRORS,
    RetryableResponseError,
    describe_network_error,
    is_retryable_status,
)
from sources.gong.api.urls import leads_to_loopback

_READ_BYTES = 2**20
_TIMEOUT = httpx.Timeout(connect=MAX_CONNECT_SECONDS, read=60.0, write=30.0, pool=None)
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}", re.ASCII)


class MediaLinkExpiredError(Exception):
    """The media host rejects the link: a new one must be requested from Gong."""


class DownloadError(Exception):
    """A recording could not be downloaded. The message gives the reason."""


class _IncompleteDownloadError(RetryableResponseError):
    """The response ended early. The received bytes are kept, and the next attempt continues after them."""


@asynccontextmanager
async def media_client() -> AsyncIterator[httpx.AsyncClient]:
    """Open a client for the media host. It has no credentials of Gong and follows no redirect."""
    async with httpx.AsyncClient(
        timeout=_TIMEOUT, follow_redirects=False, headers={"User-Agent": "gong-elt", "Accept-Encoding": "identity"}
    ) as client:
        yield client


def file_name(call_id: str, kind: str, link: str) -> str:
    """Return the path of a recording in its store: one folder per call, and the suffix of the link."""
    suffix = PurePosixPath(urlsplit(link).path).suffix.lower()
    return f"{call_id}/{kind}{suffix if _SUFFIX.fullmatch(suffix) else ''}"


class Downloader:
    """Downloads recordings. A host that never responds is tried for the first recordings only.

    Args:
        http: A client from `media_client`.
        store: Folder or bucket.
        backoff_factor: Multiplies the waits between attempts.
        allows_loopback: Whether links may lead to this machine, as those of a simulated Gong do.
        on_bytes: Called with the number of bytes of each chunk received.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        store: RecordingStore,
        *,
        backoff_factor: float,
        allows_loopback: bool,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._http, self._store, self._on_bytes = http, store, on_bytes
        self._backoff_factor, self._allows_loopback = backoff_factor, allows_loopback
        self._responding_hosts: set[str] = set()
        self._unreachable_hosts: dict[str, str] = {}

    async def download(self, link: str, name: str) -> tuple[int, str]:
        """Download a recording to the store. It is named `name` only after `store.complete(name)`.

        Args:
            link: URL of the recording: https, or http on loopback.
            name: Path of the recording in the store.

        Returns:
            Length in bytes, and SHA-256 in hexadecimal.

        Raises:
            MediaLinkExpiredError: If the host rejects the link.
            DownloadError: If the link may not be followed, the host cannot be reached, or the recording is incomplete
                after all attempts.
        """
        self._check_link(link)
        host = urlsplit(link).netloc
        if host in self._unreachable_hosts:
            raise DownloadError(self._unreachable_hosts[host])

        def max_failures() -> int:
            return MEDIA_DOWNLOADS.max_failures if host in self._responding_hosts else MAX_FIRST_CONTACT_FAILURES

        transfer = _Transfer(self._http, link, self._store, name, self._on_bytes)
        try:
            async for attempt in MEDIA_DOWNLOADS.attempts(
                backoff_factor=self._backoff_factor, max_failures=max_failures
            ):
                with attempt:
                    await transfer.resume(on_response=lambda: self._responding_hosts.add(host))
        except RETRYABLE_ERRORS as error:
            self._store.discard(name)
            if host not in self._responding_hosts:
                reason = (
                    f"{host} cannot be reached ({describe_network_error(error)}): check the network, then run again"
                )
                self._unreachable_hosts[host] = reason
                raise DownloadError(reason) from error
            raise DownloadError(
                f"incomplete after {MEDIA_DOWNLOADS.max_attempts} attempts"
                f" (last error: {str(error) or type(error).__name__}); run again"
            ) from error
        except (MediaLinkExpiredError, DownloadError):
            self._store.discard(name)
            raise
        return transfer.size_bytes, transfer.digest

    def _check_link(self, link: str) -> None:
        """Raise for a link that must not be followed."""
        scheme = urlsplit(link).scheme
        is_local = leads_to_loopback(link)
        if is_local and not self._allows_loopback:
            raise DownloadError("the link was not followed: it leads to this machine")
        if scheme != "https" and not (scheme == "http" and is_local):
            raise DownloadError(f"the link was not followed: it is {scheme or 'without a scheme'}, not https")


class _Transfer:
    """A recording being downloaded; `size_bytes` and `digest` describe the part that is stored."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        link: str,
        store: RecordingStore,
        name: str,
        on_bytes: Callable[[int], None],
    ) -> None:
        self._http, self._link, self._store, self._name, self._on_bytes = http, link, store, name, on_bytes
        self._hash = sha256()
        self._etag: str | None = None
        self.size_bytes = 0

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    async def resume(self, *, on_response: Callable[[], None]) -> None:
        """Make one attempt: request the rest of the recording, or all of it if the host has another version now.

        Args:
            on_response: Called when the host responds.
        """
        await asyncio.to_thread(self._read_partial)
        headers = {"Range": f"bytes={self.size_bytes}-"} if self.size_bytes else {}
        if self.size_bytes and self._etag is not None:
            headers["If-Range"] = self._etag
        async with self._http.stream("GET", self._link, headers=headers) as response:
            on_response()
            self._check(response)
            total_bytes = self._total_bytes(response)
            with self._store.open(self._name, append=self.size_bytes > 0) as file:
                # Chunks are written as they arrive: a larger chunk in the making is lost if the connection breaks.
                async for chunk in response.aiter_bytes():
                    file.write(chunk)
                    self._hash.update(chunk)
                    self.size_bytes += len(chunk)
                    self._on_bytes(len(chunk))
        if total_bytes is not None and self.size_bytes != total_bytes:
            raise _IncompleteDownloadError(f"{self.size_bytes:,} of {total_bytes:,} bytes received")

    def _read_partial(self) -> None:
        """Count and hash the bytes that an earlier attempt or run has stored."""
        self._hash, self.size_bytes = sha256(), 0
        self._etag = self._store.etag(self._name)
        # Without an ETag, the stored bytes could belong to another version of the recording.
        if self._etag is None or not self._store.partial_bytes(self._name):
            return
        with self._store.open_partial(self._name) as partial:
            while chunk := partial.read(_READ_BYTES):
                self._hash.update(chunk)
                self.size_bytes += len(chunk)

    def _check(self, response: httpx.Response) -> None:
        """Raise for a response without a recording; start again if it is not the rest of the stored bytes."""
        status = response.status_code
        if status in (401, 403, 410):
            raise MediaLinkExpiredError(f"HTTP {status}")
        if is_retryable_status(status):
            raise _IncompleteDownloadError(f"HTTP {status}")
        if status == 416:
            # More bytes are stored than the recording has: they are of another version.
            self._store.open(self._name, append=False).close()
            raise _IncompleteDownloadError("the stored bytes were of another version of the recording")
        if status not in (200, 206):
            raise DownloadError(f"HTTP {status} from {urlsplit(self._link).hostname}")
        content_range = response.headers.get("content-range", "")
        if status == 206 and not content_range.startswith(f"bytes {self.size_bytes}-"):
            raise DownloadError("the host sent another range than the requested one")
        if status == 200:
            self._hash, self.size_bytes = sha256(), 0
            self._store.save_etag(self._name, response.headers.get("etag"))

    def _total_bytes(self, response: httpx.Response) -> int | None:
        """Return the length of the recording according to the host; None if it sends none."""
        if response.status_code == 206:
            total = response.headers.get("content-range", "").rpartition("/")[2]
            return int(total) if total.isdecimal() else None
        length = response.headers.get("content-length", "")
        return int(length) if length.isdecimal() else None
