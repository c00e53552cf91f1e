"""Concurrent awaitables: order of results, cancellation after a failure."""

from __future__ import annotations

import asyncio

import pytest

from sources.gong.extract.concurrency import gather_or_cancel


def test_results_are_in_the_order_of_the_awaitables() -> None:
    """The order does not depend on which one is complete first."""

    async def wait(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    async def scenario() -> list[float]:
        return await gather_or_cancel(wait(seconds) for seconds in (0.02, 0.0, 0.01))

    assert asyncio.run(scenario()) == [0.02, 0.0, 0.01]


def test_a_failure_cancels_the_others_before_it_is_raised() -> None:
    """No request is sent for a result that nothing uses."""
    ended: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("first")

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    async def scenario() -> None:
        with pytest.raises(ValueError, match="first"):
            await gather_or_cancel([wait(), fail(), wait()])
        assert ended == ["cancelled", "cancelled"]

    asyncio.run(scenario())
