"""Promises about changes in Gong: what a run writes, replaces and erases."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite, rewrite_bytes
from tests.conformance.promises import promise
from tests.support.companies import find_call, public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT, Json, call_start, edit_call_in_page
from tests.support.whole_loads import is_lake
from tests.support.workspace import Workspace

ALL_CALLS = ("--since", "2020-01-01")
_SECOND = timedelta(seconds=1)


@promise("second run")
def test_a_second_run_writes_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    """Everything is loaded once, and each run has a row in `_runs`."""
    first = workspace.sync()
    assert_all_tables_match(workspace, gong)

    second = workspace.sync()
    assert {name: resource["rows"] for name, resource in second["resources"].items() if resource["rows"]} == {}
    assert_all_tables_match(workspace, gong)
    rows = workspace.rows("SELECT command, status, requests, calls, sentences FROM gong._runs ORDER BY started_at")
    assert rows == [("sync", "done", run["requests"], run["calls"], run["sentences"]) for run in (first, second)]


@promise("new machine")
def test_a_run_on_a_new_machine_continues_from_the_warehouse(gong: SimulatedGong, workspace: Workspace) -> None:
    """The bookmark is read from the warehouse: the next window begins at it, less the lookback."""
    bookmark = datetime.fromisoformat(workspace.sync()["bookmark"])
    workspace.delete_working_folder()
    gong.requests.clear()

    second = workspace.sync()
    assert second["calls"] == second["transcripts"] == 0
    windows = [request.body["filter"] for request in gong.requests if request.path == EXTENSIVE]
    begin = min(datetime.fromisoformat(window["fromDateTime"]) for window in windows if "fromDateTime" in window)
    assert abs(bookmark - begin) > timedelta(hours=23)
    assert abs(bookmark - begin) <= timedelta(days=30) + _SECOND
    assert_warehouse_matches(workspace, gong)


@promise("edit")
def test_an_edited_call_is_replaced(gong: SimulatedGong, workspace: Workspace) -> None:
    """Row, participants and content are those of the edited call; other calls are not written."""
    workspace.sync()
    call = find_call(gong, "outline", "trackers", "keyPoints")
    record = {**call.record, "metaData": {**call.record["metaData"], "title": "Renamed"}}
    record["parties"] = [*record["parties"][:1], {**record["parties"][1], "title": "Chief of Everything"}]
    gong.replace_call(call.id, record)

    assert workspace.sync(*ALL_CALLS)["calls"] == 1
    assert workspace.rows("SELECT title FROM gong.calls WHERE id = ?", [call.id]) == [("Renamed",)]
    assert_warehouse_matches(workspace, gong)


@promise("shrink")
def test_what_becomes_shorter_or_empty_leaves_no_rows(gong: SimulatedGong, workspace: Workspace) -> None:
    """Child rows and sentences that Gong no longer sends are deleted."""
    workspace.sync()
    call = find_call(gong, "outline", "trackers", "keyPoints")
    record = {**call.record, "parties": []}
    record["content"] = {**record["content"], "outline": [], "keyPoints": record["content"]["keyPoints"][:1]}
    del record["content"]["trackers"]
    gong.replace_call(call.id, record)
    emptied, shorter = [other for other in public_calls(gong) if other.transcript_json and other.id != call.id][:2]
    gong.replace_transcript(emptied.id, [])
    gong.replace_transcript(shorter.id, (shorter.transcript or [])[:1])

    workspace.sync(*ALL_CALLS)
    assert_warehouse_matches(workspace, gong)


@promise("delete")
def test_deleted_and_private_calls_leave_the_warehouse(gong: SimulatedGong, workspace: Workspace) -> None:
    """Of a deleted call only its row without content remains; of a private call nothing."""
    workspace.sync()
    private, deleted = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(private.id, isPrivate=True)
    gong.delete_call(deleted.id)

    workspace.sync(*ALL_CALLS)
    assert workspace.run("reconcile", "--json").json["erased"] == 1
    assert workspace.rows("SELECT id, title, brief FROM gong.calls WHERE _deleted_at IS NOT NULL") == [
        (deleted.id, None, None)
    ]
    children = ("call_parties", "call_crm_objects", "call_topics", "transcripts", "transcript_sentences")
    for table in children:
        sql = f"SELECT count(*) FROM gong.{table} WHERE call_id IN (?, ?)"
        assert workspace.rows(sql, [private.id, deleted.id]) == [(0,)], table
    assert_warehouse_matches(workspace, gong)


@promise("delete")
def test_a_load_leaves_no_copy_of_calls_in_the_staging_dataset(gong: SimulatedGong, workspace: Workspace) -> None:
    """An erasure of calls would not find it there. What a killed run has left is deleted with the next erasure."""
    workspace.sync()
    edited, deleted = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(edited.id, title="Edited")
    gong.replace_transcript(edited.id, (edited.transcript or [])[:1])
    assert workspace.sync(*ALL_CALLS)["transcripts"] == 1
    if is_lake(workspace):
        # There is none: the load files are merged where they are.
        assert workspace.rows("SELECT 1 FROM information_schema.tables WHERE table_schema = 'gong_staging'") == []
        return
    for table in ("calls", "call_parties", "transcripts", "transcript_sentences"):
        assert workspace.rows(f"SELECT count(*) FROM gong_staging.{table}") == [(0,)], table

    workspace.execute("INSERT INTO gong_staging.transcripts SELECT * FROM gong.transcripts")
    gong.delete_call(deleted.id)
    assert workspace.run("reconcile", "--json").json["erased"] == 1
    assert workspace.rows("SELECT count(*) FROM gong_staging.transcripts") == [(0,)]


@promise("late transcript")
def test_a_late_transcript_is_requested_until_it_is_there(gong: SimulatedGong, workspace: Workspace) -> None:
    """Pending transcripts are found in the warehouse, also on a new machine."""
    # A recent call: transcripts of old ones are not requested any more.
    late = max((call for call in public_calls(gong) if call.transcript_json), key=call_start)
    transcript = late.transcript
    gong.replace_transcript(late.id, None)
    assert workspace.sync()["pending_transcripts"] >= 1

    workspace.delete_working_folder()
    gong.replace_transcript(late.id, transcript)
    assert workspace.sync()["transcripts"] == 1
    assert_warehouse_matches(workspace, gong)


@promise("unchanged")
def test_calls_that_are_read_again_are_not_written_again(gong: SimulatedGong, workspace: Workspace) -> None:
    """Content hashes are read from the warehouse: reading all calls again writes none of them."""
    workspace.sync()
    loads = workspace.rows("SELECT id, _dlt_load_id FROM gong.calls ORDER BY id")
    workspace.delete_working_folder()

    again = workspace.sync(*ALL_CALLS)
    assert (again["calls"], again["transcripts"], again["sentences"]) == (0, 0, 0)
    assert workspace.rows("SELECT id, _dlt_load_id FROM gong.calls ORDER BY id") == loads


@promise("new fields")
def test_new_fields_and_other_types_become_columns(gong: SimulatedGong, workspace: Workspace) -> None:
    """Nothing that Gong adds is lost."""
    workspace.sync()
    call = find_call(gong, "topics")

    def add(record: Json) -> None:
        record["metaData"] |= {"mood": "calm", "moodScore": 7, "duration": "about an hour"}
        record["content"]["sentiment"] = {"overall": [1, "good"]}

    gong.faults.append(Fault(rewrite(edit_call_in_page(call.id, add)), EXTENSIVE))

    workspace.sync(*ALL_CALLS)
    ((mood, score, sentiment, duration, text),) = workspace.rows(
        "SELECT mood, mood_score, content__sentiment, duration, duration__v_text FROM gong.calls WHERE id = ?",
        [call.id],
    )
    assert (mood, score, duration, text) == ("calm", 7, None, "about an hour")
    assert "".join(sentiment.split()) == '{"overall":[1,"good"]}'


@promise("odd text")
def test_odd_and_long_texts_arrive(gong: SimulatedGong, workspace: Workspace) -> None:
    """NUL and lone surrogates, which no warehouse accepts, become U+FFFD; everything else is unchanged."""
    call = next(call for call in public_calls(gong) if call.transcript_json)
    title = call.record["metaData"]["title"].encode()
    first, second = [sentence["text"].encode() for sentence in (call.transcript or [])[0]["sentences"][:2]]
    invalid, emoji, long = (
        rb"a\u0000b \\u0000 caf\ud83d",
        "\N{WOMAN}\u200d\N{GIRL} \u00bfqu\u00e9?\u2028\u05e9\u05dc\u05d5\u05dd".encode(),
        b"word " * 200_000,
    )
    gong.faults.append(Fault(rewrite_bytes(lambda body: body.replace(title, invalid)), EXTENSIVE))
    gong.faults.append(Fault(rewrite_bytes(lambda body: body.replace(first, emoji).replace(second, long)), TRANSCRIPT))

    workspace.sync("--select", "calls,transcripts")
    assert ("a\ufffdb \\u0000 caf\ufffd",) in workspace.rows("SELECT title FROM gong.calls WHERE id = ?", [call.id])
    texts = workspace.rows(
        "SELECT text FROM gong.transcript_sentences WHERE call_id = ? AND sentence_index < 2 ORDER BY sentence_index",
        [call.id],
    )
    assert texts == [(emoji.decode(),), (long.decode(),)]
