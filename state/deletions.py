"""What the warehouse has that Gong may have lost: calls by window, and the candidates of a reconcile under way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from .sql import Sql

TABLE = "_missing_calls"

COLUMN_TYPES: dict[str, Literal["text", "timestamp"]] = {
    "connection": "text",
    "call_id": "text",
    "found_at": "timestamp",
}
"""dlt's types of the columns. A row is a call that Gong did not list; it goes when the reconcile that found it ends."""

_HELD = "_deleted_at IS NULL AND (_effective_time IS NULL OR (_effective_time >= %s AND _effective_time < %s))"
_STATEMENT_IDS = 500


def first_call(sql: Sql) -> datetime | None:
    """The effective time of the oldest call that is not marked as deleted."""
    rows = sql.execute_sql("SELECT MIN(_effective_time) FROM calls WHERE _deleted_at IS NULL")
    return rows[0][0] if rows else None


def held_count(sql: Sql, since: datetime, until: datetime) -> int:
    """Calls of a window that are not marked as deleted, those without a time included."""
    rows = sql.execute_sql(f"SELECT COUNT(*) FROM calls WHERE {_HELD}", since, until)
    return int(rows[0][0]) if rows else 0


def held_calls(sql: Sql, since: datetime, until: datetime, *, timeless: bool) -> dict[str, bool]:
    """Calls of a window that are not marked as deleted: for each id whether the warehouse knows it as private.

    Args:
        sql: The warehouse.
        since: Effective time; belongs to the window.
        until: Effective time; does not.
        timeless: Also those whose time could not be read.
    """
    condition = _HELD if timeless else f"{_HELD} AND _effective_time IS NOT NULL"
    rows = sql.execute_sql(f"SELECT id, COALESCE(is_private, FALSE) FROM calls WHERE {condition}", since, until)
    return {str(call_id): bool(private) for call_id, private in rows or ()}


def edges(sql: Sql, since: datetime, until: datetime, calls: int) -> list[datetime]:
    """Instants that cut a window into parts of about so many calls, without its begin and end."""
    rows = sql.execute_sql(
        "SELECT DISTINCT instant FROM (SELECT _effective_time AS instant,"
        " ROW_NUMBER() OVER (ORDER BY _effective_time) AS position FROM calls"
        " WHERE _deleted_at IS NULL AND _effective_time > %s AND _effective_time < %s) AS numbered"
        f" WHERE MOD(position, {calls:d}) = 0 ORDER BY instant",
        since,
        until,
    )
    return [row[0] for row in rows or ()]


def remember(sql: Sql, connection: str, call_ids: Iterable[str], found_at: datetime) -> None:
    """Keeps candidates, so that a reconcile that is stopped goes on with them."""
    for part in _parts(sorted(call_ids)):
        places = ", ".join(["(%s, %s, %s)"] * len(part))
        values = [value for call_id in part for value in (connection, call_id, found_at)]
        sql.execute_sql(f"INSERT INTO {TABLE} (connection, call_id, found_at) VALUES {places}", *values)


def candidates(sql: Sql, connection: str) -> list[str]:
    """Calls that Gong did not list and that have not been asked for by id yet, or are gone; in order of id."""
    rows = sql.execute_sql(f"SELECT DISTINCT call_id FROM {TABLE} WHERE connection = %s ORDER BY call_id", connection)
    return [str(row[0]) for row in rows or ()]


def forget(sql: Sql, connection: str) -> None:
    """Drops the candidates of a connection."""
    sql.execute_sql(f"DELETE FROM {TABLE} WHERE connection = %s", connection)


def describe_calls(sql: Sql, call_ids: Sequence[str]) -> list[tuple[str, datetime | None, str | None]]:
    """Id, effective time and title of calls, oldest first, for a person to look at."""
    rows = [
        row
        for part in _parts(call_ids)
        for row in sql.execute_sql(
            f"SELECT id, _effective_time, title FROM calls WHERE id IN ({', '.join(['%s'] * len(part))})", *part
        )
        or ()
    ]
    told = [(str(row[0]), row[1], row[2]) for row in rows]
    return sorted(told, key=lambda call: (call[1] is not None, call[1], call[0]))


def _parts(call_ids: Sequence[str]) -> list[Sequence[str]]:
    return [call_ids[first : first + _STATEMENT_IDS] for first in range(0, len(call_ids), _STATEMENT_IDS)]
