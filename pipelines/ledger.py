"""The run's own row in `_runs`: written when it begins, kept up to date, closed when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import dlt
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_column, new_table

from state import deletions, runs

from .connection import Target
from .restored import has_tables


def declare(schema: Schema) -> None:
    """Adds the tables that runs keep for themselves to a schema."""
    for name, types in ((runs.TABLE, runs.COLUMN_TYPES), (deletions.TABLE, deletions.COLUMN_TYPES)):
        columns = [new_column(column, kind, nullable=column != "run_id") for column, kind in types.items()]
        schema.update_table(new_table(name, columns=columns, resource="runs", write_disposition="append"))


class Ledger:
    """One run's row. A run that is killed leaves its row at `running`, with the requests it had told of.

    Args:
        pipeline: Restored from the warehouse.
        target: The warehouse.
    """

    def __init__(self, pipeline: dlt.Pipeline, target: Target) -> None:
        self._pipeline = pipeline
        self._target = target
        self._begun = False

    def write(self, run: runs.Run) -> None:
        """Writes how far the run has come; does nothing while the warehouse has no tables or dlt no schema of them yet.

        Raises:
            DatabaseException: The warehouse refuses.
        """
        known = self._pipeline.default_schema_name is not None
        if not self._begun and not (known and has_tables(self._pipeline, self._target)):
            return
        if not self._begun:
            # A warehouse of an older version may lack a column or table.
            declare(self._pipeline.default_schema)
            self._pipeline.sync_schema()
        with self._pipeline.sql_client() as sql:
            (runs.update if self._begun else runs.begin)(sql, run)
        self._begun = True

    def close(self, run: runs.Run) -> None:
        """Writes how the run ended."""
        self.write(replace(run, finished_at=datetime.now(UTC)))
