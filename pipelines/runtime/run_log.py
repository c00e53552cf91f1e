"""The run's own row in `_runs`: inserted when the run starts, updated while it works and when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import dlt
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_column, new_table

from destinations.warehouse import sql_client
from state import deletions, media, runs, uploads

from .connection import Connection
from .process.interruption import is_interrupted
from .target import Target
from .warehouse_session import dataset_exists

_STATE = (runs, deletions, uploads, media)
STATE_TABLES = tuple(state.TABLE for state in _STATE)
"""Tables that jobs write themselves."""


def add_state_tables(schema: Schema) -> None:
    """Add the tables that jobs write themselves to a schema: `_runs`, `_missing_calls`, `_uploads`, `_media`."""
    for state in _STATE:
        columns = [new_column(column, kind, nullable=column != "run_id") for column, kind in state.COLUMN_TYPES.items()]
        schema.update_table(new_table(state.TABLE, columns=columns, resource="runs", write_disposition="append"))


def create_state_tables(pipeline: dlt.Pipeline, connection: Connection) -> None:
    """Create the tables that jobs write themselves, also in a dataset into which nothing was loaded yet.

    Raises:
        DatabaseException: If the user may not create tables.
    """
    if pipeline.default_schema_name is None:
        schema = Schema(connection.name)
        add_state_tables(schema)
        pipeline.extract(iter(()), table_name=runs.TABLE, schema=schema)
        # dlt adds the columns of its own tables to the schema here.
        pipeline.normalize()
        pipeline.sync_schema()
        pipeline.load()
    else:
        add_state_tables(pipeline.default_schema)
        pipeline.sync_schema()
        create_dropped_tables(pipeline, STATE_TABLES)


def create_dropped_tables(pipeline: dlt.Pipeline, names: Iterable[str]) -> None:
    """Create tables of the pipeline's schema that were dropped; dlt creates a table only when its schema changes.

    Raises:
        DatabaseException: If the user may not create tables.
    """
    with pipeline.destination_client() as client:
        client.update_stored_schema(only_tables=list(names), force=True)


class RunLog:
    """Writer of one run's row. A killed run leaves its row at `running`, with the requests counted so far.

    Args:
        pipeline: Restored from the warehouse.
        target: The warehouse.
        tables_exist: Whether the table exists. Otherwise nothing is written before the first load has created it.

    Attributes:
        is_started: Whether the row was written.
    """

    def __init__(self, pipeline: dlt.Pipeline, target: Target, *, tables_exist: bool = False) -> None:
        self._pipeline = pipeline
        self._target = target
        self._is_restored = pipeline.default_schema_name is not None
        self.is_started, self._tables_exist = False, tables_exist

    def write(self, run: runs.Run) -> None:
        """Insert or update the row. Does nothing while the dataset has no tables.

        Raises:
            DatabaseException: If the warehouse rejects the statement.
        """
        if not (self.is_started or self._tables_exist):
            if not self._is_restored:
                # dlt completes its own tables when it normalizes; created earlier, they would lack columns.
                if not dataset_exists(self._pipeline, self._target, runs.TABLE):
                    return
            elif not dataset_exists(self._pipeline, self._target):
                return
            else:
                self._upgrade_tables()
        # A client of its own: after a signal, a thread writes the row while another one may be in a statement.
        with self._pipeline.sql_client() if is_interrupted() else sql_client(self._pipeline) as sql:
            (runs.update if self.is_started else runs.insert)(sql, run)
        self.is_started = True

    def publish(self) -> None:
        """Publish what was committed, if the dataset has tables.

        Raises:
            NotPublishedError: If that fails.
        """
        if self.is_started:
            self._target.warehouse.publish_changes(self._pipeline)

    def _upgrade_tables(self) -> None:
        """Add what a dataset of an earlier version lacks, and tables that were dropped."""
        add_state_tables(self._pipeline.default_schema)
        self._pipeline.sync_schema()
        if not dataset_exists(self._pipeline, self._target, runs.TABLE):
            create_dropped_tables(self._pipeline, STATE_TABLES)

    def requests_today(self, connection: str, now: datetime) -> int:
        """Return the requests that runs of a connection have sent since midnight UTC."""
        # An upload may run before the first load.
        if not dataset_exists(self._pipeline, self._target, runs.TABLE):
            return 0
        with sql_client(self._pipeline) as sql:
            return runs.requests_today(sql, connection, now)
