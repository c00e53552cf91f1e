"""HTTP client for the Gong API: rate limiting, retries and cursor pagination."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO

import httpx
from dlt.common.runtime.run_context import active

from ..errors import AuthenticationError, GongError, HostUnreachableError, ServiceUnavailableError
from ..metrics import RunMetrics
from .endpoint import Endpoint
from .pagination import CursorPaginator
from .rate_limiter import RateLimiter, RequestSlot
from .responses import (
    Page,
    decompress,
    error_for,
    error_text,
    parse_page,
    parse_request_id,
    retry_after_seconds,
    server_time,
)
from .retry import (
    API_REQUESTS,
    FIRST_CONTACT_SECONDS,
    MAX_CONNECT_SECONDS,
    MAX_FIRST_CONTACT_FAILURES,
    RETRYABLE_ERRORS,
    RateLimitError,
    RetryableResponseError,
    describe_network_error,
    is_retryable_status,
)
from .urls import is_loopback, remove_userinfo, validate_base_url

REACQUIRE = "gong.reacquire"
"""Request extension: awaitable the auth flow calls before re-sending, so the retry takes its own rate-limit slot."""

_MAX_WRITE_SECONDS = 30.0


class GongClient:
    """Client for one credential. All resources share its connections and its rate limiter.

    Args:
        base_url: The customer's host: https, or http on a loopback address.
        auth: Adds the credential to requests.
        rate_limiter: Decides when a request may be sent.
        metrics: Counts requests and retries.
        transport: Sends the requests instead of the network; for tests.

    Attributes:
        first_contact_seconds: A host that has not responded once after this time is given up.

    Raises:
        ConfigurationError: If `base_url` is neither https nor loopback.
    """

    def __init__(
        self,
        base_url: str,
        auth: httpx.Auth,
        rate_limiter: RateLimiter,
        metrics: RunMetrics,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = validate_base_url(base_url)
        self._auth = auth
        self._transport = transport
        self.rate_limiter = rate_limiter
        self._metrics = metrics
        # dlt's HTTP settings. A whole response may take twice as long as one read.
        runtime = active().runtime_config
        self._read_timeout = float(runtime.request_timeout)
        self._backoff_factor = float(runtime.request_backoff_factor)
        self._http: httpx.AsyncClient | None = None
        self._sessions = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._first_request = asyncio.Lock()
        self._authenticated = False
        # Raised by every further request of the session.
        self._fatal_error: GongError | None = None
        self.first_contact_seconds = FIRST_CONTACT_SECONDS
        self._has_received = False
        self._give_up_at = math.inf

    @property
    def metrics(self) -> RunMetrics:
        """Counters of the run."""
        return self._metrics

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Keep the connection pool open. Re-entrant: the last session to end closes it."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            # Pools and locks belong to one event loop, and each run may have a new one.
            self._loop, self._sessions, self._http = loop, 0, None
            self._first_request, self._authenticated, self._fatal_error = asyncio.Lock(), False, None
        if self._http is None:
            self._http = self._create_http_client()
        self._sessions += 1
        try:
            yield
        finally:
            self._sessions -= 1
            if self._sessions == 0 and self._http is not None:
                http, self._http = self._http, None
                await http.aclose()

    def paginate(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        cursor: str | None = None,
        max_restarts: int = 0,
    ) -> AsyncGenerator[Page, None]:
        """Yield the pages of an endpoint, as `CursorPaginator.pages`.

        Args:
            endpoint: The endpoint to read.
            query: Query parameters, sent with every page.
            body: JSON body of a POST, sent with every page.
            cursor: Cursor of the page to begin with; None for the first page.
            max_restarts: How many times to restart from page one after the cursor expires. Records may repeat; callers
                must deduplicate.
        """

        async def send(cursor: str | None) -> Page:
            return await self.send(endpoint, query=query, body=body, cursor=cursor)

        return CursorPaginator(endpoint, send, max_restarts=max_restarts).pages(cursor)

    async def send(
        self,
        endpoint: Endpoint,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        cursor: str | None = None,
        file: tuple[str, BinaryIO] | None = None,
    ) -> Page:
        """Send a request and return the page of its response. Failures are retried as `API_REQUESTS` defines.

        Args:
            endpoint: The endpoint to call.
            query: Query parameters.
            body: JSON body of a POST.
            cursor: Cursor of the page; None for the first page.
            file: Name and content of the only part of a multipart form, sent instead of a JSON body. Each attempt
                reads the content from its start. The duration of an upload is not limited, only the time without
                progress.

        Raises:
            AuthenticationError: If Gong responds with 401 that names no scope. The session sends no further request.
            MissingScopeError: If Gong responds with 401 or 403 for this endpoint.
            EmptyResultError: If Gong responds with 404 for an empty range.
            CursorExpiredError: If Gong responds with 400 for the cursor.
            RequestError: If Gong responds with another 4xx.
            UnexpectedRedirectError: If Gong responds with 3xx.
            RunStopped: If the quota is used up, `Retry-After` is too long, or the deadline passes.
            HostUnreachableError: If nothing was ever received from the host. The session sends no further request.
            ServiceUnavailableError: If no attempt gets a usable response.
        """
        parameters = dict(query or {})
        content: dict[str, Any] = {}
        if file is not None:
            part, stream = file
            content["files"] = {part: stream}
        elif endpoint.method == "POST":
            # Gong ignores a cursor in the query of a POST.
            content["json"] = {**(body or {}), **({"cursor": cursor} if cursor is not None else {})}
        elif cursor is not None:
            parameters["cursor"] = cursor
        async with self._first_request:
            # The first request is sent alone, so that an invalid credential costs one request, not one per resource.
            if not self._authenticated:
                self._authenticated = True
                return await self._send_with_retries(endpoint, parameters, content, is_first_page=cursor is None)
        return await self._send_with_retries(endpoint, parameters, content, is_first_page=cursor is None)

    def _create_http_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._base_url,
            auth=self._auth,
            transport=self._transport,
            timeout=httpx.Timeout(
                connect=min(MAX_CONNECT_SECONDS, self._read_timeout),
                read=self._read_timeout,
                write=min(_MAX_WRITE_SECONDS, self._read_timeout),
                pool=None,
            ),
            follow_redirects=False,
            trust_env=not is_loopback(self._base_url),
            headers={"Accept": "application/json", "User-Agent": "gong-elt"},
        )

    async def _send_with_retries(
        self, endpoint: Endpoint, parameters: dict[str, str], content: dict[str, Any], *, is_first_page: bool
    ) -> Page:
        self._give_up_at = time.monotonic() + self.first_contact_seconds
        attempts = API_REQUESTS.attempts(backoff_factor=self._backoff_factor, max_failures=self._max_failures)
        try:
            async for attempt in attempts:
                with attempt:
                    self._metrics.retries += attempt.num > 1
                    response = await self._send_once(endpoint, parameters, content)
                    return await asyncio.to_thread(parse_page, endpoint, response, is_first_page=is_first_page)
        except RETRYABLE_ERRORS as error:
            if not self._has_received:
                host, reason = remove_userinfo(self._base_url), describe_network_error(error)
                self._fatal_error = HostUnreachableError(
                    f"{host} cannot be reached ({reason}): check base_url, the network and the proxy"
                )
                raise self._fatal_error from error
            raise ServiceUnavailableError(
                f"{endpoint}: no usable response after repeated attempts, the last one:"
                f" {str(error) or type(error).__name__}; no data is lost, run again later"
            ) from error
        raise AssertionError("the last attempt returns or raises")

    def _max_failures(self) -> int:
        """Return the number of failures after which a request is given up."""
        if self._has_received:
            return API_REQUESTS.max_failures
        return MAX_FIRST_CONTACT_FAILURES if time.monotonic() < self._give_up_at else 0

    async def _send_once(
        self, endpoint: Endpoint, parameters: dict[str, str], content: dict[str, Any]
    ) -> httpx.Response:
        if self._fatal_error is not None:
            raise self._fatal_error
        if self._http is None:
            raise RuntimeError("GongClient.send is used outside of `async with client.session()`")
        slot: RequestSlot

        async def reacquire() -> None:
            nonlocal slot
            slot = await self.rate_limiter.acquire(priority=endpoint.priority)
            self._metrics.requests += 1
            self._metrics.retries += 1

        async def trace(event: str, _: Mapping[str, Any]) -> None:
            if event.endswith("send_request_body.complete"):
                slot.mark_sent()

        # Built before the slot is acquired, so that the request is sent as soon as it may be.
        request = self._http.build_request(
            endpoint.method,
            endpoint.path,
            params=parameters,
            **content,
            extensions={"trace": trace, REACQUIRE: reacquire},
        )
        slot = await self.rate_limiter.acquire(priority=endpoint.priority)
        self._metrics.requests += 1
        try:
            timeout = math.inf if "files" in content else 2 * self._read_timeout
            # A missing response delays the end of a run by at most one second after its deadline.
            timeout = min(timeout, self.rate_limiter.seconds_left + 1.0)
            if not self._has_received:
                timeout = min(timeout, max(0.0, self._give_up_at - time.monotonic()))
            async with asyncio.timeout(timeout if timeout < math.inf else None):
                response = await self._http.send(request, stream=True)
                self._has_received = True
                response = await _read_response(response)
        except AuthenticationError as error:
            # Raised by the token refresh, before the request was sent.
            self._fatal_error = error
            raise
        finally:
            slot.mark_sent()
        return self._check_status(endpoint, response)

    def _check_status(self, endpoint: Endpoint, response: httpx.Response) -> httpx.Response:
        """Return the response if its status is 2xx."""
        status = response.status_code
        if self._metrics.clock_skew is None and (gong_time := server_time(response)) is not None:
            self._metrics.clock_skew = datetime.now(UTC) - gong_time
        if status == 429:
            self.rate_limiter.pause(retry_after_seconds(response), parse_request_id(response))
            raise RateLimitError(f"HTTP 429: {error_text(response)}")
        if is_retryable_status(status):
            raise RetryableResponseError(f"HTTP {status}: {error_text(response)}")
        if status >= 300:
            error = error_for(endpoint, response)
            if isinstance(error, AuthenticationError):
                self._fatal_error = error
            raise error
        return response


async def _read_response(response: httpx.Response) -> httpx.Response:
    """Return the streamed response with its content."""
    if response.is_stream_consumed:
        # The auth flow has read it.
        return response
    try:
        body = b"".join([chunk async for chunk in response.aiter_raw()])
    finally:
        await response.aclose()
    # Outside of the event loop, which other responses wait for: a page of transcripts has 5 MB when decompressed.
    return await asyncio.to_thread(decompress, response, body)
