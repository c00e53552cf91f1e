"""The background reader on its own: parts, re-entrance, work from another event loop, cancellation."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from sources.gong.errors import QuotaExceeded
from sources.gong.extract.background import BackgroundReader, ReadProgress
from sources.gong.extract.buffer import Batch, BatchBuffer
from sources.gong.incremental.windows import Window

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


class NumberReader:
    """Reads the numbers below `count`, one row each."""

    def __init__(self, count: int, *, error: Exception | None = None) -> None:
        self._buffer = BatchBuffer()
        self._count, self._error = count, error
        self.is_cancelled = False

    async def read(self) -> None:
        """Put the rows into the buffer, with pauses in between."""
        try:
            for number in range(self._count):
                await self._buffer.put({"numbers": {"numbers": pa.table({"number": [number]})}})
                await asyncio.sleep(0.02)
            if self._error is not None:
                raise self._error
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        finally:
            self._buffer.close()

    async def get(self, until: float, _: float) -> tuple[list[Batch], ReadProgress | None]:
        """Return rows from the buffer."""
        batches, is_end = await self._buffer.get(lambda: until)
        progress = ReadProgress([Window(SINCE, SINCE)], SINCE, SINCE, None, None, self._buffer.is_drained)
        return batches, progress if is_end else None


def read_part(background: BackgroundReader, create_reader: Callable[[], NumberReader]) -> list[int]:
    """Return the numbers of the next part, read in an event loop of its own, as dlt does it."""

    async def read() -> list[int]:
        batches = background.read_part(create_reader)
        return [number async for _, _, table in batches for number in table["number"].to_pylist()]

    return asyncio.run(read())


def test_all_rows_are_one_part_by_default() -> None:
    """Without a duration, `gong_source` reads everything in one run."""
    with BackgroundReader() as background:
        assert read_part(background, lambda: NumberReader(5)) == [0, 1, 2, 3, 4]
        assert background.exhausted
        assert background.last_progress.exhausted


def test_reading_continues_between_parts() -> None:
    """Each part has the rows read since the last one, and no row is lost or repeated."""
    parts: list[list[int]] = []
    with BackgroundReader(seconds=0.05) as background:
        while not parts or not background.exhausted:
            parts.append(read_part(background, lambda: NumberReader(20)))
            assert background.last_progress.exhausted is background.exhausted
            # A load, during which the reader continues.
            time.sleep(0.1)

    assert len(parts) > 1
    assert [number for part in parts for number in part] == list(range(20))


def test_nested_blocks_share_one_thread() -> None:
    """Resources enter the reader while the run that owns it is inside."""

    async def thread_name() -> str:
        return threading.current_thread().name

    background = BackgroundReader()
    with background:
        with background:
            inner = asyncio.run(background.run(thread_name()))
        assert asyncio.run(background.run(thread_name())) == inner != threading.current_thread().name
    with background:
        assert asyncio.run(background.run(thread_name())) != inner


def test_leaving_the_last_block_cancels_the_reader() -> None:
    """A run that ends early sends no further request."""
    reader = NumberReader(10_000)
    with BackgroundReader(seconds=0) as background:
        read_part(background, lambda: reader)
        assert not background.exhausted

    assert reader.is_cancelled
    assert background.exhausted


def test_an_error_of_the_reader_is_raised_with_its_last_part() -> None:
    """Rows that were read before the error are returned first."""
    rows: list[int] = []

    async def read(background: BackgroundReader) -> None:
        async for _, _, table in background.read_part(lambda: NumberReader(3, error=QuotaExceeded("used up"))):
            rows.extend(table["number"].to_pylist())

    with BackgroundReader() as background, pytest.raises(QuotaExceeded):
        asyncio.run(read(background))
    assert rows == [0, 1, 2]


def test_work_outside_of_a_block_is_an_error() -> None:
    """The event loop runs only inside it."""

    async def read() -> None:
        async for _ in BackgroundReader(math.inf).read_part(lambda: NumberReader(1)):
            pass

    with pytest.raises(RuntimeError, match="outside of its `with` block"):
        asyncio.run(read())
