"""The dlt resources of calls and transcripts, which share one feed of pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import dlt
from dlt.extract import DltResource

from ..errors import RunStopped
from ..extract.background import ReadProgress
from ..extract.buffer import Batch
from ..extract.context import ExtractContext
from ..incremental.bookmarks import correct_future_times, plan_backfill, plan_window, read_bookmark, save_progress
from ..incremental.windows import Window
from ..tables.column_types import KnownColumns
from ..tables.dlt_hints import declare_tables, mark_for_table
from ..tables.rejects import REJECTED_TABLE
from ..tables.table_builder import empty_table, with_load_id
from .reader import CallReader
from .request import CallRequest
from .tables import TABLES_BY_RESOURCE
from .transformer import CallTransformer, TranscriptTransformer, TransformContext


def call_pages(context: ExtractContext) -> DltResource:
    """Return the feed of `calls` and `transcripts`: batches of rows as (resource, table, Arrow table).

    It is not a resource that is loaded. A transcript is requested by the ids of calls just read, so both resources
    read from this one feed.
    """

    async def read() -> AsyncIterator[Batch]:
        selected = sorted({"calls", "transcripts"} & set(dlt.current.source().selected_resources))
        states = {name: dlt.current.resource_state(name) for name in selected}
        for state in states.values():
            correct_future_times(state, context.now, known_bookmark=context.now)
            context.save_pii_mode(state)
        schema = dlt.current.source_schema()
        load_id = dlt.current.load_package_state()["load_id"]
        for name in selected:
            for table in TABLES_BY_RESOURCE[name]:
                if table.name not in schema.tables:
                    yield name, table.name, empty_table(table)

        def start_reader() -> CallReader:
            run = context.run
            transform_context = TransformContext(
                private_calls=context.settings.private_calls,
                known_hashes=run.known_hashes,
                types=KnownColumns(schema),
                metrics=context.metrics,
                started_at=context.now,
                initial_load=run.initial_load,
                pseudonymizer=context.pseudonymizer,
            )
            return CallReader(
                context.client,
                CallRequest.from_settings(context.settings),
                CallTransformer(transform_context, write_calls="calls" in selected),
                TranscriptTransformer(transform_context) if "transcripts" in selected else None,
                windows=run.windows or [_plan_window(list(states.values()), context)],
                pending_transcripts=run.pending_transcripts,
                previous_bookmarks={name: read_bookmark(state) for name, state in states.items()},
            )

        with context.reader:
            async for resource, name, rows in context.reader.read_part(start_reader):
                yield resource, name, with_load_id(rows, load_id)
            progress = context.reader.last_progress
        if progress.exhausted:
            _report_errors(progress, selected, context)
        complete_until = {"calls": progress.calls_complete_until}
        # A resource that failed keeps its bookmark; one that was stopped moves to where it ended.
        if isinstance(progress.transcripts_error, RunStopped | None):
            complete_until["transcripts"] = progress.transcripts_complete_until
        for name in states.keys() & complete_until.keys():
            save_progress(
                states[name],
                progress.windows,
                complete_until[name],
                previous_bookmark=progress.previous_bookmarks[name],
                target=context.target,
                now=context.latest_bookmark,
                lookback=context.lookback,
            )

    return dlt.resource(read, name="call_pages", selected=False)


def calls(pages: DltResource, context: ExtractContext) -> DltResource:
    """Return the resource `calls`: calls and everything Gong knows about them, in the `call_*` tables."""
    resource = _rows_of("calls", pages, context)
    return declare_tables(resource, TABLES_BY_RESOURCE["calls"], append=context.run.initial_load)


def transcripts(pages: DltResource, context: ExtractContext) -> DltResource:
    """Return the resource `transcripts`: transcripts, and one row per sentence."""
    resource = _rows_of("transcripts", pages, context)
    return declare_tables(
        resource, (*TABLES_BY_RESOURCE["transcripts"], REJECTED_TABLE), append=context.run.initial_load
    )


def _rows_of(name: str, pages: DltResource, context: ExtractContext) -> DltResource:
    def select_rows(batch: Batch) -> Iterator[Any]:
        resource, table, rows = batch
        if resource == name:
            yield mark_for_table(rows, table, context.metrics)

    return dlt.transformer(select_rows, data_from=pages, name=name)


def _plan_window(states: Sequence[Mapping[str, Any]], context: ExtractContext) -> Window:
    """Return what a plain dlt pipeline reads: from the bookmark to now, together with a backfill that is due."""
    window = plan_window(states, target=context.target, now=context.now, lookback=context.lookback)
    backfill = plan_backfill(states, context.target)
    return window if backfill is None else Window(min(window.since, backfill.since), window.until)


def _report_errors(progress: ReadProgress, selected: list[str], context: ExtractContext) -> None:
    if progress.calls_error is not None:
        for name in selected:
            context.report(name, progress.calls_error)
    elif progress.transcripts_error is not None:
        context.report("transcripts", progress.transcripts_error)
