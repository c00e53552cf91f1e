"""How we talk to Gong: send, wait, try again, turn pages. Knows HTTP, knows nothing of tables."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, BinaryIO

import httpx
from dlt.common.runtime.run_context import active
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential, wait_random

from ..errors import (
    AuthenticationError,
    CursorExpiredError,
    EmptyResultError,
    GongError,
    PaginationError,
    ServiceUnavailableError,
)
from ..metrics import RunMetrics
from .endpoint import Endpoint
from .rate_limiter import RateLimiter, RequestSlot
from .responses import (
    Page,
    RetryableResponse,
    decompress,
    error_for,
    error_text,
    parse_page,
    request_id_of,
    retry_after,
)
from .urls import checked_base_url, is_loopback

REACQUIRE = "gong.reacquire"
"""Extension of a request: awaited before its auth sends it a second time, which then counts like the first."""

_TRIES = 6
_EMPTY_PAGES = 50
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_PATIENCE_WITH_429 = 50
_LONGEST_CONNECTING, _LONGEST_WRITING = 15.0, 30.0


class RateLimited(RetryableResponse):
    """A 429: Gong wants a pause, which the limiter keeps for all requests."""


class GongClient:
    """Gong's API for one credential. Requests of all resources share its connection and its limits.

    Args:
        base_url: The customer's host, https only; plain http is taken for loopback addresses.
        auth: Puts the credential on a request.
        rate_limiter: When a request may leave.
        metrics: Where requests are counted.

    Raises:
        ConfigurationError: `base_url` is neither https nor loopback.
    """

    def __init__(self, base_url: str, auth: httpx.Auth, rate_limiter: RateLimiter, metrics: RunMetrics) -> None:
        self._base_url = checked_base_url(base_url)
        self._auth = auth
        self.rate_limiter = rate_limiter
        self._metrics = metrics
        # dlt's own settings for HTTP: a minute of silence unless told otherwise; a whole answer may take twice as long.
        runtime = active().runtime_config
        self._read_timeout = float(runtime.request_timeout)
        first_wait = _FIRST_WAIT * float(runtime.request_backoff_factor)
        self._backoff = wait_exponential(multiplier=first_wait, max=_LONGEST_WAIT) + wait_random(0.0, first_wait)
        self._http: httpx.AsyncClient | None = None
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._first = asyncio.Lock()
        self._authenticated = False
        self._rejection: GongError | None = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Keeps one connection pool open for everybody inside; the last one out closes it."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            # A pool belongs to the event loop it was opened in, and the next read may come in a new one.
            self._loop, self._users, self._http = loop, 0, None
            self._first, self._authenticated, self._rejection = asyncio.Lock(), False, None
        if self._http is None:
            self._http = httpx.AsyncClient(
                base_url=self._base_url,
                auth=self._auth,
                timeout=httpx.Timeout(
                    connect=min(_LONGEST_CONNECTING, self._read_timeout),
                    read=self._read_timeout,
                    write=min(_LONGEST_WRITING, self._read_timeout),
                    pool=None,
                ),
                follow_redirects=False,
                trust_env=not is_loopback(self._base_url),
                headers={"Accept": "application/json", "User-Agent": "gong-elt"},
            )
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._users == 0 and self._http is not None:
                http, self._http = self._http, None
                await http.aclose()

    async def paginate(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        cursor: str | None = None,
        max_restarts: int = 0,
    ) -> AsyncGenerator[Page, None]:
        """The pages of an endpoint, following its cursor; an empty range yields no page.

        Gong says that nothing was found on a first page. On a later one, before all records came that it announced,
        something else has changed, and what is left is not known to be nothing: that is a cursor that leads nowhere.

        Args:
            endpoint: What to read.
            query: Query parameters, repeated unchanged for every page as Gong demands.
            body: JSON body of a POST, repeated likewise; the cursor is put beside the filter.
            cursor: Begins with the page that it leads to; None for the first one.
            max_restarts: How often a cursor that expired or leads nowhere makes it begin anew, so that records come
                again; for who knows each record when it comes twice.

        Raises:
            CursorExpiredError: The cursor outlived its hour or leads nowhere, once more than `starts_over` allows.
            PaginationError: A cursor came twice, or page after page without a record.
            GongError: As `send` raises, except that an empty range is no error.
        """
        seen: set[str] = set()
        received, total, empty = 0, None, 0
        while True:
            try:
                page = await self.send(endpoint, query=query, body=body, cursor=cursor)
            except (EmptyResultError, CursorExpiredError) as end:
                if isinstance(end, EmptyResultError) and (cursor is None or (total is not None and received >= total)):
                    return
                if not max_restarts:
                    raise end if isinstance(end, CursorExpiredError) else _broken_off(end, received, total) from end
                max_restarts, cursor = max_restarts - 1, None
                seen.clear()
                received = 0
                continue
            yield page
            total = page.total if not received else total
            received += len(page.records)
            if page.cursor is None or not endpoint.paged:
                return
            empty = 0 if page.records else empty + 1
            if empty == _EMPTY_PAGES:
                raise PaginationError(
                    f"{endpoint}: {empty} pages without a record, and a cursor behind each; the window was not read to"
                    " its end, run again",
                    request_id=page.request_id,
                )
            if page.cursor in seen:
                raise PaginationError(
                    f"{endpoint}: Gong repeated a paging cursor; the window was not read to its end, run again",
                    request_id=page.request_id,
                )
            seen.add(cursor := page.cursor)

    async def send(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        cursor: str | None = None,
        file: tuple[str, BinaryIO] | None = None,
    ) -> Page:
        """One page, asked for until a usable answer comes.

        Tried again: 429 (after `Retry-After`), 5xx, network errors and bodies that are not whole JSON. All
        requests sent this way read, or write what Gong knows when it comes twice, so repeating one is safe.

        Args:
            endpoint: What to ask.
            query: Query parameters.
            body: JSON body of a POST.
            cursor: Leads to the page.
            file: Sent instead as the one part of a form: the part's name, and where its bytes are read piece by
                piece, from the start with each try. However long that takes; only silence ends a try.

        Raises:
            AuthenticationError: 401 without a scope; no further request is sent with this credential.
            MissingScopeError: 401/403 for this endpoint.
            EmptyResultError: 404 for an empty range.
            CursorExpiredError: 400 about the cursor.
            RequestError: Any other 4xx.
            UnexpectedRedirectError: 3xx.
            RunStopped: The budget is used up, the wait asked for is too long, or the deadline is reached.
            Unreachable: No usable answer after six tries.
        """
        parameters = dict(query or {})
        content: dict[str, Any] = {}
        if file is not None:
            part, opened = file
            content["files"] = {part: opened}
        elif endpoint.method == "POST":
            content["json"] = {**(body or {}), **({"cursor": cursor} if cursor is not None else {})}
        elif cursor is not None:
            parameters["cursor"] = cursor
        async with self._first:
            # The first request goes alone: a dead credential costs one request, not one a resource.
            if not self._authenticated:
                self._authenticated = True
                return await self._send_with_retries(endpoint, parameters, content, first=cursor is None)
        return await self._send_with_retries(endpoint, parameters, content, first=cursor is None)

    async def _send_with_retries(
        self, endpoint: Endpoint, parameters: dict[str, str], content: dict[str, Any], *, first: bool
    ) -> Page:
        failures = 0

        def enough(state: RetryCallState) -> bool:
            nonlocal failures
            failures += not isinstance(_failure(state), RateLimited)
            return failures >= _TRIES or state.attempt_number >= _PATIENCE_WITH_429

        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(
                    (httpx.TransportError, httpx.DecodingError, TimeoutError, RetryableResponse)
                ),
                wait=self._wait,
                stop=enough,
                reraise=True,
            ):
                with attempt:
                    self._metrics.retries += attempt.retry_state.attempt_number > 1
                    answer = await self._send_once(endpoint, parameters, content)
                    return await asyncio.to_thread(parse_page, endpoint, answer, first=first)
        except (httpx.TransportError, httpx.DecodingError, TimeoutError, RetryableResponse) as failure:
            raise ServiceUnavailableError(
                f"{endpoint}: no usable answer, tried again and again; last: {str(failure) or type(failure).__name__};"
                " nothing is lost, run again later"
            ) from failure
        raise AssertionError("tenacity ends with an answer or an exception")

    def _wait(self, state: RetryCallState) -> float:
        # After a 429 the limiter holds everybody back already.
        return 0.0 if isinstance(_failure(state), RateLimited) else self._backoff(state)

    async def _send_once(
        self, endpoint: Endpoint, parameters: dict[str, str], content: dict[str, Any]
    ) -> httpx.Response:
        if self._rejection is not None:
            raise self._rejection
        if self._http is None:
            raise RuntimeError("requests are sent inside `async with client.connected()`")
        slot: RequestSlot

        async def reacquire() -> None:
            nonlocal slot
            slot = await self.rate_limiter.acquire(first=endpoint.priority)
            self._metrics.requests += 1
            self._metrics.retries += 1

        async def note_leaving(event: str, _: Mapping[str, Any]) -> None:
            if event.endswith("send_request_body.complete"):
                slot.left()

        # Made before its turn comes, so that it leaves as soon as it may.
        request = self._http.build_request(
            endpoint.method,
            endpoint.path,
            params=parameters,
            **content,
            extensions={"trace": note_leaving, REACQUIRE: reacquire},
        )
        slot = await self.rate_limiter.acquire(first=endpoint.priority)
        self._metrics.requests += 1
        try:
            # An answer that does not come holds a run until its deadline at most, and a second more.
            longest = math.inf if "files" in content else 2 * self._read_timeout
            async with asyncio.timeout(_finite(min(longest, self.rate_limiter.seconds_left + 1.0))):
                answer = await _whole(await self._http.send(request, stream=True))
        except AuthenticationError as rejection:
            # OAuth found out before the request left.
            self._rejection = rejection
            raise
        finally:
            slot.left()
        if answer.status_code == 429:
            self.rate_limiter.pause(retry_after(answer), request_id_of(answer))
            raise RateLimited(f"HTTP 429: {error_text(answer)}")
        if answer.status_code >= 500 or answer.status_code == 408:
            raise RetryableResponse(f"HTTP {answer.status_code}: {error_text(answer)}")
        if answer.status_code >= 300:
            error = error_for(endpoint, answer)
            if isinstance(error, AuthenticationError):
                self._rejection = error
            raise error
        return answer


async def _whole(answer: httpx.Response) -> httpx.Response:
    """The answer with its content."""
    if answer.is_stream_consumed:
        # Its auth has read it.
        return answer
    try:
        body = b"".join([piece async for piece in answer.aiter_raw()])
    finally:
        await answer.aclose()
    # Off the event loop, which has other answers to take in: a page of transcripts is five megabytes unpacked.
    return await asyncio.to_thread(decompress, answer, body)


def _finite(seconds: float) -> float | None:
    return seconds if seconds < math.inf else None


def _broken_off(end: EmptyResultError, received: int, total: int | None) -> CursorExpiredError:
    return CursorExpiredError(
        f"the pages broke off after {received:,} of {'some' if total is None else format(total, ',')} records:"
        f" {end}; run again",
        status=end.status,
    )


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
