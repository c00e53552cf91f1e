"""`gong-elt export transcripts`: every word of the calls that are chosen, the same from both warehouses."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.expected_warehouse import listed_calls
from tests.support.marts import exported
from tests.support.workspace import Workspace


def test_every_word_of_every_readable_call_is_exported(modelled_gong: SimulatedGong, in_duckdb: Workspace) -> None:
    conversations = {conversation["call_id"]: conversation for conversation in exported(in_duckdb)}
    told = {
        call.id: [
            " ".join(sentence["text"] for sentence in monologue["sentences"])
            for monologue in msgspec.json.decode(call.transcript_json)
        ]
        for call in listed_calls(modelled_gong)
        if call.transcript_json
    }
    assert {
        call_id: [turn["text"] for turn in conversation["turns"]] for call_id, conversation in conversations.items()
    } == {call_id: texts for call_id, texts in told.items() if texts}


def test_an_export_is_the_same_from_both_warehouses(in_duckdb: Workspace, in_postgres: Workspace) -> None:
    assert exported(in_duckdb) == exported(in_postgres)
    call = next(c for c in exported(in_duckdb, "--side", "customer") if c["account_name"])
    chosen = ("--side", "customer", "--rep", call["host_name"][:5].lower(), "--account", call["account_name"].upper())
    assert call in exported(in_duckdb, *chosen, "--since", call["started"])
    assert exported(in_duckdb, *chosen) == exported(in_postgres, *chosen)
    assert exported(in_duckdb, "--until", call["started"]) == exported(in_postgres, "--until", call["started"])


def test_conversations_can_be_chosen(in_duckdb: Workspace) -> None:
    everything = exported(in_duckdb)
    middle = everything[len(everything) // 2]
    day = middle["started"][:10]
    assert [c["call_id"] for c in exported(in_duckdb, "--since", day)] == [
        c["call_id"] for c in everything if c["started"][:10] >= day
    ]
    assert [c["call_id"] for c in exported(in_duckdb, "--until", day)] == [
        c["call_id"] for c in everything if c["started"][:10] < day
    ]
    of_rep = exported(in_duckdb, "--rep", middle["host_name"].upper())
    assert of_rep == [c for c in everything if c["host_name"] == middle["host_name"]]
    with_account = next(c for c in everything if c["account_name"])
    of_account = exported(in_duckdb, "--account", with_account["account_name"].lower())
    assert of_account == [c for c in everything if c["account_name"] == with_account["account_name"]]
    customers = exported(in_duckdb, "--side", "customer")
    assert customers
    assert {turn["side"] for c in customers for turn in c["turns"]} == {"customer"}


def test_an_export_goes_into_a_file(in_duckdb: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    ended = in_duckdb.run("export", "transcripts", "--to", str(file))
    assert (ended.code, ended.out) == (0, "")
    assert [json.loads(line) for line in file.read_text().splitlines()] == exported(in_duckdb)
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
    in_duckdb: Workspace, arguments: tuple[str, ...], words: str
) -> None:
    ended = in_duckdb.run("export", "transcripts", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
