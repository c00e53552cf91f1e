"""What a run says of itself: one JSON object for machines, a table for people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

from rich.console import Console
from rich.table import Table

Status = Literal["done", "failed", "stopped"]
EXIT_CODES: dict[Status, int] = {"done": 0, "failed": 1, "stopped": 3}


@dataclass(frozen=True, slots=True)
class ResourceSummary:
    """How one resource fared.

    Attributes:
        rows: Rows written over its tables.
        reason: Why it was skipped or failed.
    """

    status: Literal["loaded", "skipped", "failed"]
    rows: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in figures; the fields are the keys of `--json`.

    Attributes:
        calls, transcripts, sentences: Rows written in this run.
        private_excluded: Private calls that came and were left out or stored as meta data only.
        pending_transcripts: Calls in the warehouse that still have no transcript and are young enough to get one.
        rejected: Records that fit no table; they are in `_rejected`.
        abandoned_loads: Unfinished loads of a killed run that were not loaded: what they held was read again.
        bookmark: Up to here calls are complete.
        reason: Why the run failed or stopped.
        warning: What is odd about a run that is done: Gong shows no calls at all any more.
    """

    run_id: str
    status: Status
    destination: str
    dataset: str
    requests: int
    duration_seconds: float
    resources: dict[str, ResourceSummary]
    calls: int
    transcripts: int
    sentences: int
    private_excluded: int
    pending_transcripts: int
    rejected: int
    abandoned_loads: int
    bookmark: datetime | None
    reason: str | None = None
    warning: str | None = None
    tables: dict[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed, 3 stopped early on purpose."""
        return EXIT_CODES[self.status]

    def as_json(self) -> str:
        """The object `--json` prints."""
        return json.dumps(asdict(self), default=lambda moment: moment.isoformat())

    def show(self, console: Console) -> None:
        """Prints the run as a table."""
        table = Table(title=f"{self.status}: {self.destination}, dataset {self.dataset}", title_justify="left")
        table.add_column("table")
        table.add_column("rows written", justify="right")
        for name, rows in sorted(self.tables.items()):
            table.add_row(name, f"{rows:,}")
        if not self.tables:
            table.add_row("nothing new", "0")
        console.print(table)
        for name, resource in self.resources.items():
            if resource.reason is not None:
                console.print(f"{name} {resource.status}: {resource.reason}", markup=False)
        console.print(
            f"{self.calls:,} calls, {self.transcripts:,} transcripts, {self.sentences:,} sentences written"
            f" with {self.requests:,} requests in {self.duration_seconds:.1f} s",
            highlight=False,
        )
        console.print(
            f"{self.private_excluded:,} private calls left out, {self.pending_transcripts:,} transcripts still owed,"
            f" {self.rejected:,} records rejected; complete up to {self.bookmark or 'nowhere yet'}",
            highlight=False,
        )
        if self.abandoned_loads:
            console.print(
                f"{self.abandoned_loads:,} unfinished loads of a killed run set aside: what they held was read again",
                highlight=False,
            )
        if self.reason is not None:
            console.print(f"{self.status}: {self.reason}", markup=False, highlight=False)
        if self.warning is not None:
            console.print(f"warning: {self.warning}", markup=False, highlight=False)


def format_duration(seconds: float) -> str:
    """A length of time for a person: `12 s`, `4 min` or `7.5 hours`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} hours"
