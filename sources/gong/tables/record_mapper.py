"""From a resource's records to its tables: a record that fits no table is set aside and stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from .records import InvalidRecordError, record_id, require_object
from .rejects import RejectCollector
from .table import Table, snake_case
from .table_builder import ColumnTypes, Record, TableBuilder

RowExtractor = Callable[[Record], Iterable[tuple[tuple[Any, ...], Record]]]
"""The rows that a record gives a table: the values of our own columns, and the object that holds Gong's."""


def identity_row(record: Record) -> Iterator[tuple[tuple[Any, ...], Record]]:
    """The record as one row without columns of ours."""
    yield (), record


@dataclass(frozen=True, slots=True)
class RecordMapper:
    """How the records of a resource become rows.

    Attributes:
        resource: The dlt resource.
        tables: Each table with the rows that a record gives it.
        key: Field by which a record calls itself; empty where records have no id.
    """

    resource: str
    tables: tuple[tuple[Table, RowExtractor], ...]
    key: str = "id"

    def to_tables(
        self,
        records: Sequence[Any],
        types: ColumnTypes,
        rejects: RejectCollector,
        *,
        removes: bool = False,
        emptied: Iterable[Any] = (),
    ) -> dict[str, pa.Table]:
        """All records as Arrow tables; one that fits no table is set aside with all its rows.

        Args:
            records: As decoded.
            types: Types of columns that Gong added.
            rejects: Takes what does not fit.
            removes: Whether the warehouse may hold older rows, so that a record without rows in a table sends the mark
                that takes them out.
            emptied: What older rows share that have to go without a newer one, such as a day.
        """
        sheets = [TableBuilder(table, types) for table, _ in self.tables]
        for record in records:
            with rejecting_invalid(self.resource, record, rejects, key=self.key):
                own = self._id_of(record)
                rows = [list(rows_of(record)) for _, rows_of in self.tables]
                for sheet, (table, _), of_record in zip(sheets, self.tables, rows, strict=True):
                    for ours, fields in of_record:
                        sheet.add(ours, require_object(fields))
                    shared = table.write_strategy == "together" and table.key[0] == snake_case(self.key)
                    if removes and shared and not of_record:
                        sheet.add_tombstone(own)
        for shared_value in emptied if removes else ():
            for sheet, (table, _) in zip(sheets, self.tables, strict=True):
                if table.write_strategy == "together":
                    sheet.add_tombstone(shared_value)
        return {table.name: sheet.build() for sheet, (table, _) in zip(sheets, self.tables, strict=True)}

    def _id_of(self, record: Any) -> str:
        about = require_object(record)
        if not self.key:
            return ""
        if not (own := record_id(about, self.key)):
            raise InvalidRecordError(f"{self.key} is missing or no id")
        return own


@contextmanager
def rejecting_invalid(resource: str, record: Any, rejects: RejectCollector, *, key: str = "id") -> Iterator[None]:
    """Does with a record what is inside; one that fits no table does not stop the others."""
    own = record_id(record, key) if key else ""
    try:
        yield
    except InvalidRecordError as problem:
        rejects.add(resource, record, problem, record_id=own)
    else:
        rejects.resolve(resource, [own] if own else [])
