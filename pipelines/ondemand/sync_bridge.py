"""Run asynchronous code from synchronous code, one step at a time, on one event loop.

This takes the place of anyio's blocking portal, with which Ctrl-C leaves the request in flight running and each step
takes twice as long (0.33 ms instead of 0.14).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class SyncBridge:
    """One event loop for all steps, so that a client's rate limits hold across them.

    The loop only runs during a step: nothing is read ahead of the caller.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._closed = False

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result."""
        return _run_outside_event_loop(lambda: self._runner.run(coroutine))

    def iterate(self, items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        """Yield the items, each read on demand; closing the generator closes the asynchronous one."""

        async def read_next() -> T | None:
            return await anext(items, None)

        async def close() -> None:
            await items.aclose()

        try:
            while (item := self.run(read_next())) is not None:
                yield item
        finally:
            # Closing the loop has closed its asynchronous generators, too.
            if not self._closed:
                self.run(close())

    def close(self) -> None:
        """Close the event loop and the generators that run on it."""
        self._closed = True
        _run_outside_event_loop(self._runner.close)


def _run_outside_event_loop(function: Callable[[], T]) -> T:
    """Call a function in this thread or, if an event loop runs here as in a notebook, in another one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function()
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(function).result()
