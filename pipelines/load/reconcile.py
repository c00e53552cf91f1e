"""`gong-elt reconcile`: find calls that Gong no longer has and erase their content in the warehouse.

Gong does not report deletions. The ids of each window are therefore compared with Gong's, and each missing call is
requested by id before anything is erased: a call that was moved in time or to another workspace is not gone. Progress
is kept in the warehouse (`_runs`, `_missing_calls`): a run that was stopped or killed continues where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import dlt
from rich.console import Console

from sources.gong import CallLookup, Window
from state import deletions, runs
from state.sql import batches

from ..analytics.derived_data import erase_from_indexes
from ..analytics.marts_origin import default_datasets
from ..publish.publication import plan_publication
from ..runtime.connection import Connection
from ..runtime.errors import JobRefusedError, UsageError
from ..runtime.job import USER_ERRORS, Job, RunColumns
from ..runtime.progress import Stage, show_progress
from ..runtime.run_options import parse_window
from ..runtime.target import Target
from ..runtime.warehouse_session import resource_bookmark, restore_loaded_pipeline
from .private_calls import create_erasure
from .reconcile_result import MissingCall, ReconcileResult

COMMAND = "reconcile"
_CALLS_PER_WINDOW = 1_000
_WINDOWS_PER_BATCH = 4
_CALLS_PER_CONFIRMATION = 400


@dataclass(frozen=True, slots=True)
class ReconcileOptions:
    """Options of one reconcile.

    Attributes:
        since, until: Effective time to compare; by default from the oldest call in the warehouse to the bookmark.
        max_share: Maximum share of the compared calls that may be erased.
        force: Erase more than `max_share`.
        dry_run: Find and confirm missing calls, but erase nothing.
        deadline: Duration or time after which no request is sent.
        publish: File that becomes a copy of the warehouse's file after the run; unused in a dry run.
    """

    since: str | None = None
    until: str | None = None
    max_share: float = 0.05
    force: bool = False
    dry_run: bool = False
    deadline: str | None = None
    publish: str | None = None


def reconcile(connection: Connection, target: Target, options: ReconcileOptions, console: Console) -> ReconcileResult:
    """Run one reconcile.

    Args:
        connection: The Gong account.
        target: The warehouse.
        options: What to compare and how much to erase.
        console: Where progress is drawn.

    Raises:
        UsageError: If a setting or option is invalid, or nothing was loaded yet.
        LockHeldError: If another run works on the same connection and dataset.
    """
    if not 0 <= options.max_share <= 1:
        raise UsageError(f"--max-share {options.max_share:g} is invalid: use a share between 0 and 1 (default 0.05)")
    publication = plan_publication(target, options.publish, default_datasets(target.dataset))
    job = Job(f"{COMMAND} --dry-run" if options.dry_run else COMMAND, connection, target, options.deadline)
    connection.validate()
    requests_per_second = connection.settings.requests_per_second
    with job.lock(), show_progress(job.metrics, console, requests_per_second) as stage:
        result = ReconcileJob(job, options).run(stage)
        if publication is None or options.dry_run:
            return result
        stage.name = "publishing the copy"
        published = publication.write(job)
        return replace(result, **job.figures(), published=published)


class ReconcileJob:
    """One reconcile: compare, confirm, erase."""

    def __init__(self, job: Job, options: ReconcileOptions) -> None:
        self._job, self._options = job, options
        self._connection, self._target = job.connection, job.target
        self._private_calls = job.connection.settings.private_calls
        self._window = Window(job.started_at, job.started_at)
        self._compared_until: datetime | None = None
        self._missing: list[MissingCall] = []
        self._turned_private: list[str] = []
        self._compared = self._erased = self._unverifiable = 0

    def run(self, stage: Stage) -> ReconcileResult:
        """Compare, confirm and erase; return the figures, also if the run ends early."""
        pipeline = restore_loaded_pipeline(self._connection, self._target, self._job.folder())
        with self._job.keep_errors(reraise=USER_ERRORS), self._job.open_run_log(pipeline):
            self._select_window(pipeline)
            self._job.write_progress(**self._columns())
            asyncio.run(self._compare_and_erase(pipeline, stage))
        stage.name = "writing the run log"
        self._job.write_end(**self._columns())
        return ReconcileResult(
            **self._job.figures(),
            dry_run=self._options.dry_run,
            since=self._window.since,
            until=self._window.until,
            compared_until=self._compared_until,
            compared=self._compared,
            missing=self._missing,
            turned_private=len(self._turned_private),
            erased=self._erased,
            unverifiable=self._unverifiable,
        )

    def _select_window(self, pipeline: dlt.Pipeline) -> None:
        options, now = self._options, self._job.started_at
        with pipeline.sql_client() as sql:
            oldest = deletions.oldest_call_time(sql)
        until = min(resource_bookmark(pipeline, self._connection) or now, now)
        since = oldest or until
        if options.since or options.until or since > until:
            self._window = parse_window(options.since, options.until, since=since, until=until, latest=now)
        else:
            # Empty if the dataset has no calls: then there is nothing to compare.
            self._window = Window(since, until)
        self._compared_until = self._window.since

    def _resume(self, pipeline: dlt.Pipeline) -> bool:
        """Continue an unfinished run with the default window, if there is one; return whether there is."""
        options = self._options
        with pipeline.sql_client() as sql:
            latest = runs.latest(sql, self._connection.name, 2, COMMAND)
            previous = next((run for run in latest if run.run_id != self._job.run_id), None)
            is_unfinished = previous is not None and previous.status in ("stopped", "killed", "failed")
            if previous is None or not is_unfinished or options.since or options.until or options.dry_run:
                if not options.dry_run:
                    deletions.delete_candidates(sql, self._connection.name)
                return False
        if previous.window_since is None or previous.window_until is None or previous.bookmark is None:
            return False
        self._window = Window(previous.window_since, previous.window_until)
        self._compared_until = previous.bookmark
        return True

    async def _compare_and_erase(self, pipeline: dlt.Pipeline, stage: Stage) -> None:
        is_resumed = self._resume(pipeline)
        client = self._job.client()
        settings = self._connection.settings
        lookup = CallLookup(client, settings.call_detail, settings.workspace_id)
        async with client.session():
            stage.name = "comparing"
            candidates = await self._compare(pipeline, lookup)
            if is_resumed and not self._options.dry_run:
                with pipeline.sql_client() as sql:
                    candidates = deletions.read_candidates(sql, self._connection.name)
            stage.name = "confirming"
            missing = await self._confirm(pipeline, lookup, candidates)
            self._unverifiable = len(lookup.unverifiable)
        if not self._options.dry_run:
            stage.name = "erasing"
            self._erase(pipeline, missing)

    async def _compare(self, pipeline: dlt.Pipeline, lookup: CallLookup) -> list[str]:
        """Return the candidates: ids of calls of the window that Gong does not list."""
        start, until = self._compared_until or self._window.since, self._window.until
        with pipeline.sql_client() as sql:
            self._compared = deletions.count_calls(sql, self._window.since, until)
            edges = deletions.window_edges(sql, start, until, _CALLS_PER_WINDOW)
        windows = [Window(since, end) for since, end in pairwise([start, *edges, until]) if since < end]
        candidates: list[str] = []
        for batch in batches(windows, _WINDOWS_PER_BATCH):
            listed = await lookup.by_window(batch)
            unlisted: list[str] = []
            with pipeline.sql_client() as sql:
                for window, in_gong in zip(batch, listed, strict=True):
                    # Calls without a time belong to the first window.
                    is_first = window.since == self._window.since
                    loaded = deletions.private_flags(sql, window.since, window.until, include_timeless=is_first)
                    unlisted += [call_id for call_id in loaded if call_id not in in_gong]
                    self._note_private(loaded, in_gong)
                if not self._options.dry_run:
                    deletions.save_candidates(sql, self._connection.name, unlisted, self._job.started_at)
            candidates += unlisted
            self._compared_until = batch[-1].until
            self._job.write_progress(**self._columns())
        return candidates

    async def _confirm(self, pipeline: dlt.Pipeline, lookup: CallLookup, candidates: Sequence[str]) -> list[str]:
        """Return the candidates that Gong does not know by id either.

        Raises:
            JobRefusedError: If there are more of them than may be erased.
        """
        options, limit = self._options, self._options.max_share * self._compared
        is_limited = not options.force and not options.dry_run
        # Gong shows a call even if its record is malformed.
        if candidates and len(candidates) >= self._compared and not lookup.unreadable and is_limited:
            raise JobRefusedError(
                f"Gong lists none of the {self._compared:,} calls in the warehouse, as for a key whose owner may not"
                " see them. Nothing was erased; run `gong-elt check`, then use --force if the calls are gone"
            )
        missing: list[str] = []
        for batch in batches(candidates, _CALLS_PER_CONFIRMATION):
            in_gong = await lookup.by_id(batch)
            missing += [call_id for call_id in batch if call_id not in in_gong]
            self._note_private(dict.fromkeys(in_gong, False), in_gong)
            if len(missing) > limit and is_limited:
                raise JobRefusedError(
                    f"Gong no longer has {len(missing):,}{' or more' if len(missing) < len(candidates) else ''} of"
                    f" {self._compared:,} calls, more than --max-share {options.max_share:.0%} allows. Nothing was"
                    " erased; review them with --dry-run, then use --force if they are gone"
                )
        with pipeline.sql_client() as sql:
            self._missing = [
                # Titles of calls that are about to be erased must not remain in a log.
                MissingCall(call_id, effective_time, title if options.dry_run else None)
                for call_id, effective_time, title in deletions.describe_calls(sql, missing)
            ]
        return missing

    def _note_private(self, loaded: Mapping[str, bool], in_gong: Mapping[str, bool]) -> None:
        """Collect the calls that are private in Gong and have content in the warehouse that must be removed.

        Args:
            loaded: Whether the warehouse marks a call as private, by id.
            in_gong: Whether Gong marks a call as private, by id.
        """
        private = {call_id: is_marked for call_id, is_marked in loaded.items() if in_gong.get(call_id)}
        if self._private_calls == "exclude":
            self._turned_private += private
        elif self._private_calls == "metadata":
            self._turned_private += [call_id for call_id, is_marked in private.items() if not is_marked]

    def _erase(self, pipeline: dlt.Pipeline, missing: Sequence[str]) -> None:
        erasure = create_erasure(pipeline, self._target)
        self._target.warehouse.confirm_lock()
        with pipeline.sql_client() as sql:
            erasure.mark_deleted(sql, missing, self._job.started_at)
            self._erased = len(missing)
            if self._private_calls == "metadata":
                erasure.mark_private(sql, self._turned_private)
            else:
                erasure.remove(sql, self._turned_private)
            deletions.delete_candidates(sql, self._connection.name)
        if missing or self._turned_private:
            erase_from_indexes(self._target, [*missing, *self._turned_private], self._job.run_id)

    def _columns(self) -> RunColumns:
        return RunColumns(
            window_since=self._window.since,
            window_until=self._window.until,
            bookmark=self._compared_until,
            calls=self._erased,
            private_excluded=len(self._turned_private),
        )
