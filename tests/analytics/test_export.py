"""`gong-elt export transcripts`: every word of the calls that are chosen, the same from both warehouses."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import public_calls
from tests.support.marts import export_transcripts
from tests.support.workspace import Workspace


def test_every_word_of_every_readable_call_is_exported(marts_gong: SimulatedGong, duckdb_marts: Workspace) -> None:
    conversations = {conversation["call_id"]: conversation for conversation in export_transcripts(duckdb_marts)}
    told = {
        call.id: [
            " ".join(sentence["text"] for sentence in monologue["sentences"])
            for monologue in msgspec.json.decode(call.transcript_json)
        ]
        for call in public_calls(marts_gong)
        if call.transcript_json
    }
    assert {
        call_id: [turn["text"] for turn in conversation["turns"]] for call_id, conversation in conversations.items()
    } == {call_id: texts for call_id, texts in told.items() if texts}


def test_an_export_is_the_same_from_both_warehouses(duckdb_marts: Workspace, postgres_marts: Workspace) -> None:
    assert export_transcripts(duckdb_marts) == export_transcripts(postgres_marts)
    call = next(c for c in export_transcripts(duckdb_marts, "--side", "customer") if c["account_name"])
    chosen = ("--side", "customer", "--rep", call["host_name"][:5].lower(), "--account", call["account_name"].upper())
    assert call in export_transcripts(duckdb_marts, *chosen, "--since", call["started"])
    assert export_transcripts(duckdb_marts, *chosen) == export_transcripts(postgres_marts, *chosen)
    assert export_transcripts(duckdb_marts, "--until", call["started"]) == export_transcripts(
        postgres_marts, "--until", call["started"]
    )


def test_conversations_can_be_chosen(duckdb_marts: Workspace) -> None:
    everything = export_transcripts(duckdb_marts)
    middle = everything[len(everything) // 2]
    day = middle["started"][:10]
    assert [c["call_id"] for c in export_transcripts(duckdb_marts, "--since", day)] == [
        c["call_id"] for c in everything if c["started"][:10] >= day
    ]
    assert [c["call_id"] for c in export_transcripts(duckdb_marts, "--until", day)] == [
        c["call_id"] for c in everything if c["started"][:10] < day
    ]
    of_rep = export_transcripts(duckdb_marts, "--rep", middle["host_name"].upper())
    assert of_rep == [c for c in everything if c["host_name"] == middle["host_name"]]
    with_account = next(c for c in everything if c["account_name"])
    of_account = export_transcripts(duckdb_marts, "--account", with_account["account_name"].lower())
    assert of_account == [c for c in everything if c["account_name"] == with_account["account_name"]]
    customers = export_transcripts(duckdb_marts, "--side", "customer")
    assert customers
    assert {turn["side"] for c in customers for turn in c["turns"]} == {"customer"}


def test_an_export_goes_into_a_file(duckdb_marts: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    ended = duckdb_marts.run("export", "transcripts", "--to", str(file))
    assert (ended.code, ended.out) == (0, "")
    assert [json.loads(line) for line in file.read_text().splitlines()] == export_transcripts(duckdb_marts)
    assert [left.name for left in tmp_path.iterdir()] == ["calls.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "pdf"), "jsonl, markdown"),
        (("--side", "left"), "company, customer, unknown"),
        (("--since", "soon"), "--since"),
        (("--analytics", "elsewhere"), "run gong-elt models"),
        (("--to", "no/such/folder/file"), "cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_told_in_one_line(
    duckdb_marts: Workspace, arguments: tuple[str, ...], words: str
) -> None:
    ended = duckdb_marts.run("export", "transcripts", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
