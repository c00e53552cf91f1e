"""SQL access for state, and the parts of statements that depend on the number of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Sql(Protocol):
    """A connection that runs statements; dlt's SQL client is one. A parameter is written `%s`."""

    def execute_sql(self, sql: str, *args: Any) -> Sequence[Sequence[Any]] | None:
        """Run a statement and return its rows."""

    def execute_query(self, query: str, *args: Any) -> AbstractContextManager[Any]:
        """Run a query and return its cursor, inside a `with`."""


class TransactionalSql(Sql, Protocol):
    """A connection that also has transactions; dlt's SQL client is one."""

    def begin_transaction(self) -> AbstractContextManager[Any]:
        """Return a context that commits when it ends, and rolls back if it raises."""


def placeholders(count: int) -> str:
    """Return `count` parameters for an SQL list, such as `%s, %s, %s`."""
    return ", ".join(["%s"] * count)


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in order, `size` at a time; the last batch may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
