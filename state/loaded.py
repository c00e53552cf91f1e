"""What the warehouse is asked before a run: what it holds, what is owed. Questions only; nothing is written.

A row counts as held once the load that brought it is complete: dlt merges table by table, and a run killed in
between leaves a call's row without its children. Such a row is read and written again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class Sql(Protocol):
    """A way to ask the warehouse; dlt's SQL client is one. Parameters are written `%s`."""

    def execute_sql(self, sql: str, *args: Any) -> Sequence[Sequence[Any]] | None:
        """Runs a statement and returns its rows."""

    def execute_query(self, query: str, *args: Any) -> AbstractContextManager[Any]:
        """Run a query and return its cursor, inside a `with`."""


class TransactionalSql(Sql, Protocol):
    """A way to change it, too; dlt's SQL client is one."""

    def begin_transaction(self) -> AbstractContextManager[Any]:
        """What is done inside is done whole or not at all."""


_LOADED = "JOIN _dlt_loads AS loads ON loads.load_id = {0}._dlt_load_id AND loads.status = 0"


_ROWS_PER_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class PendingTranscript:
    """A call whose transcript has not come yet."""

    id: str
    effective_time: datetime


@dataclass(frozen=True, slots=True)
class Contents:
    """How much the warehouse holds, and how fresh it is."""

    calls: int
    transcripts: int
    sentences: int
    newest_call: datetime | None


def read_known_hashes(sql: Sql, resource: str) -> Iterator[Sequence[tuple[str, str]]]:
    """Yield the content hashes of everything that the warehouse holds of a resource, in batches of (id, hash).

    The hash is empty for a row whose load was never completed and for a call that is marked as deleted: such a row is
    written again.

    Args:
        sql: The warehouse.
        resource: `calls`, `transcripts` or `_rejected`. Ids of `_rejected` are resource and id, as in `calls 123`.
    """
    if resource == "_rejected":
        query = "SELECT resource || ' ' || id, _content_hash FROM _rejected"
    else:
        key = {"calls": "id", "transcripts": "call_id"}[resource]
        is_valid = "loads.load_id IS NOT NULL" + (" AND held._deleted_at IS NULL" if resource == "calls" else "")
        query = (
            f"SELECT held.{key}, CASE WHEN {is_valid} THEN held._content_hash ELSE '' END"
            f" FROM {resource} AS held LEFT {_LOADED.format('held')}"
        )
    with sql.execute_query(query) as cursor:
        while batch := cursor.fetchmany(_ROWS_PER_BATCH):
            yield batch


def pending_transcripts(sql: Sql, since: datetime, *, private_too: bool) -> list[PendingTranscript]:
    """Calls from `since` on that have no transcript yet, oldest first.

    Args:
        sql: The warehouse.
        since: Effective time; older calls are not asked for any more.
        private_too: Whether private calls have transcripts here at all.
    """
    held = f"SELECT t.call_id FROM transcripts AS t {_LOADED.format('t')}"
    rows = sql.execute_sql(
        "SELECT c.id, c._effective_time FROM calls AS c"
        f" LEFT JOIN ({held}) AS held ON held.call_id = c.id"
        " WHERE held.call_id IS NULL AND c._deleted_at IS NULL AND c._effective_time >= %s"
        + ("" if private_too else " AND NOT COALESCE(c.is_private, FALSE)")
        + " ORDER BY c._effective_time",
        since,
    )
    return [PendingTranscript(str(call_id), effective_time) for call_id, effective_time in rows or ()]


def contents(sql: Sql) -> Contents:
    """How much the warehouse holds."""
    row = (
        sql.execute_sql(
            "SELECT (SELECT COUNT(*) FROM calls WHERE _deleted_at IS NULL), (SELECT COUNT(*) FROM transcripts),"
            " (SELECT COUNT(*) FROM transcript_sentences), (SELECT MAX(_effective_time) FROM calls)"
        )
        or [(0, 0, 0, None)]
    )[0]
    return Contents(*row)
