"""Several requests at once, none of which outlives the others' failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def gather_or_cancel(work: Iterable[Awaitable[T]]) -> list[T]:
    """All results, in order; when one fails the others are ended first, then its error is raised as it is."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        # Their own errors and cancellations are heard here: the first error is the one that is told.
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
