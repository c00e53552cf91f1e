"""`gong-elt sync`: load the window from the bookmark to now, or an explicit one, into the warehouse.

The warehouse is the only state. A run starts with an empty working folder and restores its bookmarks from the
warehouse, so continuing after a crash, on another machine or without the folder is the same.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.extract import DltSource
from rich.console import Console

from destinations.warehouse import sql_client
from sources.gong import (
    RESOURCES,
    TABLES_BY_RESOURCE,
    AuthenticationError,
    BackgroundReader,
    Coverage,
    ExtractRun,
    KnownHashes,
    Window,
    describe_narrowing,
    plan_backfill,
    table_names,
    table_schemas,
)
from sources.gong.errors import HostUnreachableError
from state import future_state, loaded, runs
from state.loaded import PendingTranscript
from state.lock import LockHeldError
from state.sql import Sql

from ..analytics.marts_origin import default_datasets
from ..publish.publication import plan_publication
from ..runtime.connection import Connection
from ..runtime.errors import RunLogError, root_cause_message
from ..runtime.job import USER_ERRORS, Job, RunColumns
from ..runtime.progress import Stage, show_progress
from ..runtime.run_log import add_state_tables, create_dropped_tables
from ..runtime.run_options import resolve_window
from ..runtime.target import Target
from ..runtime.warehouse_session import (
    allow_pii_mode,
    correct_future_bookmarks,
    count_unfinished_loads,
    dataset_exists,
    pending_transcripts,
    resource_bookmark,
    resource_state,
    restore_pipeline,
    tables_missing,
)
from .private_calls import erase_private_calls
from .repair.missing_tables import MissingTables, find_missing_tables, unfilled_warning
from .run_warnings import clock_warning, no_visible_calls_warning
from .sync_result import ResourceResult, SyncResult, SyncResultWithoutMarts

# Loads start at least this far apart, and three times the duration of the previous one. What is not loaded yet is read
# again after a crash, and no requests run beside the last load, so both should be short.
_SECONDS_BETWEEN_LOADS = 5.0
_LOAD_INTERVAL_FACTOR = 3
# The end of the run publishes what is not published before. Each publication writes new files.
_SECONDS_BETWEEN_PUBLICATIONS = 60.0


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """Options of one sync.

    Attributes:
        select: Resources to read, in the order in which the result lists them.
        since, until: Explicit window of effective time; by default from the bookmark to now.
        deadline: Duration or time after which no request is sent.
        allow_clear_text: Personal values may be stored in clear where they were stored as hashes.
        publish: File that becomes a copy of the warehouse's file after the run.
    """

    select: Sequence[str] = RESOURCES
    since: str | None = None
    until: str | None = None
    deadline: str | None = None
    allow_clear_text: bool = False
    publish: str | None = None


def sync(connection: Connection, target: Target, options: SyncOptions, console: Console) -> SyncResult:
    """Run one sync.

    Args:
        connection: The Gong account.
        target: The warehouse.
        options: What to read.
        console: Where progress is drawn.

    Raises:
        UsageError: If a setting or option is missing or invalid.
        LockHeldError: If another run works on the same connection and dataset.
    """
    publication = plan_publication(target, options.publish, default_datasets(target.dataset))
    job = Job("sync", connection, target, options.deadline)
    connection.validate()
    run = SyncJob(job, options)
    published = None
    with job.lock():
        with show_progress(job.metrics, console, connection.settings.requests_per_second) as stage:
            run.run(stage)
            if publication is not None:
                stage.name = "publishing the copy"
                published = publication.write(job)
        return replace(run.result(), published=published)


class SyncJob:
    """One sync: restore the state, read and load part by part, write the run log."""

    def __init__(self, job: Job, options: SyncOptions) -> None:
        self._job, self._options = job, options
        self._connection, self._target = job.connection, job.target
        self._loaded: Counter[str] = Counter()
        self._window: Window | None = None
        self._bookmark: datetime | None = None
        self._pending_transcripts = self._abandoned_loads = 0
        self._warnings: list[str | None] = []
        self._future_loads: Sequence[str] = ()
        self._is_loading_in_parts = False
        self._published_at = time.monotonic()
        self._missing = MissingTables()
        self._is_complete = False

    def run(self, stage: Stage) -> None:
        """Read and load until the window is complete or an error, the quota or the deadline ends the run."""
        with self._job.keep_errors(reraise=USER_ERRORS), ExitStack() as opened:
            self._abandoned_loads = count_unfinished_loads(self._job.folder())
            opened.enter_context(self._target.warehouse.hold())
            pipeline = restore_pipeline(self._connection, self._target, self._job.folder())
            with self._job.open_run_log(pipeline):
                with self._job.keep_errors(reraise=USER_ERRORS):
                    self._prepare(pipeline)
                    self._job.write_progress(**self._columns())
                    run = self._plan(pipeline)
                    # Other processes can use a file while the run waits for Gong.
                    opened.close()
                    self._read_and_load(pipeline, stage, run, self._options.select)
                    if (backfill := self._find_backfill(pipeline)) is not None:
                        with self._target.warehouse.hold():
                            run = self._plan_backfill(pipeline, backfill)
                        self._read_and_load(pipeline, stage, run, self._call_resources)
                    if self._call_resources:
                        self._warnings.append(no_visible_calls_warning(self._job, pipeline))
                self._warnings.append(clock_warning(self._job.metrics))
                self._job.warning = "; ".join(filter(None, self._warnings)) or None
                stage.name = "writing the run log"
                self._write_end(pipeline)

    def result(self) -> SyncResult:
        """Return the figures of the run."""
        metrics = self._job.metrics
        result = SyncResult if self._target.warehouse.has_marts else SyncResultWithoutMarts
        return result(
            **self._job.figures(),
            resources={name: self._resource_result(name) for name in self._options.select},
            calls=self._loaded["calls"],
            transcripts=self._loaded["transcripts"],
            sentences=self._loaded["transcript_sentences"],
            private_excluded=len(metrics.private_calls),
            pending_transcripts=self._pending_transcripts,
            rejected=metrics.rejected.total(),
            repeated_records=metrics.repeated.total(),
            abandoned_loads=self._abandoned_loads,
            bookmark=self._bookmark,
            warning=self._job.warning,
            tables={name: rows for name, rows in self._loaded.items() if rows},
            location=self._target.label,
        )

    def _prepare(self, pipeline: dlt.Pipeline) -> None:
        """Correct and check the restored state, and erase what the settings no longer allow."""
        connection, settings, now = self._connection, self._connection.settings, self._job.started_at
        allow_pii_mode(pipeline, connection, allow_clear_text=self._options.allow_clear_text)
        self._warnings.append(correct_future_bookmarks(pipeline, connection, self._target, now))
        self._bookmark = resource_bookmark(pipeline, connection)
        self._find_missing_tables(pipeline)
        if self._missing.names or not dataset_exists(pipeline, self._target):
            return
        with sql_client(pipeline) as sql:
            self._future_loads = future_state.future_loads(sql, pipeline.pipeline_name, now)
            if self._future_loads:
                future_state.correct_schema_times(sql, now)
        if self._call_resources:
            calls = resource_state(pipeline, connection, "calls")
            self._warnings.append(describe_narrowing(calls, Coverage.from_settings(settings, now)))
            if erased := erase_private_calls(self._job, pipeline):
                what = "the content of " if settings.private_calls == "metadata" else ""
                self._warnings.append(
                    f"private_calls is {settings.private_calls!r}: erased {what}{erased:,} private calls"
                )

    def _find_missing_tables(self, pipeline: dlt.Pipeline) -> None:
        """Find tables that were dropped, and select the resources that fill them.

        Raises:
            UsageError: If the window of this run does not reach to now.
        """
        self._missing = find_missing_tables(pipeline, self._connection, self._target, self._job.started_at)
        if self._missing.resources:
            if self._options.until is not None:
                raise tables_missing(self._target, self._missing.names)
            select = dict.fromkeys([*self._options.select, *self._missing.resources])
            self._options = replace(self._options, select=list(select))
        self._warnings.append(self._missing.warning)

    def _read_and_load(self, pipeline: dlt.Pipeline, stage: Stage, run: ExtractRun, names: Sequence[str]) -> None:
        with BackgroundReader(_SECONDS_BETWEEN_LOADS) as background:
            source = self._source(replace(run, background=background))
            while True:
                stage.name = "reading"
                pipeline.extract(source.with_resources(*names))
                for error in self._job.metrics.failed.values():
                    # A credential that never worked, or a host that never responded, creates no tables.
                    is_fatal = isinstance(error, AuthenticationError | HostUnreachableError)
                    if is_fatal and not self._job.metrics.rows.total():
                        _discard_extracted(pipeline)
                        raise error
                load_start = time.monotonic()
                stage.name = "loading"
                self._load(pipeline)
                background.load_seconds = time.monotonic() - load_start
                background.seconds = max(_SECONDS_BETWEEN_LOADS, _LOAD_INTERVAL_FACTOR * background.load_seconds)
                if background.exhausted:
                    return
                # The next part of the calls. The other resources are complete.
                names = self._call_resources

    def _load(self, pipeline: dlt.Pipeline) -> None:
        # A run that is killed from here on has counted the requests of this part.
        self._job.write_progress(**self._columns())
        pipeline.normalize()
        self._target.warehouse.prepare_publication()
        with self._target.warehouse.hold(create=True):
            if not self._loaded:
                # A load creates only the tables it has rows for; this creates all of them.
                pipeline.sync_schema()
                if self._missing.names:
                    create_dropped_tables(pipeline, pipeline.default_schema.tables)
            # If the run is killed from here on, later runs read its window again.
            self._is_loading_in_parts = not self._target.warehouse.has_transactions
            if self._is_loading_in_parts:
                # Loads in a transaction confirm it themselves.
                self._target.warehouse.confirm_lock()
            self._job.write_progress(**self._columns())
            pipeline.load()
            if self._future_loads:
                with sql_client(pipeline) as sql:
                    future_state.delete_states(sql, pipeline.pipeline_name, self._future_loads)
                self._future_loads = ()
            if time.monotonic() - self._published_at > _SECONDS_BETWEEN_PUBLICATIONS:
                self._target.warehouse.publish_changes(pipeline)
                self._published_at = time.monotonic()
        self._is_loading_in_parts = False
        self._loaded = Counter(self._job.metrics.rows)
        self._bookmark = resource_bookmark(pipeline, self._connection)

    @property
    def _call_resources(self) -> list[str]:
        return [name for name in ("calls", "transcripts") if name in self._options.select]

    def _plan(self, pipeline: dlt.Pipeline) -> ExtractRun:
        """Return what to read: the window, the pending transcripts, and the hashes of the rows in the warehouse."""
        options = self._options
        # Pending transcripts are requested by id, so the bookmark of `calls` alone determines the window.
        states = [resource_state(pipeline, self._connection, name) for name in self._call_resources[:1]]
        window = self._window = resolve_window(
            self._connection, states, self._job.started_at, since=options.since, until=options.until
        )
        date_window = window if options.since or options.until else None
        run = replace(self._job.extract_run(), date_window=date_window)
        if self._missing.names:
            return self._plan_refill(run, window)
        if not dataset_exists(pipeline, self._target):
            return replace(run, windows=[window], initial_load=True)
        pending: Sequence[PendingTranscript] = ()
        if "transcripts" in self._call_resources:
            with sql_client(pipeline) as sql:
                pending = pending_transcripts(pipeline, self._connection, sql, self._job.started_at)
        run = replace(run, pending_transcripts=[call.id for call in pending])
        return self._with_known_hashes(pipeline, run, window)

    def _plan_refill(self, run: ExtractRun, window: Window) -> ExtractRun:
        """Return the run that fills tables that were dropped. Rows that hashes stand for may be missing."""
        complete = Window(min(window.since, self._missing.oldest or window.since), window.until)
        self._window = complete if self._missing.has_calls else window
        return replace(
            run,
            windows=[self._window],
            date_window=complete if self._missing.has_dates else run.date_window,
            known_hashes=KnownHashes(stale=frozenset(("calls", "transcripts"))),
            state_is_current=False,
        )

    def _find_backfill(self, pipeline: dlt.Pipeline) -> Window | None:
        """Return the window before the bookmark that an earlier start or a wider filter requires; None without any."""
        metrics, options = self._job.metrics, self._options
        unread = (metrics.failed.keys() | metrics.skipped.keys()) & set(self._call_resources)
        if options.since or options.until or metrics.stopped or unread:
            return None
        states = [resource_state(pipeline, self._connection, name) for name in self._call_resources]
        target = Coverage.from_settings(self._connection.settings, self._job.started_at)
        return plan_backfill(states, target)

    def _plan_backfill(self, pipeline: dlt.Pipeline, backfill: Window) -> ExtractRun:
        """Return what to read before the bookmark."""
        self._warnings.append(f"settings include more than before: read calls since {backfill.since:%Y-%m-%d} again")
        if self._window is not None:
            # The run log shows one window. The bookmark adjoins both parts.
            self._window = Window(min(backfill.since, self._window.since), self._window.until)
        return self._with_known_hashes(pipeline, self._job.extract_run(), backfill)

    def _with_known_hashes(self, pipeline: dlt.Pipeline, run: ExtractRun, window: Window) -> ExtractRun:
        with sql_client(pipeline) as sql:
            self._warnings.append(unfilled_warning(sql, self._connection.name, window.since))
            is_unfinished = runs.is_unfinished(sql, self._connection.name, window.since, window.until)
            known_hashes = self._known_hashes(sql, is_unfinished=is_unfinished)
        return replace(run, windows=[window], known_hashes=known_hashes, state_is_current=not is_unfinished)

    def _known_hashes(self, sql: Sql, *, is_unfinished: bool) -> KnownHashes:
        """Return the content hashes in the warehouse; those of calls are stale if rows of them may be missing."""
        if not self._call_resources:
            return KnownHashes()
        resources = ("_rejected",) if is_unfinished else ("calls", "transcripts", "_rejected")
        return KnownHashes.from_batches(
            {resource: loaded.read_known_hashes(sql, resource) for resource in resources},
            stale=("calls", "transcripts") if is_unfinished else (),
        )

    def _source(self, run: ExtractRun) -> DltSource:
        source = self._connection.source(run)
        tables = {name: TABLES_BY_RESOURCE[name] for name in (*RESOURCES, *self._options.select)}
        for table in table_schemas(tables, append=run.initial_load):
            source.schema.update_table(table)
        add_state_tables(source.schema)
        return source

    def _write_end(self, pipeline: dlt.Pipeline) -> None:
        try:
            with self._target.warehouse.hold():
                if not dataset_exists(pipeline, self._target):
                    return
                with sql_client(pipeline) as sql:
                    calls = pending_transcripts(pipeline, self._connection, sql, self._job.started_at)
                self._pending_transcripts = len(calls)
                self._is_complete = self._job.status == "done"
                self._job.write_end(**self._columns())
        except (DatabaseException, LockHeldError) as error:
            self._job.error = self._job.error or RunLogError(
                f"the run could not be written to {runs.TABLE}: {root_cause_message(error)}"
            )

    def _columns(self) -> RunColumns:
        is_refilling = self._missing.has_calls and not self._is_complete
        return RunColumns(
            window_since=self._window.since if self._window else None,
            window_until=self._window.until if self._window else None,
            bookmark=self._bookmark,
            rows_written=self._loaded.total(),
            calls=self._loaded["calls"],
            transcripts=self._loaded["transcripts"],
            sentences=self._loaded["transcript_sentences"],
            private_excluded=len(self._job.metrics.private_calls),
            rejected=self._job.metrics.rejected.total(),
            unfinished_since=(
                self._window.since if self._window and (self._is_loading_in_parts or is_refilling) else None
            ),
        )

    def _resource_result(self, name: str) -> ResourceResult:
        rows = sum(self._loaded[table] for table in table_names(name))
        metrics = self._job.metrics
        if name in metrics.failed:
            return ResourceResult("failed", rows, str(metrics.failed[name]))
        if self._job.error is not None:
            return ResourceResult("failed", rows, self._job.reason)
        if name in metrics.skipped:
            return ResourceResult("skipped", rows, metrics.skipped[name])
        return ResourceResult("loaded", rows)


def _discard_extracted(pipeline: dlt.Pipeline) -> None:
    """Delete what was extracted, and the trace of it, which holds the settings. A load would replace the trace."""
    pipeline.abort_packages()
    Path(pipeline.working_dir, "trace.pickle").unlink(missing_ok=True)
