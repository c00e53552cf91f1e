"""Dead-letter table `_rejected`: records that fail validation, removed once they pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from ..metrics import RunMetrics
from .column_types import JSON, TEXT, TIMESTAMP, ColumnTypes
from .known_hashes import KnownHashes
from .records import canonical_json, hash_bytes, record_id
from .table import TOMBSTONE, Column, Table, WriteStrategy
from .table_builder import TableBuilder

REJECTED_TABLE = Table(
    name="_rejected",
    description="records that failed validation, as JSON, with the reason; a row is deleted once its record passes",
    key=("resource", "id"),
    write_strategy=WriteStrategy.UPSERT,
    columns=(
        Column("resource", TEXT),
        Column("id", TEXT),
        Column("reason", TEXT),
        Column("record", JSON),
        Column("_content_hash", TEXT),
        Column("_synced_at", TIMESTAMP),
        TOMBSTONE,
    ),
)


class _Reject(NamedTuple):
    resource: str
    id: str
    reason: str
    record: Any
    content_hash: str


class RejectCollector:
    """Collects the invalid records of one run.

    Args:
        types: Types of undeclared columns.
        known_hashes: Content hashes in the warehouse; the ids of `_rejected` are `resource id`. None if unknown.
        metrics: Counters of the run, which include the rejected records.
        started_at: When the run began, by this machine's clock.
        initial_load: The dataset has no tables yet, so no row has to be deleted.
    """

    def __init__(
        self,
        types: ColumnTypes,
        known_hashes: KnownHashes | None,
        metrics: RunMetrics,
        *,
        started_at: datetime,
        initial_load: bool = False,
    ) -> None:
        self._types = types
        self._known_hashes = known_hashes
        self.metrics = metrics
        self._started_at = started_at
        self._initial_load = initial_load
        self._seen: set[str] = set()
        self._pending: dict[str, _Reject] = {}
        self._resolved: dict[str, tuple[str, str]] = {}

    def add(
        self,
        resource: str,
        record: Any,
        problem: Exception,
        *,
        raw: bytes | msgspec.Raw = b"",
        hidden: bool = False,
        record_id: str = "",
    ) -> None:
        """Reject a record; only the first time counts if it is rejected several times in a run.

        Args:
            resource: dlt resource of the record.
            record: The decoded record; None if it cannot be decoded.
            problem: Why it is invalid.
            raw: The record as Gong sent it; required if `record` is None.
            hidden: Whether to store the record's id and reason only.
            record_id: The record's id, if it is not in a field `id`.
        """
        content = hash_bytes(raw if record is None else canonical_json(record))
        record_id = record_id or _find_id(record) or content
        if (key := f"{resource} {record_id}") in self._seen:
            return
        self._seen.add(key)
        self.metrics.rejected[resource] += 1
        self._pending[key] = _Reject(resource, record_id, str(problem), None if hidden else record, content)

    def resolve(self, resource: str, record_ids: Iterable[str]) -> None:
        """Mark records as valid, so that rows which an earlier run rejected are deleted."""
        if not self._initial_load:
            self._resolved.update({f"{resource} {record_id}": (resource, record_id) for record_id in record_ids})

    def table(self) -> pa.Table | None:
        """Return the rows to write since the last call, or None.

        A record that the warehouse holds as rejected, unchanged, is not written again.
        """
        pending, self._pending = self._pending, {}
        resolved, self._resolved = self._resolved, {}
        keys = sorted({*pending, *resolved})
        if self._known_hashes is None:
            known: Mapping[str, str] = dict.fromkeys(resolved, "")
        else:
            known = self._known_hashes.find(REJECTED_TABLE.name, keys)
        builder = TableBuilder(REJECTED_TABLE, self._types)
        for key, reject in pending.items():
            if known.get(key) != reject.content_hash:
                values = {
                    "resource": reject.resource,
                    "id": reject.id,
                    "reason": reject.reason,
                    "record": reject.record,
                    "_content_hash": reject.content_hash,
                    "_synced_at": self.metrics.correct_time(self._started_at),
                }
                builder.add_row(values, {})
        for key in resolved.keys() & known.keys() - pending.keys():
            resource, record_id = resolved[key]
            builder.add_row({"resource": resource, "id": record_id, TOMBSTONE.name: True}, {})
        return builder.build() if len(builder) else None


def _find_id(record: Any) -> str:
    """Return the id of a call, a transcript or any other record, or "" if it has none."""
    if not isinstance(record, Mapping):
        return ""
    return record_id(record.get("metaData")) or record_id(record) or record_id(record, "callId")
