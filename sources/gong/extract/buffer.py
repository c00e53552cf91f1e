"""Tables on their way to dlt, gathered until a batch is worth a load file."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import pyarrow as pa

Batch = tuple[str, str, pa.Table]
"""Resource, table, rows."""

# Each table handed to dlt costs it 0.65 ms, whatever its size; from 3,000 rows on that is lost in the noise.
_ROWS_A_BATCH = 3_000
# What may wait while the loader is busy; bounds the memory of a run.
_BYTES_WAITING = 64 * 2**20


class BatchBuffer:
    """Rows between reading and loading: `put` waits while too much lies here, `take` while there is too little.

    The tables of one `put` are always taken in the same part, so that no row is loaded before the rows that
    belong to it.
    """

    def __init__(self) -> None:
        self._gathered: dict[tuple[str, str], list[pa.Table]] = {}
        self._bytes = 0
        self._closed = False
        self._changed, self._room = asyncio.Event(), asyncio.Event()

    async def put(self, tables: Mapping[str, Mapping[str, pa.Table]]) -> None:
        """Takes rows in.

        Args:
            tables: By resource, then by table.
        """
        for resource, of_resource in tables.items():
            for name, table in of_resource.items():
                self._gathered.setdefault((resource, name), []).append(table)
                self._bytes += table.nbytes
        self._changed.set()
        while self._bytes > _BYTES_WAITING and not self._closed:
            self._room.clear()
            await self._room.wait()

    @property
    def is_drained(self) -> bool:
        """Whether everything was taken and no more rows come."""
        return self._closed and not self._gathered

    def close(self) -> None:
        """No more rows come."""
        self._closed = True
        self._changed.set()

    async def get(self, until: Callable[[], float]) -> tuple[list[Batch], bool]:
        """Batches worth a load file, as soon as there are some; or all there is, which ends a part.

        Args:
            until: By the monotonic clock; then the part ends, if there is anything at all. Asked again with new rows.

        Returns:
            The batches, and whether the part ends with them.
        """
        while not (ends := self._closed or (bool(self._gathered) and time.monotonic() >= until())):
            if batches := self._batches(0 if self._bytes > _BYTES_WAITING else _ROWS_A_BATCH):
                return batches, False
            self._changed.clear()
            left = until() - time.monotonic() if self._gathered else math.inf
            with suppress(TimeoutError):
                async with asyncio.timeout(left if left < math.inf else None):
                    await self._changed.wait()
        return self._batches(0), ends

    def _batches(self, rows: int) -> list[Batch]:
        """Takes out the tables that have so many rows."""
        worth = [key for key, parts in self._gathered.items() if sum(part.num_rows for part in parts) >= rows]
        batches = []
        for resource, name in worth:
            parts = self._gathered.pop((resource, name))
            self._bytes -= sum(part.nbytes for part in parts)
            batches.append((resource, name, pa.concat_tables(parts, promote_options="default")))
        self._room.set()
        return batches
