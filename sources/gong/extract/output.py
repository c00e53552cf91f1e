"""Hand the rows of a resource to dlt, together with its rejected records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from ..tables.column_types import KnownColumns
from ..tables.dlt_hints import declare_tables, mark_for_table
from ..tables.rejects import REJECTED_TABLE, RejectCollector
from ..tables.table import Table, WriteStrategy
from ..tables.table_builder import empty_table
from .context import ExtractContext


class ResourceOutput:
    """The tables of one resource while it is extracted.

    Args:
        tables: Tables that the resource fills.
        context: What the resources of the source share.

    Attributes:
        types: Types of columns that Gong added.
        rejects: Collects records that fail validation.
    """

    def __init__(self, tables: tuple[Table, ...], context: ExtractContext) -> None:
        self._tables = tables
        self._metrics = context.metrics
        self._schema = dlt.current.source_schema()
        self.types = KnownColumns(self._schema)
        self.rejects = RejectCollector(
            self.types, None, context.metrics, started_at=context.now, initial_load=context.run.initial_load
        )

    def emit(self, rows: Mapping[str, pa.Table]) -> Iterator[Any]:
        """Yield the tables to write, and empty tables for those that the dataset does not have yet.

        Args:
            rows: Rows by table. A table that is replaced as a whole is written even if it has no rows.
        """
        for table in self._tables:
            is_replaced = table.write_strategy is WriteStrategy.REPLACE_TABLE and table.name in rows
            has_rows = table.name in rows and rows[table.name].num_rows
            if is_replaced or has_rows or table.name not in self._schema.tables:
                yield mark_for_table(rows.get(table.name, empty_table(table)), table.name, self._metrics)
        if (rejected := self.rejects.table()) is not None:
            yield mark_for_table(rejected, REJECTED_TABLE.name, self._metrics)


def declare_output(resource: DltResource, tables: tuple[Table, ...], context: ExtractContext) -> DltResource:
    """Declare the tables that a resource fills, `_rejected` included, and return the resource."""
    return declare_tables(resource, (*tables, REJECTED_TABLE), append=context.run.initial_load)
