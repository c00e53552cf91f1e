"""Conformance suite of warehouses: DuckDB and PostgreSQL; `tests/support/servers/warehouses.py` lists them."""

from __future__ import annotations

import time
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
from tests.support.servers.postgres import PASSWORD, PostgresServer
from tests.support.servers.warehouses import WAREHOUSES, build_workspace
from tests.support.upload_files import build_upload_rows, write_csv
from tests.support.workspace import Workspace


@pytest.fixture(params=WAREHOUSES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty warehouse of each kind."""
    return build_workspace(request, tmp_path)


def test_a_second_run_on_a_new_machine_writes_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    """State and content hashes are read from the warehouse, and each run has a row in `_runs`."""
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


def test_changed_shortened_and_late_data_is_replaced(gong: SimulatedGong, workspace: Workspace) -> None:
    """Merges delete child rows that are no longer sent."""
    workspace.sync()
    call = find_call(gong, "outline", "trackers", "keyPoints")
    record = {**call.record, "metaData": {**call.record["metaData"], "title": "Renamed"}, "parties": []}
    record["content"] = {**record["content"], "outline": [], "keyPoints": record["content"]["keyPoints"][:1]}
    del record["content"]["trackers"]
    gong.replace_call(call.id, record)

    others = [other for other in public_calls(gong) if other.transcript_json and other.id != call.id]
    emptied, shorter, late = others[:3]
    gong.replace_transcript(emptied.id, [])
    gong.replace_transcript(shorter.id, (shorter.transcript or [])[:1])
    transcript = late.transcript
    gong.replace_transcript(late.id, None)
    workspace.execute("DELETE FROM transcripts WHERE call_id = ?", [late.id])
    workspace.execute("DELETE FROM transcript_sentences WHERE call_id = ?", [late.id])

    assert workspace.sync("--since", "2020-01-01")["calls"] == 1
    assert_warehouse_matches(workspace, gong)

    gong.replace_transcript(late.id, transcript)
    assert workspace.sync("--since", "2020-01-01")["transcripts"] == 1
    assert_warehouse_matches(workspace, gong)


def test_new_columns_and_variant_columns_are_created(gong: SimulatedGong, workspace: Workspace) -> None:
    """Schema changes work in every warehouse."""
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
    ((mood, score, sentiment, duration, text),) = rows
    assert (mood, score, duration, text) == ("calm", 7, None, "about an hour")
    assert sentiment.replace(" ", "") == '{"overall":[1,"good"]}'
    assert workspace.columns("calls")["content__sentiment"] in ("JSON", "JSONB")


def test_private_calls_are_removed_and_deleted_ones_erased(gong: SimulatedGong, workspace: Workspace) -> None:
    """Removals and erasures work in every warehouse."""
    workspace.sync()
    private, deleted = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(private.id, isPrivate=True)
    gong.delete_call(deleted.id)

    workspace.sync("--since", "2020-01-01")
    assert workspace.run("reconcile", "--json").json["erased"] == 1
    assert workspace.rows("SELECT id, title, brief FROM calls WHERE _deleted_at IS NOT NULL") == [
        (deleted.id, None, None)
    ]
    assert_warehouse_matches(workspace, gong)


def test_nul_and_lone_surrogates_are_replaced(gong: SimulatedGong, workspace: Workspace) -> None:
    """PostgreSQL accepts neither; both are loaded as U+FFFD."""
    call = next(call for call in public_calls(gong) if call.transcript_json)
    title = call.record["metaData"]["title"].encode()
    first = (call.transcript or [])[0]["sentences"][0]["text"].encode()
    invalid = rb"a\u0000b \\u0000 caf\ud83d"
    gong.faults.append(Fault(rewrite_bytes(lambda body: body.replace(title, invalid)), EXTENSIVE))
    gong.faults.append(Fault(rewrite_bytes(lambda body: body.replace(first, invalid)), TRANSCRIPT))

    workspace.sync("--select", "calls,transcripts")
    expected = "a\ufffdb \\u0000 caf\ufffd"
    assert (expected,) in workspace.rows("SELECT title FROM calls WHERE id = ?", [call.id])

    sql = "SELECT text FROM transcript_sentences WHERE call_id = ? AND sentence_index = 0"
    assert workspace.rows(sql, [call.id]) == [(expected,)]


@pytest.mark.parametrize(
    "delay", [0.6, pytest.param(0.0, marks=pytest.mark.slow), pytest.param(1.2, marks=pytest.mark.slow)]
)
def test_a_kill_during_the_load_is_repaired(make_gong: MakeGong, workspace: Workspace, delay: float) -> None:
    """A kill loses no call and duplicates none."""
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


def test_a_load_interrupted_between_two_tables_is_repaired(gong: SimulatedGong, workspace: Workspace) -> None:
    """Without transactions, a load can end between two tables; its content hashes are not used, although they match."""
    workspace.sync()
    stale, hidden = [call for call in public_calls(gong) if call.transcript_json][-2:]
    # The first call has lost its child rows, but not its row and hash; the second one the other way round.
    workspace.execute("DELETE FROM call_parties WHERE call_id = ?", [stale.id])
    workspace.execute("DELETE FROM transcript_sentences WHERE call_id = ?", [stale.id])
    gong.edit_call(hidden.id, isPrivate=True)
    workspace.execute("DELETE FROM calls WHERE id = ?", [hidden.id])
    workspace.execute("DELETE FROM transcripts WHERE call_id = ?", [hidden.id])
    since = datetime.now(UTC) - timedelta(days=30)
    workspace.execute(
        "INSERT INTO _runs (run_id, connection, command, status, started_at, requests, window_since, window_until,"
        " unfinished_since) VALUES ('broken', 'gong', 'sync', 'killed', ?, 0, ?, ?, ?)",
        [datetime.now(UTC), since, datetime.now(UTC), since],
    )

    workspace.sync("--since", f"{since - timedelta(days=1):%Y-%m-%d}")
    assert_warehouse_matches(workspace, gong)
    assert workspace.sync("--since", f"{since - timedelta(days=1):%Y-%m-%d}")["calls"] == 0


def test_datasets_and_connections_do_not_mix(gong: SimulatedGong, workspace: Workspace) -> None:
    """Two connections can load into two datasets of one database."""
    workspace.configure(emea__credentials__access_token="demo-token")
    workspace.sync("--select", "calls,transcripts")
    workspace.sync("--select", "calls,transcripts", "--dataset", "other", "--connection", "emea")
    assert workspace.rows("SELECT count(*) FROM other.calls") == [(workspace.count("calls"),)]
    assert_warehouse_matches(workspace, gong)


def test_status_and_check_describe_the_warehouse(gong: SimulatedGong, workspace: Workspace) -> None:
    """Both report contents and write access, also before the first load."""
    assert workspace.run("status", "--json").json["loaded"] is False

    workspace.sync()
    status = workspace.run("status", "--json").json
    assert status["loaded"] is True
    assert status["contents"]["calls"] == len(public_calls(gong))

    check = workspace.run("check", "--json")
    assert check.code == 0

    (destination,) = [finding for finding in check.json["findings"] if "dataset gong" in finding["what"]]
    assert destination["verdict"] == "ok"
    assert "may write" in destination["detail"]


def test_a_warehouse_that_cannot_be_written_fails_in_one_line(
    gong: SimulatedGong, workspace: Workspace, request: pytest.FixtureRequest
) -> None:
    """Missing write access is found by `check` and reported by `sync` without a traceback."""
    if workspace.postgres:
        database = workspace.postgres.rpartition("/")[2]
        server: PostgresServer = request.getfixturevalue("postgres")
        server.execute(database, f"CREATE ROLE reader_{database} LOGIN")
        workspace.postgres = server.url(database, f"reader_{database}")
    else:
        workspace.settings["DESTINATION__DUCKDB__CREDENTIALS"] = "/proc/warehouse.duckdb"
    check = workspace.run("check", "--json")
    assert check.code == 1
    assert [finding["verdict"] for finding in check.json["findings"]][-1] == "failed"

    result = workspace.run("sync", "--json", "--select", "calls")
    assert result.code == 1
    assert result.json["status"] == "failed"
    assert "Traceback" not in result.err
    assert "holds the lock" not in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("workspace", ["postgres"], indirect=True)
def test_an_unreachable_server_is_reported_without_its_password(gong: SimulatedGong, workspace: Workspace) -> None:
    """A connection error never prints the URL with the password."""
    workspace.postgres = f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/nowhere"
    for command in ("sync", "status", "reconcile"):
        result = workspace.run(command)
        assert result.code == 1
        assert PASSWORD not in result.out + result.err
        assert "Traceback" not in result.out + result.err
        assert "refused" in (result.out + result.err).lower()


def test_two_machines_do_not_run_at_the_same_time(gong: SimulatedGong, workspace: Workspace) -> None:
    """The second run ends with the holder of the lock in its message."""
    gong.settings.latency_seconds = 1.0
    first = workspace.start("sync", "--select", "calls,transcripts")
    while not gong.requests and first.poll() is None:
        time.sleep(0.01)
    # Another machine does not see the lock in the working folder of the first one.
    workspace.settings["DLT_DATA_DIR"] = str(workspace.folder / "elsewhere")

    result = workspace.run("sync", "--select", "calls,transcripts", "--wait", "0")
    assert result.code == 1
    assert "another run holds the lock" in result.err
    assert f"pid {first.pid}" in result.err
    assert len(result.err.splitlines()) == 1
    assert first.wait(60) == 0

    gong.settings.latency_seconds = 0.0
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_uploads_and_recordings_are_recorded(gong: SimulatedGong, workspace: Workspace) -> None:
    """`_uploads` and `_media` work in every warehouse, also without a previous sync."""
    rows = build_upload_rows(gong, 4)
    rows[1]["direction"] = "Sideways"
    file = write_csv(workspace.folder, rows)

    for added, already_added in ((3, 0), (0, 3)):
        result = workspace.run("upload", file, "--json")
        assert (result.code, result.json["added"], result.json["already_added"]) == (1, added, already_added), (
            result.err
        )
    assert workspace.rows("SELECT client_unique_id, status FROM _uploads ORDER BY client_unique_id") == [
        (f"pbx-{number}", "invalid" if number == 1 else "added") for number in range(4)
    ]

    workspace.sync("--select", "calls")
    with serve(MediaHost().app) as gong.settings.media_host:
        first, again = (workspace.run("download-media", "--kind", "audio", "--json") for _ in range(2))
    assert (first.code, again.code, again.json["files"]) == (0, 0, 0), first.err
    assert first.json["files"] == again.json["already_there"] == workspace.count("_media") > 0


def test_missing_key_fields_are_empty_texts(gong: SimulatedGong, workspace: Workspace) -> None:
    """Keys contain no nulls, so joins on all key columns match."""
    workspace.sync("--select", "calls")
    objects = [
        crm_object
        for call in public_calls(gong)
        for context in call.record["context"]
        for crm_object in context["objects"]
    ]
    count_of_calls = "SELECT count(*) FROM call_crm_objects WHERE party_id = ''"
    without_timing = sum("timing" not in crm_object for crm_object in objects)
    assert 0 < without_timing < len(objects)
    assert workspace.rows(count_of_calls) == [(len(objects),)]
    assert workspace.rows(f"{count_of_calls} AND timing = ''") == [(without_timing,)]

    join = "SELECT count(*) FROM call_crm_fields JOIN call_crm_objects"
    join += " USING (call_id, party_id, system, object_type, object_id, timing)"
    assert workspace.rows(join) == workspace.rows("SELECT count(*) FROM call_crm_fields")


@pytest.mark.parametrize("workspace", ["duckdb"], indirect=True)
def test_the_duckdb_memory_limit_can_be_configured(gong: SimulatedGong, workspace: Workspace) -> None:
    """The user's `global_config` takes precedence over the default."""
    workspace.settings["DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG"] = '{"memory_limit": "1KB"}'
    result = workspace.run("sync", "--select", "calls")
    assert result.code == 1
    assert "memory_limit" in result.err
    assert "Traceback" not in result.err
    del workspace.settings["DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG"]
    workspace.sync("--select", "calls")
