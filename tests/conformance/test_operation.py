"""Promises about types, readers, marts and maintenance."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.conformance.promises import promise
from tests.conftest import MakeGong
from tests.emulators.connections import EMULATED
from tests.support.companies import find_call, public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import parse_datetime
from tests.support.marts import build_models
from tests.support.upload_files import build_upload_rows, write_csv
from tests.support.workspace import Workspace

_LONG_ID = "9223372036854775807"


@promise("types")
def test_times_ids_and_json_keep_their_types(gong: SimulatedGong, workspace: Workspace) -> None:
    """A time with another zone is stored in UTC, an id of 19 digits as text, and nested fields as JSON."""
    call = find_call(gong, "outline")
    gong.edit_call(call.id, started="2026-03-08T01:59:59.5-08:00", clientUniqueId=_LONG_ID)
    workspace.sync("--since", "2020-01-01")

    ((started, unique_id),) = workspace.rows("SELECT started, client_unique_id FROM gong.calls WHERE id = ?", [call.id])
    assert started.astimezone(UTC) == datetime(2026, 3, 8, 9, 59, 59, 500_000, tzinfo=UTC)
    assert unique_id == _LONG_ID
    ((methods,),) = workspace.rows(
        "SELECT methods FROM gong.call_parties WHERE call_id = ? AND methods IS NOT NULL LIMIT 1", [call.id]
    )
    assert isinstance(json.loads(methods), list)


@promise("other reader")
def test_another_client_reads_the_same_sums(gong: SimulatedGong, workspace: Workspace) -> None:
    """A client that is not gong-elt's sees all calls and sentences."""
    workspace.sync()
    calls = [call for call in public_calls(gong) if call.transcript_json]
    sentences = [text for call in calls for turn in call.transcript or () for text in turn["sentences"]]
    expected = [len(public_calls(gong)), len(sentences), sum(sentence["end"] for sentence in sentences)]
    assert workspace.warehouse.read_elsewhere(
        "SELECT (SELECT count(*) FROM gong.calls), count(*), sum(end_ms) FROM gong.transcript_sentences"
    ) == [str(figure) for figure in expected]


@pytest.mark.slow
@promise("models")
def test_all_marts_are_built_and_their_tests_pass(gong: SimulatedGong, workspace: Workspace) -> None:
    """Also a second, incremental build after news."""
    workspace.sync()
    first = build_models(workspace)
    assert first["failed"] == []
    assert workspace.rows("SELECT count(*) FROM gong_analytics.calls_enriched") == [(len(public_calls(gong)),)]

    call = max(public_calls(gong), key=lambda call: parse_datetime(call.record["metaData"]["started"]))
    gong.edit_call(call.id, title="Renamed")
    workspace.sync()
    assert build_models(workspace)["failed"] == []
    sql = "SELECT title FROM gong_analytics.calls_enriched WHERE call_id = ?"
    assert workspace.rows(sql, [call.id]) == [("Renamed",)]


@promise("maintain")
def test_maintenance_keeps_the_data(make_gong: MakeGong, workspace: Workspace) -> None:
    """What erased calls took is freed, everything else stays, and the next sync has nothing to write."""
    gong = make_gong(calls=200)
    workspace.sync()
    for call in public_calls(gong)[::2]:
        gong.delete_call(call.id)
    assert workspace.run("reconcile", "--force").code == 0

    result = workspace.run("maintain", "--json")
    assert (result.code, result.json["status"]) == (0, "done"), result.err
    if workspace.postgres:
        not_vacuumed = "SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'gong' AND last_vacuum IS NULL"
        assert workspace.rows(not_vacuumed) == []
    elif workspace.warehouse.destination not in EMULATED:
        assert result.json["bytes_after"] < result.json["bytes_before"]
    assert_warehouse_matches(workspace, gong)
    assert workspace.sync()["calls"] == 0
    assert workspace.rows("SELECT command, status FROM gong._runs ORDER BY started_at") == [
        (command, "done") for command in ("sync", "reconcile", "maintain", "sync")
    ]


@pytest.mark.parametrize("workspace", ["duckdb"], indirect=True)
def test_maintenance_keeps_the_log_of_a_killed_program(gong: SimulatedGong, workspace: Workspace) -> None:
    """What DuckDB has committed is in the new file, although its log is deleted; a link to the file stays a link."""
    workspace.sync()
    file, elsewhere = workspace.folder / "warehouse.duckdb", workspace.folder / "disk" / "warehouse.duckdb"
    elsewhere.parent.mkdir()
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    program = (
        "import duckdb, os, sys; warehouse = duckdb.connect(sys.argv[1]); "
        "warehouse.execute('CREATE TABLE main.t AS SELECT 1'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(file)], check=True)
    assert [log.stat().st_size > 0 for log in workspace.folder.rglob("warehouse.duckdb.wal")] == [True]

    result = workspace.run("maintain")
    assert result.code == 0, result.err
    assert file.is_symlink()
    assert workspace.rows("SELECT count(*) FROM main.t") == [(1,)]
    assert workspace.sync()["calls"] == 0
    assert_warehouse_matches(workspace, gong)


@promise("migrate")
def test_a_warehouse_of_an_earlier_version_is_upgraded(gong: SimulatedGong, workspace: Workspace) -> None:
    """Tables and columns that it lacks are added, words that it used are replaced, and a second run changes nothing."""
    workspace.sync()
    workspace.sync("--select", "flow_folders")
    workspace.execute("ALTER TABLE gong.flow_folders DROP COLUMN name")
    workspace.run("upload", write_csv(workspace.folder, [{**build_upload_rows(gong, 1)[0], "direction": "Sideways"}]))
    workspace.execute("UPDATE gong._uploads SET status = 'set_aside'")
    workspace.execute("DROP TABLE gong._media")
    workspace.execute("ALTER TABLE gong.calls DROP COLUMN brief")
    workspace.execute("ALTER TABLE gong._runs DROP COLUMN command")
    workspace.execute("DELETE FROM gong._dlt_version")

    for arguments, code in (("--dry-run",), 0), ((), 0):
        result = workspace.run("migrate", "--json", *arguments)
        assert result.code == code, result.err
        assert result.json["tables"] == ["_media"]
        assert result.json["columns"] == ["_runs.command", "calls.brief", "flow_folders.name"]
        assert result.json["rows"] == 1
    again = workspace.run("migrate", "--json").json
    assert (again["status"], again["tables"], again["columns"], again["rows"]) == ("done", [], [], 0)
    assert workspace.rows("SELECT status FROM gong._uploads") == [("invalid",)]

    # The column of calls is filled as their content is read again.
    workspace.sync("--since", "2020-01-01")
    assert workspace.rows("SELECT count(*) FROM gong._media") == [(0,)]
