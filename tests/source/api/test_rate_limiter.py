"""The limiter alone: order, budget, pauses. That the limit is kept is seen at the server, in test_faults.py."""

from __future__ import annotations

import asyncio
import time

import pytest

from sources.gong.api.rate_limiter import Limiter
from sources.gong.errors import QuotaSpent


async def _send(limiter: Limiter, times: int) -> None:
    for _ in range(times):
        (await limiter.turn()).left()


def test_a_request_that_others_wait_for_goes_before_the_patient_ones() -> None:
    order: list[str] = []

    async def send(limiter: Limiter, name: str, *, first: bool) -> None:
        slot = await limiter.turn(first=first)
        order.append(name)
        slot.left()

    async def all_at_once() -> None:
        limiter = Limiter(100)
        patient = [send(limiter, f"patient {number}", first=False) for number in range(6)]
        await asyncio.gather(*patient, send(limiter, "first", first=True))

    asyncio.run(all_at_once())
    # One was being served already, and one stood in line before it came.
    assert order.index("first") <= 2
    assert order[order.index("first") + 1 :] == sorted(order[order.index("first") + 1 :])


def test_the_budget_is_counted_over_all_requests_and_every_loop() -> None:
    limiter = Limiter(1000, 3)
    asyncio.run(_send(limiter, 2))
    with pytest.raises(QuotaSpent):
        asyncio.run(_send(limiter, 2))


def test_the_rate_is_kept_from_one_event_loop_to_the_next() -> None:
    limiter = Limiter(4)
    began = time.monotonic()
    for _ in range(2):
        asyncio.run(_send(limiter, 3))
    # Six of four a second: the fifth waits for the first one's second to end.
    assert time.monotonic() - began >= 1.0


def test_a_pause_holds_everybody_back_and_a_long_one_ends_the_run() -> None:
    async def paused() -> float:
        limiter = Limiter(1000, longest_wait=10)
        limiter.pause(0.2)
        begin = time.monotonic()
        (await limiter.turn(first=True)).left()
        with pytest.raises(QuotaSpent, match="11 s"):
            limiter.pause(11)
        return time.monotonic() - begin

    assert asyncio.run(paused()) >= 0.19


def test_a_request_that_does_not_get_away_holds_the_others_back_for_a_second_only() -> None:
    async def stuck() -> None:
        limiter = Limiter(1000)
        await limiter.turn()
        async with asyncio.timeout(5):
            await limiter.turn()

    asyncio.run(stuck())
