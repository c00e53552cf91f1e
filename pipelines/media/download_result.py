"""Figures of a download of recordings, for the JSON object and the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..runtime.display.text import format_count
from ..runtime.errors import group_by_cause, list_names
from ..runtime.result import Status


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
        files: Recordings downloaded.
        bytes: Bytes downloaded.
        already_there: Recordings downloaded by an earlier run.
        without_media: Calls for which Gong returned no link.
        removed: Recordings removed because their call was deleted or turned private.
        failed: Recordings that could not be downloaded or removed.
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
        """Yield the counts; nothing for a failed run that found nothing to download."""
        if self.status != "done" and not (self.files or self.already_there or self.removed):
            return
        without = (
            f", {format_count(self.without_media, 'call has', 'calls have')} none yet" if self.without_media else ""
        )
        removed = f", {self.removed:,} removed" if self.removed else ""
        yield (
            f"{format_count(self.files, 'recording')} of {format_count(self.calls, 'call')} downloaded to {self.to}"
            f" ({format_count(self.bytes, 'byte')}),"
            f" {self.already_there:,} already there{without}{removed}, {len(self.failed):,} failed;"
            f" {format_count(self.requests, 'request')}"
        )

    def failures(self) -> Iterator[str]:
        """Yield each cause once, however many recordings it affects."""
        if self.reason is not None:
            yield self.reason
        failed = {f"{failure.kind} of call {failure.call_id}": failure.reason for failure in self.failed}
        for names, cause in group_by_cause(failed):
            yield f"{list_names(names)}: {cause}"
