"""Tables on their way to dlt, gathered until a batch is worth a load file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pyarrow as pa

Batch = tuple[str, str, pa.Table]
"""Resource, table, rows."""

# Each table handed to dlt costs it 0.65 ms, whatever its size; from 3,000 rows on that is lost in the noise.
_ROWS_A_BATCH = 3_000
# What may wait while the loader writes; bounds the memory of a run.
_BATCHES_WAITING = 16


class Outbox:
    """A bounded queue of batches: `put` waits while the reader of `batches` is behind."""

    def __init__(self) -> None:
        self._gathered: dict[tuple[str, str], list[pa.Table]] = {}
        self._queue: asyncio.Queue[Batch | None] = asyncio.Queue(_BATCHES_WAITING)

    async def put(self, resource: str, tables: Mapping[str, pa.Table]) -> None:
        """Takes rows in; they come out once their table has enough of them."""
        for name, table in tables.items():
            parts = self._gathered.setdefault((resource, name), [])
            parts.append(table)
            if sum(part.num_rows for part in parts) >= _ROWS_A_BATCH:
                await self._send(resource, name)

    async def close(self) -> None:
        """Sends what is gathered and ends `batches`."""
        for resource, name in list(self._gathered):
            await self._send(resource, name)
        await self._queue.put(None)

    async def batches(self) -> AsyncIterator[Batch]:
        """The batches until the box is closed."""
        while (batch := await self._queue.get()) is not None:
            yield batch

    async def _send(self, resource: str, name: str) -> None:
        parts = self._gathered.pop((resource, name))
        await self._queue.put((resource, name, pa.concat_tables(parts, promote_options="default")))
