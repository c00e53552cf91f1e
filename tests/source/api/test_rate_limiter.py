"""The limiter alone: order, budget, pauses. That the limit is kept is seen at the server, in test_faults.py."""

from __future__ import annotations

import asyncio
import time

import pytest

from sources.gong.api.rate_limiter import RateLimiter
from sources.gong.errors import QuotaExceeded


async def _send(rate_limiter: RateLimiter, times: int) -> None:
    for _ in range(times):
        (await rate_limiter.acquire()).mark_sent()


def test_a_request_that_others_wait_for_goes_before_the_patient_ones() -> None:
    order: list[str] = []

    async def send(rate_limiter: RateLimiter, name: str, *, priority: bool) -> None:
        slot = await rate_limiter.acquire(priority=priority)
        order.append(name)
        slot.mark_sent()

    async def all_at_once() -> None:
        rate_limiter = RateLimiter(100)
        patient = [send(rate_limiter, f"patient {number}", priority=False) for number in range(6)]
        await asyncio.gather(*patient, send(rate_limiter, "first", priority=True))

    asyncio.run(all_at_once())
    # One was being served already, and one stood in line before it came.
    assert order.index("first") <= 2
    assert order[order.index("first") + 1 :] == sorted(order[order.index("first") + 1 :])


def test_the_budget_is_counted_over_all_requests_and_every_loop() -> None:
    rate_limiter = RateLimiter(1000, 3)
    asyncio.run(_send(rate_limiter, 2))
    with pytest.raises(QuotaExceeded):
        asyncio.run(_send(rate_limiter, 2))


def test_the_rate_is_kept_from_one_event_loop_to_the_next() -> None:
    rate_limiter = RateLimiter(4)
    began = time.monotonic()
    for _ in range(2):
        asyncio.run(_send(rate_limiter, 3))
    # Six of four a second: the fifth waits for the first one's second to end.
    assert time.monotonic() - began >= 1.0


def test_a_pause_holds_everybody_back_and_a_long_one_ends_the_run() -> None:
    async def paused() -> float:
        rate_limiter = RateLimiter(1000, longest_wait=10)
        rate_limiter.pause(0.2)
        begin = time.monotonic()
        (await rate_limiter.acquire(priority=True)).mark_sent()
        with pytest.raises(QuotaExceeded, match="11 s"):
            rate_limiter.pause(11)
        return time.monotonic() - begin

    assert asyncio.run(paused()) >= 0.19


def test_a_request_that_does_not_get_away_holds_the_others_back_for_a_second_only() -> None:
    async def stuck() -> None:
        rate_limiter = RateLimiter(1000)
        await rate_limiter.acquire()
        async with asyncio.timeout(5):
            await rate_limiter.acquire()

    asyncio.run(stuck())
