"""Invalid users, workspaces and folders, unrequested transcripts, ids beyond 64 bits, unclear privacy flags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite_bytes
from pipelines.demo.server.serving import serve
from tests.support.companies import build_recent_gong, public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT
from tests.support.workspace import Workspace

FIRST = {"start": 0, "end": 900, "text": "Hello there."}


def said(*sentences: Any, **more: Any) -> list[Any]:
    """One monologue."""
    return [{"speakerId": "7", "topic": None, "sentences": list(sentences), **more}]


def test_invalid_users_workspaces_and_folders_are_rejected(tmp_path: Path) -> None:
    """Full-refresh resources load their valid records, too."""
    workspace, gong = _build_company(tmp_path)
    users, folders = gong.company.users, gong.company.folders
    folder = next(folder for folder in folders if len(folder.calls) > 1)
    bad_users: list[Any] = [
        None,
        7,
        "x",
        [],
        {"firstName": "No id"},
        {"id": "", "x": 1},
        {**users[0], "id": "71", "settings": "all"},
    ]
    convertible = {
        **users[0],
        "id": 99999999999999999999,
        "active": "true",
        "created": "0001-01-01T00:00:00Z",
        "newField": [1],
    }

    def change(body: bytes) -> bytes:
        page = msgspec.json.decode(body)
        if "users" in page:
            page["users"] += [*bad_users, convertible, convertible]
        elif "workspaces" in page:
            page["workspaces"] += [None, {"name": "No id"}, {"id": "12345678901234567890", "name": "Twenty digits"}]
        elif "folders" in page:
            page["folders"] += [None, {"name": "No id"}, {"id": "12345678901234567890", "name": "Twenty digits"}]
        elif page.get("id") == folder.folder["id"]:
            page["calls"] += [None, "gone", {**page["calls"][0], "snippet": "middle"}]
        return msgspec.json.encode(page)

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
        assert workspace.rows("SELECT count(*) FROM library_calls WHERE folder_id = ?", [folder.folder["id"]]) == [
            (len(folder.calls),)
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


def test_unrequested_and_repeated_transcripts_are_ignored(tmp_path: Path) -> None:
    """A transcript that was not requested may belong to a private call."""
    workspace, gong = _build_company(tmp_path)
    private = next(call for call in gong.list_calls() if call.record["metaData"]["isPrivate"])

    def change(body: bytes) -> bytes:
        page = msgspec.json.decode(body)
        unrequested = {"callId": private.id, "transcript": said(FIRST)}
        page["callTranscripts"] += [unrequested, page["callTranscripts"][0]]
        return msgspec.json.encode(page)

    gong.faults.append(Fault(rewrite_bytes(change), TRANSCRIPT))
    with serve(gong.app) as url:
        workspace.configure(base_url=url)
        workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_ids_beyond_64_bits_are_requested_separately(tmp_path: Path) -> None:
    """One id that Gong rejects must not cost the transcripts of the others."""
    workspace, gong = _build_company(tmp_path)
    gong.settings.call_ids_below = 2**64
    with_transcript = [call for call in public_calls(gong) if call.transcript_json]
    # Too long for a signed 64-bit integer; the last one for an unsigned one, too.
    long_ids = ["9999999999999999999", "12345678901234567890", "18446744073709551615", "98765432109876543210"]
    for call, long_id in zip(with_transcript, long_ids, strict=False):
        gong.delete_call(call.id)
        record = {**call.record, "metaData": {**call.record["metaData"], "id": long_id}}
        gong.add_call(record, json.loads(call.transcript_json or b"null"))

    with serve(gong.app) as url:
        workspace.configure(base_url=url)
        summaries = [workspace.sync("--select", "calls,transcripts") for _ in range(2)]
    assert [summary["status"] for summary in summaries] == ["done", "done"]
    assert summaries[1]["tables"] == {}
    assert workspace.rows("SELECT count(*) FROM calls WHERE len(id) > 18 AND id = ANY(?)", [long_ids]) == [(4,)]

    loaded = {row[0] for row in workspace.rows("SELECT call_id FROM transcripts")}
    assert loaded == {call.id for call in public_calls(gong) if call.transcript_json} - {long_ids[-1]}
    assert workspace.rows("SELECT resource, id FROM _rejected") == [("transcripts", long_ids[-1])]


def test_an_unclear_privacy_flag_makes_a_call_private(tmp_path: Path) -> None:
    """A value that is neither true nor false is treated as private."""
    workspace, gong = _build_company(tmp_path)
    yes, unclear = [call for call in public_calls(gong) if call.transcript_json][:2]
    privacy_flags = {yes.id: b'"true"', unclear.id: b'"perhaps"'}

    def change(body: bytes) -> bytes:
        page = json.loads(body)
        for record in page["calls"]:
            if (call_id := record["metaData"]["id"]) in privacy_flags:
                record["metaData"]["isPrivate"] = json.loads(privacy_flags[call_id])
        return msgspec.json.encode(page)

    gong.faults.append(Fault(rewrite_bytes(change), EXTENSIVE))
    with serve(gong.app) as url:
        workspace.configure(base_url=url)
        workspace.sync("--select", "calls,transcripts")
    for table in ("calls", "transcripts"):
        key = "id" if table == "calls" else "call_id"
        assert workspace.rows(f"SELECT count(*) FROM {table} WHERE {key} IN (?, ?)", [yes.id, unclear.id]) == [(0,)]


def _build_company(folder: Path) -> tuple[Workspace, SimulatedGong]:
    workspace = Workspace(folder)
    workspace.use_demo_key()
    return workspace, build_recent_gong(calls=160)


@pytest.mark.parametrize("flag", [True, "true", "True", 1, "yes"])
def test_every_form_of_a_private_flag_makes_a_call_private(
    gong: SimulatedGong, workspace: Workspace, flag: object
) -> None:
    """Text and numbers count like the boolean."""
    call, *_ = public_calls(gong)
    gong.edit_call(call.id, isPrivate=flag)
    workspace.sync("--select", "calls")
    assert workspace.rows("SELECT count(*) FROM calls WHERE id = ?", [call.id]) == [(0,)]
