"""Properties of calls and transcripts: rows do not depend on order, pages or repetition, and no field is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from dlt.common.schema import Schema
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.gong.calls.call_rows import call_rows, content_hash
from sources.gong.calls.transcript_rows import Transcript, _parse_with_arrow, _parse_with_python, transcript_tables
from sources.gong.calls.transformer import CallTransformer, TranscriptTransformer, TransformContext
from sources.gong.metrics import RunMetrics
from sources.gong.tables.column_types import KnownColumns
from tests.source.strategies import ANY, JSON, TEXTS


def _transcripts(monologue_lists: list[Any]) -> list[Transcript]:
    return [
        Transcript.of(json.dumps({"callId": str(number), "transcript": monologues}).encode())
        for number, monologues in enumerate(monologue_lists)
    ]


@given(st.dictionaries(TEXTS, JSON, max_size=4), st.randoms())
def test_a_content_hash_does_not_depend_on_the_order_of_keys_nor_on_media(content: dict[str, Any], random: Any) -> None:
    """Reordered keys and newly signed URLs do not rewrite a call; any other change does."""
    record = {"metaData": {"id": "1", **content}, "content": content, "parties": [content]}
    hashed = content_hash({**record, "media": {"audioUrl": "https://signed.example"}})
    assert content_hash(_shuffled(record, random)) == hashed
    assert content_hash({**record, "title": "another"}) != hashed


def _shuffled(value: Any, random: Any) -> Any:
    """Return the same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        fields = [(name, _shuffled(inner, random)) for name, inner in value.items()]
        random.shuffle(fields)
        return dict(fields)
    return [_shuffled(inner, random) for inner in value] if isinstance(value, list) else value


SENTENCES = st.fixed_dictionaries({"start": st.integers(0, 10**7), "end": st.integers(0, 10**7), "text": TEXTS})
MONOLOGUES = st.fixed_dictionaries(
    {"speakerId": st.none() | st.integers(0, 10**19).map(str), "topic": st.none() | TEXTS},
    optional={"sentences": st.none() | st.lists(SENTENCES, max_size=4)},
)


@given(st.lists(st.none() | st.lists(MONOLOGUES, max_size=4), min_size=1, max_size=5))
@settings(max_examples=200)
def test_both_transcript_parsers_return_the_same_tables(transcripts: list[Any]) -> None:
    """A page that needs the slow parser has the same rows and schema."""
    records = _transcripts(transcripts)
    fast, slow = _parse_with_arrow(records), _parse_with_python(records, KnownColumns(Schema("gong")))
    assert fast == slow
    assert fast.sentences.schema.equals(slow.sentences.schema)


@given(st.lists(st.lists(MONOLOGUES, max_size=4), min_size=1, max_size=6), st.integers(1, 5))
def test_the_size_of_pages_does_not_change_transcripts(transcripts: list[Any], size: int) -> None:
    """Any split of transcripts into pages results in the same rows."""
    records = _transcripts(transcripts)
    when = datetime(2026, 1, 1, tzinfo=UTC)

    def sentence_rows(pages: list[list[Transcript]]) -> list[dict[str, Any]]:
        tables = [transcript_tables(page, KnownColumns(Schema("gong")), synced_at=when) for page in pages]
        rows: list[dict[str, Any]] = pa.concat_tables([table["transcript_sentences"] for table in tables]).to_pylist()
        return rows

    assert sentence_rows([records]) == sentence_rows([records[at : at + size] for at in range(0, len(records), size)])


NOT_OBJECTS = st.none() | st.booleans() | st.integers() | TEXTS | st.lists(st.integers(), max_size=2)
"""Without undeclared fields, because their column keeps the type of the first page."""

OBJECTS = st.none() | st.lists(
    st.fixed_dictionaries({}, optional={"id": ANY, "name": ANY, "duration": ANY}), max_size=2
)
CALLS = st.fixed_dictionaries(
    {"metaData": st.fixed_dictionaries({}, optional=dict.fromkeys(("title", "started", "scheduled", "duration"), ANY))},
    optional={
        "parties": OBJECTS | NOT_OBJECTS,
        "content": st.fixed_dictionaries({}, optional={"topics": OBJECTS, "structure": OBJECTS, "brief": ANY})
        | NOT_OBJECTS,
        "context": OBJECTS,
    },
)


@given(
    st.lists(CALLS | st.none() | st.integers(), min_size=1, max_size=8),
    st.lists(st.integers(0, 7), max_size=6),
    st.randoms(),
    st.integers(1, 5),
)
@settings(max_examples=150)
def test_order_and_repetition_do_not_change_calls(
    calls: list[Any], repeated: list[int], random: Any, size: int
) -> None:
    """Any order, split and repetition of calls results in the same rows and rejects."""
    for number, call in enumerate(calls):
        if isinstance(call, dict) and number % 4 != 3:
            call["metaData"]["id"] = str(number)
    records = [json.dumps(call).encode() for call in calls]
    mixed = [*records, *(records[number % len(records)] for number in repeated)]
    random.shuffle(mixed)
    plain, shuffled = _Run(), _Run()
    for page, run in ((records, plain), *((mixed[at : at + size], shuffled) for at in range(0, len(mixed), size))):
        result = run.calls.transform(page, basic=False)
        run.take(result.tables)
    assert shuffled.rows == plain.rows
    assert shuffled.context.metrics.rejected == plain.context.metrics.rejected


INVALID_SENTENCES = st.fixed_dictionaries({}, optional={"start": ANY, "end": ANY, "text": ANY})
INVALID_MONOLOGUES = st.fixed_dictionaries(
    {},
    optional={
        "speakerId": ANY,
        "topic": ANY,
        "sentences": st.lists(st.none() | SENTENCES | INVALID_SENTENCES, max_size=3) | NOT_OBJECTS,
    },
)


@given(
    st.lists(st.lists(st.none() | MONOLOGUES | INVALID_MONOLOGUES, max_size=3) | NOT_OBJECTS, min_size=1, max_size=6),
    st.lists(st.integers(0, 5), max_size=4),
    st.randoms(),
    st.integers(1, 4),
)
@settings(max_examples=150)
def test_order_and_repetition_do_not_change_transcripts(
    transcripts: list[Any], repeated: list[int], random: Any, size: int
) -> None:
    """The same for transcripts, including invalid ones, which send their page to the slow parser."""
    records = [
        json.dumps({"callId": str(number), "transcript": monologues}).encode()
        for number, monologues in enumerate(transcripts)
    ]
    requested = [str(number) for number in range(len(records))]
    mixed = [*records, *(records[number % len(records)] for number in repeated)]
    random.shuffle(mixed)
    plain, shuffled = _Run(), _Run()
    for page, run in ((records, plain), *((mixed[at : at + size], shuffled) for at in range(0, len(mixed), size))):
        run.take(run.transcripts.transform(page, requested))
    assert shuffled.rows == plain.rows
    assert shuffled.context.metrics.rejected == plain.context.metrics.rejected
    assert {row["call_id"] for row in _rows_of(plain.rows, "transcripts")} | {
        row["id"] for row in _rows_of(plain.rows, "_rejected")
    } == set(requested)


def _transform_context() -> TransformContext:
    return TransformContext(
        private_calls="exclude",
        known_hashes=None,
        types=KnownColumns(Schema("gong")),
        metrics=RunMetrics(),
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


class _Run:
    """Transformers of one run, and the rows that they returned, unordered and without nulls."""

    def __init__(self) -> None:
        self.context = _transform_context()
        self.calls = CallTransformer(self.context)
        self.transcripts = TranscriptTransformer(self.context)
        self.rows: Counter[tuple[str, str]] = Counter()

    def take(self, tables: Mapping[str, pa.Table]) -> None:
        for name, table in tables.items():
            for row in table.to_pylist():
                values = {column: value for column, value in row.items() if value is not None}
                self.rows[name, json.dumps(values, sort_keys=True, default=str)] += 1


def _rows_of(rows: Counter[tuple[str, str]], table: str) -> list[dict[str, Any]]:
    return [json.loads(row) for name, row in rows if name == table]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(1, 7))
def test_a_repeated_call_is_written_once(ids: list[int], size: int) -> None:
    """A call on several pages has one row."""
    records = [
        json.dumps({"metaData": {"id": str(number), "started": "2026-01-01T00:00:00Z"}}).encode() for number in ids
    ]
    transformer = CallTransformer(_transform_context())
    pages = [transformer.transform(records[at : at + size], basic=False) for at in range(0, len(records), size)]
    written = [row for page in pages if "calls" in page.tables for row in page.tables["calls"]["id"].to_pylist()]
    assert sorted(written) == sorted({str(number) for number in ids})


@given(st.dictionaries(TEXTS, JSON, max_size=5))
def test_no_field_of_a_call_is_lost(added: dict[str, Any]) -> None:
    """Undeclared fields reach the row of the call."""
    added = {f"x{number}{name}": value for number, (name, value) in enumerate(added.items()) if value is not None}
    rows = call_rows({"metaData": {"id": "1", **added}}, content_hash="h", synced_at=datetime(2026, 1, 1, tzinfo=UTC))
    (head,) = [record for table, _, record in rows if table == "calls"]
    assert {name: head[name] for name in added} == added
