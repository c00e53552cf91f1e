"""An index of all sentences of the marts, beside the working folder: a cache that follows the marts and can be lost.

Sentences of a call that changed are taken out and put in anew. The words of a call that has gone, because it was erased
or turned private, must not stay on the disk; tantivy would keep them until it happens to merge, so then the part of
the index that has them is made from scratch.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from tantivy import DocAddress, Document, FieldType, Index, Occur, Order, Query, Schema, SchemaBuilder

from ..marts import Marts
from .manifest import CALLS_A_PART, IndexedCall, IndexLedger

_CALLS_AT_ONCE = 500
_HEAP_BYTES = 256_000_000
_THREADS = 2

_STATE = """
SELECT count(*) AS calls, coalesce(sum({moment}), 0) AS moments FROM {marts}.int_transcribed_calls AS transcribed
"""
_CALLS = """
SELECT transcribed.call_id, {moment} AS moment
FROM {marts}.int_transcribed_calls AS transcribed
LEFT JOIN {marts}.calls_enriched AS calls ON calls.call_id = transcribed.call_id
ORDER BY calls.started, transcribed.call_id
"""
_MOMENT = "CAST(extract(epoch FROM transcribed._synced_at) * 1000 AS bigint)"
_LINES = """
SELECT lines.call_id, lines.sentence_index, lines.start_ms, lines.start_time, lines.speaker_name, lines.side,
    lines.text, calls.started
FROM {marts}.transcript_lines AS lines
LEFT JOIN {marts}.calls_enriched AS calls ON calls.call_id = lines.call_id
WHERE lines.call_id IN ({places})
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence with its place.

    Attributes:
        start_time: Begin as `hh:mm:ss` from the begin of the call.
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
    """A sentence that was found, with those around it.

    Attributes:
        score: How well it matches, by BM25; None where the newest call comes first.
    """

    score: float | None
    line: Line
    before: Sequence[Line]
    after: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    Attributes:
        words: In the user's words; "in quotes" side by side, OR, -without.
        side: Only what this side says.
        calls: Only these calls; None for all.
        since, until: Only calls that began within; None for no bound.
        limit: How many sentences.
        context: How many sentences around each.
        newest: Whether the newest call comes first, and not the best match.
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
class Found:
    """What was found.

    Attributes:
        hits: The first of them.
        count: How many sentences there are.
        match: Whether all words are in each sentence; if no sentence has them all, any of them counts.
    """

    hits: Sequence[Hit]
    count: int
    match: str


class SentenceIndex:
    """The index in a folder; made when it is first needed, in parts of so many calls."""

    def __init__(self, folder: Path, calls_a_part: int = CALLS_A_PART) -> None:
        self._ledger = IndexLedger(folder, calls_a_part)

    def is_behind(self, marts: Marts) -> bool:
        """Whether the marts have changed since the index was last written."""
        (state,) = marts.rows(_filled(_STATE, marts))
        calls = self._ledger.table()
        return (calls.num_rows, pc.sum(calls["moment"]).as_py() or 0) != (state["calls"], int(state["moments"]))

    def refresh(self, marts: Marts, progress: Callable[[int, int], None], *, rebuild: bool = False) -> int:
        """Brings the index up to the marts; killed, it goes on where it was.

        Args:
            marts: What is to be found.
            progress: Is told how many calls are done, of how many.
            rebuild: Whether to make it from scratch.

        Returns:
            Calls whose sentences were written.
        """
        if rebuild:
            self._ledger.forget()
        wanted = {row["call_id"]: int(row["moment"]) for row in marts.rows(_filled(_CALLS, marts))}
        before = self._ledger.read()
        known = self._ledger.without(before, before.keys() - wanted.keys())
        changed = [
            call_id for call_id, moment in wanted.items() if call_id not in known or known[call_id].moment != moment
        ]
        placed = self._ledger.placed(known, changed)
        # Whatever may be in the index is in the ledger, so that a call that goes after a kill is missed here.
        known |= placed
        self._ledger.write(known)
        of_part: defaultdict[int, list[str]] = defaultdict(list)
        for call_id, kept in placed.items():
            of_part[kept.part].append(call_id)
        done = 0
        for part, calls in of_part.items():
            folder = self._ledger.part(part)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            writer = Index(_schema(), path=str(folder)).writer(_HEAP_BYTES, _THREADS)
            for first in range(0, len(calls), _CALLS_AT_ONCE):
                some = calls[first : first + _CALLS_AT_ONCE]
                for call_id in some:
                    writer.delete_documents_by_term("call_id", call_id)
                places = ", ".join(["%s"] * len(some))
                for row in marts.rows(_filled(_LINES, marts, places=places), *some):
                    writer.add_document(_document(row))
                writer.commit()
                known |= {call_id: IndexedCall(wanted[call_id], part) for call_id in some}
                self._ledger.write(known)
                done += len(some)
                progress(done, len(changed))
            writer.wait_merging_threads()
        return len(changed)

    def find(self, wanted: Wanted) -> Found:
        """The sentences, best match first."""
        parts = self._parts(wanted.calls)
        for match in ("all words", "any word"):
            matches = [part.matches(wanted, every_word=match == "all words") for part in parts]
            if count := sum(counted for counted, _ in matches):
                break
        best = sorted((one for _, some in matches for one in some), key=lambda one: one.rank, reverse=True)
        return Found([one.part.hit(one, wanted) for one in best[: wanted.limit]], count, match)

    def _parts(self, calls: Sequence[str] | None) -> list[_Part]:
        """The parts that have any of the calls, each with those it has; None for all."""
        table = self._ledger.table()
        if calls is not None:
            table = table.filter(pc.is_in(table["call_id"], pa.array(calls, pa.string())))
        numbers = sorted(pc.unique(table["part"]).to_pylist())
        return [
            _Part(
                Index.open(str(self._ledger.part(number))),
                None if calls is None else table.filter(pc.equal(table["part"], number))["call_id"].to_pylist(),
            )
            for number in numbers
        ]


class _Match(NamedTuple):
    """A sentence that was found: the greater rank comes first."""

    rank: float
    part: _Part
    address: DocAddress


class _Part:
    """A part of the index, open for questions on these of its calls; None for all."""

    def __init__(self, index: Index, calls: list[str] | None) -> None:
        self._index, self._searcher, self._calls = index, index.searcher(), calls

    def matches(self, wanted: Wanted, *, every_word: bool) -> tuple[int, list[_Match]]:
        """How many sentences there are, and the first of them."""
        order: Mapping[str, Any] = {"order_by_field": "started", "order": Order.Desc} if wanted.newest else {}
        result = self._searcher.search(self._query(wanted, every_word=every_word), limit=wanted.limit, **order)
        matches = [_Match(-math.inf if rank is None else rank, self, address) for rank, address in result.hits]
        # The package's types do not know it.
        count: int = result.count  # type: ignore[attr-defined]
        return count, matches

    def hit(self, match: _Match, wanted: Wanted) -> Hit:
        """The sentence with those around it."""
        line = self._line(match.address)
        around = self._around(line, wanted.context)
        return Hit(
            None if wanted.newest else round(match.rank, 3),
            line,
            [other for other in around if other.sentence_index < line.sentence_index],
            [other for other in around if other.sentence_index > line.sentence_index],
        )

    def _query(self, wanted: Wanted, *, every_word: bool) -> Query:
        schema = self._index.schema
        asked, mistakes = self._index.parse_query_lenient(wanted.words, ["text"], conjunction_by_default=every_word)
        if mistakes:
            # No query language after all, but words: "Budget: none (yet)".
            words = " ".join(re.findall(r"\w+", wanted.words)).lower()
            asked = self._index.parse_query(words, ["text"], conjunction_by_default=every_word)
        conditions = []
        if wanted.side is not None:
            conditions.append(Query.term_query(schema, "side", wanted.side))
        if self._calls is not None:
            conditions.append(Query.term_set_query(schema, "call_id", self._calls))
        if wanted.since is not None or wanted.until is not None:
            since = wanted.since or datetime(1970, 1, 1, tzinfo=UTC)
            until = wanted.until or datetime(2200, 1, 1, tzinfo=UTC)
            conditions.append(Query.range_query(schema, "started", FieldType.Date, since, until, include_upper=False))
        return Query.boolean_query(
            [(Occur.Must, asked), *((Occur.Must, Query.const_score_query(one, 0.0)) for one in conditions)]
        )

    def _around(self, line: Line, context: int) -> list[Line]:
        if context == 0:
            return []
        schema, at = self._index.schema, line.sentence_index
        near = Query.range_query(schema, "sentence_index", FieldType.Integer, at - context, at + context)
        of_the_call = Query.term_query(schema, "call_id", line.call_id)
        query = Query.boolean_query([(Occur.Must, of_the_call), (Occur.Must, near)])
        found = self._searcher.search(query, limit=2 * context + 1)
        return sorted((self._line(address) for _, address in found.hits), key=lambda other: other.sentence_index)

    def _line(self, address: DocAddress) -> Line:
        one = {name: values[0] for name, values in self._searcher.doc(address).to_dict().items()}
        return Line(
            one["call_id"],
            one["sentence_index"],
            one["start_ms"],
            one["start_time"],
            one.get("speaker"),
            one["side"],
            one["text"],
        )


def _schema() -> Schema:
    build = SchemaBuilder()
    build.add_text_field("call_id", stored=True, tokenizer_name="raw", index_option="basic")
    build.add_integer_field("sentence_index", stored=True, indexed=True, fast=True)
    build.add_integer_field("start_ms", stored=True)
    build.add_text_field("start_time", stored=True, tokenizer_name="raw", index_option="basic")
    build.add_text_field("speaker", stored=True, tokenizer_name="raw", index_option="basic")
    build.add_text_field("side", stored=True, tokenizer_name="raw", index_option="basic")
    # Words are found in all their English forms; words of other languages as they are written.
    build.add_text_field("text", stored=True, tokenizer_name="en_stem")
    build.add_date_field("started", indexed=True, fast=True)
    return build.build()


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
        document.add_date("started", row["started"].astimezone(UTC))
    return document


def _filled(sql: str, marts: Marts, **more: str) -> str:
    return sql.format(marts=marts.schema, moment=_MOMENT, **more)
