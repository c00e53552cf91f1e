"""Calls and their transcripts out of Gong: windows in flight, pages shaped while the next ones travel.

One feed serves both resources, because a transcript is asked for by the ids of calls just read, and because
only the call says whether it is private. A window that holds many calls is cut, so that several cursor
chains run at once: one chain alone, waiting for each answer, would leave most of the quota unused.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from .client import GongClient
from .endpoints import CALLS, PAGE_SIZE, TRANSCRIPTS
from .errors import CursorExpired, GongError
from .outbox import Batch, Outbox
from .request import CallRequest
from .shaping import CallShaper, ShapedCalls
from .windows import Window, frontier

_WINDOWS_IN_FLIGHT = 4
_TRANSCRIPT_REQUESTS_IN_FLIGHT = 6
_CUT_ABOVE, _CALLS_A_WINDOW = 1_500, 1_000
_SHORTEST_WINDOW = timedelta(minutes=1)
_READS_OF_A_WINDOW = 3

T = TypeVar("T")


class CallFeed:
    """Reads windows of calls, and the transcripts of these calls, once.

    Args:
        client: Talks to Gong.
        request: Which calls, how much of each.
        shaper: Turns pages into tables and knows what the warehouse has.
        windows: Effective time to read, at least one window.
        owed: Calls outside the windows whose transcript is asked for again.
        transcripts: Whether transcripts are read at all.
        max_calls: No further window is begun once so many calls were read; None for no bound.

    Attributes:
        ended_by: What ended the reading of calls early, if anything did.
        transcripts_ended_by: What ended the asking for transcripts early, if anything did.
    """

    def __init__(
        self,
        client: GongClient,
        request: CallRequest,
        shaper: CallShaper,
        *,
        windows: Sequence[Window],
        owed: Sequence[str] = (),
        transcripts: bool = True,
        max_calls: int | None = None,
    ) -> None:
        self._client = client
        self._request = request
        self._shaper = shaper
        self._windows = windows
        self._owed = owed
        self._transcripts = transcripts
        self._max_calls = max_calls
        self.ended_by: GongError | None = None
        self.transcripts_ended_by: GongError | None = None
        self._waiting = deque(sorted(windows))
        self._unread = list(self._waiting)
        self._in_flight = 0
        self._calls_read = 0
        self._ids: deque[tuple[str, datetime | None]] = deque()
        self._unasked: list[datetime | None] = []
        self._outbox = Outbox()
        self._permits = asyncio.Semaphore(_TRANSCRIPT_REQUESTS_IN_FLIGHT)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gong-shape")

    @property
    def read_until(self) -> datetime:
        """Up to here every call of the windows has been read."""
        return frontier(self._windows, self._unread)

    @property
    def transcribed_until(self) -> datetime:
        """Up to here, moreover, the transcript of every call has been asked for."""
        begin = min(window.since for window in self._windows)
        return min([self.read_until, *(moment or begin for moment in self._unasked)])

    async def batches(self) -> AsyncIterator[Batch]:
        """Everything to be written, in batches big enough for the loader.

        What Gong refuses ends the feed early but without an exception, so that complete pages are kept:
        `ended_by` and `transcripts_ended_by` say why, `read_until` and `transcribed_until` how far it came.
        """
        reading = asyncio.ensure_future(self._read())
        try:
            async for batch in self._outbox.batches():
                yield batch
            await reading
        finally:
            reading.cancel()
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _read(self) -> None:
        try:
            async with self._client.connected():
                async with asyncio.TaskGroup() as group:
                    self._begin_windows(group)
                self._ids.extend((call_id, None) for call_id in self._owed if not self._shaper.has_read(call_id))
                async with asyncio.TaskGroup() as group:
                    while self._ids:
                        self._ask_for_transcripts(group)
        finally:
            await self._outbox.close()

    def _begin_windows(self, group: asyncio.TaskGroup) -> None:
        while self._waiting and self._in_flight < _WINDOWS_IN_FLIGHT and not self._ended:
            self._in_flight += 1
            group.create_task(self._read_window(self._waiting.popleft(), group))

    @property
    def _ended(self) -> bool:
        on_their_way = self._calls_read + self._in_flight * _CALLS_A_WINDOW * (self._calls_read > 0)
        return self.ended_by is not None or (self._max_calls is not None and on_their_way >= self._max_calls)

    async def _read_window(self, window: Window, group: asyncio.TaskGroup) -> None:
        try:
            for read in range(1, _READS_OF_A_WINDOW + 1):
                try:
                    await self._follow(window, group)
                    break
                except CursorExpired:
                    # The window starts over; calls that came before are known and not taken twice.
                    if read == _READS_OF_A_WINDOW:
                        raise
        except GongError as error:
            self.ended_by = self.ended_by or error
        finally:
            self._in_flight -= 1
        self._begin_windows(group)

    async def _follow(self, window: Window, group: asyncio.TaskGroup) -> None:
        """Reads a window along its cursor chain; cuts it when it turns out to be long, keeps what came when it ends."""
        request, rest, came = self._request, window, 0
        in_order = True
        try:
            async with aclosing(
                self._client.pages(request.endpoint, query=request.query(window), body=request.body(window))
            ) as pages:
                async for page in pages:
                    shaped = await self._shape(
                        partial(self._shaper.calls, page.records, basic=request.endpoint is CALLS)
                    )
                    await self._take(shaped, group)
                    if not came and window in self._windows:
                        self._shaper.tally.calls_expected += page.total or 0
                    came += len(page.records)
                    self._calls_read += len(page.records)
                    if page.cursor is None:
                        break
                    # A page out of order promises nothing about how far its window has been served.
                    in_order = in_order and shaped.reached is not None
                    if in_order and shaped.reached is not None and rest.since < shaped.reached < window.until:
                        rest = Window(shaped.reached, window.until)
                    elif not in_order:
                        rest = window
                    if parts := _parts(rest, (page.total or 0) - came, progress=rest.since > window.since):
                        self._replace(window, rest.cut(parts))
                        self._waiting.extendleft(reversed(rest.cut(parts)))
                        self._begin_windows(group)
                        return
                    if self.ended_by is not None:
                        self._replace(window, [rest])
                        return
        except CursorExpired:
            raise
        except GongError:
            self._replace(window, [rest])
            raise
        self._replace(window, [])

    def _replace(self, window: Window, rest: Sequence[Window]) -> None:
        self._unread.remove(window)
        self._unread.extend(rest)

    async def _take(self, shaped: ShapedCalls, group: asyncio.TaskGroup) -> None:
        await self._outbox.put("calls", shaped.tables)
        if self._transcripts:
            await self._outbox.put("transcripts", shaped.transcript_tables)
            self._ids.extend(shaped.to_transcribe)
            while len(self._ids) >= PAGE_SIZE:
                self._ask_for_transcripts(group)

    def _ask_for_transcripts(self, group: asyncio.TaskGroup) -> None:
        asked = dict(self._ids.popleft() for _ in range(min(PAGE_SIZE, len(self._ids))))
        group.create_task(self._read_transcripts(asked))

    async def _read_transcripts(self, asked: Mapping[str, datetime | None]) -> None:
        async with self._permits:
            try:
                if self.transcripts_ended_by is not None:
                    raise self.transcripts_ended_by
                async with aclosing(
                    self._client.pages(TRANSCRIPTS, body={"filter": {"callIds": list(asked)}}, starts_over=2)
                ) as pages:
                    async for page in pages:
                        tables = await self._shape(partial(self._shaper.transcripts, page.records, asked))
                        await self._outbox.put("transcripts", tables)
            except GongError as error:
                self.transcripts_ended_by = self.transcripts_ended_by or error
                self._unasked.extend(asked.values())

    async def _shape(self, work: Callable[[], T]) -> T:
        """Shapes off the event loop, so that answers keep coming in meanwhile; one page at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _parts(rest: Window, calls: int, *, progress: bool) -> int:
    """Into how many windows the rest of a window is cut; 0 to leave it as it is."""
    if not progress or calls < _CUT_ABOVE:
        return 0
    parts = math.ceil(calls / _CALLS_A_WINDOW)
    return parts if (rest.until - rest.since) / parts >= _SHORTEST_WINDOW else 0
