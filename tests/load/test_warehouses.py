"""What differs between warehouses, on each of them. The promises that all of them keep are in tests/conformance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.media_host import MediaHost
from pipelines.demo.server.serving import serve
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.iceberg import IcebergConnection
from tests.support.servers.mariadb import MariaDbConnection
from tests.support.servers.postgres import PostgresServer
from tests.support.servers.warehouses import ALL_WAREHOUSES, build_workspace
from tests.support.upload_files import build_upload_rows, write_csv
from tests.support.workspace import Workspace


@pytest.fixture(params=ALL_WAREHOUSES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty warehouse of each kind."""
    return build_workspace(request, tmp_path)


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
    server: PostgresServer
    if workspace.postgres:
        database = workspace.postgres.rpartition("/")[2]
        server = request.getfixturevalue("postgres")
        server.execute(database, f"CREATE ROLE reader_{database} LOGIN")
        workspace.postgres = server.url(database, f"reader_{database}")
    elif isinstance(workspace.warehouse, MariaDbConnection):
        workspace.warehouse.create_user("reader", "SELECT ON *.*")
        workspace.settings |= workspace.warehouse.environment_of("reader")
    elif isinstance(workspace.warehouse, DuckLakeConnection | IcebergConnection):
        prefix = f"DESTINATION__{workspace.warehouse.destination.upper()}__CREDENTIALS"
        if catalog := workspace.warehouse.postgres:
            database = catalog.rpartition("/")[2]
            server = request.getfixturevalue("postgres")
            server.execute(database, f"CREATE ROLE reader_{database} LOGIN")
            catalog = server.url(database, f"reader_{database}")
            workspace.settings[f"{prefix}__CATALOG"] = catalog
        else:
            (workspace.folder / "file").touch()
            storage = str(workspace.folder / "file" / "lake")
            workspace.settings[f"{prefix}__STORAGE__BUCKET_URL"] = storage
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
