"""Figures of a download of recordings, for the JSON object and the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..runtime.result import LISTED_ITEMS, Status


@dataclass(frozen=True, slots=True)
class FailedRecording:
    """A recording that was not downloaded, or could not be removed."""

    call_id: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """Figures of a download; the fields are the keys of `--json`.

    Attributes:
        status: `failed` if the download broke off or a recording failed.
        to: Folder or bucket of the recordings.
        calls: Calls in the window that have a recording in Gong.
        files: RecordingStore downloaded.
        bytes: Bytes downloaded.
        already_there: RecordingStore downloaded by an earlier run.
        without_media: Calls for which Gong returned no link.
        removed: RecordingStore removed because their call was deleted or turned private.
        failed: RecordingStore that could not be downloaded or removed.
        reason: Why the run did not complete.
    """

    run_id: str
    status: Status
    destination: str
    dataset: str
    to: str
    calls: int
    files: int
    bytes: int
    already_there: int
    without_media: int
    removed: int
    failed: Sequence[FailedRecording]
    requests: int
    duration_seconds: float
    reason: str | None

    def lines(self) -> Iterator[str]:
        """Yield the first failed recordings, then the counts."""
        for failure in self.failed[:LISTED_ITEMS]:
            yield f"{failure.kind} of call {failure.call_id}: {failure.reason}"
        if len(self.failed) > LISTED_ITEMS:
            yield f"and {len(self.failed) - LISTED_ITEMS:,} more: --json lists all"
        without = f", {self.without_media:,} calls have none yet" if self.without_media else ""
        removed = f", {self.removed:,} removed" if self.removed else ""
        yield (
            f"{self.files:,} recordings of {self.calls:,} calls downloaded to {self.to} ({self.bytes:,} bytes),"
            f" {self.already_there:,} already there{without}{removed}, {len(self.failed):,} failed;"
            f" {self.requests:,} requests"
        )
        if self.reason is not None:
            yield f"{self.status}: {self.reason}"
