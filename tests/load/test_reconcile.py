"""`gong-elt reconcile`: deleted calls are confirmed and erased; moved or hidden calls are kept."""

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
    """Run `gong-elt reconcile --json`, assert its exit code and return the printed object."""
    result = workspace.run("reconcile", "--json", *arguments)
    assert result.code == code, f"exit code {result.code}\n{result.out}\n{result.err}"
    return result.json


def delete_calls(gong: SimulatedGong, calls: Sequence[Call]) -> list[str]:
    """Delete calls in Gong and return their ids in ascending order."""
    for call in calls:
        gong.delete_call(call.id)
    return sorted(call.id for call in calls)


def read_deleted_ids(workspace: Workspace) -> list[str]:
    """Return the ids of the calls that are marked as deleted, in ascending order."""
    return [row[0] for row in workspace.rows("SELECT id FROM calls WHERE _deleted_at IS NOT NULL ORDER BY id")]


def find_requests_by_id(gong: SimulatedGong) -> list[RequestLogEntry]:
    """Return the requests that list calls by id, not by window."""
    return [request for request in gong.requests if request.path == EXTENSIVE and is_request_by_id(request)]


def find_complete_calls(gong: SimulatedGong, count: int) -> list[Call]:
    """Return calls with a transcript and content, but without answered scorecards, which reconcile does not erase."""
    reviewed = {review["callId"] for review in gong.company.settings.answered_scorecards}
    complete = [call for call in public_calls(gong) if call.transcript_json and call.record.get("content")]
    return [call for call in complete if call.id not in reviewed][:count]


def test_a_deleted_call_is_marked_and_its_content_erased(gong: SimulatedGong, workspace: Workspace) -> None:
    """Only the columns that are kept after a deletion remain, in one request per window and confirmation."""
    workspace.sync()
    deleted = delete_calls(gong, find_complete_calls(gong, 2))
    before = workspace.rows(
        f"SELECT id, started, duration FROM calls WHERE id IN ('{deleted[0]}', '{deleted[1]}') ORDER BY id"
    )
    gong.requests.clear()

    result = reconcile(workspace)
    assert (result["status"], result["erased"]) == ("done", 2)
    assert sorted(call["id"] for call in result["missing"]) == deleted
    assert len(gong.requests) == 2
    assert read_deleted_ids(workspace) == deleted
    assert_warehouse_matches(workspace, gong)
    for (name,) in workspace.rows(
        "SELECT DISTINCT table_name FROM information_schema.columns"
        " WHERE table_schema = 'gong' AND column_name = 'call_id' AND table_name <> 'library_calls'"
    ):
        assert not workspace.rows(f"SELECT 1 FROM {name} WHERE call_id IN ('{deleted[0]}', '{deleted[1]}')"), name
    assert before == workspace.rows(
        "SELECT id, started, duration FROM calls WHERE _deleted_at IS NOT NULL AND title IS NULL AND brief IS NULL"
        " AND meeting_url IS NULL AND _content_hash IS NULL ORDER BY id"
    )


def test_an_erased_call_stays_erased(gong: SimulatedGong, workspace: Workspace) -> None:
    """A second reconcile finds nothing, and a sync does not load the call again."""
    workspace.sync()
    deleted = delete_calls(gong, find_complete_calls(gong, 1))
    reconcile(workspace)
    again = reconcile(workspace)
    assert (again["missing"], again["erased"]) == ([], 0)
    assert workspace.sync("--since", "2020-01-01", "--select", "calls,transcripts")["calls"] == 0
    assert read_deleted_ids(workspace) == deleted


def test_a_restored_call_is_loaded_completely(gong: SimulatedGong, workspace: Workspace) -> None:
    """If Gong restores a deleted call, its row and all child rows are loaded."""
    workspace.sync()
    (call,) = find_complete_calls(gong, 1)
    transcript = call.transcript
    delete_calls(gong, [call])

    reconcile(workspace)
    gong.add_call(call.record, transcript)
    workspace.sync("--since", "2020-01-01")
    assert read_deleted_ids(workspace) == []
    assert_warehouse_matches(workspace, gong)


def test_a_dry_run_lists_missing_calls_and_changes_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--dry-run` never writes, also if calls are missing."""
    workspace.sync()
    (call,) = find_complete_calls(gong, 1)
    delete_calls(gong, [call])
    before = workspace.rows("SELECT * FROM calls ORDER BY id")

    result = workspace.run("reconcile", "--dry-run")
    assert result.code == 0
    assert call.id in result.out
    assert call.record["metaData"]["title"].split()[0] in result.out
    assert workspace.rows("SELECT * FROM calls ORDER BY id") == before
    assert reconcile(workspace)["erased"] == 1


def test_a_rescheduled_call_is_confirmed_by_id_and_kept(gong: SimulatedGong, workspace: Workspace) -> None:
    """A call that left its window still exists in Gong."""
    workspace.sync()
    (call,) = find_complete_calls(gong, 1)
    earlier = (datetime.now(UTC) - timedelta(days=100)).isoformat()
    gong.edit_call(call.id, scheduled=earlier, started=earlier)
    gong.requests.clear()
    assert reconcile(workspace)["erased"] == 0
    assert [request.body["filter"]["callIds"] for request in find_requests_by_id(gong)] == [[call.id]]
    assert read_deleted_ids(workspace) == []


def test_a_call_missing_from_a_page_is_not_erased(gong: SimulatedGong, workspace: Workspace) -> None:
    """Each missing call is confirmed by id before anything is erased."""
    workspace.sync()
    gong.faults.append(Fault(rewrite(lambda page: page["calls"].pop() and None), EXTENSIVE, nth=1))
    result = reconcile(workspace)
    assert (result["missing"], result["erased"]) == ([], 0)
    assert_warehouse_matches(workspace, gong)


def test_more_deletions_than_the_share_are_refused_unless_forced(gong: SimulatedGong, workspace: Workspace) -> None:
    """A wrong key or scope must not empty the warehouse."""
    workspace.sync()
    deleted = delete_calls(gong, find_complete_calls(gong, 6))
    result = reconcile(workspace, code=1)
    assert result["status"] == "refused"
    assert "--max-share 5%" in result["reason"]
    assert read_deleted_ids(workspace) == []
    assert reconcile(workspace, "--max-share", "0.01", "--force")["erased"] == 6
    assert read_deleted_ids(workspace) == deleted
    assert_warehouse_matches(workspace, gong)


def test_a_larger_share_can_be_allowed(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--max-share` raises the limit of 5 %."""
    workspace.sync()
    delete_calls(gong, find_complete_calls(gong, 6))
    assert reconcile(workspace, "--max-share", "0.2")["erased"] == 6


def test_a_key_that_sees_no_calls_erases_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    """No calls at all means a lost permission, also with `--max-share 1`."""
    workspace.sync()
    gong.settings.hides_all_calls = True
    gong.requests.clear()

    result = reconcile(workspace, "--max-share", "1", code=1)
    assert "may not see" in result["reason"]
    assert len(gong.requests) == 1
    assert read_deleted_ids(workspace) == []

    gong.settings.hides_all_calls = False
    assert reconcile(workspace)["missing"] == []
    assert_warehouse_matches(workspace, gong)


def test_a_used_up_quota_stops_it_and_the_next_run_continues(gong: SimulatedGong, workspace: Workspace) -> None:
    """Candidates are kept between runs, so the windows are not read again."""
    spent = workspace.sync()["requests"]
    deleted = delete_calls(gong, find_complete_calls(gong, 2))
    workspace.configure(requests_per_day=spent + 1)

    stopped = reconcile(workspace, code=3)
    assert stopped["status"] == "stopped"
    assert read_deleted_ids(workspace) == []

    workspace.configure(requests_per_day=10_000)
    gong.requests.clear()
    assert reconcile(workspace)["erased"] == 2
    assert len(gong.requests) == len(find_requests_by_id(gong)) == 1
    assert read_deleted_ids(workspace) == deleted
    assert workspace.count("_missing_calls") == 0


def test_a_killed_reconcile_is_completed_by_the_next(gong: SimulatedGong, workspace: Workspace) -> None:
    """A kill between comparison and erasure loses no candidate."""
    workspace.sync()
    deleted = delete_calls(gong, find_complete_calls(gong, 2))
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
    assert read_deleted_ids(workspace) == deleted

    statuses = [row[0] for row in workspace.rows("SELECT status FROM _runs ORDER BY started_at")]
    assert statuses == ["done", "killed", "done"]
    assert_warehouse_matches(workspace, gong)


def test_all_windows_are_compared(make_gong: MakeGong, workspace: Workspace) -> None:
    """Deleted calls in the first, middle and last window are found, despite faults."""
    gong = make_gong(calls=2500, days=60)
    workspace.sync("--select", "calls")
    calls = public_calls(gong)
    deleted = delete_calls(gong, [calls[0], calls[len(calls) // 2], calls[-1]])
    gong.faults.append(Fault(expired_cursor(), EXTENSIVE, when=lambda request: request.cursor is not None, count=1))
    gong.faults.append(Fault(corrupt_json(), EXTENSIVE, nth=5))
    gong.requests.clear()
    assert reconcile(workspace)["erased"] == 3
    assert read_deleted_ids(workspace) == deleted
    assert (
        len({request.body["filter"]["fromDateTime"] for request in gong.requests if not is_request_by_id(request)}) == 3
    )


@pytest.mark.parametrize("mode", ["exclude", "metadata"])
def test_a_call_that_turned_private_long_ago_loses_its_content(
    gong: SimulatedGong, workspace: Workspace, mode: str
) -> None:
    """A private call is treated as `private_calls` requires, also beyond every lookback."""
    workspace.configure(private_calls=mode)
    workspace.sync()
    (call,) = find_complete_calls(gong, 1)
    gong.edit_call(call.id, isPrivate=True)

    result = reconcile(workspace)
    assert (result["erased"], result["turned_private"]) == (0, 1)

    rows = workspace.rows("SELECT is_private, title, _deleted_at FROM calls WHERE id = ?", [call.id])
    assert rows == ([] if mode == "exclude" else [(True, None, None)])
    for table in ("call_parties", "transcripts", "transcript_sentences"):
        assert not workspace.rows(f"SELECT 1 FROM {table} WHERE call_id = ?", [call.id])


def test_a_key_with_the_basic_scope_confirms_calls_one_by_one(gong: SimulatedGong, workspace: Workspace) -> None:
    """Without the extensive scope, GET /v2/calls/{id} confirms each missing call."""
    workspace.configure(call_detail="basic")
    workspace.sync("--select", "calls")
    deleted = delete_calls(gong, find_complete_calls(gong, 2))
    gong.requests.clear()
    assert reconcile(workspace)["erased"] == 2
    assert sorted(request.path for request in gong.requests) == [
        "/v2/calls",
        *(f"/v2/calls/{call_id}" for call_id in deleted),
    ]


def test_invalid_records_make_no_call_a_deleted_one(gong: SimulatedGong, workspace: Workspace) -> None:
    """A record that cannot be read is not proof of a deletion."""
    workspace.sync()
    victim, *others = find_complete_calls(gong, 8)
    deleted = delete_calls(gong, [victim])
    invalid = dict(
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
        page = msgspec.json.decode(body)
        ids = [call["metaData"]["id"] for call in page["calls"]]
        records = [invalid[id_].replace(b"%s", id_.encode()) if id_ in invalid else b"" for id_ in ids]
        raw = [records[at] or msgspec.json.encode(call) for at, call in enumerate(page["calls"])]
        return msgspec.json.encode({**page, "calls": list(map(msgspec.Raw, raw))})

    gong.faults.append(Fault(rewrite_bytes(change), EXTENSIVE))
    gong.requests.clear()

    result = reconcile(workspace)
    assert (result["compared"], result["erased"], result["unverifiable"]) == (
        len(public_calls(gong)) + 1,
        1,
        0,
    )

    # Records that cannot be read in a list by ids either are requested one by one.
    requested = sorted(request.path for request in gong.requests if request.method == "GET")
    assert requested == sorted(f"/v2/calls/{call_id}" for call_id in [*deleted, *list(invalid)[:5]])
    assert read_deleted_ids(workspace) == deleted
    assert_warehouse_matches(workspace, gong)


def test_an_unverifiable_call_is_kept(gong: SimulatedGong, workspace: Workspace) -> None:
    """A call with an id that Gong rejects, or without the scope to confirm it, is not erased."""
    victim, *calls = find_complete_calls(gong, 4)
    ids = dict(zip([call.id for call in calls], ["12345678901234567890", "9" * 5000, "CRM-17"], strict=True))

    def change(body: bytes) -> bytes:
        for old_id, new_id in ids.items():
            body = body.replace(f'"id":"{old_id}"'.encode(), f'"id":"{new_id}"'.encode())
        return body

    gong.faults.append(Fault(rewrite_bytes(change), EXTENSIVE))

    workspace.sync("--select", "calls,transcripts")
    gong.faults.clear()
    delete_calls(gong, calls)
    deleted = delete_calls(gong, [victim])

    result = reconcile(workspace, "--max-share", "0.02")
    assert (result["erased"], result["unverifiable"]) == (1, 3)
    assert read_deleted_ids(workspace) == deleted

    forbidden = ["You don't have permission to use 'api:calls:read:basic' in your app."]
    gong.faults.append(Fault(respond(401, errors=forbidden), "/v2/calls/", method="GET"))
    dry_run = workspace.run("reconcile", "--dry-run")
    assert dry_run.code == 0, dry_run.err
    assert "3 calls kept: Gong rejects the id" in dry_run.out


def test_without_a_warehouse_it_ends_with_a_usage_error(gong: SimulatedGong, workspace: Workspace) -> None:
    """One line, exit code 2, no request."""
    result = workspace.run("reconcile")
    assert result.code == 2
    assert "nothing loaded yet" in result.err
    assert len(result.err.splitlines()) == 1
    assert not gong.requests


def is_request_by_id(request: RequestLogEntry) -> bool:
    """Return whether a request lists calls by id."""
    return "callIds" in request.body["filter"]
