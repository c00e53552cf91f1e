"""A warehouse loaded by an earlier version continues under this one.

`warehouse_5cf56c3.zip` is DuckDB's `EXPORT DATABASE` of a warehouse that commit 5cf56c3 loaded from the simulated Gong:
a company of 12 calls, synced with --since and --until, with models. It holds dlt's state as that version wrote it.
The company is in the archive, too, because later versions generate another one.
"""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec
import pytest

from pipelines.demo.company.calls import Call
from pipelines.demo.company.company import Company
from pipelines.demo.company.company_settings import CompanySettings
from pipelines.demo.company.library import LibraryFolder
from pipelines.demo.server.app import SimulatedGong
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE
from tests.support.marts import build_models
from tests.support.workspace import Workspace

EXPORT = Path(__file__).parent / "warehouse_5cf56c3.zip"
UNTIL = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def gong(make_gong: MakeGong, workspace: Workspace) -> SimulatedGong:
    """Return the company that the warehouse was loaded from, and configure the settings it was loaded with."""
    gong = make_gong(SimulatedGong(_read_company()))
    workspace.configure(start_date="2026-02-09", lookback="30d")
    return gong


def _read_company() -> Company:
    with zipfile.ZipFile(EXPORT) as export:
        saved = json.loads(export.read("company.json"))
    return Company(
        name=saved["name"],
        until=UNTIL,
        users=saved["users"],
        avatar_ids=frozenset(saved["avatar_ids"]),
        workspaces=saved["workspaces"],
        calls=[Call(call["record"], msgspec.json.encode(call["transcript"])) for call in saved["calls"]],
        folders=[LibraryFolder(**folder) for folder in saved["folders"]],
        settings=CompanySettings(**saved["settings"]),
    )


@pytest.fixture
def upgraded(workspace: Workspace) -> Workspace:
    """Return a workspace with the warehouse of the earlier version."""
    folder = workspace.folder / "export"
    with zipfile.ZipFile(EXPORT) as export:
        export.extractall(folder)
    load = (folder / "load.sql").read_text("utf-8").replace("FROM '", f"FROM '{folder}/")
    with duckdb.connect(str(workspace.folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        warehouse.execute((folder / "schema.sql").read_text("utf-8"))
        warehouse.execute(load)
    return workspace


def test_migrate_replaces_words_of_the_earlier_version(gong: SimulatedGong, upgraded: Workspace) -> None:
    """--dry-run announces what changes; afterwards a sync has nothing left to change, and writes no row."""
    upgraded.execute("INSERT INTO gong._uploads (file, status, run_id) VALUES ('calls.csv', 'set_aside', '1')")
    for arguments, status in (["--dry-run"], "set_aside"), ([], "invalid"):
        result = upgraded.run("migrate", "--json", *arguments)
        assert result.code == 0, result.err
        assert (result.json["tables"], result.json["columns"], result.json["rows"]) == ([], [], 1)
        assert upgraded.rows("SELECT status FROM gong._uploads") == [(status,)]

    versions = upgraded.count("_dlt_version")
    assert upgraded.sync()["calls"] == 0
    assert upgraded.count("_dlt_version") == versions
    assert_warehouse_matches(upgraded, gong)


def test_a_sync_reads_everything_again_and_writes_no_row(gong: SimulatedGong, upgraded: Workspace) -> None:
    """Bookmarks, content hashes and list hashes of the earlier version are understood."""
    result = upgraded.sync()

    assert {name: resource["rows"] for name, resource in result["resources"].items() if resource["rows"]} == {}
    assert result["calls"] == result["transcripts"] == 0
    (first,) = [request for request in gong.requests if request.path == EXTENSIVE][:1]
    assert first.body["filter"]["fromDateTime"] == "2026-02-09T00:00:00.000Z"
    assert_warehouse_matches(upgraded, gong)


def test_a_changed_call_is_written(gong: SimulatedGong, upgraded: Workspace) -> None:
    """The merge replaces rows that the earlier version wrote."""
    call = public_calls(gong)[0]
    record = {**call.record, "metaData": {**call.record["metaData"], "title": "Renamed"}}
    gong.replace_call(call.id, record)

    assert upgraded.sync()["calls"] == 1
    assert_warehouse_matches(upgraded, gong)


def test_an_interrupted_load_of_the_earlier_version_is_repaired(gong: SimulatedGong, upgraded: Workspace) -> None:
    """That version committed table by table: content hashes of such a load match although rows are missing."""
    stale, hidden = [call for call in public_calls(gong) if call.transcript_json][-2:]
    # The first call has lost its child rows, but not its row and hash; the second one the other way round.
    upgraded.execute("DELETE FROM gong.call_parties WHERE call_id = ?", [stale.id])
    upgraded.execute("DELETE FROM gong.transcript_sentences WHERE call_id = ?", [stale.id])
    gong.edit_call(hidden.id, isPrivate=True)
    upgraded.execute("DELETE FROM gong.calls WHERE id = ?", [hidden.id])
    upgraded.execute("DELETE FROM gong.transcripts WHERE call_id = ?", [hidden.id])
    upgraded.execute(
        "INSERT INTO gong._runs SELECT * REPLACE ('killed' AS run_id, 'running' AS status, '1795900000.1' AS"
        " unfinished_load, window_since AS unfinished_since, started_at + INTERVAL 1 HOUR AS started_at)"
        " FROM gong._runs ORDER BY started_at LIMIT 1"
    )

    assert upgraded.sync()["warning"] is None
    assert_warehouse_matches(upgraded, gong)
    again = upgraded.sync()
    assert (again["warning"], again["calls"], again["transcripts"]) == (None, 0, 0)


@pytest.mark.slow
def test_reconcile_and_incremental_models_continue(gong: SimulatedGong, upgraded: Workspace) -> None:
    """A call that Gong deleted leaves tables and marts, and the models build on what the earlier version built."""
    call = next(call for call in public_calls(gong) if call.transcript_json)
    gong.delete_call(call.id)

    reconciled = upgraded.run("reconcile", "--json", "--max-share", "1")
    assert (reconciled.code, reconciled.json["erased"]) == (0, 1), reconciled.err
    assert build_models(upgraded)["failed"] == []

    assert upgraded.rows("SELECT count(*) FROM gong_analytics.calls_enriched WHERE call_id = ?", [call.id]) == [(0,)]
    assert upgraded.rows("SELECT count(*) FROM gong_analytics.calls_enriched") == [(len(public_calls(gong)),)]
