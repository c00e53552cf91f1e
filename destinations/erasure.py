"""Erase the content of calls from the warehouse: all tables of a call in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dlt.common.utils import chunks
from dlt.destinations.sql_client import SqlClientBase

_CALLS_PER_TRANSACTION = 500


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is erased of a call.

    Attributes:
        child_tables: Tables whose rows of the call are deleted; each has `call_id`.
        content_columns: Columns of `calls` that are set to null.
        derived_tables: Quoted names of tables derived from calls, in other datasets; each has `call_id`.
        staging_tables: Quoted names of tables in the staging dataset. All their rows are deleted: no load is running,
            so a killed run has left them.
    """

    child_tables: Sequence[str]
    content_columns: Collection[str]
    derived_tables: Sequence[str] = ()
    staging_tables: Sequence[str] = ()

    def mark_deleted(self, sql: SqlClientBase[Any], call_ids: Sequence[str], deleted_at: datetime) -> None:
        """Erase the content of calls, set their `_deleted_at` and delete their rows in every other table.

        A killed run leaves complete transactions; the next run does not find the calls that are marked already.
        """
        self._erase(sql, call_ids, "_deleted_at = %s", [deleted_at])

    def mark_private(self, sql: SqlClientBase[Any], call_ids: Sequence[str]) -> None:
        """Erase the content of calls and mark them as private. The next sync that reads them writes their metadata."""
        self._erase(sql, call_ids, "is_private = %s", [True])

    def remove(self, sql: SqlClientBase[Any], call_ids: Sequence[str]) -> None:
        """Delete calls and their rows in every other table."""
        calls = sql.make_qualified_table_name("calls")
        for batch in chunks(call_ids, _CALLS_PER_TRANSACTION):
            with sql.begin_transaction():
                self._delete_children(sql, batch)
                sql.execute_sql(f"DELETE FROM {calls} WHERE id IN ({_placeholders(batch)})", *batch)

    def _erase(self, sql: SqlClientBase[Any], call_ids: Sequence[str], mark: str, values: Sequence[Any]) -> None:
        calls = sql.make_qualified_table_name("calls")
        columns = (sql.escape_column_name(name) for name in sorted(self.content_columns))
        changes = ", ".join([*(f"{column} = NULL" for column in columns), mark])
        for batch in chunks(call_ids, _CALLS_PER_TRANSACTION):
            with sql.begin_transaction():
                self._delete_children(sql, batch)
                sql.execute_sql(f"UPDATE {calls} SET {changes} WHERE id IN ({_placeholders(batch)})", *values, *batch)

    def _delete_children(self, sql: SqlClientBase[Any], call_ids: Sequence[str]) -> None:
        ids, rejected = _placeholders(call_ids), sql.make_qualified_table_name("_rejected")
        for table in (*map(sql.make_qualified_table_name, self.child_tables), *self.derived_tables):
            sql.execute_sql(f"DELETE FROM {table} WHERE call_id IN ({ids})", *call_ids)
        for table in self.staging_tables:
            sql.execute_sql(f"DELETE FROM {table} WHERE 1 = 1")
        # A rejected record holds what Gong sent of its call.
        sql.execute_sql(
            f"DELETE FROM {rejected} WHERE resource IN ('calls', 'transcripts') AND id IN ({ids})", *call_ids
        )


def _placeholders(values: Sequence[str]) -> str:
    return ", ".join(["%s"] * len(values))
