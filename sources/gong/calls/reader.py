"""Read windows of calls and their transcripts: several windows in flight, pages converted while the next ones arrive.

One reader serves both resources, because a transcript is requested by the ids of calls just read, and only the call
record shows whether the call is private. A window with many calls is split, so that several cursor chains run at once:
a single chain, which waits for each response, would leave most of the quota unused.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import pyarrow as pa

from ..api.client import GongClient
from ..api.retry import restart_on_expired_cursor
from ..errors import CursorExpiredError, GongError
from ..extract.background import ReadProgress
from ..extract.buffer import Batch, BatchBuffer
from ..extract.load_pacer import LoadPacer
from ..incremental.windows import Frontier, Window
from .endpoints import CALLS
from .request import CallRequest
from .transcript_reader import TranscriptReader, queued_without_time
from .transformer import CallTransformer, TranscriptTransformer, TransformedPage

_WINDOWS_IN_FLIGHT = 6
_SPLIT_THRESHOLD, _CALLS_PER_WINDOW = 1_500, 600
_MAX_PARTS = 16
"""A part that is still long is split again at its own first page."""
_SHORTEST_WINDOW = timedelta(minutes=1)

T = TypeVar("T")


class CallReader:
    """Read windows of calls, and the transcripts of these calls, once.

    Args:
        client: Client of the Gong API.
        request: Which calls to read, and how much of each.
        call_transformer: Converts pages of calls to tables.
        transcript_transformer: Converts pages of transcripts; None to read no transcripts.
        windows: Effective time to read, at least one window.
        pending_transcripts: Ids of calls outside the windows whose transcript is requested again.
        previous_bookmarks: Bookmarks by resource before this read.
    """

    def __init__(
        self,
        client: GongClient,
        request: CallRequest,
        call_transformer: CallTransformer,
        transcript_transformer: TranscriptTransformer | None,
        *,
        windows: Sequence[Window],
        pending_transcripts: Sequence[str] = (),
        previous_bookmarks: Mapping[str, datetime | None] | None = None,
    ) -> None:
        self._client = client
        self._request = request
        self._transformer = call_transformer
        self._windows = windows
        self._pending_transcripts = pending_transcripts if transcript_transformer else ()
        self._previous_bookmarks = previous_bookmarks or {}
        self._error: GongError | None = None
        self._queue = deque(sorted(windows))
        self._frontier = Frontier(windows)
        self._expected_calls: dict[Window, int] = {}
        self._windows_in_flight = 0
        self._pacer = LoadPacer(client.rate_limiter.seconds_per_request)
        self._buffer = BatchBuffer()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gong-transform")
        self._transcripts = None
        if transcript_transformer is not None:
            self._transcripts = TranscriptReader(
                client,
                transcript_transformer,
                run_in_thread=self._run_in_thread,
                emit=lambda tables: self._buffer.put({"transcripts": tables}),
                on_response=self._expect_end,
            )

    async def read(self) -> None:
        """Read everything into the buffer that `get` takes batches from.

        A Gong error ends the reading early but raises no exception, so that complete pages are kept: see
        `ReadProgress.calls_error` and `ReadProgress.transcripts_error`.
        """
        try:
            async with self._client.session(), asyncio.TaskGroup() as group:
                self._start_windows(group)
        finally:
            self._buffer.close()
            self._thread.shutdown(wait=True, cancel_futures=True)

    async def get(self, until: float, load_seconds: float = 0.0) -> tuple[list[Batch], ReadProgress | None]:
        """Return rows that have been read. Call it from the event loop of `read`.

        Args:
            until: When the current load should begin, by the monotonic clock.
            load_seconds: How long a load takes.

        Returns:
            Batches, and the progress if a load should begin with them; else None.
        """
        batches, ends = await self._buffer.get(lambda: self._pacer.batch_end(until, load_seconds, time.monotonic()))
        # Nothing is awaited between the two: rows count as read once they are in the buffer.
        return batches, self._progress() if ends else None

    def _progress(self) -> ReadProgress:
        calls_complete_until = self._frontier.complete_until
        begin = min(window.since for window in self._windows)
        incomplete = self._transcripts.incomplete_times() if self._transcripts else []
        # Pending transcripts are requested last. If the run ends before, their bookmark must not move.
        incomplete += [None] * bool(self._pending_transcripts)
        return ReadProgress(
            windows=self._windows,
            calls_complete_until=calls_complete_until,
            transcripts_complete_until=min([calls_complete_until, *(at or begin for at in incomplete)]),
            exhausted=self._buffer.is_drained,
            calls_error=self._error,
            transcripts_error=self._transcripts.error if self._transcripts else None,
            previous_bookmarks=self._previous_bookmarks,
        )

    def _expect_end(self) -> None:
        if not self._queue and not self._windows_in_flight and self._transcripts:
            self._pacer.expect_end(self._transcripts.requests_in_flight, time.monotonic())

    def _start_windows(self, group: asyncio.TaskGroup) -> None:
        while self._queue and self._windows_in_flight < _WINDOWS_IN_FLIGHT and self._error is None:
            self._windows_in_flight += 1
            group.create_task(self._read_window(self._queue.popleft(), group))

    async def _read_window(self, window: Window, group: asyncio.TaskGroup) -> None:
        try:
            # A restarted window returns calls again; the transformer skips those it has seen.
            await restart_on_expired_cursor(partial(self._read_pages, window, group))
        except GongError as error:
            self._error = self._error or error
        finally:
            self._windows_in_flight -= 1
        self._start_windows(group)
        if not self._windows_in_flight:
            self._request_remaining_transcripts(group)

    async def _read_pages(self, window: Window, group: asyncio.TaskGroup) -> None:
        """Read the pages of a window; split the rest of it if it turns out to be long."""
        request, rest, received = self._request, window, 0
        is_ordered = True

        try:
            async with aclosing(
                self._client.paginate(request.endpoint, query=request.query(window), body=request.body(window))
            ) as pages:
                async for page in pages:
                    transform = partial(self._transformer.transform, page.records, basic=request.endpoint is CALLS)
                    transformed = await self._run_in_thread(transform)
                    await self._emit(transformed, group)
                    if not received and window in self._windows:
                        self._transformer.metrics.calls_expected += page.total or 0
                    received += len(page.records)
                    if page.cursor is None:
                        break
                    # An unordered page does not show how far its window has been read.
                    is_ordered = is_ordered and transformed.complete_until is not None
                    unread = rest
                    if not is_ordered:
                        rest = window
                    elif (
                        transformed.complete_until is not None
                        and rest.since < transformed.complete_until < window.until
                    ):
                        rest = Window(transformed.complete_until, window.until)
                    calls_left = (page.total or 0) - received
                    # A part cannot hold more calls than the whole had left: such a total is wrong.
                    is_plausible = calls_left <= self._expected_calls.get(window, calls_left)
                    if parts := _count_parts(rest, calls_left, progress=is_plausible and rest.since > window.since):
                        windows = rest.split(parts)
                        self._expected_calls |= dict.fromkeys(windows, calls_left)
                        self._frontier.replace(unread, windows)
                        self._queue.extendleft(reversed(windows))
                        self._start_windows(group)
                        return
                    self._frontier.replace(unread, [rest])
                    if self._error is not None:
                        return
        except CursorExpiredError:
            self._frontier.replace(rest, [window])
            raise
        self._frontier.replace(rest, [])

    async def _emit(self, page: TransformedPage, group: asyncio.TaskGroup) -> None:
        tables: dict[str, Mapping[str, pa.Table]] = {"calls": page.tables}
        if self._transcripts:
            tables["transcripts"] = page.transcript_tables
        await self._buffer.put(tables)
        if self._transcripts:
            self._transcripts.queue(page.transcript_candidates)
            self._transcripts.request_full_pages(group)

    def _request_remaining_transcripts(self, group: asyncio.TaskGroup) -> None:
        """After all calls: request the transcripts of the last calls, and the pending ones."""
        if self._transcripts:
            pending = [call_id for call_id in self._pending_transcripts if not self._transformer.has_seen(call_id)]
            self._transcripts.queue(queued_without_time(pending))
            self._pending_transcripts = ()
            self._transcripts.request_all(group)
        self._expect_end()

    async def _run_in_thread(self, work: Callable[[], T]) -> T:
        """Convert pages outside of the event loop, one at a time, so that responses keep arriving."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _count_parts(rest: Window, calls: int, *, progress: bool) -> int:
    """Return into how many windows the rest of a window is split; 0 to leave it as it is."""
    if not progress or calls < _SPLIT_THRESHOLD:
        return 0
    parts = min(math.ceil(calls / _CALLS_PER_WINDOW), _MAX_PARTS)
    return parts if (rest.until - rest.since) / parts >= _SHORTEST_WINDOW else 0
