"""The table `_uploads`: one row per uploaded call, and per invalid row of a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from .sql import Sql, TransactionalSql, batches, insert_rows, placeholders, update_rows

TABLE = "_uploads"

Status = Literal["added", "refused", "failed", "invalid"]

COLUMN_TYPES: dict[str, Literal["text", "bigint", "bool", "timestamp"]] = {
    "client_unique_id": "text",
    "file": "text",
    "row": "bigint",
    "status": "text",
    "call_id": "text",
    "error": "text",
    "has_media_url": "bool",
    "connection": "text",
    "run_id": "text",
    "at": "timestamp",
}
"""dlt's types of the columns, in the order of `Upload`."""

_STATEMENT_ROWS = 500
# Before its release, version 0.1.0 wrote this.
_OLD_INVALID = "set_aside"
_INVALID = f"('invalid', '{_OLD_INVALID}')"


@dataclass(frozen=True, slots=True)
class Upload:
    """Outcome of one row of a file.

    Attributes:
        client_unique_id: The id that the row gives the call; None if it gives none.
        file: Name of the file, without its folder.
        row: Number of the row in the file, from 1.
        status: `added`; `refused` by Gong; `failed` without a usable response, sent again by the next upload;
            `invalid` because of its faults, never sent.
        call_id: Gong's id of the call.
        error: Gong's refusal, or all faults of the row.
        has_media_url: Whether Gong was given a URL of the recording.
        connection: Name of the connection.
        run_id: The upload.
        at: When the response arrived.
    """

    client_unique_id: str | None
    file: str
    row: int
    status: Status
    call_id: str | None
    error: str | None
    has_media_url: bool
    connection: str
    run_id: str
    at: datetime


def save_upload(sql: TransactionalSql, upload: Upload) -> None:
    """Insert the outcome of a call; it replaces that of an earlier upload of the same call."""
    table = sql.make_qualified_table_name(TABLE)
    with sql.begin_transaction():
        sql.execute_sql(
            f"DELETE FROM {table} WHERE connection = %s AND client_unique_id = %s AND status NOT IN {_INVALID}",
            upload.connection,
            upload.client_unique_id,
        )
        insert_rows(sql, TABLE, [asdict(upload)])


def save_invalid_rows(sql: TransactionalSql, connection: str, file: str, rows: Iterable[Upload]) -> None:
    """Insert the invalid rows of a file; they replace those of an earlier upload of the same file."""
    table = sql.make_qualified_table_name(TABLE)
    with sql.begin_transaction():
        sql.execute_sql(
            f"DELETE FROM {table} WHERE connection = %s AND file = %s AND status IN {_INVALID}", connection, file
        )
        for batch in batches(list(rows), _STATEMENT_ROWS):
            insert_rows(sql, TABLE, list(map(asdict, batch)))


def count_old_statuses(sql: Sql) -> int:
    """Return the number of rows with a status of an earlier version."""
    table = sql.make_qualified_table_name(TABLE)
    rows = sql.execute_sql(f"SELECT COUNT(*) FROM {table} WHERE status = %s", _OLD_INVALID)
    return int(rows[0][0]) if rows else 0


def replace_old_statuses(sql: Sql) -> None:
    """Replace a status of an earlier version by its name in this one."""
    update_rows(sql, TABLE, {"status": "invalid"}, {"status": _OLD_INVALID})


def added_ids(sql: Sql, connection: str, client_unique_ids: Sequence[str]) -> set[str]:
    """Return those of the ids whose calls were added by an earlier upload."""
    if not client_unique_ids:
        return set()
    table = sql.make_qualified_table_name(TABLE)
    rows = sql.execute_sql(
        f"SELECT client_unique_id FROM {table} WHERE connection = %s AND status = 'added'"
        f" AND client_unique_id IN ({placeholders(len(client_unique_ids))})",
        connection,
        *client_unique_ids,
    )
    return {str(row[0]) for row in rows or ()}


def has_media_url(sql: Sql, connection: str, call_id: str) -> bool:
    """Return whether a call was uploaded with a URL of its recording."""
    table = sql.make_qualified_table_name(TABLE)
    rows = sql.execute_sql(
        f"SELECT COUNT(*) FROM {table} WHERE connection = %s AND call_id = %s AND has_media_url", connection, call_id
    )
    return bool(rows and rows[0][0])
