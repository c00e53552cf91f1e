"""RecordingStore of the calls in the warehouse, into a folder or a bucket; each is in `_media` once it is complete.

Links are asked for just before they are used: Gong signs them for eight hours. What is written down and still there
is not downloaded again, so a run that was stopped or killed is simply run again. RecordingStore of calls that were
deleted in Gong or turned private are removed first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from dlt.common.runtime.run_context import active
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

from destinations.recording_store import RecordingStore, RecordingStoreError
from sources.gong import ExtractRun, GongClient, RunMetrics, RunStopped, parse_datetime_setting, truncate_to_millisecond
from sources.gong.api.endpoint import PAGE_SIZE
from sources.gong.calls.lookup import MEDIA_KINDS, find_media_links
from sources.gong.tables.records import is_valid_id
from state import media, runs
from state.lock import run_lock
from state.media import RecordedCall, Recording
from state.sql import TransactionalSql

from ..runtime.connection import Connection
from ..runtime.errors import UsageError, exception_chain, root_cause_message
from ..runtime.result import Status
from ..runtime.run_log import RunLog, open_run_log
from ..runtime.run_options import parse_deadline
from ..runtime.target import Target
from ..runtime.warehouse_session import dataset_exists, restore_pipeline
from .download_result import DownloadResult, FailedRecording
from .downloader import DownloadError, MediaLinkExpiredError, download, file_name, media_host

COMMAND = "download-media"
_AT_ONCE = 3
_DAYS_BACK = 30
_LINKS_A_RECORDING = 2


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """What a user may say about one download.

    Attributes:
        to: A folder, or s3://bucket/prefix.
        kind: `audio`, `video` or `all`.
        since, until: Effective time of the calls; by default the last 30 days.
        deadline: How long the run may go on beginning downloads, or until when.
    """

    to: str
    kind: str = "all"
    since: str | None = None
    until: str | None = None
    deadline: str | None = None


def download_media(
    connection: Connection, target: Target, options: DownloadOptions, console: Console
) -> DownloadResult:
    """Runs one download.

    Args:
        connection: Which Gong account.
        target: The warehouse that says which calls there are, and keeps `_media`.
        options: What to download.
        console: Where progress is drawn.

    Raises:
        UsageError: A setting or option cannot be used, or nothing was loaded yet.
        RecordingStoreError: RecordingStore cannot be kept there.
        LockHeldError: Another run works on the same connection and warehouse.
    """
    run = DownloadJob(connection, target, options, console)
    with run_lock(target.folder / f"{connection.name}.lock", run.run_id):
        return run.executed()


class DownloadJob:
    """One download: remove what must not stay, find what is missing, bring it."""

    _sql: TransactionalSql
    _ledger: RunLog

    def __init__(self, connection: Connection, target: Target, options: DownloadOptions, console: Console) -> None:
        self._connection, self._target, self._options = connection, target, options
        self._started = truncate_to_millisecond(datetime.now(UTC))
        self._clock = time.monotonic()
        self._deadline = parse_deadline(options.deadline, self._started)
        self.run_id = runs.new_run_id(self._started)
        self._metrics = RunMetrics()
        if options.kind not in ("all", *MEDIA_KINDS.values()):
            raise UsageError(f"--kind {options.kind!r} is unknown: it is one of all, {', '.join(MEDIA_KINDS.values())}")
        self._kinds = set(MEDIA_KINDS.values()) if options.kind == "all" else {options.kind}
        self._since = (
            parse_datetime_setting(options.since, "--since")
            if options.since
            else self._started - timedelta(days=_DAYS_BACK)
        )
        self._until = parse_datetime_setting(options.until, "--until") if options.until else self._started
        if self._since >= self._until:
            raise UsageError(f"the window is empty: it would begin {self._since} and end {self._until}")
        self._recordings = RecordingStore(options.to)
        # A setting that cannot be used is told before anything is opened.
        connection.client()
        self._backoff = float(active().runtime_config.request_backoff_factor)
        self._folder = target.folder / f"{connection.name}-media"
        self._calls = self._files = self._bytes = self._held = self._removed = self._without = 0
        self._failed: list[FailedRecording] = []
        self._ended_by: Exception | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            DownloadColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def executed(self) -> DownloadResult:
        """Everything that is missing, as far as it comes; what ends it early is told in the result."""
        pipeline = restore_pipeline(self._connection, self._target, self._folder)
        if pipeline.default_schema_name is None or not dataset_exists(pipeline, self._target):
            raise UsageError(f"nothing loaded yet into {self._target.name}, dataset {self._target.dataset}: run a sync")
        with open_run_log(pipeline, self._connection, self._target) as (self._sql, self._ledger):
            left = self._connection.settings.requests_per_day
            left -= self._ledger.requests_today(self._connection.name, self._started)
            client = self._connection.client(
                ExtractRun(metrics=self._metrics, requests_left=max(0, left), deadline=self._deadline)
            )
            self._ledger.write(self._row("running", None))
            try:
                self._remove_outlived()
                with self._progress:
                    asyncio.run(self._bring(client, self._missing()))
            except Exception as failure:
                self._ended_by = failure
            outcome = self._outcome()
            self._ledger.close(self._row(outcome.status, outcome.reason))
        return outcome

    def _remove_outlived(self) -> None:
        for call_id, kind, uri in media.orphaned_recordings(
            self._sql, private_too=self._connection.includes_private_calls
        ):
            try:
                self._recordings.remove(uri)
            except RecordingStoreError as refusal:
                self._failed.append(FailedRecording(call_id, kind, f"its call is gone or private, and {refusal}"))
                continue
            media.forget(self._sql, call_id, kind)
            self._removed += 1

    def _missing(self) -> dict[str, set[str]]:
        """Kinds of recordings that are missing, by call."""
        missing = {}
        private_too = self._connection.includes_private_calls
        for call in media.recorded_calls(self._sql, self._since, self._until, private_too=private_too):
            if not is_valid_id(call.id):
                continue
            self._calls += 1
            if kinds := self._missing_kinds(call):
                missing[call.id] = kinds
        return missing

    def _missing_kinds(self, call: RecordedCall) -> set[str]:
        # Gong says Video of a call that has both, and Audio of one that has no picture.
        there = self._kinds if call.media == "Video" else self._kinds & {"audio"}
        held = {kind for kind in there if kind in call.held and self._recordings.holds(call.held[kind])}
        self._held += len(held)
        return there - held

    async def _bring(self, client: GongClient, missing: Mapping[str, set[str]]) -> None:
        bar, calls = self._progress.add_task("calls", total=len(missing)), list(missing)
        async with client.session(), media_host() as host:
            for first in range(0, len(calls), PAGE_SIZE):
                some = calls[first : first + PAGE_SIZE]
                links = await find_media_links(client, some)
                self._ledger.write(self._row("running", None))
                turn = asyncio.Semaphore(_AT_ONCE)
                async with asyncio.TaskGroup() as group:
                    for call_id in some:
                        self._without += call_id not in links
                        wanted = {
                            kind: link for kind, link in links.get(call_id, {}).items() if kind in missing[call_id]
                        }
                        group.create_task(self._bring_call(client, host, call_id, wanted, turn))
                self._progress.advance(bar, len(some))

    async def _bring_call(
        self,
        client: GongClient,
        host: httpx.AsyncClient,
        call_id: str,
        links: Mapping[str, str],
        turn: asyncio.Semaphore,
    ) -> None:
        async with turn:
            for kind, link in links.items():
                client.rate_limiter.check_deadline()
                await self._bring_recording(client, host, call_id, kind, link)

    async def _bring_recording(
        self, client: GongClient, host: httpx.AsyncClient, call_id: str, kind: str, link: str
    ) -> None:
        name = file_name(call_id, kind, link)
        for links_used in range(1, _LINKS_A_RECORDING + 1):
            try:
                size, digest = await download(
                    host, link, self._recordings, name, backoff=self._backoff, came=self._count
                )
                break
            except MediaLinkExpiredError as end:
                again = await find_media_links(client, [call_id]) if links_used < _LINKS_A_RECORDING else {}
                if kind not in again.get(call_id, {}):
                    self._failed.append(
                        FailedRecording(call_id, kind, f"its host takes no link that Gong gives: {end}")
                    )
                    return
                link = again[call_id][kind]
            except DownloadError as failure:
                self._failed.append(FailedRecording(call_id, kind, str(failure)))
                return
        uri = self._recordings.complete(name)
        media.record(
            self._sql,
            Recording(call_id, kind, uri, size, digest, datetime.now(UTC), self._connection.name, self.run_id),
        )
        self._files += 1

    def _count(self, came: int) -> None:
        self._bytes += came

    def _outcome(self) -> DownloadResult:
        status: Status = "failed" if self._failed or self._ended_by is not None else "done"
        if any(isinstance(cause, RunStopped) for cause in exception_chain(self._ended_by)):
            status = "stopped"
        return DownloadResult(
            run_id=self.run_id,
            status=status,
            destination=self._target.name,
            dataset=self._target.dataset,
            to=self._options.to,
            calls=self._calls,
            files=self._files,
            bytes=self._bytes,
            already_there=self._held,
            without_media=self._without,
            removed=self._removed,
            failed=self._failed,
            requests=self._metrics.requests,
            duration_seconds=round(time.monotonic() - self._clock, 3),
            reason=None if self._ended_by is None else root_cause_message(self._ended_by),
        )

    def _row(self, status: str, reason: str | None) -> runs.Run:
        return runs.Run(
            run_id=self.run_id,
            connection=self._connection.name,
            command=COMMAND,
            status=status,
            started_at=self._started,
            window_since=self._since,
            window_until=self._until,
            requests=self._metrics.requests,
            rows_written=self._files,
            reason=reason,
        )
