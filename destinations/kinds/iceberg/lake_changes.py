"""What has changed in a lake between two of its snapshots, as rows to delete and rows to append."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from ..ducklake.lake import LakeAddress, quote_name, quote_text
from ..ducklake.months import CALLS, MONTH

CALL_ID = "call_id"
_INTERNAL, _LOADS = ("_dlt", "_locks"), "_dlt_loads"
# Snapshots that only write the same rows into other files.
_COMPACTIONS = {"flushed_inlined", "rewrite_delete", "merge_adjacent"}
# Small tables are replaced as a whole: it costs as much as one call, and leaves one file.
_SMALL_ROWS = 1_000
_LARGEST_SHARE, _MAX_VALUES = 0.5, 20_000
# Rows are read in parts of about this size; each part becomes a file per month.
_PART_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table of a snapshot of the lake.

    Attributes:
        name: Its name in the lake.
        table_id: Its number; a table that is dropped and created again has another one.
        uuid: Unique over all lakes.
    """

    name: str
    table_id: str
    uuid: str

    @property
    def published_name(self) -> str:
        """Name of the Iceberg table: several catalogs refuse names that begin with an underscore."""
        return f"gong{self.name}" if self.name.startswith("_") else self.name

    def find_key(self, columns: Collection[str]) -> str | None:
        """Return the column of the call's id, whose rows are replaced together; None without one."""
        if self.name == CALLS:
            return "id"
        return CALL_ID if CALL_ID in columns else None


@dataclass(frozen=True, slots=True)
class Change:
    """What has to be done with a published table.

    Attributes:
        rows: Query of the rows to append.
        size: Their number, or that of the files' rows, of which some may be deleted; 0 if there are none.
        key: Column by which rows are deleted before; None if none are, or all.
        values: Values of that column.
        months: Values of `MONTH` whose rows are deleted before, of those with the key's values; None for any.
        is_whole: Whether all rows are deleted before.
    """

    rows: str
    size: int
    key: str | None = None
    values: Sequence[str] = ()
    months: Sequence[date | None] | None = None
    is_whole: bool = False


class LakeSnapshot:
    """The newest snapshot of a lake, and what has changed since others.

    Args:
        lake: A connection in which the lake is the current database.
        address: Where it is.
        dataset: Schema of the tables.

    Attributes:
        number: Its number.
        uuid: Unique id of the dataset; an empty text if it does not exist.
        tables: Its tables that are published.
        is_restored: Whether a later one was published already, so that what has changed is unknown.
    """

    def __init__(self, lake: duckdb.DuckDBPyConnection, address: LakeAddress, dataset: str) -> None:
        self._lake, self._address, self._dataset = lake, address, dataset
        self.number = int(self._fetch("SELECT max(snapshot_id) FROM ducklake_snapshots(?)", address.name)[0][0])
        self.uuid = self._read_uuid()
        tables = list(self._read_tables())
        self._names = {table.name for table in tables}
        self.tables = [table for table in tables if not table.name.startswith(_INTERNAL)]
        self.is_restored = False
        self._changes: dict[int, Mapping[str, Sequence[int]] | None] = {}
        self._columns = self._read_columns()
        self._file_rows = self._read_file_rows()
        filled = self._read_filled_tables()
        self._counts = {table.table_id: 0 for table in tables if table.table_id not in filled}

    def read_load_id(self) -> str | None:
        """Return the id of the last load that the snapshot has; None without any."""
        if _LOADS not in self._names:
            return None
        query = f"SELECT max(load_id) FROM {self._relation(_LOADS)} WHERE status = 0"
        return str(load_id) if (load_id := self._fetch(query)[0][0]) is not None else None

    def changes_since(self, base: int) -> Mapping[str, Sequence[int]] | None:
        """Return the snapshots after another one in which each table has changed, by the table's number.

        Returns:
            None if the other snapshot no longer exists, or never did.
        """
        if base not in self._changes:
            self._changes[base] = self._read_changes(base)
        return self._changes[base]

    def _read_changes(self, base: int) -> Mapping[str, Sequence[int]] | None:
        snapshots = self._fetch(
            "SELECT snapshot_id, changes FROM ducklake_snapshots(?) WHERE snapshot_id BETWEEN ? AND ? ORDER BY ALL",
            self._address.name,
            base,
            self.number,
        )
        if not snapshots or snapshots[0][0] != base:
            return None
        changed: dict[str, list[int]] = {}
        for number, changes in snapshots[1:]:
            if _COMPACTIONS.isdisjoint(changes):
                for table_id in {table_id for ids in changes.values() for table_id in ids}:
                    changed.setdefault(table_id, []).append(number)
        return changed

    def whole(self, table: LakeTable) -> Change:
        """Return the change that replaces all rows of a table."""
        return Change(self._select(table), self.estimate(table), is_whole=True)

    def months(self, table: LakeTable, months: Sequence[date | None]) -> Change:
        """Return the change that replaces all rows of some months by the same rows, and thus their files."""
        condition = " OR ".join(f"{quote_name(MONTH)} IS NOT DISTINCT FROM {_literal(month)}" for month in months)
        return Change(f"{self._select(table)} WHERE {condition}", self._count(table, condition), months=months)

    def change(self, table: LakeTable, snapshots: Sequence[int]) -> Change:
        """Return what has changed in these snapshots of a table."""
        count = self.count(table)
        if count <= _SMALL_ROWS:
            return self.whole(table)
        # One call per snapshot: with a filter on it, DuckLake 1.5.5 leaves out the second deletion from a file.
        changes = " UNION ALL BY NAME ".join(
            f"FROM ducklake_table_changes({quote_text(self._address.name)}, {quote_text(self._dataset)},"
            f" {quote_text(table.name)}, {number}, {number})"
            for number in snapshots
        )
        columns = self._columns[table.table_id]
        key = table.find_key(columns)
        selected = ", ".join(map(quote_name, filter(None, (key, MONTH if MONTH in columns else None))))
        self._lake.execute(
            "CREATE OR REPLACE TEMP TABLE changed_rows AS"
            f" SELECT change_type{selected and f', {selected}'} FROM ({changes})"
        )
        query = "SELECT count(*), count(*) FILTER (WHERE change_type <> 'insert') FROM changed_rows"
        (changed, others), *_ = self._fetch(query)
        if not others:
            return Change(self._select(table, f"({changes})"), changed)
        if key is None:
            return self.whole(table)
        values = [value for (value,) in self._fetch(f"SELECT DISTINCT {quote_name(key)} FROM changed_rows")]
        if None in values or len(values) > _MAX_VALUES:
            return self.whole(table)
        condition = f"{quote_name(key)} IN ({', '.join(map(quote_text, values))})"
        size = self._count(table, condition)
        if size > _LARGEST_SHARE * count:
            return self.whole(table)
        months = None
        if MONTH in columns:
            months = [month for (month,) in self._fetch(f"SELECT DISTINCT {quote_name(MONTH)} FROM changed_rows")]
        return Change(f"{self._select(table)} WHERE {condition}", size, key, values, months)

    def count_rows(self, tables: Iterable[LakeTable]) -> None:
        """Count the rows of tables for `count`, in one query: a query per table takes three times as long."""
        queries = [
            f"SELECT '{table.table_id}', count(*) FROM {self._relation(table.name)}"
            for table in tables
            if table.table_id not in self._counts
        ]
        if queries:
            self._counts |= self._fetch(" UNION ALL ".join(queries))

    def count(self, table: LakeTable) -> int:
        """Return the number of rows of a table."""
        self.count_rows([table])
        return self._counts[table.table_id]

    def estimate(self, table: LakeTable) -> int:
        """Return the rows of a table's files without a query of the table, which takes 10 ms; 0 if it has no row."""
        return self._file_rows.get(table.table_id) or self.count(table)

    def has_files(self, table: LakeTable) -> bool:
        """Return whether a table has rows in files; without any, its rows are in the catalog."""
        return table.table_id in self._file_rows

    def read(self, change: Change) -> Iterator[pa.Table]:
        """Yield the rows to append in parts, at least one."""
        for rows in self._split(change):
            # Not as a stream: DuckDB 1.5.5 waits for ever for a long one, while it reads a catalog in PostgreSQL.
            yield self._lake.sql(rows).to_arrow_table()

    def _split(self, change: Change) -> Iterator[str]:
        """Yield queries of some of the rows each. Those of a month are together: each part has a file of its own."""
        rows = change.rows
        if not change.size:
            # Only the columns are needed, so DuckDB does not list the table's files.
            yield f"{rows} LIMIT 0"
            return
        if change.size <= _PART_ROWS:
            yield rows
            return
        columns = self._lake.sql(rows).columns
        key = quote_name(CALL_ID if CALL_ID in columns else columns[0])
        groups = [("true", change.size)]
        if MONTH in columns:
            month = quote_name(MONTH)
            found = self._fetch(f"SELECT {month}, count(*) FROM ({rows}) GROUP BY 1 ORDER BY 1")
            groups = [(f"{month} IS NOT DISTINCT FROM {_literal(day)}", size) for day, size in found]
        for condition, size in groups:
            parts = max(1, size // _PART_ROWS)
            for part in range(parts):
                yield f"SELECT * FROM ({rows}) WHERE {condition} AND hash({key}) % {parts} = {part}"

    def _select(self, table: LakeTable, source: str | None = None) -> str:
        """Return the query of a table's rows, with JSON as text."""
        columns = ", ".join(
            f"CAST({quote_name(name)} AS VARCHAR) AS {quote_name(name)}" if kind == "json" else quote_name(name)
            for name, kind in self._columns[table.table_id].items()
        )
        return f"SELECT {columns} FROM {source or self._relation(table.name)}"

    def _relation(self, table: str) -> str:
        return f"{quote_name(self._dataset)}.{quote_name(table)} AT (VERSION => {self.number})"

    def _read_uuid(self) -> str:
        rows = self._fetch(
            f"SELECT CAST(schema_uuid AS VARCHAR) FROM {self._address.metadata}.ducklake_schema"
            " WHERE schema_name = ? AND end_snapshot IS NULL",
            self._dataset,
        )
        return str(rows[0][0]) if rows else ""

    def _read_tables(self) -> Iterator[LakeTable]:
        catalog = self._address.metadata
        rows = self._fetch(
            f"SELECT t.table_name, CAST(t.table_id AS VARCHAR), CAST(t.table_uuid AS VARCHAR)"
            f" FROM {catalog}.ducklake_table AS t JOIN {catalog}.ducklake_schema AS s USING (schema_id)"
            " WHERE s.schema_name = ? AND t.begin_snapshot <= ? AND (t.end_snapshot IS NULL OR t.end_snapshot > ?)"
            " ORDER BY 1",
            self._dataset,
            self.number,
            self.number,
        )
        yield from (LakeTable(*row) for row in rows)

    def _read_columns(self) -> Mapping[str, Mapping[str, str]]:
        """Return the columns of each table by the table's number, and their types as DuckLake names them."""
        rows = self._fetch(
            f"SELECT CAST(table_id AS VARCHAR), column_name, column_type FROM {self._address.metadata}.ducklake_column"
            " WHERE parent_column IS NULL AND begin_snapshot <= ? AND (end_snapshot IS NULL OR end_snapshot > ?)"
            " ORDER BY table_id, column_order",
            self.number,
            self.number,
        )
        columns: dict[str, dict[str, str]] = {}
        for table_id, name, kind in rows:
            columns.setdefault(table_id, {})[name] = kind
        return columns

    def _read_file_rows(self) -> Mapping[str, int]:
        """Return the rows of each table's files by the table's number, deleted ones included."""
        rows = self._fetch(
            f"SELECT CAST(table_id AS VARCHAR), CAST(sum(record_count) AS BIGINT)"
            f" FROM {self._address.metadata}.ducklake_data_file"
            " WHERE begin_snapshot <= ? AND (end_snapshot IS NULL OR end_snapshot > ?) GROUP BY 1",
            self.number,
            self.number,
        )
        return dict(rows)

    def _read_filled_tables(self) -> set[str]:
        """Return the numbers of the tables that have had rows. Each row got its number from such an entry."""
        return {
            table_id
            for (table_id,) in self._fetch(
                f"SELECT CAST(table_id AS VARCHAR) FROM {self._address.metadata}.ducklake_table_stats"
            )
        }

    def _count(self, table: LakeTable, condition: str) -> int:
        return int(self._fetch(f"SELECT count(*) FROM {self._relation(table.name)} WHERE {condition}")[0][0])

    def _fetch(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._lake.execute(query, list(parameters)).fetchall()


def _literal(day: date | None) -> str:
    return "NULL" if day is None else f"DATE '{day}'"
