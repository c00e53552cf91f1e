"""Data that arrives or changes after a call was first read is found by the lookback and replaced.

Gong lists calls by scheduled time, makes them readable hours or days later, adds content for days, and has no field
for the time of the last change.
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
    ("days_old", "days_since_lookback", "found"),
    [
        pytest.param(0.5, 0, True, id="half a day old: every run"),
        pytest.param(4, 0, False, id="four days old: the daily lookback ran today"),
        pytest.param(4, 1, True, id="four days old: the daily lookback is due"),
        pytest.param(20, 1, False, id="twenty days old: the weekly lookback ran yesterday"),
        pytest.param(20, 7, True, id="twenty days old: the weekly lookback is due"),
    ],
)
def test_a_late_call_is_found_when_its_lookback_tier_is_due(
    gong: SimulatedGong, workspace: Workspace, days_old: float, days_since_lookback: int, found: bool
) -> None:
    """Each lookback tier is read on schedule: every run, daily, weekly."""
    workspace.sync(*SELECT)
    late = add_call(gong, timedelta(days=days_old))
    set_last_lookback(workspace, days_since_lookback)
    workspace.sync(*SELECT)
    assert workspace.rows("SELECT count(*) FROM calls WHERE id = ?", [late]) == [(int(found),)]
    if not found:
        set_last_lookback(workspace, 7)
        workspace.sync(*SELECT)
    assert_warehouse_matches(workspace, gong)


def test_a_call_readable_only_days_after_it_took_place_is_found(gong: SimulatedGong, workspace: Workspace) -> None:
    """Calls that become readable after three days are loaded by the daily lookback."""
    gong.settings.call_visible_after = timedelta(days=3)
    first = workspace.sync(*SELECT)["calls"]
    assert 0 < first < len(public_calls(gong))
    gong.settings.call_visible_after = timedelta(0)
    set_last_lookback(workspace, 1)
    workspace.sync(*SELECT)
    assert_warehouse_matches(workspace, gong)


def test_an_uploaded_old_recording_is_found_by_an_explicit_window(gong: SimulatedGong, workspace: Workspace) -> None:
    """A call older than every lookback needs `--since`."""
    workspace.sync(*SELECT)
    add_call(gong, timedelta(days=200), system="Public API")
    set_last_lookback(workspace, 7)
    assert workspace.sync(*SELECT)["calls"] == 0
    assert workspace.sync(*SELECT, "--since", "2020-01-01")["calls"] == 1
    assert_warehouse_matches(workspace, gong)


def test_status_reports_since_when_a_transcript_is_pending(gong: SimulatedGong, workspace: Workspace) -> None:
    """A pending transcript is reported with the start of its call, and requested by the next sync."""
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

    (request,) = [request for request in gong.requests if request.path == TRANSCRIPT]
    assert late in request.body["filter"]["callIds"]

    status = json.loads(workspace.run("status", "--json").out)
    assert (status["pending_transcripts"], status["pending_since"]) == (0, None)
    assert_warehouse_matches(workspace, gong)


def test_a_transcript_is_not_requested_after_its_retry_period(gong: SimulatedGong, workspace: Workspace) -> None:
    """`transcript_retry_period` bounds the requests for a transcript that never arrives."""
    workspace.configure(transcript_retry_period="10d")
    late = add_call(gong, timedelta(days=12))
    gong.replace_transcript(late, None)

    workspace.sync(*SELECT)
    gong.requests.clear()
    workspace.sync(*SELECT)
    requests = [request for request in gong.requests if request.path == TRANSCRIPT]
    assert late not in {call_id for request in requests for call_id in request.body["filter"]["callIds"]}


def test_content_generated_later_fills_all_its_tables(gong: SimulatedGong, workspace: Workspace) -> None:
    """Topics, outline and transcript that Gong generates days later are loaded."""
    gong.settings.content_visible_after = timedelta(days=5)
    gong.settings.transcript_visible_after = timedelta(days=5)
    workspace.sync(*SELECT)
    before = workspace.count("call_topics"), workspace.count("call_outline_items"), workspace.count("transcripts")
    gong.settings.content_visible_after = gong.settings.transcript_visible_after = timedelta(0)
    set_last_lookback(workspace, 1)

    workspace.sync(*SELECT)
    after = workspace.count("call_topics"), workspace.count("call_outline_items"), workspace.count("transcripts")
    assert all(count < new_count for count, new_count in zip(before, after, strict=True))
    assert_warehouse_matches(workspace, gong)


def retitle(record: Json) -> None:
    record["metaData"] |= {"title": "Renamed", "purpose": "Renewal"}


def change_outcome(record: Json) -> None:
    record["content"]["callOutcome"] = {"id": "9", "category": "Won", "name": "Signed"}


def drop_trackers(record: Json) -> None:
    record["content"]["trackers"] = record["content"]["trackers"][:1]


def advance_stage(record: Json) -> None:
    for context in record["context"]:
        for crm_object in context["objects"]:
            for field in crm_object["fields"]:
                if field["name"] == "StageName" and crm_object.get("timing") == "Now":
                    field["value"] = "Closed Won"


def remove_parties(record: Json) -> None:
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
    "parties": (remove_parties, "SELECT count(*) FROM call_parties WHERE call_id = ?", 1),
    "workspace": (move_workspace, "SELECT workspace_id FROM calls WHERE id = ?", "4242424242424242424"),
}


def edit_copy(call: Call, change: Callable[[Json], None]) -> Json | None:
    """Return the call's record after a change, or None if the change has no effect on this call."""
    record: Json = json.loads(json.dumps(call.record))
    if not call.transcript_json or "trackers" not in record.get("content", {}):
        return None
    change(record)
    return None if record == call.record else record


def test_changes_of_a_call_are_found_by_the_lookback(gong: SimulatedGong, workspace: Workspace) -> None:
    """Gong has no field for the time of a change, so calls are read again and compared."""
    ids = [
        add_call(gong, timedelta(days=2 + n / 4), next(call for call in public_calls(gong) if edit_copy(call, change)))
        for n, (change, _, _) in enumerate(CHANGES.values())
    ]
    workspace.sync(*SELECT)
    for call_id, (change, _, _) in zip(ids, CHANGES.values(), strict=True):
        gong.replace_call(call_id, edit_copy(gong.get_call(call_id), change) or {})
    set_last_lookback(workspace, 1)
    assert workspace.sync(*SELECT)["calls"] == len(CHANGES)
    for call_id, (name, (_, sql, expected)) in zip(ids, CHANGES.items(), strict=True):
        assert workspace.rows(sql, [call_id]) == [(expected,)], name
    assert_warehouse_matches(workspace, gong)


def test_changed_transcripts_are_replaced(gong: SimulatedGong, workspace: Workspace) -> None:
    """A shorter, longer or empty transcript replaces the old one."""
    shortened, extended, emptied = (add_call(gong, timedelta(days=days)) for days in (2, 3, 4))
    workspace.sync(*SELECT)
    monologues = gong.get_call(extended).transcript or []
    gong.replace_transcript(shortened, monologues[:1])
    gong.replace_transcript(extended, monologues + monologues)
    gong.replace_transcript(emptied, [])
    set_last_lookback(workspace, 1)

    summary = workspace.sync(*SELECT)
    assert (summary["calls"], summary["transcripts"]) == (0, 3)
    assert workspace.rows("SELECT count(*) FROM transcript_sentences WHERE call_id = ?", [emptied]) == [(0,)]
    assert_warehouse_matches(workspace, gong)


def test_calls_at_the_edge_of_a_window_are_in_exactly_one_window(gong: SimulatedGong, workspace: Workspace) -> None:
    """Gong lists a conference by its scheduled time, not by its start."""
    workspace.configure(lookback="0d")
    edge = (datetime.now(UTC) - timedelta(days=10)).replace(hour=12, minute=0, second=0, microsecond=0)
    ago = datetime.now(UTC) - edge
    minutes = timedelta(minutes=1)
    started_before = add_call(gong, ago - 20 * minutes, started=ago + 10 * minutes)
    started_after = add_call(gong, ago + 20 * minutes, started=ago - 10 * minutes)
    at_the_edge = add_call(gong, ago, exactly=edge)

    workspace.sync(*SELECT, "--until", edge.isoformat())
    loaded = {row[0] for row in workspace.rows("SELECT id FROM calls")}
    assert started_after in loaded
    assert not {started_before, at_the_edge} & loaded

    gong.requests.clear()
    workspace.sync(*SELECT)
    (request, *_) = [request for request in gong.requests if request.path == EXTENSIVE]
    assert parse_datetime(request.body["filter"]["fromDateTime"]) == edge
    assert_warehouse_matches(workspace, gong)


def test_an_empty_range_is_not_an_error_and_moves_the_bookmark(gong: SimulatedGong, workspace: Workspace) -> None:
    """A week without calls is a 404 that must not stop the schedule."""
    for call in gong.list_calls():
        if call_start(call) > datetime.now(UTC) - timedelta(days=8):
            gong.delete_call(call.id)
    workspace.sync(*SELECT, "--until", days_ago(5))
    gong.requests.clear()
    before = datetime.now(UTC) - timedelta(milliseconds=1)

    summary = workspace.sync(*SELECT)
    # One request without a date checks whether the key sees any calls at all.
    assert [request.status for request in gong.requests if request.path == EXTENSIVE] == [404, 200]
    assert (summary["status"], summary["warning"]) == ("done", None)
    assert parse_datetime(summary["bookmark"]) >= before
    assert_warehouse_matches(workspace, gong)


def test_a_key_that_suddenly_sees_no_calls_causes_a_warning(gong: SimulatedGong, workspace: Workspace) -> None:
    """The run reports it in every output and deletes nothing."""
    assert workspace.sync(*SELECT)["warning"] is None

    loaded = workspace.count("calls")
    gong.settings.hides_all_calls = True
    summary = workspace.sync(*SELECT)
    assert summary["status"] == "done"
    assert summary["warning"].startswith(f"Gong shows no calls, but the warehouse has {loaded}: ")
    assert workspace.rows("SELECT reason FROM _runs ORDER BY started_at DESC LIMIT 1") == [(summary["warning"],)]

    workspace.configure(call_detail="basic")
    result = workspace.run("sync", *SELECT)
    assert result.code == 0
    assert f"warning: Gong shows no calls, but the warehouse has {loaded}: " in " ".join(result.out.split())

    gong.faults.append(Fault(respond(418), "/v2/calls", method="GET", nth=2))
    assert "still shows calls: GET /v2/calls: HTTP 418" in workspace.sync(*SELECT)["warning"]
    assert workspace.count("calls") == loaded


@pytest.mark.slow
def test_a_call_that_turns_private_and_public_again_is_followed(gong: SimulatedGong, workspace: Workspace) -> None:
    """Plain syncs within the lookback remove and restore the call."""
    call_id = add_call(gong, timedelta(hours=5))
    workspace.sync(*SELECT)
    gong.edit_call(call_id, isPrivate=True)
    assert workspace.sync(*SELECT)["private_excluded"] >= 1
    for table, key in (("calls", "id"), ("call_parties", "call_id"), ("transcript_sentences", "call_id")):
        assert workspace.rows(f"SELECT count(*) FROM {table} WHERE {key} = ?", [call_id]) == [(0,)]

    gong.edit_call(call_id, isPrivate=False)
    workspace.sync(*SELECT)
    assert_warehouse_matches(workspace, gong)


def test_newly_signed_media_links_are_not_a_change(gong: SimulatedGong, workspace: Workspace) -> None:
    """Media URLs are not part of the content hash."""
    workspace.configure(include_media=True)
    workspace.sync(*SELECT)
    link = "SELECT audio_url FROM call_media ORDER BY audio_url LIMIT 1"
    before = workspace.rows(link)
    summary = workspace.sync(*SELECT, "--since", "2020-01-01")
    assert (summary["calls"], summary["tables"]) == (0, {})
    assert workspace.rows(link) == before != []


def test_calls_without_content_or_parties_are_loaded(make_gong: MakeGong, workspace: Workspace) -> None:
    """Short calls and imports are valid records."""
    gong = make_gong()
    model = public_calls(gong)[0].record["metaData"]
    start = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    meta = {**model, "id": "1234567890123456789", "started": start, "scheduled": start, "duration": 3}
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
    """Add a call with a transcript that is scheduled `ago` before now, and return its id.

    Args:
        gong: The server that the call is added to.
        ago: How long before now the call is scheduled.
        model: The call to copy; by default one with a transcript.
        started: How long before now the call started; by default `ago`.
        exactly: Scheduled time and start, instead of `ago`.
        system: The system that recorded the call.
    """
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


def set_last_lookback(workspace: Workspace, days_ago: int) -> None:
    """Set the date of the last daily and weekly lookback in dlt's state in the warehouse."""
    with duckdb.connect(str(workspace.folder / "warehouse.duckdb")) as warehouse:
        version, packed = warehouse.execute(
            "SELECT version, state FROM gong._dlt_pipeline_state ORDER BY version DESC LIMIT 1"
        ).fetchone() or (0, "")
        state: Any = decompress_state(packed)
        for resource in state["sources"]["gong"]["resources"].values():
            for tier in ("1", "2") if "lookback_dates" in resource else ():
                resource["lookback_dates"][tier] = (datetime.now(UTC).date() - timedelta(days=days_ago)).isoformat()
        version_hash = generate_state_version_hash(state)
        warehouse.execute(
            "UPDATE gong._dlt_pipeline_state SET state = ?, version_hash = ? WHERE version = ?",
            [compress_state(state), version_hash, version],
        )
