"""Calls of the warehouse by window, and `_missing_calls`: the candidates of a reconcile that is not complete."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from .sql import Sql, batches, insert_rows, placeholders, read_rows

TABLE = "_missing_calls"

COLUMN_TYPES: dict[str, Literal["text", "timestamp"]] = {
    "connection": "text",
    "call_id": "text",
    "found_at": "timestamp",
}
"""dlt's types of the columns. A row is a call that Gong did not list; it is deleted when its reconcile ends."""

_IN_WINDOW = "_deleted_at IS NULL AND (_effective_time IS NULL OR (_effective_time >= %s AND _effective_time < %s))"
_STATEMENT_IDS = 500


def oldest_call_time(sql: Sql) -> datetime | None:
    """Return the effective time of the oldest call that is not marked as deleted."""
    calls = sql.make_qualified_table_name("calls")
    rows = sql.execute_sql(f"SELECT MIN(_effective_time) FROM {calls} WHERE _deleted_at IS NULL")
    return read_rows(rows)[0][0] if rows else None


def count_calls(sql: Sql, since: datetime, until: datetime) -> int:
    """Return the number of calls in a window, and of all calls without a time, that are not marked as deleted."""
    calls = sql.make_qualified_table_name("calls")
    rows = sql.execute_sql(f"SELECT COUNT(*) FROM {calls} WHERE {_IN_WINDOW}", since, until)
    return int(rows[0][0]) if rows else 0


def private_flags(sql: Sql, since: datetime, until: datetime, *, include_timeless: bool) -> dict[str, bool]:
    """Return whether the warehouse marks a call as private, by id, for the calls of a window that are not deleted.

    Args:
        sql: The warehouse.
        since: Start of the window, effective time.
        until: End of the window, effective time, exclusive.
        include_timeless: Include calls whose time is unknown.
    """
    condition = _IN_WINDOW if include_timeless else f"{_IN_WINDOW} AND _effective_time IS NOT NULL"
    calls = sql.make_qualified_table_name("calls")
    rows = sql.execute_sql(f"SELECT id, COALESCE(is_private, FALSE) FROM {calls} WHERE {condition}", since, until)
    return {str(call_id): bool(is_private) for call_id, is_private in rows or ()}


def window_edges(sql: Sql, since: datetime, until: datetime, calls: int) -> list[datetime]:
    """Return the times that split a window into parts of about `calls` calls, without its start and end."""
    table = sql.make_qualified_table_name("calls")
    rows = sql.execute_sql(
        "SELECT DISTINCT instant FROM (SELECT _effective_time AS instant,"
        f" ROW_NUMBER() OVER (ORDER BY _effective_time) AS position FROM {table}"
        " WHERE _deleted_at IS NULL AND _effective_time > %s AND _effective_time < %s) AS numbered"
        f" WHERE MOD(position, {calls:d}) = 0 ORDER BY instant",
        since,
        until,
    )
    return [edge for (edge,) in read_rows(rows)]


def save_candidates(sql: Sql, connection: str, call_ids: Iterable[str], found_at: datetime) -> None:
    """Insert candidates, so that the next run continues with them if this one stops early."""
    for batch in batches(sorted(call_ids), _STATEMENT_IDS):
        rows = [{"connection": connection, "call_id": call_id, "found_at": found_at} for call_id in batch]
        insert_rows(sql, TABLE, rows)


def read_candidates(sql: Sql, connection: str) -> list[str]:
    """Return the ids of the candidates of a connection, sorted."""
    table = sql.make_qualified_table_name(TABLE)
    rows = sql.execute_sql(f"SELECT DISTINCT call_id FROM {table} WHERE connection = %s ORDER BY call_id", connection)
    return [str(row[0]) for row in rows or ()]


def delete_candidates(sql: Sql, connection: str) -> None:
    """Delete the candidates of a connection."""
    table = sql.make_qualified_table_name(TABLE)
    sql.execute_sql(f"DELETE FROM {table} WHERE connection = %s", connection)


def describe_calls(sql: Sql, call_ids: Sequence[str]) -> list[tuple[str, datetime | None, str | None]]:
    """Return id, effective time and title of calls, oldest first, for a person to review."""
    table = sql.make_qualified_table_name("calls")
    calls = [
        (str(call_id), effective_time, title)
        for batch in batches(call_ids, _STATEMENT_IDS)
        for call_id, effective_time, title in read_rows(
            sql.execute_sql(
                f"SELECT id, _effective_time, title FROM {table} WHERE id IN ({placeholders(len(batch))})", *batch
            )
        )
    ]
    return sorted(calls, key=lambda call: (call[1] is not None, call[1], call[0]))
