"""Read all records of an endpoint, once or shared by several resources."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ..api.client import GongClient
from ..api.endpoint import Endpoint
from ..api.retry import MAX_RESTARTS
from ..tables.records import InvalidRecordError, Record, decode_record, record_id


class SharedList:
    """A list that several resources need and that is requested once per run.

    Args:
        endpoint: What to read.
        query: Query parameters.
    """

    def __init__(self, endpoint: Endpoint, query: Mapping[str, str] | None = None) -> None:
        self._endpoint = endpoint
        self._query = query
        self._task: asyncio.Task[list[Record]] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(self, client: GongClient) -> list[Record]:
        """Return all records; a second caller waits for the first one's response."""
        if self._loop is not (loop := asyncio.get_running_loop()) or self._task is None:
            # A task belongs to one event loop, and the next read may run in a new one.
            self._loop, self._task = loop, loop.create_task(read_records(client, self._endpoint, self._query))
        # Cancelling one caller must not cancel the request that the without_id wait for.
        return await asyncio.shield(self._task)


async def read_records(
    client: GongClient,
    endpoint: Endpoint,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Return all records of an endpoint, decoded; of a record that a paged list contains twice, the last copy.

    A record that cannot be decoded is returned as text. The client's metrics count the copies that are left out, unless
    the list was read again from its first page.

    Raises:
        GongError: If a page could not be read.
    """
    by_id: dict[str, Record] = {}
    without_id: list[Any] = []
    received_ids: set[str] = set()
    max_restarts = MAX_RESTARTS if endpoint.id_field else 0
    async for page in client.paginate(endpoint, query=query, body=body, max_restarts=max_restarts):
        if page.is_first:
            received_ids.clear()
        for raw in page.records:
            try:
                record = decode_record(raw)
            except InvalidRecordError:
                record = bytes(raw).decode("utf-8", "replace")
            if endpoint.paged and endpoint.id_field and (text := record_id(record, endpoint.id_field)):
                # A list that changes between pages, or is restarted, contains a record twice.
                by_id[text] = record
                client.metrics.repeated[endpoint.records] += text in received_ids
                received_ids.add(text)
            else:
                without_id.append(record)
    return [*by_id.values(), *without_id]
