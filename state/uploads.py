"""What became of calls that were uploaded: `_uploads`, one row a call or a row of a file that is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Literal

from .sql import Sql, TransactionalSql

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
"""dlt's types of the columns; in the order of `Upload`."""

_COLUMNS = ", ".join(f'"{name}"' for name in COLUMN_TYPES)
# Rows of version 0.1.0 before its release say `set_aside`.
_INVALID = "('invalid', 'set_aside')"
_PLACES = ", ".join(["%s"] * len(COLUMN_TYPES))


@dataclass(frozen=True, slots=True)
class Upload:
    """One row of a file, or one call.

    Attributes:
        client_unique_id: What Gong knows the call by; None where the row names none.
        file: Name of the file, without its folder.
        row: Its number in the file, from 1.
        status: `added`; `refused` by Gong; `failed`, without a usable answer, and sent again by the next upload;
            `invalid` because of its faults, and never sent.
        call_id: Gong's id of the call.
        error: Gong's refusal, or all faults of the row.
        has_media_url: Whether Gong was told where to fetch the recording.
        connection: Which Gong account.
        run_id: The upload.
        at: When the answer came.
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


def record(sql: TransactionalSql, upload: Upload) -> None:
    """Writes what became of a call, in place of what an earlier upload of it came to."""
    with sql.begin_transaction():
        sql.execute_sql(
            f"DELETE FROM {TABLE} WHERE connection = %s AND client_unique_id = %s AND status NOT IN {_INVALID}",
            upload.connection,
            upload.client_unique_id,
        )
        _insert(sql, upload)


def record_invalid(sql: TransactionalSql, connection: str, file: str, rows: Iterable[Upload]) -> None:
    """Writes the rows of a file that were not sent, in place of those of an earlier upload of it."""
    with sql.begin_transaction():
        sql.execute_sql(
            f"DELETE FROM {TABLE} WHERE connection = %s AND file = %s AND status IN ('invalid', 'set_aside')",
            connection,
            file,
        )
        for upload in rows:
            _insert(sql, upload)


def added(sql: Sql, connection: str, client_unique_ids: Sequence[str]) -> set[str]:
    """Which of these calls Gong has taken already."""
    if not client_unique_ids:
        return set()
    places = ", ".join(["%s"] * len(client_unique_ids))
    rows = sql.execute_sql(
        f"SELECT client_unique_id FROM {TABLE}"
        f" WHERE connection = %s AND status = 'added' AND client_unique_id IN ({places})",
        connection,
        *client_unique_ids,
    )
    return {str(row[0]) for row in rows or ()}


def has_media_url(sql: Sql, connection: str, call_id: str) -> bool:
    """Whether a call was uploaded together with the place where Gong fetches its recording."""
    rows = sql.execute_sql(
        f"SELECT COUNT(*) FROM {TABLE} WHERE connection = %s AND call_id = %s AND has_media_url", connection, call_id
    )
    return bool(rows and rows[0][0])


def _insert(sql: Sql, upload: Upload) -> None:
    sql.execute_sql(f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES ({_PLACES})", *astuple(upload))
