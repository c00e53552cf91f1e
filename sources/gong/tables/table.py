"""Declarations of tables: name, key, columns, and the field of Gong's record that each column holds.

Column names are Gong's own in snake_case, so that Gong's documentation is the data dictionary. A column without a
`field` is filled by the connector; bookkeeping columns start with an underscore.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Literal, get_args

from dlt.common.normalizers.naming.snake_case import NamingConvention

from .column_types import BIGINT, BOOL, DATA_TYPES, TEXT, DataType
from .records import ConnectorValues, Record

PiiKind = Literal["email", "phone", "name", "link"]
"""What a field contains about a person; decides how it is normalised before hashing (`pii = "hash"`)."""

RowExtractor = Callable[[Record], Iterable[tuple[ConnectorValues, Record]]]
"""The rows of one record: values of the connector's columns, and the object that holds Gong's fields."""

_NAMING = NamingConvention()
_SNAKE_CASE = re.compile(r"_?[a-z0-9]+(_[a-z0-9]+)*")
"""The same names that `snake_case` leaves unchanged. dlt's rule would take 40 ms of each start for all columns."""
_PII_KINDS: tuple[PiiKind, ...] = get_args(PiiKind)


class WriteStrategy(Enum):
    """How new rows replace old ones."""

    UPSERT = "upsert"
    """By key (dlt: merge with a primary key)."""
    REPLACE_BY_PARENT = "replace by parent"
    """All rows that share the first key column, such as `call_id` (dlt: merge with a merge key)."""
    REPLACE_TABLE = "replace table"
    """The whole table (dlt: replace)."""


def snake_case(field: str) -> str:
    """Return the column name of a Gong field by dlt's naming convention: `meetingUrl` becomes `meeting_url`."""
    return _NAMING.normalize_path(field)


def identity_row(record: Record) -> Iterator[tuple[ConnectorValues, Record]]:
    """Yield the record as one row without connector values."""
    yield {}, record


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Name in the warehouse, in snake_case.
        type: dlt's data type, a constant of `column_types`.
        field: Field of Gong's record; None if the connector fills the column.
        pii: Set if the value identifies a person.
    """

    name: str
    type: DataType
    field: str | None = None
    pii: PiiKind | None = None

    def __post_init__(self) -> None:
        if not _SNAKE_CASE.fullmatch(self.name):
            raise ValueError(f"column {self.name!r} is not in snake_case")
        if self.type not in DATA_TYPES:
            raise ValueError(f"column {self.name!r} has the unknown type {self.type!r}; use a constant of column_types")
        if self.pii is not None and self.pii not in _PII_KINDS:
            raise ValueError(f"column {self.name!r} has the unknown kind of personal data {self.pii!r}")


@dataclass(frozen=True)
class Table:
    """A table of the warehouse.

    Attributes:
        name: Name in the warehouse.
        description: What the table holds, for the documentation.
        key: Columns that identify a row. With `REPLACE_BY_PARENT` the first one identifies the parent.
        columns: All columns in order.
        write_strategy: How new rows replace old ones.
        rows: Yields the rows that a record adds to the table.
        mapped_fields: Fields of the record that other columns or tables hold. Any other undeclared field becomes a
            column.
        optional_key: Columns of the key in which empty is a value like any other. A row in which another column of the
            key is empty has no id: the key holds for rows with an id.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    write_strategy: WriteStrategy = WriteStrategy.REPLACE_TABLE
    rows: RowExtractor = identity_row
    mapped_fields: frozenset[str] = frozenset()
    optional_key: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not _SNAKE_CASE.fullmatch(self.name):
            raise ValueError(f"table {self.name!r} is not in snake_case")
        counts = Counter(column.name for column in self.columns)
        if duplicates := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"table {self.name!r} declares a column more than once: {', '.join(duplicates)}")
        if missing := [name for name in self.key if name not in counts]:
            raise ValueError(f"table {self.name!r} does not declare its key column {', '.join(missing)}")
        if not self.key:
            raise ValueError(f"table {self.name!r} has no key")
        if unknown := self.optional_key - set(self.key):
            raise ValueError(f"table {self.name!r} has no key column {', '.join(sorted(unknown))}")

    @cached_property
    def connector_columns(self) -> tuple[Column, ...]:
        """The columns that the connector fills, in order."""
        return tuple(column for column in self.columns if column.field is None)

    @cached_property
    def gong_columns(self) -> tuple[Column, ...]:
        """The columns that hold a field of Gong's record, in order."""
        return tuple(column for column in self.columns if column.field is not None)

    @cached_property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key, in its order."""
        by_name = {column.name: column for column in self.columns}
        return tuple(by_name[name] for name in self.key)

    @cached_property
    def has_numbered_rows(self) -> bool:
        """Whether the connector numbers the rows of a parent, so that no two of them have the same key."""
        return self.key_columns[-1].type == BIGINT and self.key_columns[-1].field is None

    @cached_property
    def required(self) -> frozenset[str]:
        """Names of the columns that are never null.

        These are the key of a table that is upserted, and the ids taken from a call's record. Gong leaves out some of
        these ids; they are stored as empty text, because PostgreSQL, as dlt loads it, reads an empty text as null in
        any column that allows null.
        """
        if self.write_strategy is WriteStrategy.UPSERT:
            return frozenset(self.key)
        if self.key[0] != "call_id":
            return frozenset()
        return frozenset(
            column.name for column in self.connector_columns if column.type == TEXT and column.name in self.key
        )


TOMBSTONE = Column("_removed", BOOL)
"""Marks a row that deletes its parent's rows when it is loaded. No row in the warehouse has it set."""

LOAD_ID = "_dlt_load_id"
"""Column for the id of the dlt load, which is known only when the row is handed to dlt."""
