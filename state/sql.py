"""SQL access for state: the statements that write rows, and the parts that depend on the number of values.

Every table in a statement is named by `make_qualified_table_name`: without its dataset, a name may lead to a user's own
table in schema `main` or `public`. NULL is written as a word, because BigQuery cannot derive the type of a parameter
without a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Sql(Protocol):
    """A connection that runs statements; dlt's SQL client is one. A parameter is written `%s`.

    Attributes:
        dataset_name: The dataset of the tables.
        capabilities: How the warehouse writes names, as dlt describes it.
    """

    dataset_name: str
    capabilities: Any

    def make_qualified_table_name(self, table_name: str) -> str:
        """Return the name of a table of the dataset, with its schema and quoted."""

    def escape_column_name(self, column_name: str) -> str:
        """Return the name of a column, quoted."""

    def execute_sql(self, sql: str, *args: Any) -> Sequence[Sequence[Any]] | None:
        """Run a statement and return its rows."""

    def execute_query(self, query: str, *args: Any) -> AbstractContextManager[Any]:
        """Run a query and return its cursor, inside a `with`."""


class TransactionalSql(Sql, Protocol):
    """A connection that also has transactions; dlt's SQL client is one."""

    def begin_transaction(self) -> AbstractContextManager[Any]:
        """Return a context that commits when it ends, and rolls back if it raises."""


def list_tables(sql: Sql) -> set[str]:
    """Return the names of the tables in the dataset; empty if the dataset does not exist.

    Only for warehouses with `can_list_tables`. Clients whose kind has no standard view list them themselves.
    """
    own_list = getattr(sql, "list_tables", None)
    if own_list is not None:
        return set(own_list())
    # Snowflake keeps names that are not quoted in upper case.
    is_upper = sql.capabilities.casefold_identifier is str.upper
    rows = sql.execute_sql(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_catalog = current_database() AND table_schema = %s AND table_type = 'BASE TABLE'",
        sql.dataset_name.upper() if is_upper else sql.dataset_name,
    )
    return {str(row[0]).lower() if is_upper else str(row[0]) for row in rows or ()}


def insert_rows(sql: Sql, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows into a table of the dataset.

    Args:
        sql: The warehouse.
        table: Name of the table.
        rows: Values by column, the same columns in each row; at least one row.
    """
    columns = ", ".join(map(sql.escape_column_name, rows[0]))
    values = ", ".join(f"({', '.join(map(_value, row.values()))})" for row in rows)
    parameters = [value for row in rows for value in row.values() if value is not None]
    sql.execute_sql(f"INSERT INTO {sql.make_qualified_table_name(table)} ({columns}) VALUES {values}", *parameters)


def update_rows(sql: Sql, table: str, row: Mapping[str, Any], key: Mapping[str, str]) -> None:
    """Set the values of the rows that have a key.

    Args:
        sql: The warehouse.
        table: Name of the table.
        row: New values by column.
        key: Values by column of the rows to change.
    """
    changes = ", ".join(f"{sql.escape_column_name(column)} = {_value(value)}" for column, value in row.items())
    condition = " AND ".join(f"{sql.escape_column_name(column)} = %s" for column in key)
    parameters = [value for value in row.values() if value is not None]
    sql.execute_sql(
        f"UPDATE {sql.make_qualified_table_name(table)} SET {changes} WHERE {condition}", *parameters, *key.values()
    )


def read_rows(rows: Sequence[Sequence[Any]] | None) -> list[tuple[Any, ...]]:
    """Return the rows of a query with all times in UTC; drivers of some warehouses return them without a zone."""
    return [tuple(map(_in_utc, row)) for row in rows or ()]


def placeholders(count: int) -> str:
    """Return `count` parameters for an SQL list, such as `%s, %s, %s`."""
    return ", ".join(["%s"] * count)


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in order, `size` at a time; the last batch may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _value(value: object) -> str:
    return "NULL" if value is None else "%s"


def _in_utc(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
