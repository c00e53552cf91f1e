"""Calls that Gong deleted leave the warehouse, confirmed one by one; calls that it only moved or hid do not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from pipelines.demo.company.calls import Call
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, corrupt_json, expired_cursor, respond, rewrite, rewrite_bytes
from pipelines.demo.server.request_log import RequestLogEntry
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE
from tests.support.workspace import Workspace


def reconcile(workspace: Workspace, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Runs `gong-elt reconcile --json`, which has to end with that exit code."""
    ended = workspace.run("reconcile", "--json", *arguments)
    assert ended.code == code, f"exit code {ended.code}\n{ended.out}\n{ended.err}"
    return ended.json


def delete(gong: SimulatedGong, calls: Sequence[Call]) -> list[str]:
    """Deletes calls in Gong; their ids in order."""
    for call in calls:
        gong.delete_call(call.id)
    return sorted(call.id for call in calls)


def deleted(workspace: Workspace) -> list[str]:
    """Calls marked as deleted."""
    return [row[0] for row in workspace.rows("SELECT id FROM calls WHERE _deleted_at IS NOT NULL ORDER BY id")]


def asked_by_id(gong: SimulatedGong) -> list[RequestLogEntry]:
    """Requests that ask for calls by id, not for a window."""
    return [request for request in gong.requests if request.path == EXTENSIVE and "callIds" in request.body["filter"]]


def rich_calls(gong: SimulatedGong, count: int) -> list[Call]:
    """Calls with a transcript and content, but without a review: these are a list of Gong's own."""
    reviewed = {review["callId"] for review in gong.company.settings.answered_scorecards}
    rich = [call for call in public_calls(gong) if call.transcript_json and call.record.get("content")]
    return [call for call in rich if call.id not in reviewed][:count]


def test_a_deleted_call_is_marked_and_all_it_held_is_erased(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    lost = rich_calls(gong, 2)
    gone = delete(gong, lost)
    before = workspace.rows(
        f"SELECT id, started, duration FROM calls WHERE id IN ('{gone[0]}', '{gone[1]}') ORDER BY id"
    )
    gong.requests.clear()
    outcome = reconcile(workspace)
    assert (outcome["status"], outcome["erased"]) == ("done", 2)
    assert sorted(call["id"] for call in outcome["missing"]) == gone
    assert len(gong.requests) == 2
    assert deleted(workspace) == gone
    assert_warehouse_matches(workspace, gong)
    for (name,) in workspace.rows(
        "SELECT DISTINCT table_name FROM information_schema.columns"
        " WHERE table_schema = 'gong' AND column_name = 'call_id' AND table_name <> 'library_calls'"
    ):
        assert not workspace.rows(f"SELECT 1 FROM {name} WHERE call_id IN ('{gone[0]}', '{gone[1]}')"), name
    assert before == workspace.rows(
        "SELECT id, started, duration FROM calls WHERE _deleted_at IS NOT NULL AND title IS NULL AND brief IS NULL"
        " AND meeting_url IS NULL AND _content_hash IS NULL ORDER BY id"
    )


def test_a_second_reconcile_finds_nothing_and_a_sync_does_not_bring_calls_back(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    workspace.sync()
    gone = delete(gong, rich_calls(gong, 1))
    reconcile(workspace)
    again = reconcile(workspace)
    assert (again["missing"], again["erased"]) == ([], 0)
    assert workspace.sync("--since", "2020-01-01", "--select", "calls,transcripts")["calls"] == 0
    assert deleted(workspace) == gone


def test_a_call_that_comes_back_is_whole_again(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    (call,) = rich_calls(gong, 1)
    transcript = call.transcript
    delete(gong, [call])
    reconcile(workspace)
    gong.add_call(call.record, transcript)
    workspace.sync("--since", "2020-01-01")
    assert deleted(workspace) == []
    assert_warehouse_matches(workspace, gong)


def test_a_dry_run_prints_the_list_and_changes_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    (call,) = rich_calls(gong, 1)
    delete(gong, [call])
    before = workspace.rows("SELECT * FROM calls ORDER BY id")
    ended = workspace.run("reconcile", "--dry-run")
    assert ended.code == 0
    assert call.id in ended.out
    assert call.record["metaData"]["title"].split()[0] in ended.out
    assert workspace.rows("SELECT * FROM calls ORDER BY id") == before
    assert reconcile(workspace)["erased"] == 1


def test_a_call_that_was_moved_is_asked_for_by_id_and_stays(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    (call,) = rich_calls(gong, 1)
    earlier = (datetime.now(UTC) - timedelta(days=100)).isoformat()
    gong.edit_call(call.id, scheduled=earlier, started=earlier)
    gong.requests.clear()
    assert reconcile(workspace)["erased"] == 0
    assert [request.body["filter"]["callIds"] for request in asked_by_id(gong)] == [[call.id]]
    assert deleted(workspace) == []


def test_a_page_that_leaves_a_call_out_erases_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    gong.faults.append(Fault(rewrite(lambda answer: answer["calls"].pop() and None), EXTENSIVE, nth=1))
    outcome = reconcile(workspace)
    assert (outcome["missing"], outcome["erased"]) == ([], 0)
    assert_warehouse_matches(workspace, gong)


def test_more_than_the_share_is_refused_unless_forced(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    gone = delete(gong, rich_calls(gong, 6))
    outcome = reconcile(workspace, code=1)
    assert outcome["status"] == "refused"
    assert "--max-share 5%" in outcome["reason"]
    assert deleted(workspace) == []
    assert reconcile(workspace, "--max-share", "0.01", "--force")["erased"] == 6
    assert deleted(workspace) == gone
    assert_warehouse_matches(workspace, gong)


def test_a_larger_share_can_be_allowed(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    delete(gong, rich_calls(gong, 6))
    assert reconcile(workspace, "--max-share", "0.2")["erased"] == 6


def test_a_gong_that_suddenly_shows_nothing_erases_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    gong.settings.see_no_calls = True
    gong.requests.clear()
    outcome = reconcile(workspace, "--max-share", "1", code=1)
    assert "may not see" in outcome["reason"]
    assert len(gong.requests) == 1
    assert deleted(workspace) == []
    gong.settings.see_no_calls = False
    assert reconcile(workspace)["missing"] == []
    assert_warehouse_matches(workspace, gong)


def test_a_budget_that_ends_stops_it_and_the_next_one_goes_on_there(gong: SimulatedGong, workspace: Workspace) -> None:
    spent = workspace.sync()["requests"]
    gone = delete(gong, rich_calls(gong, 2))
    workspace.configure(requests_per_day=spent + 1)
    stopped = reconcile(workspace, code=3)
    assert stopped["status"] == "stopped"
    assert deleted(workspace) == []
    workspace.configure(requests_per_day=10_000)
    gong.requests.clear()
    assert reconcile(workspace)["erased"] == 2
    assert len(gong.requests) == len(asked_by_id(gong)) == 1
    assert deleted(workspace) == gone
    assert workspace.count("_missing_calls") == 0


def test_a_killed_reconcile_is_made_good_by_the_next(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    gone = delete(gong, rich_calls(gong, 2))
    gong.settings.latency_seconds = 0.5
    gong.requests.clear()
    process = workspace.start("reconcile")
    while len(gong.requests) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    gong.settings.latency_seconds = 0.0
    workspace.delete_working_folder()
    assert reconcile(workspace)["erased"] == 2
    assert deleted(workspace) == gone
    statuses = [row[0] for row in workspace.rows("SELECT status FROM _runs ORDER BY started_at")]
    assert statuses == ["done", "killed", "done"]
    assert_warehouse_matches(workspace, gong)


def test_a_company_of_several_windows_is_compared_whole(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=2500, days=60)
    workspace.sync("--select", "calls")
    calls = public_calls(gong)
    gone = delete(gong, [calls[0], calls[len(calls) // 2], calls[-1]])
    gong.faults.append(Fault(expired_cursor(), EXTENSIVE, when=lambda request: request.cursor is not None, count=1))
    gong.faults.append(Fault(corrupt_json(), EXTENSIVE, nth=5))
    gong.requests.clear()
    assert reconcile(workspace)["erased"] == 3
    assert deleted(workspace) == gone
    assert len({request.body["filter"]["fromDateTime"] for request in gong.requests if not asked_by(request)}) == 3


@pytest.mark.parametrize("mode", ["exclude", "metadata"])
def test_a_call_that_turned_private_long_ago_loses_its_content(
    gong: SimulatedGong, workspace: Workspace, mode: str
) -> None:
    workspace.configure(private_calls=mode)
    workspace.sync()
    (call,) = rich_calls(gong, 1)
    gong.edit_call(call.id, isPrivate=True)
    outcome = reconcile(workspace)
    assert (outcome["erased"], outcome["turned_private"]) == (0, 1)
    rows = workspace.rows("SELECT is_private, title, _deleted_at FROM calls WHERE id = ?", [call.id])
    assert rows == ([] if mode == "exclude" else [(True, None, None)])
    for table in ("call_parties", "transcripts", "transcript_sentences"):
        assert not workspace.rows(f"SELECT 1 FROM {table} WHERE call_id = ?", [call.id])


def test_a_key_with_basic_rights_confirms_one_by_one(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.configure(call_detail="basic")
    workspace.sync("--select", "calls")
    gone = delete(gong, rich_calls(gong, 2))
    gong.requests.clear()
    assert reconcile(workspace)["erased"] == 2
    assert sorted(request.path for request in gong.requests) == ["/v2/calls", *(f"/v2/calls/{one}" for one in gone)]


def test_odd_records_in_an_answer_make_no_call_a_deleted_one(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    victim, *others = rich_calls(gong, 8)
    gone = delete(gong, [victim])
    odd = dict(
        zip(
            [call.id for call in others],
            [
                b"null",
                b'"a text"',
                b"7",
                b'{"metaData":[]}',
                b'{"metaData":{"id":true}}',
                b'{"metaData":{"id":"%s","isPrivate":false,"duration":1e999}}',
                b'{"metaData":{"id":"%s","isPrivate":false,"duration":' + b"9" * 5000 + b"}}",
            ],
            strict=True,
        )
    )

    def change(body: bytes) -> bytes:
        answer = msgspec.json.decode(body)
        own = [call["metaData"]["id"] for call in answer["calls"]]
        records = [odd[one].replace(b"%s", one.encode()) if one in odd else b"" for one in own]
        raw = [records[at] or msgspec.json.encode(call) for at, call in enumerate(answer["calls"])]
        return msgspec.json.encode({**answer, "calls": list(map(msgspec.Raw, raw))})

    gong.faults.append(Fault(rewrite_bytes(change), EXTENSIVE))
    gong.requests.clear()
    outcome = reconcile(workspace)
    assert (outcome["compared"], outcome["erased"], outcome["unverifiable"]) == (
        len(public_calls(gong)) + 1,
        1,
        0,
    )
    # Of those that were asked for together too some could not be read: one by one, then.
    alone = sorted(request.path for request in gong.requests if request.method == "GET")
    assert alone == sorted(f"/v2/calls/{one}" for one in [*gone, *list(odd)[:5]])
    assert deleted(workspace) == gone
    assert_warehouse_matches(workspace, gong)


def test_a_call_that_gong_cannot_be_asked_about_is_none_that_is_gone(gong: SimulatedGong, workspace: Workspace) -> None:
    victim, *calls = rich_calls(gong, 4)
    ids = dict(zip([call.id for call in calls], ["12345678901234567890", "9" * 5000, "CRM-17"], strict=True))

    def change(body: bytes) -> bytes:
        for own, other in ids.items():
            body = body.replace(f'"id":"{own}"'.encode(), f'"id":"{other}"'.encode())
        return body

    gong.faults.append(Fault(rewrite_bytes(change), EXTENSIVE))
    workspace.sync("--select", "calls,transcripts")
    gong.faults.clear()
    delete(gong, calls)
    gone = delete(gong, [victim])
    outcome = reconcile(workspace, "--max-share", "0.02")
    assert (outcome["erased"], outcome["unverifiable"]) == (1, 3)
    assert deleted(workspace) == gone
    forbidden = ["You don't have permission to use 'api:calls:read:basic' in your app."]
    gong.faults.append(Fault(respond(401, errors=forbidden), "/v2/calls/", method="GET"))
    ended = workspace.run("reconcile", "--dry-run")
    assert ended.code == 0, ended.err
    assert "3 calls kept: Gong rejects their ids" in ended.out


def test_without_a_warehouse_there_is_nothing_to_compare(gong: SimulatedGong, workspace: Workspace) -> None:
    ended = workspace.run("reconcile")
    assert ended.code == 2
    assert "nothing loaded yet" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not gong.requests


def asked_by(request: RequestLogEntry) -> bool:
    """Whether a request asks for calls by id."""
    return "callIds" in request.body["filter"]
