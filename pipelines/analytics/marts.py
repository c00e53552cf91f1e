"""Read-only access to the marts that `gong-elt models` builds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from destinations.dataset_name import MAX_CHARACTERS, datasets_of_marts, validate_dataset_name

from ..runtime.connection import Connection
from ..runtime.errors import UsageError
from ..runtime.process.interruption import temporary_folder
from ..runtime.target import Target
from ..runtime.warehouse_session import nothing_loaded, restore_pipeline
from .marts_origin import default_analytics, refuse_other_origin

DEFAULT_ANALYTICS = default_analytics("gong")
"""The dataset of the marts that are built from the default dataset."""

# How DuckDB, PostgreSQL, Snowflake and BigQuery report a column that a mart of an earlier version lacks.
_MISSING_COLUMN = re.compile(
    r'Referenced column "|does not have a column named|column \S+ does not exist|invalid identifier|Unrecognized name'
)
_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_catalog = current_database() AND table_schema = %s ORDER BY table_name, ordinal_position
"""


@dataclass(frozen=True, slots=True)
class LoadedCall:
    """Why a loaded call may be missing in the marts.

    Attributes:
        is_private: Whether it is private in Gong.
        deleted_at: When it was found to be deleted in Gong; None if it exists.
    """

    is_private: bool
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Marts:
    """An open dataset of marts.

    Attributes:
        dataset: Name of the dataset.
    """

    dataset: str
    _sql: SqlClientBase[Any]

    @property
    def schema(self) -> str:
        """The dataset's name, quoted for SQL."""
        return self._sql.escape_column_name(self.dataset)

    @property
    def staging_schema(self) -> str:
        """The name of the dataset of the staging models, quoted for SQL."""
        return self._sql.escape_column_name(datasets_of_marts(self.dataset)[1])

    @property
    def credentials(self) -> Any:
        """Dlt's credentials of the warehouse."""
        return self._sql.credentials

    def list_columns(self) -> Mapping[str, list[tuple[str, str]]]:
        """Return the names and types of the columns of each table and view, in their order; names in lower case."""
        own_list = getattr(self._sql, "list_columns", None)
        rows: Sequence[Sequence[str]] = (
            own_list(self.dataset)
            if own_list is not None
            else self._sql.execute_sql(_COLUMNS, self._sql.escape_column_name(self.dataset, quote=False)) or ()
        )
        columns: dict[str, list[tuple[str, str]]] = {}
        for table, column, data_type in rows:
            columns.setdefault(table.lower(), []).append((column.lower(), data_type))
        return columns

    def read_loaded_call(self, call_id: str) -> LoadedCall | None:
        """Return what the loaded tables, below the marts, have of a call without its content; None if it is unknown."""
        table = self._sql.make_qualified_table_name("calls")
        rows = self._sql.execute_sql(f"SELECT is_private, _deleted_at FROM {table} WHERE id = %s", call_id)
        return LoadedCall(bool(rows[0][0]), rows[0][1]) if rows else None

    def rows(self, sql: str, *parameters: Any) -> Iterator[Mapping[str, Any]]:
        """Run a query and return its rows, each by column name.

        Args:
            sql: A query with `%s` as placeholder. Without parameters a `%` is not special.
            parameters: Values of the placeholders, in order.

        Raises:
            UsageError: If the marts are missing or outdated.
        """
        try:
            with self._sql.execute_query(sql, *parameters) as cursor:
                # Snowflake returns names that are not quoted in upper case.
                names = [column[0].lower() for column in cursor.description or ()]
                rows: Sequence[Sequence[Any]] = cursor.fetchall()
        except DatabaseException as error:
            if not isinstance(error, DatabaseUndefinedRelation) and not _MISSING_COLUMN.search(str(error)):
                raise
            raise UsageError(
                f"dataset {self.dataset} has no marts, or they are of an older version: run gong-elt models"
            ) from None
        return (dict(zip(names, row, strict=True)) for row in rows)


def contains(column: str) -> str:
    """Return the SQL condition that a text column contains a parameter, which is in lower case, in any case."""
    return f"replace(lower({column}), %s, '') <> lower({column})"


def validate_analytics(target: Target, analytics: str) -> None:
    """Refuse a name that cannot be the dataset of marts beside the loaded tables. Nothing is opened.

    Args:
        target: The warehouse of the loaded tables.
        analytics: Dataset of the marts.

    Raises:
        UsageError: If it is the dataset of the loaded tables or of their loads, or the name of the DuckDB file.
        InvalidWarehouseError: If it is not a name of a dataset.
    """
    validate_dataset_name(analytics, "--analytics")
    if max(map(len, datasets_of_marts(analytics))) > MAX_CHARACTERS:
        raise UsageError(
            f"--analytics {analytics!r} is too long: {max(datasets_of_marts(analytics), key=len)} has more than"
            f" {MAX_CHARACTERS} characters"
        )
    file = target.warehouse.file
    datasets = datasets_of_marts(analytics)
    if not {target.dataset, f"{target.dataset}_staging"}.isdisjoint(datasets):
        raise UsageError(
            f"--analytics {analytics!r} is the dataset of the loaded tables, or of their loads: use another name"
        )
    if file is not None and file.stem.casefold() in datasets:
        raise UsageError(
            f"the DuckDB file {file.name!r} has the name of --analytics {analytics!r}, and DuckDB cannot distinguish"
            " them: use another name"
        )


@contextmanager
def open_marts(connection: Connection, target: Target, dataset: str) -> Iterator[Marts]:
    """Open the marts.

    Args:
        connection: The Gong account that loaded the tables below the marts.
        target: The warehouse.
        dataset: Dataset of the marts.

    Raises:
        UsageError: If the warehouse does not exist yet, or the marts were built from another dataset.
    """
    target = target.read_only()
    if target.missing_file is not None:
        raise nothing_loaded(target)
    with temporary_folder("marts") as folder, target.warehouse.hold():
        pipeline = restore_pipeline(connection, target, folder)
        with pipeline.sql_client() as sql:
            refuse_other_origin(sql, dataset, target.dataset)
            yield Marts(dataset, sql)
