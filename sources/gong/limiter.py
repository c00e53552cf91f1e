"""Gong's limits, kept before Gong has to say no: requests a second and requests a day, shared by all resources."""

from __future__ import annotations

import asyncio
import time

from .errors import QuotaSpent

# Requests leave evenly spaced and a little further apart than allowed: network jitter may not
# turn an even three a second into four within one second of Gong's clock.
_SPACING_MARGIN = 1.02


class Limiter:
    """Lets requests leave one after the other, at the company's rate.

    Args:
        per_second: Requests a second that may leave.
        budget: Requests that may leave in this run; None for no bound.
        longest_wait: Seconds a `Retry-After` may hold a run; beyond, the run ends.
    """

    def __init__(self, per_second: float, budget: int | None = None, *, longest_wait: float = 300.0) -> None:
        self._gap = _SPACING_MARGIN / per_second
        self._left = budget
        self._longest_wait = longest_wait
        self._next_at = 0.0
        self._queue = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def turn(self) -> None:
        """Waits until one more request may leave.

        Raises:
            QuotaSpent: The budget is used up.
        """
        if self._loop is not (loop := asyncio.get_running_loop()):
            # dlt runs every extract in a loop of its own; a lock belongs to one loop.
            self._loop, self._queue = loop, asyncio.Lock()
        async with self._queue:
            if self._left is not None and self._left <= 0:
                raise QuotaSpent("the day's request budget is used up: run again after midnight UTC")
            while (wait := self._next_at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            # A sleep that overshot is made up for by one step, so that the rate holds on average.
            self._next_at = max(self._next_at, time.monotonic() - self._gap) + self._gap
            if self._left is not None:
                self._left -= 1

    def pause(self, seconds: float, request_id: str | None = None) -> None:
        """Holds every request back for `seconds`, as Gong's `Retry-After` asks.

        Raises:
            QuotaSpent: The wait is longer than a run may take.
        """
        if seconds > self._longest_wait:
            raise QuotaSpent(
                f"Gong asks to wait {seconds:.0f} s, more than a run waits ({self._longest_wait:.0f} s):"
                " run again when that is over",
                wait_seconds=seconds,
                request_id=request_id,
            )
        self._next_at = max(self._next_at, time.monotonic() + seconds)
