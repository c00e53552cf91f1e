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

from .rows import ARROW_TYPES, ColumnTypes, Sheet, empty_table
from .shape import ShapeError, children, decoded, fingerprint, id_text
from .table import LOAD_ID
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
            ShapeError: It names no call.
        """
        try:
            call_id = str(msgspec.json.decode(record, type=_Head).call_id)
        except msgspec.ValidationError as failure:
            raise ShapeError(f"callId: {failure}") from failure
        if not call_id:
            raise ShapeError("callId is empty")
        return cls(call_id, fingerprint(record), record)


def transcript_tables(
    transcripts: Sequence[Transcript], types: ColumnTypes, *, synced_at: datetime
) -> dict[str, pa.Table]:
    """Transcripts as rows of `transcripts` and `transcript_sentences`.

    Args:
        transcripts: One a call.
        types: Types of columns that were added before.
        synced_at: When the run began.

    Raises:
        ShapeError: A transcript is not what Gong documents, so that its sentences cannot be told.
    """
    try:
        sentences, monologues = _by_columns(transcripts)
    except pa.ArrowException:
        sentences, monologues = _by_rows(transcripts, types)
    return {
        "transcripts": _summaries(transcripts, sentences, monologues, synced_at),
        "transcript_sentences": sentences,
    }


def _by_columns(transcripts: Sequence[Transcript]) -> tuple[pa.Table, list[int]]:
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
    first_monologue = _starts(monologue_lists)
    first_sentence = _starts(sentence_lists, len(sentences)).take(first_monologue)
    count = len(sentences)
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
    lengths = pc.fill_null(pc.list_value_length(monologue_lists), 0).to_pylist()
    arrays = [columns[name].cast(declared.field(name).type) for name in declared.names]
    return pa.table(arrays, schema=declared), lengths


def _starts(lists: pa.ListArray, end: int | None = None) -> pa.Array:
    """Where each list begins in the flattened values; `end` adds the place behind the last one."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).cast(pa.int64())
    ends = pc.cumulative_sum(lengths)
    starts = pc.subtract(ends, lengths)
    return starts if end is None else pa.concat_arrays([starts, pa.array([end], pa.int64())])


def _by_rows(transcripts: Sequence[Transcript], types: ColumnTypes) -> tuple[pa.Table, list[int]]:
    sheet = Sheet(SENTENCES_TABLE, types)
    lengths: list[int] = []
    for transcript in transcripts:
        record: dict[str, Any] = decoded(transcript.json)
        call_id, index = id_text(record.get("callId")), 0
        monologues = children(record, "transcript")
        lengths.append(len(monologues))
        more = {f"transcript__{name}": value for name, value in record.items() if name not in ("callId", "transcript")}
        for at, monologue in enumerate(monologues):
            added = more | {
                f"monologue__{name}": value
                for name, value in monologue.items()
                if name not in ("speakerId", "topic", "sentences")
            }
            for sentence in children(monologue, "sentences"):
                ours = (call_id, index, at, _text(monologue.get("speakerId")), _text(monologue.get("topic")))
                sheet.add(ours, {**added, **sentence})
                index += 1
    return sheet.arrow(), lengths


def _text(value: object) -> str | None:
    return None if value is None else id_text(value)


def _summaries(
    transcripts: Sequence[Transcript], sentences: pa.Table, monologues: list[int], synced_at: datetime
) -> pa.Table:
    call_ids = [transcript.call_id for transcript in transcripts]
    # Words are what ASCII white space separates: six times as fast as Unicode's notion, and the same for speech.
    trimmed = pc.ascii_trim_whitespace(sentences["text"])
    words = pc.if_else(pc.equal(trimmed, ""), 0, pc.list_value_length(pc.ascii_split_whitespace(trimmed)))
    spoken = pc.subtract(sentences["end_ms"], sentences["start_ms"])
    by_call = (
        pa.table({"call_id": sentences["call_id"], "words": words, "spoken": spoken})
        .group_by("call_id")
        .aggregate([("words", "sum"), ("spoken", "sum"), ([], "count_all")])
        .to_pylist()
    )
    sums = {row.pop("call_id"): row for row in by_call}
    of_call = [sums.get(call_id, {}) for call_id in call_ids]
    columns: dict[str, Any] = {
        "call_id": call_ids,
        "monologue_count": monologues,
        "sentence_count": [row.get("count_all", 0) for row in of_call],
        "word_count": [row.get("words_sum") or 0 for row in of_call],
        "speech_ms": [row.get("spoken_sum") or 0 for row in of_call],
        "_content_hash": [transcript.content_hash for transcript in transcripts],
        "_synced_at": [synced_at] * len(call_ids),
        LOAD_ID: [None] * len(call_ids),
        "_removed": [None] * len(call_ids),
    }
    declared = empty_table(TRANSCRIPTS_TABLE).schema
    return pa.table(
        [pa.array(columns[column.name], ARROW_TYPES[column.type]) for column in TRANSCRIPTS_TABLE.columns],
        schema=declared,
    )
