"""Finds calls that Gong no longer has, and erases what the warehouse held of them.

Gong sends no word when a call is deleted. So the ids of each window are compared with Gong's, and each one that
is missing there is asked for by id before anything is erased: a call that was moved in time or to another
workspace is not gone. Progress stands in the warehouse (`_runs`, `_missing_calls`): a run that was stopped or
killed goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar

import dlt
from rich.console import Console

from destinations.erasure import Erasure
from destinations.server_lock import server_lock
from sources.gong import (
    COLUMNS_KEPT_AFTER_DELETION,
    CallLookup,
    ConfigurationError,
    ExtractRun,
    RunMetrics,
    RunStopped,
    Window,
    call_child_tables,
    parse_datetime_setting,
    truncate_to_millisecond,
)
from state import deletions, runs
from state.lock import LockHeldError, run_lock

from ..analytics.derived_data import erase_from_indexes, tables_of_marts
from ..runtime.connection import Connection
from ..runtime.errors import UsageError, root_cause_message
from ..runtime.progress import Stage, show_progress
from ..runtime.run_log import RunLog
from ..runtime.run_options import parse_deadline
from ..runtime.target import Target
from ..runtime.warehouse_session import bookmark, dataset_exists, restore_pipeline
from .reconcile_result import MissingCall, ReconcileResult

T = TypeVar("T")

COMMAND = "reconcile"
_CALLS_PER_WINDOW = 1_000
_WINDOWS_AT_ONCE = 4
_CONFIRMED_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class ReconcileOptions:
    """What a user may say about one reconcile.

    Attributes:
        since, until: Effective time to compare; by default from the oldest call held to the bookmark.
        max_share: Of the calls compared, at most this share is erased.
        force: Erase however many there are.
        dry_run: Find and confirm, erase nothing.
        deadline: How long the run may go on sending requests, or until when.
    """

    since: str | None = None
    until: str | None = None
    max_share: float = 0.05
    force: bool = False
    dry_run: bool = False
    deadline: str | None = None


class Refused(Exception):
    """More would be erased than is allowed without `--force`."""


def reconcile(connection: Connection, target: Target, options: ReconcileOptions, console: Console) -> ReconcileResult:
    """Runs one reconcile.

    Args:
        connection: Which Gong account.
        target: Which warehouse.
        options: How far to go.
        console: Where progress is drawn.

    Raises:
        UsageError: A setting or option cannot be used, or nothing was loaded yet.
        LockHeldError: Another run works on the same connection and warehouse.
    """
    if not 0 <= options.max_share <= 1:
        raise UsageError(f"--max-share {options.max_share:g} is no share: it is between 0 and 1, by default 0.05")
    run = ReconcileJob(connection, target, options)
    with run_lock(target.folder / f"{connection.name}.lock", run.run_id), show_progress(run.metrics, console) as stage:
        return run.execute(stage)


class ReconcileJob:
    """One reconcile: compare, confirm, erase."""

    def __init__(self, connection: Connection, target: Target, options: ReconcileOptions) -> None:
        self._connection = connection
        self._target = target
        self._options = options
        self._started = truncate_to_millisecond(datetime.now(UTC))
        self._clock = time.monotonic()
        self._deadline = parse_deadline(options.deadline, self._started)
        self._private_calls = connection.settings.private_calls
        self.run_id = runs.new_run_id(self._started)
        self.metrics = RunMetrics()
        self._window = Window(self._started, self._started)
        self._compared_until: datetime | None = None
        self._missing: list[MissingCall] = []
        self._private: list[str] = []
        self._held = self._erased = self._untold = 0
        # Building the source checks every setting, before anything is opened.
        connection.source()

    def execute(self, stage: Stage) -> ReconcileResult:
        """Compares, confirms and erases; what ends it early is told in the result."""
        pipeline = restore_pipeline(self._connection, self._target, self._target.folder / self._connection.name)
        if pipeline.default_schema_name is None or not dataset_exists(pipeline, self._target):
            raise UsageError(f"nothing loaded yet into {self._target.name}, dataset {self._target.dataset}: run a sync")
        ledger = RunLog(pipeline, self._target)
        status, reason = "done", None
        try:
            with server_lock(pipeline, self._connection.name) as holder:
                if holder is not None:
                    raise LockHeldError(f"another run holds the lock: {holder}")
                self._choose_window(pipeline)
                ledger.write(self._row("running", None))
                asyncio.run(self._work(pipeline, ledger, stage))
        except (UsageError, ConfigurationError, LockHeldError):
            raise
        except RunStopped as end:
            status, reason = "stopped", str(end)
        except Refused as refusal:
            status, reason = "refused", str(refusal)
        except Exception as failure:
            status, reason = "failed", root_cause_message(failure)
        stage.name = "writing the ledger"
        ledger.close(self._row(status, reason))
        return ReconcileResult(
            run_id=self.run_id,
            status=status,
            destination=self._target.name,
            dataset=self._target.dataset,
            dry_run=self._options.dry_run,
            requests=self.metrics.requests,
            duration_seconds=round(time.monotonic() - self._clock, 3),
            since=self._window.since,
            until=self._window.until,
            compared_until=self._compared_until,
            compared=self._held,
            missing=self._missing,
            turned_private=len(self._private),
            erased=self._erased,
            unverifiable=self._untold,
            reason=reason,
        )

    def _choose_window(self, pipeline: dlt.Pipeline) -> None:
        """The whole range, and how far an earlier run has compared it already."""
        options = self._options
        with pipeline.sql_client() as sql:
            oldest = deletions.first_call(sql)
        until = (
            parse_datetime_setting(options.until, "--until") if options.until else bookmark(pipeline, self._connection)
        )
        until = min(until or self._started, self._started)
        since = parse_datetime_setting(options.since, "--since") if options.since else oldest or until
        if since > until or (since == until and (options.since or options.until)):
            raise UsageError(f"the window is empty: it would begin {since} and end {until}; check --since and --until")
        self._window, self._compared_until = Window(since, until), since

    def _resumed(self, pipeline: dlt.Pipeline) -> bool:
        """Goes on with an unfinished run, if there is one for what the user asks now."""
        with pipeline.sql_client() as sql:
            last = [run for run in runs.latest(sql, self._connection.name, 2, COMMAND) if run.run_id != self.run_id][:1]
            unfinished = bool(last) and last[0].status in ("stopped", "killed", "failed")
            if not unfinished or self._options.since or self._options.until or self._options.dry_run:
                if not self._options.dry_run:
                    deletions.forget(sql, self._connection.name)
                return False
        (run,) = last
        if run.window_since is None or run.window_until is None or run.bookmark is None:
            return False
        self._window, self._compared_until = Window(run.window_since, run.window_until), run.bookmark
        return True

    async def _work(self, pipeline: dlt.Pipeline, ledger: RunLog, stage: Stage) -> None:
        resumed = self._resumed(pipeline)
        settings = self._connection.settings
        client = self._connection.client(
            ExtractRun(metrics=self.metrics, requests_left=self._requests_left(pipeline), deadline=self._deadline)
        )
        presence = CallLookup(client, settings.call_detail, settings.workspace_id)
        async with client.session():
            stage.name = "comparing"
            found = await self._compare(pipeline, presence, ledger)
            if resumed and not self._options.dry_run:
                with pipeline.sql_client() as sql:
                    found = deletions.candidates(sql, self._connection.name)
            stage.name = "confirming"
            gone = await self._confirm(pipeline, presence, found)
            self._untold = len(presence.unverifiable)
        if not self._options.dry_run:
            stage.name = "erasing"
            self._erase(pipeline, gone)

    def _requests_left(self, pipeline: dlt.Pipeline) -> int:
        with pipeline.sql_client() as sql:
            used = runs.requests_today(sql, self._connection.name, self._started)
        return max(0, self._connection.settings.requests_per_day - used)

    async def _compare(self, pipeline: dlt.Pipeline, presence: CallLookup, ledger: RunLog) -> list[str]:
        """Candidates: calls of the window that Gong does not list, window by window."""
        begin, until = self._compared_until or self._window.since, self._window.until
        with pipeline.sql_client() as sql:
            self._held = deletions.held_count(sql, self._window.since, until)
            inner = deletions.edges(sql, begin, until, _CALLS_PER_WINDOW)
        windows = [Window(since, end) for since, end in pairwise([begin, *inner, until]) if since < end]
        candidates: list[str] = []
        for some in _parts(windows, _WINDOWS_AT_ONCE):
            listed = await presence.by_window(some)
            found: list[str] = []
            with pipeline.sql_client() as sql:
                for window, in_gong in zip(some, listed, strict=True):
                    timeless = window.since == self._window.since
                    held = deletions.held_calls(sql, window.since, window.until, timeless=timeless)
                    found += [call_id for call_id in held if call_id not in in_gong]
                    self._note_private(held, in_gong)
                if not self._options.dry_run:
                    deletions.remember(sql, self._connection.name, found, self._started)
            candidates += found
            self._compared_until = some[-1].until
            ledger.write(self._row("running", None))
        return candidates

    async def _confirm(self, pipeline: dlt.Pipeline, presence: CallLookup, candidates: Sequence[str]) -> list[str]:
        """Of the candidates, those that Gong does not know by id either.

        Raises:
            Refused: There are more of them than may be erased.
        """
        options, limit = self._options, self._options.max_share * self._held
        bounded = not options.force and not options.dry_run
        # A record that cannot be read is a call that Gong does show.
        if candidates and len(candidates) >= self._held and not presence.unreadable and bounded:
            raise Refused(
                f"Gong lists none of the {self._held:,} calls that the warehouse holds: a key whose owner may not see"
                " them looks the same. Nothing was erased; look at `gong-elt check`, then use --force if they are gone"
            )
        gone: list[str] = []
        for some in _parts(candidates, _CONFIRMED_AT_ONCE):
            known = await presence.by_id(some)
            gone += [call_id for call_id in some if call_id not in known]
            self._note_private(dict.fromkeys(known, False), known)
            if len(gone) > limit and bounded:
                raise Refused(
                    f"Gong no longer has {len(gone):,}{' or more' if len(gone) < len(candidates) else ''} of"
                    f" {self._held:,} calls, more than --max-share {options.max_share:.0%} allows. Nothing was erased;"
                    " look at them with --dry-run, then use --force if they are gone"
                )
        with pipeline.sql_client() as sql:
            self._missing = [
                # What is about to be erased is not to live on in a log.
                MissingCall(call_id, instant, title if self._options.dry_run else None)
                for call_id, instant, title in deletions.describe_calls(sql, gone)
            ]
        return gone

    def _note_private(self, held: Mapping[str, bool], in_gong: Mapping[str, bool]) -> None:
        private = {call_id: known for call_id, known in held.items() if in_gong.get(call_id)}
        if self._private_calls == "exclude":
            self._private += private
        elif self._private_calls == "metadata":
            self._private += [call_id for call_id, known in private.items() if not known]

    def _erase(self, pipeline: dlt.Pipeline, gone: Sequence[str]) -> None:
        tables = pipeline.default_schema.tables
        erasure = Erasure(
            # What is opt-in has no table before it is read.
            child_tables=[name for name in call_child_tables() if name in tables],
            emptied=[name for name in tables["calls"]["columns"] if name not in COLUMNS_KEPT_AFTER_DELETION],
            derived=tables_of_marts(pipeline),
        )
        with pipeline.sql_client() as sql:
            erasure.mark_deleted(sql, gone, self._started)
            self._erased = len(gone)
            if self._private_calls == "metadata":
                erasure.mark_private(sql, self._private)
            else:
                erasure.remove(sql, self._private)
            deletions.forget(sql, self._connection.name)
        if gone or self._private:
            erase_from_indexes(self._target, [*gone, *self._private], self.run_id)

    def _row(self, status: str, reason: str | None) -> runs.Run:
        return runs.Run(
            run_id=self.run_id,
            connection=self._connection.name,
            command=COMMAND if not self._options.dry_run else f"{COMMAND} --dry-run",
            status=status,
            started_at=self._started,
            window_since=self._window.since,
            window_until=self._window.until,
            bookmark=self._compared_until,
            requests=self.metrics.requests,
            calls=self._erased,
            private_excluded=len(self._private),
            reason=reason,
        )


def _parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[first : first + size] for first in range(0, len(items), size)]
