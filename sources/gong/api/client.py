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
    CredentialRejected,
    CursorExpired,
    GongError,
    NothingFound,
    PagingBroken,
    Unreachable,
)
from ..metrics import Tally
from .endpoint import Endpoint
from .rate_limiter import Limiter, Slot
from .responses import Page, Unusable, page_of, refusal, request_id_of, retry_after, texts_of, unpacked
from .urls import checked_base_url, is_loopback

TURN_AGAIN = "gong.turn_again"
"""Extension of a request: awaited before its auth sends it a second time, which then counts like the first."""

_TRIES = 6
_EMPTY_PAGES = 50
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_PATIENCE_WITH_429 = 50
_LONGEST_CONNECTING, _LONGEST_WRITING = 15.0, 30.0


class _Throttled(Unusable):
    """A 429: Gong wants a pause, which the limiter keeps for all requests."""


class GongClient:
    """Gong's API for one credential. Requests of all resources share its connection and its limits.

    Args:
        base_url: The customer's host, https only; plain http is taken for loopback addresses.
        auth: Puts the credential on a request.
        limiter: When a request may leave.
        tally: Where requests are counted.

    Raises:
        SettingRefused: `base_url` is neither https nor loopback.
    """

    def __init__(self, base_url: str, auth: httpx.Auth, limiter: Limiter, tally: Tally) -> None:
        self._base_url = checked_base_url(base_url)
        self._auth = auth
        self.limiter = limiter
        self._tally = tally
        # dlt's own settings for HTTP: a minute of silence unless told otherwise; a whole answer may take twice as long.
        runtime = active().runtime_config
        self._silence = float(runtime.request_timeout)
        first_wait = _FIRST_WAIT * float(runtime.request_backoff_factor)
        self._backoff = wait_exponential(multiplier=first_wait, max=_LONGEST_WAIT) + wait_random(0.0, first_wait)
        self._http: httpx.AsyncClient | None = None
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._first = asyncio.Lock()
        self._greeted = False
        self._rejection: GongError | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Keeps one connection pool open for everybody inside; the last one out closes it."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            # A pool belongs to the event loop it was opened in, and the next read may come in a new one.
            self._loop, self._users, self._http = loop, 0, None
            self._first, self._greeted, self._rejection = asyncio.Lock(), False, None
        if self._http is None:
            self._http = httpx.AsyncClient(
                base_url=self._base_url,
                auth=self._auth,
                timeout=httpx.Timeout(
                    connect=min(_LONGEST_CONNECTING, self._silence),
                    read=self._silence,
                    write=min(_LONGEST_WRITING, self._silence),
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

    async def pages(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        cursor: str | None = None,
        starts_over: int = 0,
    ) -> AsyncGenerator[Page, None]:
        """The pages of an endpoint, following its cursor; an empty range yields no page.

        Gong says that nothing was found on a first page. On a later one, before all records came that it announced,
        something else has changed, and what is left is not known to be nothing: that is a cursor that leads nowhere.

        Args:
            endpoint: What to read.
            query: Query parameters, repeated unchanged for every page as Gong demands.
            body: JSON body of a POST, repeated likewise; the cursor is put beside the filter.
            cursor: Begins with the page that it leads to; None for the first one.
            starts_over: How often a cursor that expired or leads nowhere makes it begin anew, so that records come
                again; for who knows each record when it comes twice.

        Raises:
            CursorExpired: The cursor outlived its hour or leads nowhere, once more than `starts_over` allows.
            PagingBroken: A cursor came twice, or page after page without a record.
            GongError: As `send` raises, except that an empty range is no error.
        """
        seen: set[str] = set()
        came, announced, empty = 0, None, 0
        while True:
            try:
                page = await self.send(endpoint, query=query, body=body, cursor=cursor)
            except (NothingFound, CursorExpired) as end:
                if isinstance(end, NothingFound) and (cursor is None or (announced is not None and came >= announced)):
                    return
                if not starts_over:
                    raise end if isinstance(end, CursorExpired) else _broken_off(end, came, announced) from end
                starts_over, cursor = starts_over - 1, None
                seen.clear()
                came = 0
                continue
            yield page
            announced = page.total if not came else announced
            came += len(page.records)
            if page.cursor is None or not endpoint.pages:
                return
            empty = 0 if page.records else empty + 1
            if empty == _EMPTY_PAGES:
                raise PagingBroken(
                    f"{endpoint}: {empty} pages without a record, and a cursor behind each; the window was not read to"
                    " its end, run again",
                    request_id=page.request_id,
                )
            if page.cursor in seen:
                raise PagingBroken(
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
            CredentialRejected: 401 without a scope; no further request is sent with this credential.
            ScopeMissing: 401/403 for this endpoint.
            NothingFound: 404 for an empty range.
            CursorExpired: 400 about the cursor.
            RequestRefused: Any other 4xx.
            RedirectRefused: 3xx.
            StoppedEarly: The budget is used up, the wait asked for is too long, or the deadline is reached.
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
            if not self._greeted:
                self._greeted = True
                return await self._insist(endpoint, parameters, content, first=cursor is None)
        return await self._insist(endpoint, parameters, content, first=cursor is None)

    async def _insist(
        self, endpoint: Endpoint, parameters: dict[str, str], content: dict[str, Any], *, first: bool
    ) -> Page:
        failures = 0

        def enough(state: RetryCallState) -> bool:
            nonlocal failures
            failures += not isinstance(_failure(state), _Throttled)
            return failures >= _TRIES or state.attempt_number >= _PATIENCE_WITH_429

        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type((httpx.TransportError, httpx.DecodingError, TimeoutError, Unusable)),
                wait=self._wait,
                stop=enough,
                reraise=True,
            ):
                with attempt:
                    self._tally.retries += attempt.retry_state.attempt_number > 1
                    answer = await self._once(endpoint, parameters, content)
                    return await asyncio.to_thread(page_of, endpoint, answer, first=first)
        except (httpx.TransportError, httpx.DecodingError, TimeoutError, Unusable) as failure:
            raise Unreachable(
                f"{endpoint}: no usable answer, tried again and again; last: {str(failure) or type(failure).__name__};"
                " nothing is lost, run again later"
            ) from failure
        raise AssertionError("tenacity ends with an answer or an exception")

    def _wait(self, state: RetryCallState) -> float:
        # After a 429 the limiter holds everybody back already.
        return 0.0 if isinstance(_failure(state), _Throttled) else self._backoff(state)

    async def _once(self, endpoint: Endpoint, parameters: dict[str, str], content: dict[str, Any]) -> httpx.Response:
        if self._rejection is not None:
            raise self._rejection
        if self._http is None:
            raise RuntimeError("requests are sent inside `async with client.connected()`")
        slot: Slot

        async def turn_again() -> None:
            nonlocal slot
            slot = await self.limiter.turn(first=endpoint.goes_first)
            self._tally.requests += 1
            self._tally.retries += 1

        async def note_leaving(event: str, _: Mapping[str, Any]) -> None:
            if event.endswith("send_request_body.complete"):
                slot.left()

        # Made before its turn comes, so that it leaves as soon as it may.
        request = self._http.build_request(
            endpoint.method,
            endpoint.path,
            params=parameters,
            **content,
            extensions={"trace": note_leaving, TURN_AGAIN: turn_again},
        )
        slot = await self.limiter.turn(first=endpoint.goes_first)
        self._tally.requests += 1
        try:
            # An answer that does not come holds a run until its deadline at most, and a second more.
            longest = math.inf if "files" in content else 2 * self._silence
            async with asyncio.timeout(_finite(min(longest, self.limiter.seconds_left + 1.0))):
                answer = await _whole(await self._http.send(request, stream=True))
        except CredentialRejected as rejection:
            # OAuth found out before the request left.
            self._rejection = rejection
            raise
        finally:
            slot.left()
        if answer.status_code == 429:
            self.limiter.pause(retry_after(answer), request_id_of(answer))
            raise _Throttled(f"HTTP 429: {texts_of(answer)}")
        if answer.status_code >= 500 or answer.status_code == 408:
            raise Unusable(f"HTTP {answer.status_code}: {texts_of(answer)}")
        if answer.status_code >= 300:
            error = refusal(endpoint, answer)
            if isinstance(error, CredentialRejected):
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
    return await asyncio.to_thread(unpacked, answer, body)


def _finite(seconds: float) -> float | None:
    return seconds if seconds < math.inf else None


def _broken_off(end: NothingFound, came: int, announced: int | None) -> CursorExpired:
    return CursorExpired(
        f"the pages broke off after {came:,} of {'some' if announced is None else format(announced, ',')} records:"
        f" {end}; run again",
        status=end.status,
    )


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
