"""Records that fit no table: set aside in `_rejected`, and taken out again once they fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from ..calls.tables import REJECTED_TABLE
from ..metrics import RunMetrics
from .known_hashes import KnownHashes
from .records import hash_bytes, record_id
from .table_builder import ColumnTypes, TableBuilder


class RejectCollector:
    """What one run sets aside.

    Args:
        types: Types of columns that Gong added.
        known_hashes: Content hashes in the warehouse; the ids of `_rejected` are `resource id`. None if unknown.
        metrics: Where rejected records are counted.
        synced_at: When the run began.
        initial_load: There is no row yet, so none has to be taken out.
    """

    def __init__(
        self,
        types: ColumnTypes,
        known_hashes: KnownHashes | None,
        metrics: RunMetrics,
        *,
        synced_at: datetime,
        initial_load: bool = False,
    ) -> None:
        self._types = types
        self._known_hashes = known_hashes
        self._metrics = metrics
        self._synced_at = synced_at
        self._warehouse_is_empty = initial_load
        self._seen: set[str] = set()
        self._waiting: dict[str, tuple[str, str, str, Any, str]] = {}
        self._fitting: dict[str, tuple[str, str]] = {}

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
        """Sets a record aside, once in a run however often it comes.

        Args:
            resource: dlt's resource that the record belongs to.
            record: Its JSON, decoded; None if that cannot be done.
            problem: Why it fits no table.
            raw: As Gong sent it; needed where `record` is None.
            hidden: What it says is not to be stored.
            record_id: The id by which it calls itself, where that is not in a field `id`.
        """
        content = hash_bytes(raw if record is None else msgspec.json.encode(record, order="sorted"))
        record_id = record_id or _id_of(record) or content
        if (key := f"{resource} {record_id}") in self._seen:
            return
        self._seen.add(key)
        self._metrics.rejected[resource] += 1
        self._waiting[key] = (resource, record_id, str(problem), None if hidden else record, content)

    def resolve(self, resource: str, record_ids: Iterable[str]) -> None:
        """Notes records that fit: if they were set aside by an earlier run, they are taken out."""
        if not self._warehouse_is_empty:
            self._fitting.update({f"{resource} {record_id}": (resource, record_id) for record_id in record_ids})

    def table(self) -> pa.Table | None:
        """What there is to write since the last time it was asked for; None for nothing.

        A record that the warehouse has set aside already, unchanged, is not written again.
        """
        waiting, self._waiting = self._waiting, {}
        fitting, self._fitting = self._fitting, {}
        keys = sorted({*waiting, *fitting})
        if self._known_hashes is None:
            held: Mapping[str, str] = dict.fromkeys(fitting, "")
        else:
            held = self._known_hashes.find(REJECTED_TABLE.name, keys)
        sheet = TableBuilder(REJECTED_TABLE, self._types)
        for key, (*about, content) in waiting.items():
            if held.get(key) != content:
                sheet.add((*about, content, self._synced_at), {})
        for key in fitting.keys() & held.keys() - waiting.keys():
            sheet.add((*fitting[key], None, None, None, None, True), {})
        return sheet.build() if len(sheet) else None


def _id_of(record: Any) -> str:
    """The id by which a record calls itself, wherever Gong's records have theirs."""
    if not isinstance(record, Mapping):
        return ""
    return record_id(record.get("metaData")) or record_id(record) or record_id({"id": record.get("callId")})
