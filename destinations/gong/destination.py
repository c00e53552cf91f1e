"""Gong as a dlt destination: rows of new calls are sent one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import dlt
from dlt.common.destination import Destination

# dlt saves its progress after each batch, which costs less than one request.
_ROWS_PER_BATCH = 100


class CallRow(TypedDict):
    """A call to send to Gong.

    Attributes:
        row: Number of the row in the file, from 1.
        client_unique_id: The id by which Gong recognises the call.
        body: Request body of POST /v2/calls as JSON.
    """

    row: int
    client_unique_id: str
    body: str


def gong_calls(send: Callable[[Sequence[CallRow]], None]) -> Destination[Any, Any]:
    """Return the destination.

    Args:
        send: Called with batches of rows in the order of the file. If it raises, dlt sends the batch again.
    """

    def gong(rows: Any, _table: Any) -> None:
        send(rows)

    destination: Destination[Any, Any] = dlt.destination(
        gong,
        name="gong",
        loader_file_format="typed-jsonl",
        batch_size=_ROWS_PER_BATCH,
        max_parallel_load_jobs=1,
        loader_parallelism_strategy="sequential",
    )()
    return destination
