"""Gong's limits, kept before Gong has to say no: requests a second and requests a day, shared by all resources."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime

from ..errors import ConfigurationError, DeadlineExceeded, QuotaExceeded

# As many requests as Gong allows in a second, and the next one a little later than a second after the first of
# them: whichever way Gong counts, by the second, by a sliding window or by a bucket, three a second stay three. A
# request that is late takes nothing from those after it. Where requests arrive less evenly than they leave, Gong
# says so with a 429, and the next ones leave further apart.
_MARGIN, _WIDER, _WIDEST = 1.01, 0.03, 1.2
# Of an even spacing: what a late request cost is made up for by the next ones, without a bunch of them at once.
_SHORTEST_GAP = 0.3
# A request that has not left by then, because its connection takes long, holds the others back no more.
_LONGEST_LEAVING = 1.0


class RequestSlot:
    """Permission to send one request. The limit counts from when the request has left, not from when it might have."""

    def __init__(self) -> None:
        self._gone = asyncio.Event()
        self._at = 0.0

    @property
    def has_left(self) -> bool:
        """Whether the request is on its way."""
        return self._gone.is_set()

    def left(self) -> None:
        """The request is on its way, or never will be; later calls change nothing."""
        if not self._gone.is_set():
            self._at = time.monotonic()
            self._gone.set()

    async def left_at(self) -> float:
        """When the request left, by the monotonic clock; waits for it, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_LEAVING):
                await self._gone.wait()
        return self._at if self._gone.is_set() else time.monotonic()


class RateLimiter:
    """Lets requests leave in turn, at the company's rate.

    Args:
        per_second: Requests a second that may leave.
        budget: Requests that may leave in this run; None for no bound.
        longest_wait: Seconds a `Retry-After` may hold a run; beyond, the run ends.
        deadline: No request leaves after this instant; None for no bound.

    Raises:
        ConfigurationError: The rate is not above zero.
    """

    def __init__(
        self,
        per_second: float,
        budget: int | None = None,
        *,
        longest_wait: float = 300.0,
        deadline: datetime | None = None,
    ) -> None:
        if not 0 < per_second < math.inf:
            raise ConfigurationError(f"requests_per_second is {per_second}: it has to be above zero")
        # Half a request a second is one in two seconds.
        at_once = max(1, math.floor(per_second))
        self._period = at_once / per_second
        self._shortest_gap = _SHORTEST_GAP / per_second
        self._margin = _MARGIN
        self._latest: deque[RequestSlot] = deque(maxlen=at_once)
        self._left = budget
        self._longest_wait = longest_wait
        self._deadline = deadline
        self._held_until = 0.0
        self._queue, self._patient = asyncio.Lock(), asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def acquire(self, *, first: bool = False) -> RequestSlot:
        """Waits until one more request may leave; its `left` has to be called in any case.

        Args:
            first: Others wait for this request's answer: it goes before those that nobody waits for.

        Raises:
            QuotaExceeded: The budget is used up.
            DeadlineExceeded: The request would leave after the deadline.
        """
        if self._loop is not (loop := asyncio.get_running_loop()):
            # A lock belongs to one event loop, and whoever sends may come in a new one.
            self._loop, self._queue, self._patient = loop, asyncio.Lock(), asyncio.Lock()
            # One that has not left never will: its loop has ended.
            self._latest = deque((slot for slot in self._latest if slot.has_left), maxlen=self._latest.maxlen)
        if first:
            return await self._next_slot()
        # Of the patient ones only one at a time stands in the queue, so a first one waits for one at most.
        async with self._patient:
            return await self._next_slot()

    @property
    def seconds_a_request(self) -> float:
        """How far apart requests are at the company's rate."""
        return self._margin * self._period / (self._latest.maxlen or 1)

    @property
    def seconds_left(self) -> float:
        """Until the deadline; infinite without one."""
        return math.inf if self._deadline is None else (self._deadline - datetime.now(UTC)).total_seconds()

    async def _next_slot(self) -> RequestSlot:
        async with self._queue:
            if self._left is not None and self._left <= 0:
                raise QuotaExceeded("the day's request budget is used up: run again after midnight UTC")
            free_at = await self._latest[-1].left_at() + self._shortest_gap if self._latest else 0.0
            if len(self._latest) == self._latest.maxlen:
                free_at = max(free_at, await self._latest[0].left_at() + self._margin * self._period)
            while (wait := max(free_at, self._held_until) - time.monotonic()) > 0:
                self.check_deadline(wait)
                await asyncio.sleep(wait)
            self.check_deadline()
            if self._left is not None:
                self._left -= 1
            self._latest.append(slot := RequestSlot())
            return slot

    def check_deadline(self, wait: float = 0.0) -> None:
        """Raises `DeadlineExceeded` where the deadline is over, or will be after so many seconds."""
        if wait >= self.seconds_left:
            raise DeadlineExceeded(f"the deadline, {self._deadline:%Y-%m-%d %H:%M:%S} UTC, is reached: run again")

    def pause(self, seconds: float, request_id: str | None = None) -> None:
        """Holds every request back for `seconds`, as Gong's `Retry-After` asks, and lets them leave further apart.

        Raises:
            QuotaExceeded: The wait is longer than a run may take.
        """
        if seconds > self._longest_wait:
            raise QuotaExceeded(
                f"Gong asks to wait {seconds:.0f} s, more than a run waits ({self._longest_wait:.0f} s):"
                " run again when that is over",
                wait_seconds=seconds,
                request_id=request_id,
            )
        self._margin = min(self._margin + _WIDER, _WIDEST)
        self._held_until = max(self._held_until, time.monotonic() + seconds)
