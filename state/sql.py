"""SQL access for state, and the parts of statements that depend on the number of values.

Every table in a statement is named by `make_qualified_table_name`: without its dataset, a name may lead to a user's own
table in schema `main` or `public`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Sql(Protocol):
    """A connection that runs statements; dlt's SQL client is one. A parameter is written `%s`.

    Attributes:
        dataset_name: The dataset of the tables.
    """

    dataset_name: str

    def make_qualified_table_name(self, table_name: str) -> str:
        """Return the name of a table of the dataset, with its schema and quoted."""

    def execute_sql(self, sql: str, *args: Any) -> Sequence[Sequence[Any]] | None:
        """Run a statement and return its rows."""

    def execute_query(self, query: str, *args: Any) -> AbstractContextManager[Any]:
        """Run a query and return its cursor, inside a `with`."""


class TransactionalSql(Sql, Protocol):
    """A connection that also has transactions; dlt's SQL client is one."""

    def begin_transaction(self) -> AbstractContextManager[Any]:
        """Return a context that commits when it ends, and rolls back if it raises."""


def list_tables(sql: Sql) -> set[str]:
    """Return the names of the tables in the dataset, in DuckDB or PostgreSQL; empty if the dataset does not exist."""
    rows = sql.execute_sql(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_catalog = current_database() AND table_schema = %s AND table_type = 'BASE TABLE'",
        sql.dataset_name,
    )
    return {str(row[0]) for row in rows or ()}


def placeholders(count: int) -> str:
    """Return `count` parameters for an SQL list, such as `%s, %s, %s`."""
    return ", ".join(["%s"] * count)


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in order, `size` at a time; the last batch may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
