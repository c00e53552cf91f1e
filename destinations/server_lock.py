"""One run at a time on a warehouse that several machines reach: PostgreSQL's advisory lock, gone with its session.

A file lock beside it covers one machine. DuckDB needs nothing more: one process at a time opens its file.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

import dlt

# PostgreSQL cuts an application's name there.
_LONGEST_NAME = 63
_SPACE = 0x676F6E67  # "gong": the first of the lock's two numbers, so that other programs' locks are not met


@contextmanager
def server_lock(pipeline: dlt.Pipeline, connection: str) -> Iterator[str | None]:
    """Holds the lock of a connection and dataset while a run goes on, where the warehouse has such locks.

    Args:
        pipeline: Says which warehouse and dataset.
        connection: Name of the Gong account.

    Yields:
        None when the lock is ours, or there is none to be had; else who holds it: host, pid, since.

    Raises:
        DatabaseException: The warehouse cannot be reached.
    """
    if pipeline.destination is None or pipeline.destination.destination_name != "postgres":
        yield None
        return
    dataset = f"{pipeline.dataset_name} {connection}"
    number = int.from_bytes(blake2b(dataset.encode(), digest_size=4).digest()) >> 1
    with pipeline.sql_client() as sql:
        name = f"gong-elt on {socket.gethostname()[:30]}, pid {os.getpid()}"[:_LONGEST_NAME]
        sql.execute_sql("SELECT set_config('application_name', %s, false)", name)
        rows = sql.execute_sql("SELECT pg_try_advisory_lock(%s, %s)", _SPACE, number)
        if rows and rows[0][0]:
            # Closing the connection frees the lock, whether the run ends well, badly or is killed.
            yield None
            return
        holders = sql.execute_sql(
            "SELECT a.application_name, a.backend_start FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s",
            _SPACE,
            number,
        )
        yield ", ".join(f"{who}, since {since:%Y-%m-%dT%H:%M:%S%z}" for who, since in holders or ()) or "unnamed"
