"""The run log `_runs`: one row per run, in the warehouse next to the data."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import pendulum

from .sql import Sql, insert_rows, read_rows, update_rows

TABLE = "_runs"

COLUMN_TYPES: dict[str, Literal["text", "timestamp", "bigint"]] = {
    "run_id": "text",
    "connection": "text",
    "command": "text",
    "status": "text",
    "started_at": "timestamp",
    "finished_at": "timestamp",
    "window_since": "timestamp",
    "window_until": "timestamp",
    "bookmark": "timestamp",
    "requests": "bigint",
    "rows_written": "bigint",
    "calls": "bigint",
    "transcripts": "bigint",
    "sentences": "bigint",
    "private_excluded": "bigint",
    "rejected": "bigint",
    "reason": "text",
    "unfinished_since": "timestamp",
}
"""dlt's types of the columns, in the order of `Run`."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as far as it got.

    Attributes:
        command: `sync`, `reconcile`, `upload` or `download-media`; None for runs of versions that did not write it.
        status: `running`, `done`, `failed`, `stopped` (early, on purpose), `refused` (a reconcile that would erase
            too much) or `killed` (set by the next run if a run ended without writing its status).
        finished_at: When it ended; None while it runs.
        window_since, window_until: Requested window of effective time.
        bookmark: Time up to which calls are complete after the run.
        rows_written: Rows of all tables with Gong's data.
        calls: Calls written, or marked as deleted by a reconcile.
        reason: Why it failed or stopped, or its warning.
        unfinished_since: Rows of calls from this effective time on may be missing until a complete sync has read
            them again: the run fills tables that were dropped, or loads into a warehouse without transactions.
    """

    run_id: str
    connection: str
    command: str | None
    status: str
    started_at: datetime
    finished_at: datetime | None = None
    window_since: datetime | None = None
    window_until: datetime | None = None
    bookmark: datetime | None = None
    requests: int = 0
    rows_written: int = 0
    calls: int = 0
    transcripts: int = 0
    sentences: int = 0
    private_excluded: int = 0
    rejected: int = 0
    reason: str | None = None
    unfinished_since: datetime | None = None


def new_run_id(started_at: datetime) -> str:
    """Return a unique id for a run, which sorts by time."""
    return f"{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def insert(sql: Sql, run: Run) -> None:
    """Insert a row for a starting run and mark any other `running` row as `killed`. Requires the connection's lock."""
    table = sql.make_qualified_table_name(TABLE)
    sql.execute_sql(
        f"UPDATE {table} SET status = 'killed' WHERE connection = %s AND status = 'running'", run.connection
    )
    insert_rows(sql, TABLE, [asdict(run)])


def update(sql: Sql, run: Run) -> None:
    """Update the row of a run with its progress or its end."""
    update_rows(sql, TABLE, asdict(run), {"run_id": run.run_id})


def latest(sql: Sql, connection: str, count: int, command: str | None = None) -> list[Run]:
    """Return the last runs of a connection, newest first.

    Args:
        sql: The warehouse.
        connection: Name of the connection.
        count: Maximum number of runs.
        command: Only runs of this command.
    """
    table = sql.make_qualified_table_name(TABLE)
    condition, parameters = (" AND command = %s", [command]) if command else ("", [])
    rows = sql.execute_sql(
        f"SELECT {', '.join(COLUMN_TYPES)} FROM {table} WHERE connection = %s{condition}"
        f" ORDER BY started_at DESC LIMIT {count:d}",
        connection,
        *parameters,
    )
    return [Run(*row) for row in read_rows(rows)]


def requests_today(sql: Sql, connection: str, now: datetime) -> int:
    """Return the requests that runs of this connection have sent since midnight UTC."""
    midnight = pendulum.instance(now).in_timezone("UTC").start_of("day")
    table = sql.make_qualified_table_name(TABLE)
    # A run whose clock was ahead does not count on all days until then.
    rows = sql.execute_sql(
        f"SELECT COALESCE(SUM(requests), 0) FROM {table} WHERE connection = %s AND started_at >= %s"
        " AND started_at < %s",
        connection,
        midnight,
        midnight.add(days=1),
    )
    return int(rows[0][0]) if rows else 0


def latest_bookmark(sql: Sql, connection: str, now: datetime) -> datetime | None:
    """Return the newest bookmark that a sync wrote whose clock was not ahead; None without one.

    Args:
        sql: The warehouse.
        connection: Name of the connection.
        now: The present time.
    """
    table = sql.make_qualified_table_name(TABLE)
    rows = sql.execute_sql(
        f"SELECT MAX(bookmark) FROM {table} WHERE connection = %s AND COALESCE(command, 'sync') = 'sync'"
        " AND started_at <= %s AND bookmark <= %s",
        connection,
        now,
        now,
    )
    return read_rows(rows)[0][0] if rows else None


def is_unfinished(sql: Sql, connection: str, since: datetime, until: datetime) -> bool:
    """Return whether rows of calls in a window may be missing, so that content hashes in it cannot be trusted.

    What an interrupted load leaves can look valid: a call with new children and an old row and hash, or one without a
    row whose children are still there.

    Args:
        sql: The warehouse.
        connection: Name of the connection.
        since: Start of the window, effective time.
        until: End of the window, effective time.
    """
    rows = sql.execute_sql(
        f"SELECT COUNT(*) {_from_unfinished(sql)} AND broken.unfinished_since < %s AND broken.window_until > %s",
        connection,
        until,
        since,
    )
    return bool(rows and rows[0][0])


def unfinished_since(sql: Sql, connection: str) -> datetime | None:
    """Return the effective time from which rows of calls may be missing; None if all are there.

    Args:
        sql: The warehouse.
        connection: Name of the connection.
    """
    rows = sql.execute_sql(f"SELECT MIN(broken.unfinished_since) {_from_unfinished(sql)}", connection)
    return read_rows(rows)[0][0] if rows else None


def first_window_since(sql: Sql, connection: str) -> datetime | None:
    """Return the earliest time from which a sync has read calls; None without one."""
    table = sql.make_qualified_table_name(TABLE)
    rows = sql.execute_sql(
        f"SELECT MIN(window_since) FROM {table} WHERE connection = %s AND command = 'sync'", connection
    )
    return read_rows(rows)[0][0] if rows else None


def _from_unfinished(sql: Sql) -> str:
    """Return FROM and WHERE of the connection's unfinished runs that no complete sync has read again, as `broken`."""
    table = sql.make_qualified_table_name(TABLE)
    return (
        f"FROM {table} AS broken WHERE broken.connection = %s AND broken.unfinished_since IS NOT NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {table} AS repaired WHERE repaired.connection = broken.connection"
        " AND repaired.command = 'sync' AND repaired.status = 'done' AND repaired.started_at > broken.started_at"
        " AND repaired.window_since <= broken.unfinished_since AND repaired.window_until >= broken.window_until)"
    )
