"""Which calls an index of sentences holds, in which of its parts, and as of when: `calls.parquet` beside the parts.

An index has parts of some thousand calls each, because the words of a call that went can only be taken off the disk
together with the part that holds them.
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

# Another number makes every index anew.
_VERSION = "2"
CALLS_A_PART = 4_000
# No moment of a call: its sentences are being written, or were taken out.
_UNFINISHED = -1

_SCHEMA = pa.schema(
    [("call_id", pa.string()), ("moment", pa.int64()), ("part", pa.int32())], metadata={"version": _VERSION}
)


class IndexedCall(NamedTuple):
    """A call in the index.

    Attributes:
        moment: When what the index has of it was loaded, in milliseconds since 1970; -1 if that is not whole.
        part: Which part has it.
    """

    moment: int
    part: int


class IndexLedger:
    """The ledger of the index in a folder.

    Whatever may be on the disk stands in it: calls are noted before they are written, crossed out after they are gone.
    """

    def __init__(self, folder: Path, calls_a_part: int = CALLS_A_PART) -> None:
        self._folder, self._file, self._calls_a_part = folder, folder / "calls.parquet", calls_a_part

    def part(self, number: int) -> Path:
        """The folder of a part."""
        return self._folder / "parts" / f"{number:04}"

    def table(self) -> pa.Table:
        """The calls with moment and part; none of an index that another version has made or that is not whole."""
        try:
            table = pq.read_table(self._file)
        except (FileNotFoundError, pa.ArrowInvalid):
            return _SCHEMA.empty_table()
        if (table.schema.metadata or {}).get(b"version") != _VERSION.encode():
            return _SCHEMA.empty_table()
        there = [part for part in pc.unique(table["part"]).to_pylist() if self.part(part).exists()]
        return table.filter(pc.is_in(table["part"], pa.array(there, pa.int32())))

    def read(self) -> dict[str, IndexedCall]:
        """The calls by id."""
        table = self.table()
        kept = map(IndexedCall, table["moment"].to_pylist(), table["part"].to_pylist())
        return dict(zip(table["call_id"].to_pylist(), kept, strict=True))

    def write(self, known: Mapping[str, IndexedCall]) -> None:
        """Puts these calls in the place of those before, all or none."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        columns = [list(known), [kept.moment for kept in known.values()], [kept.part for kept in known.values()]]
        unfinished = self._file.with_suffix(".part")
        pq.write_table(pa.table(columns, schema=_SCHEMA), unfinished)
        unfinished.replace(self._file)

    def placed(self, known: Mapping[str, IndexedCall], calls: Iterable[str]) -> dict[str, IndexedCall]:
        """Calls that are to be written, each in its part, or else in the first that has room.

        Those that are given one after the other come to lie together. So, given by their time, the oldest, which a
        rule of retention deletes, are in one part and not in all.
        """
        sizes = Counter(kept.part for kept in known.values())
        first = 0
        placed = {}
        for call_id in calls:
            if call_id in known:
                part = known[call_id].part
            else:
                while sizes[first] >= self._calls_a_part:
                    first += 1
                part = first
                sizes[part] += 1
            placed[call_id] = IndexedCall(_UNFINISHED, part)
        return placed

    def without(self, known: Mapping[str, IndexedCall], gone: Collection[str]) -> dict[str, IndexedCall]:
        """Deletes the parts that hold these calls, and returns what is left.

        Other calls of those parts have to be written again. An index of which nothing is known is deleted as a whole.

        Args:
            known: What the ledger has.
            gone: Ids of calls, be they in the index or not.

        Raises:
            OSError: A part cannot be deleted; the ledger still knows of it.
        """
        if not known:
            self.forget()
        spoilt = {known[call_id].part for call_id in gone if call_id in known}
        if not spoilt:
            return dict(known)
        self.write(
            {
                call: IndexedCall(_UNFINISHED, part) if part in spoilt else IndexedCall(at, part)
                for call, (at, part) in known.items()
            }
        )
        for part in spoilt:
            shutil.rmtree(self.part(part))
        left = {call_id: kept for call_id, kept in known.items() if kept.part not in spoilt}
        self.write(left)
        return left

    def forget(self) -> None:
        """Deletes the index.

        Raises:
            OSError: It cannot be deleted.
        """
        # Of what no ledger tells, nothing is kept.
        self._file.unlink(missing_ok=True)
        for folder in self._folder.glob("*/"):
            shutil.rmtree(folder)
