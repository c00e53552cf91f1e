"""The floor: load the same calls and transcripts with httpx, pyarrow and DuckDB, without a framework.

There are no retries, rate limits, merges or state: only the responses themselves are processed.
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
"""The fields of a page of transcripts that are read."""


@dataclass(slots=True)
class Pages:
    """Pages as Arrow tables."""

    calls: list[pa.Table] = field(default_factory=list)
    sentences: list[pa.Table] = field(default_factory=list)


def main() -> None:
    """Load everything into a new DuckDB file and print the duration in seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base_url")
    parser.add_argument("file", type=Path)
    parser.add_argument("since")
    parser.add_argument("until")
    options = parser.parse_args()
    started_at = time.perf_counter()
    tables = asyncio.run(_read(options.base_url, options.since, options.until))
    with duckdb.connect(str(options.file)) as warehouse:
        for name, pages in (("calls", tables.calls), ("sentences", tables.sentences)):
            warehouse.register("pages", pa.concat_tables(pages))
            warehouse.execute(f"CREATE TABLE {name} AS SELECT * FROM pages")
            warehouse.unregister("pages")
    print(json.dumps({"duration_seconds": time.perf_counter() - started_at}))


async def _read(base_url: str, since: str, until: str) -> Pages:
    pages = Pages()
    async with (
        httpx.AsyncClient(
            base_url=base_url, auth=httpx.BasicAuth("demo", "demo-secret"), timeout=60, trust_env=False
        ) as http,
        asyncio.TaskGroup() as transcripts,
    ):
        body: dict[str, Any] = {"filter": {"fromDateTime": since, "toDateTime": until}}
        while True:
            page = parse_page(await _post(http, "/v2/calls/extensive", body), _CALLS)
            calls = page["calls"].combine_chunks().flatten().field("metaData")
            pages.calls.append(pa.Table.from_struct_array(calls))
            transcripts.create_task(_read_transcripts(http, calls.field("id").to_pylist(), pages))
            cursor = page["records"].combine_chunks().field("cursor")[0].as_py()
            if cursor is None:
                return pages
            body["cursor"] = cursor


async def _read_transcripts(http: httpx.AsyncClient, call_ids: list[str], pages: Pages) -> None:
    page = await _post(http, "/v2/calls/transcript", {"filter": {"callIds": call_ids}})
    pages.sentences.append(await asyncio.to_thread(_build_sentences, page))


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> bytes:
    response = await http.post(path, json=body)
    return response.raise_for_status().content


def parse_page(page: bytes, schema: pa.Schema) -> pa.Table:
    """Return a page as a table of one row, without the fields that the schema lacks."""
    return pa.json.read_json(
        pa.BufferReader(page),
        read_options=pa.json.ReadOptions(use_threads=False, block_size=len(page) + 1),
        parse_options=pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _build_sentences(page: bytes) -> pa.Table:
    """Return a page as one row per sentence, numbered within its call."""
    calls = parse_page(page, TRANSCRIPTS)["callTranscripts"].combine_chunks().flatten()
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
