"""The table `_media`: one row per downloaded recording; and which recordings are missing or must be removed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from .sql import Sql, TransactionalSql, insert_rows

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
"""dlt's types of the columns, in the order of `Recording`."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that was downloaded completely.

    Attributes:
        kind: `audio` or `video`.
        uri: Absolute path of the file, or s3://bucket/key.
        bytes: Length of the file.
        sha256: Hash of the file, hexadecimal.
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
    """A call of which Gong has a recording.

    Attributes:
        media: `Audio` or `Video`, as Gong sends it.
        uris: Where its downloaded recordings are, by kind.
    """

    id: str
    media: str
    uris: dict[str, str]


def recorded_calls(sql: Sql, since: datetime, until: datetime, *, include_private: bool) -> list[RecordedCall]:
    """Return the calls of a window of effective time of which Gong has recordings, newest first.

    Args:
        sql: The warehouse.
        since: Start of the window.
        until: End of the window, exclusive.
        include_private: Include private calls.
    """
    calls_table, media_table = sql.make_qualified_table_name("calls"), sql.make_qualified_table_name(TABLE)
    rows = sql.execute_sql(
        f"SELECT c.id, c.media, m.kind, m.uri FROM {calls_table} AS c"
        f" LEFT JOIN {media_table} AS m ON m.call_id = c.id"
        " WHERE c._deleted_at IS NULL AND c.media IN ('Audio', 'Video')"
        " AND c._effective_time >= %s AND c._effective_time < %s"
        + ("" if include_private else " AND NOT COALESCE(c.is_private, FALSE)")
        + " ORDER BY c._effective_time DESC, c.id",
        since,
        until,
    )
    calls: dict[str, RecordedCall] = {}
    for call_id, media, kind, uri in rows or ():
        call = calls.setdefault(str(call_id), RecordedCall(str(call_id), str(media), {}))
        if kind is not None:
            call.uris[str(kind)] = str(uri)
    return list(calls.values())


def orphaned_recordings(sql: Sql, *, include_private: bool) -> list[tuple[str, str, str]]:
    """Return call id, kind and URI of recordings whose call was deleted, left the warehouse or turned private.

    Args:
        sql: The warehouse.
        include_private: Recordings of private calls are kept.
    """
    calls, media = sql.make_qualified_table_name("calls"), sql.make_qualified_table_name(TABLE)
    rows = sql.execute_sql(
        f"SELECT m.call_id, m.kind, m.uri FROM {media} AS m LEFT JOIN {calls} AS c ON c.id = m.call_id"
        " WHERE c.id IS NULL OR c._deleted_at IS NOT NULL"
        + ("" if include_private else " OR COALESCE(c.is_private, FALSE)")
    )
    return [(str(call_id), str(kind), str(uri)) for call_id, kind, uri in rows or ()]


def save_recording(sql: TransactionalSql, recording: Recording) -> None:
    """Insert a row for a recording; it replaces the one of the same call and kind."""
    with sql.begin_transaction():
        delete_recording(sql, recording.call_id, recording.kind)
        insert_rows(sql, TABLE, [asdict(recording)])


def delete_recording(sql: Sql, call_id: str, kind: str) -> None:
    """Delete the row of a recording that was removed."""
    table = sql.make_qualified_table_name(TABLE)
    sql.execute_sql(f"DELETE FROM {table} WHERE call_id = %s AND kind = %s", call_id, kind)
