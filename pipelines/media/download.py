"""`gong-elt download-media`: copy recordings of the calls in the warehouse to a folder or bucket.

Each recording is added to `_media` once it is complete, and is then not downloaded again, so a run that was stopped or
killed is simply repeated. Links are requested just before they are used, because Gong signs them for eight hours.
Recordings of calls that were deleted in Gong or turned private are removed first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import dlt
import pendulum
from dlt.common.runtime.run_context import active
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

from destinations.recording_store import RecordingStore, RecordingStoreError
from destinations.warehouse import sql_client
from sources.gong import GongClient
from sources.gong.api.endpoint import PAGE_SIZE
from sources.gong.api.retry import MAX_LINKS_PER_RECORDING
from sources.gong.api.urls import is_loopback
from sources.gong.calls.lookup import MEDIA_KINDS, find_media_links
from sources.gong.tables.records import is_valid_id
from state import media
from state.media import RecordedCall, Recording
from state.sql import batches

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.job import Job, RunColumns
from ..runtime.run_log import create_state_tables
from ..runtime.run_options import parse_window
from ..runtime.target import Target
from ..runtime.warehouse_session import restore_loaded_pipeline
from .download_result import DownloadResult, FailedRecording
from .downloader import Downloader, DownloadError, MediaLinkExpiredError, file_name, media_client

COMMAND = "download-media"
_PARALLEL_CALLS = 3
_DEFAULT_PERIOD = pendulum.duration(days=30)


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """Options of one download.

    Attributes:
        to: A folder, or s3://bucket/prefix.
        kind: `audio`, `video` or `all`.
        since, until: Effective time of the calls; by default the last 30 days.
        deadline: Duration or time after which no download is started.
    """

    to: str
    kind: str = "all"
    since: str | None = None
    until: str | None = None
    deadline: str | None = None


def download_media(
    connection: Connection, target: Target, options: DownloadOptions, console: Console
) -> DownloadResult:
    """Run one download.

    Args:
        connection: The Gong account.
        target: The warehouse with the calls and `_media`.
        options: What to download.
        console: Where progress is drawn.

    Raises:
        UsageError: If a setting or option is invalid, or nothing was loaded yet.
        RecordingStoreError: If the folder or bucket cannot be used.
        LockHeldError: If another run works on the same connection and dataset.
    """
    job = Job(COMMAND, connection, target, options.deadline)
    run = DownloadJob(job, options, console)
    # Building a client validates the settings, before anything is opened.
    connection.client()
    with job.lock():
        return run.run()


class DownloadJob:
    """One download: remove recordings that must not remain, find the missing ones, download them."""

    _pipeline: dlt.Pipeline

    def __init__(self, job: Job, options: DownloadOptions, console: Console) -> None:
        if options.kind not in ("all", *MEDIA_KINDS.values()):
            raise UsageError(f"--kind {options.kind!r} is unknown: use all, {' or '.join(MEDIA_KINDS.values())}")
        self._job, self._options = job, options
        self._connection, self._target = job.connection, job.target
        self._kinds = set(MEDIA_KINDS.values()) if options.kind == "all" else {options.kind}
        self._window = parse_window(
            options.since, options.until, since=job.started_at - _DEFAULT_PERIOD, until=job.started_at
        )
        self._store = RecordingStore(options.to)
        self._calls = self._files = self._bytes = self._already_there = self._removed = self._without_media = 0
        self._failed: list[FailedRecording] = []
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            DownloadColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def run(self) -> DownloadResult:
        """Download what is missing; return the figures, also if the run ends early."""
        folder = self._job.folder("-media")
        pipeline = self._pipeline = restore_loaded_pipeline(self._connection, self._target, folder)
        with self._target.warehouse.hold():
            create_state_tables(pipeline, self._connection)
        with self._job.open_run_log(pipeline, tables_exist=True):
            client = self._job.client()
            self._job.write_progress(**self._columns())
            with self._job.keep_errors():
                self._remove_orphaned()
                with self._progress:
                    asyncio.run(self._download_missing(client, self._find_missing()))
            self._job.has_failures = bool(self._failed)
            result = self._result()
            self._job.write_end(**self._columns())
        return result

    def _remove_orphaned(self) -> None:
        """Remove recordings whose call was deleted or turned private."""
        include_private = self._connection.includes_private_calls
        with sql_client(self._pipeline) as sql:
            orphaned = media.orphaned_recordings(sql, include_private=include_private)
        for call_id, kind, uri in orphaned:
            try:
                self._store.remove(uri)
            except RecordingStoreError as error:
                self._failed.append(
                    FailedRecording(call_id, kind, f"its call was deleted or turned private, but {error}")
                )
                continue
            with sql_client(self._pipeline) as sql:
                media.delete_recording(sql, call_id, kind)
            self._removed += 1

    def _find_missing(self) -> dict[str, set[str]]:
        """Return the kinds of recordings that are missing, by call."""
        missing = {}
        window, include_private = self._window, self._connection.includes_private_calls
        with sql_client(self._pipeline) as sql:
            calls = media.recorded_calls(sql, window.since, window.until, include_private=include_private)
        for call in calls:
            if not is_valid_id(call.id):
                continue
            self._calls += 1
            if kinds := self._missing_kinds(call):
                missing[call.id] = kinds
        return missing

    def _missing_kinds(self, call: RecordedCall) -> set[str]:
        # Gong sends Video for a call with both kinds, and Audio for one without a picture.
        kinds = self._kinds if call.media == "Video" else self._kinds & {"audio"}
        stored = {kind for kind in kinds if kind in call.uris and self._store.has(call.uris[kind])}
        self._already_there += len(stored)
        return kinds - stored

    async def _download_missing(self, client: GongClient, missing: Mapping[str, set[str]]) -> None:
        bar = self._progress.add_task("calls", total=len(missing))
        async with client.session(), media_client() as http:
            downloader = Downloader(
                http,
                self._store,
                backoff_factor=float(active().runtime_config.request_backoff_factor),
                allows_loopback=is_loopback(self._connection.settings.base_url),
                on_bytes=self._count_bytes,
            )
            for batch in batches(list(missing), PAGE_SIZE):
                links = await find_media_links(client, batch)
                self._job.write_progress(**self._columns())
                semaphore = asyncio.Semaphore(_PARALLEL_CALLS)
                async with asyncio.TaskGroup() as group:
                    for call_id in batch:
                        self._without_media += call_id not in links
                        wanted = {
                            kind: link for kind, link in links.get(call_id, {}).items() if kind in missing[call_id]
                        }
                        group.create_task(self._download_call(client, downloader, call_id, wanted, semaphore))
                self._progress.advance(bar, len(batch))

    async def _download_call(
        self,
        client: GongClient,
        downloader: Downloader,
        call_id: str,
        links: Mapping[str, str],
        semaphore: asyncio.Semaphore,
    ) -> None:
        async with semaphore:
            for kind, link in links.items():
                client.rate_limiter.check_deadline()
                await self._download_recording(client, downloader, call_id, kind, link)

    async def _download_recording(
        self, client: GongClient, downloader: Downloader, call_id: str, kind: str, link: str
    ) -> None:
        name = file_name(call_id, kind, link)
        for attempt in range(1, MAX_LINKS_PER_RECORDING + 1):
            try:
                size_bytes, digest = await downloader.download(link, name)
                break
            except MediaLinkExpiredError as error:
                new_links = await find_media_links(client, [call_id]) if attempt < MAX_LINKS_PER_RECORDING else {}
                if kind not in new_links.get(call_id, {}):
                    self._failed.append(FailedRecording(call_id, kind, f"the host rejects Gong's links: {error}"))
                    return
                link = new_links[call_id][kind]
            except DownloadError as error:
                self._failed.append(FailedRecording(call_id, kind, str(error)))
                return
        uri = self._store.complete(name)
        recording = Recording(
            call_id, kind, uri, size_bytes, digest, datetime.now(UTC), self._connection.name, self._job.run_id
        )
        # Other processes can use a file while the next recording is downloaded.
        with sql_client(self._pipeline) as sql:
            media.save_recording(sql, recording)
        self._files += 1

    def _count_bytes(self, count: int) -> None:
        self._bytes += count

    def _result(self) -> DownloadResult:
        return DownloadResult(
            **self._job.figures(),
            to=self._options.to,
            calls=self._calls,
            files=self._files,
            bytes=self._bytes,
            already_there=self._already_there,
            without_media=self._without_media,
            removed=self._removed,
            failed=self._failed,
        )

    def _columns(self) -> RunColumns:
        return RunColumns(window_since=self._window.since, window_until=self._window.until, rows_written=self._files)
