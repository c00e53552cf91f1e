"""Odd and broken records, many in one sync: each is laid out as far as it can be, or set aside; no other is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
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
class Odd:
    """A change to one record, and what has to be in the warehouse then.

    `held` is asked for as SQL over the table `calls` (or `transcript_sentences`) of that call; `reason` is a part
    of the reason why it was set aside. `bytes_for` stands for a text in the record that no JSON encoder would write.
    """

    change: Change
    held: tuple[str, Any] | None = None
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

CALLS: dict[str, Odd] = {
    "a 20-digit id as text": Odd(
        meta(primaryUserId="12345678901234567890"), ("primary_user_id", "12345678901234567890")
    ),
    "a 20-digit id as number": Odd(meta(primaryUserId=99999999999999999999), ("primary_user_id", "9" * 20)),
    "a 40-digit number": Odd(
        meta(duration=10**40), ("duration IS NULL AND duration__v_text = '1' || repeat('0', 40)", True)
    ),
    "year 1": Odd(meta(scheduled="0001-01-01T00:00:00Z"), ("year(scheduled)", 1)),
    "year 1, before it in UTC": Odd(
        meta(scheduled="0001-01-01T00:00:00+02:00"), ("scheduled__v_text", "0001-01-01T00:00:00+02:00")
    ),
    "year 9999": Odd(meta(scheduled="9999-12-31T23:59:59Z"), ("year(scheduled)", 9999)),
    "year 9999, after it in UTC": Odd(
        meta(scheduled="9999-12-31T23:59:59-02:00"), ("scheduled__v_text", "9999-12-31T23:59:59-02:00")
    ),
    "year 10000": Odd(meta(scheduled="10000-01-01T00:00:00Z"), ("scheduled__v_text", "10000-01-01T00:00:00Z")),
    "no date": Odd(meta(scheduled="soon"), ("scheduled__v_text", "soon")),
    "30 February": Odd(meta(scheduled="2026-02-30T10:00:00Z"), ("scheduled__v_text", "2026-02-30T10:00:00Z")),
    "neither date": Odd(meta(scheduled=None, started=None), ("_effective_time IS NULL", True)),
    "an empty date": Odd(meta(scheduled=""), ("scheduled__v_text", "")),
    "a date without zone": Odd(meta(scheduled="2026-01-31T09:00:00"), ("strftime(scheduled, '%H:%M')", "09:00")),
    "a number for a date": Odd(meta(scheduled=1767225600), ("scheduled__v_text", "1767225600")),
    "a number as text": Odd(meta(duration="1800"), ("duration", 1800)),
    "a big number as text": Odd(meta(duration="9007199254740993"), ("duration", 9007199254740993)),
    "half a second": Odd(meta(duration=1.5), ("duration__v_text", "1.5")),
    "a whole number with a point": Odd(meta(duration=1800.0), ("duration", 1800)),
    "text for a number": Odd(meta(duration="an hour"), ("duration__v_text", "an hour")),
    "a truth for a number": Odd(meta(duration=True), ("duration__v_text", "true")),
    "a number for a text": Odd(meta(title=42), ("title", "42")),
    "an object for a text": Odd(meta(title={"en": "Hello"}), ("title", '{"en":"Hello"}')),
    "a truth as text": Odd(meta(isPrivate="false"), ("is_private", False)),
    "an unknown enum value": Odd(
        meta(direction="Telepathic", media="Hologram"), ("direction || media", "TelepathicHologram")
    ),
    "a long title": Odd(meta(title=LONG), ("length(title)", len(LONG))),
    "an empty title": Odd(meta(title=""), ("title", "")),
    "emoji and right to left": Odd(meta(title="🦆 مرحبا \u202eabc"), ("title", "🦆 مرحبا \u202eabc")),
    "NaN": Odd(meta(moodScore="@nan@"), ("mood_score", "NaN"), bytes_for=(b'"@nan@"', b"NaN")),
    "minus infinity for a number": Odd(
        lambda record: record["content"].update(topics=[{"name": "one", "duration": "@inf@"}]),
        ("(SELECT min(duration) FROM call_topics WHERE call_id = calls.id)", float("-inf")),
        bytes_for=(b'"@inf@"', b"-Infinity"),
    ),
    "a lone surrogate": Odd(meta(title="@sur@"), ("title", "caf\ufffd"), bytes_for=(b"@sur@", b"caf\\ud83d")),
    "bytes that are no UTF-8": Odd(meta(title="@utf@"), ("title", "caf\ufffd"), bytes_for=(b"@utf@", b"caf\xe9")),
    "a raw line break": Odd(meta(title="@raw@"), ("title", "two\nlines"), bytes_for=(b"@raw@", b"two\nlines")),
    "NUL": Odd(meta(title="@nul@"), ("title", "a\ufffdb"), bytes_for=(b"@nul@", b"a\\u0000b")),
    "a raw NUL": Odd(meta(title="@zero@"), ("title", "a\ufffdb"), bytes_for=(b"@zero@", b"a\0b")),
    "the text for NUL": Odd(meta(title="a\\u0000b"), ("title", "a\\u0000b")),
    "a key that comes twice": Odd(
        meta(title="@two@"), ("title", "second"), bytes_for=(b'"@two@"', b'"first","title":"second"')
    ),
    "thousands of levels": Odd(
        meta(depth="@deep@"), ("length(depth::VARCHAR) > 9000", True), bytes_for=(b'"@deep@"', DEEP.encode())
    ),
    "hundreds of levels": Odd(
        meta(levels="@levels@"),
        ("length(levels::VARCHAR) >= 800", True),
        bytes_for=(b'"@levels@"', b"[" * 400 + b"]" * 400),
    ),
    "unknown fields on every level": Odd(
        everywhere_unknown,
        ("brand_new || (SELECT min(brand_new) FROM call_parties WHERE call_id = calls.id)", "addedadded"),
    ),
    "a field without a name": Odd(
        meta(**{"": "first", "🦆": "second", "Title": "third"}), ("x || xx || titlex", "firstsecondthird")
    ),
    "null for every block": Odd(
        blocks(**dict.fromkeys(("content", "parties", "interaction", "collaboration", "context", "media"))),
        ("(SELECT count(*) FROM call_parties WHERE call_id = calls.id)", 0),
    ),
    "no block at all": Odd(
        lambda record: [
            record.pop(name, None) for name in ("content", "parties", "interaction", "collaboration", "context")
        ],
        ("(SELECT count(*) FROM call_topics WHERE call_id = calls.id)", 0),
    ),
    "null in every block": Odd(every_block_null, ("brief IS NULL", True)),
    "null in lists": Odd(
        lambda record: record.update(parties=[None, *record["parties"], None]),
        ("(SELECT count(*) > 0 AND bool_and(id IS NOT NULL) FROM call_parties WHERE call_id = calls.id)", True),
    ),
    "nulls in the CRM": Odd(
        blocks(context=[{"system": None, "objects": None}, {"system": "X", "objects": [{"fields": None}]}]),
        ("(SELECT count(*) FROM call_crm_objects WHERE call_id = calls.id AND party_id = '')", 1),
    ),
    "null for metaData": Odd(blocks(metaData=None), reason="metaData.id is missing"),
    "a list for metaData": Odd(blocks(metaData=[1]), reason="metaData is list, not an object"),
    "no id": Odd(lambda record: record["metaData"].pop("id"), reason="metaData.id is missing"),
    "an empty id": Odd(meta(id=""), reason="metaData.id is missing"),
    "an object for an id": Odd(meta(id={"value": 1}), reason="metaData.id is dict, not an id"),
    "text for the people": Odd(blocks(parties="nobody"), reason="parties is not a list of objects"),
    "text for the content": Odd(blocks(content="none"), reason="content is str, not an object"),
    "numbers for trackers": Odd(
        lambda record: record["content"].update(trackers=[1, 2]), reason="trackers is not a list"
    ),
    "an object for a list": Odd(lambda record: record.update(context={"system": "X"}), reason="context is not a list"),
    "a number without end": Odd(
        meta(duration="@big@"), ("duration__v_text", "1e400"), bytes_for=(b'"@big@"', b"1e400")
    ),
}

FIRST = {"start": 0, "end": 900, "text": "Hello there."}


def said(*sentences: Any, **more: Any) -> list[Any]:
    """One monologue."""
    return [{"speakerId": "7", "topic": None, "sentences": list(sentences), **more}]


TRANSCRIPTS: dict[str, Odd] = {
    "null": Odd(lambda record: record.update(transcript=None), ("count(*)", 0)),
    "null for a monologue": Odd(
        lambda record: record.update(transcript=[None, *said(FIRST)]), ("max(sentence_index)", 0)
    ),
    "null for sentences": Odd(
        lambda record: record.update(transcript=[{"speakerId": "7", "sentences": None}]), ("count(*)", 0)
    ),
    "null for a sentence": Odd(lambda record: record.update(transcript=said(None, FIRST, None)), ("count(*)", 1)),
    "null for a text": Odd(
        lambda record: record.update(transcript=said({**FIRST, "text": None})), ("count(*) - count(text)", 1)
    ),
    "an end before its start": Odd(
        lambda record: record.update(transcript=said({**FIRST, "start": 5000})), ("max(start_ms - end_ms)", 4100)
    ),
    "times as text": Odd(lambda record: record.update(transcript=said({**FIRST, "end": "900"})), ("max(end_ms)", 900)),
    "half milliseconds": Odd(
        lambda record: record.update(transcript=said({**FIRST, "end": 0.5})), ("max(end_ms__v_text)", "0.5")
    ),
    "a time of 30 digits": Odd(
        lambda record: record.update(transcript=said({**FIRST, "end": 10**30})), ("max(end_ms__v_text)", "1" + "0" * 30)
    ),
    "a number for a speaker": Odd(
        lambda record: record.update(transcript=said(FIRST, speakerId=12345678901234567890)),
        ("max(speaker_id)", "12345678901234567890"),
    ),
    "new fields": Odd(
        lambda record: record.update(transcript=said({**FIRST, "mood": "calm"}, channel=2), language="en"),
        ("max(mood || monologue__channel || transcript__language)", "calm2en"),
    ),
    "NUL": Odd(
        lambda record: record.update(transcript=said({**FIRST, "text": "a\0b"})),
        ("max(text)", "a\ufffdb"),
    ),
    "text that is no UTF-8": Odd(
        lambda record: record.update(transcript=said({**FIRST, "text": "@utf@"})),
        ("max(text)", "caf\ufffd"),
        bytes_for=(b"@utf@", b"caf\xe9"),
    ),
    "a number without end": Odd(
        lambda record: record.update(transcript=said({**FIRST, "end": "@big@"})),
        ("max(end_ms__v_text)", "1e400"),
        bytes_for=(b'"@big@"', b"1e400"),
    ),
    "an object for a list": Odd(lambda record: record.update(transcript={}), reason="transcript is not a list"),
    "text for sentences": Odd(
        lambda record: record.update(transcript=said(sentences="words")), reason="sentences is not a list"
    ),
    "no call": Odd(lambda record: record.pop("callId"), reason="callId: Object missing required field"),
    "null for the call": Odd(lambda record: record.update(callId=None), reason="callId: Expected"),
}


@dataclass(slots=True)
class Loaded:
    """A warehouse after one sync of a company some of whose records are odd."""

    workspace: Workspace
    gong: SimulatedGong
    summary: Json
    calls: dict[str, Call]
    transcripts: dict[str, Call]
    faults: list[Fault]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """One sync over all odd records."""
    workspace, gong = _company(tmp_path_factory.mktemp("odd"))
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
        Fault(_odd(CALLS, {call.id: name for name, call in calls.items()}, "calls"), EXTENSIVE),
        Fault(_odd(TRANSCRIPTS, {call.id: name for name, call in transcripts.items()}, "callTranscripts"), TRANSCRIPT),
    ]
    with serve(gong.app) as url:
        workspace.configure(base_url=url)
        yield Loaded(workspace, gong, workspace.sync(), calls, transcripts, list(gong.faults))


@pytest.mark.parametrize("name", [name for name, odd in CALLS.items() if odd.held])
def test_an_odd_call_is_laid_out_as_far_as_it_goes(loaded: Loaded, name: str) -> None:
    question, wanted = CALLS[name].held or ("", None)
    assert loaded.workspace.rows(f"SELECT {question} FROM calls WHERE id = ?", [loaded.calls[name].id]) == [(wanted,)]


@pytest.mark.parametrize("name", [name for name, odd in CALLS.items() if odd.reason])
def test_a_call_that_fits_no_table_is_set_aside_with_its_reason(loaded: Loaded, name: str) -> None:
    call_id, reason = loaded.calls[name].id, CALLS[name].reason
    assert loaded.workspace.rows("SELECT count(*) FROM calls WHERE id = ?", [call_id]) == [(0,)]
    reasons = [row[0] for row in loaded.workspace.rows("SELECT reason FROM _rejected WHERE resource = 'calls'")]
    assert [text for text in reasons if reason is not None and reason in text]


@pytest.mark.parametrize("name", [name for name, odd in TRANSCRIPTS.items() if odd.held])
def test_an_odd_transcript_is_laid_out_as_far_as_it_goes(loaded: Loaded, name: str) -> None:
    question, wanted = TRANSCRIPTS[name].held or ("", None)
    call_id = loaded.transcripts[name].id
    assert loaded.workspace.rows(f"SELECT {question} FROM transcript_sentences WHERE call_id = ?", [call_id]) == [
        (wanted,)
    ]
    assert loaded.workspace.rows("SELECT count(*) FROM transcripts WHERE call_id = ?", [call_id]) == [(1,)]


@pytest.mark.parametrize("name", [name for name, odd in TRANSCRIPTS.items() if odd.reason])
def test_a_transcript_that_fits_no_table_is_set_aside_with_its_reason(loaded: Loaded, name: str) -> None:
    call_id, reason = loaded.transcripts[name].id, TRANSCRIPTS[name].reason
    assert loaded.workspace.rows("SELECT count(*) FROM transcripts WHERE call_id = ?", [call_id]) == [(0,)]
    reasons = [row[0] for row in loaded.workspace.rows("SELECT reason FROM _rejected WHERE resource = 'transcripts'")]
    assert [text for text in reasons if reason is not None and reason in text]


def test_odd_records_stop_no_other(loaded: Loaded) -> None:
    bad = sum(odd.reason is not None for odd in (*CALLS.values(), *TRANSCRIPTS.values()))
    assert loaded.summary["status"] == "done"
    assert loaded.summary["rejected"] == bad == loaded.workspace.count("_rejected")
    refused = sum(odd.reason is not None for odd in CALLS.values())
    assert loaded.workspace.count("calls") == len(public_calls(loaded.gong)) - refused
    kept = loaded.workspace.rows("SELECT id FROM _rejected WHERE resource = 'calls' AND record IS NOT NULL")
    named = {loaded.calls[name].id for name in ("text for the people", "text for the content", "numbers for trackers")}
    assert named <= {row[0] for row in kept}


def test_what_stays_bad_is_not_written_again_and_what_is_mended_comes_in(loaded: Loaded) -> None:
    """Last of this file: it mends the company."""
    again = loaded.workspace.sync("--since", "2020-01-01", "--select", "calls,transcripts")
    assert again["rejected"] == loaded.summary["rejected"]
    assert "_rejected" not in again["tables"]
    assert again["calls"] == 0
    loaded.gong.faults.clear()
    loaded.workspace.sync("--since", "2020-01-01")
    nameless = {name for name, odd in (*CALLS.items(), *TRANSCRIPTS.items()) if odd.reason and not _has_name(name)}
    assert loaded.workspace.count("_rejected") <= len(nameless) + 1
    assert_warehouse_matches(loaded.workspace, loaded.gong)


def test_users_workspaces_and_folders_that_fit_no_table_stop_no_other(tmp_path: Path) -> None:
    workspace, gong = _company(tmp_path)
    users, folders = gong.company.users, gong.company.folders
    shelf = next(shelf for shelf in folders if len(shelf.calls) > 1)
    bad_users: list[Any] = [
        None,
        7,
        "x",
        [],
        {"firstName": "No id"},
        {"id": "", "x": 1},
        {**users[0], "id": "71", "settings": "all"},
    ]
    odd = {**users[0], "id": 99999999999999999999, "active": "true", "created": "0001-01-01T00:00:00Z", "newField": [1]}

    def change(body: bytes) -> bytes:
        answer = msgspec.json.decode(body)
        if "users" in answer:
            answer["users"] += [*bad_users, odd, odd]
        elif "workspaces" in answer:
            answer["workspaces"] += [None, {"name": "No id"}, {"id": "12345678901234567890", "name": "Twenty digits"}]
        elif "folders" in answer:
            answer["folders"] += [None, {"name": "No id"}, {"id": "12345678901234567890", "name": "Twenty digits"}]
        elif answer.get("id") == shelf.folder["id"]:
            answer["calls"] += [None, "gone", {**answer["calls"][0], "snippet": "middle"}]
        return msgspec.json.encode(answer)

    gong.faults.append(Fault(rewrite_bytes(change), "/v2/", method="GET"))
    with serve(gong.app) as url:
        workspace.configure(base_url=url)
        summary = workspace.sync()
        assert summary["status"] == "done"
        assert workspace.count("users") == len(users) + 1
        assert workspace.rows("SELECT id, active, year(created), new_field FROM users WHERE length(id) = 20") == [
            ("9" * 20, True, 1, "[1]")
        ]
        assert workspace.count("workspaces") == len(gong.company.workspaces) + 1
        assert workspace.count("library_folders") == len(folders)
        assert workspace.rows("SELECT count(*) FROM library_calls WHERE folder_id = ?", [shelf.folder["id"]]) == [
            (len(shelf.calls),)
        ]
        by_resource = dict(workspace.rows("SELECT resource, count(*) FROM _rejected GROUP BY ALL"))
        assert by_resource == {"users": 7, "workspaces": 2, "library": 7}
        assert summary["rejected"] == 16
        assert_warehouse_matches(workspace, gong)
        del users[0]
        gong.faults[0] = Fault(
            rewrite_bytes(lambda body: body.replace(b'"settings":"all"', b'"settings":null')), "/v2/"
        )
        assert workspace.sync()["status"] == "done"
        assert workspace.count("users") == len(users)


def test_transcripts_nobody_asked_for_are_left_out_and_of_two_one_is_taken(tmp_path: Path) -> None:
    workspace, gong = _company(tmp_path)
    private = next(call for call in gong.list_calls() if call.record["metaData"]["isPrivate"])

    def change(body: bytes) -> bytes:
        answer = msgspec.json.decode(body)
        uninvited = {"callId": private.id, "transcript": said(FIRST)}
        answer["callTranscripts"] += [uninvited, answer["callTranscripts"][0]]
        return msgspec.json.encode(answer)

    gong.faults.append(Fault(rewrite_bytes(change), TRANSCRIPT))
    with serve(gong.app) as url:
        workspace.configure(base_url=url)
        workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_ids_that_gong_may_refuse_are_asked_for_apart_and_only_the_refused_one_is_set_aside(tmp_path: Path) -> None:
    workspace, gong = _company(tmp_path)
    gong.settings.call_ids_below = 2**64
    spoken = [call for call in public_calls(gong) if call.transcript_json]
    # Beyond 64 bits signed, and the last one beyond 64 bits at all.
    long_ids = ["9999999999999999999", "12345678901234567890", "18446744073709551615", "98765432109876543210"]
    for call, long_id in zip(spoken, long_ids, strict=False):
        gong.delete_call(call.id)
        record = {**call.record, "metaData": {**call.record["metaData"], "id": long_id}}
        gong.add_call(record, json.loads(call.transcript_json or b"null"))
    with serve(gong.app) as url:
        workspace.configure(base_url=url)
        summaries = [workspace.sync("--select", "calls,transcripts") for _ in range(2)]
    assert [summary["status"] for summary in summaries] == ["done", "done"]
    assert summaries[1]["tables"] == {}
    assert workspace.rows("SELECT count(*) FROM calls WHERE len(id) > 18 AND id = ANY(?)", [long_ids]) == [(4,)]
    transcribed = {row[0] for row in workspace.rows("SELECT call_id FROM transcripts")}
    assert transcribed == {call.id for call in public_calls(gong) if call.transcript_json} - {long_ids[-1]}
    assert workspace.rows("SELECT resource, id FROM _rejected") == [("transcripts", long_ids[-1])]


def test_a_truth_that_is_none_keeps_a_call_private(tmp_path: Path) -> None:
    workspace, gong = _company(tmp_path)
    yes, unclear = [call for call in public_calls(gong) if call.transcript_json][:2]
    said_private = {yes.id: b'"true"', unclear.id: b'"perhaps"'}

    def change(body: bytes) -> bytes:
        answer = json.loads(body)
        for record in answer["calls"]:
            if (call_id := record["metaData"]["id"]) in said_private:
                record["metaData"]["isPrivate"] = json.loads(said_private[call_id])
        return msgspec.json.encode(answer)

    gong.faults.append(Fault(rewrite_bytes(change), EXTENSIVE))
    with serve(gong.app) as url:
        workspace.configure(base_url=url)
        workspace.sync("--select", "calls,transcripts")
    for table in ("calls", "transcripts"):
        key = "id" if table == "calls" else "call_id"
        assert workspace.rows(f"SELECT count(*) FROM {table} WHERE {key} IN (?, ?)", [yes.id, unclear.id]) == [(0,)]


def _company(folder: Path) -> tuple[Workspace, SimulatedGong]:
    workspace = Workspace(folder)
    workspace.configure(
        credentials__access_key="demo", credentials__access_key_secret="demo-secret", requests_per_second=1000
    )
    return workspace, build_recent_gong(calls=160)


def _odd(kinds: dict[str, Odd], names: dict[str, str], key: str) -> FaultAction:
    """Change the records of these calls, on any page."""

    def change(body: bytes) -> bytes:
        answer = json.loads(body)
        swaps: list[tuple[bytes, bytes]] = []
        for record in answer.get(key, ()):
            call_id = record["metaData"]["id"] if key == "calls" else record["callId"]
            if call_id in names:
                odd = kinds[names[call_id]]
                odd.change(record)
                swaps += [odd.bytes_for] if odd.bytes_for else []
        changed = json.dumps(answer).encode()
        for text, instead in swaps:
            changed = changed.replace(text, instead)
        return changed

    return rewrite_bytes(change)


def _has_name(name: str) -> bool:
    """Whether the record still says which call it is of, so that it is recognised once it is mended."""
    return name not in ("null for metaData", "a list for metaData", "no id", "an empty id", "an object for an id") and (
        name not in ("no call", "null for the call")
    )
