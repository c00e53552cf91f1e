"""Full-text index of all sentences of the marts: a cache on this machine, rebuilt when it is lost.

The sentences of a changed call are replaced in place. Those of an erased or now private call must leave the disk at
once, but tantivy keeps deleted text until it merges segments, so their part of the index is rebuilt.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from tantivy import Index

from state.sql import batches, placeholders

from ..marts import Marts
from .manifest import CALLS_PER_PART, IndexedCall, IndexManifest
from .part import IndexPart, Match, engine_errors_of, index_schema, query_terms, sentence_document
from .query import QueryResult, SearchQuery, Suggestions
from .ranking import PartCalls, Ranking, fuse_rankings, rank_by_meaning, rank_by_words

if TYPE_CHECKING:
    from .meaning.index import MeaningIndex

_CALLS_PER_COMMIT = 500
_HEAP_BYTES = 256_000_000
_THREADS = 2
_SIMILAR_WORDS = 3
_SIMILARITY = 0.7

_STATE = """
SELECT count(*) AS calls, coalesce(sum(_synced_epoch_ms), 0) AS checksum FROM {marts}.calls_enriched
WHERE has_transcript
"""
_CALLS = """
SELECT call_id, _synced_epoch_ms AS loaded_at_ms FROM {marts}.calls_enriched
WHERE has_transcript
ORDER BY started, call_id
"""
_LINES = """
SELECT lines.call_id, lines.sentence_index, lines.start_ms, lines.end_ms, lines.start_time, lines.speaker_name,
    lines.side, lines.text, calls.started
FROM {marts}.transcript_lines AS lines
LEFT JOIN {marts}.calls_enriched AS calls ON calls.call_id = lines.call_id
WHERE lines.call_id IN ({placeholders})
"""


class _OpenParts(NamedTuple):
    """The manifest as it was read, and the parts opened since."""

    stamp: tuple[int, int] | None
    calls: pa.Table
    parts: dict[int, IndexPart]


class SentenceIndex:
    """The index in a folder, created by the first refresh, in parts of a fixed number of calls.

    It keeps the manifest and the parts open until the manifest changes, which every erasure does first.
    """

    def __init__(self, folder: Path, calls_per_part: int = CALLS_PER_PART) -> None:
        self._manifest = IndexManifest(folder, calls_per_part)
        self._open: _OpenParts | None = None

    @property
    def manifest(self) -> IndexManifest:
        """The manifest of the index."""
        return self._manifest

    def is_behind(self, marts: Marts) -> bool:
        """Return whether the marts have changed since the index was last refreshed."""
        (state,) = marts.rows(_STATE.format(marts=marts.schema))
        calls = self._read().calls
        indexed = calls.num_rows, pc.sum(calls["loaded_at_ms"]).as_py() or 0
        return indexed != (state["calls"], int(state["checksum"]))

    def refresh(self, marts: Marts, progress: Callable[[int, int], None], *, rebuild: bool = False) -> int:
        """Index new and changed calls and drop erased ones. A killed refresh is continued by the next one.

        Args:
            marts: The marts to index.
            progress: Called with the number of calls indexed so far and the total.
            rebuild: Build the index from scratch.

        Returns:
            Number of calls indexed.

        Raises:
            BrokenPartError: If a part that has to be changed cannot be read.
        """
        self.close()
        if rebuild:
            self._manifest.delete()
        current = {row["call_id"]: int(row["loaded_at_ms"]) for row in marts.rows(_CALLS.format(marts=marts.schema))}
        entries = self._manifest.read_entries()
        entries = self._manifest.drop_calls(entries, entries.keys() - current.keys())
        changed = [
            call_id
            for call_id, loaded_at_ms in current.items()
            if call_id not in entries or entries[call_id].loaded_at_ms != loaded_at_ms
        ]
        assigned = self._manifest.assign_parts(entries, changed)
        # Calls are in the manifest before they are in the index, so that a call erased after a kill is found.
        entries |= assigned
        self._manifest.write_entries(entries)
        calls_by_part: defaultdict[int, list[str]] = defaultdict(list)
        for call_id, call in assigned.items():
            calls_by_part[call.part].append(call_id)
        done = 0
        for part, call_ids in calls_by_part.items():
            folder = self._manifest.part_folder(part)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with engine_errors_of(part):
                writer = Index(index_schema(), path=str(folder)).writer(_HEAP_BYTES, _THREADS)
            for batch in batches(call_ids, _CALLS_PER_COMMIT):
                sql = _LINES.format(marts=marts.schema, placeholders=placeholders(len(batch)))
                rows = marts.rows(sql, *batch)
                with engine_errors_of(part):
                    for call_id in batch:
                        writer.delete_documents_by_term("call_id", call_id)
                    for row in rows:
                        writer.add_document(sentence_document(row))
                    writer.commit()
                entries |= {call_id: IndexedCall(current[call_id], part) for call_id in batch}
                self._manifest.write_entries(entries)
                done += len(batch)
                progress(done, len(changed))
            with engine_errors_of(part):
                writer.wait_merging_threads()
        return len(changed)

    def drop_part(self, part: int) -> None:
        """Delete a part and forget its calls, so that the next refresh indexes them again.

        Raises:
            OSError: If a file cannot be deleted.
        """
        self.close()
        entries = self._manifest.read_entries()
        self._manifest.drop_calls(entries, [call_id for call_id, call in entries.items() if call.part == part])

    def close(self) -> None:
        """Close the parts; the next search opens them again."""
        self._open = None

    def search(self, query: SearchQuery, meaning: MeaningIndex | None = None) -> QueryResult:
        """Return the matching sentences, best match first.

        Args:
            query: The query.
            meaning: The vectors, for the modes `meaning` and `both`.

        Raises:
            BrokenPartError: If a part cannot be read.
            UsageError: If the model of the vectors cannot be used.
        """
        parts = self._parts_of(query.calls)
        ranking = self._rank(query, meaning, parts)
        page = ranking.matches[query.offset : query.offset + query.limit]
        duplicates = _count_duplicates(parts, query, page) if query.folds_duplicates else Counter[int]()
        hits = [found.part.load_hit(found, query, max(duplicates[found.words_hash] - 1, 0)) for found in page]
        has_more = len(ranking.matches) > query.offset + query.limit
        return QueryResult(hits, ranking.count, ranking.match, has_more)

    def _rank(self, query: SearchQuery, meaning: MeaningIndex | None, parts: Sequence[PartCalls]) -> Ranking:
        wanted = query.offset + query.limit + 1
        if meaning is None or query.mode == "words":
            return rank_by_words(parts, query, wanted)
        by_meaning = rank_by_meaning({part.number: part for part, _ in parts}, meaning, query, wanted)
        if query.mode == "meaning":
            return by_meaning
        return fuse_rankings(query, rank_by_words(parts, query, wanted), by_meaning)

    def suggest(self, query: SearchQuery, result: QueryResult) -> Suggestions | None:
        """Return what to change in a query; None if sentences have all of its words.

        Raises:
            BrokenPartError: If a part cannot be read.
        """
        if result.match == "meaning" or (result.count and result.match == "all words"):
            return None
        parts = [part for part, _ in self._parts_of(None)]
        unknown = {
            stem: word
            for stem, word in query_terms(query.words).items()
            if not any(part.contains(stem) for part in parts)
        }
        similar = {word: _similar_words(parts, stem, word) for stem, word in unknown.items()}
        return Suggestions(
            [*unknown.values()],
            {word: words for word, words in similar.items() if words},
            {} if result.count else self._count_without_filters(query),
        )

    def _count_without_filters(self, query: SearchQuery) -> dict[str, int]:
        queries = {name: query.without(name) for name in query.filters}
        if len(queries) > 1:
            queries["all"] = query.without(*queries)
        counts = {name: self._count(changed) for name, changed in queries.items()}
        return {name: count for name, count in counts.items() if count}

    def _count(self, query: SearchQuery) -> int:
        """Return the number of sentences with all words, else with any."""
        parts = self._parts_of(query.calls)
        counts = (
            sum(part.count(query, calls, requires_all_words=requires_all) for part, calls in parts)
            for requires_all in (True, False)
        )
        return next((count for count in counts if count), 0)

    def _parts_of(self, calls: Sequence[str] | None) -> list[PartCalls]:
        """Return the parts that hold any of the calls, each with these calls; all parts with None for None."""
        opened = self._read()
        table = opened.calls
        if calls is not None:
            table = table.filter(pc.is_in(table["call_id"], pa.array(calls, pa.string())))
        numbers = sorted(pc.unique(table["part"]).to_pylist())
        for number in numbers:
            if number not in opened.parts:
                opened.parts[number] = IndexPart(number, self._manifest.part_folder(number))
        return [
            (
                opened.parts[number],
                None if calls is None else table.filter(pc.equal(table["part"], number))["call_id"].to_pylist(),
            )
            for number in numbers
        ]

    def _read(self) -> _OpenParts:
        """Return the manifest and the open parts, read again if the manifest has changed."""
        stamp = self._manifest.stamp()
        if self._open is None or self._open.stamp != stamp:
            self._open = _OpenParts(stamp, self._manifest.read_table(), {})
        return self._open


def _count_duplicates(parts: Collection[PartCalls], query: SearchQuery, matches: Sequence[Match]) -> Mapping[int, int]:
    counts = Counter[int]()
    hashes = [match.words_hash for match in matches]
    if hashes:
        for part, calls in parts:
            counts.update(part.count_words_hashes(hashes, query, calls))
    return counts


def _similar_words(parts: Collection[IndexPart], stem: str, word: str) -> list[str]:
    words = {like for part in parts for like in part.words_like(stem)}
    return get_close_matches(word, sorted(words), _SIMILAR_WORDS, _SIMILARITY)
