"""Run awaitables concurrently; if one fails, cancel the rest and re-raise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def gather_or_cancel(awaitables: Iterable[Awaitable[T]]) -> list[T]:
    """Return all results in order.

    Args:
        awaitables: Awaited concurrently. If one fails, the others are cancelled and have ended before its exception
            is raised.
    """
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        # Retrieves the exceptions of the other tasks, which asyncio would otherwise log.
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
