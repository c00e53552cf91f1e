"""One run of a job: run id, locks, quota, deadline, metrics, row in the run log, status and reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

import dlt

from sources.gong import ConfigurationError, ExtractRun, GongClient, RunMetrics, RunStopped, truncate_to_millisecond
from state import runs
from state.lock import LockHeldError, run_lock

from .connection import Connection
from .errors import JobRefusedError, UsageError, exception_chain, root_cause_message
from .result import Status
from .run_log import RunLog
from .run_options import parse_deadline
from .target import Target

USER_ERRORS = (UsageError, ConfigurationError, LockHeldError)
"""Errors that the user corrects. They end the command and are not a result of the job."""


class RunColumns(TypedDict, total=False):
    """Columns of the run log that differ between jobs; see `state.runs.Run`."""

    window_since: datetime | None
    window_until: datetime | None
    bookmark: datetime | None
    rows_written: int
    calls: int
    transcripts: int
    sentences: int
    private_excluded: int
    rejected: int
    unfinished_load: str | None
    unfinished_since: datetime | None


class JobFigures(TypedDict):
    """Figures that the results of all jobs have."""

    run_id: str
    status: Status
    destination: str
    dataset: str
    requests: int
    duration_seconds: float
    reason: str | None


class Job:
    """One run of a job on a connection and a dataset.

    ```python
    job = Job("reconcile", connection, target, deadline="2h")
    with job.lock():
        pipeline = restore_pipeline(connection, target, job.folder())
        with job.keep_errors(), job.open_run_log(pipeline):
            job.write_progress()
            ...                                    # job.client() sends requests within quota and deadline
        job.write_end()
    return SomeResult(**job.figures(), ...)
    ```

    Args:
        command: Name of the command in the run log.
        connection: The Gong account.
        target: The warehouse.
        deadline: `--deadline` as the user wrote it.

    Attributes:
        run_id: Unique id of this run; sorts by time.
        started_at: When the run started.
        deadline: Time after which no request is sent; None without a limit.
        metrics: Counters, to which the source and the client add.
        error: The error that ended the job early; None otherwise.
        warning: What a completed job noticed.
        has_failures: Whether single items failed, such as rows of a file.

    Raises:
        UsageError: If the deadline is invalid or has passed.
    """

    def __init__(self, command: str, connection: Connection, target: Target, deadline: str | None = None) -> None:
        self.command, self.connection, self.target = command, connection, target
        self.started_at = truncate_to_millisecond(datetime.now(UTC))
        self.run_id = runs.new_run_id(self.started_at)
        self.deadline = parse_deadline(deadline, self.started_at)
        self.metrics = RunMetrics()
        self.error: Exception | None = None
        self.warning: str | None = None
        self.has_failures = False
        self._clock_start = time.monotonic()
        self._quota = connection.settings.requests_per_day
        self._run_log: RunLog | None = None

    def folder(self, suffix: str = "") -> Path:
        """Return dlt's working folder for this connection."""
        return self.target.folder / f"{self.connection.name}{suffix}"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the connection's lock on this machine. Take it before `open_run_log`.

        Raises:
            LockHeldError: If another run holds it.
        """
        with run_lock(self.folder(".lock"), self.run_id):
            yield

    @contextmanager
    def open_run_log(self, pipeline: dlt.Pipeline, *, tables_exist: bool = False) -> Iterator[None]:
        """Hold the warehouse's lock, and count the requests of today's earlier runs.

        Args:
            pipeline: Restored from the warehouse.
            tables_exist: Whether `_runs` exists; otherwise the first load creates it.

        Raises:
            LockHeldError: If a run on another machine holds the lock.
            DatabaseException: If the warehouse cannot be reached.
        """
        with self.target.warehouse.lock(pipeline, self.connection.name) as holder:
            if holder is not None:
                raise LockHeldError(f"another run holds the lock: {holder}")
            self._run_log = RunLog(pipeline, self.target, tables_exist=tables_exist)
            self._quota -= self._run_log.requests_today(self.connection.name, self.started_at)
            yield

    @contextmanager
    def keep_errors(self, *, reraise: tuple[type[Exception], ...] = ()) -> Iterator[None]:
        """Keep an error as the outcome of the job, except those in `reraise`."""
        try:
            yield
        except reraise:
            raise
        except Exception as error:
            self.error = error

    @property
    def requests_left(self) -> int:
        """Return today's remaining requests, less those of this run."""
        return max(0, self._quota - self.metrics.requests)

    def extract_run(self) -> ExtractRun:
        """Return the bounds on requests and time, and the metrics, for a source or client."""
        return ExtractRun(requests_left=self.requests_left, deadline=self.deadline, metrics=self.metrics)

    def client(self) -> GongClient:
        """Return a client that stops at the quota and the deadline and counts into `metrics`."""
        return self.connection.client(self.extract_run())

    @property
    def duration_seconds(self) -> float:
        """Return the time since the job was created."""
        return round(time.monotonic() - self._clock_start, 3)

    @property
    def status(self) -> Status:
        """Return the status of the job as it would be if it ended now."""
        causes = exception_chain(self.error)
        if any(isinstance(cause, JobRefusedError) for cause in causes):
            return "refused"
        if any(isinstance(cause, RunStopped) for cause in causes):
            return "stopped"
        if self.error is not None or self.metrics.failed or self.has_failures:
            return "failed"
        return "stopped" if self.metrics.stopped else "done"

    @property
    def reason(self) -> str | None:
        """Return why the job failed or stopped, as one line; None if it completed."""
        if self.error is not None:
            return root_cause_message(self.error)
        resources: dict[str, list[str]] = {}
        for name, error in self.metrics.failed.items():
            resources.setdefault(str(error), []).append(name)
        failed = [f"{', '.join(names)}: {error}" for error, names in resources.items()]
        return "; ".join(failed) or self.metrics.stopped

    def figures(self) -> JobFigures:
        """Return the figures that the results of all jobs have."""
        return JobFigures(
            run_id=self.run_id,
            status=self.status,
            destination=self.target.name,
            dataset=self.target.dataset,
            requests=self.metrics.requests,
            duration_seconds=self.duration_seconds,
            reason=self.reason,
        )

    def write_progress(self, **columns: Unpack[RunColumns]) -> None:
        """Write the row at `running`, so that the requests of a killed run are counted."""
        if self._run_log is not None:
            self._run_log.write(self._row("running", None, columns))

    def write_end(self, **columns: Unpack[RunColumns]) -> None:
        """Write how the run ended.

        Raises:
            DatabaseException: If the warehouse rejects the statement.
        """
        if self._run_log is not None:
            self._run_log.write(self._row(self.status, datetime.now(UTC), columns))

    def _row(self, status: str, finished_at: datetime | None, columns: RunColumns) -> runs.Run:
        return runs.Run(
            run_id=self.run_id,
            connection=self.connection.name,
            command=self.command,
            status=status,
            started_at=self.started_at,
            finished_at=finished_at,
            requests=self.metrics.requests,
            reason=self.reason or self.warning,
            **columns,
        )
