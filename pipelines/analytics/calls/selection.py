"""Select the calls with a transcript that the options of a command name, in batches that fit into memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from state.sql import placeholders

from ..marts import Marts, contains

_CALLS_PER_BATCH = 50

_CALLS = """
SELECT calls.call_id, coalesce(chunks.characters, 0) AS characters
FROM {marts}.calls_enriched AS calls
LEFT JOIN (
    SELECT call_id, sum(character_count) AS characters FROM {marts}.transcript_chunks GROUP BY call_id
) AS chunks ON chunks.call_id = calls.call_id
WHERE calls.has_transcript{conditions}
ORDER BY calls.started, calls.call_id
"""
_IDS = "SELECT calls.call_id FROM {marts}.calls_enriched AS calls WHERE calls.has_transcript{conditions}"
_OF_ACCOUNTS = "calls.call_id IN (SELECT call_id FROM {marts}.account_calls WHERE account_id IN ({placeholders}))"


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to select; None selects all.

    Attributes:
        since: Start of the period.
        until: End of the period, exclusive.
        rep: Part of the host's name.
        call_ids: Ids of calls.
        account_ids: Accounts of the calls.
        opportunity_ids: Deals of the calls.
    """

    since: datetime | None = None
    until: datetime | None = None
    rep: str | None = None
    call_ids: Collection[str] | None = None
    account_ids: Collection[str] | None = None
    opportunity_ids: Collection[str] | None = None

    @property
    def selects_all(self) -> bool:
        """Whether no condition is set."""
        return self == CallFilter()

    @property
    def selects_nothing(self) -> bool:
        """Whether one of the lists is empty."""
        lists = (self.call_ids, self.account_ids, self.opportunity_ids)
        return any(ids is not None and not ids for ids in lists)

    def conditions(self, marts: Marts) -> Iterator[tuple[str, Collection[Any]]]:
        """Yield each condition in SQL over `calls_enriched AS calls`, and its parameters."""
        if self.since is not None:
            yield "calls.started >= %s", [self.since]
        if self.until is not None:
            yield "calls.started < %s", [self.until]
        if self.rep:
            yield contains("calls.host_name"), [self.rep.lower()]
        if self.call_ids is not None:
            yield f"calls.call_id IN ({placeholders(len(self.call_ids))})", self.call_ids
        if self.account_ids is not None:
            count = placeholders(len(self.account_ids))
            yield _OF_ACCOUNTS.format(marts=marts.schema, placeholders=count), self.account_ids
        if self.opportunity_ids is not None:
            yield f"calls.opportunity_id IN ({placeholders(len(self.opportunity_ids))})", self.opportunity_ids


def select_batches(marts: Marts, call_filter: CallFilter, max_characters: int) -> Iterator[tuple[list[str], int]]:
    """Yield the ids of the calls that have a transcript, oldest first, and the number of characters of each batch.

    Args:
        marts: The marts.
        call_filter: Which calls.
        max_characters: Number of characters in a batch. A call that has more is alone.
    """
    batch: list[str] = []
    batch_characters = 0
    for call_id, characters in _calls(marts, call_filter):
        if batch and (len(batch) == _CALLS_PER_BATCH or batch_characters + characters > max_characters):
            yield batch, batch_characters
            batch, batch_characters = [], 0
        batch.append(call_id)
        batch_characters += characters
    if batch:
        yield batch, batch_characters


def select_call_ids(marts: Marts, call_filter: CallFilter) -> list[str] | None:
    """Return the ids of the calls that have a transcript, in no order; None if the filter has no condition."""
    return None if call_filter.selects_all else [row["call_id"] for row in _rows(marts, call_filter, _IDS)]


def _calls(marts: Marts, call_filter: CallFilter) -> Iterable[tuple[str, int]]:
    for row in _rows(marts, call_filter, _CALLS):
        yield row["call_id"], int(row["characters"])


def _rows(marts: Marts, call_filter: CallFilter, sql: str) -> Iterable[Mapping[str, Any]]:
    if call_filter.selects_nothing:
        return ()
    conditions = [*call_filter.conditions(marts)]
    sql = sql.format(marts=marts.schema, conditions="".join(f" AND {condition}" for condition, _ in conditions))
    return marts.rows(sql, *(value for _, values in conditions for value in values))
