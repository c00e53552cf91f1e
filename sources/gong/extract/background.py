"""Reading goes on while dlt loads: requests and shaping in a thread of their own, handed over part by part."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from ..calls.reader import CallReader, ReadProgress
from .buffer import Batch

# A part ends with so much in it, too: what is loaded at once has to fit into memory with what is read meanwhile.
_BYTES_A_PART = 128 * 2**20

T = TypeVar("T")


class BackgroundReader:
    """The thread that talks to Gong, open inside a `with`; whoever enters it last closes it.

    ```python
    with BackgroundReader(seconds=2) as background:
        source = gong_source(background=background)
        pipeline.run(source)
        while not background.exhausted:
            pipeline.run(source.with_resources("calls", "transcripts"))
    ```

    Each run of the pipeline takes one part of the calls; the next part is read meanwhile.

    Args:
        seconds: A part ends once so much time went by since the one before it; by default all calls are one part.

    Attributes:
        seconds: As given; may be changed between parts.
        load_seconds: How long the load of a part takes, so that none is under way when the last answer comes; may be
            changed between parts.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self.seconds, self.load_seconds = seconds, 0.0
        self._feed: CallReader | None = None
        self._part_taken: tuple[CallReader, ReadProgress] | None = None
        self._reading: Future[None] | None = None
        self._part_began = 0.0
        self._users, self._entering = 0, Lock()
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._left: asyncio.Event | None = None

    @property
    def exhausted(self) -> bool:
        """Whether no part is left."""
        return self._feed is None

    @property
    def last_progress(self) -> tuple[CallReader, ReadProgress]:
        """The feed that the last part came from, and how far it had come with it."""
        if self._part_taken is None:
            raise RuntimeError("no part was taken yet")
        return self._part_taken

    def __enter__(self) -> Self:
        with self._entering:
            self._users += 1
            if self._users == 1:
                running = Event()
                self._thread = Thread(target=self._run, args=[running], name="gong-read", daemon=True)
                self._thread.start()
                running.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._entering:
            self._users -= 1
            if self._users == 0 and self._loop and self._left and self._thread:
                self._loop.call_soon_threadsafe(self._left.set)
                self._thread.join()
                self._feed = self._reading = None

    def _run(self, running: Event) -> None:
        # Leaving the runner cancels whatever still reads.
        with asyncio.Runner() as runner:
            self._loop, self._left = runner.get_loop(), asyncio.Event()
            running.set()
            runner.run(self._left.wait())

    async def result(self, work: Coroutine[Any, Any, T]) -> T:
        """Does work in this thread, awaited from the event loop of another one."""
        return await asyncio.wrap_future(self._begun(work))

    async def next_batch(self, begin: Callable[[], CallReader]) -> AsyncIterator[Batch]:
        """The batches of the next part; `part_taken` then says how far it reaches.

        Args:
            begin: Makes the feed, where none is being read yet.
        """
        if self._feed is None or self._reading is None:
            self._feed = begin()
            self._reading = self._begun(self._feed.read())
            self._part_began = time.monotonic()
        feed, reached, bytes_taken = self._feed, None, 0
        while reached is None:
            is_full = bytes_taken >= _BYTES_A_PART and self.seconds < math.inf
            until = -math.inf if is_full else self._part_began + self.seconds
            batches, reached = await self.result(feed.get(until, self.load_seconds))
            for batch in batches:
                bytes_taken += batch[2].nbytes
                yield batch
        self._part_taken = feed, reached
        self._part_began = time.monotonic()
        if reached.exhausted:
            reading, self._feed, self._reading = self._reading, None, None
            await asyncio.wrap_future(reading)

    def _begun(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        if self._loop is None:
            raise RuntimeError("nothing is read outside `with background:`")
        return asyncio.run_coroutine_threadsafe(work, self._loop)
