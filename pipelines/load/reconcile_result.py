"""What a reconcile says of itself: one JSON object for machines, a table for people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table

EXIT_CODES = {"done": 0, "failed": 1, "refused": 1, "stopped": 3}
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class MissingCall:
    """A call that Gong no longer has; its title is told in a dry run only."""

    id: str
    effective_time: datetime | None
    title: str | None


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """A reconcile in figures; the fields are the keys of `--json`.

    Attributes:
        status: `done`, `refused` (too many would go), `stopped` (early, on purpose) or `failed`.
        since, until: Effective time that was to be compared.
        compared_until: How far it was; the next run goes on there unless this one is done or refused.
        compared: Calls the warehouse holds there, those without a time included.
        missing: Calls that Gong no longer has, confirmed by id.
        turned_private: Calls that are private now and were taken out, as the setting `private_calls` asks.
        erased: Calls marked as deleted, their content erased; 0 in a dry run.
        untold: Calls that Gong did not list and whose ids it takes in no request: they stay.
        reason: Why it did not go to its end.
    """

    run_id: str
    status: str
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
    untold: int
    reason: str | None

    @property
    def exit_code(self) -> int:
        """0 done, 1 failed or refused, 3 stopped early on purpose."""
        return EXIT_CODES[self.status]

    def as_json(self) -> str:
        """The object `--json` prints."""
        return json.dumps(asdict(self), default=lambda moment: moment.isoformat())

    def show(self, console: Console) -> None:
        """Prints it for a person: the whole list in a dry run, its begin otherwise."""
        if self.missing:
            table = Table(title="Gong no longer has", title_justify="left")
            for column in ("call", "time", *(["title"] if self.dry_run else [])):
                table.add_column(column, overflow="fold")
            for call in self.missing if self.dry_run else self.missing[:_SHOWN]:
                instant = f"{call.effective_time:%Y-%m-%d %H:%M}" if call.effective_time else ""
                table.add_row(call.id, instant, *([call.title or ""] if self.dry_run else []))
            console.print(table)
            if not self.dry_run and len(self.missing) > _SHOWN:
                console.print(f"and {len(self.missing) - _SHOWN:,} more", highlight=False)
        console.print(
            f"{self.compared:,} calls compared with {self.requests:,} requests: {len(self.missing):,} are gone,"
            f" {self.turned_private:,} turned private; {self.erased:,} erased"
            + (" (dry run: nothing was changed)" if self.dry_run else ""),
            highlight=False,
        )
        if self.untold:
            console.print(
                f"{self.untold:,} could not be asked for, so that nobody can tell whether they are gone: they stay",
                highlight=False,
            )
        if self.reason is not None:
            console.print(f"{self.status}: {self.reason}", markup=False, highlight=False)
