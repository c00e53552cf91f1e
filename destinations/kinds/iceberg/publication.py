"""Publish a lake: what has changed since the last publication becomes a commit of each Iceberg table.

Each snapshot of a table names the snapshot of the lake that it equals, and a publication repeats what a killed one has
not committed. The table `gong_loads` is written last: its newest rows are the tables of complete loads.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import chain

import duckdb
import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, EqualTo, GreaterThanOrEqual, In, IsNull, Or
from pyiceberg.io.pyarrow import pyarrow_to_schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import ancestors_of

from ..ducklake.lake import LakeAddress
from ..ducklake.months import MONTH
from .catalog import commit_together
from .file_writer import FileWriter
from .lake_changes import Change, LakeSnapshot, LakeTable
from .views import View, ViewFiles

LOADS = "gong_loads"
"""Table of the published loads."""

LAKE_SNAPSHOT, LAKE_TABLE = "gong-elt.lake-snapshot", "gong-elt.lake-table"
"""Properties of a snapshot: the snapshot of the lake that it equals, and the table's unique id there."""

# With more files of a partition that are smaller on average, `maintain` merges them.
_MAX_SMALL_FILES, _SMALL_FILE_BYTES = 4, 32_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_ATTEMPTS = 5
_SECONDS_BETWEEN_ATTEMPTS = 1.0
_PROPERTIES = {
    # A commit after a conflict would append the same rows twice: the publication is repeated instead.
    "commit.retry.num-retries": "0",
    "commit.manifest-merge.enabled": "true",
    "write.parquet.compression-codec": "zstd",
}
_LOADS_SCHEMA = pa.schema(
    [
        pa.field("load_id", pa.string()),
        pa.field("lake_snapshot_id", pa.int64()),
        pa.field("published_at", pa.timestamp("us", tz="UTC")),
        pa.field("table_name", pa.string()),
        pa.field("snapshot_id", pa.int64()),
        pa.field("metadata_location", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class _Published:
    """A table of a publication."""

    snapshot_id: int
    metadata_location: str

    @classmethod
    def of(cls, table: Table) -> _Published:
        return cls(table.metadata.current_snapshot_id or 0, table.metadata_location)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes a dataset of a lake.

    Attributes:
        catalog: The catalog of the Iceberg tables.
        address: Where the lake is.
        dataset: Schema in the lake, and namespace of the catalog.
        views: Files with a view per table.
    """

    catalog: Catalog
    address: LakeAddress
    dataset: str
    views: ViewFiles

    def publish(self, lake: duckdb.DuckDBPyConnection, *, retention: timedelta | None = None) -> int:
        """Publish what has changed in the lake.

        Args:
            lake: A connection in which the lake is the current database.
            retention: Merge files, and remove rows of `gong_loads` that are older; None for neither.

        Returns:
            The snapshot of the lake that is published now.

        Raises:
            Exception: If the lake, the catalog or the storage fails. What was committed remains.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._publish(lake, retention)
            except (CommitFailedException, TableAlreadyExistsError):
                # A run of another connection has published at the same time.
                if attempt == _ATTEMPTS:
                    raise
                time.sleep(_SECONDS_BETWEEN_ATTEMPTS * attempt)
        raise AssertionError

    def _publish(self, lake: duckdb.DuckDBPyConnection, retention: timedelta | None) -> int:
        # Before the lake, so that a later snapshot of the lake cannot be published here.
        loads = self._load(LOADS)
        snapshot = LakeSnapshot(lake, self.address, self.dataset)
        if not snapshot.tables:
            return snapshot.number
        complete = _read_base(loads, snapshot.uuid)
        if complete is not None and complete > snapshot.number:
            # The lake is an earlier copy of itself.
            snapshot.is_restored, complete = True, None
        if loads is not None and complete == snapshot.number and retention is None:
            if not self.views.are_of(complete):
                self._write_views(_read_publication(loads, complete), complete)
            return complete
        previous = {} if loads is None or complete is None else _read_publication(loads, complete)
        self.catalog.create_namespace_if_not_exists(self.dataset)
        with warnings.catch_warnings():
            # pyiceberg warns of a deletion that finds no row.
            warnings.simplefilter("ignore")
            published = self._commit(snapshot, loads, previous, complete, retention)
        self._write_views(published, snapshot.number)
        return snapshot.number

    def _commit(
        self,
        snapshot: LakeSnapshot,
        loads: Table | None,
        previous: Mapping[str, _Published],
        complete: int | None,
        retention: timedelta | None,
    ) -> dict[str, _Published]:
        """Commit all tables that have changed, and then the rows of `gong_loads`; return all tables.

        A table that would not have the number of rows that the lake has is published whole.
        """
        existing = {name for _, name in self.catalog.list_tables(self.dataset)}
        published: dict[str, _Published] = {}
        bases: dict[LakeTable, int | None] = {}
        for table in snapshot.tables:
            name = table.published_name
            base = complete if name in previous and name in existing else None
            changes = None if base is None else snapshot.changes_since(base)
            if changes is not None and table.table_id not in changes and retention is None:
                published[name] = previous[name]
            else:
                bases[table] = base
        # Rows of other tables are not counted: they are published whole, and the number of their files' rows is known.
        snapshot.count_rows(table for table, base in bases.items() if base is not None or not snapshot.has_files(table))
        staged: dict[LakeTable, Transaction] = {}
        partly: list[LakeTable] = []
        with FileWriter() as writer:
            # The largest first: the others are read while its files are written.
            for table in sorted(bases, key=snapshot.estimate, reverse=True):
                current = self._load(table.published_name) if table.published_name in existing else None
                change = _find_change(snapshot, table, current, bases[table])
                if change is None and current is not None and retention is not None:
                    change = _find_fragments(snapshot, table, current)
                if change is None and current is not None:
                    published[table.published_name] = _Published.of(current)
                    continue
                change = change or snapshot.whole(table)
                staged[table] = self._stage(writer, snapshot, table, current, change)
                if not change.is_whole:
                    partly.append(table)
            writer.finish()
            for table in partly:
                if _count_rows(staged[table]) != snapshot.count(table):
                    current = self._load(table.published_name)
                    staged[table] = self._stage(writer, snapshot, table, current, snapshot.whole(table))
            writer.finish()
        with commit_together(self.catalog):
            for table, transaction in staged.items():
                published[table.published_name] = _Published.of(transaction.commit_transaction())
            for name in previous.keys() - published.keys() - {LOADS}:
                with suppress(NoSuchTableError):
                    self.catalog.drop_table((self.dataset, name))
            published[LOADS] = self._append_loads(snapshot, loads, published, retention)
        return published

    def _stage(
        self, writer: FileWriter, snapshot: LakeSnapshot, table: LakeTable, current: Table | None, change: Change
    ) -> Transaction:
        """Return the transaction that commits a change, whose files the writer writes."""
        parts = snapshot.read(change)
        first = next(parts)
        if current is None:
            identifier = (self.dataset, table.published_name)
            transaction: Transaction = self.catalog.create_table_transaction(
                identifier, first.schema, properties=_PROPERTIES
            )
        else:
            transaction = current.transaction()
            if _update_columns(transaction, first.schema) and not change.is_whole:
                return self._stage(writer, snapshot, table, current, snapshot.whole(table))
        if MONTH in first.schema.names and transaction.table_metadata.spec().is_unpartitioned():
            with transaction.update_spec() as spec:
                spec.add_identity(MONTH)
        properties = {LAKE_SNAPSHOT: str(snapshot.number), LAKE_TABLE: table.uuid}
        if current is not None and (rows := _rows_to_delete(change)) is not None:
            transaction.delete(rows, properties)
        for part in chain([first], parts):
            writer.append(transaction, part, properties)
        return transaction

    def _append_loads(
        self,
        snapshot: LakeSnapshot,
        loads: Table | None,
        published: Mapping[str, _Published],
        retention: timedelta | None,
    ) -> _Published:
        load_id, now = snapshot.read_load_id(), datetime.now(UTC)
        rows = [
            {
                "load_id": load_id,
                "lake_snapshot_id": snapshot.number,
                "published_at": now,
                "table_name": name,
                "snapshot_id": table.snapshot_id,
                "metadata_location": table.metadata_location,
            }
            for name, table in sorted(published.items())
        ]
        if loads is None:
            transaction: Transaction = self.catalog.create_table_transaction(
                (self.dataset, LOADS), _LOADS_SCHEMA, properties=_PROPERTIES
            )
        else:
            transaction = loads.transaction()
        properties = {LAKE_SNAPSHOT: str(snapshot.number), LAKE_TABLE: snapshot.uuid}
        added = pa.Table.from_pylist(rows, _LOADS_SCHEMA)
        if loads is not None and retention is not None:
            kept = loads.scan(GreaterThanOrEqual("published_at", (now - retention).isoformat())).to_arrow()
            transaction.delete(AlwaysTrue(), properties)
            added = pa.concat_tables([kept.cast(_LOADS_SCHEMA), added])
        transaction.append(added, properties)
        return _Published.of(transaction.commit_transaction())

    def _write_views(self, published: Mapping[str, _Published], number: int) -> None:
        views = [View(name, table.snapshot_id, table.metadata_location) for name, table in sorted(published.items())]
        self.views.write(number, views)

    def _load(self, name: str) -> Table | None:
        try:
            return self.catalog.load_table((self.dataset, name))
        except (NoSuchTableError, NoSuchNamespaceError):
            return None


def _find_change(snapshot: LakeSnapshot, table: LakeTable, current: Table | None, base: int | None) -> Change | None:
    """Return what has changed since a table was published; None if nothing.

    Args:
        snapshot: The lake.
        table: A table of it.
        current: The Iceberg table; None if it does not exist.
        base: Snapshot of the lake that the whole publication equals; None if it had no such table.
    """
    # A publication that was killed may have committed the table.
    own = _read_base(current, table.uuid)
    if own is None or snapshot.is_restored:
        return snapshot.whole(table)
    base = own if base is None else max(own, base)
    if base >= snapshot.number:
        return None
    changes = snapshot.changes_since(base)
    if changes is None:
        return snapshot.whole(table)
    numbers = changes.get(table.table_id)
    return snapshot.change(table, numbers) if numbers else None


def _find_fragments(snapshot: LakeSnapshot, table: LakeTable, current: Table) -> Change | None:
    """Return the change that merges small files, by publishing their rows again; None if there are few."""
    sizes: dict[date | None, list[int]] = defaultdict(list)
    is_partitioned = [field.name for field in current.spec().fields] == [MONTH]
    for task in current.scan().plan_files():
        # Iceberg counts days.
        days = task.file.partition[0] if is_partitioned else None
        sizes[None if days is None else date.fromordinal(_EPOCH + days)].append(task.file.file_size_in_bytes)
    fragmented = [
        month
        for month, files in sizes.items()
        if len(files) > _MAX_SMALL_FILES and sum(files) / len(files) < _SMALL_FILE_BYTES
    ]
    if not fragmented:
        return None
    return snapshot.months(table, fragmented) if is_partitioned else snapshot.whole(table)


def _read_base(table: Table | None, uuid: str) -> int | None:
    """Return the snapshot of the lake that a published table equals; None if it was not published from this one.

    Another engine may have added snapshots, for example to merge files.
    """
    if table is None:
        return None
    for snapshot in ancestors_of(table.current_snapshot(), table.metadata):
        properties = {} if snapshot.summary is None else snapshot.summary.additional_properties
        if (number := properties.get(LAKE_SNAPSHOT)) is not None:
            return int(number) if properties.get(LAKE_TABLE) == uuid else None
    return None


def _count_rows(transaction: Transaction) -> int:
    snapshot = transaction.table_metadata.current_snapshot()
    summary = {} if snapshot is None or snapshot.summary is None else snapshot.summary.additional_properties
    return int(summary.get("total-records", -1))


def _read_publication(loads: Table, number: int) -> dict[str, _Published]:
    """Return the tables of a publication by their names."""
    rows = loads.scan(EqualTo("lake_snapshot_id", number)).to_arrow().sort_by("published_at").to_pylist()
    published = {row["table_name"]: _Published(row["snapshot_id"], row["metadata_location"]) for row in rows}
    return {**published, LOADS: _Published.of(loads)}


def _update_columns(transaction: Transaction, columns: pa.Schema) -> bool:
    """Give a table these columns; return whether all rows have to be appended again, because a type has changed."""
    schema = transaction.table_metadata.schema()
    names = {field.name for field in schema.fields}
    existing = pa.schema([column for column in columns if column.name in names])
    changed = [
        field.name
        for field in pyarrow_to_schema(existing, name_mapping=schema.name_mapping).fields
        if field.field_type != schema.find_type(field.name)
    ]
    removed = [*changed, *(names - set(columns.names))]
    if removed:
        with transaction.update_schema(allow_incompatible_changes=True) as update:
            for name in removed:
                update.delete_column(name)
    if removed or len(existing.names) < len(columns.names):
        with transaction.update_schema() as update:
            update.union_by_name(columns)
    return bool(changed)


def _rows_to_delete(change: Change) -> BooleanExpression | None:
    """Return which rows are deleted before others are appended; None if none are."""
    if change.is_whole:
        return AlwaysTrue()
    conditions: list[BooleanExpression] = []
    if change.months is not None:
        months: BooleanExpression = In(MONTH, [str(month) for month in change.months if month is not None])
        conditions.append(Or(months, IsNull(MONTH)) if None in change.months else months)
    if change.key is not None:
        conditions.append(In(change.key, change.values))
    return reduce(And, conditions) if conditions else None
