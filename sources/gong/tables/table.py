"""What a table of the warehouse is, as data: name, key, columns and where each column's value comes from.

Column names are Gong's own in snake_case, so that Gong's documentation is the data dictionary. A column
that is ours, not Gong's, has no `field`; bookkeeping columns start with an underscore.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from dlt.common.normalizers.naming.snake_case import NamingConvention

DataType = Literal["text", "bigint", "double", "bool", "timestamp", "date", "json"]
"""dlt's data types, as far as they occur. `json` holds JSON text; timestamps are UTC with microseconds."""

WriteStrategy = Literal["by key", "together", "whole"]
"""How rows give way to newer ones: by the table's key, all that share the first part of it, or the table at once."""

PiiKind = Literal["email", "phone", "name", "link"]
"""What a field says about a person; decides how it is normalised before it is hashed (`pii = "hash"`)."""

_NAMING = NamingConvention()
DATA_TYPES: tuple[DataType, ...] = ("text", "bigint", "double", "bool", "timestamp", "date", "json")
_PERSONAL: tuple[PiiKind, ...] = ("email", "phone", "name", "link")


def snake_case(field: str) -> str:
    """A field of Gong's as the name of a column, by dlt's own rule: `meetingUrl` becomes `meeting_url`."""
    return _NAMING.normalize_path(field)


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the field of Gong's record that it holds; without a field the value is ours.

    `personal` is set where the field identifies a person.
    """

    name: str
    type: DataType
    field: str | None = None
    personal: PiiKind | None = None


@dataclass(frozen=True)
class Table:
    """A table of the warehouse.

    Attributes:
        name: As analysts query it.
        resource: The dlt resource that fills it.
        key: Columns that identify a row. Rows that are replaced together share the first one, such as `call_id`.
        write_strategy: How newer rows take the place of older ones.
        columns: In order; ours first, as far as they are part of the key.
        mapped_fields: Fields of the record that other tables hold; every other unknown field becomes a column.
    """

    name: str
    resource: str
    key: tuple[str, ...]
    write_strategy: WriteStrategy
    columns: tuple[Column, ...]
    mapped_fields: frozenset[str] = frozenset()

    @cached_property
    def connector_columns(self) -> tuple[Column, ...]:
        """The columns whose values are given by us, in order."""
        return tuple(column for column in self.columns if column.field is None)

    @cached_property
    def required(self) -> frozenset[str]:
        """Columns that are never null: the key where rows are merged by it, and ids that we take from a call's record.

        Gong leaves parts of these out, which are empty texts then; PostgreSQL, as dlt loads it, takes an empty text for
        null wherever it may.
        """
        if self.write_strategy == "by key":
            return frozenset(self.key)
        if self.key[0] != "call_id":
            return frozenset()
        return frozenset(
            column.name for column in self.connector_columns if column.type == "text" and column.name in self.key
        )

    @cached_property
    def gong_columns(self) -> tuple[Column, ...]:
        """The columns that hold a field of Gong's record."""
        return tuple(column for column in self.columns if column.field is not None)


TOMBSTONE = Column("_removed", "bool")
"""Set on its way in, where a call has no more rows in a table; no row in the warehouse carries it."""

LOAD_ID = "_dlt_load_id"
"""dlt's load that brought the row; filled in when the row is handed to dlt, which is when that is known."""


def connector_columns(names: str) -> tuple[Column, ...]:
    """Columns of our own, written `name` or `name:type`, text by default."""
    return tuple(Column(name, kind) for name, kind, _ in map(_typed, names.split()))


def gong_columns(fields: str) -> tuple[Column, ...]:
    """Columns that hold Gong's fields, written `field`, `field:type` or `field:type=email`, text by default."""
    return tuple(Column(snake_case(name), kind, name, personal) for name, kind, personal in map(_typed, fields.split()))


def _typed(word: str) -> tuple[str, DataType, PiiKind | None]:
    described, _, says = word.partition("=")
    name, _, kind = described.partition(":")
    personal = next(known for known in _PERSONAL if known == says) if says else None
    return name, next(known for known in DATA_TYPES if known == (kind or "text")), personal
