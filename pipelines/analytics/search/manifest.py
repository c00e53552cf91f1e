"""Manifest of the search index: which calls it holds, in which part, and from which load.

The manifest is the file `calls.parquet` next to the parts. Each part holds some thousand calls, because the words of an
erased call can only be removed from the disk by deleting the part that contains them.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...runtime.atomic_file import replace_file

# A new number rebuilds all indexes.
_VERSION = "4"
CALLS_PER_PART = 4_000
# Marks a call whose sentences are being written or were deleted.
_INCOMPLETE = -1

_SCHEMA = pa.schema(
    [("call_id", pa.string()), ("loaded_at_ms", pa.int64()), ("part", pa.int32())], metadata={"version": _VERSION}
)


class IndexedCall(NamedTuple):
    """A call in the index.

    Attributes:
        loaded_at_ms: When the indexed version was loaded, in milliseconds since 1970; -1 if it is incomplete.
        part: Number of the part that holds it.
    """

    loaded_at_ms: int
    part: int


class IndexManifest:
    """The manifest of the index in a folder.

    It lists everything that may be on the disk: calls are added before their sentences are written, and removed after
    their sentences are deleted.
    """

    def __init__(self, folder: Path, calls_per_part: int = CALLS_PER_PART) -> None:
        self._folder, self._file, self._calls_per_part = folder, folder / "calls.parquet", calls_per_part

    def part_folder(self, number: int) -> Path:
        """Return the folder of a part."""
        return self._folder / "parts" / f"{number:04}"

    def stamp(self) -> tuple[int, int] | None:
        """Return what changes whenever the manifest is written or deleted; None if it is missing."""
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def read_table(self) -> pa.Table:
        """Return the indexed calls; empty if the manifest is missing, corrupt or from another version."""
        try:
            table = pq.read_table(self._file)
        except (FileNotFoundError, pa.ArrowInvalid):
            return _SCHEMA.empty_table()
        if (table.schema.metadata or {}).get(b"version") != _VERSION.encode():
            return _SCHEMA.empty_table()
        parts = [part for part in pc.unique(table["part"]).to_pylist() if self.part_folder(part).exists()]
        return table.filter(pc.is_in(table["part"], pa.array(parts, pa.int32())))

    def read_entries(self) -> dict[str, IndexedCall]:
        """Return the indexed calls by call id."""
        table = self.read_table()
        calls = map(IndexedCall, table["loaded_at_ms"].to_pylist(), table["part"].to_pylist())
        return dict(zip(table["call_id"].to_pylist(), calls, strict=True))

    def write_entries(self, entries: Mapping[str, IndexedCall]) -> None:
        """Replace all entries atomically."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        calls = entries.values()
        columns = [list(entries), [call.loaded_at_ms for call in calls], [call.part for call in calls]]
        with replace_file(self._file) as temporary:
            pq.write_table(pa.table(columns, schema=_SCHEMA), temporary)

    def assign_parts(self, entries: Mapping[str, IndexedCall], call_ids: Iterable[str]) -> dict[str, IndexedCall]:
        """Return incomplete entries for calls to write: each in its present part, else in the first that has room.

        Pass the ids in order of time, so that neighbours share a part. A retention rule, which erases the oldest calls,
        then deletes one part and not all.
        """
        sizes = Counter(call.part for call in entries.values())
        first_free = 0
        assigned = {}
        for call_id in call_ids:
            if call_id in entries:
                part = entries[call_id].part
            else:
                while sizes[first_free] >= self._calls_per_part:
                    first_free += 1
                part = first_free
                sizes[part] += 1
            assigned[call_id] = IndexedCall(_INCOMPLETE, part)
        return assigned

    def drop_calls(self, entries: Mapping[str, IndexedCall], call_ids: Collection[str]) -> dict[str, IndexedCall]:
        """Delete the parts that hold these calls and return the remaining entries.

        The other calls of those parts have to be indexed again. An index without entries is deleted completely.

        Args:
            entries: The entries of the manifest.
            call_ids: Calls to drop, indexed or not.

        Raises:
            OSError: If a part cannot be deleted; it stays in the manifest.
        """
        if not entries:
            self.delete()
        parts = {entries[call_id].part for call_id in call_ids if call_id in entries}
        if not parts:
            return dict(entries)
        self.write_entries(
            {
                call_id: IndexedCall(_INCOMPLETE, part) if part in parts else IndexedCall(loaded_at_ms, part)
                for call_id, (loaded_at_ms, part) in entries.items()
            }
        )
        for part in parts:
            shutil.rmtree(self.part_folder(part))
        remaining = {call_id: call for call_id, call in entries.items() if call.part not in parts}
        self.write_entries(remaining)
        return remaining

    def delete(self) -> None:
        """Delete the index.

        Raises:
            OSError: If a file cannot be deleted.
        """
        # All folders are deleted, because without a manifest their contents are unknown.
        self._file.unlink(missing_ok=True)
        for folder in self._folder.glob("*/"):
            shutil.rmtree(folder)
