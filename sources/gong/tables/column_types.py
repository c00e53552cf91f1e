"""Types of columns: which exist, how values are converted to them, and which type an undeclared column gets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, Protocol, get_args

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.schema import Schema

DataType = Literal["text", "bigint", "double", "bool", "timestamp", "date", "json"]
"""The dlt data types in use. `json` holds JSON text; timestamps are UTC with microseconds."""

TEXT: Final = "text"
BIGINT: Final = "bigint"
DOUBLE: Final = "double"
BOOL: Final = "bool"
TIMESTAMP: Final = "timestamp"
DATE: Final = "date"
JSON: Final = "json"

DATA_TYPES: tuple[DataType, ...] = get_args(DataType)

ARROW_TYPES: dict[DataType, pa.DataType] = {
    TEXT: pa.string(),
    BIGINT: pa.int64(),
    DOUBLE: pa.float64(),
    BOOL: pa.bool_(),
    TIMESTAMP: pa.timestamp("us", tz="UTC"),
    DATE: pa.date32(),
    JSON: pa.string(),
}

_NATIVE_TYPES: dict[DataType, set[type]] = {
    TEXT: {str},
    BIGINT: {int},
    DOUBLE: {int, float},
    BOOL: {bool},
    TIMESTAMP: {datetime},
    DATE: {date},
}
"""Python types that Arrow converts without loss. Of others it would cut 1.5 to 1, or read a number as a timestamp."""

_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_NOT_CONVERTIBLE = object()


class ColumnTypes(Protocol):
    """Types of columns that Gong's documentation does not list."""

    def type_of(self, table: str, column: str) -> DataType | None:
        """Return the type that the column has in the warehouse, or None for a new column."""

    def remember(self, table: str, column: str, data_type: DataType) -> None:
        """Record the type that a new column was given."""


class KnownColumns:
    """Types of all columns, from the warehouse's schema and from the run so far.

    A column keeps its first type. A value that does not fit goes to `<column>__v_text`.
    """

    def __init__(self, schema: Schema) -> None:
        self._types: dict[tuple[str, str], DataType] = {
            (table, name): data_type
            for table, declaration in schema.tables.items()
            for name, column in declaration["columns"].items()
            for data_type in DATA_TYPES
            if column.get("data_type") == data_type
        }

    def type_of(self, table: str, column: str) -> DataType | None:
        """Return the type of the column, or None for a new column."""
        return self._types.get((table, column))

    def remember(self, table: str, column: str, data_type: DataType) -> None:
        """Record the type that a new column was given."""
        self._types.setdefault((table, column), data_type)


def infer_type(values: Sequence[Any]) -> DataType | None:
    """Return the type for an undeclared column, or None if all values are null."""
    types = {type(value) for value in values if value is not None}
    if not types:
        return None
    if types == {bool}:
        return BOOL
    if types == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return BIGINT
    if types <= {int, float}:
        return DOUBLE
    if types & {dict, list}:
        return JSON
    return TEXT


def convert_column(values: Sequence[Any], data_type: DataType) -> tuple[pa.Array, Iterable[Any]]:
    """Convert values to an Arrow array.

    A value is converted only if that loses nothing, such as `"12"` to a whole number or `12` to text.

    Returns:
        The array, with null for each value that does not fit; and those values at their positions, with null
        elsewhere (empty if all values fit).
    """
    arrow_type = ARROW_TYPES[data_type]
    try:
        if data_type == JSON:
            return pa.array([None if value is None else encode_json(value) for value in values], arrow_type), ()
        types = set(map(type, values)) - {type(None)}
        if data_type == TIMESTAMP and types == {str}:
            timestamps = pa.array(values, pa.string()).cast(arrow_type)
            limits = pc.min_max(timestamps).as_py()
            if limits["min"] is None or (limits["min"] >= _EARLIEST and limits["max"] <= _LATEST):
                return timestamps, ()
        elif types <= _NATIVE_TYPES[data_type]:
            return pa.array(values, arrow_type), ()
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass  # at least one value has to be converted by itself
    converted = [None if value is None else _convert(value, data_type) for value in values]
    rest = [value if result is _NOT_CONVERTIBLE else None for value, result in zip(values, converted, strict=True)]
    return pa.array([None if result is _NOT_CONVERTIBLE else result for result in converted], arrow_type), rest


def encode_json(value: Any) -> str:
    """Return a value as compact JSON text."""
    return msgspec.json.encode(value).decode()


def encode_text(value: Any) -> str:
    """Return a string as it is, and any other value as JSON text."""
    return value if isinstance(value, str) else encode_json(value)


def _convert(value: Any, data_type: DataType) -> Any:
    """Return the value as the type, or `_NOT_CONVERTIBLE` if that would change its meaning."""
    try:
        return _CONVERTERS[data_type](value)
    except (ValueError, TypeError, OverflowError, AttributeError):
        return _NOT_CONVERTIBLE


def _convert_timestamp(value: Any) -> datetime:
    timestamp = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).astimezone(UTC)


def _convert_bool(value: Any) -> Any:
    truth = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    return truth if isinstance(truth, bool) else _NOT_CONVERTIBLE


def _convert_double(value: Any) -> Any:
    number = float(value)
    # An integer beyond 2^53 may have no double of the same value, and 1e400 is not infinity.
    exact = number == value if isinstance(value, int) else math.isfinite(number) or value in _NOT_FINITE
    return number if exact and not isinstance(value, bool) else _NOT_CONVERTIBLE


def _convert_bigint(value: Any) -> Any:
    number = int(value)
    exact = isinstance(value, str) or (number == value and not isinstance(value, bool))
    fits = exact and -(2**63) <= number < 2**63
    return number if fits else _NOT_CONVERTIBLE


_CONVERTERS: dict[DataType, Callable[[Any], Any]] = {
    TEXT: encode_text,
    JSON: encode_json,
    TIMESTAMP: _convert_timestamp,
    DATE: date.fromisoformat,
    BOOL: _convert_bool,
    DOUBLE: _convert_double,
    BIGINT: _convert_bigint,
}
