"""What a download of recordings says of itself: one JSON object for machines, what did not come for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console

from ..load.sync_result import EXIT_CODES, Status

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class FailedRecording:
    """A recording that is not as it should be: it did not come, or could not be removed."""

    call_id: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """A download in figures; the fields are the keys of `--json`.

    Attributes:
        status: `done`, `failed` (a recording is missing, or the run broke off) or `stopped` (early, on purpose).
        to: Where recordings go.
        calls: Calls of the window that Gong says have a recording.
        files: Recordings that came and are whole.
        bytes: Bytes that came.
        already_there: Recordings that an earlier run brought.
        without_media: Calls that Gong gave no link for.
        removed: Recordings of calls that were deleted or turned private, which are gone now.
        failed: Recordings that did not come, or could not be removed.
        reason: Why it did not go to its end.
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

    @property
    def exit_code(self) -> int:
        """0 all is there, 1 something is not, 3 stopped early on purpose."""
        return EXIT_CODES[self.status]

    def as_json(self) -> str:
        """The object `--json` prints."""
        return json.dumps(asdict(self))

    def show(self, console: Console) -> None:
        """Prints it for a person."""
        for line in self._lines():
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _lines(self) -> Iterator[str]:
        for one in self.failed[:_SHOWN]:
            yield f"{one.kind} of call {one.call_id}: {one.reason}"
        if len(self.failed) > _SHOWN:
            yield f"and {len(self.failed) - _SHOWN:,} more: --json lists all"
        without = f", {self.without_media:,} calls have none yet" if self.without_media else ""
        removed = f", {self.removed:,} removed" if self.removed else ""
        yield (
            f"{self.files:,} recordings of {self.calls:,} calls came to {self.to} ({self.bytes:,} bytes),"
            f" {self.already_there:,} were there{without}{removed}, {len(self.failed):,} failed;"
            f" {self.requests:,} requests"
        )
        if self.reason is not None:
            yield f"{self.status}: {self.reason}"
