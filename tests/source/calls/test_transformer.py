"""Transformers: pages of calls and transcripts become tables, by privacy settings and known content hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from sources.gong.calls.transformer import CallTransformer, TranscriptTransformer, TransformContext, TransformedPage
from sources.gong.metrics import RunMetrics
from sources.gong.settings import PrivateCalls
from sources.gong.tables.column_types import DataType
from sources.gong.tables.known_hashes import KnownHashes
from tests.support.gong_api import Json

SYNCED_AT = datetime(2026, 3, 2, tzinfo=UTC)


class DeclaredTypes:
    """Column types of a warehouse without added columns."""

    def type_of(self, _table: str, _column: str) -> DataType | None:
        """Return None: no column was added."""
        return None

    def remember(self, _table: str, _column: str, _type: DataType) -> None:
        """Ignore the type of a new column."""


def build_context(
    *, private_calls: PrivateCalls = "exclude", known_hashes: KnownHashes | None = None, initial_load: bool = False
) -> TransformContext:
    """Return a context with its own metrics."""
    return TransformContext(
        private_calls=private_calls,
        known_hashes=known_hashes,
        types=DeclaredTypes(),
        metrics=RunMetrics(),
        started_at=SYNCED_AT,
        initial_load=initial_load,
    )


def build_known_hashes(**hashes: Mapping[str, str]) -> KnownHashes:
    """Return the content hashes of a warehouse, by resource and record id."""
    return KnownHashes.from_batches({resource: [list(pairs.items())] for resource, pairs in hashes.items()})


def transform_calls(*records: bytes, **options: Any) -> TransformedPage:
    """Return the tables of one page of calls; the options are those of `build_context`."""
    return CallTransformer(build_context(**options)).transform(records, basic=False)


def transform_transcripts(*records: bytes, requested: str = "1", **options: Any) -> Mapping[str, pa.Table]:
    """Return the tables of one page of transcripts; the options are those of `build_context`."""
    return TranscriptTransformer(build_context(**options)).transform(records, {requested})


def build_call(call_id: str = "1", *, started: str = "2026-03-01T10:00:00Z", **metadata: Any) -> bytes:
    """Return a call with one party and one topic, as Gong sends it."""
    record: Json = {
        "metaData": {"id": call_id, "started": started, "scheduled": started, "isPrivate": False, **metadata},
        "parties": [{"id": f"{call_id}1", "affiliation": "Internal"}],
        "content": {"topics": [{"name": "Pricing", "duration": 60}]},
    }
    return json.dumps(record).encode()


def build_transcript(call_id: str = "1", *texts: str) -> bytes:
    """Return a transcript with one monologue, as Gong sends it."""
    sentences = [{"start": 1000 * n, "end": 1000 * n + 500, "text": text} for n, text in enumerate(texts)]
    monologues = [{"speakerId": "7", "topic": "Intro", "sentences": sentences}] if texts else []
    return json.dumps({"callId": call_id, "transcript": monologues}).encode()


def read_column(tables: Mapping[str, pa.Table], table: str, column: str) -> Sequence[Any]:
    """Return the values of a column."""
    values: Sequence[Any] = tables[table].column(column).to_pylist()
    return values


def hash_content(record: bytes) -> str:
    """Return the content hash with which a call is written."""
    (content_hash,) = read_column(transform_calls(record).tables, "calls", "_content_hash")
    return str(content_hash)


def test_a_call_becomes_rows_of_its_tables() -> None:
    """One page fills the call's table and its child tables."""
    page = transform_calls(build_call("1"), build_call("2"), initial_load=True)

    assert read_column(page.tables, "calls", "id") == ["1", "2"]
    assert read_column(page.tables, "call_parties", "call_id") == ["1", "2"]
    assert read_column(page.tables, "call_topics", "name") == ["Pricing", "Pricing"]
    assert [call_id for call_id, _ in page.transcript_candidates] == ["1", "2"]


def test_a_repeated_call_is_written_once() -> None:
    """Gong may repeat a record on the next page."""
    transformer = CallTransformer(build_context())
    transformer.transform([build_call("1")], basic=False)
    page = transformer.transform([build_call("1"), build_call("2")], basic=False)

    assert read_column(page.tables, "calls", "id") == ["2"]
    assert transformer.has_seen("1")


def test_an_unchanged_call_is_not_written() -> None:
    """A call with a known content hash has no rows, but its transcript may still be pending."""
    record = build_call("1")

    page = transform_calls(record, known_hashes=build_known_hashes(calls={"1": hash_content(record)}))

    assert page.tables == {}
    assert [call_id for call_id, _ in page.transcript_candidates] == ["1"]


def test_a_changed_call_replaces_all_its_child_rows() -> None:
    """Tables in which the call has no rows any more receive a tombstone."""
    known_hashes = build_known_hashes(calls={"1": "outdated"})

    tables = transform_calls(build_call("1", title="Renamed"), known_hashes=known_hashes).tables

    assert read_column(tables, "calls", "title") == ["Renamed"]
    assert read_column(tables, "call_trackers", "call_id") == ["1"]
    assert read_column(tables, "call_trackers", "_removed") == [True]


def test_an_initial_load_writes_no_tombstones() -> None:
    """Nothing can be deleted from empty tables."""
    tables = transform_calls(build_call("1"), initial_load=True).tables

    assert "call_trackers" not in tables


@pytest.mark.parametrize("is_private", [True, "unknown", 1])
def test_a_call_that_may_be_private_is_excluded(is_private: object) -> None:
    """A value that is neither true nor false is treated as private."""
    context = build_context(initial_load=True)

    page = CallTransformer(context).transform([build_call("1", isPrivate=is_private)], basic=False)

    assert page.tables == {}
    assert page.transcript_candidates == []
    assert context.metrics.private_calls == {"1"}


def test_private_calls_keep_their_metadata_if_configured() -> None:
    """With `private_calls = "metadata"`, neither parties nor content are written."""
    page = transform_calls(build_call("1", isPrivate=True), private_calls="metadata", initial_load=True)

    assert read_column(page.tables, "calls", "id") == ["1"]
    assert "call_parties" not in page.tables
    assert page.transcript_candidates == []


def test_a_call_that_turned_private_is_removed() -> None:
    """Calls, child rows and transcripts that the warehouse may have receive tombstones."""
    known_hashes = build_known_hashes(calls={"1": "hash"}, transcripts={"1": "hash"})

    page = transform_calls(build_call("1", isPrivate=True), known_hashes=known_hashes)

    assert read_column(page.tables, "calls", "_removed") == [True]
    assert read_column(page.transcript_tables, "transcripts", "_removed") == [True]
    assert read_column(page.transcript_tables, "transcript_sentences", "_removed") == [True]


def test_an_invalid_call_is_rejected_without_the_others() -> None:
    """One record without an id does not stop its page."""
    page = transform_calls(b'{"metaData": {"isPrivate": false}}', build_call("2"), initial_load=True)

    assert read_column(page.tables, "calls", "id") == ["2"]
    assert read_column(page.tables, "_rejected", "resource") == ["calls"]


def test_a_sorted_page_reports_how_far_it_reaches() -> None:
    """The bookmark may move to the last call of an ascending page."""
    first, last = build_call("1", started="2026-03-01T10:00:00Z"), build_call("2", started="2026-03-01T12:00:00Z")

    assert transform_calls(first, last).complete_until == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert transform_calls(last, first).complete_until is None


def test_a_transcript_becomes_sentences() -> None:
    """Sentences are numbered within their call."""
    tables = transform_transcripts(build_transcript("1", "Hello.", "Goodbye."), initial_load=True)

    assert read_column(tables, "transcripts", "sentence_count") == [2]
    assert read_column(tables, "transcript_sentences", "sentence_index") == [0, 1]
    assert read_column(tables, "transcript_sentences", "text") == ["Hello.", "Goodbye."]


def test_transcripts_that_were_not_requested_are_ignored() -> None:
    """An unrequested transcript may belong to a private call."""
    assert transform_transcripts(build_transcript("2", "Hello.")) == {}


def test_an_empty_transcript_deletes_old_sentences() -> None:
    """A transcript that Gong emptied leaves no sentences."""
    tables = transform_transcripts(build_transcript("1"))

    assert read_column(tables, "transcripts", "sentence_count") == [0]
    assert read_column(tables, "transcript_sentences", "_removed") == [True]
