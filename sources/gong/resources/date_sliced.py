"""Date-sliced resources: read by date from a bookmark; only changed days are written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import dlt
from dlt.extract import DltResource

from ..api.endpoint import Endpoint
from ..errors import GongError
from ..extract.context import ExtractContext
from ..extract.estimates import ONE_REQUEST, RequestEstimator
from ..extract.output import ResourceOutput, declare_output
from ..extract.probe import Probe, ProbeBuilder, SampleIds
from ..incremental.bookmarks import correct_future_times, plan_backfill, plan_window, read_bookmark, save_progress
from ..incremental.coverage import Coverage
from ..incremental.date_slices import (
    DateHashes,
    DateSlice,
    RecordsByDate,
    complete_at,
    split_by_days,
    split_by_months,
)
from ..incremental.windows import Window
from ..metrics import RunMetrics
from ..tables.pseudonyms import PersonalFields
from ..tables.record_mapper import RecordMapper
from ..tables.records import InvalidRecordError, Record, record_id
from ..tables.table import Table

SliceReader = Callable[[ExtractContext, DateSlice], Awaitable[RecordsByDate]]
"""Returns the records of a slice by the day they belong to."""


@dataclass(frozen=True)
class DateSlicedResource:
    """A dlt resource that is read by date, with everything that is known about it.

    Attributes:
        name: Name of the dlt resource.
        endpoint: Endpoint that lists its records.
        tables: Tables that the records fill.
        read: Returns the records of a slice.
        days_per_request: Number of days per slice.
        complete_days_only: Whether the endpoint rejects days that are not complete.
        calendar_months: Whether a slice is a calendar month; its records are kept under the first day.
        opt_in: Whether it is read only if selected by name.
        id_field: Field with a record's id, if the connector adds it; by default the endpoint's.
        estimate_requests: Returns the least number of requests per slice.
        probe_builder: Builds the request that tests the credential; by default the endpoint without parameters.
        personal_fields: Where a record holds personal values; by default in the columns of the first table.
    """

    name: str
    endpoint: Endpoint
    tables: tuple[Table, ...]
    read: SliceReader
    days_per_request: int
    complete_days_only: bool = False
    calendar_months: bool = False
    opt_in: bool = True
    id_field: str | None = None
    estimate_requests: RequestEstimator = ONE_REQUEST
    probe_builder: ProbeBuilder = lambda endpoint, _: Probe(endpoint)
    personal_fields: PersonalFields | None = None

    @property
    def endpoints(self) -> dict[Endpoint, tuple[Table, ...]]:
        """The resource's endpoint and the tables that it fills."""
        return {self.endpoint: self.tables}

    @cached_property
    def mapper(self) -> RecordMapper:
        """Maps the records to rows of all tables."""
        id_field = self.endpoint.id_field if self.id_field is None else self.id_field
        return RecordMapper(self.name, self.tables, id_field)

    def slices(self, window: Window, now: datetime) -> Iterator[DateSlice]:
        """Yield the slices of a window in order."""
        if self.calendar_months:
            return split_by_months(window, now)
        return split_by_days(
            window, now, days_per_request=self.days_per_request, complete_days_only=self.complete_days_only
        )

    def probe(self, samples: SampleIds) -> Probe:
        """Return the request that tests whether the credential may read the resource."""
        return self.probe_builder(self.endpoint, samples)


def date_sliced(resource: DateSlicedResource, context: ExtractContext) -> DltResource:
    """Return the dlt resource that reads the list by date from its bookmark and merges the days that changed."""
    tables = resource.mapper.tables

    async def read() -> AsyncIterator[Any]:
        run, lookback = context.run, context.lookback
        # The filters are about calls.
        target = Coverage(context.target.since, is_default_start=context.target.is_default_start)
        state = dlt.current.resource_state()
        context.save_pii_mode(state)
        output = ResourceOutput(tables, context)
        for item in output.emit({}):
            yield item
        now: datetime | None = None
        # Gong rejects dates after its own today, and only a response shows that this machine's clock is ahead of it.
        while now != context.latest_bookmark:
            now = context.latest_bookmark
            correct_future_times(state, now, known_bookmark=now)
            window = _plan_dates(state, context, target, now)
            hashes = DateHashes(state, state_is_current=run.state_is_current)
            complete_until = window.since
            seen_ids: set[str] = set()
            try:
                for date_slice in resource.slices(window, now):
                    records_by_date = await context.read(resource.read(context, date_slice))
                    changed, emptied = hashes.select_changed(
                        {
                            day: context.pseudonymize(
                                resource.name, _drop_seen(records, resource, seen_ids, context.metrics)
                            )
                            for day, records in records_by_date.items()
                        }
                    )
                    rows = resource.mapper.to_tables(
                        changed,
                        output.types,
                        output.rejects,
                        with_tombstones=not run.initial_load,
                        emptied_parents=emptied,
                    )
                    for item in output.emit(rows):
                        yield item
                    complete_until = min(complete_at(date_slice.until), window.until)
                    if now != context.latest_bookmark:
                        break
                else:
                    complete_until = window.until
            except (GongError, InvalidRecordError) as error:
                if now == context.latest_bookmark:
                    context.report(resource.name, error)
        hashes.prune_before((now - lookback.depths[-1]).date().replace(day=1))
        save_progress(
            state,
            [window],
            complete_until,
            previous_bookmark=read_bookmark(state),
            target=target,
            now=now,
            lookback=lookback,
        )

    return declare_output(dlt.resource(read, name=resource.name, selected=not resource.opt_in), tables, context)


def _plan_dates(state: MutableMapping[str, Any], context: ExtractContext, target: Coverage, now: datetime) -> Window:
    """Return the window to read, which ends by `now`: as the driver says, or since the bookmark and what is due."""
    window = context.run.date_window
    if window is None:
        window = plan_window([state], target=target, now=now, lookback=context.lookback)
        if (backfill := plan_backfill([state], target)) is not None:
            window = Window(min(window.since, backfill.since), window.until)
    return Window(min(window.since, now), min(window.until, now))


def _drop_seen(records: list[Any], resource: DateSlicedResource, seen_ids: set[str], metrics: RunMetrics) -> list[Any]:
    """Return the records without those of an earlier slice, such as a review that was edited between two requests.

    What is left out is not part of its day's content hash, so the next run that reads the day writes it.
    """
    mapper = resource.mapper
    if not mapper.has_id_as_key:
        return records
    ids = [record_id(record, mapper.id_field) for record in records]
    new = [record for record, text in zip(records, ids, strict=True) if not text or text not in seen_ids]
    seen_ids.update(ids)
    metrics.repeated[resource.tables[0].name] += len(records) - len(new)
    return new


def date_field(record: Record, field: str) -> date:
    """Return the date in a date or date-time field, in the company's time zone, as Gong writes it.

    Raises:
        InvalidRecordError: If the field holds no date.
    """
    try:
        return date.fromisoformat(str(record.get(field))[:10])
    except ValueError as failure:
        raise InvalidRecordError(f"{field} is not a date") from failure


def date_field_or_start(record: Any, field: str, date_slice: DateSlice) -> date:
    """Return the date in a field, or the first day of the slice for a record that will be rejected."""
    try:
        return date_field(record, field)
    except (InvalidRecordError, AttributeError):
        return date_slice.since
