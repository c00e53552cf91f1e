"""DuckLake: one snapshot per load, no copies beside it, and errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.workspace import Workspace

_ALL_CALLS = ("--since", "2020-01-01")
_CATALOG = "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG"
# Above the largest number of a process.
_NO_PROCESS = 4_194_305
_WITHOUT_PACKAGE = """
import sys
sys.modules["duckdb_extension_ducklake"] = None
from pipelines.cli.app import main
sys.argv = ["gong-elt", *sys.argv[1:]]
main()
"""
_STORAGE = "DESTINATION__DUCKLAKE__CREDENTIALS__STORAGE__BUCKET_URL"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Return a workspace with a lake whose catalog is in SQLite."""
    workspace = Workspace(tmp_path, other_warehouse=DuckLakeConnection(tmp_path))
    workspace.use_demo_key()
    return workspace


def test_each_load_is_one_snapshot_of_all_tables(make_gong: MakeGong, workspace: Workspace) -> None:
    """Two syncs load what Gong has; calls change in one snapshot, and nothing is left beside the tables."""
    gong = make_gong(calls=25)
    workspace.sync()
    assert_all_tables_match(workspace, gong)
    snapshots = len(_snapshots_of_calls(workspace))

    edited, shortened = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(edited.id, title="Edited")
    gong.replace_transcript(shortened.id, (shortened.transcript or [])[:1])
    assert workspace.sync(*_ALL_CALLS)["calls"] == 1
    assert_all_tables_match(workspace, gong)
    (changes,) = _snapshots_of_calls(workspace)[snapshots:]
    written = {table for tables in changes.values() for table in tables}
    assert {_table_id(workspace, name) for name in ("calls", "transcript_sentences", "_dlt_loads")} <= written
    assert workspace.rows("SELECT DISTINCT table_schema FROM information_schema.tables") == [("gong",)]


def test_reading_commands_create_no_lake(workspace: Workspace, gong: SimulatedGong) -> None:
    """Status of a lake that does not exist says so."""
    result = workspace.run("status", "--json")
    assert (result.code, result.json["loaded"]) == (0, False), result.err
    assert not (workspace.folder / "catalog.sqlite").exists()
    assert not (workspace.folder / "lake").exists()
    assert gong.requests == []


def test_rows_that_a_killed_run_left_on_disk_are_deleted(workspace: Workspace) -> None:
    """DuckDB writes there what does not fit in memory; a running process keeps its own."""
    spilled = workspace.folder / "working" / "gong-elt" / "spilled"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as running:
        for pid in (running.pid, _NO_PROCESS):
            (spilled / str(pid)).mkdir(parents=True)
            (spilled / str(pid) / "duckdb_temp_storage-0.tmp").touch()
        assert workspace.run("status").code == 0
        assert [folder.name for folder in spilled.iterdir()] == [str(running.pid)]
        running.kill()


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        (_CATALOG, "mysql://user:secret-word@host/database", "use a URL like sqlite:///catalog.sqlite"),
        (_STORAGE, "memory://bucket", "use a folder or s3://"),
        ("DESTINATION__DUCKLAKE__CREDENTIALS__DUCKLAKE_NAME", "gong", "rename one"),
    ],
)
def test_settings_that_cannot_work_are_refused(workspace: Workspace, setting: str, value: str, named: str) -> None:
    """One line says what to use instead, without a password."""
    workspace.settings[setting] = value
    result = workspace.run("sync")
    assert result.code == 2
    assert named in result.err
    assert "secret-word" not in result.err
    assert len(result.err.splitlines()) == 1, result.err


def test_two_lakes_do_not_share_a_folder(workspace: Workspace, gong: SimulatedGong) -> None:
    """Maintenance deletes files that a lake does not know, so a new one is not created where files are."""
    workspace.sync("--select", "users")
    gong.requests.clear()
    workspace.settings[_CATALOG] = f"sqlite:///{workspace.folder / 'other.sqlite'}"
    result = workspace.run("sync")
    assert result.code == 2
    (line,) = result.err.splitlines()
    assert f"a new lake cannot be in {workspace.folder / 'lake'}" in line
    assert gong.requests == []
    assert not (workspace.folder / "other.sqlite").exists()


def test_a_missing_package_is_named_with_its_extra(workspace: Workspace) -> None:
    """DuckDB's extensions come from packages, and nothing is downloaded."""
    program = [sys.executable, "-c", _WITHOUT_PACKAGE, *workspace.command("sync")[1:]]
    environment = {**workspace.environment, "PYTHONPATH": ":".join(sys.path)}
    result = subprocess.run(
        program, cwd=workspace.folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 2, result.stderr
    assert "duckdb-extension-ducklake is not installed: pip install 'gong-elt[ducklake]'" in result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr


@pytest.mark.usefixtures("gong")
@pytest.mark.parametrize("setting", [_STORAGE, _CATALOG])
def test_a_file_in_place_of_a_folder_is_named(workspace: Workspace, setting: str) -> None:
    """Check does not call a lake ready into which no sync can load."""
    file = workspace.folder / "file"
    file.touch()
    workspace.settings[setting] = str(file / "lake") if setting == _STORAGE else f"sqlite:///{file / 'catalog.sqlite'}"
    for command in ("sync", "check"):
        result = workspace.run(command)
        assert result.code == 1
        assert str(file) in result.out + result.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(workspace: Workspace, read_only_folder: Path) -> None:
    """Both sync and check say it."""
    workspace.settings[_STORAGE] = str(read_only_folder / "lake")
    for command in ("sync", "check"):
        result = workspace.run(command)
        assert result.code == 1
        assert str(read_only_folder) in result.out + result.err


@pytest.fixture
def read_only_folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in which nothing can be created."""
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    yield folder
    folder.chmod(0o700)


def _snapshots_of_calls(workspace: Workspace) -> list[dict[str, list[str]]]:
    """Return the changes of each snapshot that wrote rows of calls, in order."""
    table = _table_id(workspace, "calls")
    rows = workspace.rows("SELECT changes FROM ducklake_snapshots(current_database()) ORDER BY snapshot_id")
    return [changes for (changes,) in rows if any(table in tables for tables in changes.values())]


def _table_id(workspace: Workspace, name: str) -> str:
    rows = workspace.rows("SELECT table_id FROM ducklake_table_info(current_database()) WHERE table_name = ?", [name])
    return str(rows[0][0])
