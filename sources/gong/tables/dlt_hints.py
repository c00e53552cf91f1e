"""The declared tables as dlt hints: types, keys and how newer rows take the place of older ones."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.schema.typing import TColumnSchema, TTableSchema
from dlt.common.schema.utils import new_table
from dlt.extract import DltResource
from dlt.extract.items import DataItemWithMeta

from ..calls.tables import TABLES
from ..metrics import RunMetrics
from .table import TOMBSTONE, Column, Table
from .table_builder import ADDED_JSON

_MERGE = {"disposition": "merge", "strategy": "delete-insert"}


def declare_tables(resource: DltResource, names: Iterable[str] = (), *, append: bool = False) -> DltResource:
    """Tells a dlt resource the tables it fills.

    The rows of a call are deleted by `call_id` and inserted anew: dlt's `primary_key` alone would leave the
    tail of a list that got shorter. A call without rows in a table sends one row marked `_removed`.

    Args:
        resource: The resource; its rows are marked with the name of their table.
        names: Further tables that it may fill.
        append: The tables are empty and rows come once, so that there is nothing to merge with. A load that is
            killed and read again has to merge.
    """
    for table in TABLES:
        if table.resource == resource.name or table.name in names:
            resource.apply_hints(table_name=table.name, create_table_variant=True, **_hints(table, append=append))
    _quiet_json_warning()
    return resource


def mark_for_table(rows: pa.Table, table: str, metrics: RunMetrics) -> DataItemWithMeta:
    """Rows for dlt on their way to a table, counted, with the type of columns that Gong added as JSON."""
    # Marks that take rows out are no rows.
    metrics.rows[table] += rows[TOMBSTONE.name].null_count if TOMBSTONE.name in rows.column_names else rows.num_rows
    added = [field.name for field in rows.schema if (field.metadata or {}).items() >= ADDED_JSON.items()]
    if not added:
        return dlt.mark.with_table_name(rows, table)
    columns: list[TColumnSchema] = [{"name": name, "data_type": "json"} for name in added]
    return dlt.mark.with_hints(rows, dlt.mark.make_hints(table_name=table, columns=columns), create_table_variant=True)


def declared_tables(resources: Container[str], *, append: bool = False) -> list[TTableSchema]:
    """The tables of resources as dlt describes them, for who wants them to exist before they have rows.

    Args:
        resources: Which dlt resources.
        append: As in `declare_tables`.
    """
    return [
        new_table(
            table.name,
            resource=table.resource,
            columns=[
                column | {"primary_key": True}
                if table.write_strategy == "by key" and column["name"] in table.key
                else column
                for column in _hints(table, append=append)["columns"]
            ],
            write_disposition="replace" if table.write_strategy == "whole" else "append" if append else "merge",
        )
        for table in TABLES
        if table.resource in resources
    ]


def _hints(table: Table, *, append: bool = False) -> dict[str, Any]:
    disposition = "append" if append else _MERGE
    columns = [_column(column, table, append=append) for column in table.columns]
    if table.write_strategy == "whole":
        return {"columns": columns, "write_disposition": "replace"}
    if table.write_strategy == "by key":
        return {"columns": columns, "write_disposition": disposition, "primary_key": list(table.key)}
    return {"columns": columns, "write_disposition": disposition, "merge_key": table.key[0]}


def _column(column: Column, table: Table, *, append: bool) -> TColumnSchema:
    nullable = column.name not in table.required
    hint: TColumnSchema = {"name": column.name, "data_type": column.type, "nullable": nullable}
    if column == TOMBSTONE and not append:
        hint["hard_delete"] = True
    return hint


class _JsonHintsDiffer(logging.Filter):
    """Arrow has no JSON type, so dlt warns at every batch that a JSON column arrives as text: that is meant."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "when merging arrow schema with dlt schema" not in str(record.msg)


_JSON_HINTS_DIFFER = _JsonHintsDiffer()


def _quiet_json_warning() -> None:
    logging.getLogger("dlt").addFilter(_JSON_HINTS_DIFFER)
