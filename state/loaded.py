"""Questions to the warehouse before a run: content hashes, pending transcripts, counts. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from .sql import Sql, read_rows

_ROWS_PER_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class PendingTranscript:
    """A call whose transcript has not arrived yet."""

    id: str
    effective_time: datetime


@dataclass(frozen=True, slots=True)
class Contents:
    """Row counts, and the effective time of the newest call."""

    calls: int
    transcripts: int
    sentences: int
    newest_call: datetime | None


def read_known_hashes(sql: Sql, resource: str) -> Iterator[Sequence[tuple[str, str]]]:
    """Yield the content hashes of all rows of a resource in the warehouse, in batches of (id, hash).

    The hash is empty for a call that is marked as deleted: if Gong sends it again, it is written again.

    Args:
        sql: The warehouse.
        resource: `calls`, `transcripts` or `_rejected`. Ids of `_rejected` are resource and id, such as `calls 123`.
    """
    table = sql.make_qualified_table_name(resource)
    if resource == "_rejected":
        query = f"SELECT resource || ' ' || id, _content_hash FROM {table}"
    else:
        key, content_hash = {
            "calls": ("id", "CASE WHEN _deleted_at IS NULL THEN _content_hash ELSE '' END"),
            "transcripts": ("call_id", "_content_hash"),
        }[resource]
        query = f"SELECT {key}, {content_hash} FROM {table}"
    with sql.execute_query(query) as cursor:
        while batch := cursor.fetchmany(_ROWS_PER_BATCH):
            yield batch


def pending_transcripts(sql: Sql, since: datetime, *, include_private: bool) -> list[PendingTranscript]:
    """Return the calls from `since` on that have no transcript yet, oldest first.

    Args:
        sql: The warehouse.
        since: Effective time from which on transcripts are requested again.
        include_private: Whether transcripts of private calls are loaded.
    """
    calls, transcripts = map(sql.make_qualified_table_name, ("calls", "transcripts"))
    rows = sql.execute_sql(
        f"SELECT c.id, c._effective_time FROM {calls} AS c"
        f" LEFT JOIN {transcripts} AS transcribed ON transcribed.call_id = c.id"
        " WHERE transcribed.call_id IS NULL AND c._deleted_at IS NULL AND c._effective_time >= %s"
        + ("" if include_private else " AND NOT COALESCE(c.is_private, FALSE)")
        + " ORDER BY c._effective_time",
        since,
    )
    return [PendingTranscript(str(call_id), effective_time) for call_id, effective_time in read_rows(rows)]


def private_calls(sql: Sql, *, with_content: bool) -> list[str]:
    """Return the ids of the private calls in the warehouse that are not marked as deleted.

    Args:
        sql: The warehouse.
        with_content: Only those with a transcript or participants.
    """
    calls, *children = map(sql.make_qualified_table_name, ("calls", "transcripts", "call_parties"))
    content = " OR ".join(f"EXISTS (SELECT 1 FROM {table} AS t WHERE t.call_id = c.id)" for table in children)
    condition = f" AND (c.brief IS NOT NULL OR {content})" if with_content else ""
    rows = sql.execute_sql(f"SELECT c.id FROM {calls} AS c WHERE c.is_private AND c._deleted_at IS NULL{condition}")
    return [str(row[0]) for row in rows or ()]


def contents(sql: Sql) -> Contents:
    """Return what the warehouse holds."""
    calls, transcripts, sentences = map(sql.make_qualified_table_name, ("calls", "transcripts", "transcript_sentences"))
    rows = sql.execute_sql(
        f"SELECT (SELECT COUNT(*) FROM {calls} WHERE _deleted_at IS NULL), (SELECT COUNT(*) FROM {transcripts}),"
        f" (SELECT COUNT(*) FROM {sentences}), (SELECT MAX(_effective_time) FROM {calls})"
    )
    return Contents(*(read_rows(rows) or [(0, 0, 0, None)])[0])
