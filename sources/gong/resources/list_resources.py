"""dlt resources of declared lists: full refresh if changed, or merged by date from a bookmark."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from ..errors import GongError
from ..extract.context import ExtractContext
from ..incremental.bookmarks import plan_window, read_bookmark, save_progress
from ..incremental.date_slices import DateHashes, complete_at
from ..tables.column_types import KnownColumns
from ..tables.dlt_hints import declare_tables, mark_for_table
from ..tables.records import InvalidRecordError, hash_records
from ..tables.rejects import REJECTED_TABLE, RejectCollector
from ..tables.table import WriteStrategy
from ..tables.table_builder import empty_table
from .date_sliced import DateSlicedResource
from .full_refresh import FullRefreshResource


def full_refresh(spec: FullRefreshResource, context: ExtractContext) -> DltResource:
    """Return the dlt resource of a list that is read in full and replaced if it changed."""

    async def read() -> AsyncIterator[Any]:
        state = dlt.current.resource_state()
        types, rejects = _types_and_rejects(context)
        tables: Mapping[str, pa.Table] = {}
        try:
            records = context.pseudonymize(spec.name, await context.read(spec.read(context)))
            content_hash = hash_records(records)
            if not context.run.state_is_current or state.get("content_hash") != content_hash:
                tables = spec.to_tables(records, types, rejects)
                state["content_hash"] = content_hash
        except (GongError, InvalidRecordError) as error:
            context.report(spec.name, error)
        for batch in _batches(spec, tables, rejects, context):
            yield batch

    return _declare(dlt.resource(read, name=spec.name, selected=not spec.opt_in), spec, context)


def date_sliced(spec: DateSlicedResource, context: ExtractContext) -> DltResource:
    """Return the dlt resource of a list that is read by date from its bookmark; changed days are merged."""

    async def read() -> AsyncIterator[Any]:
        run, now, start, lookback = context.run, context.now, context.start, context.lookback
        state = dlt.current.resource_state()
        types, rejects = _types_and_rejects(context)
        window = run.date_window or plan_window([state], start=start, now=now, lookback=lookback)
        hashes = DateHashes(state, state_is_current=run.state_is_current)
        complete_until = window.since
        for batch in _batches(spec, {}, rejects, context):
            yield batch
        try:
            for date_slice in spec.slices(window, now):
                records_by_date = await context.read(spec.read(context, date_slice))
                changed, emptied = hashes.select_changed(
                    {day: context.pseudonymize(spec.name, records) for day, records in records_by_date.items()}
                )
                tables = spec.mapper.to_tables(
                    changed, types, rejects, with_tombstones=not run.initial_load, emptied_parents=emptied
                )
                for batch in _batches(spec, tables, rejects, context):
                    yield batch
                complete_until = min(complete_at(date_slice.until), window.until)
            complete_until = window.until
        except (GongError, InvalidRecordError) as error:
            context.report(spec.name, error)
        hashes.prune_before((now - lookback.depths[-1]).date().replace(day=1))
        previous_bookmark = read_bookmark(state)
        save_progress(
            state,
            [window],
            complete_until,
            previous_bookmark=previous_bookmark,
            start=start,
            now=now,
            lookback=lookback,
        )

    return _declare(dlt.resource(read, name=spec.name, selected=not spec.opt_in), spec, context)


def _declare(
    resource: DltResource, spec: FullRefreshResource | DateSlicedResource, context: ExtractContext
) -> DltResource:
    return declare_tables(resource, (*spec.mapper.tables, REJECTED_TABLE), append=context.run.initial_load)


def _types_and_rejects(context: ExtractContext) -> tuple[KnownColumns, RejectCollector]:
    types = KnownColumns(dlt.current.source_schema())
    rejects = RejectCollector(
        types, None, context.metrics, synced_at=context.now, initial_load=context.run.initial_load
    )
    return types, rejects


def _batches(
    spec: FullRefreshResource | DateSlicedResource,
    tables: Mapping[str, pa.Table],
    rejects: RejectCollector,
    context: ExtractContext,
) -> Iterator[Any]:
    """Yield the tables that have to be written, and tables that the dataset does not have yet, even if empty."""
    schema = dlt.current.source_schema()
    for table in spec.mapper.tables:
        is_replaced = table.write_strategy is WriteStrategy.REPLACE_TABLE and table.name in tables
        has_rows = table.name in tables and tables[table.name].num_rows
        if is_replaced or has_rows or table.name not in schema.tables:
            yield mark_for_table(tables.get(table.name, empty_table(table)), table.name, context.metrics)
    if (rejected := rejects.table()) is not None:
        yield mark_for_table(rejected, REJECTED_TABLE.name, context.metrics)
