"""Map the records of a resource to rows of its tables. An invalid record is rejected and does not affect others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ..metrics import RunMetrics
from .column_types import ColumnTypes
from .records import InvalidRecordError, record_id, require_object
from .rejects import RejectCollector
from .table import Table, WriteStrategy, snake_case
from .table_builder import TableBuilder


@dataclass(frozen=True, slots=True)
class RecordMapper:
    """Maps the records of a resource to rows.

    Attributes:
        resource: Name of the dlt resource.
        tables: The resource's tables; each declares which rows a record adds to it.
        id_field: Field that holds a record's id; empty if records have no id.
    """

    resource: str
    tables: tuple[Table, ...]
    id_field: str = "id"

    def drop_repeated(self, records: Sequence[Any], metrics: RunMetrics) -> list[Any]:
        """Return the records without those that a later record with the same id replaces.

        Records without an id are all returned, as are those of a resource whose tables have another key than the id.

        Args:
            records: Decoded records.
            metrics: Counts the records that are left out.
        """
        if not self.has_id_as_key:
            return list(records)
        last = {text: number for number, record in enumerate(records) if (text := record_id(record, self.id_field))}
        kept = [
            record
            for number, record in enumerate(records)
            if last.get(record_id(record, self.id_field), number) == number
        ]
        metrics.repeated[self.tables[0].name] += len(records) - len(kept)
        return kept

    @property
    def has_id_as_key(self) -> bool:
        """Whether a record's id is the key of a row, or of the rows of a parent."""
        return bool(self.id_field) and any(table.key[0] == snake_case(self.id_field) for table in self.tables)

    def to_tables(
        self,
        records: Sequence[Any],
        types: ColumnTypes,
        rejects: RejectCollector,
        *,
        with_tombstones: bool = False,
        emptied_parents: Iterable[Any] = (),
    ) -> dict[str, pa.Table]:
        """Return the rows of all records as Arrow tables by name.

        A record that is invalid for one table is rejected and adds no row to any table.

        Args:
            records: Decoded records.
            types: Types of undeclared columns.
            rejects: Collects invalid records.
            with_tombstones: Whether the warehouse may hold older rows, so that a record without rows in a table has to
                delete them.
            emptied_parents: Values of the first key column, such as dates, whose rows have to be deleted because no
                record has them any longer.
        """
        builders = [TableBuilder(table, types, rejects.metrics.repeated) for table in self.tables]
        for record in records:
            with rejecting_invalid(self.resource, record, rejects, id_field=self.id_field):
                parent = self._require_id(record)
                rows = [list(table.rows(record)) for table in self.tables]
                for table, builder, table_rows in zip(self.tables, builders, rows, strict=True):
                    for connector_values, fields in table_rows:
                        builder.add_row(connector_values, require_object(fields))
                    if with_tombstones and not table_rows and self._is_child(table):
                        builder.add_tombstone(parent)
        for parent in emptied_parents if with_tombstones else ():
            for table, builder in zip(self.tables, builders, strict=True):
                if table.write_strategy is WriteStrategy.REPLACE_BY_PARENT:
                    builder.add_tombstone(parent)
        return {table.name: builder.build() for table, builder in zip(self.tables, builders, strict=True)}

    def _is_child(self, table: Table) -> bool:
        """Return whether the table's rows are replaced per record of this resource."""
        return table.write_strategy is WriteStrategy.REPLACE_BY_PARENT and table.key[0] == snake_case(self.id_field)

    def _require_id(self, record: Any) -> str:
        fields = require_object(record)
        if not self.id_field:
            return ""
        if not (text := record_id(fields, self.id_field)):
            raise InvalidRecordError(f"{self.id_field} is missing or not an id")
        return text


@contextmanager
def rejecting_invalid(resource: str, record: Any, rejects: RejectCollector, *, id_field: str = "id") -> Iterator[None]:
    """Reject the record if the block raises `InvalidRecordError`; otherwise mark it as valid again."""
    text = record_id(record, id_field) if id_field else ""
    try:
        yield
    except InvalidRecordError as problem:
        rejects.add(resource, record, problem, record_id=text)
    else:
        rejects.resolve(resource, [text] if text else [])
