"""Which recordings were downloaded, and which are still wanted: `_media`, one row a recording."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Literal

from .sql import Sql, TransactionalSql

TABLE = "_media"

COLUMN_TYPES: dict[str, Literal["text", "bigint", "timestamp"]] = {
    "call_id": "text",
    "kind": "text",
    "uri": "text",
    "bytes": "bigint",
    "sha256": "text",
    "downloaded_at": "timestamp",
    "connection": "text",
    "run_id": "text",
}
"""dlt's types of the columns; in the order of `Recording`."""

_COLUMNS = ", ".join(COLUMN_TYPES)
_PLACES = ", ".join(["%s"] * len(COLUMN_TYPES))


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that was downloaded whole.

    Attributes:
        kind: `audio` or `video`.
        uri: Where it is: a file, or s3://bucket/key.
        bytes: Its length.
        sha256: Of its bytes, hexadecimal.
    """

    call_id: str
    kind: str
    uri: str
    bytes: int
    sha256: str
    downloaded_at: datetime
    connection: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call that Gong has a recording of.

    Attributes:
        media: `Audio` or `Video`, as Gong says.
        held: Where its recordings are, by kind.
    """

    id: str
    media: str
    held: dict[str, str]


def recorded_calls(sql: Sql, since: datetime, until: datetime, *, private_too: bool) -> list[RecordedCall]:
    """Calls of a window of effective time that Gong has recordings of, newest first.

    Args:
        sql: The warehouse.
        since: Begin of the window.
        until: Its end.
        private_too: Whether private calls are among them.
    """
    rows = sql.execute_sql(
        "SELECT c.id, c.media, m.kind, m.uri FROM calls AS c"
        f" LEFT JOIN {TABLE} AS m ON m.call_id = c.id"
        " WHERE c._deleted_at IS NULL AND c.media IN ('Audio', 'Video')"
        " AND c._effective_time >= %s AND c._effective_time < %s"
        + ("" if private_too else " AND NOT COALESCE(c.is_private, FALSE)")
        + " ORDER BY c._effective_time DESC, c.id",
        since,
        until,
    )
    calls: dict[str, RecordedCall] = {}
    for call_id, media, kind, uri in rows or ():
        call = calls.setdefault(str(call_id), RecordedCall(str(call_id), str(media), {}))
        if kind is not None:
            call.held[str(kind)] = str(uri)
    return list(calls.values())


def orphaned_recordings(sql: Sql, *, private_too: bool) -> list[tuple[str, str, str]]:
    """Recordings whose call was deleted, has left the warehouse or is private now: call, kind, where."""
    rows = sql.execute_sql(
        f"SELECT m.call_id, m.kind, m.uri FROM {TABLE} AS m LEFT JOIN calls AS c ON c.id = m.call_id"
        " WHERE c.id IS NULL OR c._deleted_at IS NOT NULL"
        + ("" if private_too else " OR COALESCE(c.is_private, FALSE)")
    )
    return [(str(call_id), str(kind), str(uri)) for call_id, kind, uri in rows or ()]


def record(sql: TransactionalSql, recording: Recording) -> None:
    """Writes a recording down, in place of an earlier one of the same call and kind."""
    with sql.begin_transaction():
        forget(sql, recording.call_id, recording.kind)
        sql.execute_sql(f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES ({_PLACES})", *astuple(recording))


def forget(sql: Sql, call_id: str, kind: str) -> None:
    """Takes out the row of a recording that is no more."""
    sql.execute_sql(f"DELETE FROM {TABLE} WHERE call_id = %s AND kind = %s", call_id, kind)
