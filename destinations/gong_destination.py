"""Gong as a dlt destination: rows of new calls leave one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import dlt
from dlt.common.destination import Destination

# Between two batches dlt writes down how far it came; that costs less than one request.
_ROWS_A_BATCH = 100


class CallRow(TypedDict):
    """A call on its way to Gong.

    Attributes:
        row: Its number in the file, from 1.
        client_unique_id: What Gong knows it by.
        body: JSON of POST /v2/calls.
    """

    row: int
    client_unique_id: str
    body: str


def gong_calls(send: Callable[[Sequence[CallRow]], None]) -> Destination[Any, Any]:
    """The destination.

    Args:
        send: Takes rows in the order of the file, one batch after the other. What it raises makes dlt send the
            batch again.
    """

    def gong(rows: Any, _table: Any) -> None:
        send(rows)

    destination: Destination[Any, Any] = dlt.destination(
        gong,
        name="gong",
        loader_file_format="typed-jsonl",
        batch_size=_ROWS_A_BATCH,
        max_parallel_load_jobs=1,
        loader_parallelism_strategy="sequential",
    )()
    return destination
