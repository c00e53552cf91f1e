"""Columns that Gong added after this was written: the types they got when they were first seen."""

from __future__ import annotations

from dlt.common.schema import Schema

from .table import DATA_TYPES, DataType


class KnownColumns:
    """Remembers the type of every column, from the warehouse's schema and from the run so far.

    A column keeps the type it got first; a value that does not fit it goes to `<column>__v_text`.
    """

    def __init__(self, schema: Schema) -> None:
        self._types: dict[tuple[str, str], DataType] = {
            (table, name): kind
            for table, described in schema.tables.items()
            for name, column in described["columns"].items()
            for kind in DATA_TYPES
            if column.get("data_type") == kind
        }

    def known(self, table: str, column: str) -> DataType | None:
        """The type the column has; None for one that was never seen."""
        return self._types.get((table, column))

    def learn(self, table: str, column: str, kind: DataType) -> None:
        """Remembers the type a new column was given."""
        self._types.setdefault((table, column), kind)
