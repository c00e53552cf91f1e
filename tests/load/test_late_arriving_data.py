"""What comes late, changes or shrinks after a call was first read: found by the look that is due, replaced whole.

The points are those of Gong's behaviour that bite: calls listed by scheduled time, readable hours or days later,
enriched for days, and no field that says when something changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from dlt.common.versioned_state import (
    compress_state,
    decompress_state,
    generate_state_version_hash,
)

from pipelines.demo.company.calls import Call
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, respond
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT, Json, call_start, parse_datetime
from tests.support.workspace import Workspace, days_ago

SELECT = ("--select", "calls,transcripts")


@pytest.mark.parametrize(
    ("days_old", "last_look", "found"),
    [
        pytest.param(0.5, 0, True, id="half a day old: every run"),
        pytest.param(4, 0, False, id="four days old: the daily look was today"),
        pytest.param(4, 1, True, id="four days old: the daily look is due"),
        pytest.param(20, 1, False, id="twenty days old: the weekly look was yesterday"),
        pytest.param(20, 7, True, id="twenty days old: the weekly look is due"),
    ],
)
def test_a_call_that_appears_late_is_found_on_the_day_its_look_is_due(
    gong: SimulatedGong, workspace: Workspace, days_old: float, last_look: int, found: bool
) -> None:
    workspace.sync(*SELECT)
    late = add_call(gong, timedelta(days=days_old))
    looked_last(workspace, last_look)
    workspace.sync(*SELECT)
    assert workspace.rows("SELECT count(*) FROM calls WHERE id = ?", [late]) == [(int(found),)]
    if not found:
        looked_last(workspace, 7)
        workspace.sync(*SELECT)
    assert_warehouse_matches(workspace, gong)


def test_a_call_readable_only_days_after_it_took_place_is_found(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.call_visible_after = timedelta(days=3)
    first = workspace.sync(*SELECT)["calls"]
    assert 0 < first < len(public_calls(gong))
    gong.settings.call_visible_after = timedelta(0)
    looked_last(workspace, 1)
    workspace.sync(*SELECT)
    assert_warehouse_matches(workspace, gong)


def test_an_old_recording_that_is_uploaded_is_found_by_an_explicit_window(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    workspace.sync(*SELECT)
    add_call(gong, timedelta(days=200), system="Public API")
    looked_last(workspace, 7)
    assert workspace.sync(*SELECT)["calls"] == 0
    assert workspace.sync(*SELECT, "--since", "2020-01-01")["calls"] == 1
    assert_warehouse_matches(workspace, gong)


def test_a_late_transcript_is_owed_and_status_says_since_when(gong: SimulatedGong, workspace: Workspace) -> None:
    late = add_call(gong, timedelta(days=12))
    transcript = gong.get_call(late).transcript
    gong.replace_transcript(late, None)
    for call in gong.list_calls():
        if call.transcript_json is None and call.id != late:
            gong.delete_call(call.id)
    workspace.sync(*SELECT)
    status = json.loads(workspace.run("status", "--json").out)
    assert status["pending_transcripts"] == 1
    assert abs(parse_datetime(status["pending_since"]) - call_start(gong.get_call(late))) < timedelta(seconds=1)
    gong.replace_transcript(late, transcript)
    gong.requests.clear()
    summary = workspace.sync(*SELECT)
    assert summary["transcripts"] == 1
    (asked,) = [request for request in gong.requests if request.path == TRANSCRIPT]
    assert late in asked.body["filter"]["callIds"]
    status = json.loads(workspace.run("status", "--json").out)
    assert (status["pending_transcripts"], status["pending_since"]) == (0, None)
    assert_warehouse_matches(workspace, gong)


def test_a_transcript_is_not_asked_for_for_ever(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.configure(transcript_retry_period="10d")
    late = add_call(gong, timedelta(days=12))
    gong.replace_transcript(late, None)
    workspace.sync(*SELECT)
    gong.requests.clear()
    workspace.sync(*SELECT)
    asked = {call_id for one in gong.requests if one.path == TRANSCRIPT for call_id in one.body["filter"]["callIds"]}
    assert late not in asked


def test_content_that_gong_makes_later_comes_in_with_all_its_tables(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.content_visible_after = timedelta(days=5)
    gong.settings.transcript_visible_after = timedelta(days=5)
    workspace.sync(*SELECT)
    before = workspace.count("call_topics"), workspace.count("call_outline_items"), workspace.count("transcripts")
    gong.settings.content_visible_after = gong.settings.transcript_visible_after = timedelta(0)
    looked_last(workspace, 1)
    workspace.sync(*SELECT)
    after = workspace.count("call_topics"), workspace.count("call_outline_items"), workspace.count("transcripts")
    assert all(then < now for then, now in zip(before, after, strict=True))
    assert_warehouse_matches(workspace, gong)


def retitle(record: Json) -> None:
    record["metaData"] |= {"title": "Renamed", "purpose": "Renewal"}


def change_outcome(record: Json) -> None:
    record["content"]["callOutcome"] = {"id": "9", "category": "Won", "name": "Signed"}


def drop_trackers(record: Json) -> None:
    record["content"]["trackers"] = record["content"]["trackers"][:1]


def advance_stage(record: Json) -> None:
    for context in record["context"]:
        for thing in context["objects"]:
            for field in thing["fields"]:
                if field["name"] == "StageName" and thing.get("timing") == "Now":
                    field["value"] = "Closed Won"


def lose_people(record: Json) -> None:
    record["parties"] = record["parties"][:1]


def move_workspace(record: Json) -> None:
    record["metaData"]["workspaceId"] = "4242424242424242424"


CHANGES: dict[str, tuple[Callable[[Json], None], str, Any]] = {
    "title": (retitle, "SELECT title || purpose FROM calls WHERE id = ?", "RenamedRenewal"),
    "outcome": (change_outcome, "SELECT call_outcome_name FROM calls WHERE id = ?", "Signed"),
    "trackers": (drop_trackers, "SELECT count(*) FROM call_trackers WHERE call_id = ?", 1),
    "CRM stage": (
        advance_stage,
        "SELECT value->>'$' FROM call_crm_fields WHERE call_id = ? AND name = 'StageName' AND timing = 'Now'"
        " AND party_id = ''",
        "Closed Won",
    ),
    "people": (lose_people, "SELECT count(*) FROM call_parties WHERE call_id = ?", 1),
    "workspace": (move_workspace, "SELECT workspace_id FROM calls WHERE id = ?", "4242424242424242424"),
}


def _changed(call: Call, change: Callable[[Json], None]) -> Json | None:
    """The call's record after a change; None if the call has nothing that the change would change."""
    record: Json = json.loads(json.dumps(call.record))
    if not call.transcript_json or "trackers" not in record.get("content", {}):
        return None
    change(record)
    return None if record == call.record else record


def test_what_changes_in_a_call_is_found_by_the_look_that_is_due(gong: SimulatedGong, workspace: Workspace) -> None:
    ids = [
        add_call(gong, timedelta(days=2 + n / 4), next(call for call in public_calls(gong) if _changed(call, change)))
        for n, (change, _, _) in enumerate(CHANGES.values())
    ]
    workspace.sync(*SELECT)
    for call_id, (change, _, _) in zip(ids, CHANGES.values(), strict=True):
        gong.replace_call(call_id, _changed(gong.get_call(call_id), change) or {})
    looked_last(workspace, 1)
    assert workspace.sync(*SELECT)["calls"] == len(CHANGES)
    for call_id, (name, (_, question, wanted)) in zip(ids, CHANGES.items(), strict=True):
        assert workspace.rows(question, [call_id]) == [(wanted,)], name
    assert_warehouse_matches(workspace, gong)


def test_transcripts_that_shrink_grow_and_vanish_are_followed(gong: SimulatedGong, workspace: Workspace) -> None:
    shrunk, grown, emptied = (add_call(gong, timedelta(days=days)) for days in (2, 3, 4))
    workspace.sync(*SELECT)
    said = gong.get_call(grown).transcript or []
    gong.replace_transcript(shrunk, said[:1])
    gong.replace_transcript(grown, said + said)
    gong.replace_transcript(emptied, [])
    looked_last(workspace, 1)
    summary = workspace.sync(*SELECT)
    assert (summary["calls"], summary["transcripts"]) == (0, 3)
    assert workspace.rows("SELECT count(*) FROM transcript_sentences WHERE call_id = ?", [emptied]) == [(0,)]
    assert_warehouse_matches(workspace, gong)


def test_calls_on_the_edge_of_a_window_are_in_exactly_one(gong: SimulatedGong, workspace: Workspace) -> None:
    """Gong lists a conference by the time it was scheduled for, whenever it really began."""
    workspace.configure(lookback="0d")
    edge = (datetime.now(UTC) - timedelta(days=10)).replace(hour=12, minute=0, second=0, microsecond=0)
    ago = datetime.now(UTC) - edge
    minutes = timedelta(minutes=1)
    began_before = add_call(gong, ago - 20 * minutes, started=ago + 10 * minutes)
    began_after = add_call(gong, ago + 20 * minutes, started=ago - 10 * minutes)
    on_the_edge = add_call(gong, ago, exactly=edge)
    workspace.sync(*SELECT, "--until", edge.isoformat())
    held = {row[0] for row in workspace.rows("SELECT id FROM calls")}
    assert began_after in held
    assert not {began_before, on_the_edge} & held
    gong.requests.clear()
    workspace.sync(*SELECT)
    (request, *_) = [request for request in gong.requests if request.path == EXTENSIVE]
    assert parse_datetime(request.body["filter"]["fromDateTime"]) == edge
    assert_warehouse_matches(workspace, gong)


def test_a_quiet_week_is_no_error_and_the_bookmark_moves(gong: SimulatedGong, workspace: Workspace) -> None:
    for call in gong.list_calls():
        if call_start(call) > datetime.now(UTC) - timedelta(days=8):
            gong.delete_call(call.id)
    workspace.sync(*SELECT, "--until", days_ago(5))
    gong.requests.clear()
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    summary = workspace.sync(*SELECT)
    # Whether it sees any calls at all is asked once, for all times.
    assert [request.status for request in gong.requests if request.path == EXTENSIVE] == [404, 200]
    assert (summary["status"], summary["warning"]) == ("done", None)
    assert parse_datetime(summary["bookmark"]) >= before
    assert_warehouse_matches(workspace, gong)


def test_a_key_that_suddenly_sees_no_calls_is_warned_of(gong: SimulatedGong, workspace: Workspace) -> None:
    assert workspace.sync(*SELECT)["warning"] is None
    held = workspace.count("calls")
    gong.settings.see_no_calls = True
    summary = workspace.sync(*SELECT)
    assert summary["status"] == "done"
    assert summary["warning"].startswith(f"Gong shows no calls at all, though the warehouse has {held}: ")
    assert workspace.rows("SELECT reason FROM _runs ORDER BY started_at DESC LIMIT 1") == [(summary["warning"],)]
    workspace.configure(call_detail="basic")
    ended = workspace.run("sync", *SELECT)
    assert ended.code == 0
    assert f"warning: Gong shows no calls at all, though the warehouse has {held}: " in " ".join(ended.out.split())
    gong.faults.append(Fault(respond(418), "/v2/calls", method="GET", nth=2))
    assert "could not be asked: GET /v2/calls: HTTP 418" in workspace.sync(*SELECT)["warning"]
    assert workspace.count("calls") == held


def test_a_call_that_turns_private_and_back_is_followed_by_plain_syncs(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    call_id = add_call(gong, timedelta(hours=5))
    workspace.sync(*SELECT)
    gong.edit_call(call_id, isPrivate=True)
    assert workspace.sync(*SELECT)["private_excluded"] >= 1
    for table, key in (("calls", "id"), ("call_parties", "call_id"), ("transcript_sentences", "call_id")):
        assert workspace.rows(f"SELECT count(*) FROM {table} WHERE {key} = ?", [call_id]) == [(0,)]
    gong.edit_call(call_id, isPrivate=False)
    workspace.sync(*SELECT)
    assert_warehouse_matches(workspace, gong)


def test_media_links_that_are_signed_anew_do_not_count_as_a_change(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.configure(include_media=True)
    workspace.sync(*SELECT)
    link = "SELECT audio_url FROM call_media ORDER BY audio_url LIMIT 1"
    before = workspace.rows(link)
    summary = workspace.sync(*SELECT, "--since", "2020-01-01")
    assert (summary["calls"], summary["tables"]) == (0, {})
    assert workspace.rows(link) == before != []


def test_calls_too_short_for_content_and_imports_without_people_are_calls_like_any_other(
    make_gong: MakeGong, workspace: Workspace
) -> None:
    gong = make_gong()
    model = public_calls(gong)[0].record["metaData"]
    moment = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    meta = {**model, "id": "1234567890123456789", "started": moment, "scheduled": moment, "duration": 3}
    gong.add_call({"metaData": meta, "parties": []})
    summary = workspace.sync(*SELECT)
    assert (summary["status"], summary["rejected"]) == ("done", 0)
    assert workspace.rows("SELECT duration, brief FROM calls WHERE id = '1234567890123456789'") == [(3, None)]
    assert_warehouse_matches(workspace, gong)


def add_call(
    gong: SimulatedGong,
    ago: timedelta,
    model: Call | None = None,
    *,
    started: timedelta | None = None,
    exactly: datetime | None = None,
    system: str = "Zoom",
) -> str:
    """Adds a call with a transcript and gives its id: scheduled so long ago, and begun then or at another time."""
    model = model or next(call for call in public_calls(gong) if call.transcript_json)
    now = datetime.now(UTC)
    call_id = str(7_000_000_000_000_000_000 + len(gong.list_calls()))
    meta = {
        **model.record["metaData"],
        "id": call_id,
        "system": system,
        "clientUniqueId": None,
        "scheduled": (exactly or now - ago).isoformat(timespec="milliseconds"),
        "started": (exactly or now - (started or ago)).isoformat(timespec="milliseconds"),
        "isPrivate": False,
    }
    gong.add_call({**model.record, "metaData": meta}, model.transcript)
    return call_id


def looked_last(workspace: Workspace, days_ago: int) -> None:
    """Makes the warehouse remember that its last daily and weekly looks were so many days ago."""
    with duckdb.connect(str(workspace.folder / "warehouse.duckdb")) as warehouse:
        version, packed = warehouse.execute(
            "SELECT version, state FROM gong._dlt_pipeline_state ORDER BY version DESC LIMIT 1"
        ).fetchone() or (0, "")
        state: Any = decompress_state(packed)
        for resource in state["sources"]["gong"]["resources"].values():
            for tier in ("1", "2") if "lookback_dates" in resource else ():
                resource["lookback_dates"][tier] = (datetime.now(UTC).date() - timedelta(days=days_ago)).isoformat()
        changed = generate_state_version_hash(state)
        warehouse.execute(
            "UPDATE gong._dlt_pipeline_state SET state = ?, version_hash = ? WHERE version = ?",
            [compress_state(state), changed, version],
        )
