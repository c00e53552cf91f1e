"""The buffer between extraction and loading: batch sizes, ends of parts, back pressure."""

from __future__ import annotations

import asyncio
import math

import pyarrow as pa
import pytest

from sources.gong.extract import buffer
from sources.gong.extract.buffer import BatchBuffer


def rows(count: int) -> pa.Table:
    """Return a table with this number of rows."""
    return pa.table({"number": list(range(count))})


def never() -> float:
    """Return the end of a part that does not end by time."""
    return math.inf


def at_once() -> float:
    """Return the end of a part that ends with the next row."""
    return -math.inf


def test_a_table_is_returned_once_it_has_3000_rows() -> None:
    """Dlt spends constant time per table, so small ones are collected."""

    async def scenario() -> None:
        queue = BatchBuffer()
        await queue.put({"calls": {"calls": rows(2_000), "call_parties": rows(10)}})
        await queue.put({"calls": {"calls": rows(2_000)}})

        batches, is_end = await queue.get(never)
        assert [(resource, name, table.num_rows) for resource, name, table in batches] == [("calls", "calls", 4_000)]
        assert not is_end

    asyncio.run(scenario())


def test_a_part_ends_with_all_rows() -> None:
    """Rows of one `put` are in one part, so that no row is loaded before those that belong to it."""

    async def scenario() -> None:
        queue = BatchBuffer()
        await queue.put({"calls": {"calls": rows(5), "call_parties": rows(10)}})

        batches, is_end = await queue.get(at_once)
        assert {name: table.num_rows for _, name, table in batches} == {"calls": 5, "call_parties": 10}
        assert is_end
        assert not queue.is_drained

    asyncio.run(scenario())


def test_a_closed_buffer_returns_the_rest() -> None:
    """The last part ends when there are no more rows."""

    async def scenario() -> None:
        queue = BatchBuffer()
        await queue.put({"calls": {"calls": rows(5)}})
        queue.close()

        batches, is_end = await queue.get(never)
        assert (batches[0][2].num_rows, is_end, queue.is_drained) == (5, True, True)
        assert await queue.get(never) == ([], True)

    asyncio.run(scenario())


def test_put_waits_while_the_buffer_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded while a load is running."""
    monkeypatch.setattr(buffer, "_MAX_BUFFERED_BYTES", 100)

    async def scenario() -> None:
        queue = BatchBuffer()
        put = asyncio.create_task(queue.put({"calls": {"calls": rows(50)}}))
        await asyncio.sleep(0.01)
        assert not put.done()

        batches, _ = await queue.get(never)
        assert batches[0][2].num_rows == 50
        await asyncio.wait_for(put, 1)

    asyncio.run(scenario())
