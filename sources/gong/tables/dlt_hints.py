"""Declared tables as dlt hints: types, keys and write dispositions."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.schema.typing import TColumnSchema, TTableSchema
from dlt.common.schema.utils import new_table
from dlt.extract import DltResource
from dlt.extract.items import DataItemWithMeta

from ..metrics import RunMetrics
from .table import TOMBSTONE, Column, Table, WriteStrategy
from .table_builder import ADDED_JSON

_MERGE = {"disposition": "merge", "strategy": "delete-insert"}


def declare_tables(resource: DltResource, tables: Iterable[Table], *, append: bool = False) -> DltResource:
    """Add the hints of the tables that a dlt resource fills, and return the resource.

    The rows of a call are deleted by `call_id` and inserted again: with dlt's `primary_key` alone, the end of a list
    that became shorter would stay. A call without rows in a table sends one row marked `_removed`.

    Args:
        resource: The resource; its rows are marked with the name of their table.
        tables: All tables that it may fill.
        append: Whether the tables are empty and each row arrives once, so that rows can be appended. A load that is
            killed and read again has to merge.
    """
    for table in tables:
        resource.apply_hints(table_name=table.name, create_table_variant=True, **_hints(table, append=append))
    _silence_json_warning()
    return resource


def mark_for_table(rows: pa.Table, table: str, metrics: RunMetrics) -> DataItemWithMeta:
    """Count the rows and mark them with their table, and with the JSON type of undeclared columns."""
    # Tombstones are not rows.
    metrics.rows[table] += rows[TOMBSTONE.name].null_count if TOMBSTONE.name in rows.column_names else rows.num_rows
    added = [field.name for field in rows.schema if (field.metadata or {}).items() >= ADDED_JSON.items()]
    if not added:
        return dlt.mark.with_table_name(rows, table)
    columns: list[TColumnSchema] = [{"name": name, "data_type": "json"} for name in added]
    return dlt.mark.with_hints(rows, dlt.mark.make_hints(table_name=table, columns=columns), create_table_variant=True)


def table_schemas(tables: Mapping[str, Iterable[Table]], *, append: bool = False) -> list[TTableSchema]:
    """Return the dlt schemas of tables, to create them before they have rows.

    Args:
        tables: Tables by the name of the dlt resource that fills them.
        append: As in `declare_tables`.
    """
    return [
        new_table(
            table.name,
            resource=resource,
            columns=[
                column | {"primary_key": True}
                if table.write_strategy is WriteStrategy.UPSERT and column["name"] in table.key
                else column
                for column in _hints(table, append=append)["columns"]
            ],
            write_disposition=(
                "replace" if table.write_strategy is WriteStrategy.REPLACE_TABLE else "append" if append else "merge"
            ),
        )
        for resource, resource_tables in tables.items()
        for table in resource_tables
    ]


def _hints(table: Table, *, append: bool = False) -> dict[str, Any]:
    disposition = "append" if append else _MERGE
    columns = [_column(column, table, append=append) for column in table.columns]
    match table.write_strategy:
        case WriteStrategy.REPLACE_TABLE:
            return {"columns": columns, "write_disposition": "replace"}
        case WriteStrategy.UPSERT:
            return {"columns": columns, "write_disposition": disposition, "primary_key": list(table.key)}
        case WriteStrategy.REPLACE_BY_PARENT:
            return {"columns": columns, "write_disposition": disposition, "merge_key": table.key[0]}


def _column(column: Column, table: Table, *, append: bool) -> TColumnSchema:
    nullable = column.name not in table.required
    hint: TColumnSchema = {"name": column.name, "data_type": column.type, "nullable": nullable}
    if column == TOMBSTONE and not append:
        hint["hard_delete"] = True
    return hint


class _JsonHintsDiffer(logging.Filter):
    """Drops dlt's warning for each batch that a JSON column is text: Arrow has no JSON type, so it always is."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "when merging arrow schema with dlt schema" not in str(record.msg)


_JSON_HINTS_DIFFER = _JsonHintsDiffer()


def _silence_json_warning() -> None:
    logging.getLogger("dlt").addFilter(_JSON_HINTS_DIFFER)
