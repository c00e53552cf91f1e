"""Request transcripts by the ids of calls, 100 per request, while calls are still being read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial
from http import HTTPStatus

import pyarrow as pa

from ..api.client import GongClient
from ..api.endpoint import PAGE_SIZE
from ..api.retry import MAX_RESTARTS
from ..errors import GongError
from ..tables.records import is_valid_id
from .endpoints import TRANSCRIPTS
from .transformer import TranscriptTransformer

_REQUESTS_IN_FLIGHT = 6

TranscriptCandidate = tuple[str, datetime | None]
"""Id and effective time of a call whose transcript is requested."""

Tables = Mapping[str, pa.Table]


class TranscriptReader:
    """Read the transcripts of calls, several requests at a time.

    Args:
        client: Client of the Gong API, with an open session.
        transformer: Converts pages to tables.
        run_in_thread: Runs the conversion outside of the event loop.
        emit: Takes the tables of a page.
        on_response: Called after each response.

    Attributes:
        error: What ended the reading early; None if nothing did. Later requests are not sent.
    """

    def __init__(
        self,
        client: GongClient,
        transformer: TranscriptTransformer,
        *,
        run_in_thread: Callable[[Callable[[], Tables]], Awaitable[Tables]],
        emit: Callable[[Tables], Awaitable[None]],
        on_response: Callable[[], None],
    ) -> None:
        self._client = client
        self._transformer = transformer
        self._run_in_thread = run_in_thread
        self._emit = emit
        self._on_response = on_response
        self._valid_ids: deque[TranscriptCandidate] = deque()
        self._invalid_ids: deque[TranscriptCandidate] = deque()
        self._requested: list[Mapping[str, datetime | None]] = []
        self._not_requested: list[datetime | None] = []
        self._permits = asyncio.Semaphore(_REQUESTS_IN_FLIGHT)
        self.error: GongError | None = None

    @property
    def requests_in_flight(self) -> int:
        """Number of requests that are queued or sent, without a response."""
        return len(self._requested)

    def incomplete_times(self) -> list[datetime | None]:
        """Return the effective time of each call whose transcript has not been requested with success."""
        queued = [effective_time for _, effective_time in (*self._valid_ids, *self._invalid_ids)]
        in_flight = [effective_time for calls in self._requested for effective_time in calls.values()]
        return [*queued, *in_flight, *self._not_requested]

    def queue(self, calls: Iterable[TranscriptCandidate]) -> None:
        """Queue calls. Ids that Gong may reject are kept apart, because one of them fails the whole request."""
        for call_id, effective_time in calls:
            ids = self._valid_ids if is_valid_id(call_id) else self._invalid_ids
            ids.append((call_id, effective_time))

    def request_full_pages(self, group: asyncio.TaskGroup) -> None:
        """Send a request for every 100 queued calls."""
        while len(self._valid_ids) >= PAGE_SIZE:
            self._request(group, _pop_page(self._valid_ids))

    def request_all(self, group: asyncio.TaskGroup) -> None:
        """Send requests for all queued calls."""
        for ids in (self._valid_ids, self._invalid_ids):
            while ids:
                self._request(group, _pop_page(ids))

    def _request(self, group: asyncio.TaskGroup, calls: Mapping[str, datetime | None]) -> None:
        self._requested.append(calls)
        group.create_task(self._read(calls, group))

    async def _read(self, calls: Mapping[str, datetime | None], group: asyncio.TaskGroup) -> None:
        async with self._permits:
            try:
                if self.error is not None:
                    raise self.error
                body = {"filter": {"callIds": list(calls)}}
                async with aclosing(self._client.paginate(TRANSCRIPTS, body=body, max_restarts=MAX_RESTARTS)) as pages:
                    async for page in pages:
                        transform = partial(self._transformer.transform, page.records, calls)
                        await self._emit(await self._run_in_thread(transform))
            except GongError as error:
                if error.status == HTTPStatus.BAD_REQUEST and not all(map(is_valid_id, calls)):
                    await self._bisect_rejected_ids(calls, group)
                else:
                    self.error = self.error or error
                    self._not_requested.extend(calls.values())
            self._requested.remove(calls)
            self._on_response()

    async def _bisect_rejected_ids(self, calls: Mapping[str, datetime | None], group: asyncio.TaskGroup) -> None:
        """Request each half of the calls: one id that Gong does not accept fails the whole request."""
        if len(calls) == 1:
            await self._emit(await self._run_in_thread(partial(self._transformer.reject, next(iter(calls)))))
            return
        items, half = list(calls.items()), len(calls) // 2
        for part in (items[:half], items[half:]):
            self._request(group, dict(part))


def _pop_page(ids: deque[TranscriptCandidate]) -> dict[str, datetime | None]:
    """Remove and return as many calls as one request may name."""
    return dict(ids.popleft() for _ in range(min(PAGE_SIZE, len(ids))))


def queued_without_time(call_ids: Sequence[str]) -> list[TranscriptCandidate]:
    """Return candidates for calls whose effective time is not known."""
    return [(call_id, None) for call_id in call_ids]
