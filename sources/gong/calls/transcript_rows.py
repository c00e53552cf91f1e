"""A page of transcripts, laid out as sentences: the hot path, so it works on whole columns, not on rows.

A page of 100 calls holds some 30,000 sentences. Its bytes go through Arrow's own JSON reader with the schema
Gong documents; a page that is not exactly of that shape takes the slower way over Python objects, which
keeps fields that Gong added and mends types. Both ways give the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from ..tables.records import InvalidRecordError, decode_record, hash_bytes, id_text, object_list_field
from ..tables.table import LOAD_ID
from ..tables.table_builder import ARROW_TYPES, ColumnTypes, TableBuilder, empty_table
from .tables import SENTENCES_TABLE, TRANSCRIPTS_TABLE

_SENTENCE = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("text", pa.string())])
_MONOLOGUE = pa.struct([("speakerId", pa.string()), ("topic", pa.string()), ("sentences", pa.list_(_SENTENCE))])
_TRANSCRIPT = pa.schema([("callId", pa.string()), ("transcript", pa.list_(_MONOLOGUE))])


class _Head(msgspec.Struct, rename="camel"):
    """The one field of a transcript that is needed before the rest is looked at."""

    call_id: str | int


@dataclass(frozen=True, slots=True)
class Transcript:
    """A record of POST /v2/calls/transcript before it is laid out.

    Attributes:
        call_id: The call it belongs to.
        content_hash: A fingerprint of the JSON as sent.
        json: The JSON as sent.
    """

    call_id: str
    content_hash: str
    json: msgspec.Raw | bytes

    @classmethod
    def of(cls, record: msgspec.Raw | bytes) -> Transcript:
        """The transcript in a record.

        Raises:
            InvalidRecordError: It names no call.
        """
        try:
            call_id = str(msgspec.json.decode(record, type=_Head).call_id)
        except msgspec.ValidationError as failure:
            raise InvalidRecordError(f"callId: {failure}") from failure
        if not call_id:
            raise InvalidRecordError("callId is empty")
        return cls(call_id, hash_bytes(record), record)


def transcript_tables(
    transcripts: Sequence[Transcript], types: ColumnTypes, *, synced_at: datetime
) -> dict[str, pa.Table]:
    """Transcripts as rows of `transcripts` and `transcript_sentences`.

    Args:
        transcripts: One a call.
        types: Types of columns that were added before.
        synced_at: When the run began.

    Raises:
        InvalidRecordError: A transcript is not what Gong documents, so that its sentences cannot be told.
    """
    try:
        laid_out = _by_columns(transcripts)
    except pa.ArrowException:
        laid_out = _by_rows(transcripts, types)
    return {
        "transcripts": _summaries(transcripts, laid_out, synced_at),
        "transcript_sentences": laid_out.sentences,
    }


@dataclass(frozen=True, slots=True)
class _LaidOut:
    """The sentences of all transcripts in order, and how many monologues and sentences each transcript has."""

    sentences: pa.Table
    monologue_counts: pa.Array
    sentence_counts: pa.Array


def _by_columns(transcripts: Sequence[Transcript]) -> _LaidOut:
    lines = b"\n".join([transcript.json for transcript in transcripts])
    page = pa.json.read_json(
        pa.BufferReader(lines),
        read_options=pa.json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=pa.json.ParseOptions(
            explicit_schema=_TRANSCRIPT, newlines_in_values=True, unexpected_field_behavior="error"
        ),
    ).combine_chunks()
    monologue_lists = page["transcript"].combine_chunks()
    monologues = monologue_lists.flatten()
    sentence_lists = monologues.field("sentences")
    sentences = sentence_lists.flatten()
    if monologues.null_count or sentences.null_count:
        raise pa.ArrowInvalid("nulls among monologues or sentences, which are no rows")
    call_of_monologue = pc.list_parent_indices(monologue_lists)
    monologue_of_sentence = pc.list_parent_indices(sentence_lists)
    call_of_sentence = call_of_monologue.take(monologue_of_sentence)
    monologue_counts, sentence_counts = _lengths(monologue_lists), _lengths(sentence_lists)
    count = len(sentences)
    # Places in the flattened values: where each call's monologues and sentences begin.
    first_monologue = _bounds(monologue_counts)
    first_sentence = _bounds(sentence_counts).take(first_monologue)
    columns = {
        "call_id": page["callId"].combine_chunks().take(call_of_sentence),
        "sentence_index": pc.subtract(pa.arange(0, count), first_sentence.take(call_of_sentence)),
        "monologue_index": pc.subtract(monologue_of_sentence, first_monologue.take(call_of_sentence)),
        "speaker_id": monologues.field("speakerId").take(monologue_of_sentence),
        "topic": monologues.field("topic").take(monologue_of_sentence),
        "start_ms": sentences.field("start"),
        "end_ms": sentences.field("end"),
        "text": sentences.field("text"),
        "_removed": pa.nulls(count, pa.bool_()),
    }
    declared = empty_table(SENTENCES_TABLE).schema
    arrays = [columns[name].cast(declared.field(name).type) for name in declared.names]
    return _LaidOut(pa.table(arrays, schema=declared), monologue_counts, pc.pairwise_diff(first_sentence)[1:])


def _lengths(lists: pa.ListArray) -> pa.Array:
    return pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int64())


def _bounds(lengths: pa.Array) -> pa.Array:
    """Where stretches of these lengths begin, and behind them where the last one ends."""
    return pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)])


def _by_rows(transcripts: Sequence[Transcript], types: ColumnTypes) -> _LaidOut:
    sheet = TableBuilder(SENTENCES_TABLE, types)
    monologue_counts: list[int] = []
    sentence_counts: list[int] = []
    for transcript in transcripts:
        record: dict[str, Any] = decode_record(transcript.json)
        call_id, index = id_text(record.get("callId")), 0
        monologues = object_list_field(record, "transcript")
        monologue_counts.append(len(monologues))
        more = {f"transcript__{name}": value for name, value in record.items() if name not in ("callId", "transcript")}
        for at, monologue in enumerate(monologues):
            added = more | {
                f"monologue__{name}": value
                for name, value in monologue.items()
                if name not in ("speakerId", "topic", "sentences")
            }
            for sentence in object_list_field(monologue, "sentences"):
                ours = (call_id, index, at, _text(monologue.get("speakerId")), _text(monologue.get("topic")))
                sheet.add(ours, {**added, **sentence})
                index += 1
        sentence_counts.append(index)
    counts = pa.array(monologue_counts, pa.int64()), pa.array(sentence_counts, pa.int64())
    return _LaidOut(sheet.build(), *counts)


def _text(value: object) -> str | None:
    return None if value is None else id_text(value)


def _summaries(transcripts: Sequence[Transcript], laid_out: _LaidOut, synced_at: datetime) -> pa.Table:
    sentences, bounds = laid_out.sentences, _bounds(laid_out.sentence_counts)
    # Words are what ASCII white space separates: six times as fast as Unicode's notion, and the same for speech.
    trimmed = pc.ascii_trim_whitespace(sentences["text"])
    words = pc.if_else(pc.equal(trimmed, ""), 0, pc.list_value_length(pc.ascii_split_whitespace(trimmed)))
    columns: dict[str, Any] = {
        "call_id": [transcript.call_id for transcript in transcripts],
        "monologue_count": laid_out.monologue_counts.to_pylist(),
        "sentence_count": laid_out.sentence_counts.to_pylist(),
        "word_count": _sums(words, bounds),
        "speech_ms": _sums(pc.subtract(sentences["end_ms"], sentences["start_ms"]), bounds),
        "_content_hash": [transcript.content_hash for transcript in transcripts],
        "_synced_at": [synced_at] * len(transcripts),
        LOAD_ID: [None] * len(transcripts),
        "_removed": [None] * len(transcripts),
    }
    declared = empty_table(TRANSCRIPTS_TABLE).schema
    return pa.table(
        [pa.array(columns[column.name], ARROW_TYPES[column.type]) for column in TRANSCRIPTS_TABLE.columns],
        schema=declared,
    )


def _sums(values: pa.ChunkedArray, bounds: pa.Array) -> list[int]:
    """The sum of each stretch of values; what is null counts nothing."""
    so_far = _bounds(pc.fill_null(values, 0).cast(pa.int64()).combine_chunks())
    sums: list[int] = pc.pairwise_diff(so_far.take(bounds))[1:].to_pylist()
    return sums
