"""Retry policy: what is retried, how often and after how long.

All numbers about retries are in this module. `stamina` runs the attempts. Tests switch the waits off with
`stamina.set_testing(True, attempts=100, cap=True)`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

import httpx
import stamina

from ..errors import CursorExpiredError

T = TypeVar("T")

# Retries are counted in RunMetrics. Without a handler, Python would print each one to stderr.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class RetryableResponseError(Exception):
    """A response that another attempt may improve: HTTP 408 or 5xx, or a body that is not a complete page."""


class RateLimitError(RetryableResponseError):
    """HTTP 429. The rate limiter waits for its `Retry-After` before the next request."""


RETRYABLE_ERRORS = (httpx.TransportError, httpx.DecodingError, TimeoutError, RetryableResponseError)
"""What is retried, besides expired cursors. Every other error is raised at once."""


def is_retryable_status(status: int) -> bool:
    """Return whether a request that got this HTTP status is sent again."""
    return status >= 500 or status in (408, 429)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is sent and how long to wait in between.

    The wait doubles with each attempt, from `first_wait_seconds` to `max_wait_seconds`.

    Attributes:
        max_failures: The request is given up after this number of failed attempts.
        max_attempts: The request is given up after this number of attempts, those that got a 429 included.
        first_wait_seconds: Wait before the second attempt.
        max_wait_seconds: Upper bound of a wait.
        jitter_seconds: Upper bound of the random time that is added to a wait.
    """

    max_failures: int
    max_attempts: int
    first_wait_seconds: float
    max_wait_seconds: float
    jitter_seconds: float

    def attempts(self, *, backoff_factor: float = 1.0, max_failures: Callable[[], int] | None = None) -> Attempts:
        """Return an iterator over the attempts of one request; the last failure is raised as it is.

        ```python
        async for attempt in API_REQUESTS.attempts():
            with attempt:
                return await send()
        ```

        Args:
            backoff_factor: Multiplies the waits; dlt's setting `runtime.request_backoff_factor`.
            max_failures: Called after each failure for a number of failures that takes the place of the policy's.
        """
        return stamina.retry_context(
            on=_FailureCounter(max_failures or (lambda: self.max_failures)),
            attempts=self.max_attempts,
            timeout=None,
            wait_initial=self.first_wait_seconds * backoff_factor,
            wait_max=self.max_wait_seconds,
            wait_jitter=self.jitter_seconds * backoff_factor,
        )


class Attempts(Protocol):
    """Attempts of one request, for `for` and `async for`."""

    def __iter__(self) -> Iterator[stamina.Attempt]:
        """Yield the attempts and sleep in between."""

    def __aiter__(self) -> AsyncIterator[stamina.Attempt]:
        """Yield the attempts and sleep in the event loop in between."""


API_REQUESTS = RetryPolicy(
    max_failures=6, max_attempts=50, first_wait_seconds=0.5, max_wait_seconds=30.0, jitter_seconds=0.5
)
"""Requests to the API. They either read, or write under a key that Gong recognises, so repeating one is safe."""

MAX_FIRST_CONTACT_FAILURES = 3
"""The same for a host from which nothing was ever received: its name is more likely wrong than its service down."""

FIRST_CONTACT_SECONDS = 40.0
"""A host that has not responded once after this time is given up. A command reports it within a minute."""

MAX_CONNECT_SECONDS = 10.0
"""How long to wait for a connection."""

TOKEN_REQUESTS = RetryPolicy(
    max_failures=4, max_attempts=4, first_wait_seconds=0.5, max_wait_seconds=10.0, jitter_seconds=0.5
)
"""Requests to the OAuth token endpoint. It is not rate limited: a 429 is a failure like any other."""

MEDIA_DOWNLOADS = RetryPolicy(
    max_failures=6, max_attempts=6, first_wait_seconds=0.5, max_wait_seconds=30.0, jitter_seconds=0.0
)
"""Downloads of recordings, each continued where the previous attempt ended."""

MAX_RETRY_AFTER_SECONDS = 300.0
"""Longest `Retry-After` that a run waits for; a longer one ends the run."""

TOKEN_FAILURE_PAUSE_SECONDS = 60.0
"""After a failed token refresh, requests fail for this time without another refresh."""

MAX_CONSECUTIVE_FAILURES = 3
"""An upload ends after this number of consecutive calls without a usable response: the calls are not the cause."""

MAX_LINKS_PER_RECORDING = 2
"""Links that Gong is asked for per recording, because a link expires after eight hours."""

MAX_RESTARTS = 2
"""Restarts of a window or list after its cursor expired."""

MAX_RESTARTS_ON_DEMAND = 5
"""The same for records that are read on demand, where the caller decides how fast pages are taken."""


async def restart_on_expired_cursor(read: Callable[[], Awaitable[T]]) -> T:
    """Return the result of `read`, which is called again if its cursor expires.

    Args:
        read: Reads a window or list from its first page. Records may repeat; it must deduplicate them.

    Raises:
        CursorExpiredError: If the cursor expires more than `MAX_RESTARTS` times.
    """
    for _ in range(MAX_RESTARTS):
        try:
            return await read()
        except CursorExpiredError:
            continue
    return await read()


def describe_network_error(error: BaseException) -> str:
    """Return why no connection or response was obtained, from the innermost error."""
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "no response in time"
    text = str(error) or type(error).__name__
    cause: BaseException | None = error
    while isinstance(cause, Exception):
        if isinstance(cause, ConnectionError) and cause.errno:
            text = os.strerror(cause.errno)
        elif isinstance(cause, OSError):
            text = cause.strerror or text
        # A host may have several addresses; one reason is enough.
        cause = cause.exceptions[0] if isinstance(cause, ExceptionGroup) else cause.__cause__ or cause.__context__
    return text


class _FailureCounter:
    """Backoff hook of stamina for one request: False to give up, True or seconds to retry."""

    def __init__(self, max_failures: Callable[[], int]) -> None:
        self._failures, self._max_failures = 0, max_failures

    def __call__(self, error: Exception) -> bool | float:
        if isinstance(error, RateLimitError):
            # The rate limiter waits already, for all requests.
            return 0.0
        self._failures += 1
        return isinstance(error, RETRYABLE_ERRORS) and self._failures < self._max_failures()
