"""The run's own row in `_runs`: written when it begins, kept up to date, closed when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dlt
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_column, new_table
from dlt.destinations.sql_client import SqlClientBase

from destinations.server_lock import server_lock
from destinations.warehouse import sql_client
from state import deletions, media, runs, uploads
from state.lock import LockHeldError

from .connection import Connection
from .target import Target
from .warehouse_session import dataset_exists, hold_connection


def add_run_log_tables(schema: Schema) -> None:
    """Adds the tables that runs keep for themselves to a schema."""
    for state in (runs, deletions, uploads, media):
        columns = [new_column(column, kind, nullable=column != "run_id") for column, kind in state.COLUMN_TYPES.items()]
        schema.update_table(new_table(state.TABLE, columns=columns, resource="runs", write_disposition="append"))


@contextmanager
def open_run_log(
    pipeline: dlt.Pipeline, connection: Connection, target: Target
) -> Iterator[tuple[SqlClientBase[Any], RunLog]]:
    """The warehouse for a run that loads nothing through dlt, and for it alone; and the run's row.

    The tables that runs keep for themselves are there then, also where nothing was loaded yet.

    Args:
        pipeline: Restored from the warehouse.
        connection: Whose pipeline it is.
        target: The warehouse.

    Raises:
        LockHeldError: Another run, perhaps on another machine, works on it.
        DatabaseException: The warehouse refuses.
    """
    _make_own_tables(pipeline, connection)
    with (
        hold_connection(pipeline, target),
        server_lock(pipeline, connection.name) as holder,
        pipeline.sql_client() as sql,
    ):
        if holder is not None:
            raise LockHeldError(f"another run holds the lock: {holder}")
        yield sql, RunLog(pipeline, target, made=True)


def _make_own_tables(pipeline: dlt.Pipeline, connection: Connection) -> None:
    if pipeline.default_schema_name is None:
        schema = Schema(connection.name)
        add_run_log_tables(schema)
        pipeline.extract(iter(()), table_name=runs.TABLE, schema=schema)
        # Only then dlt knows all columns of its own tables.
        pipeline.normalize()
        pipeline.sync_schema()
        pipeline.load()
    else:
        add_run_log_tables(pipeline.default_schema)
        pipeline.sync_schema()


class RunLog:
    """One run's row. A run that is killed leaves its row at `running`, with the requests it had told of.

    Args:
        pipeline: Restored from the warehouse.
        target: The warehouse.
        made: Its table exists; otherwise nothing is written before the first load has made all of them.
    """

    def __init__(self, pipeline: dlt.Pipeline, target: Target, *, made: bool = False) -> None:
        self._pipeline = pipeline
        self._target = target
        self._begun, self._made = False, made

    def write(self, run: runs.Run) -> None:
        """Writes how far the run has come; does nothing while the warehouse has no tables or dlt no schema of them yet.

        Raises:
            DatabaseException: The warehouse refuses.
        """
        if not (self._begun or self._made):
            if self._pipeline.default_schema_name is None or not dataset_exists(self._pipeline, self._target):
                return
            # A warehouse of an older version may lack a column or table.
            add_run_log_tables(self._pipeline.default_schema)
            self._pipeline.sync_schema()
        with sql_client(self._pipeline) as sql:
            (runs.update if self._begun else runs.begin)(sql, run)
        self._begun = True

    def requests_today(self, connection: str, now: datetime) -> int:
        """Requests that runs of a connection have sent since midnight UTC; an upload may come before the first load."""
        if not dataset_exists(self._pipeline, self._target, runs.TABLE):
            return 0
        with sql_client(self._pipeline) as sql:
            return runs.requests_today(sql, connection, now)

    def close(self, run: runs.Run) -> None:
        """Writes how the run ended."""
        self.write(replace(run, finished_at=datetime.now(UTC)))
