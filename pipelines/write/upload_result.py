"""What an upload says of itself: one JSON object for machines, a list of what was not added for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console

from ..load.sync_result import EXIT_CODES, Status

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row that is not in Gong.

    Attributes:
        row: Its number in the file, from 1.
        client_unique_id: As far as the row names one.
        faults: What is wrong with it, what Gong said to it, or why no usable answer came.
    """

    row: int
    client_unique_id: str | None
    faults: Sequence[str]


@dataclass(frozen=True, slots=True)
class UploadResult:
    """An upload in figures; the fields are the keys of `--json`.

    Attributes:
        status: `done`, `failed` (a row is not in Gong, or the upload broke off) or `stopped` (early, on purpose).
        rows: Rows of the file that were read.
        added: Calls that Gong took.
        already_added: Calls that an earlier upload had added, and that were not sent again.
        invalid: Rows with faults, which were not sent.
        refused: Rows that Gong refused.
        failed: Rows without a usable answer; the next upload sends them again.
        not_sent: Good rows that were not reached.
        reason: Why it did not go to its end.
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

    @property
    def exit_code(self) -> int:
        """0 all rows are in Gong, 1 some are not, 3 stopped early on purpose."""
        return EXIT_CODES[self.status]

    def as_json(self) -> str:
        """The object `--json` prints."""
        return json.dumps(asdict(self))

    def show(self, console: Console) -> None:
        """Prints it for a person; of each kind of rows that are left the first ones."""
        for line in self._lines():
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _lines(self) -> Iterator[str]:
        for kind, left in (("invalid", self.invalid), ("refused by Gong", self.refused), ("failed", self.failed)):
            for row in left[:_SHOWN]:
                name = f" ({row.client_unique_id})" if row.client_unique_id else ""
                yield f"row {row.row:,}{name} {kind}: {'; '.join(row.faults)}"
            if len(left) > _SHOWN:
                yield f"and {len(left) - _SHOWN:,} more {kind}: --json lists all"
        good = self.rows - len(self.invalid)
        done = f"{good:,} could be sent (dry run: nothing was)" if self.dry_run else f"{self.added:,} added"
        again = f", {self.already_added:,} were there already" if self.already_added else ""
        left_over = f", {self.not_sent:,} not sent" if self.not_sent and not self.dry_run else ""
        yield (
            f"{self.rows:,} rows of {self.file}: {done}{again}, {len(self.invalid):,} invalid,"
            f" {len(self.refused):,} refused, {len(self.failed):,} failed{left_over}; {self.requests:,} requests"
        )
        if self.reason is not None:
            yield f"{self.status}: {self.reason}"
