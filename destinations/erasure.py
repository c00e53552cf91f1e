"""Takes what a call held out of the warehouse, in one transaction over all tables: all of it, or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dlt.destinations.sql_client import SqlClientBase

_CALLS_A_TRANSACTION = 500


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is erased of a call, as data.

    Attributes:
        child_tables: Tables whose rows of the call go; each has `call_id`.
        emptied: Columns of `calls` that become null.
        derived: Tables made of calls, in datasets of their own, named as SQL takes them; each has `call_id`.
    """

    child_tables: Sequence[str]
    emptied: Collection[str]
    derived: Sequence[str] = ()

    def mark_deleted(self, sql: SqlClientBase[Any], call_ids: Sequence[str], deleted_at: datetime) -> None:
        """Empties calls, sets their `_deleted_at` and deletes their rows in every other table.

        A killed run leaves whole transactions behind; calls already marked are not touched again.
        """
        self._erase(sql, call_ids, "_deleted_at = %s", [deleted_at])

    def mark_private(self, sql: SqlClientBase[Any], call_ids: Sequence[str]) -> None:
        """As `mark_deleted`, but the calls stay as private ones; the next read of them writes their meta data."""
        self._erase(sql, call_ids, "is_private = %s", [True])

    def remove(self, sql: SqlClientBase[Any], call_ids: Sequence[str]) -> None:
        """Deletes calls and their rows in every other table."""
        for part in _parts(call_ids):
            with sql.begin_transaction():
                self._delete_children(sql, part)
                sql.execute_sql(f"DELETE FROM calls WHERE id IN ({_places(part)})", *part)

    def _erase(self, sql: SqlClientBase[Any], call_ids: Sequence[str], mark: str, values: Sequence[Any]) -> None:
        changes = ", ".join([*(f"{sql.escape_column_name(name)} = NULL" for name in sorted(self.emptied)), mark])
        for part in _parts(call_ids):
            with sql.begin_transaction():
                self._delete_children(sql, part)
                sql.execute_sql(f"UPDATE calls SET {changes} WHERE id IN ({_places(part)})", *values, *part)

    def _delete_children(self, sql: SqlClientBase[Any], call_ids: Sequence[str]) -> None:
        for table in (*self.child_tables, *self.derived):
            sql.execute_sql(f"DELETE FROM {table} WHERE call_id IN ({_places(call_ids)})", *call_ids)
        # A record that fitted no table is kept as Gong sent it: it goes with its call.
        sql.execute_sql(
            f"DELETE FROM _rejected WHERE resource IN ('calls', 'transcripts') AND id IN ({_places(call_ids)})",
            *call_ids,
        )


def _parts(call_ids: Sequence[str]) -> list[Sequence[str]]:
    return [call_ids[first : first + _CALLS_A_TRANSACTION] for first in range(0, len(call_ids), _CALLS_A_TRANSACTION)]


def _places(values: Sequence[str]) -> str:
    return ", ".join(["%s"] * len(values))
