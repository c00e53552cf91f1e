"""Records to Arrow: values take their column's type, fields nobody declared become columns, nothing is dropped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from .table import LOAD_ID, DataType, Table, snake_case

Record = Mapping[str, Any]
"""A JSON object as Gong sent it."""

ARROW_TYPES: dict[DataType, pa.DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "json": pa.string(),
}

ADDED_JSON = {b"gong-elt.data_type": b"json"}
"""Marks an Arrow field whose text is JSON although no table declares the column."""

_EARLIEST = pa.scalar(datetime(1, 1, 1, tzinfo=UTC), pa.timestamp("us", tz="UTC"))
_LATEST = pa.scalar(datetime.max.replace(tzinfo=UTC), pa.timestamp("us", tz="UTC"))
_UNFIT = object()

_AS_THEY_ARE: dict[DataType, set[type]] = {
    "text": {str},
    "bigint": {int},
    "double": {int, float},
    "bool": {bool},
    "timestamp": {datetime},
    "date": {date},
}
"""Types that Arrow takes without a closer look: of others it would cut 1.5 to 1, or take a number for an instant."""


class ColumnTypes(Protocol):
    """What is known of columns that Gong's documentation does not list."""

    def known(self, table: str, column: str) -> DataType | None:
        """The type the column already has in the warehouse, if it has one."""

    def learn(self, table: str, column: str, kind: DataType) -> None:
        """Remembers the type that a new column was given."""


class TableBuilder:
    """Rows of one table on their way to Arrow.

    Args:
        table: Which table.
        types: Types of columns that were added before.
    """

    def __init__(self, table: Table, types: ColumnTypes) -> None:
        self._table = table
        self._types = types
        self._ours: list[tuple[Any, ...]] = []
        self._records: list[Record] = []
        self._fields = {column.field for column in table.gong_columns} | table.mapped_fields

    def __len__(self) -> int:
        return len(self._records)

    def add(self, connector_columns: tuple[Any, ...], record: Record) -> None:
        """Adds a row.

        Args:
            connector_columns: Values of the table's own columns in order; missing ones at the end are null.
            record: Gong's object that gives the other columns.
        """
        self._ours.append(connector_columns)
        self._records.append(record)

    def add_tombstone(self, shared: Any) -> None:
        """Adds the mark that nothing is left in this table of the rows that share this first part of their key."""
        first, required = self._table.key[0], self._table.required
        ours = [
            shared if column.name == first else "" if column.name in required else None
            for column in self._table.connector_columns[:-1]
        ]
        self.add((*ours, True), {"id": shared} if self._table.key == ("id",) else {})

    def build(self) -> pa.Table:
        """All rows as an Arrow table: declared columns first, then what Gong added."""
        arrays: dict[str, pa.Array] = {}
        added_json: set[str] = set()
        width = len(self._table.connector_columns)
        ours = list(zip(*(row + (None,) * (width - len(row)) for row in self._ours), strict=True)) or [()] * width
        position = 0
        for column in self._table.columns:
            if column.field is None:
                values: Sequence[Any] = ours[position]
                position += 1
            else:
                values = [record.get(column.field) for record in self._records]
            self._place(arrays, column.name, column.type, values)
        for field in sorted(self._unknown_fields()):
            values = [record.get(field) for record in self._records]
            # Names that dlt would change once more, such as `_` or `title_`, could meet another column's.
            name = snake_case(field) or "x"
            while name in arrays:
                name += "x"
            kind = self._types.known(self._table.name, name) or _inferred(values)
            if kind is not None:
                self._types.learn(self._table.name, name, kind)
                self._place(arrays, name, kind, values)
                if kind == "json":
                    added_json.add(name)
        return pa.table(arrays, schema=self._schema(arrays, added_json))

    def _unknown_fields(self) -> set[str]:
        unknown: set[str] = set()
        for record in self._records:
            if not record.keys() <= self._fields:
                unknown |= record.keys() - self._fields
        return unknown

    def _place(self, arrays: dict[str, pa.Array], name: str, kind: DataType, values: Sequence[Any]) -> None:
        arrays[name], unfit = convert_column(values, kind)
        if any(value is not None for value in unfit):
            # dlt's own name for a value that does not fit its column's type.
            arrays[f"{name}__v_text"] = pa.array([None if value is None else _text(value) for value in unfit])

    def _schema(self, arrays: Mapping[str, pa.Array], added_json: set[str]) -> pa.Schema:
        return pa.schema(
            [
                pa.field(name, array.type, name not in self._table.required, ADDED_JSON if name in added_json else None)
                for name, array in arrays.items()
            ]
        )


def empty_table(table: Table) -> pa.Table:
    """A table with its declared columns and no row, so that it exists before Gong has anything for it."""
    return pa.schema(
        [
            pa.field(column.name, ARROW_TYPES[column.type], nullable=column.name not in table.required)
            for column in table.columns
        ]
    ).empty_table()


def with_load_id(rows: pa.Table, load_id: str) -> pa.Table:
    """Rows with dlt's load that brings them, where their table says so."""
    if LOAD_ID not in rows.column_names:
        return rows
    return rows.set_column(rows.column_names.index(LOAD_ID), LOAD_ID, pa.repeat(load_id, rows.num_rows))


def convert_column(values: Sequence[Any], kind: DataType) -> tuple[pa.Array, Iterable[Any]]:
    """Values as an Arrow array of a type.

    A value is taken where that loses nothing: `"12"` for a whole number, `12` for a text. One that does not
    fit is null in the array and comes back in the second part, at its place.

    Returns:
        The array, and the values that did not fit (null elsewhere; empty when all fit).
    """
    arrow_type = ARROW_TYPES[kind]
    try:
        if kind == "json":
            return pa.array([None if value is None else json_text(value) for value in values], arrow_type), ()
        kinds = set(map(type, values)) - {type(None)}
        if kind == "timestamp" and kinds == {str}:
            instants = pa.array(values, pa.string()).cast(arrow_type)
            span = pc.min_max(instants).as_py()
            if span["min"] is None or (_EARLIEST.as_py() <= span["min"] and span["max"] <= _LATEST.as_py()):
                return instants, ()
        elif kinds <= _AS_THEY_ARE[kind]:
            return pa.array(values, arrow_type), ()
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass  # one value at least needs a closer look
    fitting = [None if value is None else _fitted(value, kind) for value in values]
    unfit = [value if fit is _UNFIT else None for value, fit in zip(values, fitting, strict=True)]
    return pa.array([None if fit is _UNFIT else fit for fit in fitting], arrow_type), unfit


def json_text(value: Any) -> str:
    """A value as compact JSON text."""
    return msgspec.json.encode(value).decode()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _fitted(value: Any, kind: DataType) -> Any:
    """The value as the type, or `_UNFIT` where that would change what it says."""
    try:
        return _FITTING[kind](value)
    except (ValueError, TypeError, OverflowError, AttributeError):
        return _UNFIT


def _fitted_instant(value: Any) -> datetime:
    instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def _fitted_day(value: Any) -> date:
    return date.fromisoformat(value)


def _fitted_truth(value: Any) -> Any:
    truth = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    return truth if isinstance(truth, bool) else _UNFIT


_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")


def _fitted_number(value: Any) -> Any:
    number = float(value)
    # A whole number beyond 2^53 may have no double of its own, and 1e400 is no infinity.
    exact = number == value if isinstance(value, int) else math.isfinite(number) or value in _NO_NUMBERS
    return number if exact and not isinstance(value, bool) else _UNFIT


def _fitted_whole(value: Any) -> Any:
    whole = int(value)
    exact = isinstance(value, str) or (whole == value and not isinstance(value, bool))
    fits = exact and -(2**63) <= whole < 2**63
    return whole if fits else _UNFIT


_FITTING: dict[DataType, Callable[[Any], Any]] = {
    "text": _text,
    "json": json_text,
    "timestamp": _fitted_instant,
    "date": _fitted_day,
    "bool": _fitted_truth,
    "double": _fitted_number,
    "bigint": _fitted_whole,
}


def _inferred(values: Sequence[Any]) -> DataType | None:
    """The type for a column that nobody declared; None when no row has a value for it."""
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return None
    if kinds == {bool}:
        return "bool"
    if kinds == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return "bigint"
    if kinds <= {int, float}:
        return "double"
    if kinds & {dict, list}:
        return "json"
    return "text"
