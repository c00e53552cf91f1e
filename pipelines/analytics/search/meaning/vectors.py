"""The vectors of the passages of one part of the index: a file in the part's folder, which is erased with it.

A vector is stored as one byte per dimension and a scale. All of them are compared with the query: for some hundred
thousand passages that takes less time than anything else in a search.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ....runtime.atomic_file import replace_file
from .embedding import Vectors

# A block of numbers fits into the processor's cache: with larger ones a search takes ten times as long.
_ROWS_PER_BLOCK = 1_024
_LARGEST = 127


class Passage(NamedTuple):
    """A passage of a call: a few turns.

    Attributes:
        call_id: The call.
        loaded_at_ms: When the embedded version of the call was loaded, in milliseconds since 1970.
        start_ms: Start from the beginning of the call; None for the only row of a call without text.
        end_ms: Its end.
        started_ms: Start of the call in milliseconds since 1970; None if it is unknown.
    """

    call_id: str
    loaded_at_ms: int
    start_ms: int | None
    end_ms: int | None
    started_ms: int | None


class RankedPassage(NamedTuple):
    """A passage and its similarity to the query, from -1 to 1."""

    similarity: float
    passage: Passage


@dataclass(frozen=True, slots=True)
class PassageFilter:
    """Which passages to compare; None compares all.

    Attributes:
        calls: Only of these calls.
        since_ms: Only of calls that started at this time or later, in milliseconds since 1970.
        until_ms: Only of calls that started before this time.
    """

    calls: Sequence[str] | None = None
    since_ms: int | None = None
    until_ms: int | None = None


class PartVectors:
    """The vectors in the folder of a part, of one model."""

    def __init__(self, folder: Path, model: str) -> None:
        """Open the file; if it is missing or damaged, there are no vectors."""
        digest = hashlib.blake2b(model.encode(), digest_size=8).hexdigest()
        self._folder, self._file = folder, folder / f"meaning-{digest}.arrow"
        try:
            table = pa.ipc.open_file(pa.memory_map(str(self._file))).read_all()
            self._passages = table.drop_columns(["vector", "scale"])
            values = table["vector"].combine_chunks().values.to_numpy()
            self._bytes = values.reshape(table.num_rows, -1) if table.num_rows else np.zeros((0, 0), np.int8)
            self._scales = table["scale"].to_numpy()
        except (OSError, pa.ArrowException, KeyError, ValueError):
            self._passages = None

    @cached_property
    def loaded_at_ms(self) -> Mapping[str, int]:
        """When the embedded version of each call was loaded, by call id."""
        if self._passages is None:
            return {}
        calls = (
            self._passages.select(["call_id", "loaded_at_ms"]).group_by("call_id").aggregate([("loaded_at_ms", "max")])
        )
        return dict(zip(calls["call_id"].to_pylist(), calls["loaded_at_ms_max"].to_pylist(), strict=True))

    def rank(self, query: Vectors, passage_filter: PassageFilter, limit: int) -> list[RankedPassage]:
        """Return the passages that are most similar to a query, the best one first.

        Args:
            query: The vector of the query, one row.
            passage_filter: Which passages to compare.
            limit: Maximum number of passages.
        """
        if self._passages is None or self._bytes.shape[1] != query.shape[1]:
            return []
        similarities = np.empty(len(self._bytes), np.float32)
        buffer = np.empty((_ROWS_PER_BLOCK, self._bytes.shape[1]), np.float32)
        for first in range(0, len(self._bytes), _ROWS_PER_BLOCK):
            block = self._bytes[first : first + _ROWS_PER_BLOCK]
            numbers = buffer[: len(block)]
            np.copyto(numbers, block)
            np.dot(numbers, query[0], out=similarities[first : first + len(block)])
        similarities *= self._scales
        similarities[~self._selected(passage_filter)] = -np.inf
        best = np.argpartition(-similarities, min(limit, len(similarities) - 1))[:limit]
        ordered = best[np.argsort(-similarities[best], kind="stable")]
        rows = self._passages.take(ordered).to_pylist()
        return [
            RankedPassage(float(similarities[number]), Passage(**row))
            for number, row in zip(ordered, rows, strict=True)
            if np.isfinite(similarities[number])
        ]

    def replace(self, kept_calls: Collection[str], passages: Sequence[Passage], vectors: Vectors) -> None:
        """Write the file with the vectors of some of its calls, and with new ones.

        Args:
            kept_calls: Calls whose vectors are kept.
            passages: Passages of other calls.
            vectors: Their vectors.
        """
        rows: dict[str, Any] = {
            name: pa.array([getattr(passage, name) for passage in passages], data_type)
            for name, data_type in _COLUMNS.items()
        }
        scales = np.abs(vectors).max(axis=1, initial=0) / _LARGEST
        quantized = np.rint(vectors / np.where(scales == 0, 1, scales)[:, None]).astype(np.int8)
        dimensions = vectors.shape[1]
        rows["scale"] = pa.array(scales.astype(np.float32))
        rows["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(quantized.reshape(-1)), dimensions)
        table = pa.table(rows)
        if self._passages is not None and kept_calls:
            kept = np.flatnonzero(pc.is_in(self._passages["call_id"], pa.array([*kept_calls], pa.string())).to_numpy())
            flat = pa.array(self._bytes[kept].reshape(-1))
            old = self._passages.take(kept).append_column("scale", pa.array(self._scales[kept]))
            old = old.append_column("vector", pa.FixedSizeListArray.from_arrays(flat, self._bytes.shape[1]))
            table = pa.concat_tables([old.cast(table.schema), table]).combine_chunks()
        with (
            replace_file(self._file) as temporary,
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table, max_chunksize=max(table.num_rows, 1))
        for other in self._folder.glob("meaning-*.arrow"):
            if other != self._file:
                other.unlink()

    def _selected(self, passage_filter: PassageFilter) -> np.ndarray[Any, Any]:
        conditions = [pc.is_valid(self._passages["start_ms"])]
        if passage_filter.calls is not None:
            conditions.append(pc.is_in(self._passages["call_id"], pa.array(passage_filter.calls, pa.string())))
        if passage_filter.since_ms is not None:
            conditions.append(pc.greater_equal(self._passages["started_ms"], passage_filter.since_ms))
        if passage_filter.until_ms is not None:
            conditions.append(pc.less(self._passages["started_ms"], passage_filter.until_ms))
        selected = np.ones(len(self._bytes), bool)
        for condition in conditions:
            selected &= condition.fill_null(False).to_numpy()
        return selected


_COLUMNS = {
    "call_id": pa.string(),
    "loaded_at_ms": pa.int64(),
    "start_ms": pa.int64(),
    "end_ms": pa.int64(),
    "started_ms": pa.int64(),
}
