"""Full-refresh resources: read completely in every run and replaced if anything changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from ..api.endpoint import Endpoint
from ..errors import GongError
from ..extract.context import ExtractContext
from ..extract.estimates import ONE_REQUEST, RequestEstimator
from ..extract.output import ResourceOutput, declare_output
from ..extract.pages import read_records
from ..extract.probe import Probe, ProbeBuilder, SampleIds
from ..tables.column_types import ColumnTypes
from ..tables.pseudonyms import PersonalFields
from ..tables.record_mapper import RecordMapper
from ..tables.records import InvalidRecordError, hash_records
from ..tables.rejects import RejectCollector
from ..tables.table import Table

RecordReader = Callable[[ExtractContext], Awaitable[list[Any]]]
"""Returns all records of a resource."""

RecordTransformer = Callable[[Sequence[Any], ColumnTypes, RejectCollector], Mapping[str, pa.Table]]
"""Returns the rows of records as Arrow tables by name."""


@dataclass(frozen=True)
class FullRefreshResource:
    """A dlt resource that is read completely, with everything that is known about it.

    Attributes:
        name: Name of the dlt resource.
        endpoint: Endpoint that lists its records.
        tables: Tables that the endpoint's records fill.
        child_endpoint: Endpoint that is read once per record of `endpoint`.
        child_tables: Tables that the child endpoint's records fill.
        scoped_to_workspace: Whether the setting `workspace_id` limits the list.
        opt_in: Whether it is read only if selected by name.
        id_field: Field with a record's id, if the connector adds it; by default the endpoint's.
        reader: Returns the records; by default all records of `endpoint`.
        transformer: Converts the records to tables; by default each table's `rows` do.
        estimate_requests: Returns how many requests it takes.
        probe_builder: Builds the request that tests the credential; by default the endpoint without parameters.
        personal_fields: Where a record holds personal values; by default in the columns of the first table.
    """

    name: str
    endpoint: Endpoint
    tables: tuple[Table, ...]
    child_endpoint: Endpoint | None = None
    child_tables: tuple[Table, ...] = ()
    scoped_to_workspace: bool = False
    opt_in: bool = False
    id_field: str | None = None
    reader: RecordReader | None = None
    transformer: RecordTransformer | None = None
    estimate_requests: RequestEstimator = ONE_REQUEST
    probe_builder: ProbeBuilder = lambda endpoint, _: Probe(endpoint)
    personal_fields: PersonalFields | None = None

    @property
    def endpoints(self) -> dict[Endpoint, tuple[Table, ...]]:
        """The resource's endpoints and the tables that each of them fills."""
        child = {self.child_endpoint: self.child_tables} if self.child_endpoint is not None else {}
        return {self.endpoint: self.tables, **child}

    @cached_property
    def mapper(self) -> RecordMapper:
        """Maps the records to rows of all tables."""
        id_field = self.endpoint.id_field if self.id_field is None else self.id_field
        return RecordMapper(self.name, (*self.tables, *self.child_tables), id_field)

    async def read(self, context: ExtractContext) -> list[Any]:
        """Return all records.

        Raises:
            GongError: If a request fails.
        """
        if self.reader is not None:
            return await self.reader(context)
        workspace_id = context.settings.workspace_id if self.scoped_to_workspace else None
        return await read_records(
            context.client, self.endpoint, {"workspaceId": workspace_id} if workspace_id else None
        )

    def to_tables(self, records: Sequence[Any], types: ColumnTypes, rejects: RejectCollector) -> Mapping[str, pa.Table]:
        """Return the rows of the records as Arrow tables by name; invalid records are rejected."""
        return (self.transformer or self.mapper.to_tables)(records, types, rejects)

    def probe(self, samples: SampleIds) -> Probe:
        """Return the request that tests whether the credential may read the resource."""
        return self.probe_builder(self.endpoint, samples)


def full_refresh(resource: FullRefreshResource, context: ExtractContext) -> DltResource:
    """Return the dlt resource that reads the list in full and replaces its tables if anything changed."""
    tables = resource.mapper.tables

    async def read() -> AsyncIterator[Any]:
        state = dlt.current.resource_state()
        context.save_pii_mode(state)
        output = ResourceOutput(tables, context)
        rows: Mapping[str, pa.Table] = {}
        try:
            records = resource.mapper.drop_repeated(await context.read(resource.read(context)), context.metrics)
            records = context.pseudonymize(resource.name, records)
            content_hash = hash_records(records)
            if not context.run.state_is_current or state.get("content_hash") != content_hash:
                rows = resource.to_tables(records, output.types, output.rejects)
                state["content_hash"] = content_hash
        except (GongError, InvalidRecordError) as error:
            context.report(resource.name, error)
        for item in output.emit(rows):
            yield item

    return declare_output(dlt.resource(read, name=resource.name, selected=not resource.opt_in), tables, context)
