"""A part of the search index on disk: its fields, and queries over its sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tantivy import (
    DocAddress,
    Document,
    FieldType,
    Filter,
    Index,
    Occur,
    Order,
    Query,
    Schema,
    SchemaBuilder,
    SearchResult,
    SnippetGenerator,
    TextAnalyzerBuilder,
    Tokenizer,
)
from xxhash import xxh3_64_intdigest

from .query import BrokenPartError, Hit, Line, SearchQuery

# tantivy counts nanoseconds, for which 64 bits suffice from 1677 to 2262; other times are moved to these.
_EARLIEST, _LATEST, _END = (datetime(year, month, 1, tzinfo=UTC) for year, month in ((1970, 1), (2199, 12), (2200, 1)))

_QUOTED = re.compile(r'"[^"]*"')
_WORD = re.compile(r"\w+")
_OPERATORS = frozenset({"AND", "OR", "NOT", "IN", "TO"})
_EXCLUDED = re.compile(r'(?:^|\s)-(?:"[^"]*"|\S+)')
# Few sentences among twenty million have the same hash by chance: two of them in a search in 50,000.
_UNUSED_HASH_BITS = 24
_LONGEST_SENTENCE = 10_000_000
# With this number of letters a word may differ in two, else in one.
_TWO_ERRORS = 6
_SIMILAR_SENTENCES = 50
_SENTENCES_OF_A_PASSAGE = 200

# What tantivy's tokenizer `en_stem` does: English words match in all their grammatical forms.
_ANALYZER = (
    TextAnalyzerBuilder(Tokenizer.simple())
    .filter(Filter.remove_long(40))
    .filter(Filter.lowercase())
    .filter(Filter.stemmer("english"))
    .build()
)


class Match(NamedTuple):
    """A matching sentence of a part; a higher rank is better.

    Attributes:
        rank: Relevance, or the time of the call if the newest is first.
        part: The part.
        address: Where it is in the part.
        words_hash: Equal for sentences that have the same words.
    """

    rank: float
    part: IndexPart
    address: DocAddress
    words_hash: int

    @property
    def place(self) -> tuple[IndexPart, int, int]:
        """What no other sentence has."""
        return self.part, self.address.segment_ord, self.address.doc


class IndexPart:
    """An open part of the index. Its methods raise BrokenPartError if the part cannot be read."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        with engine_errors_of(number):
            self._index = Index.open(str(folder))
            self._searcher = self._index.searcher()

    def find(
        self, query: SearchQuery, calls: Sequence[str] | None, limit: int, *, requires_all_words: bool
    ) -> tuple[int, list[Match]]:
        """Return the number of matching sentences of these calls, and the first matches; None for all calls."""
        text = self._parse(query.words, requires_all_words=requires_all_words)
        try:
            result = self._search(self._filter(text, query, calls), query, limit)
        except BrokenPartError:
            # The query is valid, but this index cannot answer it, like `text:*`: search for its words.
            text = self._parse_words(query.words, requires_all_words=requires_all_words)
            result = self._search(self._filter(text, query, calls), query, limit)
        with engine_errors_of(self.number):
            addresses = [address for _, address in result.hits]
            hashes: list[Any] = self._searcher.fast_field_values("words_hash", addresses) if addresses else []
        matches = [
            Match(-math.inf if rank is None else rank, self, address, words_hash)
            for (rank, address), words_hash in zip(result.hits, hashes, strict=True)
        ]
        # tantivy's type stubs lack this attribute.
        count: int = result.count  # type: ignore[attr-defined]
        return count, matches

    def count(self, query: SearchQuery, calls: Sequence[str] | None, *, requires_all_words: bool) -> int:
        """Return the number of matching sentences of these calls; None for all calls."""
        return self.find(query, calls, 1, requires_all_words=requires_all_words)[0]

    def count_words_hashes(
        self, hashes: Collection[int], query: SearchQuery, calls: Sequence[str] | None
    ) -> dict[int, int]:
        """Return the number of sentences with each hash among those that the query's filters select."""
        text = Query.boolean_query(
            [(Occur.Should, Query.term_query(self._index.schema, "words_hash", value)) for value in hashes]
        )
        terms = {"hashes": {"terms": {"field": "words_hash", "size": len(hashes)}}}
        with engine_errors_of(self.number):
            found = self._searcher.aggregate(self._filter(text, query, calls), terms)
        return {int(bucket["key"]): bucket["doc_count"] for bucket in found["hashes"]["buckets"]}

    def load_hit(self, match: Match, query: SearchQuery, duplicates: int) -> Hit:
        """Return the sentence of a match with its context."""
        with engine_errors_of(self.number):
            document = self._searcher.doc(match.address)
            line = _line(document)
            context = self._load_context(line, query.context)
            highlights = self._highlights(document, line.text, query)
        return Hit(
            None if query.newest else round(match.rank, 3),
            line,
            [other for other in context if other.sentence_index < line.sentence_index],
            [other for other in context if other.sentence_index > line.sentence_index],
            highlights,
            duplicates,
        )

    def find_passage(self, call_id: str, start_ms: int, end_ms: int, side: str | None) -> list[tuple[Line, DocAddress]]:
        """Return the sentences of a side that start in a part of a call, in order; None for all sides."""
        with engine_errors_of(self.number):
            found = self._load_lines(call_id, "start_ms", start_ms, end_ms, _SENTENCES_OF_A_PASSAGE)
        return [(line, address) for line, address in found if side is None or line.side == side]

    def contains(self, term: str) -> bool:
        """Return whether a sentence has a word of this stem."""
        with engine_errors_of(self.number):
            return self._searcher.doc_freq("text", term) > 0

    def words_like(self, term: str) -> Iterator[str]:
        """Yield words, as sentences have them, that are spelled like a stem; also many that are not."""
        distance = 1 if len(term) < _TWO_ERRORS else 2
        query = Query.fuzzy_term_query(self._index.schema, "text", term, distance=distance)
        with engine_errors_of(self.number):
            for _, address in self._searcher.search(query, limit=_SIMILAR_SENTENCES, count=False).hits:
                yield from _WORD.findall(_line(self._searcher.doc(address)).text.lower())

    def _search(self, query: Query, options: SearchQuery, limit: int) -> SearchResult:
        order: Mapping[str, Any] = {"order_by_field": "started", "order": Order.Desc} if options.newest else {}
        with engine_errors_of(self.number):
            return self._searcher.search(query, limit=limit, **order)

    def _parse(self, text: str, *, requires_all_words: bool) -> Query:
        query, errors = self._index.parse_query_lenient(text, ["text"], conjunction_by_default=requires_all_words)
        # Text such as "Budget: none (yet)" is not in tantivy's query language. "Side: none" is, by chance, because the
        # index has a field of that name. Both are searched for their words.
        if errors or ":" in _QUOTED.sub("", text):
            return self._parse_words(text, requires_all_words=requires_all_words)
        return query

    def _parse_words(self, text: str, *, requires_all_words: bool) -> Query:
        words = " ".join(_WORD.findall(text)).lower()
        return self._index.parse_query(words, ["text"], conjunction_by_default=requires_all_words)

    def _filter(self, text: Query, query: SearchQuery, calls: Sequence[str] | None) -> Query:
        """Return the query for a text, limited by the filters."""
        schema = self._index.schema
        conditions = []
        if query.side is not None:
            conditions.append(Query.term_query(schema, "side", query.side))
        if calls is not None:
            conditions.append(Query.term_set_query(schema, "call_id", calls))
        if query.since is not None or query.until is not None:
            since, until = max(query.since or _EARLIEST, _EARLIEST), min(query.until or _END, _END)
            conditions.append(Query.range_query(schema, "started", FieldType.Date, since, until, include_upper=False))
        # Conditions must not change the score.
        filters = [(Occur.Must, Query.const_score_query(condition, 0.0)) for condition in conditions]
        return Query.boolean_query([(Occur.Must, text), *filters])

    def _load_context(self, line: Line, context: int) -> list[Line]:
        if context == 0:
            return []
        index = line.sentence_index
        found = self._load_lines(line.call_id, "sentence_index", index - context, index + context, 2 * context + 1)
        return [near for near, _ in found]

    def _load_lines(self, call_id: str, field: str, first: int, last: int, limit: int) -> list[tuple[Line, DocAddress]]:
        """Return the sentences of a call whose field is in a range, in order, with their places."""
        schema = self._index.schema
        near = Query.range_query(schema, field, FieldType.Integer, first, last)
        in_call = Query.term_query(schema, "call_id", call_id)
        query = Query.boolean_query([(Occur.Must, in_call), (Occur.Must, near)])
        result = self._searcher.search(query, limit=limit, count=False)
        lines = [(_line(self._searcher.doc(address)), address) for _, address in result.hits]
        return sorted(lines, key=lambda found: found[0].sentence_index)

    def _highlights(self, document: Document, text: str, query: SearchQuery) -> list[tuple[int, int]]:
        """Return start and end of each matching word of a sentence, in characters."""
        parsed = self._parse(query.words, requires_all_words=False)
        generator = SnippetGenerator.create(self._searcher, parsed, self._index.schema, "text")
        generator.set_max_num_chars(_LONGEST_SENTENCE)
        snippet = generator.snippet_from_doc(document)
        encoded, offset = text.encode(), snippet.fragment_range().start
        return [
            (len(encoded[: offset + span.start].decode()), len(encoded[: offset + span.end].decode()))
            for span in snippet.highlighted()
        ]


def query_terms(words: str) -> dict[str, str]:
    """Return the words that a query looks for, by their stems."""
    looked_for = _WORD.findall(_EXCLUDED.sub(" ", words))
    return {
        stems[0]: word.lower() for word in looked_for if word not in _OPERATORS and (stems := _ANALYZER.analyze(word))
    }


def hash_words(text: str) -> int:
    """Return a number that is equal for texts with the same words, apart from upper case and punctuation."""
    words = " ".join(_WORD.findall(text.casefold()))
    return xxh3_64_intdigest(words.encode(errors="replace")) >> _UNUSED_HASH_BITS


def index_schema() -> Schema:
    """Return the fields of the index; a change of them needs a new version of the manifest."""
    builder = SchemaBuilder()
    builder.add_text_field("call_id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("sentence_index", stored=True, indexed=True, fast=True)
    builder.add_integer_field("start_ms", stored=True, indexed=True, fast=True)
    builder.add_integer_field("end_ms", stored=True)
    builder.add_text_field("start_time", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("speaker", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("side", stored=True, tokenizer_name="raw", index_option="basic")
    # English words match in all their grammatical forms; words of other languages match exactly.
    builder.add_text_field("text", stored=True, tokenizer_name="en_stem")
    builder.add_date_field("started", indexed=True, fast=True)
    builder.add_integer_field("words_hash", indexed=True, fast=True)
    return builder.build()


def sentence_document(row: Mapping[str, Any]) -> Document:
    """Return the document of a row of `transcript_lines` with the start of its call."""
    document = Document()
    document.add_text("call_id", row["call_id"])
    document.add_integer("sentence_index", row["sentence_index"])
    document.add_integer("start_ms", row["start_ms"] or 0)
    if row["end_ms"] is not None:
        document.add_integer("end_ms", row["end_ms"])
    document.add_text("start_time", row["start_time"] or "")
    if row["speaker_name"] is not None:
        document.add_text("speaker", row["speaker_name"])
    document.add_text("side", row["side"])
    document.add_text("text", row["text"] or "")
    if row["started"] is not None:
        document.add_date("started", min(max(row["started"].astimezone(UTC), _EARLIEST), _LATEST))
    document.add_integer("words_hash", hash_words(row["text"] or ""))
    return document


@contextmanager
def engine_errors_of(part: int) -> Iterator[None]:
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


def _line(document: Document) -> Line:
    fields = {name: values[0] for name, values in document.to_dict().items()}
    return Line(
        fields["call_id"],
        fields["sentence_index"],
        fields["start_ms"],
        fields.get("end_ms"),
        fields["start_time"],
        fields.get("speaker"),
        fields["side"],
        fields["text"],
    )
