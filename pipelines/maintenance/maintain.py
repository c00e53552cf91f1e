"""`gong-elt maintain`: free the space of rows that were deleted or replaced, in the way of each kind of warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from destinations.dataset_name import datasets_of_marts
from destinations.warehouse import Space

from ..runtime.connection import Connection
from ..runtime.job import USER_ERRORS, Job
from ..runtime.result import Status
from ..runtime.target import Target
from ..runtime.warehouse_session import restore_loaded_pipeline

_BYTES_PER_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class MaintainResult:
    """Figures of a maintenance; the fields are the keys of `--json`.

    Attributes:
        bytes_before, bytes_after: Size of the file or files; None for a server, which uses the space again.
        files_before, files_after: Number of files of a lake; None for other warehouses.
        reason: Why it did not complete.
    """

    run_id: str
    status: Status
    destination: str
    dataset: str
    requests: int
    duration_seconds: float
    bytes_before: int | None
    bytes_after: int | None
    files_before: int | None
    files_after: int | None
    reason: str | None

    def lines(self) -> Iterator[str]:
        """Yield what was freed."""
        if self.bytes_before is not None and self.bytes_after is not None:
            before, after = (size / _BYTES_PER_MEGABYTE for size in (self.bytes_before, self.bytes_after))
            files = (
                "" if self.files_before is None else f"; {self.files_before:,} files before, {self.files_after:,} now"
            )
            yield f"{self.destination}, dataset {self.dataset}: {before:,.1f} MB before, {after:,.1f} MB now{files}"
        elif self.status == "done":
            yield f"{self.destination}, dataset {self.dataset}: the space of deleted rows is free for new ones"

    def failures(self) -> Iterator[str]:
        """Yield why it failed."""
        if self.status != "done":
            yield f"{self.reason}; nothing is lost, run again"


def maintain(connection: Connection, target: Target, analytics: str) -> MaintainResult:
    """Free the space of rows that were deleted or replaced, and update the statistics of tables.

    Args:
        connection: The Gong account.
        target: The warehouse.
        analytics: Dataset of the marts.

    Raises:
        UsageError: If nothing was loaded yet.
        LockHeldError: If another run works on the same connection and dataset.
    """
    job = Job("maintain", connection, target)
    space: Space | None = None
    with job.lock():
        pipeline = restore_loaded_pipeline(connection, target, job.folder())
        with job.keep_errors(reraise=USER_ERRORS), job.open_run_log(pipeline):
            job.write_progress()
            datasets = (target.dataset, f"{target.dataset}_staging", *datasets_of_marts(analytics))
            space = target.warehouse.maintain(pipeline, datasets)
        job.write_end()
    return MaintainResult(
        **job.figures(),
        bytes_before=None if space is None else space.bytes_before,
        bytes_after=None if space is None else space.bytes_after,
        files_before=None if space is None else space.files_before,
        files_after=None if space is None else space.files_after,
    )
