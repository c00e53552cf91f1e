"""Figures of an upload, for the JSON object and the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..runtime.display.text import format_count
from ..runtime.result import LISTED_ITEMS, Status


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row of the file that was not added to Gong.

    Attributes:
        row: Number of the row in the file, from 1.
        client_unique_id: Id given by the row, if any.
        faults: The row's faults, Gong's refusal, or why there was no usable response.
    """

    row: int
    client_unique_id: str | None
    faults: Sequence[str]


@dataclass(frozen=True, slots=True)
class UploadResult:
    """Figures of an upload; the fields are the keys of `--json`.

    Attributes:
        status: `failed` if the upload broke off or a row was not added.
        rows: Rows read from the file.
        added: Calls that Gong accepted.
        already_added: Calls added by an earlier upload, which were not sent again.
        invalid: Rows with faults, which were not sent.
        refused: Rows that Gong refused.
        failed: Rows without a usable response; the next upload sends them again.
        not_sent: Valid rows that were not reached.
        reason: Why the upload did not complete.
    """

    run_id: str
    status: Status
    file: str
    destination: str
    dataset: str
    dry_run: bool
    rows: int
    added: int
    already_added: int
    invalid: Sequence[FailedRow]
    refused: Sequence[FailedRow]
    failed: Sequence[FailedRow]
    not_sent: int
    requests: int
    duration_seconds: float
    reason: str | None

    def lines(self) -> Iterator[str]:
        """Yield the first rows of each kind that were not added, then the counts."""
        for kind, rows in (("invalid", self.invalid), ("refused by Gong", self.refused), ("failed", self.failed)):
            for row in rows[:LISTED_ITEMS]:
                name = f" ({row.client_unique_id})" if row.client_unique_id else ""
                yield f"row {row.row:,}{name} {kind}: {'; '.join(row.faults)}"
            if len(rows) > LISTED_ITEMS:
                yield f"and {len(rows) - LISTED_ITEMS:,} more {kind}: --json lists all"
        if self.reason is not None and not self.added:
            return
        valid = self.rows - len(self.invalid)
        added = f"{valid:,} valid (dry run: nothing was sent)" if self.dry_run else f"{self.added:,} added"
        already = f", {self.already_added:,} already in Gong" if self.already_added else ""
        not_sent = f", {self.not_sent:,} not sent" if self.not_sent and not self.dry_run else ""
        yield (
            f"{format_count(self.rows, 'row')} of {self.file}: {added}{already}, {len(self.invalid):,} invalid,"
            f" {len(self.refused):,} refused, {len(self.failed):,} failed{not_sent};"
            f" {format_count(self.requests, 'request')}"
        )

    def failures(self) -> Iterator[str]:
        """Yield why the upload did not complete."""
        if self.reason is not None:
            yield self.reason
