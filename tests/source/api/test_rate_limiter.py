"""The rate limiter on its own: order, budget, pauses. tests/load checks the rate at the server."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from sources.gong.api.rate_limiter import RateLimiter
from sources.gong.errors import ConfigurationError, DeadlineExceeded, QuotaExceeded


async def acquire_slots(rate_limiter: RateLimiter, count: int) -> None:
    """Acquire slots and mark them as sent."""
    for _ in range(count):
        (await rate_limiter.acquire()).mark_sent()


def test_a_priority_request_skips_the_queue() -> None:
    """Requests that others depend on are sent before the queued ones, which keep their order."""
    order: list[str] = []

    async def send(rate_limiter: RateLimiter, name: str, *, priority: bool) -> None:
        slot = await rate_limiter.acquire(priority=priority)
        order.append(name)
        slot.mark_sent()

    async def send_all() -> None:
        rate_limiter = RateLimiter(100)
        queued = [send(rate_limiter, f"queued {number}", priority=False) for number in range(6)]
        await asyncio.gather(*queued, send(rate_limiter, "priority", priority=True))

    asyncio.run(send_all())
    # One request had its slot already, and another one was next.
    assert order.index("priority") <= 2
    assert order[order.index("priority") + 1 :] == sorted(order[order.index("priority") + 1 :])


def test_the_budget_covers_all_event_loops() -> None:
    """Each dlt extract may have a new event loop; the daily quota is one."""
    rate_limiter = RateLimiter(1000, 3)
    asyncio.run(acquire_slots(rate_limiter, 2))
    with pytest.raises(QuotaExceeded):
        asyncio.run(acquire_slots(rate_limiter, 2))


def test_the_rate_covers_all_event_loops() -> None:
    """Gong counts requests per second whichever event loop sent them."""
    rate_limiter = RateLimiter(4)
    started_at = time.monotonic()
    for _ in range(2):
        asyncio.run(acquire_slots(rate_limiter, 3))
    # With four requests per second, the fifth one waits until a second after the first one.
    assert time.monotonic() - started_at >= 1.0


def test_a_pause_delays_all_requests() -> None:
    """After a 429, priority requests wait, too."""

    async def acquire_after_pause() -> float:
        rate_limiter = RateLimiter(1000)
        rate_limiter.pause(0.2)
        started_at = time.monotonic()
        (await rate_limiter.acquire(priority=True)).mark_sent()
        return time.monotonic() - started_at

    assert asyncio.run(acquire_after_pause()) >= 0.19


def test_a_429_lowers_the_rate_within_bounds() -> None:
    """Requests that arrive less evenly than they are sent need more distance, but not without end."""
    rate_limiter = RateLimiter(3)
    intervals = [rate_limiter.seconds_per_request]
    for _ in range(20):
        rate_limiter.pause(0)
        intervals.append(rate_limiter.seconds_per_request)

    assert intervals[0] == pytest.approx(1.01 / 3)
    assert intervals[1] == pytest.approx(1.04 / 3)
    assert intervals[-1] == pytest.approx(1.2 / 3)


def test_a_pause_that_is_too_long_ends_the_run() -> None:
    """Gong can ask for hours, which a run does not wait."""
    with pytest.raises(QuotaExceeded, match="11 s") as raised:
        RateLimiter(1000, longest_wait=10).pause(11, "r1")
    assert (raised.value.wait_seconds, raised.value.request_id) == (11, "r1")


def test_no_slot_is_given_after_the_deadline() -> None:
    """A wait that ends after the deadline is not begun."""
    rate_limiter = RateLimiter(1000, deadline=datetime.now(UTC) + timedelta(seconds=2))
    asyncio.run(acquire_slots(rate_limiter, 1))
    rate_limiter.pause(10)
    started_at = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="run again"):
        asyncio.run(acquire_slots(rate_limiter, 1))
    assert time.monotonic() - started_at < 1.0


def test_a_request_that_is_not_sent_delays_others_by_one_second_at_most() -> None:
    """A slow connection must not stop all other requests."""

    async def acquire_two() -> None:
        rate_limiter = RateLimiter(1000)
        await rate_limiter.acquire()
        async with asyncio.timeout(5):
            await rate_limiter.acquire()

    asyncio.run(acquire_two())


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_the_rate_must_be_positive(rate: float) -> None:
    """An invalid setting is reported before anything is sent."""
    with pytest.raises(ConfigurationError, match="requests_per_second"):
        RateLimiter(rate)
