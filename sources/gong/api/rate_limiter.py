"""Client-side rate limiter: requests per second and per day, shared by all resources."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime

from ..errors import ConfigurationError, DeadlineExceeded, QuotaExceeded
from .retry import MAX_RETRY_AFTER_SECONDS

# A period is 1 % longer than a second, so that three requests per second stay three, whether Gong counts by the
# second, by a sliding window or by a token bucket. Each 429 makes periods longer by 3 %, up to 20 %, because
# requests can arrive less evenly than they are sent.
_PERIOD_FACTOR, _PERIOD_FACTOR_STEP, _MAX_PERIOD_FACTOR = 1.01, 0.03, 1.2
# Share of an even spacing. Requests after a late one are sent closer together, but not all at once.
_MIN_GAP_SHARE = 0.3
# A request whose connection takes longer than this to open does not delay the next one.
_MAX_SEND_SECONDS = 1.0


class RequestSlot:
    """One rate-limit slot. The window starts when the request is sent, not when the slot is acquired."""

    def __init__(self) -> None:
        self._sent = asyncio.Event()
        self._sent_at = 0.0

    @property
    def is_sent(self) -> bool:
        """Whether the request has been sent."""
        return self._sent.is_set()

    def mark_sent(self) -> None:
        """Record that the request has been sent or will not be sent. Only the first call has an effect."""
        if not self._sent.is_set():
            self._sent_at = time.monotonic()
            self._sent.set()

    async def wait_until_sent(self) -> float:
        """Return the monotonic time at which the request was sent, or the present time after one second."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_MAX_SEND_SECONDS):
                await self._sent.wait()
        return self._sent_at if self._sent.is_set() else time.monotonic()


class RateLimiter:
    """Decides when a request may be sent.

    Args:
        per_second: Maximum number of requests per second.
        budget: Maximum number of requests in this run; None for no limit.
        longest_wait: Longest `Retry-After` in seconds that a run waits for.
        deadline: No request is sent after this time; None for no deadline.

    Raises:
        ConfigurationError: If the rate is not positive.
    """

    def __init__(
        self,
        per_second: float,
        budget: int | None = None,
        *,
        longest_wait: float = MAX_RETRY_AFTER_SECONDS,
        deadline: datetime | None = None,
    ) -> None:
        if not 0 < per_second < math.inf:
            raise ConfigurationError(f"requests_per_second is {per_second}: use a number above zero")
        # Half a request per second is one request per two seconds.
        per_period = max(1, math.floor(per_second))
        self._period_seconds = per_period / per_second
        self._min_gap_seconds = _MIN_GAP_SHARE / per_second
        self._period_factor = _PERIOD_FACTOR
        self._latest: deque[RequestSlot] = deque(maxlen=per_period)
        self._budget_left = budget
        self._longest_wait = longest_wait
        self._deadline = deadline
        self._paused_until = 0.0
        self._queue, self._regular_queue = asyncio.Lock(), asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def seconds_per_request(self) -> float:
        """Average interval between requests at the full rate."""
        return self._period_factor * self._period_seconds / (self._latest.maxlen or 1)

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return math.inf if self._deadline is None else (self._deadline - datetime.now(UTC)).total_seconds()

    async def acquire(self, *, priority: bool = False) -> RequestSlot:
        """Wait until a request may be sent and return its slot; `mark_sent` must be called on it.

        Args:
            priority: Skip the queue; for requests that other requests depend on.

        Raises:
            QuotaExceeded: If the budget is used up.
            DeadlineExceeded: If the request would be sent after the deadline.
        """
        if self._loop is not (loop := asyncio.get_running_loop()):
            # A lock belongs to one event loop, and each run may have a new one.
            self._loop, self._queue, self._regular_queue = loop, asyncio.Lock(), asyncio.Lock()
            # A request of an event loop that has ended will not be sent.
            self._latest = deque((slot for slot in self._latest if slot.is_sent), maxlen=self._latest.maxlen)
        if priority:
            return await self._next_slot()
        # Only one regular request at a time is in the queue, so a priority request waits for at most one of them.
        async with self._regular_queue:
            return await self._next_slot()

    def check_deadline(self, wait_seconds: float = 0.0) -> None:
        """Raise if the deadline has passed.

        Args:
            wait_seconds: Check the deadline for this time from now.

        Raises:
            DeadlineExceeded: If it has.
        """
        if wait_seconds >= self.seconds_left:
            raise DeadlineExceeded(f"the deadline, {self._deadline:%Y-%m-%d %H:%M:%S} UTC, has passed: run again")

    def pause(self, seconds: float, request_id: str | None = None) -> None:
        """Delay all requests after a 429 and lower the rate by 3 %.

        Args:
            seconds: The response's `Retry-After`.
            request_id: The response's `requestId`.

        Raises:
            QuotaExceeded: If a run does not wait that long.
        """
        if seconds > self._longest_wait:
            raise QuotaExceeded(
                f"Gong asks to wait {seconds:.0f} s, longer than a run waits ({self._longest_wait:.0f} s):"
                " run again after that time",
                wait_seconds=seconds,
                request_id=request_id,
            )
        self._period_factor = min(self._period_factor + _PERIOD_FACTOR_STEP, _MAX_PERIOD_FACTOR)
        self._paused_until = max(self._paused_until, time.monotonic() + seconds)

    async def _next_slot(self) -> RequestSlot:
        async with self._queue:
            if self._budget_left is not None and self._budget_left <= 0:
                raise QuotaExceeded("the daily request quota is used up: run again after midnight UTC")
            free_at = await self._latest[-1].wait_until_sent() + self._min_gap_seconds if self._latest else 0.0
            if len(self._latest) == self._latest.maxlen:
                oldest_sent_at = await self._latest[0].wait_until_sent()
                free_at = max(free_at, oldest_sent_at + self._period_factor * self._period_seconds)
            while (wait_seconds := max(free_at, self._paused_until) - time.monotonic()) > 0:
                self.check_deadline(wait_seconds)
                await asyncio.sleep(wait_seconds)
            self.check_deadline()
            if self._budget_left is not None:
                self._budget_left -= 1
            self._latest.append(slot := RequestSlot())
            return slot
