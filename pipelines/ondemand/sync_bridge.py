"""Asynchronous reading for plain code: one step at a time, on an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Stepwise:
    """One event loop over many calls, so that the limits of a client that lives in it hold over all of them.

    The loop rests between steps: nothing is read before somebody asks for it.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._closed = False

    def result(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work comes to."""
        return _outside_of_loops(lambda: self._runner.run(work))

    def each(self, items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        """The items, each read when it is asked for; ended early, the reading is ended too."""

        async def following() -> T | None:
            return await anext(items, None)

        async def end() -> None:
            await items.aclose()

        try:
            while (item := self.result(following())) is not None:
                yield item
        finally:
            # A loop that was closed has ended what was read in it.
            if not self._closed:
                self.result(end())

    def close(self) -> None:
        """Ends the loop and what is read in it."""
        self._closed = True
        _outside_of_loops(self._runner.close)


def _outside_of_loops(do: Callable[[], T]) -> T:
    """A notebook runs its cells inside a loop, and a thread runs one loop only: there, in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return do()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(do).result()
