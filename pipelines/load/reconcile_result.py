"""Figures of a reconcile, for the JSON object and the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ..runtime.display.table import DataTable
from ..runtime.display.text import format_count, format_time
from ..runtime.result import LISTED_ITEMS, Line, Status


@dataclass(frozen=True, slots=True)
class MissingCall:
    """A call that Gong no longer has. The title is given in a dry run only."""

    id: str
    effective_time: datetime | None
    title: str | None


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """Figures of a reconcile; the fields are the keys of `--json`.

    Attributes:
        status: `refused` if more calls would be erased than allowed.
        since, until: Window of effective time to compare.
        compared_until: End of the part that was compared; the next run resumes there after `stopped` or `failed`.
        compared: Calls in the warehouse in that window, including calls without a time.
        missing: Calls that Gong no longer has, each confirmed by id.
        turned_private: Calls that became private and were removed or emptied, according to `private_calls`.
        erased: Calls marked as deleted whose content was erased; 0 in a dry run.
        unverifiable: Calls that Gong does not list and whose ids it rejects as invalid; they are kept.
        reason: Why the run did not complete.
        published: The file of `--publish`, if it was replaced.
    """

    run_id: str
    status: Status
    destination: str
    dataset: str
    dry_run: bool
    requests: int
    duration_seconds: float
    since: datetime
    until: datetime
    compared_until: datetime | None
    compared: int
    missing: list[MissingCall]
    turned_private: int
    erased: int
    unverifiable: int
    reason: str | None
    published: str | None = None

    def lines(self) -> Iterator[Line]:
        """Yield the missing calls (all of them in a dry run, otherwise the first ones), then the counts."""
        if self.missing:
            yield self._table()
            if not self.dry_run and len(self.missing) > LISTED_ITEMS:
                yield f"and {len(self.missing) - LISTED_ITEMS:,} more"
        if self.reason is not None and not (self.missing or self.turned_private):
            return
        yield (
            f"{format_count(self.compared, 'call')} compared with {format_count(self.requests, 'request')}:"
            f" {len(self.missing):,} gone,"
            f" {self.turned_private:,} turned private; {self.erased:,} erased"
            + (" (dry run: nothing was changed)" if self.dry_run else "")
        )
        if self.unverifiable:
            yield f"{format_count(self.unverifiable, 'call')} kept: Gong rejects the id, so it cannot be looked up"
        if self.published is not None:
            yield f"published: {self.published}"

    def failures(self) -> Iterator[str]:
        """Yield why the run did not complete."""
        if self.reason is not None:
            yield self.reason

    def _table(self) -> DataTable:
        calls = self.missing if self.dry_run else self.missing[:LISTED_ITEMS]
        rows = [
            (
                call.id,
                format_time(call.effective_time) if call.effective_time else None,
                *([call.title] if self.dry_run else []),
            )
            for call in calls
        ]
        return DataTable(("call", "time", *(["title"] if self.dry_run else [])), rows, "Gong no longer has")
