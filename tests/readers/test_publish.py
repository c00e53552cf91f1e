"""`--publish`: a copy of the DuckDB file that other programs keep open while gong-elt works."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from destinations.kinds.duckdb.copy import replace_copy, write_copy
from destinations.registry import open_warehouse
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, respond
from tests.support.companies import find_call, public_calls
from tests.support.marts import build_models
from tests.support.readers.copies import (
    COPY,
    COUNTS,
    POLLER,
    READER,
    ask,
    delete_call,
    list_remnants,
    read_tables,
    run_python,
)
from tests.support.workspace import Workspace


@pytest.mark.slow
def test_the_copy_has_everything_after_each_command(gong: SimulatedGong, workspace: Workspace, copy: Path) -> None:
    """Sync, models and reconcile publish the rows and views that the warehouse has, under another file name."""
    warehouse = workspace.folder / "warehouse.duckdb"
    assert workspace.sync("--publish", COPY)["published"] == str(copy)
    assert read_tables(copy) == read_tables(warehouse)

    assert build_models(workspace, "--publish", COPY)["published"] == str(copy)
    published = read_tables(copy)
    assert published == read_tables(warehouse)
    assert published["gong_analytics.calls_enriched"][0] == published["gong_analytics_staging.stg_calls"][0] > 0

    deleted = delete_call(gong)
    result = workspace.run("reconcile", "--json", "--publish", COPY)
    assert (result.code, result.json["erased"], result.json["published"]) == (0, 1, str(copy))
    assert read_tables(copy) == read_tables(warehouse)
    with duckdb.connect(str(copy), read_only=True) as database:
        assert database.execute(
            "SELECT count(*) FROM gong_analytics.calls_enriched WHERE call_id = ?", [deleted]
        ).fetchone() == (0,)
    assert list_remnants(copy) == []


def test_a_text_shows_the_copy(gong: SimulatedGong, workspace: Workspace, copy: Path) -> None:
    """A person reads where the copy is."""
    assert f"published: {copy}\n" in workspace.run("sync", "--publish", COPY).out


@pytest.mark.slow
def test_a_tool_that_has_the_copy_open_goes_on_reading_it(
    gong: SimulatedGong, workspace: Workspace, copy: Path
) -> None:
    """A BI tool keeps its connection; it never blocks a sync, and a new connection reads the new copy."""
    workspace.sync("--publish", COPY, "--until", f"{public_calls(gong)[10].record['metaData']['started'][:10]}")
    with run_python(READER, str(copy), COUNTS) as reader:
        before = ask(reader)
        workspace.sync("--wait", "0", "--publish", COPY)
        assert ask(reader) == before
        with run_python(READER, str(copy), COUNTS) as second:
            assert ask(second) == workspace.rows(COUNTS)[0]
            assert ask(second) != before


@pytest.mark.slow
def test_a_poller_sees_only_complete_runs(gong: SimulatedGong, workspace: Workspace, copy: Path) -> None:
    """A tool that opens the copy again and again reads the end of one run after the other, and nothing else."""
    workspace.sync("--publish", COPY, "--select", "users")
    gong.settings.page_size = 5
    sums = (
        "SELECT (SELECT count(*) FROM gong.calls), (SELECT count(DISTINCT call_id) FROM gong.call_parties),"
        " (SELECT count(*) FROM gong.transcript_sentences), (SELECT count(*) FROM gong._runs),"
        " (SELECT count(*) FROM gong._runs WHERE status = 'running')"
    )
    expected = {workspace.rows(sums)[0]}
    with run_python(POLLER, str(copy), sums) as poller:
        assert poller.stdout is not None
        poller.stdout.readline()
        for call in public_calls(gong)[:4]:
            gong.edit_call(call.id, title="Edited")
            workspace.sync("--since", "2020-01-01", "--publish", COPY)
            expected.add(workspace.rows(sums)[0])
        out, _ = poller.communicate("")

    *polls, seen = out.splitlines()
    assert len(polls) > 20
    assert {tuple(state) for state in json.loads(seen)} <= expected
    assert all(state[4] == 0 for state in json.loads(seen))


def test_erased_content_is_not_in_the_bytes_of_the_copy(gong: SimulatedGong, workspace: Workspace, copy: Path) -> None:
    """DuckDB keeps deleted bytes in its file; a copy for others has none of them, also after later runs."""
    call = find_call(gong)
    marker = b"Zk7confidential9Qx"
    gong.edit_call(call.id, title=f"{marker.decode()} of the customer")
    workspace.sync("--publish", COPY)
    assert marker in copy.read_bytes()

    gong.delete_call(call.id)
    assert workspace.run("reconcile", "--publish", COPY).code == 0
    assert marker not in copy.read_bytes()
    workspace.sync("--publish", COPY)
    assert marker not in copy.read_bytes()


@pytest.mark.slow
def test_a_setting_publishes_every_run(gong: SimulatedGong, workspace: Workspace, copy: Path) -> None:
    """An erasure must reach the copy, whichever command was run; an empty option makes an exception."""
    workspace.settings["GONG_ELT__PUBLISH"] = COPY
    workspace.sync()
    deleted = delete_call(gong)
    assert workspace.run("reconcile", "--dry-run", "--json").json["published"] is None
    assert workspace.run("reconcile", "--json", "--publish", "").json["published"] is None
    gone = "SELECT count(*) FROM gong.transcript_sentences WHERE call_id = ?"
    with duckdb.connect(str(copy), read_only=True) as database:
        assert database.execute(gone, [deleted]).fetchall() > [(0,)]
    workspace.sync()
    with duckdb.connect(str(copy), read_only=True) as database:
        assert database.execute(gone, [deleted]).fetchall() == [(0,)]


@pytest.mark.slow
def test_a_stopped_run_and_one_with_a_failed_resource_are_published(
    gong: SimulatedGong, workspace: Workspace, copy: Path
) -> None:
    """Each load is complete, so what such a run has loaded is published."""
    gong.faults.append(Fault(respond(500), "/v2/users"))
    failed = workspace.sync("--publish", COPY, code=1)
    assert failed["published"] == str(copy)
    assert read_tables(copy)["gong.calls"][0] == len(public_calls(gong))

    gong.faults.clear()
    workspace.configure(requests_per_day=failed["requests"] + 1)
    stopped = workspace.sync("--publish", COPY, code=3)
    assert stopped["published"] == str(copy)
    assert read_tables(copy) == read_tables(workspace.folder / "warehouse.duckdb")


@pytest.mark.slow
def test_permissions_of_the_copy_are_kept(gong: SimulatedGong, workspace: Workspace, copy: Path) -> None:
    """A first copy is readable by its owner only; an administrator opens it to the BI tool's user once."""
    workspace.sync("--publish", COPY)
    assert copy.stat().st_mode & 0o777 == 0o600
    copy.chmod(0o640)
    workspace.sync("--publish", COPY)
    assert copy.stat().st_mode & 0o777 == 0o640


def test_views_of_users_work_in_the_copy(workspace: Workspace) -> None:
    """DuckDB stores the name of the file with a view; a text that looks like it is left as it is."""
    warehouse = workspace.folder / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "CREATE SCHEMA gong; CREATE SCHEMA a; CREATE SCHEMA z; CREATE TABLE gong.calls AS SELECT 1 AS id;"
            ' CREATE VIEW z.first AS SELECT *, \'"catalog_name":"warehouse" warehouse.gong\' AS text'
            " FROM warehouse.gong.calls;"
            " CREATE VIEW a.over (number, text) AS SELECT id, text FROM warehouse.z.first;"
            " CREATE TABLE gong.dropped AS SELECT 1; CREATE VIEW a.broken AS FROM gong.dropped; DROP TABLE gong.dropped"
        )
    write_copy(open_warehouse("duckdb", "gong", warehouse), warehouse, workspace.folder / "draft", "other.duckdb")
    with duckdb.connect(str(workspace.folder / "draft"), read_only=True) as connection:
        text = '"catalog_name":"warehouse" warehouse.gong'
        assert connection.execute("SELECT number, text FROM a.over").fetchall() == [(1, text)]


def test_copying_keeps_the_lock_of_the_warehouse(workspace: Workspace) -> None:
    """A file handle that is closed in this process would let another one write to the open warehouse."""
    file = workspace.folder / "warehouse.duckdb"
    program = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    warehouse = open_warehouse("duckdb", "gong", file)
    with warehouse.hold(create=True):
        write_copy(warehouse, file, workspace.folder / "draft", "copy.duckdb")
        replace_copy(workspace.folder / "draft", workspace.folder / "copy.duckdb")
        second = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, check=False)
        assert b"Could not set lock" in second.stderr
