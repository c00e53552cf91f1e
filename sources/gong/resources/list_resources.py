"""dlt resources of lists: read whole and replaced where they changed, or read day by day from a bookmark."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import dlt
import msgspec
import pyarrow as pa
from dlt.extract import DltResource

from ..calls.tables import REJECTED_TABLE, TABLES
from ..errors import GongError
from ..extract.background import BackgroundReader
from ..extract.pages import ExtractContext
from ..incremental.bookmarks import plan_window, read_bookmark, save_progress
from ..incremental.date_slices import DateHashes, DateSlicedResource, complete_at
from ..incremental.lookback import Lookback
from ..incremental.windows import Window
from ..metrics import RunMetrics
from ..tables.column_types import KnownColumns
from ..tables.dlt_hints import declare_tables, mark_for_table
from ..tables.pseudonyms import Pseudonymizer
from ..tables.records import InvalidRecordError, hash_bytes
from ..tables.rejects import RejectCollector
from ..tables.table_builder import empty_table
from .date_sliced import DATE_SLICED
from .full_refresh import FULL_REFRESH, FullRefreshResource

T = TypeVar("T")

RESOURCES = ("calls", "transcripts", *(one.name for one in (*FULL_REFRESH, *DATE_SLICED) if not one.opt_in))
"""What is read unless something else is selected."""

OPT_IN_RESOURCES = tuple(one.name for one in (*FULL_REFRESH, *DATE_SLICED) if one.opt_in)
"""What is read only where it is selected by name."""


@dataclass(frozen=True, slots=True)
class ListResources:
    """The resources of one source that are lists.

    Attributes:
        reading: The client, and what the lists share.
        reader: The thread that talks to Gong.
        metrics: Where the run is counted.
        note: Takes the error that ended a resource; raises it where nobody reads the tally.
        pseudonyms: Takes people out of the records; None to keep them.
        now, start, lookback: When the run began, where a first read begins, how far behind a bookmark to read again.
        window: Read this stretch of dates instead of bookmark to now.
        state_is_current: Whether what dlt's state says was written is in the warehouse; not after a load that was
        broken off.
        initial_load: Nothing was ever loaded, so that rows can be appended and nothing has to go.
    """

    reading: ExtractContext
    reader: BackgroundReader
    metrics: RunMetrics
    note: Callable[[str, Exception], None]
    pseudonyms: Pseudonymizer | None
    now: datetime
    start: datetime
    lookback: Lookback
    window: Window | None = None
    state_is_current: bool = True
    initial_load: bool = False

    def all(self) -> Iterator[DltResource]:
        """Every list as a dlt resource; those to be selected by name are not selected yet."""
        for whole in FULL_REFRESH:
            yield self._declared(dlt.resource(self._whole(whole), name=whole.name, selected=not whole.opt_in))
        for dated in DATE_SLICED:
            yield self._declared(dlt.resource(self._dated(dated), name=dated.name, selected=not dated.opt_in))

    def _declared(self, resource: DltResource) -> DltResource:
        return declare_tables(resource, [REJECTED_TABLE.name], append=self.initial_load)

    def _whole(self, whole: FullRefreshResource) -> Callable[[], AsyncIterator[Any]]:
        async def rows() -> AsyncIterator[Any]:
            state = dlt.current.resource_state()
            types, rejects = self._types_and_rejections()
            tables: Mapping[str, pa.Table] = {}
            try:
                records = self._shown(whole.name, await self._read(whole.read(self.reading)))
                # The list is written only when it is another than the last one written.
                content = hash_bytes(b"\n".join(sorted(map(_canonical_json, records))))
                if not self.state_is_current or state.get("content_hash") != content:
                    tables = whole.to_tables(records, types, rejects)
                    state["content_hash"] = content
            except (GongError, InvalidRecordError) as error:
                self.note(whole.name, error)
            for batch in self._batches(whole.name, tables, rejects):
                yield batch

        return rows

    def _dated(self, dated: DateSlicedResource) -> Callable[[], AsyncIterator[Any]]:
        async def rows() -> AsyncIterator[Any]:
            state = dlt.current.resource_state()
            types, rejects = self._types_and_rejections()
            window = self.window or plan_window([state], start=self.start, now=self.now, lookback=self.lookback)
            hashes = DateHashes(state, state_is_current=self.state_is_current)
            reached = window.since
            for batch in self._batches(dated.name, {}, rejects):
                yield batch
            try:
                for date_slice in dated.slices(window, self.now):
                    found = await self._read(dated.read(self.reading, date_slice))
                    by_day = {day: self._shown(dated.name, of_day) for day, of_day in found.items()}
                    records, emptied = hashes.changed(by_day)
                    tables = dated.layout.to_tables(
                        records, types, rejects, removes=not self.initial_load, emptied=emptied
                    )
                    for batch in self._batches(dated.name, tables, rejects):
                        yield batch
                    reached = min(complete_at(date_slice.until), window.until)
                reached = window.until
            except (GongError, InvalidRecordError) as error:
                self.note(dated.name, error)
            hashes.prune_before((self.now - self.lookback.depths[-1]).date().replace(day=1))
            before = read_bookmark(state)
            save_progress(
                state,
                [window],
                reached,
                previous_bookmark=before,
                start=self.start,
                now=self.now,
                lookback=self.lookback,
            )

        return rows

    async def _read(self, work: Awaitable[T]) -> T:
        """Reads in the thread that talks to Gong."""

        async def read_in_session() -> T:
            async with self.reading.client.session():
                return await work

        with self.reader:
            return await self.reader.run(read_in_session())

    def _types_and_rejections(self) -> tuple[KnownColumns, RejectCollector]:
        types = KnownColumns(dlt.current.source_schema())
        rejects = RejectCollector(types, None, self.metrics, synced_at=self.now, initial_load=self.initial_load)
        return types, rejects

    def _shown(self, resource: str, records: Sequence[Any]) -> list[Any]:
        """The records as they may be stored."""
        hashed = self.pseudonyms
        return list(records) if hashed is None else [hashed.of(resource, record) for record in records]

    def _batches(self, resource: str, tables: Mapping[str, pa.Table], rejects: RejectCollector) -> Iterator[Any]:
        schema = dlt.current.source_schema()
        for table in (table for table in TABLES if table.resource == resource):
            whole = table.write_strategy == "whole" and table.name in tables
            if whole or (table.name in tables and tables[table.name].num_rows) or table.name not in schema.tables:
                yield mark_for_table(tables.get(table.name, empty_table(table)), table.name, self.metrics)
        if (rejected := rejects.table()) is not None:
            yield mark_for_table(rejected, REJECTED_TABLE.name, self.metrics)


def _canonical_json(record: Any) -> bytes:
    return msgspec.json.encode(record, order="sorted")
