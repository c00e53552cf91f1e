"""`gong-elt migrate`: give a warehouse of an earlier version the tables and columns of this one, in one transaction.

A sync does the same for the tables that it writes, without showing beforehand what will change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dlt

from destinations.warehouse import sql_client
from sources.gong import OPT_IN_RESOURCES, RESOURCES, TABLES_BY_RESOURCE, table_names, table_schemas
from state import uploads

from ..runtime.connection import Connection
from ..runtime.errors import JobRefusedError
from ..runtime.job import USER_ERRORS, Job
from ..runtime.result import LISTED_ITEMS, Status
from ..runtime.run_log import add_state_tables
from ..runtime.target import Target
from ..runtime.warehouse_session import restore_loaded_pipeline

Change = tuple[str, str | None]
"""A table that is new, or a table and a column that it lacks."""


@dataclass(frozen=True, slots=True)
class MigrateResult:
    """Figures of a migration; the fields are the keys of `--json`.

    Attributes:
        dry_run: Whether the warehouse was left as it is.
        tables: Tables that were created, or would be.
        columns: Columns that were added, as `table.column`.
        rows: Rows whose values were replaced by those of this version.
        reason: Why it did not complete.
    """

    run_id: str
    status: Status
    destination: str
    dataset: str
    requests: int
    duration_seconds: float
    dry_run: bool
    tables: Sequence[str]
    columns: Sequence[str]
    rows: int
    reason: str | None

    def lines(self) -> Iterator[str]:
        """Yield what has changed, or would."""
        if self.status != "done":
            return
        verb = "would be " if self.dry_run else ""
        for what, names in (("created", self.tables), ("added", self.columns)):
            if names:
                more = f" and {len(names) - LISTED_ITEMS} more" if len(names) > LISTED_ITEMS else ""
                yield f"{verb}{what}: {', '.join(names[:LISTED_ITEMS])}{more}"
        if self.rows:
            yield f"{verb}changed: {self.rows} rows of {uploads.TABLE}"
        if not (self.tables or self.columns or self.rows):
            yield f"{self.destination}, dataset {self.dataset}: nothing to change"

    def failures(self) -> Iterator[str]:
        """Yield why it failed."""
        if self.status != "done":
            yield f"{self.reason}; nothing was changed"


class MigrateResultInParts(MigrateResult):
    """Figures of a migration in a warehouse that commits each new table and column by itself."""

    __slots__ = ()

    def failures(self) -> Iterator[str]:
        """Yield why it failed."""
        if self.status != "done":
            yield f"{self.reason}; a part may be changed: run gong-elt migrate again"


def migrate(connection: Connection, target: Target, *, dry_run: bool = False) -> MigrateResult:
    """Upgrade the tables of a dataset.

    Args:
        connection: The Gong account.
        target: The warehouse.
        dry_run: Report what would change, and change nothing.

    Raises:
        UsageError: If nothing was loaded yet.
        LockHeldError: If another run works on the same connection and dataset.
    """
    job = Job("migrate", connection, target)
    changes: list[Change] = []
    rows = 0
    with job.lock():
        pipeline = restore_loaded_pipeline(connection, target, job.folder())
        with job.keep_errors(reraise=USER_ERRORS), job.open_run_log(pipeline):
            _declare_tables(pipeline)
            changes = _find_changes(pipeline)
            rows = _count_old_rows(pipeline, changes)
            if not dry_run and (changes or rows):
                _apply(pipeline)
                job.write_progress()
                job.write_end()
    result = MigrateResult if pipeline.destination.capabilities().supports_ddl_transactions else MigrateResultInParts
    return result(
        **job.figures(),
        dry_run=dry_run,
        tables=sorted({table for table, column in changes if column is None}),
        columns=sorted(f"{table}.{column}" for table, column in changes if column is not None),
        rows=rows,
    )


def _declare_tables(pipeline: dlt.Pipeline) -> None:
    """Add the tables of this version to the pipeline's schema: those of all default resources, and the run log."""
    schema = pipeline.default_schema
    opt_in = {table: name for name in OPT_IN_RESOURCES for table in table_names(name)}
    # Tables of opt-in resources are upgraded where they exist.
    loaded = {opt_in[table] for table, columns in _read_columns(pipeline, opt_in) if columns}
    names = [name for name in TABLES_BY_RESOURCE if name in RESOURCES or name in loaded]
    for table in table_schemas({name: TABLES_BY_RESOURCE[name] for name in names}, append=False):
        schema.update_table(table)
    add_state_tables(schema)
    # dlt refuses to create tables of a schema that was changed since it was saved.
    storage: Any = pipeline.schemas
    storage.commit_live_schema(schema.name)


def _find_changes(pipeline: dlt.Pipeline) -> list[Change]:
    """Return the tables and columns of the schema that the warehouse lacks."""
    schema = pipeline.default_schema
    changes: list[Change] = []
    for table, columns in _read_columns(pipeline, schema.data_table_names()):
        if not columns:
            changes.append((table, None))
        else:
            changes += [(table, column) for column in schema.get_table_columns(table) if column not in columns]
    return changes


def _read_columns(pipeline: dlt.Pipeline, tables: Iterable[str]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the columns of tables in the warehouse; none for a table that does not exist."""
    with pipeline.destination_client() as client:
        storage: Any = client
        found = list(storage.get_storage_tables(tables))
        if client.capabilities.casefold_identifier is not str.upper:
            return found
        # Snowflake keeps names that are not quoted in upper case.
        return [(table, {name.lower(): column for name, column in columns.items()}) for table, columns in found]


def _count_old_rows(pipeline: dlt.Pipeline, changes: Sequence[Change]) -> int:
    if (uploads.TABLE, None) in changes:
        return 0
    with sql_client(pipeline) as sql:
        return uploads.count_old_statuses(sql)


def _apply(pipeline: dlt.Pipeline) -> None:
    """Change everything in one transaction.

    Raises:
        DatabaseException: If the user may not change a table, or a session blocks it for longer than the lock timeout.
        JobRefusedError: If the warehouse has no transactions over tables.
    """
    with pipeline.destination_client() as client:
        atomic: Any = client
        if not hasattr(atomic, "transaction"):
            raise JobRefusedError("this warehouse has no transactions over tables: run gong-elt sync, which adds them")
        with atomic.transaction():
            atomic.update_stored_schema(force=True)
            uploads.replace_old_statuses(atomic.sql_client)
