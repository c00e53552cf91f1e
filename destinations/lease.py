"""A lock between machines for servers without locks: a lease, one row of `_locks`, which its holder renews.

No server feature is needed beyond atomic statements. Times are compared with the server's clock only, because those of
machines differ. Of two runs that insert their rows at once, neither can hold the lease unless its row is the only one:
then the other run inserts later, sees both and withdraws.
"""

from __future__ import annotations

import os
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, Literal

import dlt
from dlt.common.destination.exceptions import DestinationTerminalException
from dlt.common.schema import Schema
from dlt.common.schema.utils import new_column, new_table
from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

TABLE = "_locks"

COLUMN_TYPES: dict[str, Literal["text", "timestamp"]] = {
    "connection": "text",
    "owner": "text",
    "holder": "text",
    "since": "timestamp",
    "renewal": "text",
    "expires_at": "timestamp",
}
"""dlt's types of the columns, in the order of `LeaseRow`."""

EXPIRY_SETTING = "lock_expiry"
DEFAULT_EXPIRY = "2m"

_RENEWALS_PER_EXPIRY = 4
_ATTEMPTS = 5
_LONGEST_PAUSE_SECONDS = 0.5
_SECONDS_UNTIL_RELEASE = 5.0
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}

Sql = SqlClientBase[Any]


class LeaseLostError(DestinationTerminalException):
    """The run did not renew its lease in time, and another run may be working on the dataset."""

    def __init__(self) -> None:
        super().__init__(
            "the lock of this run was lost: it was not renewed in time, and another run has taken it. Nothing more is"
            " loaded; run again"
        )


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A row of `_locks`.

    Attributes:
        connection: Name of the connection.
        owner: Unique id of the run that holds the lease.
        holder: Its machine and process, for messages.
        since: When it took the lease.
        renewal: Text that every renewal replaces.
        expires_at: When another run may take the lease.
    """

    connection: str
    owner: str
    holder: str
    since: datetime
    renewal: str
    expires_at: datetime

    def __str__(self) -> str:
        """Return the holder as a message names it."""
        return f"{self.holder}, since {_format_time(self.since)}, renewed until {_format_time(self.expires_at)}"


def parse_expiry(text: str) -> timedelta:
    """Return the time after which a lease that is not renewed expires.

    Args:
        text: Number and unit: s, m or h.

    Raises:
        ValueError: If it is not a duration.
    """
    match = re.fullmatch(r"(\d{1,6})\s*([smh])", text.strip())
    if match is None or not int(match[1]):
        raise ValueError(text)
    return timedelta(seconds=int(match[1]) * _UNIT_SECONDS[match[2]])


class Lease:
    """The lease of one run at a time.

    Args:
        expiry: Time after which a lease that is not renewed may be taken by another run.
    """

    def __init__(self, expiry: timedelta) -> None:
        self._expiry = expiry
        self._held: tuple[Callable[[], Sql], str] | None = None

    @contextmanager
    def hold(self, pipeline: dlt.Pipeline, connection: str) -> Iterator[str | None]:
        """Hold the lease of a connection and dataset, and renew it in another thread.

        Yields:
            None if it was taken, otherwise a description of its holder.

        Raises:
            DatabaseException: If the warehouse cannot be reached or rejects a statement.
        """
        with pipeline.sql_client() as sql:
            _create_table(pipeline, sql)
            row, holder = _acquire(sql, connection, self._expiry)
        if row is None:
            yield holder
            return
        # A connection belongs to one thread. Its client is built here, because dlt's configuration does, too.
        beats, is_over = pipeline.sql_client(), threading.Event()
        thread = threading.Thread(
            target=_renew_until, args=(beats, row.owner, self._expiry, is_over), name="lease", daemon=True
        )
        thread.start()
        self._held = pipeline.sql_client, row.owner
        try:
            yield None
        finally:
            self._held = None
            is_over.set()
            thread.join(_SECONDS_UNTIL_RELEASE)
            # A row that cannot be deleted expires.
            with suppress(Exception), pipeline.sql_client() as sql:
                _delete(sql, {"owner": row.owner})

    def confirm(self, sql: Sql | None = None) -> None:
        """Check that the run still holds the lease, if it took it. The row is changed, so no other run can take it.

        Args:
            sql: The connection of a transaction, which then fails if another run takes the lease before its end.

        Raises:
            LeaseLostError: If another run has taken it.
        """
        if self._held is None:
            return
        open_client, owner = self._held
        with nullcontext(sql) if sql is not None else open_client() as client:
            # The other thread may renew the row between the two statements of a renewal.
            if not any(_renew(client, owner) for _ in range(_ATTEMPTS)):
                raise LeaseLostError


def _acquire(sql: Sql, connection: str, expiry: timedelta) -> tuple[LeaseRow | None, str | None]:
    """Return the row of the lease that was taken, otherwise a description of its holder."""
    holder: str | None = None
    name = f"gong-elt on {socket.gethostname()}, pid {os.getpid()}"
    for _ in range(_ATTEMPTS):
        now, rows = _read_clock(sql), _read_rows(sql, connection)
        if held := next((row for row in rows if row.expires_at > now), None):
            return None, str(held)
        for row in rows:
            # A holder that renews it at this moment keeps its row.
            _delete(sql, {"owner": row.owner, "renewal": row.renewal})
        own = LeaseRow(connection, token_hex(16), name, now, token_hex(8), now + expiry)
        _insert(sql, own)
        others = [row for row in _read_rows(sql, connection) if row.owner != own.owner]
        if not others:
            return own, None
        _delete(sql, {"owner": own.owner})
        holder = str(others[0])
        # The other run may have withdrawn, too.
        time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))
    return None, holder


def _renew_until(sql: Sql, owner: str, expiry: timedelta, is_over: threading.Event) -> None:
    """Renew the lease until it is released or lost. A failed renewal is repeated; loads check what it has led to."""
    while not is_over.wait(expiry.total_seconds() / _RENEWALS_PER_EXPIRY):
        with suppress(Exception), sql:
            if not _renew(sql, owner, _read_clock(sql) + expiry):
                return


def _renew(sql: Sql, owner: str, expires_at: datetime | None = None) -> bool:
    """Change the row of a lease, and return whether it was there.

    Drivers do not agree on how to count changed rows, and a transaction may read rows as they were at its begin. The
    new text can be read only if it was written.
    """
    renewal = token_hex(8)
    values: dict[str, Any] = {"renewal": renewal, **({"expires_at": expires_at} if expires_at else {})}
    changes = ", ".join(f"{sql.escape_column_name(column)} = %s" for column in values)
    table, (owner_column, renewal_column) = _table(sql), map(sql.escape_column_name, ("owner", "renewal"))
    sql.execute_sql(f"UPDATE {table} SET {changes} WHERE {owner_column} = %s", *values.values(), owner)
    query = f"SELECT 1 FROM {table} WHERE {owner_column} = %s AND {renewal_column} = %s"
    # A transaction that is sent as one query returns no rows before it ends; it fails instead.
    require_rows = getattr(sql, "require_rows", None)
    if require_rows is not None:
        return bool(require_rows(query, (owner, renewal), str(LeaseLostError())))
    return bool(sql.execute_sql(query, owner, renewal))


def _read_rows(sql: Sql, connection: str) -> list[LeaseRow]:
    columns = ", ".join(map(sql.escape_column_name, COLUMN_TYPES))
    condition = f"{sql.escape_column_name('connection')} = %s"
    rows = sql.execute_sql(f"SELECT {columns} FROM {_table(sql)} WHERE {condition}", connection)
    return [
        LeaseRow(str(name), str(owner), str(holder), _in_utc(since), str(renewal), _in_utc(expires_at))
        for name, owner, holder, since, renewal, expires_at in rows or ()
    ]


def _insert(sql: Sql, row: LeaseRow) -> None:
    columns = ", ".join(map(sql.escape_column_name, COLUMN_TYPES))
    values = [getattr(row, column) for column in COLUMN_TYPES]
    sql.execute_sql(f"INSERT INTO {_table(sql)} ({columns}) VALUES (%s, %s, %s, %s, %s, %s)", *values)


def _delete(sql: Sql, key: Mapping[str, str]) -> None:
    condition = " AND ".join(f"{sql.escape_column_name(column)} = %s" for column in key)
    sql.execute_sql(f"DELETE FROM {_table(sql)} WHERE {condition}", *key.values())


def _read_clock(sql: Sql) -> datetime:
    """Return the time of the server."""
    rows = sql.execute_sql("SELECT CURRENT_TIMESTAMP")
    return _in_utc((rows or [(None,)])[0][0])


def _in_utc(value: Any) -> datetime:
    time_read = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return time_read.astimezone(UTC) if time_read.tzinfo else time_read.replace(tzinfo=UTC)


def _format_time(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S%z}"


def _table(sql: Sql) -> str:
    return sql.make_qualified_table_name(TABLE)


def _create_table(pipeline: dlt.Pipeline, sql: Sql) -> None:
    """Create `_locks`, and the dataset, if they are missing. The lease is taken before the first load."""
    if _table_exists(sql):
        return
    schema = Schema(pipeline.default_schema_name or pipeline.pipeline_name)
    columns = [new_column(column, kind, nullable=False) for column, kind in COLUMN_TYPES.items()]
    schema.update_table(new_table(TABLE, columns=columns, write_disposition="append"))
    # dlt creates no tables of a schema that was changed since it was stored.
    stored = Schema.from_stored_schema(schema.to_dict())
    client: Any = pipeline._get_destination_clients(stored)[0]
    # dlt's own tables are created with the first load, and this schema is not theirs.
    client.get_stored_schema_by_hash = lambda _: stored
    try:
        with client:
            client.initialize_storage()
            client.update_stored_schema(only_tables=[TABLE], force=True)
    except DatabaseException:
        # Another run may have created it at the same time.
        if not _table_exists(sql):
            raise


def _table_exists(sql: Sql) -> bool:
    try:
        sql.execute_sql(f"SELECT 1 FROM {_table(sql)} WHERE 1 = 0")
    except DatabaseUndefinedRelation:
        return False
    return True
