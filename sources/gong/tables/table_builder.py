"""Rows to Arrow tables: values get their column's type, undeclared fields become columns, nothing is dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import pyarrow as pa

from .column_types import ARROW_TYPES, JSON, TEXT, ColumnTypes, DataType, convert_column, encode_text, infer_type
from .records import ConnectorValues, Record
from .table import LOAD_ID, TOMBSTONE, Column, Table, snake_case

ADDED_JSON = {b"gong-elt.data_type": b"json"}
"""Metadata of an Arrow text field that holds JSON although no table declares the column."""


class TableBuilder:
    """Collects rows of one table and builds an Arrow table from them, with one row per key.

    Args:
        table: The table's declaration.
        types: Types of undeclared columns.
        repeated: Counts the rows that a later row with the same key replaces, by table.
    """

    def __init__(self, table: Table, types: ColumnTypes, repeated: Counter[str] | None = None) -> None:
        self._table = table
        self._types = types
        self._repeated: Counter[str] = Counter() if repeated is None else repeated
        self._connector_values: list[ConnectorValues] = []
        self._records: list[Record] = []
        self._known_fields = {column.field for column in table.gong_columns} | table.mapped_fields

    def __len__(self) -> int:
        return len(self._records)

    def add_row(self, connector_values: ConnectorValues, record: Record) -> None:
        """Add a row.

        Args:
            connector_values: Values of the columns that the connector fills, by column name; a missing one is null.
            record: Gong's object that holds the other columns.
        """
        self._connector_values.append(connector_values)
        self._records.append(record)

    def add_tombstone(self, parent: Any) -> None:
        """Add a row that deletes all rows whose first key column equals `parent`."""
        values: dict[str, Any] = {
            column.name: "" for column in self._table.connector_columns if column.name in self._table.required
        }
        values[TOMBSTONE.name] = True
        parent_column = next(column for column in self._table.columns if column.name == self._table.key[0])
        if parent_column.field is None:
            self.add_row(values | {parent_column.name: parent}, {})
        else:
            self.add_row(values, {parent_column.field: parent})

    def build(self) -> pa.Table:
        """Return the rows as an Arrow table: declared columns first, then the fields that Gong added.

        Of rows with the same key, the last one is returned. Rows without an id are all returned.

        Raises:
            ValueError: If a row has a value for a column that the table does not declare as the connector's.
        """
        key_values = {} if self._table.has_numbered_rows else self._drop_repeated_rows()
        arrays: dict[str, pa.Array] = {}
        added_json: set[str] = set()
        # Loops in C: this runs for each cell of a page.
        filled = frozenset(chain.from_iterable(self._connector_values))
        self._check_names(filled)
        for column in self._table.columns:
            if column.name in key_values:
                values: Sequence[Any] = key_values[column.name]
            elif column.field is None and column.name not in filled:
                arrays[column.name] = pa.nulls(len(self), ARROW_TYPES[column.type])
                continue
            else:
                values = self._values(column)
            self._add_column(arrays, column.name, column.type, values)
        for field in sorted(self._undeclared_fields()):
            values = [record.get(field) for record in self._records]
            # dlt renames columns such as `_` or `title_` again, which could collide with another column.
            name = snake_case(field) or "x"
            while name in arrays:
                name += "x"
            data_type = self._types.type_of(self._table.name, name) or infer_type(values)
            if data_type is not None:
                self._types.remember(self._table.name, name, data_type)
                self._add_column(arrays, name, data_type, values)
                if data_type == JSON:
                    added_json.add(name)
        return pa.table(arrays, schema=self._schema(arrays, added_json))

    def _values(self, column: Column) -> list[Any]:
        """Return the values of a declared column, by row."""
        if column.field is not None:
            return [record.get(column.field) for record in self._records]
        try:
            return list(map(itemgetter(column.name), self._connector_values))
        except KeyError:
            return [values.get(column.name) for values in self._connector_values]

    def _drop_repeated_rows(self) -> dict[str, list[Any]]:
        """Drop each row that a later row with the same key replaces, and return the values of the key's columns."""
        columns = self._table.key_columns
        values = {column.name: self._values(column) for column in columns}
        keys = list(zip(*(_key_parts(values[column.name], column.type) for column in columns), strict=True))
        if len(set(keys)) == len(keys):
            return values
        ids = [index for index, column in enumerate(columns) if column.name not in self._table.optional_key]
        last_rows = {key: row for row, key in enumerate(keys)}
        kept = [
            row
            for row, key in enumerate(keys)
            if last_rows[key] == row or any(key[index] in (None, "") for index in ids)
        ]
        self._repeated[self._table.name] += len(keys) - len(kept)
        self._connector_values = [self._connector_values[row] for row in kept]
        self._records = [self._records[row] for row in kept]
        return {name: [column_values[row] for row in kept] for name, column_values in values.items()}

    def _check_names(self, filled: frozenset[str]) -> None:
        declared = {column.name for column in self._table.connector_columns}
        if unknown := filled - declared:
            raise ValueError(f"table {self._table.name!r} has no connector column {', '.join(sorted(unknown))}")

    def _undeclared_fields(self) -> set[str]:
        undeclared: set[str] = set()
        for record in self._records:
            if not record.keys() <= self._known_fields:
                undeclared |= record.keys() - self._known_fields
        return undeclared

    def _add_column(self, arrays: dict[str, pa.Array], name: str, data_type: DataType, values: Sequence[Any]) -> None:
        arrays[name], rest = convert_column(values, data_type)
        if any(value is not None for value in rest):
            # dlt's own name for values that do not fit the type of their column.
            arrays[f"{name}__v_text"] = pa.array([None if value is None else encode_text(value) for value in rest])

    def _schema(self, arrays: Mapping[str, pa.Array], added_json: set[str]) -> pa.Schema:
        return pa.schema(
            [
                pa.field(name, array.type, name not in self._table.required, ADDED_JSON if name in added_json else None)
                for name, array in arrays.items()
            ]
        )


def _key_parts(values: list[Any], data_type: DataType) -> list[Any]:
    """Return the values of a key column so that those which are equal in the warehouse are equal and hashable."""
    if data_type != TEXT or set(map(type, values)) <= {str}:
        return values
    return ["" if value is None else encode_text(value) for value in values]


def empty_table(table: Table) -> pa.Table:
    """Return a table with its declared columns and no row, so that it can be created before Gong has data for it."""
    return pa.schema(
        [
            pa.field(column.name, ARROW_TYPES[column.type], nullable=column.name not in table.required)
            for column in table.columns
        ]
    ).empty_table()


def with_load_id(rows: pa.Table, load_id: str) -> pa.Table:
    """Fill the `_dlt_load_id` column, if the table has one."""
    if LOAD_ID not in rows.column_names:
        return rows
    return rows.set_column(rows.column_names.index(LOAD_ID), LOAD_ID, pa.repeat(load_id, rows.num_rows))
