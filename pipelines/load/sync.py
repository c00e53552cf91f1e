"""The main job: bookmark to now, or an explicit window, into the warehouse; and its line in the ledger.

The warehouse is the only memory. A run starts in an empty working folder and takes its bookmarks from the
warehouse, so going on after a crash, on a new machine or after the folder was deleted are all the same.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import dlt
from dlt.destinations.exceptions import DatabaseException
from dlt.extract import DltSource
from rich.console import Console

from destinations.server_lock import server_lock
from destinations.warehouse import checkpoint, sql_client
from sources.gong import (
    RESOURCES,
    TABLES_BY_RESOURCE,
    AuthenticationError,
    BackgroundReader,
    ConfigurationError,
    ExtractRun,
    KnownHashes,
    RunMetrics,
    Window,
    table_names,
    table_schemas,
    truncate_to_millisecond,
)
from state import loaded, runs
from state.lock import LockHeldError, run_lock

from ..runtime.connection import Connection
from ..runtime.errors import UsageError, root_cause_message
from ..runtime.progress import Stage, show_progress
from ..runtime.result import Status
from ..runtime.run_log import RunLog, add_run_log_tables
from ..runtime.run_options import parse_deadline, pending_since, resolve_window
from ..runtime.target import Target
from ..runtime.warehouse_session import (
    bookmark,
    dataset_exists,
    hold_connection,
    resource_state,
    restore_pipeline,
    unfinished_loads,
)
from .access_warning import no_visible_calls_warning
from .sync_result import ResourceResult, SyncResult

# Loads are so far apart, and at least three times as far as the last one took: what is not loaded yet is read again
# after a crash, and the last load, beside which no request runs any more, is short.
_SECONDS_BETWEEN_LOADS = 5.0


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a user may say about one sync.

    Attributes:
        select: Resources to read, in the order in which they are told.
        since, until: An explicit window of effective time; where one is missing, bookmark and now.
        deadline: How long the run may go on sending requests, or until when.
    """

    select: Sequence[str] = RESOURCES
    since: str | None = None
    until: str | None = None
    deadline: str | None = None


def sync(connection: Connection, target: Target, options: SyncOptions, console: Console) -> SyncResult:
    """Runs one sync.

    Args:
        connection: Which Gong account.
        target: Which warehouse.
        options: What to read.
        console: Where progress is drawn.

    Raises:
        UsageError: A setting or option cannot be used.
        LockHeldError: Another run works on the same connection and warehouse.
    """
    run = SyncJob(connection, target, options)
    with run_lock(target.folder / f"{connection.name}.lock", run.run_id):
        with show_progress(run.metrics, console) as stage:
            run.execute(stage)
        return run.summary()


class SyncJob:
    """One sync from restored state to ledger row."""

    def __init__(self, connection: Connection, target: Target, options: SyncOptions) -> None:
        self.metrics = RunMetrics()
        self._connection = connection
        self._target = target
        self._options = options
        self._started = truncate_to_millisecond(datetime.now(UTC))
        self.run_id = runs.new_run_id(self._started)
        self._clock = time.monotonic()
        self._loaded: Counter[str] = Counter()
        self._failure: str | None = None
        self._warning: str | None = None
        self._window: Window | None = None
        self._owed = self._set_aside = 0
        self._folder = target.folder / connection.name
        self._quota = connection.settings.requests_per_day
        self._patience = connection.transcript_retry_period
        self._bookmark: datetime | None = None
        self._pipeline: dlt.Pipeline | None = None
        self._kept_open = ExitStack()
        self._ledger: RunLog | None = None
        self._unfinished: tuple[str | None, datetime | None] = None, None
        self._deadline = parse_deadline(options.deadline, self._started)
        # Building the source checks every setting, before anything is opened.
        connection.source()

    def execute(self, stage: Stage) -> None:
        """Reads and loads until the window is complete or something ends the run."""
        with self._kept_open:
            try:
                self._set_aside = unfinished_loads(self._folder)
                self._pipeline = pipeline = restore_pipeline(self._connection, self._target, self._folder)
                self._kept_open.enter_context(hold_connection(pipeline, self._target))
                with server_lock(pipeline, self._connection.name) as holder:
                    if holder is not None:
                        raise LockHeldError(f"another run holds the lock: {holder}")
                    self._bookmark = bookmark(pipeline, self._connection)
                    self._ledger = RunLog(pipeline, self._target)
                    self._quota -= self._ledger.requests_today(self._connection.name, self._started)
                    self._note_progress()
                    self._read_and_load(pipeline, stage)
                    if {"calls", "transcripts"} & set(self._options.select):
                        left = max(0, self._quota - self.metrics.requests)
                        self._warning = no_visible_calls_warning(
                            self._connection, pipeline, self.metrics, self._started, left=left, deadline=self._deadline
                        )
            except (UsageError, ConfigurationError, LockHeldError):
                raise
            except Exception as failure:
                self._failure = root_cause_message(failure)
            stage.name = "writing the ledger"
            self._close()

    def summary(self) -> SyncResult:
        """The run in figures."""
        return SyncResult(
            run_id=self.run_id,
            status=self._status,
            destination=self._target.name,
            dataset=self._target.dataset,
            requests=self.metrics.requests,
            duration_seconds=round(time.monotonic() - self._clock, 3),
            resources={name: self._resource_summary(name) for name in self._options.select},
            calls=self._loaded["calls"],
            transcripts=self._loaded["transcripts"],
            sentences=self._loaded["transcript_sentences"],
            private_excluded=len(self.metrics.private_calls),
            pending_transcripts=self._owed,
            rejected=self.metrics.rejected.total(),
            abandoned_loads=self._set_aside,
            bookmark=self._bookmark,
            reason=self._reason,
            warning=self._warning,
            tables={name: rows for name, rows in self._loaded.items() if rows},
        )

    def _read_and_load(self, pipeline: dlt.Pipeline, stage: Stage) -> None:
        with_calls = [name for name in ("calls", "transcripts") if name in self._options.select]
        plan = self._plan(pipeline, with_calls)
        names: Sequence[str] = self._options.select
        with BackgroundReader(_SECONDS_BETWEEN_LOADS) as background:
            source = self._source(replace(plan, background=background))
            while True:
                stage.name = "reading"
                pipeline.extract(source.with_resources(*names))
                for error in self.metrics.failed.values():
                    # Nothing is made for a key that never worked.
                    if isinstance(error, AuthenticationError) and not self.metrics.rows.total():
                        raise error
                began = time.monotonic()
                stage.name = "loading"
                self._load(pipeline, self._window)
                if not background.exhausted:
                    checkpoint(pipeline)
                background.load_seconds = time.monotonic() - began
                background.seconds = max(_SECONDS_BETWEEN_LOADS, 3 * background.load_seconds)
                if background.exhausted:
                    return
                # The next part of the calls, read meanwhile; lists have been read whole.
                names = with_calls

    def _load(self, pipeline: dlt.Pipeline, window: Window | None) -> None:
        self._note_progress()
        pipeline.normalize()
        if not self._loaded:
            # A load creates the tables it has rows for; this makes all of them exist from the first one on.
            pipeline.sync_schema()
            self._kept_open.enter_context(hold_connection(pipeline, self._target))
        # Should the run be killed from here on, its load is known.
        load_id = next(iter(pipeline.list_normalized_load_packages()), None)
        self._unfinished = load_id, window.since if load_id and window else None
        self._note_progress()
        pipeline.load()
        self._unfinished = None, None
        self._loaded = Counter(self.metrics.rows)
        self._bookmark = bookmark(pipeline, self._connection)

    def _note_progress(self) -> None:
        """So that the requests of a run that is killed are counted all the same."""
        if self._ledger is not None:
            self._ledger.write(self._ledger_row("running"))

    def _plan(self, pipeline: dlt.Pipeline, with_calls: Sequence[str]) -> ExtractRun:
        """Return what to read: the window, the pending transcripts, and the hashes of what the warehouse has."""
        # Missing transcripts are known by id, so the bookmark of `calls` alone decides where to read.
        states = [resource_state(pipeline, self._connection, name) for name in with_calls[:1]]
        window = self._window = resolve_window(
            self._connection, states, self._started, since=self._options.since, until=self._options.until
        )
        run = ExtractRun(
            windows=[window],
            date_window=window if self._options.since or self._options.until else None,
            initial_load=not dataset_exists(pipeline, self._target),
            requests_left=max(0, self._quota),
            deadline=self._deadline,
            metrics=self.metrics,
        )
        if run.initial_load:
            return run
        with sql_client(pipeline) as sql:
            interrupted = runs.interrupted(sql, self._connection.name, window.since, window.until)
            return replace(
                run,
                known_hashes=self._known_hashes(sql, with_calls, interrupted=interrupted),
                state_is_current=not interrupted,
                pending_transcripts=self._owed_ids(pipeline, sql) if "transcripts" in with_calls else (),
            )

    def _known_hashes(self, sql: loaded.Sql, with_calls: Sequence[str], *, interrupted: bool) -> KnownHashes:
        """Return the content hashes in the warehouse; after an interrupted load those of calls cannot be trusted."""
        if not with_calls:
            return KnownHashes()
        trusted = ("_rejected",) if interrupted else ("calls", "transcripts", "_rejected")
        return KnownHashes.from_batches(
            {resource: loaded.read_known_hashes(sql, resource) for resource in trusted},
            stale=("calls", "transcripts") if interrupted else (),
        )

    def _owed_ids(self, pipeline: dlt.Pipeline, sql: loaded.Sql) -> list[str]:
        asked_until = bookmark(pipeline, self._connection, "transcripts")
        since = pending_since(self._patience, asked_until, self._started)
        owed = loaded.pending_transcripts(sql, since, private_too=self._connection.includes_private_calls)
        return [call.id for call in owed]

    def _source(self, run: ExtractRun) -> DltSource:
        source = self._connection.source(run)
        tables = {name: TABLES_BY_RESOURCE[name] for name in (*RESOURCES, *self._options.select)}
        for table in table_schemas(tables, append=run.initial_load):
            source.schema.update_table(table)
        add_run_log_tables(source.schema)
        return source

    def _close(self) -> None:
        pipeline, ledger = self._pipeline, self._ledger
        if pipeline is None or ledger is None or not dataset_exists(pipeline, self._target):
            return
        try:
            with sql_client(pipeline) as sql:
                self._owed = len(self._owed_ids(pipeline, sql))
            ledger.close(self._ledger_row(self._status))
        except DatabaseException as failure:
            self._failure = (
                self._failure or f"the run could not be written to {runs.TABLE}: {root_cause_message(failure)}"
            )

    def _ledger_row(self, status: str) -> runs.Run:
        return runs.Run(
            run_id=self.run_id,
            connection=self._connection.name,
            command="sync",
            status=status,
            started_at=self._started,
            window_since=self._window.since if self._window else None,
            window_until=self._window.until if self._window else None,
            bookmark=self._bookmark,
            requests=self.metrics.requests,
            rows_written=self._loaded.total(),
            calls=self._loaded["calls"],
            transcripts=self._loaded["transcripts"],
            sentences=self._loaded["transcript_sentences"],
            private_excluded=len(self.metrics.private_calls),
            rejected=self.metrics.rejected.total(),
            reason=self._reason or self._warning,
            unfinished_load=self._unfinished[0],
            unfinished_since=self._unfinished[1],
        )

    @property
    def _status(self) -> Status:
        if self._failure is not None or self.metrics.failed:
            return "failed"
        return "stopped" if self.metrics.stopped else "done"

    @property
    def _reason(self) -> str | None:
        of_error: dict[str, list[str]] = {}
        for name, error in self.metrics.failed.items():
            of_error.setdefault(str(error), []).append(name)
        failed = [f"{', '.join(names)}: {error}" for error, names in of_error.items()]
        return self._failure or "; ".join(failed) or self.metrics.stopped

    def _resource_summary(self, name: str) -> ResourceResult:
        rows = sum(self._loaded[table] for table in table_names(name))
        if name in self.metrics.failed or self._failure is not None:
            return ResourceResult("failed", rows, str(self.metrics.failed.get(name, self._failure)))
        if name in self.metrics.skipped:
            return ResourceResult("skipped", rows, self.metrics.skipped[name])
        return ResourceResult("loaded", rows)
