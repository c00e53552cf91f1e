"""Map transcripts to rows of sentences. This is the hot path, so it works on columns, not on rows.

A page of 100 calls has about 30,000 sentences. Arrow's JSON reader parses it with the documented schema. A page that
does not match the schema exactly takes the slower path through Python objects, which keeps fields that Gong added and
converts types. Both paths return the same tables.
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

from ..tables.column_types import ARROW_TYPES, ColumnTypes
from ..tables.records import InvalidRecordError, decode_record, hash_bytes, id_text, object_list_field
from ..tables.table import LOAD_ID
from ..tables.table_builder import TableBuilder, empty_table
from .tables import SENTENCES_TABLE, TRANSCRIPTS_TABLE

_SENTENCE = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("text", pa.string())])
_MONOLOGUE = pa.struct([("speakerId", pa.string()), ("topic", pa.string()), ("sentences", pa.list_(_SENTENCE))])
_TRANSCRIPT = pa.schema([("callId", pa.string()), ("transcript", pa.list_(_MONOLOGUE))])


class _Head(msgspec.Struct, rename="camel"):
    """The only field that is needed before the rest of a transcript is parsed."""

    call_id: str | int


@dataclass(frozen=True, slots=True)
class Transcript:
    """A record of POST /v2/calls/transcript that is not parsed yet.

    Attributes:
        call_id: Id of the call.
        content_hash: Hash of the JSON as Gong sent it.
        json: The JSON as Gong sent it.
    """

    call_id: str
    content_hash: str
    json: msgspec.Raw | bytes

    @classmethod
    def of(cls, record: msgspec.Raw | bytes) -> Transcript:
        """Return the transcript of a record.

        Raises:
            InvalidRecordError: If the record has no call id.
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
    """Return transcripts as the tables `transcripts` and `transcript_sentences`.

    Args:
        transcripts: At most one per call.
        types: Types of columns that Gong added.
        synced_at: When the run began.

    Raises:
        InvalidRecordError: If a transcript does not have the documented structure.
    """
    try:
        parsed = _parse_with_arrow(transcripts)
    except pa.ArrowException:
        parsed = _parse_with_python(transcripts, types)
    return {
        "transcripts": _build_transcripts(transcripts, parsed, synced_at),
        "transcript_sentences": parsed.sentences,
    }


@dataclass(frozen=True, slots=True)
class _Sentences:
    """The sentences of all transcripts in order, and the number of monologues and sentences per transcript."""

    sentences: pa.Table
    monologue_counts: pa.Array
    sentence_counts: pa.Array


def _parse_with_arrow(transcripts: Sequence[Transcript]) -> _Sentences:
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
        raise pa.ArrowInvalid("null instead of a monologue or sentence")
    call_of_monologue = pc.list_parent_indices(monologue_lists)
    monologue_of_sentence = pc.list_parent_indices(sentence_lists)
    call_of_sentence = call_of_monologue.take(monologue_of_sentence)
    monologue_counts, sentence_counts = _list_lengths(monologue_lists), _list_lengths(sentence_lists)
    count = len(sentences)
    # Offsets in the flattened values at which the monologues and sentences of each call begin.
    first_monologue = _offsets(monologue_counts)
    first_sentence = _offsets(sentence_counts).take(first_monologue)
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
    return _Sentences(pa.table(arrays, schema=declared), monologue_counts, pc.pairwise_diff(first_sentence)[1:])


def _list_lengths(lists: pa.ListArray) -> pa.Array:
    return pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int64())


def _offsets(lengths: pa.Array) -> pa.Array:
    """Return the offsets at which runs of these lengths begin, followed by the end of the last one."""
    return pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths)])


def _parse_with_python(transcripts: Sequence[Transcript], types: ColumnTypes) -> _Sentences:
    builder = TableBuilder(SENTENCES_TABLE, types)
    monologue_counts: list[int] = []
    sentence_counts: list[int] = []
    for transcript in transcripts:
        record: dict[str, Any] = decode_record(transcript.json)
        call_id, index = id_text(record.get("callId")), 0
        monologues = object_list_field(record, "transcript")
        monologue_counts.append(len(monologues))
        transcript_fields = {
            f"transcript__{name}": value for name, value in record.items() if name not in ("callId", "transcript")
        }
        for monologue_index, monologue in enumerate(monologues):
            monologue_fields = transcript_fields | {
                f"monologue__{name}": value
                for name, value in monologue.items()
                if name not in ("speakerId", "topic", "sentences")
            }
            for sentence in object_list_field(monologue, "sentences"):
                connector_values = {
                    "call_id": call_id,
                    "sentence_index": index,
                    "monologue_index": monologue_index,
                    "speaker_id": _text(monologue.get("speakerId")),
                    "topic": _text(monologue.get("topic")),
                }
                builder.add_row(connector_values, {**monologue_fields, **sentence})
                index += 1
        sentence_counts.append(index)
    counts = pa.array(monologue_counts, pa.int64()), pa.array(sentence_counts, pa.int64())
    return _Sentences(builder.build(), *counts)


def _text(value: object) -> str | None:
    return None if value is None else id_text(value)


def _build_transcripts(transcripts: Sequence[Transcript], parsed: _Sentences, synced_at: datetime) -> pa.Table:
    sentences, offsets = parsed.sentences, _offsets(parsed.sentence_counts)
    # Words are separated by ASCII white space: six times as fast as Unicode white space, and the same for speech.
    trimmed = pc.ascii_trim_whitespace(sentences["text"])
    words = pc.if_else(pc.equal(trimmed, ""), 0, pc.list_value_length(pc.ascii_split_whitespace(trimmed)))
    columns: dict[str, Any] = {
        "call_id": [transcript.call_id for transcript in transcripts],
        "monologue_count": parsed.monologue_counts.to_pylist(),
        "sentence_count": parsed.sentence_counts.to_pylist(),
        "word_count": _sums(words, offsets),
        "speech_ms": _sums(pc.subtract(sentences["end_ms"], sentences["start_ms"]), offsets),
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


def _sums(values: pa.ChunkedArray, offsets: pa.Array) -> list[int]:
    """Return the sum of each run of values; null counts as 0."""
    totals = _offsets(pc.fill_null(values, 0).cast(pa.int64()).combine_chunks())
    sums: list[int] = pc.pairwise_diff(totals.take(offsets))[1:].to_pylist()
    return sums
