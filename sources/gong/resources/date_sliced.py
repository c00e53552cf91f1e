"""Date-sliced resources: read by date from a bookmark; only changed days are written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from ..api.endpoint import Endpoint
from ..extract.context import ExtractContext
from ..extract.estimates import ONE_REQUEST, RequestEstimator
from ..extract.probe import Probe, ProbeBuilder, SampleIds
from ..incremental.date_slices import DateSlice, RecordsByDate, split_by_days, split_by_months
from ..incremental.windows import Window
from ..tables.pseudonyms import PersonalFields
from ..tables.record_mapper import RecordMapper
from ..tables.records import InvalidRecordError, Record
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
