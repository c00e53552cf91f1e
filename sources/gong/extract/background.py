"""Extract in a background thread while dlt loads the previous part."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from ..errors import GongError
from ..incremental.windows import Window
from .buffer import Batch

# Bounds memory: while a part is loaded, the next one is read.
_MAX_PART_BYTES = 128 * 2**20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """What a reader has read at the end of a part.

    Attributes:
        windows: The windows of effective time that the reader was given.
        calls_complete_until: Every call of the windows before this time is in this part or an earlier one.
        transcripts_complete_until: The transcripts of all calls before this time have been requested as well.
        calls_error: The error that ended the reading of calls early; None if there was none.
        transcripts_error: The error that ended the reading of transcripts early; None if there was none.
        exhausted: This is the last part.
        previous_bookmarks: Bookmarks by resource when the reading began.
    """

    windows: Sequence[Window]
    calls_complete_until: datetime
    transcripts_complete_until: datetime
    calls_error: GongError | None
    transcripts_error: GongError | None
    exhausted: bool
    previous_bookmarks: Mapping[str, datetime | None] = field(default_factory=dict)


class BatchReader(Protocol):
    """A reader that `BackgroundReader` runs."""

    async def read(self) -> None:
        """Read everything; `get` hands it out while this runs."""

    async def get(self, until: float, load_seconds: float) -> tuple[list[Batch], ReadProgress | None]:
        """Return the next batches, and the progress if they are the last of a part.

        Args:
            until: Monotonic time at which the part ends.
            load_seconds: Duration of the previous load.
        """


class BackgroundReader:
    """Background event-loop thread. Re-entrant: the last `with` block to exit stops it and cancels its tasks.

    ```python
    with BackgroundReader(seconds=2) as background:
        source = gong_source(background=background)
        pipeline.run(source)
        while not background.exhausted:
            pipeline.run(source.with_resources("calls", "transcripts"))
    ```

    Each run of the pipeline loads one part of the calls while the thread reads the next one.

    Args:
        seconds: Minimum duration of a part. By default all calls are one part.

    Attributes:
        seconds: As passed in. May change between parts.
        load_seconds: Duration of the previous load, used to end parts so that no load is running when the last
            response arrives. May change between parts.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self.seconds, self.load_seconds = seconds, 0.0
        self._reader: BatchReader | None = None
        self._reading: Future[None] | None = None
        self._last_progress: ReadProgress | None = None
        self._part_started_at = 0.0
        self._users, self._lock = 0, Lock()
        self._portal: BlockingPortal | None = None
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        with self._lock:
            if self._users == 0:
                self._portal = self._resources.enter_context(start_blocking_portal())
            self._users += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and (portal := self._portal) is not None:
                self._portal = self._reader = self._reading = None
                with self._resources:
                    portal.call(portal.stop, True)

    @property
    def exhausted(self) -> bool:
        """Whether all parts have been read."""
        return self._reader is None

    @property
    def last_progress(self) -> ReadProgress:
        """The progress at the end of the last part.

        Raises:
            RuntimeError: If no part has been read.
        """
        if self._last_progress is None:
            raise RuntimeError("no part has been read yet")
        return self._last_progress

    async def read_part(self, create_reader: Callable[[], BatchReader]) -> AsyncIterator[Batch]:
        """Yield the batches of the next part; afterwards, `last_progress` describes its end.

        Args:
            create_reader: Called for the first part.
        """
        if self._reader is None or self._reading is None:
            self._reader = create_reader()
            self._reading = self._submit(self._reader.read())
            self._part_started_at = time.monotonic()
        reader, progress, part_bytes = self._reader, None, 0
        while progress is None:
            is_full = part_bytes >= _MAX_PART_BYTES and self.seconds < math.inf
            until = -math.inf if is_full else self._part_started_at + self.seconds
            batches, progress = await self.run(reader.get(until, self.load_seconds))
            for batch in batches:
                part_bytes += batch[2].nbytes
                yield batch
        self._last_progress = progress
        self._part_started_at = time.monotonic()
        if progress.exhausted:
            reading, self._reader, self._reading = self._reading, None, None
            await asyncio.wrap_future(reading)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the background event loop and return its result."""
        return await asyncio.wrap_future(self._submit(work))

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        if self._portal is None:
            work.close()
            raise RuntimeError("BackgroundReader is used outside of its `with` block")
        return self._portal.start_task_soon(lambda: work)
