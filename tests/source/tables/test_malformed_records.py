"""Malformed records, many in one sync: valid parts are loaded, invalid records rejected, and no other is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.company.calls import Call
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, FaultAction, rewrite_bytes
from pipelines.demo.server.serving import serve
from tests.support.companies import build_recent_gong, public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT, Json
from tests.support.workspace import Workspace

Change = Callable[[Json], object]


CONTENT_BLOCKS = ("structure", "topics", "trackers", "outline", "highlights", "keyPoints", "callOutcome", "brief")


@dataclass(frozen=True, slots=True)
class Malformation:
    """A malformed record and its expected result.

    Attributes:
        change: Changes the record.
        expected: SQL expression over the call's row of `calls` or `transcript_sentences`, and its expected value.
        reason: Part of the reason with which the record is rejected.
        bytes_for: A text of the record, and the bytes that replace it, which no JSON encoder would write.
    """

    change: Change
    expected: tuple[str, Any] | None = None
    reason: str | None = None
    bytes_for: tuple[bytes, bytes] | None = None


def meta(**values: Any) -> Change:
    """Return a change that sets fields of `metaData`."""
    return lambda record: record["metaData"].update(values)


def blocks(**values: Any) -> Change:
    """Return a change that sets blocks of a call."""
    return lambda record: record.update(values)


def everywhere_unknown(record: Json) -> None:
    """Add an undocumented field to every object of the record."""

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            for inner in list(value.values()):
                visit(inner)
            value["brandNew"] = "added"
        elif isinstance(value, list):
            for inner in value:
                visit(inner)

    visit(record)


def every_block_null(record: Json) -> None:
    """Set every object and list within the blocks to null."""
    for name in ("content", "interaction", "collaboration"):
        record[name] = dict.fromkeys(record.get(name, {}) or CONTENT_BLOCKS)


LONG = "a long title " * 80_000


DEEP = "[" * 5_000 + "]" * 5_000


CALLS: dict[str, Malformation] = {
    "a 20-digit id as text": Malformation(
        meta(primaryUserId="12345678901234567890"), ("primary_user_id", "12345678901234567890")
    ),
    "a 20-digit id as number": Malformation(meta(primaryUserId=99999999999999999999), ("primary_user_id", "9" * 20)),
    "a 40-digit number": Malformation(
        meta(duration=10**40), ("duration IS NULL AND duration__v_text = '1' || repeat('0', 40)", True)
    ),
    "year 1": Malformation(meta(scheduled="0001-01-01T00:00:00Z"), ("year(scheduled)", 1)),
    "year 1, before it in UTC": Malformation(
        meta(scheduled="0001-01-01T00:00:00+02:00"), ("scheduled__v_text", "0001-01-01T00:00:00+02:00")
    ),
    "year 9999": Malformation(meta(scheduled="9999-12-31T23:59:59Z"), ("year(scheduled)", 9999)),
    "year 9999, after it in UTC": Malformation(
        meta(scheduled="9999-12-31T23:59:59-02:00"), ("scheduled__v_text", "9999-12-31T23:59:59-02:00")
    ),
    "year 10000": Malformation(meta(scheduled="10000-01-01T00:00:00Z"), ("scheduled__v_text", "10000-01-01T00:00:00Z")),
    "no date": Malformation(meta(scheduled="soon"), ("scheduled__v_text", "soon")),
    "30 February": Malformation(meta(scheduled="2026-02-30T10:00:00Z"), ("scheduled__v_text", "2026-02-30T10:00:00Z")),
    "neither date": Malformation(meta(scheduled=None, started=None), ("_effective_time IS NULL", True)),
    "an empty date": Malformation(meta(scheduled=""), ("scheduled__v_text", "")),
    "a date without zone": Malformation(
        meta(scheduled="2026-01-31T09:00:00"), ("strftime(scheduled, '%H:%M')", "09:00")
    ),
    "a number for a date": Malformation(meta(scheduled=1767225600), ("scheduled__v_text", "1767225600")),
    "a number as text": Malformation(meta(duration="1800"), ("duration", 1800)),
    "a big number as text": Malformation(meta(duration="9007199254740993"), ("duration", 9007199254740993)),
    "half a second": Malformation(meta(duration=1.5), ("duration__v_text", "1.5")),
    "a whole number with a point": Malformation(meta(duration=1800.0), ("duration", 1800)),
    "text for a number": Malformation(meta(duration="an hour"), ("duration__v_text", "an hour")),
    "a truth for a number": Malformation(meta(duration=True), ("duration__v_text", "true")),
    "a number for a text": Malformation(meta(title=42), ("title", "42")),
    "an object for a text": Malformation(meta(title={"en": "Hello"}), ("title", '{"en":"Hello"}')),
    "a truth as text": Malformation(meta(isPrivate="false"), ("is_private", False)),
    "an unknown enum value": Malformation(
        meta(direction="Telepathic", media="Hologram"), ("direction || media", "TelepathicHologram")
    ),
    "a long title": Malformation(meta(title=LONG), ("length(title)", len(LONG))),
    "an empty title": Malformation(meta(title=""), ("title", "")),
    "emoji and right to left": Malformation(meta(title="🦆 مرحبا \u202eabc"), ("title", "🦆 مرحبا \u202eabc")),
    "NaN": Malformation(meta(moodScore="@nan@"), ("mood_score", "NaN"), bytes_for=(b'"@nan@"', b"NaN")),
    "minus infinity for a number": Malformation(
        lambda record: record["content"].update(topics=[{"name": "one", "duration": "@inf@"}]),
        ("(SELECT min(duration) FROM call_topics WHERE call_id = calls.id)", float("-inf")),
        bytes_for=(b'"@inf@"', b"-Infinity"),
    ),
    "a lone surrogate": Malformation(meta(title="@sur@"), ("title", "caf\ufffd"), bytes_for=(b"@sur@", b"caf\\ud83d")),
    "bytes that are not UTF-8": Malformation(
        meta(title="@utf@"), ("title", "caf\ufffd"), bytes_for=(b"@utf@", b"caf\xe9")
    ),
    "a raw line break": Malformation(meta(title="@raw@"), ("title", "two\nlines"), bytes_for=(b"@raw@", b"two\nlines")),
    "NUL": Malformation(meta(title="@nul@"), ("title", "a\ufffdb"), bytes_for=(b"@nul@", b"a\\u0000b")),
    "a raw NUL": Malformation(meta(title="@zero@"), ("title", "a\ufffdb"), bytes_for=(b"@zero@", b"a\0b")),
    "the text for NUL": Malformation(meta(title="a\\u0000b"), ("title", "a\\u0000b")),
    "a key that comes twice": Malformation(
        meta(title="@two@"), ("title", "second"), bytes_for=(b'"@two@"', b'"first","title":"second"')
    ),
    "thousands of levels": Malformation(
        meta(depth="@deep@"), ("length(depth::VARCHAR) > 9000", True), bytes_for=(b'"@deep@"', DEEP.encode())
    ),
    "hundreds of levels": Malformation(
        meta(levels="@levels@"),
        ("length(levels::VARCHAR) >= 800", True),
        bytes_for=(b'"@levels@"', b"[" * 400 + b"]" * 400),
    ),
    "unknown fields on every level": Malformation(
        everywhere_unknown,
        ("brand_new || (SELECT min(brand_new) FROM call_parties WHERE call_id = calls.id)", "addedadded"),
    ),
    "a field without a name": Malformation(
        meta(**{"": "first", "🦆": "second", "Title": "third"}), ("x || xx || titlex", "firstsecondthird")
    ),
    "null for every block": Malformation(
        blocks(**dict.fromkeys(("content", "parties", "interaction", "collaboration", "context", "media"))),
        ("(SELECT count(*) FROM call_parties WHERE call_id = calls.id)", 0),
    ),
    "no block at all": Malformation(
        lambda record: [
            record.pop(name, None) for name in ("content", "parties", "interaction", "collaboration", "context")
        ],
        ("(SELECT count(*) FROM call_topics WHERE call_id = calls.id)", 0),
    ),
    "null in every block": Malformation(every_block_null, ("brief IS NULL", True)),
    "null in lists": Malformation(
        lambda record: record.update(parties=[None, *record["parties"], None]),
        ("(SELECT count(*) > 0 AND bool_and(id IS NOT NULL) FROM call_parties WHERE call_id = calls.id)", True),
    ),
    "nulls in the CRM": Malformation(
        blocks(context=[{"system": None, "objects": None}, {"system": "X", "objects": [{"fields": None}]}]),
        ("(SELECT count(*) FROM call_crm_objects WHERE call_id = calls.id AND party_id = '')", 1),
    ),
    "null for metaData": Malformation(blocks(metaData=None), reason="metaData.id is missing"),
    "a list for metaData": Malformation(blocks(metaData=[1]), reason="metaData is list, not an object"),
    "no id": Malformation(lambda record: record["metaData"].pop("id"), reason="metaData.id is missing"),
    "an empty id": Malformation(meta(id=""), reason="metaData.id is missing"),
    "an object for an id": Malformation(meta(id={"value": 1}), reason="metaData.id is dict, not an id"),
    "text for the people": Malformation(blocks(parties="nobody"), reason="parties is not a list of objects"),
    "text for the content": Malformation(blocks(content="none"), reason="content is str, not an object"),
    "numbers for trackers": Malformation(
        lambda record: record["content"].update(trackers=[1, 2]), reason="trackers is not a list"
    ),
    "an object for a list": Malformation(
        lambda record: record.update(context={"system": "X"}), reason="context is not a list"
    ),
    "a number without end": Malformation(
        meta(duration="@big@"), ("duration__v_text", "1e400"), bytes_for=(b'"@big@"', b"1e400")
    ),
}


FIRST = {"start": 0, "end": 900, "text": "Hello there."}


def said(*sentences: Any, **more: Any) -> list[Any]:
    """One monologue."""
    return [{"speakerId": "7", "topic": None, "sentences": list(sentences), **more}]


TRANSCRIPTS: dict[str, Malformation] = {
    "null": Malformation(lambda record: record.update(transcript=None), ("count(*)", 0)),
    "null for a monologue": Malformation(
        lambda record: record.update(transcript=[None, *said(FIRST)]), ("max(sentence_index)", 0)
    ),
    "null for sentences": Malformation(
        lambda record: record.update(transcript=[{"speakerId": "7", "sentences": None}]), ("count(*)", 0)
    ),
    "null for a sentence": Malformation(
        lambda record: record.update(transcript=said(None, FIRST, None)), ("count(*)", 1)
    ),
    "null for a text": Malformation(
        lambda record: record.update(transcript=said({**FIRST, "text": None})), ("count(*) - count(text)", 1)
    ),
    "an end before its start": Malformation(
        lambda record: record.update(transcript=said({**FIRST, "start": 5000})), ("max(start_ms - end_ms)", 4100)
    ),
    "times as text": Malformation(
        lambda record: record.update(transcript=said({**FIRST, "end": "900"})), ("max(end_ms)", 900)
    ),
    "half milliseconds": Malformation(
        lambda record: record.update(transcript=said({**FIRST, "end": 0.5})), ("max(end_ms__v_text)", "0.5")
    ),
    "a time of 30 digits": Malformation(
        lambda record: record.update(transcript=said({**FIRST, "end": 10**30})), ("max(end_ms__v_text)", "1" + "0" * 30)
    ),
    "a number for a speaker": Malformation(
        lambda record: record.update(transcript=said(FIRST, speakerId=12345678901234567890)),
        ("max(speaker_id)", "12345678901234567890"),
    ),
    "new fields": Malformation(
        lambda record: record.update(transcript=said({**FIRST, "mood": "calm"}, channel=2), language="en"),
        ("max(mood || monologue__channel || transcript__language)", "calm2en"),
    ),
    "NUL": Malformation(
        lambda record: record.update(transcript=said({**FIRST, "text": "a\0b"})),
        ("max(text)", "a\ufffdb"),
    ),
    "text that is not UTF-8": Malformation(
        lambda record: record.update(transcript=said({**FIRST, "text": "@utf@"})),
        ("max(text)", "caf\ufffd"),
        bytes_for=(b"@utf@", b"caf\xe9"),
    ),
    "a number without end": Malformation(
        lambda record: record.update(transcript=said({**FIRST, "end": "@big@"})),
        ("max(end_ms__v_text)", "1e400"),
        bytes_for=(b'"@big@"', b"1e400"),
    ),
    "an object for a list": Malformation(
        lambda record: record.update(transcript={}), reason="transcript is not a list"
    ),
    "text for sentences": Malformation(
        lambda record: record.update(transcript=said(sentences="words")), reason="sentences is not a list"
    ),
    "no call": Malformation(lambda record: record.pop("callId"), reason="callId: Object missing required field"),
    "null for the call": Malformation(lambda record: record.update(callId=None), reason="callId: Expected"),
}


@dataclass(slots=True)
class SyncedCompany:
    """A warehouse after one sync of a company with malformed records."""

    workspace: Workspace
    gong: SimulatedGong
    summary: Json
    calls: dict[str, Call]
    transcripts: dict[str, Call]
    faults: list[Fault]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncedCompany]:
    """Sync a company with all malformed records once."""
    workspace, gong = _build_company(tmp_path_factory.mktemp("malformed"))
    full = [
        call
        for call in public_calls(gong)
        if call.transcript_json and call.record.get("content", {}).get("topics") and call.record["parties"]
    ]
    calls = dict(zip(CALLS, full, strict=False))
    transcripts = dict(zip(TRANSCRIPTS, full[len(CALLS) :], strict=False))
    assert len(calls) == len(CALLS)
    assert len(transcripts) == len(TRANSCRIPTS)
    gong.faults += [
        Fault(_malform(CALLS, {call.id: name for name, call in calls.items()}, "calls"), EXTENSIVE),
        Fault(
            _malform(TRANSCRIPTS, {call.id: name for name, call in transcripts.items()}, "callTranscripts"), TRANSCRIPT
        ),
    ]
    with serve(gong.app) as url:
        workspace.configure(base_url=url)
        yield SyncedCompany(workspace, gong, workspace.sync(), calls, transcripts, list(gong.faults))


@pytest.mark.parametrize("name", [name for name, malformation in CALLS.items() if malformation.expected])
def test_valid_parts_of_a_malformed_call_are_loaded(company: SyncedCompany, name: str) -> None:
    """Values that do not fit are kept as text or replaced; everything else is loaded as usual."""
    sql, expected = CALLS[name].expected or ("", None)
    assert company.workspace.rows(f"SELECT {sql} FROM calls WHERE id = ?", [company.calls[name].id]) == [(expected,)]


@pytest.mark.parametrize("name", [name for name, malformation in CALLS.items() if malformation.reason])
def test_an_invalid_call_is_rejected_with_its_reason(company: SyncedCompany, name: str) -> None:
    """`_rejected` reports which field is invalid."""
    call_id, reason = company.calls[name].id, CALLS[name].reason
    assert company.workspace.rows("SELECT count(*) FROM calls WHERE id = ?", [call_id]) == [(0,)]
    reasons = [row[0] for row in company.workspace.rows("SELECT reason FROM _rejected WHERE resource = 'calls'")]
    assert [text for text in reasons if reason is not None and reason in text]


@pytest.mark.parametrize("name", [name for name, malformation in TRANSCRIPTS.items() if malformation.expected])
def test_valid_parts_of_a_malformed_transcript_are_loaded(company: SyncedCompany, name: str) -> None:
    """One malformed sentence costs neither the others nor the transcript."""
    sql, expected = TRANSCRIPTS[name].expected or ("", None)
    call_id = company.transcripts[name].id
    assert company.workspace.rows(f"SELECT {sql} FROM transcript_sentences WHERE call_id = ?", [call_id]) == [
        (expected,)
    ]
    assert company.workspace.rows("SELECT count(*) FROM transcripts WHERE call_id = ?", [call_id]) == [(1,)]


@pytest.mark.parametrize("name", [name for name, malformation in TRANSCRIPTS.items() if malformation.reason])
def test_an_invalid_transcript_is_rejected_with_its_reason(company: SyncedCompany, name: str) -> None:
    """`_rejected` reports which field is invalid."""
    call_id, reason = company.transcripts[name].id, TRANSCRIPTS[name].reason
    assert company.workspace.rows("SELECT count(*) FROM transcripts WHERE call_id = ?", [call_id]) == [(0,)]
    reasons = [row[0] for row in company.workspace.rows("SELECT reason FROM _rejected WHERE resource = 'transcripts'")]
    assert [text for text in reasons if reason is not None and reason in text]


def test_malformed_records_do_not_stop_the_others(company: SyncedCompany) -> None:
    """All valid records are loaded, and each invalid one has a row in `_rejected`."""
    rejected = sum(malformation.reason is not None for malformation in (*CALLS.values(), *TRANSCRIPTS.values()))
    assert company.summary["status"] == "done"
    assert company.summary["rejected"] == rejected == company.workspace.count("_rejected")

    rejected_calls = sum(malformation.reason is not None for malformation in CALLS.values())
    assert company.workspace.count("calls") == len(public_calls(company.gong)) - rejected_calls

    stored = company.workspace.rows("SELECT id FROM _rejected WHERE resource = 'calls' AND record IS NOT NULL")
    expected = {
        company.calls[name].id for name in ("text for the people", "text for the content", "numbers for trackers")
    }
    assert expected <= {row[0] for row in stored}


def test_rejected_records_are_loaded_once_they_are_valid(company: SyncedCompany) -> None:
    """Unchanged rejects are not rewritten. The last test of this module, because it repairs the company."""
    again = company.workspace.sync("--since", "2020-01-01", "--select", "calls,transcripts")
    assert again["rejected"] == company.summary["rejected"]
    assert "_rejected" not in again["tables"]
    assert again["calls"] == 0

    company.gong.faults.clear()
    company.workspace.sync("--since", "2020-01-01")
    without_id = {
        name
        for name, malformation in (*CALLS.items(), *TRANSCRIPTS.items())
        if malformation.reason and not _has_id(name)
    }
    assert company.workspace.count("_rejected") <= len(without_id) + 1
    assert_warehouse_matches(company.workspace, company.gong)


def _build_company(folder: Path) -> tuple[Workspace, SimulatedGong]:
    workspace = Workspace(folder)
    workspace.use_demo_key()
    return workspace, build_recent_gong(calls=160)


def _malform(kinds: dict[str, Malformation], names: dict[str, str], key: str) -> FaultAction:
    """Change the records of these calls, on any page."""

    def change(body: bytes) -> bytes:
        page = json.loads(body)
        swaps: list[tuple[bytes, bytes]] = []
        for record in page.get(key, ()):
            call_id = record["metaData"]["id"] if key == "calls" else record["callId"]
            if call_id in names:
                malformation = kinds[names[call_id]]
                malformation.change(record)
                swaps += [malformation.bytes_for] if malformation.bytes_for else []
        changed = json.dumps(page).encode()
        for text, instead in swaps:
            changed = changed.replace(text, instead)
        return changed

    return rewrite_bytes(change)


def _has_id(name: str) -> bool:
    """Return whether the record still has its call id, by which a later valid record resolves it."""
    return name not in ("null for metaData", "a list for metaData", "no id", "an empty id", "an object for an id") and (
        name not in ("no call", "null for the call")
    )
