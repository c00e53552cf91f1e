"""Figures of a sync, for the JSON object and the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rich.console import RenderableType
from rich.table import Table

from ..runtime.result import Status


@dataclass(frozen=True, slots=True)
class ResourceResult:
    """Outcome of one resource.

    Attributes:
        rows: Rows written to the resource's tables.
        reason: Why it was skipped or failed.
    """

    status: Literal["loaded", "skipped", "failed"]
    rows: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SyncResult:
    """Figures of a sync; the fields are the keys of `--json`.

    Attributes:
        calls, transcripts, sentences: Rows written by this run.
        private_excluded: Private calls that were left out, or stored as metadata only.
        pending_transcripts: Calls in the warehouse that have no transcript yet and are recent enough to get one.
        rejected: Records that failed validation; they are in `_rejected`.
        repeated_records: Rows that repeated the key of another row of their record or list; the last one was written.
        abandoned_loads: Unfinished loads of a killed run. Their records were read again instead of being loaded.
        bookmark: Calls are complete up to this time.
        reason: Why the run failed or stopped.
        warning: What a completed run noticed, such as a key that no longer sees any calls.
        tables: Rows written, by table.
    """

    run_id: str
    status: Status
    destination: str
    dataset: str
    requests: int
    duration_seconds: float
    resources: dict[str, ResourceResult]
    calls: int
    transcripts: int
    sentences: int
    private_excluded: int
    pending_transcripts: int
    rejected: int
    repeated_records: int
    abandoned_loads: int
    bookmark: datetime | None
    reason: str | None = None
    warning: str | None = None
    tables: dict[str, int] = field(default_factory=dict)

    def lines(self) -> Iterator[RenderableType]:
        """Yield a table of the rows written, then what the run did."""
        table = Table(title=f"{self.status}: {self.destination}, dataset {self.dataset}", title_justify="left")
        table.add_column("table")
        table.add_column("rows written", justify="right")
        for name, rows in sorted(self.tables.items()):
            table.add_row(name, f"{rows:,}")
        if not self.tables:
            table.add_row("nothing new", "0")
        yield table
        for name, resource in self.resources.items():
            if resource.reason is not None:
                yield f"{name} {resource.status}: {resource.reason}"
        yield (
            f"{self.calls:,} calls, {self.transcripts:,} transcripts, {self.sentences:,} sentences written"
            f" with {self.requests:,} requests in {self.duration_seconds:.1f} s"
        )
        complete = f"complete up to {self.bookmark}" if self.bookmark else "nothing loaded yet"
        yield (
            f"{self.private_excluded:,} private calls excluded, {self.pending_transcripts:,} transcripts pending,"
            f" {self.rejected:,} records rejected; {complete}"
        )
        if self.repeated_records:
            yield f"{self.repeated_records:,} repeated records: of those with the same key, the last one was written"
        if self.abandoned_loads:
            yield f"{self.abandoned_loads:,} unfinished loads of a killed run abandoned: their records were read again"
        if self.reason is not None:
            yield f"{self.status}: {self.reason}"
        if self.warning is not None:
            yield f"warning: {self.warning}"


def format_duration(seconds: float) -> str:
    """Return a duration for a person: `12 s`, `4 min` or `7.5 hours`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
