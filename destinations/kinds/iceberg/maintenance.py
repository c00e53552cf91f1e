"""Maintenance of Iceberg tables: remove snapshots and files that no reader of a recent load needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from pyarrow.fs import FileInfo, FileSelector, FileSystem
from pyiceberg.catalog import Catalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table

from .publication import LOADS

MART = "gong-elt.dataset"
"""Property of a mart that Spark has built: the dataset of its tables."""

# Files that no table names are of killed publications, or of one of another machine that has not committed yet.
_ORPHAN_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Pinned:
    """What the rows of `gong_loads` name, which their readers need."""

    snapshot_ids: frozenset[int]
    metadata_files: frozenset[str]


def measure_tables(catalog: Catalog, datasets: Sequence[str]) -> tuple[int, int]:
    """Return the number of files of the tables of some datasets, and their bytes."""
    tables = [table for dataset in datasets for table in _load_tables(catalog, dataset)]
    sizes = [file.size for table in tables for file in _list_files(table)]
    return len(sizes), sum(sizes)


def maintain_tables(catalog: Catalog, dataset: str, retention: timedelta) -> None:
    """Remove snapshots that are older than the retention and not the last load, and the files that only they need.

    Args:
        catalog: The catalog.
        dataset: Namespace of published tables, or of marts that Spark has built. Other tables are left alone.
        retention: Age of the snapshots that are kept.

    Raises:
        Exception: If the catalog or the storage fails. What `gong_loads` names is unchanged.
    """
    pinned = _read_pinned(catalog, dataset)
    for table in _load_tables(catalog, dataset):
        _maintain_table(table, pinned, datetime.now(UTC) - retention, max(retention, _ORPHAN_AGE))


def _maintain_table(table: Table, pinned: _Pinned, oldest: datetime, orphan_age: timedelta) -> None:
    # The views name it.
    published = table.metadata_location
    known = {published, *_referenced_files(table), *(entry.metadata_file for entry in table.metadata.metadata_log)}
    expired = [
        snapshot.snapshot_id
        for snapshot in table.snapshots()
        if snapshot.timestamp_ms < oldest.timestamp() * 1000
        and snapshot.snapshot_id != table.metadata.current_snapshot_id
        and snapshot.snapshot_id not in pinned.snapshot_ids
    ]
    if expired:
        table.maintenance.expire_snapshots().by_ids(expired).commit()
    kept = {published, table.metadata_location, *_referenced_files(table), *pinned.metadata_files}
    kept_paths, known_paths = set(map(_path, kept)), set(map(_path, known))
    for file in _list_files(table):
        is_unknown = file.path not in known_paths
        if file.path not in kept_paths and not (is_unknown and file.mtime > datetime.now(UTC) - orphan_age):
            _file_system(table).delete_file(file.path)


def _read_pinned(catalog: Catalog, dataset: str) -> _Pinned:
    """Return what `gong_loads` names; nothing for marts, which have no such table."""
    if not catalog.table_exists((dataset, LOADS)):
        return _Pinned(frozenset(), frozenset())
    rows = catalog.load_table((dataset, LOADS)).scan(selected_fields=("snapshot_id", "metadata_location")).to_arrow()
    return _Pinned(
        frozenset(rows.column("snapshot_id").to_pylist()), frozenset(rows.column("metadata_location").to_pylist())
    )


def _referenced_files(table: Table) -> Iterator[str]:
    """Yield the files that the snapshots of a table need, manifests included."""
    manifests: dict[str, ManifestFile] = {}
    for snapshot in table.snapshots():
        yield snapshot.manifest_list
        manifests |= {manifest.manifest_path: manifest for manifest in snapshot.manifests(table.io)}
    for path, manifest in manifests.items():
        yield path
        for entry in manifest.fetch_manifest_entry(table.io):
            yield entry.data_file.file_path


def _load_tables(catalog: Catalog, dataset: str) -> Iterator[Table]:
    """Yield the published tables of a dataset, or its marts; none of another program."""
    is_published = catalog.table_exists((dataset, LOADS))
    for identifier in catalog.list_tables(dataset):
        table = catalog.load_table(identifier)
        if is_published or MART in table.properties:
            yield table


def _list_files(table: Table) -> list[FileInfo]:
    selector = FileSelector(_path(table.location()), allow_not_found=True, recursive=True)
    return [file for file in _file_system(table).get_file_info(selector) if file.is_file]


def _file_system(table: Table) -> FileSystem:
    scheme, netloc, _ = PyArrowFileIO.parse_location(table.location())
    return cast(PyArrowFileIO, table.io).fs_by_scheme(scheme, netloc)


def _path(location: str) -> str:
    """Return the name that the file system has for a location."""
    return PyArrowFileIO.parse_location(location)[2]
