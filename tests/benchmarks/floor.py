"""The floor: the same calls and transcripts with httpx, pyarrow and DuckDB alone; no framework and no state.

Nothing is tried again, throttled, merged or remembered: this is what the answers themselves cost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

_META = pa.struct(
    [
        *[(name, pa.string()) for name in ("id", "url", "title", "primaryUserId", "direction", "system", "scope")],
        *[(name, pa.string()) for name in ("scheduled", "started", "media", "language", "workspaceId", "purpose")],
        *[(name, pa.string()) for name in ("sdrDisposition", "clientUniqueId", "customData", "meetingUrl")],
        ("calendarEventId", pa.string()),
        ("duration", pa.int64()),
        ("isPrivate", pa.bool_()),
    ]
)
_CALLS = pa.schema(
    [
        ("records", pa.struct([("cursor", pa.string())])),
        ("calls", pa.list_(pa.struct([("metaData", _META)]))),
    ]
)
_SENTENCE = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("text", pa.string())])
_MONOLOGUE = pa.struct([("speakerId", pa.string()), ("topic", pa.string()), ("sentences", pa.list_(_SENTENCE))])
TRANSCRIPTS = pa.schema(
    [
        ("records", pa.struct([("cursor", pa.string())])),
        ("callTranscripts", pa.list_(pa.struct([("callId", pa.string()), ("transcript", pa.list_(_MONOLOGUE))]))),
    ]
)
"""An answer with transcripts, as far as it is read."""


@dataclass(slots=True)
class Loaded:
    """The pages so far, as Arrow tables."""

    calls: list[pa.Table] = field(default_factory=list)
    sentences: list[pa.Table] = field(default_factory=list)


def main() -> None:
    """Loads everything into a new DuckDB file and prints the seconds it took as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("file", type=Path)
    parser.add_argument("since")
    parser.add_argument("until")
    given = parser.parse_args()
    begun = time.perf_counter()
    loaded = asyncio.run(_read(given.base_url, given.since, given.until))
    with duckdb.connect(str(given.file)) as warehouse:
        for name, pages in (("calls", loaded.calls), ("sentences", loaded.sentences)):
            warehouse.register("pages", pa.concat_tables(pages))
            warehouse.execute(f"CREATE TABLE {name} AS SELECT * FROM pages")
            warehouse.unregister("pages")
    print(json.dumps({"duration_seconds": time.perf_counter() - begun}))


async def _read(base_url: str, since: str, until: str) -> Loaded:
    loaded = Loaded()
    async with (
        httpx.AsyncClient(
            base_url=base_url, auth=httpx.BasicAuth("demo", "demo-secret"), timeout=60, trust_env=False
        ) as http,
        asyncio.TaskGroup() as transcripts,
    ):
        body: dict[str, Any] = {"filter": {"fromDateTime": since, "toDateTime": until}}
        while True:
            page = parsed(await _answer(http, "/v2/calls/extensive", body), _CALLS)
            calls = page["calls"].combine_chunks().flatten().field("metaData")
            loaded.calls.append(pa.Table.from_struct_array(calls))
            transcripts.create_task(_read_transcripts(http, calls.field("id").to_pylist(), loaded))
            cursor = page["records"].combine_chunks().field("cursor")[0].as_py()
            if cursor is None:
                return loaded
            body["cursor"] = cursor


async def _read_transcripts(http: httpx.AsyncClient, call_ids: list[str], loaded: Loaded) -> None:
    answer = await _answer(http, "/v2/calls/transcript", {"filter": {"callIds": call_ids}})
    loaded.sentences.append(await asyncio.to_thread(_sentences, answer))


async def _answer(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> bytes:
    answer = await http.post(path, json=body)
    return answer.raise_for_status().content


def parsed(answer: bytes, schema: pa.Schema) -> pa.Table:
    """An answer as a table of one row; fields that the schema lacks are left out."""
    return pa.json.read_json(
        pa.BufferReader(answer),
        read_options=pa.json.ReadOptions(use_threads=False, block_size=len(answer) + 1),
        parse_options=pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _sentences(answer: bytes) -> pa.Table:
    """The page as one row a sentence, numbered within its call."""
    calls = parsed(answer, TRANSCRIPTS)["callTranscripts"].combine_chunks().flatten()
    monologue_lists = calls.field("transcript")
    monologues = monologue_lists.flatten()
    sentence_lists = monologues.field("sentences")
    sentences = sentence_lists.flatten()
    monologue = pc.list_parent_indices(sentence_lists)
    call = pc.list_parent_indices(monologue_lists).take(monologue)
    first_monologue = monologue_lists.offsets.slice(0, len(calls))
    first_sentence = sentence_lists.offsets.take(first_monologue)
    return pa.table(
        {
            "call_id": calls.field("callId").take(call),
            "sentence_index": pc.subtract(pa.arange(0, len(sentences)), first_sentence.take(call).cast(pa.int64())),
            "monologue_index": pc.subtract(monologue, first_monologue.take(call).cast(pa.int64())),
            "speaker_id": monologues.field("speakerId").take(monologue),
            "topic": monologues.field("topic").take(monologue),
            "start_ms": sentences.field("start"),
            "end_ms": sentences.field("end"),
            "text": sentences.field("text"),
        }
    )


if __name__ == "__main__":
    main()
