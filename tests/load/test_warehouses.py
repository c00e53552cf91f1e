"""What holds in every warehouse: one suite over DuckDB and a real PostgreSQL server; another one is one more entry."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite, rewrite_bytes
from pipelines.demo.server.media_host import MediaHost
from pipelines.demo.server.serving import serve
from tests.conftest import MakeGong
from tests.support.companies import find_call, public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, TRANSCRIPT, Json, edit_call_in_page
from tests.support.servers.postgres import PASSWORD, PostgresServer, postgres_server
from tests.support.upload_files import build_upload_rows, write_csv
from tests.support.workspace import Workspace, days_ago


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of a worker; each test has a database of its own."""
    with postgres_server() as server:
        yield server


WAREHOUSES: dict[str, Callable[[pytest.FixtureRequest, Path], Workspace]] = {
    "duckdb": lambda _, folder: Workspace(folder),
    "postgres": lambda request, folder: Workspace(
        folder, postgres=request.getfixturevalue("postgres").create_database()
    ),
}


@pytest.fixture(params=WAREHOUSES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """An empty folder and an empty warehouse, configured for the simulated Gong's key."""
    workspace = WAREHOUSES[request.param](request, tmp_path)
    workspace.use_demo_key()
    return workspace


def test_a_second_run_writes_nothing_also_on_a_new_machine(gong: SimulatedGong, workspace: Workspace) -> None:
    first = workspace.sync()
    assert_warehouse_matches(workspace, gong)
    workspace.delete_working_folder()
    second = workspace.sync()
    assert second["status"] == "done"
    assert sum(resource["rows"] for resource in second["resources"].values()) == 0
    assert_warehouse_matches(workspace, gong)
    rows = workspace.rows("SELECT command, status, requests, calls, sentences FROM _runs ORDER BY started_at")
    assert rows == [("sync", "done", run["requests"], run["calls"], run["sentences"]) for run in (first, second)]
    assert workspace.count("users") == len(gong.company.users)
    assert workspace.count("library_folders") == len(gong.company.folders)


def test_what_changes_shrinks_or_comes_late_is_followed(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    call = find_call(gong, "outline", "trackers", "keyPoints")
    record = {**call.record, "metaData": {**call.record["metaData"], "title": "Renamed"}, "parties": []}
    record["content"] = {**record["content"], "outline": [], "keyPoints": record["content"]["keyPoints"][:1]}
    del record["content"]["trackers"]
    gong.replace_call(call.id, record)
    silent, shorter, late = [one for one in public_calls(gong) if one.transcript_json and one.id != call.id][:3]
    gong.replace_transcript(silent.id, [])
    gong.replace_transcript(shorter.id, (shorter.transcript or [])[:1])
    words = late.transcript
    gong.replace_transcript(late.id, None)
    workspace.execute("DELETE FROM transcripts WHERE call_id = ?", [late.id])
    workspace.execute("DELETE FROM transcript_sentences WHERE call_id = ?", [late.id])
    assert workspace.sync("--since", "2020-01-01")["calls"] == 1
    assert_warehouse_matches(workspace, gong)
    gong.replace_transcript(late.id, words)
    assert workspace.sync("--since", "2020-01-01")["transcripts"] == 1
    assert_warehouse_matches(workspace, gong)


def test_columns_that_gong_adds_and_values_of_another_type(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    call = find_call(gong, "topics")

    def add(record: Json) -> None:
        record["metaData"] |= {"mood": "calm", "moodScore": 7, "duration": "about an hour"}
        record["content"]["sentiment"] = {"overall": [1, "good"]}

    gong.faults.append(Fault(rewrite(edit_call_in_page(call.id, add)), EXTENSIVE))
    workspace.sync("--since", "2020-01-01")
    rows = workspace.rows(
        "SELECT mood, mood_score, content__sentiment, duration, duration__v_text FROM calls WHERE id = ?", [call.id]
    )
    ((mood, score, sentiment, duration, words),) = rows
    assert (mood, score, duration, words) == ("calm", 7, None, "about an hour")
    assert sentiment.replace(" ", "") == '{"overall":[1,"good"]}'
    assert workspace.columns("calls")["content__sentiment"] in ("JSON", "JSONB")


def test_a_call_that_turns_private_leaves_and_one_that_gong_deleted_is_erased(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    workspace.sync()
    private, gone = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(private.id, isPrivate=True)
    gong.delete_call(gone.id)
    workspace.sync("--since", "2020-01-01")
    assert workspace.run("reconcile", "--json").json["erased"] == 1
    assert workspace.rows("SELECT id, title, brief FROM calls WHERE _deleted_at IS NOT NULL") == [(gone.id, None, None)]
    assert_warehouse_matches(workspace, gong)


def test_nul_and_lone_surrogates_do_not_stop_a_page(gong: SimulatedGong, workspace: Workspace) -> None:
    call = next(call for call in public_calls(gong) if call.transcript_json)
    title = call.record["metaData"]["title"].encode()
    first = (call.transcript or [])[0]["sentences"][0]["text"].encode()
    odd = rb"a\u0000b \\u0000 caf\ud83d"
    gong.faults.append(Fault(rewrite_bytes(lambda body: body.replace(title, odd)), EXTENSIVE))
    gong.faults.append(Fault(rewrite_bytes(lambda body: body.replace(first, odd)), TRANSCRIPT))
    workspace.sync("--select", "calls,transcripts")
    meant = "a\ufffdb \\u0000 caf\ufffd"
    assert (meant,) in workspace.rows("SELECT title FROM calls WHERE id = ?", [call.id])
    sql = "SELECT text FROM transcript_sentences WHERE call_id = ? AND sentence_index = 0"
    assert workspace.rows(sql, [call.id]) == [(meant,)]


@pytest.mark.parametrize("delay", [0.0, 0.6, 1.2])
def test_a_kill_while_loading_is_made_good(make_gong: MakeGong, workspace: Workspace, delay: float) -> None:
    gong = make_gong(calls=150)
    process = workspace.start("sync", "--select", "calls,transcripts")
    while len(gong.requests) < 4 and process.poll() is None:
        time.sleep(0.005)
    time.sleep(delay)
    process.kill()
    process.wait()
    workspace.delete_working_folder()
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


@pytest.mark.parametrize("lost", ["call_parties", "transcript_sentences"])
def test_a_load_that_was_never_completed_is_made_good(gong: SimulatedGong, workspace: Workspace, lost: str) -> None:
    workspace.sync("--until", days_ago(10))
    workspace.sync()
    ((last,),) = workspace.rows("SELECT max(load_id) FROM _dlt_loads")
    workspace.execute(f"DELETE FROM {lost} WHERE call_id IN (SELECT id FROM calls WHERE _dlt_load_id = ?)", [last])
    workspace.execute("DELETE FROM _dlt_loads WHERE load_id = ?", [last])
    workspace.execute("DELETE FROM _dlt_pipeline_state WHERE _dlt_load_id = ?", [last])
    workspace.sync("--since", "2020-01-01")
    assert_warehouse_matches(workspace, gong)


def test_a_first_load_killed_right_before_its_end_is_nobody_elses(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync()
    workspace.execute("DELETE FROM _dlt_loads")
    workspace.delete_working_folder()
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_a_load_broken_off_between_two_tables_is_made_good_even_where_it_looks_right(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    workspace.sync()
    stale, hidden = [call for call in public_calls(gong) if call.transcript_json][-2:]
    # Its children were taken out, its own row with its hash was not; and the other way round.
    workspace.execute("DELETE FROM call_parties WHERE call_id = ?", [stale.id])
    workspace.execute("DELETE FROM transcript_sentences WHERE call_id = ?", [stale.id])
    gong.edit_call(hidden.id, isPrivate=True)
    workspace.execute("DELETE FROM calls WHERE id = ?", [hidden.id])
    workspace.execute("DELETE FROM transcripts WHERE call_id = ?", [hidden.id])
    began = datetime.now(UTC) - timedelta(days=30)
    workspace.execute(
        "INSERT INTO _runs (run_id, connection, command, status, started_at, requests, window_since, window_until,"
        " unfinished_load, unfinished_since) VALUES ('broken', 'gong', 'sync', 'killed', ?, 0, ?, ?, '1.2', ?)",
        [datetime.now(UTC), began, datetime.now(UTC), began],
    )
    workspace.sync("--since", f"{began - timedelta(days=1):%Y-%m-%d}")
    assert_warehouse_matches(workspace, gong)
    assert workspace.sync("--since", f"{began - timedelta(days=1):%Y-%m-%d}")["calls"] == 0


def test_datasets_and_connections_do_not_mix(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync("--select", "calls,transcripts")
    workspace.sync("--select", "calls,transcripts", "--dataset", "other", "--connection", "emea")
    assert workspace.rows("SELECT count(*) FROM other.calls") == [(workspace.count("calls"),)]
    assert_warehouse_matches(workspace, gong)


def test_status_and_check_tell_of_this_warehouse(gong: SimulatedGong, workspace: Workspace) -> None:
    assert workspace.run("status", "--json").json["loaded"] is False
    workspace.sync()
    status = workspace.run("status", "--json").json
    assert status["loaded"] is True
    assert status["contents"]["calls"] == len(public_calls(gong))
    found = workspace.run("check", "--json")
    assert found.code == 0
    (destination,) = [one for one in found.json["findings"] if "dataset gong" in one["what"]]
    assert destination["verdict"] == "ok"
    assert "may write" in destination["detail"]


def test_a_warehouse_that_cannot_be_written_fails_in_one_line(
    gong: SimulatedGong, workspace: Workspace, request: pytest.FixtureRequest
) -> None:
    if workspace.postgres:
        database = workspace.postgres.rpartition("/")[2]
        server: PostgresServer = request.getfixturevalue("postgres")
        server.execute(database, f"CREATE ROLE reader_{database} LOGIN")
        workspace.postgres = server.url(database, f"reader_{database}")
    else:
        workspace.settings["DESTINATION__DUCKDB__CREDENTIALS"] = "/proc/warehouse.duckdb"
    found = workspace.run("check", "--json")
    assert found.code == 1
    assert [one["verdict"] for one in found.json["findings"]][-1] == "failed"
    ended = workspace.run("sync", "--json", "--select", "calls")
    assert ended.code == 1
    assert ended.json["status"] == "failed"
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("workspace", ["postgres"], indirect=True)
def test_a_server_that_is_not_there_is_told_in_one_line_without_its_password(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    workspace.postgres = f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/nowhere"
    for command in ("sync", "status", "reconcile"):
        ended = workspace.run(command)
        assert ended.code == 1
        assert PASSWORD not in ended.out + ended.err
        assert "Traceback" not in ended.out + ended.err
        assert "refused" in (ended.out + ended.err).lower()


def test_two_machines_do_not_run_at_once(gong: SimulatedGong, workspace: Workspace) -> None:
    gong.settings.latency_seconds = 1.0
    first = workspace.start("sync", "--select", "calls,transcripts")
    while not gong.requests and first.poll() is None:
        time.sleep(0.01)
    if workspace.postgres:
        # Another machine knows nothing of the first one's file lock.
        workspace.settings["DLT_DATA_DIR"] = str(workspace.folder / "elsewhere")
    ended = workspace.run("sync", "--select", "calls,transcripts")
    assert ended.code == 1
    assert "another run holds the lock" in ended.err
    assert f"pid {first.pid}" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert first.wait(60) == 0
    gong.settings.latency_seconds = 0.0
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_uploads_and_recordings_are_written_down(gong: SimulatedGong, workspace: Workspace) -> None:
    """Into an empty warehouse first: an upload needs no sync before it."""
    rows = build_upload_rows(gong, 4)
    rows[1]["direction"] = "Sideways"
    file = write_csv(workspace.folder, rows)
    for added, already in ((3, 0), (0, 3)):
        ended = workspace.run("upload", file, "--json")
        assert (ended.code, ended.json["added"], ended.json["already_added"]) == (1, added, already), ended.err
    assert workspace.rows("SELECT client_unique_id, status FROM _uploads ORDER BY client_unique_id") == [
        (f"pbx-{number}", "invalid" if number == 1 else "added") for number in range(4)
    ]
    workspace.sync("--select", "calls")
    with serve(MediaHost().app) as gong.settings.media_host:
        first, again = (workspace.run("download-media", "--kind", "audio", "--json") for _ in range(2))
    assert (first.code, again.code, again.json["files"]) == (0, 0, 0), first.err
    assert first.json["files"] == again.json["already_there"] == workspace.count("_media") > 0


def test_parts_of_a_key_that_gong_leaves_out_are_empty_texts(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync("--select", "calls")
    objects = [
        thing for call in public_calls(gong) for context in call.record["context"] for thing in context["objects"]
    ]
    of_calls = "SELECT count(*) FROM call_crm_objects WHERE party_id = ''"
    untimed = sum("timing" not in thing for thing in objects)
    assert 0 < untimed < len(objects)
    assert workspace.rows(of_calls) == [(len(objects),)]
    assert workspace.rows(f"{of_calls} AND timing = ''") == [(untimed,)]
    joined = "SELECT count(*) FROM call_crm_fields JOIN call_crm_objects"
    joined += " USING (call_id, party_id, system, object_type, object_id, timing)"
    assert workspace.rows(joined) == workspace.rows("SELECT count(*) FROM call_crm_fields")


@pytest.mark.parametrize("workspace", ["duckdb"], indirect=True)
def test_how_much_memory_duckdb_takes_is_the_users_to_say(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.settings["DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG"] = '{"memory_limit": "1KB"}'
    ended = workspace.run("sync", "--select", "calls")
    assert ended.code == 1
    assert "memory_limit" in ended.out
    assert "Traceback" not in ended.err
    del workspace.settings["DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG"]
    workspace.sync("--select", "calls")
