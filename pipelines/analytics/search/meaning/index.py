"""The meaning of all passages of the marts: vectors beside the words, in the same parts, refreshed after them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from heapq import nlargest
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from state.sql import batches, placeholders

from ...marts import Marts
from ..manifest import IndexManifest
from ..query import SearchQuery
from .embedding import Embedding, Vectors
from .vectors import PartVectors, Passage, PassageFilter, RankedPassage

_CALLS_PER_BATCH = 500
_PASSAGES = """
SELECT call_id, start_ms, end_ms, started, text FROM {marts}.transcript_chunks
WHERE call_id IN ({placeholders}) ORDER BY call_id, chunk_index
"""
# `Name (side, hh:mm:ss): ` before each turn of a passage: who spoke is not what it means.
_SPEAKERS = re.compile(r"^.*? \((?:company|customer|unknown), -?[\d:]+\): ", re.MULTILINE)


class _OpenParts(NamedTuple):
    """The vectors of each part, as they were when the manifest had this stamp."""

    stamp: tuple[int, int] | None
    loaded_at_ms: Mapping[int, Mapping[str, int]]
    parts: dict[int, PartVectors]
    is_behind: bool


class MeaningIndex:
    """The vectors of one model in the folder of a search index.

    Hold the lock of the index to refresh them. The manifest is the one of the words, which lists a call before anything
    of it is written, so that the vectors of an erased call are erased with its words.
    """

    def __init__(self, manifest: IndexManifest, embedding: Embedding) -> None:
        self._manifest, self._embedding = manifest, embedding
        self._open: _OpenParts | None = None

    @property
    def embedding(self) -> Embedding:
        """The model."""
        return self._embedding

    def is_behind(self) -> bool:
        """Return whether calls of the words' index have no vectors, or those of an earlier version."""
        return self._read().is_behind

    def refresh(self, marts: Marts, progress: Callable[[int, int], None]) -> int:
        """Embed the passages of new and changed calls. A killed refresh is continued by the next one.

        Args:
            marts: The marts to read.
            progress: Called with the number of calls embedded so far and the total.

        Returns:
            Number of calls embedded.

        Raises:
            UsageError: If the model cannot be used.
        """
        self.close()
        opened = self._read()
        changed = {
            part: [call_id for call_id, at in calls.items() if opened.parts[part].loaded_at_ms.get(call_id) != at]
            for part, calls in opened.loaded_at_ms.items()
        }
        total, done = sum(map(len, changed.values())), 0
        for part, call_ids in changed.items():
            for batch in batches(call_ids, _CALLS_PER_BATCH):
                calls = opened.loaded_at_ms[part]
                passages, texts = _read_passages(marts, batch, calls)
                file = PartVectors(self._manifest.part_folder(part), self._embedding.name)
                kept = {call_id for call_id, at in file.loaded_at_ms.items() if calls.get(call_id) == at} - {*batch}
                file.replace(kept, passages, self._embedding.embed(texts))
                done += len(batch)
                progress(done, total)
        self.close()
        return total

    def rank(self, query: SearchQuery, limit: int) -> tuple[Vectors, list[tuple[int, RankedPassage]]]:
        """Return the vector of a query, and the most similar passages with the numbers of their parts, best first.

        Raises:
            UsageError: If the model cannot be used.
        """
        vector = self._embedding.embed([query.words])
        passages = PassageFilter(query.calls, _milliseconds(query.since), _milliseconds(query.until))
        ranked = [
            (number, ranked)
            for number, part in self._read().parts.items()
            for ranked in part.rank(vector, passages, limit)
        ]
        return vector, nlargest(limit, ranked, key=lambda found: found[1].similarity)

    def best_texts(self, query: Vectors, texts: Sequence[Sequence[str]]) -> list[int]:
        """Return the number of the text of each group that fits a query best.

        A model on another machine is not asked: the first text stands for its group.
        """
        if not self._embedding.is_local:
            return [0] * len(texts)
        similarities = self._embedding.embed([text for group in texts for text in group]) @ query[0]
        ends = [0, *accumulate(map(len, texts))]
        return [int(np.argmax(similarities[first:last])) for first, last in pairwise(ends)]

    def close(self) -> None:
        """Close the files; the next search opens them again."""
        self._open = None

    def _read(self) -> _OpenParts:
        stamp = self._manifest.stamp()
        if self._open is None or self._open.stamp != stamp:
            calls: defaultdict[int, dict[str, int]] = defaultdict(dict)
            for call_id, (loaded_at_ms, part) in self._manifest.read_entries().items():
                calls[part][call_id] = loaded_at_ms
            parts = {part: PartVectors(self._manifest.part_folder(part), self._embedding.name) for part in calls}
            is_behind = any(parts[part].loaded_at_ms != at for part, at in calls.items())
            self._open = _OpenParts(stamp, calls, parts, is_behind)
        return self._open


def _read_passages(
    marts: Marts, call_ids: Sequence[str], loaded_at_ms: Mapping[str, int]
) -> tuple[list[Passage], list[str]]:
    """Return the passages of calls and their texts; one without text for a call that has none."""
    sql = _PASSAGES.format(marts=marts.schema, placeholders=placeholders(len(call_ids)))
    passages, texts = [], []
    missing = dict.fromkeys(call_ids)
    for row in marts.rows(sql, *call_ids):
        missing.pop(row["call_id"], None)
        started_ms = _milliseconds(row["started"])
        at = loaded_at_ms[row["call_id"]]
        passages.append(Passage(row["call_id"], at, row["start_ms"], row["end_ms"], started_ms))
        texts.append(_SPEAKERS.sub("", row["text"] or ""))
    for call_id in missing:
        passages.append(Passage(call_id, loaded_at_ms[call_id], None, None, None))
        texts.append("")
    return passages, texts


def _milliseconds(time: datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * 1_000)
