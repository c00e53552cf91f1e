"""The run's own row in `_runs`: written when it begins, kept up to date, closed when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import dlt
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_column, new_table

from state import deletions, media, runs, uploads

from .connection import Connection, Target
from .restored import has_tables


def declare(schema: Schema) -> None:
    """Adds the tables that runs keep for themselves to a schema."""
    for state in (runs, deletions, uploads, media):
        columns = [new_column(column, kind, nullable=column != "run_id") for column, kind in state.COLUMN_TYPES.items()]
        schema.update_table(new_table(state.TABLE, columns=columns, resource="runs", write_disposition="append"))


def own_tables(pipeline: dlt.Pipeline, connection: Connection) -> None:
    """Makes the tables that runs keep for themselves, also in a warehouse that nothing was loaded into yet.

    Args:
        pipeline: Restored from the warehouse.
        connection: Whose pipeline it is.

    Raises:
        DatabaseException: The warehouse refuses.
    """
    if pipeline.default_schema_name is None:
        schema = Schema(connection.name)
        declare(schema)
        pipeline.extract(iter(()), table_name=runs.TABLE, schema=schema)
        # Only then dlt knows all columns of its own tables.
        pipeline.normalize()
        pipeline.sync_schema()
        pipeline.load()
    else:
        declare(pipeline.default_schema)
        pipeline.sync_schema()


class Ledger:
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
        known = self._pipeline.default_schema_name is not None
        if not (self._begun or self._made) and not (known and has_tables(self._pipeline, self._target)):
            return
        if not (self._begun or self._made):
            # A warehouse of an older version may lack a column or table.
            declare(self._pipeline.default_schema)
            self._pipeline.sync_schema()
        with self._pipeline.sql_client() as sql:
            (runs.update if self._begun else runs.begin)(sql, run)
        self._begun = True

    def requests_today(self, connection: str, now: datetime) -> int:
        """Requests that runs of a connection have sent since midnight UTC; an upload may come before the first load."""
        if not has_tables(self._pipeline, self._target, runs.TABLE):
            return 0
        with self._pipeline.sql_client() as sql:
            return runs.requests_today(sql, connection, now)

    def close(self, run: runs.Run) -> None:
        """Writes how the run ended."""
        self.write(replace(run, finished_at=datetime.now(UTC)))
