"""Full-text index of all sentences of the marts: a cache on this machine, rebuilt when it is lost.

The sentences of a changed call are replaced in place. Those of an erased or now private call must leave the disk at
once, but tantivy keeps deleted text until it merges segments, so their part of the index is rebuilt.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from tantivy import DocAddress, Document, FieldType, Index, Occur, Order, Query, Schema, SchemaBuilder

from state.sql import batches, placeholders

from ..marts import Marts
from .manifest import CALLS_PER_PART, IndexedCall, IndexManifest

_CALLS_PER_COMMIT = 500
_HEAP_BYTES = 256_000_000
_THREADS = 2

# tantivy counts nanoseconds, for which 64 bits suffice from 1677 to 2262; other times are moved to these.
_EARLIEST, _LATEST, _END = (datetime(year, month, 1, tzinfo=UTC) for year, month in ((1970, 1), (2199, 12), (2200, 1)))

_QUOTED = re.compile(r'"[^"]*"')

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
SELECT lines.call_id, lines.sentence_index, lines.start_ms, lines.start_time, lines.speaker_name, lines.side,
    lines.text, calls.started
FROM {marts}.transcript_lines AS lines
LEFT JOIN {marts}.calls_enriched AS calls ON calls.call_id = lines.call_id
WHERE lines.call_id IN ({placeholders})
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and its position in the call.

    Attributes:
        start_time: Start from the beginning of the call, as `hh:mm:ss`.
    """

    call_id: str
    sentence_index: int
    start_ms: int
    start_time: str
    speaker: str | None
    side: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A matching sentence with its context.

    Attributes:
        score: Relevance (BM25); None if hits are sorted by date.
        line: The sentence.
        before: Sentences before it, in order.
        after: Sentences after it, in order.
    """

    score: float | None
    line: Line
    before: Sequence[Line]
    after: Sequence[Line]


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A query over the index.

    Attributes:
        words: Words, "exact phrases", OR and -excluded words.
        side: Only what this side said; None for all.
        calls: Only these calls; None for all.
        since: Only calls that started at this time or later; None for no limit.
        until: Only calls that started before this time; None for no limit.
        limit: Maximum number of hits.
        context: Number of sentences before and after each hit.
        newest: Sort by date, newest call first, instead of relevance.
    """

    words: str
    side: str | None = None
    calls: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 10
    context: int = 1
    newest: bool = False


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of a query.

    Attributes:
        hits: The first hits.
        count: Number of matching sentences.
        match: `all words` if sentences contain all of them, else `any word`.
    """

    hits: Sequence[Hit]
    count: int
    match: str


class BrokenPartError(Exception):
    """A part of the index cannot be read; the refresh after `SentenceIndex.drop_part` builds it again.

    Attributes:
        part: Number of the part.
    """

    def __init__(self, part: int, reason: BaseException) -> None:
        super().__init__(f"part {part} of the search index cannot be read: {reason}")
        self.part = part


class SentenceIndex:
    """The index in a folder, created by the first refresh, in parts of a fixed number of calls."""

    def __init__(self, folder: Path, calls_per_part: int = CALLS_PER_PART) -> None:
        self._manifest = IndexManifest(folder, calls_per_part)

    def is_behind(self, marts: Marts) -> bool:
        """Return whether the marts have changed since the index was last refreshed."""
        (state,) = marts.rows(_STATE.format(marts=marts.schema))
        calls = self._manifest.read_table()
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
            with _engine_errors_of(part):
                writer = Index(_schema(), path=str(folder)).writer(_HEAP_BYTES, _THREADS)
            for batch in batches(call_ids, _CALLS_PER_COMMIT):
                sql = _LINES.format(marts=marts.schema, placeholders=placeholders(len(batch)))
                rows = marts.rows(sql, *batch)
                with _engine_errors_of(part):
                    for call_id in batch:
                        writer.delete_documents_by_term("call_id", call_id)
                    for row in rows:
                        writer.add_document(_document(row))
                    writer.commit()
                entries |= {call_id: IndexedCall(current[call_id], part) for call_id in batch}
                self._manifest.write_entries(entries)
                done += len(batch)
                progress(done, len(changed))
            with _engine_errors_of(part):
                writer.wait_merging_threads()
        return len(changed)

    def drop_part(self, part: int) -> None:
        """Delete a part and forget its calls, so that the next refresh indexes them again.

        Raises:
            OSError: If a file cannot be deleted.
        """
        entries = self._manifest.read_entries()
        self._manifest.drop_calls(entries, [call_id for call_id, call in entries.items() if call.part == part])

    def search(self, query: SearchQuery) -> QueryResult:
        """Return the matching sentences, best match first; if no sentence has all words, those that have any.

        Raises:
            BrokenPartError: If a part cannot be read.
        """
        parts = self._open_parts(query.calls)
        for match in ("all words", "any word"):
            results = [part.search(query, require_all_words=match == "all words") for part in parts]
            if count := sum(part_count for part_count, _ in results):
                break
        matches = sorted(
            (match for _, part_matches in results for match in part_matches), key=attrgetter("rank"), reverse=True
        )
        hits = [found.part.load_hit(found, query) for found in matches[: query.limit]]
        return QueryResult(hits, count, match)

    def _open_parts(self, calls: Sequence[str] | None) -> list[_IndexPart]:
        """Return the parts that hold any of the calls, each limited to these calls; all parts for None."""
        table = self._manifest.read_table()
        if calls is not None:
            table = table.filter(pc.is_in(table["call_id"], pa.array(calls, pa.string())))
        numbers = sorted(pc.unique(table["part"]).to_pylist())
        return [
            _IndexPart(
                number,
                self._manifest.part_folder(number),
                None if calls is None else table.filter(pc.equal(table["part"], number))["call_id"].to_pylist(),
            )
            for number in numbers
        ]


class _Match(NamedTuple):
    """A matching sentence of a part; a higher rank is better."""

    rank: float
    part: _IndexPart
    address: DocAddress


class _IndexPart:
    """An open part of the index, limited to some of its calls; None for all.

    Its methods raise BrokenPartError if the part cannot be read.
    """

    def __init__(self, number: int, folder: Path, calls: list[str] | None) -> None:
        self._number, self._calls = number, calls
        with _engine_errors_of(number):
            self._index = Index.open(str(folder))
            self._searcher = self._index.searcher()

    def search(self, query: SearchQuery, *, require_all_words: bool) -> tuple[int, list[_Match]]:
        """Return the number of matching sentences, and the first matches."""
        order: Mapping[str, Any] = {"order_by_field": "started", "order": Order.Desc} if query.newest else {}
        text = self._parse(query.words, require_all_words=require_all_words)
        try:
            with _engine_errors_of(self._number):
                result = self._searcher.search(self._filter(text, query), limit=query.limit, **order)
        except BrokenPartError:
            # The query is valid, but this index cannot answer it, e.g. `text:*`: search for its words.
            text = self._parse_words(query.words, require_all_words=require_all_words)
            with _engine_errors_of(self._number):
                result = self._searcher.search(self._filter(text, query), limit=query.limit, **order)
        matches = [_Match(-math.inf if rank is None else rank, self, address) for rank, address in result.hits]
        # tantivy's type stubs lack this attribute.
        count: int = result.count  # type: ignore[attr-defined]
        return count, matches

    def load_hit(self, match: _Match, query: SearchQuery) -> Hit:
        """Return the sentence of a match with its context."""
        with _engine_errors_of(self._number):
            line = self._load_line(match.address)
            context = self._load_context(line, query.context)
        return Hit(
            None if query.newest else round(match.rank, 3),
            line,
            [other for other in context if other.sentence_index < line.sentence_index],
            [other for other in context if other.sentence_index > line.sentence_index],
        )

    def _parse(self, text: str, *, require_all_words: bool) -> Query:
        query, errors = self._index.parse_query_lenient(text, ["text"], conjunction_by_default=require_all_words)
        # Text such as "Budget: none (yet)" is not in tantivy's query language. "Side: none" is, by chance, because the
        # index has a field of that name. Both are searched for their words.
        if errors or ":" in _QUOTED.sub("", text):
            return self._parse_words(text, require_all_words=require_all_words)
        return query

    def _parse_words(self, text: str, *, require_all_words: bool) -> Query:
        words = " ".join(re.findall(r"\w+", text)).lower()
        return self._index.parse_query(words, ["text"], conjunction_by_default=require_all_words)

    def _filter(self, text: Query, query: SearchQuery) -> Query:
        """Return the query for a text, limited by the filters."""
        schema = self._index.schema
        conditions = []
        if query.side is not None:
            conditions.append(Query.term_query(schema, "side", query.side))
        if self._calls is not None:
            conditions.append(Query.term_set_query(schema, "call_id", self._calls))
        if query.since is not None or query.until is not None:
            since, until = max(query.since or _EARLIEST, _EARLIEST), min(query.until or _END, _END)
            conditions.append(Query.range_query(schema, "started", FieldType.Date, since, until, include_upper=False))
        # Conditions must not change the score.
        filters = [(Occur.Must, Query.const_score_query(condition, 0.0)) for condition in conditions]
        return Query.boolean_query([(Occur.Must, text), *filters])

    def _load_context(self, line: Line, context: int) -> list[Line]:
        if context == 0:
            return []
        schema, index = self._index.schema, line.sentence_index
        near = Query.range_query(schema, "sentence_index", FieldType.Integer, index - context, index + context)
        in_call = Query.term_query(schema, "call_id", line.call_id)
        query = Query.boolean_query([(Occur.Must, in_call), (Occur.Must, near)])
        result = self._searcher.search(query, limit=2 * context + 1)
        lines = [self._load_line(address) for _, address in result.hits]
        return sorted(lines, key=lambda other: other.sentence_index)

    def _load_line(self, address: DocAddress) -> Line:
        fields = {name: values[0] for name, values in self._searcher.doc(address).to_dict().items()}
        return Line(
            fields["call_id"],
            fields["sentence_index"],
            fields["start_ms"],
            fields["start_time"],
            fields.get("speaker"),
            fields["side"],
            fields["text"],
        )


@contextmanager
def _engine_errors_of(part: int) -> Iterator[None]:
    """Raise BrokenPartError if tantivy cannot read or change a part."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise BrokenPartError(part, error) from error
    except BaseException as error:
        # pyo3 raises its own kind of BaseException, which cannot be imported, if tantivy's code panics.
        if type(error).__name__ != "PanicException":
            raise
        raise BrokenPartError(part, error) from error


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field("call_id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("sentence_index", stored=True, indexed=True, fast=True)
    builder.add_integer_field("start_ms", stored=True)
    builder.add_text_field("start_time", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("speaker", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("side", stored=True, tokenizer_name="raw", index_option="basic")
    # English words match in all their grammatical forms; words of other languages match exactly.
    builder.add_text_field("text", stored=True, tokenizer_name="en_stem")
    builder.add_date_field("started", indexed=True, fast=True)
    return builder.build()


def _document(row: Mapping[str, Any]) -> Document:
    document = Document()
    document.add_text("call_id", row["call_id"])
    document.add_integer("sentence_index", row["sentence_index"])
    document.add_integer("start_ms", row["start_ms"] or 0)
    document.add_text("start_time", row["start_time"] or "")
    if row["speaker_name"] is not None:
        document.add_text("speaker", row["speaker_name"])
    document.add_text("side", row["side"])
    document.add_text("text", row["text"] or "")
    if row["started"] is not None:
        document.add_date("started", min(max(row["started"].astimezone(UTC), _EARLIEST), _LATEST))
    return document
