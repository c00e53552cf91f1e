"""One run of a job: run id, locks, quota, deadline, metrics, row in the run log, status and reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

import dlt

from destinations.warehouse import DeadlineReachedError, InvalidWarehouseError, NotPublishedError
from sources.gong import ConfigurationError, ExtractRun, GongClient, RunMetrics, RunStopped, truncate_to_millisecond
from state import runs
from state.lock import LockHeldError

from .connection import Connection
from .errors import (
    JobRefusedError,
    UsageError,
    exception_chain,
    group_by_cause,
    list_names,
    one_line,
    root_cause_message,
)
from .process.interruption import cleanup_on_signal, is_caused_by_signal, is_interrupted
from .process.progress_file import publish_progress
from .result import Status
from .run_log import RunLog
from .run_options import parse_deadline
from .target import Target

USER_ERRORS = (UsageError, ConfigurationError, InvalidWarehouseError, LockHeldError)
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
        error: The error or signal that ended the job early; None otherwise.
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
        target.warehouse.limit_statements(self.deadline)
        self.metrics = RunMetrics()
        self.error: BaseException | None = None
        self.warning: str | None = None
        self.has_failures = False
        self._clock_start = time.monotonic()
        self._quota = connection.settings.requests_per_day
        self._run_log: RunLog | None = None
        self._columns: RunColumns = {}
        target.waiting.deadline = self.deadline

    def folder(self, suffix: str = "") -> Path:
        """Return dlt's working folder for this connection."""
        return self.target.folder / f"{self.connection.name}{suffix}"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the connection's lock on this machine, and that of the warehouse's file. Take it before anything else.

        Raises:
            LockHeldError: If another run holds it for longer than the command waits.
            KeyboardInterrupt: If a signal ended the job. Its row is closed.
        """
        path = self.target.run_lock(self.connection.name)
        with (
            self.target.waiting.hold_lock(path, self.run_id, self.command) as lock,
            self._lock_file(),
            publish_progress(lock, self.metrics),
            cleanup_on_signal(self._close_row),
        ):
            try:
                yield
            except KeyboardInterrupt:
                self._close_row()
                raise
        # Results of an interrupted job would repeat the signal for each of its parts.
        if self.is_interrupted:
            raise KeyboardInterrupt

    @contextmanager
    def open_run_log(self, pipeline: dlt.Pipeline, *, tables_exist: bool = False) -> Iterator[None]:
        """Hold the server's lock, update the pipeline's state, and count the requests of today's earlier runs.

        Args:
            pipeline: Restored from the warehouse.
            tables_exist: Whether `_runs` exists; otherwise the first load creates it.

        Raises:
            LockHeldError: If a run on another machine holds the lock for longer than the command waits.
            DatabaseException: If the warehouse cannot be reached.
        """
        with self.target.waiting.retry(lambda: self._lock_server(pipeline)):
            if self.target.warehouse.file is None:
                # A run on another machine may have ended since the pipeline was restored.
                pipeline.sync_destination()
            self._run_log = RunLog(pipeline, self.target, tables_exist=tables_exist)
            self._quota -= self._run_log.requests_today(self.connection.name, self.started_at)
            yield

    @contextmanager
    def _lock_file(self) -> Iterator[None]:
        """Hold the lock beside the warehouse's file, against runs with another working folder."""
        with ExitStack() as stack:
            if (path := self.target.file_lock) is not None:
                # Opening the warehouse names the reason why its folder cannot be written.
                with suppress(OSError):
                    stack.enter_context(self.target.waiting.hold_lock(path, self.run_id, self.command))
            yield

    def _lock_server(self, pipeline: dlt.Pipeline) -> ExitStack:
        """Return a context that holds the server's lock, against runs on other machines."""
        with ExitStack() as stack:
            holder = stack.enter_context(self.target.warehouse.lock(pipeline, self.connection.name))
            if holder is not None:
                raise LockHeldError(f"another run holds the lock: {holder}")
            return stack.pop_all()

    @contextmanager
    def keep_errors(self, *, reraise: tuple[type[Exception], ...] = ()) -> Iterator[None]:
        """Keep an error or a signal as the outcome of the job, except errors in `reraise`."""
        try:
            yield
        except reraise:
            raise
        except (Exception, KeyboardInterrupt) as error:
            self.error = error

    @property
    def is_interrupted(self) -> bool:
        """Return whether a signal ended the job."""
        return is_interrupted() or is_caused_by_signal(self.error)

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
        if self.is_interrupted:
            return "failed"
        causes = exception_chain(self.error)
        if any(isinstance(cause, JobRefusedError) for cause in causes):
            return "refused"
        if any(isinstance(cause, RunStopped | DeadlineReachedError) for cause in causes):
            return "stopped"
        if self.error is not None or self.metrics.failed or self.has_failures:
            return "failed"
        return "stopped" if self.metrics.stopped else "done"

    @property
    def reason(self) -> str | None:
        """Return why the job failed or stopped, as one line; None if it completed."""
        if self.is_interrupted:
            return "interrupted"
        if self.error is not None:
            return root_cause_message(self.error)
        causes = group_by_cause({name: one_line(error) for name, error in self.metrics.failed.items()})
        return "; ".join(f"{list_names(names)}: {cause}" for names, cause in causes) or self.metrics.stopped

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
        self._columns = columns
        if self._run_log is not None:
            self._run_log.write(self._row("running", None, columns))

    def write_end(self, **columns: Unpack[RunColumns]) -> None:
        """Write how the run ended, and publish what was not published before.

        Raises:
            DatabaseException: If the warehouse rejects the statement.
        """
        if self._run_log is None:
            return
        self._run_log.write(self._row(self.status, datetime.now(UTC), columns))
        try:
            self._run_log.publish()
        except NotPublishedError as error:
            self.error = self.error or error
        self._run_log = None

    def _close_row(self) -> None:
        """Write that a signal ended the run, if its row was written and is still at `running`."""
        if self._run_log is not None and self._run_log.is_started:
            row = self._row("failed", datetime.now(UTC), self._columns)
            self._run_log.write(replace(row, reason="interrupted"))
            self._run_log = None

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
