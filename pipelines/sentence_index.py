"""An index of all sentences of the marts, beside the working folder: a cache that follows the marts and can be lost.

Sentences of a call that changed are taken out and put in anew. The words of a call that has gone, because it was erased
or turned private, must not stay on the disk; tantivy would keep them until it happens to merge, so then the index is
made from scratch.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tantivy import Document, FieldType, Index, Occur, Order, Query, Schema, SchemaBuilder

from .marts import Marts

# Another number makes every index anew.
_VERSION = "1"
_CALLS_AT_ONCE = 500
_HEAP_BYTES = 256_000_000
_THREADS = 2
# No moment of a call: its sentences are being written.
_UNFINISHED = -1

_STATE = """
SELECT count(*) AS calls, coalesce(sum({moment}), 0) AS moments FROM {marts}.int_transcribed_calls
"""
_CALLS = "SELECT call_id, {moment} AS moment FROM {marts}.int_transcribed_calls"
_MOMENT = "CAST(extract(epoch FROM _synced_at) * 1000 AS bigint)"
_LINES = """
SELECT lines.call_id, lines.sentence_index, lines.start_ms, lines.start_time, lines.speaker_name, lines.side,
    lines.text, calls.started
FROM {marts}.transcript_lines AS lines
LEFT JOIN {marts}.calls_enriched AS calls ON calls.call_id = lines.call_id
WHERE lines.call_id IN ({places})
"""

_LEDGER = pa.schema([("call_id", pa.string()), ("moment", pa.int64())], metadata={"version": _VERSION})


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
    """A sentence that was found, with those around it."""

    score: float
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
    """The index in a folder; made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._ledger = folder / "index", folder / "calls.parquet"

    def is_behind(self, marts: Marts) -> bool:
        """Whether the marts have changed since the index was last written."""
        (state,) = marts.rows(_filled(_STATE, marts))
        calls = self._known()
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
        wanted = {row["call_id"]: int(row["moment"]) for row in marts.rows(_filled(_CALLS, marts))}
        table = self._known()
        known = dict(zip(table["call_id"].to_pylist(), table["moment"].to_pylist(), strict=True))
        if rebuild or not known or known.keys() - wanted.keys():
            known = {}
            self._ledger.unlink(missing_ok=True)
            shutil.rmtree(self._folder, ignore_errors=True)
        changed = [call_id for call_id, moment in wanted.items() if known.get(call_id) != moment]
        if not changed:
            return 0
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Whatever may be in the index is in the ledger, so that a call that goes after a kill is missed here.
        known |= dict.fromkeys(changed, _UNFINISHED)
        self._keep(known)
        index = Index(_schema(), path=str(self._folder))
        writer = index.writer(_HEAP_BYTES, _THREADS)
        for first in range(0, len(changed), _CALLS_AT_ONCE):
            part = changed[first : first + _CALLS_AT_ONCE]
            for call_id in part:
                writer.delete_documents_by_term("call_id", call_id)
            places = ", ".join(["%s"] * len(part))
            for row in marts.rows(_filled(_LINES, marts, places=places), *part):
                writer.add_document(_document(row))
            writer.commit()
            known |= {call_id: wanted[call_id] for call_id in part}
            self._keep(known)
            progress(first + len(part), len(changed))
        writer.wait_merging_threads()
        return len(changed)

    def find(self, wanted: Wanted) -> Found:
        """The sentences, best match first."""
        if not Index.exists(str(self._folder)):
            return Found((), 0, "all words")
        index = Index.open(str(self._folder))
        searcher, schema = index.searcher(), index.schema
        order: Mapping[str, Any] = {"order_by_field": "started", "order": Order.Desc} if wanted.newest else {}
        for match in ("all words", "any word"):
            query = _query(index, schema, wanted, every_word=match == "all words")
            result = searcher.search(query, limit=wanted.limit, **order)
            if result.hits or match == "any word":
                break
        hits = []
        for score, address in result.hits:
            line = _line(searcher.doc(address).to_dict())
            around = _around(searcher, schema, line, wanted.context)
            at = line.sentence_index
            hits.append(
                Hit(
                    round(float(score or 0), 3),
                    line,
                    [other for other in around if other.sentence_index < at],
                    [other for other in around if other.sentence_index > at],
                )
            )
        # The package's types do not know it.
        count: int = result.count  # type: ignore[attr-defined]
        return Found(hits, count, match)

    def _known(self) -> pa.Table:
        if not self._ledger.exists() or not Index.exists(str(self._folder)):
            return _LEDGER.empty_table()
        table = pq.read_table(self._ledger)
        of_this_version = (table.schema.metadata or {}).get(b"version") == _VERSION.encode()
        return table if of_this_version else _LEDGER.empty_table()

    def _keep(self, known: Mapping[str, int]) -> None:
        part = self._ledger.with_suffix(".part")
        pq.write_table(pa.table([list(known), list(known.values())], schema=_LEDGER), part)
        part.replace(self._ledger)


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


def _query(index: Index, schema: Schema, wanted: Wanted, *, every_word: bool) -> Query:
    asked, mistakes = index.parse_query_lenient(wanted.words, ["text"], conjunction_by_default=every_word)
    if mistakes:
        # No query language after all, but words: "Budget: none (yet)".
        words = " ".join(re.findall(r"\w+", wanted.words)).lower()
        asked = index.parse_query(words, ["text"], conjunction_by_default=every_word)
    parts = [(Occur.Must, asked)]
    if wanted.side is not None:
        parts.append((Occur.Must, Query.const_score_query(Query.term_query(schema, "side", wanted.side), 0.0)))
    if wanted.calls is not None:
        calls = Query.term_set_query(schema, "call_id", list(wanted.calls))
        parts.append((Occur.Must, Query.const_score_query(calls, 0.0)))
    if wanted.since is not None or wanted.until is not None:
        bounds = (wanted.since or datetime(1970, 1, 1, tzinfo=UTC), wanted.until or datetime(2200, 1, 1, tzinfo=UTC))
        within = Query.range_query(schema, "started", FieldType.Date, *bounds, include_upper=False)
        parts.append((Occur.Must, Query.const_score_query(within, 0.0)))
    return Query.boolean_query(parts)


def _around(searcher: Any, schema: Schema, line: Line, context: int) -> list[Line]:
    if context == 0:
        return []
    at = line.sentence_index
    near = Query.range_query(schema, "sentence_index", FieldType.Integer, at - context, at + context)
    query = Query.boolean_query([(Occur.Must, Query.term_query(schema, "call_id", line.call_id)), (Occur.Must, near)])
    found = searcher.search(query, limit=2 * context + 1)
    return sorted(
        (_line(searcher.doc(address).to_dict()) for _, address in found.hits), key=lambda other: other.sentence_index
    )


def _line(stored: Mapping[str, Sequence[Any]]) -> Line:
    one = {name: values[0] for name, values in stored.items()}
    return Line(
        one["call_id"],
        one["sentence_index"],
        one["start_ms"],
        one["start_time"],
        one.get("speaker"),
        one["side"],
        one["text"],
    )


def _filled(sql: str, marts: Marts, **more: str) -> str:
    return sql.format(marts=marts.schema, moment=_MOMENT, **more)
