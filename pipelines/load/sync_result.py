"""Figures of a sync, for the JSON object and the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ..runtime.display.table import DataTable
from ..runtime.display.text import format_count, format_time
from ..runtime.errors import group_by_cause, list_names
from ..runtime.result import Line, Status


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

    @property
    def is_skipped(self) -> bool:
        """Whether the credential may not read it."""
        return self.status == "skipped"

    @property
    def is_failed(self) -> bool:
        """Whether it could not be read or loaded completely."""
        return self.status == "failed"


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
        location: File or server of the warehouse, and the dataset, without credentials.
        published: The file of `--publish`, if it was replaced.
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
    location: str = ""
    published: str | None = None

    def lines(self) -> Iterator[Line]:
        """Yield the rows written and what the run did; nothing for a failed run that loaded nothing."""
        if self.status != "done" and not self.tables:
            return
        if self.tables:
            rows = [(name, f"{rows:,}") for name, rows in sorted(self.tables.items())]
            yield DataTable(("table", "rows written"), rows, numbers=frozenset({"rows written"}))
        skipped = {name: resource.reason or "" for name, resource in self.resources.items() if resource.is_skipped}
        for names, cause in group_by_cause(skipped):
            yield f"{list_names(names)} skipped: {cause}"
        yield (
            f"{format_count(self.calls, 'call')}, {format_count(self.transcripts, 'transcript')},"
            f" {format_count(self.sentences, 'sentence')} written"
            f" with {format_count(self.requests, 'request')} in {self.duration_seconds:.1f} s"
        )
        complete = f"complete up to {format_time(self.bookmark)}" if self.bookmark else "nothing loaded yet"
        yield (
            f"{format_count(self.private_excluded, 'private call')} excluded,"
            f" {format_count(self.pending_transcripts, 'transcript')} pending,"
            f" {format_count(self.rejected, 'record')} rejected; {complete}"
        )
        if self.repeated_records:
            repeated = format_count(self.repeated_records, "repeated record")
            yield f"{repeated}: of those with the same key, the last one was written"
        if self.abandoned_loads:
            yield f"{self.abandoned_loads:,} unfinished loads of a killed run abandoned: their records were read again"
        if self.published is not None:
            yield f"published: {self.published}"
        if self.warning is not None:
            yield f"warning: {self.warning}"

    def failures(self) -> Iterator[str]:
        """Yield each cause once, however many resources it affects."""
        failed = {name: resource.reason or "" for name, resource in self.resources.items() if resource.is_failed}
        causes = list(group_by_cause(failed))
        if self.reason is not None and (not causes or self.status != "failed"):
            causes = [([], self.reason)]
        for names, cause in causes:
            affects_all = len(names) in (0, len(self.resources))
            yield cause if affects_all else f"{list_names(names)} failed: {cause}"

    def final_line(self, options: str) -> str:
        """Return where the data is, and the next command."""
        return f"{self.status}: {self.location}; next: gong-elt models{options}"


class SyncResultWithoutMarts(SyncResult):
    """Figures of a sync into a warehouse in which `gong-elt models` does not build."""

    __slots__ = ()

    def final_line(self, options: str) -> str:  # noqa: ARG002
        """Return where the data is. No command follows."""
        return f"{self.status}: {self.location}"


def format_duration(seconds: float) -> str:
    """Return a duration for a person: `12 s`, `4 min` or `7.5 hours`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
