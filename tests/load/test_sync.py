"""`gong-elt sync`: the warehouse equals the simulated Gong, with few requests."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite
from sources.gong import RESOURCES, call_child_tables
from tests.conftest import MakeGong
from tests.support.companies import find_call, public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT, Json, call_start, edit_call_in_page, parse_datetime
from tests.support.workspace import Workspace, days_ago


def count_requests(gong: SimulatedGong) -> Counter[str]:
    """Return the with_number of requests per path."""
    return Counter(request.path for request in gong.requests)


def test_a_first_sync_copies_everything_that_is_not_private(gong: SimulatedGong, workspace: Workspace) -> None:
    """A first sync loads every resource, without private calls."""
    summary = workspace.sync()
    assert_warehouse_matches(workspace, gong)

    private = [call for call in gong.list_calls() if call.record["metaData"]["isPrivate"]]
    assert summary["private_excluded"] == len(private) > 0
    assert {name: resource["status"] for name, resource in summary["resources"].items()} == dict.fromkeys(
        RESOURCES, "loaded"
    )
    assert summary["calls"] == workspace.count("calls")
    assert summary["sentences"] == workspace.count("transcript_sentences")
    assert workspace.count("users") == len(gong.company.users)
    assert workspace.count("library_folders") == len(gong.company.folders)


def test_the_summary_has_its_documented_keys_and_adds_up(gong: SimulatedGong, workspace: Workspace) -> None:
    """The counts that `--json` prints are those of the warehouse and of the requests."""
    summary = workspace.sync()
    assert summary.keys() >= {
        "run_id", "status", "destination", "dataset", "requests", "duration_seconds", "resources", "calls",
        "transcripts", "sentences", "private_excluded", "pending_transcripts", "bookmark",
    }  # fmt: skip
    assert summary["status"] == "done"
    assert summary["requests"] == len(gong.requests)

    written = {name: resource["rows"] for name, resource in summary["resources"].items()}
    children = [table for table in summary["tables"] if table in call_child_tables() and table.startswith("call_")]
    assert written["calls"] == workspace.count("calls") + sum(map(workspace.count, children))
    assert written["transcripts"] == workspace.count("transcripts") + workspace.count("transcript_sentences")


def test_a_second_sync_with_nothing_new_writes_no_row(gong: SimulatedGong, workspace: Workspace) -> None:
    """A sync without changes sends one request for calls and writes no rows."""
    workspace.sync()
    before = workspace.rows("SELECT id, _synced_at, _dlt_load_id FROM calls ORDER BY id")
    gong.requests.clear()

    summary = workspace.sync()
    assert {name: resource["rows"] for name, resource in summary["resources"].items()} == dict.fromkeys(
        summary["resources"], 0
    )
    assert workspace.rows("SELECT id, _synced_at, _dlt_load_id FROM calls ORDER BY id") == before
    assert count_requests(gong)[EXTENSIVE] == 1
    assert count_requests(gong)["/v2/workspaces"] == 1
    assert_warehouse_matches(workspace, gong)


def test_a_thousand_calls_cost_at_most_21_requests(make_gong: MakeGong, workspace: Workspace) -> None:
    """Pages are full: 10 requests for calls and 10 for transcripts, plus at most one."""
    gong = make_gong(calls=1000, days=100)
    workspace.sync("--select", "calls,transcripts")
    assert len(gong.requests) <= 21
    assert_warehouse_matches(workspace, gong)


@pytest.mark.slow
def test_a_long_window_is_split_and_its_parts_are_read_concurrently(make_gong: MakeGong, workspace: Workspace) -> None:
    """Splitting a window costs no calls and few additional requests."""
    gong = make_gong(calls=2500, days=100)
    workspace.sync("--select", "calls,transcripts")
    starts = {request.body["filter"]["fromDateTime"] for request in gong.requests if request.path == EXTENSIVE}
    assert len(starts) > 1
    assert len(gong.requests) <= 2.5 * 21
    assert_warehouse_matches(workspace, gong)


def test_the_full_content_selector_and_the_default_start_date_are_sent(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """A default sync requests all content except media, from 365 days ago."""
    begin = datetime.now(UTC)
    workspace.sync("--select", "calls")
    (request,) = [request for request in gong.requests if request.path == EXTENSIVE]
    assert request.body["contentSelector"]["context"] == "Extended"
    assert request.body["contentSelector"]["contextTiming"] == ["Now", "TimeOfCall"]

    flags = request.body["contentSelector"]["exposedFields"]
    assert all(flags["content"].values())
    assert all(flags["interaction"].values())
    assert flags["collaboration"] == {"publicComments": True}
    assert flags["media"] is False

    since = datetime.fromisoformat(request.body["filter"]["fromDateTime"])
    assert abs(since - (begin - timedelta(days=365))) < timedelta(minutes=1)
    assert TRANSCRIPT not in count_requests(gong)


def test_an_edited_call_is_replaced_with_all_its_children(gong: SimulatedGong, workspace: Workspace) -> None:
    """Child rows that an edited call no longer has are deleted."""
    workspace.sync()
    call = find_call(gong, "outline", "highlights", "trackers", "keyPoints")
    record = {**call.record, "metaData": {**call.record["metaData"], "title": "Renamed"}}
    record["content"] = {**record["content"], "keyPoints": record["content"]["keyPoints"][:1], "outline": []}
    record["parties"] = record["parties"][:-1]
    del record["content"]["trackers"]
    gong.replace_call(call.id, record)

    summary = workspace.sync("--since", "2020-01-01")
    assert summary["calls"] == 1
    assert_warehouse_matches(workspace, gong)
    assert workspace.rows("SELECT count(*) FROM call_outline WHERE call_id = ?", [call.id]) == [(0,)]


def test_a_changed_transcript_replaces_all_sentences(gong: SimulatedGong, workspace: Workspace) -> None:
    """A shorter or empty transcript leaves no old sentences, and its call is not rewritten."""
    workspace.sync()
    shrunk, emptied = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.replace_transcript(shrunk.id, (shrunk.transcript or [])[:1])
    gong.replace_transcript(emptied.id, [])
    summary = workspace.sync("--since", "2020-01-01")
    assert (summary["calls"], summary["transcripts"]) == (0, 2)
    assert_warehouse_matches(workspace, gong)


def test_a_missing_transcript_is_pending_until_it_arrives(gong: SimulatedGong, workspace: Workspace) -> None:
    """A call without a transcript is counted as pending and its transcript is requested again."""
    late = next(
        call
        for call in public_calls(gong)
        if call.transcript_json and 3 < (datetime.now(UTC) - call_start(call)).days < 12
    )
    transcript = late.transcript
    gong.replace_transcript(late.id, None)

    pending = workspace.sync()["pending_transcripts"]
    assert workspace.rows("SELECT count(*) FROM transcripts WHERE call_id = ?", [late.id]) == [(0,)]

    gong.replace_transcript(late.id, transcript)
    assert workspace.sync()["pending_transcripts"] == pending - 1
    assert_warehouse_matches(workspace, gong)


def test_a_late_call_within_the_lookback_is_found(gong: SimulatedGong, workspace: Workspace) -> None:
    """A call that becomes readable after its window was read is loaded by the next sync."""
    workspace.sync()
    model = public_calls(gong)[0]
    start = (datetime.now(UTC) - timedelta(hours=20)).isoformat()
    meta = {**model.record["metaData"], "id": "1234567890123456789", "started": start, "scheduled": start}
    gong.add_call({**model.record, "metaData": meta}, model.transcript)
    assert workspace.sync()["calls"] == 1
    assert_warehouse_matches(workspace, gong)


def test_the_bookmark_is_the_end_of_the_requested_window(gong: SimulatedGong, workspace: Workspace) -> None:
    """The next sync starts one lookback before the end of the last window, not at the last call."""
    summary = workspace.sync("--since", "2026-01-01", "--until", days_ago(5))
    assert parse_datetime(summary["bookmark"]) == parse_datetime(days_ago(5))

    gong.requests.clear()
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    summary = workspace.sync()
    assert parse_datetime(summary["bookmark"]) >= before

    (request,) = [request for request in gong.requests if request.path == EXTENSIVE]
    assert parse_datetime(request.body["filter"]["fromDateTime"]) == parse_datetime(days_ago(5)) - timedelta(days=1)
    assert_warehouse_matches(workspace, gong)


def test_a_backfill_after_a_gap_does_not_move_the_bookmark(gong: SimulatedGong, workspace: Workspace) -> None:
    """The bookmark never passes a range that was not read."""
    first = workspace.sync("--until", days_ago(15))
    later = workspace.sync("--since", days_ago(3))
    assert later["calls"] > 0
    assert later["bookmark"] == first["bookmark"]
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_tables_exist_even_if_gong_has_no_calls(gong: SimulatedGong, workspace: Workspace) -> None:
    """Queries on an empty warehouse return no rows instead of an error."""
    gong.settings.hides_all_calls = True
    summary = workspace.sync("--select", "calls")
    assert summary["status"] == "done"
    assert summary["calls"] == 0
    assert summary["bookmark"] is not None
    for table in ("calls", "call_parties", "call_media", "transcripts", "transcript_sentences", "users", "_rejected"):
        assert workspace.count(table) == 0


def test_fields_that_gong_adds_become_columns(gong: SimulatedGong, workspace: Workspace) -> None:
    """Unknown fields of calls, topics and monologues are loaded into new columns."""
    workspace.sync()
    call = find_call(gong, "topics")

    def add_to_call(record: Json) -> None:
        record["metaData"] |= {"mood": "calm", "moodScore": 7}
        record["content"]["sentiment"] = {"overall": [1, "good"]}
        for topic in record["content"]["topics"]:
            topic["weight"] = 0.5

    def add_to_transcript(page: Json) -> Json:
        for transcript in page["callTranscripts"]:
            for monologue in transcript["transcript"] if transcript["callId"] == call.id else ():
                monologue["channel"] = 2
        return page

    gong.faults.append(Fault(rewrite(edit_call_in_page(call.id, add_to_call)), EXTENSIVE))
    gong.faults.append(Fault(rewrite(add_to_transcript), TRANSCRIPT))

    workspace.sync("--since", "2020-01-01")
    assert workspace.rows("SELECT mood, mood_score, content__sentiment FROM calls WHERE id = ?", [call.id]) == [
        ("calm", 7, '{"overall":[1,"good"]}')
    ]
    assert workspace.columns("calls")["content__sentiment"] == "JSON"
    assert workspace.rows("SELECT DISTINCT weight FROM call_topics WHERE call_id = ?", [call.id]) == [(0.5,)]

    channels = workspace.rows(
        "SELECT DISTINCT monologue__channel FROM transcript_sentences WHERE call_id = ?", [call.id]
    )
    assert channels == [(2,)]
    assert_warehouse_matches(workspace, gong)


def test_a_value_of_another_type_is_kept_in_a_variant_column(gong: SimulatedGong, workspace: Workspace) -> None:
    """A value that does not fit its column is kept as text; a lossless one is converted."""
    with_text, with_number = public_calls(gong)[:2]

    def lengthen(record: Json) -> None:
        record["metaData"]["duration"] = "about an hour"

    def retype(record: Json) -> None:
        record["metaData"] |= {"duration": "1800", "title": 42, "primaryUserId": 12345678901234567890}

    edit_both = [edit_call_in_page(with_text.id, lengthen), edit_call_in_page(with_number.id, retype)]
    gong.faults.append(Fault(rewrite(lambda page: edit_both[1](edit_both[0](page))), EXTENSIVE))

    workspace.sync()
    assert workspace.rows("SELECT duration, duration__v_text FROM calls WHERE id = ?", [with_text.id]) == [
        (None, "about an hour")
    ]
    assert workspace.rows("SELECT duration, title, primary_user_id FROM calls WHERE id = ?", [with_number.id]) == [
        (1800, "42", "12345678901234567890")
    ]


def test_an_invalid_record_is_rejected_and_the_others_are_loaded(gong: SimulatedGong, workspace: Workspace) -> None:
    """One invalid call is reported in `_rejected` and does not stop the page."""
    bad = find_call(gong, "topics")
    gong.faults.append(
        Fault(rewrite(edit_call_in_page(bad.id, lambda record: record.update(parties="none"))), EXTENSIVE, count=1)
    )
    summary = workspace.sync()
    assert summary["rejected"] == 1
    assert summary["calls"] == len(public_calls(gong)) - 1
    assert workspace.rows("SELECT resource, id, reason FROM _rejected") == [
        ("calls", bad.id, "parties is not a list of objects")
    ]


def test_ids_are_text_and_times_are_utc(gong: SimulatedGong, workspace: Workspace) -> None:
    """Column types are as documented."""
    workspace.sync()
    for table in ("calls", "call_parties", "transcripts", "users", "library_calls", "call_tracker_occurrences"):
        types = workspace.columns(table)
        assert {types[name] for name in types if name == "id" or name.endswith("_id")} == {"VARCHAR"}
    assert workspace.columns("calls")["started"] == "TIMESTAMP WITH TIME ZONE"
    assert workspace.columns("call_crm_fields")["value"] == "JSON"


@pytest.mark.parametrize(("mode", "content"), [("include", True), ("metadata", False)])
def test_private_calls_are_loaded_as_configured(
    gong: SimulatedGong, workspace: Workspace, mode: str, content: bool
) -> None:
    """`private_calls` decides whether parties and transcripts of private calls are loaded."""
    private = {call.id for call in gong.list_calls() if call.record["metaData"]["isPrivate"]}
    workspace.configure(private_calls=mode)
    workspace.sync()
    assert {row[0] for row in workspace.rows("SELECT id FROM calls WHERE is_private")} == private

    with_people = {row[0] for row in workspace.rows("SELECT DISTINCT call_id FROM call_parties")}
    with_words = {row[0] for row in workspace.rows("SELECT call_id FROM transcripts")}
    assert bool(private & with_people) is content
    assert bool(private & with_words) is content


@pytest.mark.parametrize("mode", ["exclude", "metadata"])
def test_a_call_that_turns_private_leaves_the_warehouse(gong: SimulatedGong, workspace: Workspace, mode: str) -> None:
    """A call marked private after its load loses its content, and gets it back when it is public again."""
    workspace.configure(private_calls=mode)
    workspace.sync()
    call = find_call(gong, "topics")
    gong.edit_call(call.id, isPrivate=True)

    workspace.sync("--since", "2020-01-01")
    assert workspace.rows("SELECT count(*) FROM calls WHERE id = ?", [call.id]) == [(int(mode == "metadata"),)]
    for table in ("call_parties", "call_topics", "transcripts", "transcript_sentences"):
        assert workspace.rows(f"SELECT count(*) FROM {table} WHERE call_id = ?", [call.id]) == [(0,)]

    gong.edit_call(call.id, isPrivate=False)
    workspace.sync("--since", "2020-01-01")
    workspace.configure(private_calls="exclude")

    workspace.sync("--since", "2020-01-01")
    assert_warehouse_matches(workspace, gong)


def test_basic_detail_requests_only_the_call_list(gong: SimulatedGong, workspace: Workspace) -> None:
    """With `call_detail = "basic"`, the extensive endpoint and its scope are not needed."""
    workspace.configure(call_detail="basic")
    workspace.sync("--select", "calls,transcripts")
    assert EXTENSIVE not in count_requests(gong)
    assert workspace.count("calls") == len(public_calls(gong))
    assert workspace.count("call_parties") == 0
    assert workspace.count("transcripts") > 0


def test_transcripts_selected_after_calls_are_complete(gong: SimulatedGong, workspace: Workspace) -> None:
    """A resource selected for the first time is read from the start, not from the bookmark of calls."""
    workspace.configure(transcript_retry_period="1h")
    workspace.sync("--select", "calls")
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_calls_can_be_filtered_by_host(gong: SimulatedGong, workspace: Workspace) -> None:
    """`primary_user_ids` limits the calls."""
    host = public_calls(gong)[0].record["metaData"]["primaryUserId"]
    workspace.configure(primary_user_ids=[host])
    workspace.sync("--select", "calls")
    assert workspace.rows("SELECT DISTINCT primary_user_id FROM calls") == [(host,)]


def test_the_library_of_every_workspace_is_loaded(gong: SimulatedGong, workspace: Workspace) -> None:
    """Folders of all workspaces are read, and a call may be in a folder twice."""
    workspace.sync("--select", "library")
    assert workspace.rows("SELECT count(DISTINCT workspace_id) FROM library_folders") == [(2,)]
    most_repeated = workspace.rows(
        "SELECT count(*) FROM library_calls GROUP BY folder_id, call_id HAVING count(*) > 1 ORDER BY 1 DESC LIMIT 1"
    )
    assert most_repeated == [(2,)]
    assert workspace.rows("SELECT count(*) FROM library_calls WHERE snippet_from_sec IS NOT NULL")[0][0] > 0


def test_each_run_has_a_row_in_the_run_log(gong: SimulatedGong, workspace: Workspace) -> None:
    """`_runs` has the same counts as the summaries."""
    first, second = workspace.sync(), workspace.sync()
    rows = workspace.rows("SELECT run_id, status, requests, calls, sentences FROM _runs ORDER BY started_at")
    assert rows == [(run["run_id"], "done", run["requests"], run["calls"], run["sentences"]) for run in (first, second)]


def test_a_new_machine_continues_from_the_warehouse(gong: SimulatedGong, workspace: Workspace) -> None:
    """The state in the warehouse suffices to continue from the bookmark."""
    first = workspace.sync()
    workspace.delete_working_folder()
    gong.requests.clear()

    second = workspace.sync()
    assert sum(resource["rows"] for resource in second["resources"].values()) == 0

    (request,) = [request for request in gong.requests if request.path == EXTENSIVE]
    since = parse_datetime(request.body["filter"]["fromDateTime"])
    assert since == parse_datetime(first["bookmark"]) - timedelta(days=1)


def test_a_new_warehouse_starts_from_the_beginning(gong: SimulatedGong, workspace: Workspace) -> None:
    """Local state of a deleted warehouse is not used."""
    workspace.sync()
    (workspace.folder / "warehouse.duckdb").unlink()
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_media_links_are_loaded_if_selected_and_do_not_count_as_changes(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """Media URLs change with every response and must not rewrite calls."""
    workspace.configure(include_media=True)
    workspace.sync("--select", "calls")
    assert workspace.rows("SELECT count(*) FROM call_media WHERE audio_url IS NOT NULL")[0][0] > 0
    assert workspace.sync("--select", "calls", "--since", "2020-01-01")["calls"] == 0
