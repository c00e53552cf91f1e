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
from ..extract.background import ReadAhead
from ..extract.pages import Reading
from ..incremental.bookmarks import bookmark_of, move_bookmark, window_to_read
from ..incremental.date_slices import Dated, DayHashes, over
from ..incremental.windows import Lookback, Window
from ..metrics import Tally
from ..tables.column_types import KnownColumns
from ..tables.dlt_hints import declare_tables, handed_over
from ..tables.pseudonyms import Pseudonyms
from ..tables.records import ShapeError, fingerprint
from ..tables.rejects import Rejections
from ..tables.table_builder import empty_table
from .date_sliced import DATED
from .full_refresh import LISTS, WholeList

T = TypeVar("T")

RESOURCES = ("calls", "transcripts", *(one.name for one in (*LISTS, *DATED) if not one.opt_in))
"""What is read unless something else is selected."""

OPT_IN_RESOURCES = tuple(one.name for one in (*LISTS, *DATED) if one.opt_in)
"""What is read only where it is selected by name."""


@dataclass(frozen=True, slots=True)
class ListResources:
    """The resources of one source that are lists.

    Attributes:
        reading: The client, and what the lists share.
        reader: The thread that talks to Gong.
        tally: Where the run is counted.
        note: Takes the error that ended a resource; raises it where nobody reads the tally.
        pseudonyms: Takes people out of the records; None to keep them.
        now, start, lookback: When the run began, where a first read begins, how far behind a bookmark to read again.
        window: Read this stretch of dates instead of bookmark to now.
        trusted: Whether what dlt's state says was written is in the warehouse; not after a load that was broken off.
        warehouse_is_empty: Nothing was ever loaded, so that rows can be appended and nothing has to go.
    """

    reading: Reading
    reader: ReadAhead
    tally: Tally
    note: Callable[[str, Exception], None]
    pseudonyms: Pseudonyms | None
    now: datetime
    start: datetime
    lookback: Lookback
    window: Window | None = None
    trusted: bool = True
    warehouse_is_empty: bool = False

    def all(self) -> Iterator[DltResource]:
        """Every list as a dlt resource; those to be selected by name are not selected yet."""
        for whole in LISTS:
            yield self._declared(dlt.resource(self._whole(whole), name=whole.name, selected=not whole.opt_in))
        for dated in DATED:
            yield self._declared(dlt.resource(self._dated(dated), name=dated.name, selected=not dated.opt_in))

    def _declared(self, resource: DltResource) -> DltResource:
        return declare_tables(resource, [REJECTED_TABLE.name], append=self.warehouse_is_empty)

    def _whole(self, whole: WholeList) -> Callable[[], AsyncIterator[Any]]:
        async def rows() -> AsyncIterator[Any]:
            state = dlt.current.resource_state()
            types, rejections = self._types_and_rejections()
            tables: Mapping[str, pa.Table] = {}
            try:
                records = self._shown(whole.name, await self._read(whole.read(self.reading)))
                # The list is written only when it is another than the last one written.
                content = fingerprint(b"\n".join(sorted(map(_sorted_json, records))))
                if not self.trusted or state.get("content_hash") != content:
                    tables = whole.lay_out(records, types, rejections)
                    state["content_hash"] = content
            except (GongError, ShapeError) as error:
                self.note(whole.name, error)
            for batch in self._batches(whole.name, tables, rejections):
                yield batch

        return rows

    def _dated(self, dated: Dated) -> Callable[[], AsyncIterator[Any]]:
        async def rows() -> AsyncIterator[Any]:
            state = dlt.current.resource_state()
            types, rejections = self._types_and_rejections()
            window = self.window or window_to_read([state], start=self.start, now=self.now, lookback=self.lookback)
            hashes = DayHashes(state, trusted=self.trusted)
            reached = window.since
            for batch in self._batches(dated.name, {}, rejections):
                yield batch
            try:
                for stretch in dated.stretches(window, self.now):
                    found = await self._read(dated.read(self.reading, stretch))
                    by_day = {day: self._shown(dated.name, of_day) for day, of_day in found.items()}
                    records, emptied = hashes.changed(by_day)
                    tables = dated.layout.lay_out(
                        records, types, rejections, removes=not self.warehouse_is_empty, emptied=emptied
                    )
                    for batch in self._batches(dated.name, tables, rejections):
                        yield batch
                    reached = min(over(stretch.until), window.until)
                reached = window.until
            except (GongError, ShapeError) as error:
                self.note(dated.name, error)
            hashes.forget_before((self.now - self.lookback.depths[-1]).date().replace(day=1))
            before = bookmark_of(state)
            move_bookmark(
                state, [window], reached, before=before, start=self.start, now=self.now, lookback=self.lookback
            )

        return rows

    async def _read(self, work: Awaitable[T]) -> T:
        """Reads in the thread that talks to Gong."""

        async def connected() -> T:
            async with self.reading.client.connected():
                return await work

        with self.reader:
            return await self.reader.result(connected())

    def _types_and_rejections(self) -> tuple[KnownColumns, Rejections]:
        types = KnownColumns(dlt.current.source_schema())
        rejections = Rejections(types, None, self.tally, synced_at=self.now, warehouse_is_empty=self.warehouse_is_empty)
        return types, rejections

    def _shown(self, resource: str, records: Sequence[Any]) -> list[Any]:
        """The records as they may be stored."""
        hashed = self.pseudonyms
        return list(records) if hashed is None else [hashed.of(resource, record) for record in records]

    def _batches(self, resource: str, tables: Mapping[str, pa.Table], rejections: Rejections) -> Iterator[Any]:
        schema = dlt.current.source_schema()
        for table in (table for table in TABLES if table.resource == resource):
            whole = table.replaced == "whole" and table.name in tables
            if whole or (table.name in tables and tables[table.name].num_rows) or table.name not in schema.tables:
                yield handed_over(tables.get(table.name, empty_table(table)), table.name, self.tally)
        if (rejected := rejections.table()) is not None:
            yield handed_over(rejected, REJECTED_TABLE.name, self.tally)


def _sorted_json(record: Any) -> bytes:
    return msgspec.json.encode(record, order="sorted")
