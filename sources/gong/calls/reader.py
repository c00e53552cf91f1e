"""Calls and their transcripts out of Gong: windows in flight, pages shaped while the next ones travel.

One feed serves both resources, because a transcript is asked for by the ids of calls just read, and because
only the call says whether it is private. A window that holds many calls is cut, so that several cursor
chains run at once: one chain alone, waiting for each answer, would leave most of the quota unused.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from ..api.client import GongClient
from ..api.endpoint import CALLS, PAGE_SIZE, TRANSCRIPTS
from ..api.retry import MAX_RESTARTS, restart_on_expired_cursor
from ..errors import CursorExpiredError, GongError
from ..extract.background import ReadProgress
from ..extract.buffer import Batch, BatchBuffer
from ..incremental.windows import Window, watermark
from ..tables.records import is_valid_id
from .request import CallRequest
from .transformer import CallTransformer, TransformedPage

_WINDOWS_IN_FLIGHT = 6
_TRANSCRIPT_REQUESTS_IN_FLIGHT = 6
_SPLIT_THRESHOLD, _CALLS_PER_WINDOW = 1_500, 600
# A part that is still long is cut again at its own first page.
_MOST_PARTS = 16
_SHORTEST_WINDOW = timedelta(minutes=1)
# A load takes up to so many times as long as the one before it, and begins up to so many seconds late. What comes
# within so many seconds is no reason for one more load.
_LOADS_VARY, _LOAD_START_SLACK_SECONDS, _IGNORE_DELAY_SECONDS = 1.8, 0.3, 1.0

T = TypeVar("T")


class CallReader:
    """Reads windows of calls, and the transcripts of these calls, once.

    Args:
        client: Talks to Gong.
        request: Which calls, how much of each.
        shaper: Turns pages into tables and knows what the warehouse has.
        windows: Effective time to read, at least one window.
        pending: Calls outside the windows whose transcript is asked for again.
        transcripts: Whether transcripts are read at all.

    Attributes:
        windows: As given.
        ended_by: What ended the reading of calls early, if anything did.
        transcripts_ended_by: What ended the asking for transcripts early, if anything did.
    """

    def __init__(
        self,
        client: GongClient,
        request: CallRequest,
        shaper: CallTransformer,
        *,
        windows: Sequence[Window],
        pending: Sequence[str] = (),
        transcripts: bool = True,
    ) -> None:
        self._client = client
        self._request = request
        self._shaper = shaper
        self.windows = windows
        self._pending = pending
        self._transcripts = transcripts
        self.ended_by: GongError | None = None
        self.transcripts_ended_by: GongError | None = None
        self._waiting = deque(sorted(windows))
        self._unread = list(self._waiting)
        self._totals: dict[Window, int] = {}
        self._in_flight = 0
        self._ids: deque[tuple[str, datetime | None]] = deque()
        self._invalid_ids: deque[tuple[str, datetime | None]] = deque()
        self._asking: list[Mapping[str, datetime | None]] = []
        # By the monotonic clock, at the company's rate; infinite as long as calls are read.
        self._end_expected = math.inf
        self._unasked: list[datetime | None] = []
        self._buffer = BatchBuffer()
        self._permits = asyncio.Semaphore(_TRANSCRIPT_REQUESTS_IN_FLIGHT)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gong-shape")

    async def read(self) -> None:
        """Reads everything, into what `take` takes from.

        What Gong refuses ends the reading early but without an exception, so that complete pages are kept:
        `ended_by` and `transcripts_ended_by` say why.
        """
        try:
            async with self._client.session(), asyncio.TaskGroup() as group:
                self._begin_windows(group)
        finally:
            self._buffer.close()
            # A page that is being shaped may be asking the warehouse, which is closed next.
            self._thread.shutdown(wait=True, cancel_futures=True)

    async def get(self, until: float, load_seconds: float = 0.0) -> tuple[list[Batch], ReadProgress | None]:
        """Some of what has been read; from the same event loop as `read`.

        Args:
            until: By the monotonic clock; then a part ends.
            load_seconds: How long the load of a part takes.

        Returns:
            Batches, and where a part ends with them, how far all batches up to now reach.
        """
        batches, ends = await self._buffer.get(lambda: self._end_of_part(until, load_seconds))
        # Nothing is awaited in between: rows count as read once they have been put.
        return batches, self._reached() if ends else None

    def _end_of_part(self, until: float, load_seconds: float) -> float:
        """When a part ends, so that no load is under way when the last answer comes, and the last load is short."""
        last = self._end_expected - _LOADS_VARY * load_seconds
        if until + load_seconds < last or until == math.inf:
            return until
        return last if time.monotonic() < last + _LOAD_START_SLACK_SECONDS else math.inf

    def _expect_end(self) -> None:
        if not self._waiting and not self._in_flight:
            left = len(self._asking) * self._client.rate_limiter.seconds_per_request
            if left > _IGNORE_DELAY_SECONDS or self._end_expected < math.inf:
                self._end_expected = time.monotonic() + left

    def _reached(self) -> ReadProgress:
        calls_complete_until = watermark(self.windows, self._unread)
        begin = min(window.since for window in self.windows)
        on_their_way = [moment for _, moment in (*self._ids, *self._invalid_ids)]
        on_their_way += [moment for asked in self._asking for moment in asked.values()]
        # Those from before are asked for last, and nobody else would ask for them again.
        on_their_way += [None] * bool(self._pending)
        transcribed = min([calls_complete_until, *(moment or begin for moment in (*on_their_way, *self._unasked))])
        return ReadProgress(
            windows=self.windows,
            calls_complete_until=calls_complete_until,
            transcripts_complete_until=transcribed,
            calls_error=self.ended_by,
            transcripts_error=self.transcripts_ended_by,
            exhausted=self._buffer.is_drained,
        )

    def _begin_windows(self, group: asyncio.TaskGroup) -> None:
        while self._waiting and self._in_flight < _WINDOWS_IN_FLIGHT and self.ended_by is None:
            self._in_flight += 1
            group.create_task(self._read_window(self._waiting.popleft(), group))

    async def _read_window(self, window: Window, group: asyncio.TaskGroup) -> None:
        try:
            # Calls of an earlier attempt are known and not taken twice.
            await restart_on_expired_cursor(partial(self._read_pages, window, group))
        except GongError as error:
            self.ended_by = self.ended_by or error
        finally:
            self._in_flight -= 1
        self._begin_windows(group)
        if not self._in_flight:
            self._flush_transcript_queue(group)

    async def _read_pages(self, window: Window, group: asyncio.TaskGroup) -> None:
        """Reads a window along its cursor chain; cuts it when it turns out to be long, keeps what came when it ends."""
        request, rest, came = self._request, window, 0
        in_order = True

        try:
            async with aclosing(
                self._client.paginate(request.endpoint, query=request.query(window), body=request.body(window))
            ) as pages:
                async for page in pages:
                    shaped = await self._shape(
                        partial(self._shaper.calls, page.records, basic=request.endpoint is CALLS)
                    )
                    await self._emit(shaped, group)
                    if not came and window in self.windows:
                        self._shaper.metrics.calls_expected += page.total or 0
                    came += len(page.records)
                    if page.cursor is None:
                        break
                    # A page out of order promises nothing about how far its window has been served.
                    in_order = in_order and shaped.reached is not None
                    unread = rest
                    if not in_order:
                        rest = window
                    elif shaped.reached is not None and rest.since < shaped.reached < window.until:
                        rest = Window(shaped.reached, window.until)
                    left = (page.total or 0) - came
                    # A part that announces more than the whole had left is not to be believed.
                    believed = left <= self._totals.get(window, left)
                    if parts := _parts(rest, left, progress=believed and rest.since > window.since):
                        cut = rest.split(parts)
                        self._totals |= dict.fromkeys(cut, left)
                        self._replace(unread, cut)
                        self._waiting.extendleft(reversed(cut))
                        self._begin_windows(group)
                        return
                    self._replace(unread, [rest])
                    if self.ended_by is not None:
                        return
        except CursorExpiredError:
            self._replace(rest, [window])
            raise
        self._replace(rest, [])

    def _replace(self, window: Window, rest: Sequence[Window]) -> None:
        self._unread.remove(window)
        self._unread.extend(rest)

    async def _emit(self, shaped: TransformedPage, group: asyncio.TaskGroup) -> None:
        await self._buffer.put(
            {"calls": shaped.tables, "transcripts": shaped.transcript_tables if self._transcripts else {}}
        )
        if self._transcripts:
            self._queue_transcripts(shaped.transcript_candidates)
            while len(self._ids) >= PAGE_SIZE:
                self._ask_for_transcripts(group, _first(self._ids))

    def _flush_transcript_queue(self, group: asyncio.TaskGroup) -> None:
        """Once all calls have been read: for those that fill no request, and for those from before."""
        self._queue_transcripts([(call_id, None) for call_id in self._pending if not self._shaper.has_read(call_id)])
        self._pending = ()
        for ids in (self._ids, self._invalid_ids):
            while ids:
                self._ask_for_transcripts(group, _first(ids))
        self._expect_end()

    def _queue_transcripts(self, calls: Iterable[tuple[str, datetime | None]]) -> None:
        for call_id, moment in calls:
            (self._ids if is_valid_id(call_id) else self._invalid_ids).append((call_id, moment))

    def _ask_for_transcripts(self, group: asyncio.TaskGroup, asked: Mapping[str, datetime | None]) -> None:
        self._asking.append(asked)
        group.create_task(self._read_transcripts(asked, group))

    async def _read_transcripts(self, asked: Mapping[str, datetime | None], group: asyncio.TaskGroup) -> None:
        async with self._permits:
            try:
                if self.transcripts_ended_by is not None:
                    raise self.transcripts_ended_by
                async with aclosing(
                    self._client.paginate(
                        TRANSCRIPTS, body={"filter": {"callIds": list(asked)}}, max_restarts=MAX_RESTARTS
                    )
                ) as pages:
                    async for page in pages:
                        tables = await self._shape(partial(self._shaper.transcripts, page.records, asked))
                        await self._buffer.put({"transcripts": tables})
            except GongError as error:
                if error.status == HTTPStatus.BAD_REQUEST and not all(map(is_valid_id, asked)):
                    await self._bisect_rejected_ids(asked, group)
                else:
                    self.transcripts_ended_by = self.transcripts_ended_by or error
                    self._unasked.extend(asked.values())
            self._asking.remove(asked)
            self._expect_end()

    async def _bisect_rejected_ids(self, asked: Mapping[str, datetime | None], group: asyncio.TaskGroup) -> None:
        """Gong refuses all of a request for one id that it does not take: asks for halves of it, down to that id."""
        if len(asked) == 1:
            tables = await self._shape(partial(self._shaper.reject_transcript, next(iter(asked))))
            await self._buffer.put({"transcripts": tables})
            return
        calls, half = list(asked.items()), len(asked) // 2
        for part in (calls[:half], calls[half:]):
            self._ask_for_transcripts(group, dict(part))

    async def _shape(self, work: Callable[[], T]) -> T:
        """Shapes off the event loop, so that answers keep coming in meanwhile; one page at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _first(ids: deque[tuple[str, datetime | None]]) -> dict[str, datetime | None]:
    """Takes out as many calls as one request may ask for."""
    return dict(ids.popleft() for _ in range(min(PAGE_SIZE, len(ids))))


def _parts(rest: Window, calls: int, *, progress: bool) -> int:
    """Into how many windows the rest of a window is cut; 0 to leave it as it is."""
    if not progress or calls < _SPLIT_THRESHOLD:
        return 0
    parts = min(math.ceil(calls / _CALLS_PER_WINDOW), _MOST_PARTS)
    return parts if (rest.until - rest.since) / parts >= _SHORTEST_WINDOW else 0
