"""Iceberg: the published tables equal the lake, also after kills between a load and its publication."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import Catalog, load_catalog

from pipelines.demo.server.app import SimulatedGong
from tests.conftest import MakeGong
from tests.support.companies import change_calls, public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.process.patched_command import run_patched
from tests.support.servers.iceberg import IcebergConnection
from tests.support.servers.warehouses import ICEBERGS, build_workspace
from tests.support.workspace import Workspace

pytestmark = pytest.mark.iceberg

_ALL_CALLS = ("--since", "2020-01-01")
# Ends the process when the second table is about to be committed, or gong_loads.
_KILL = """
import os, signal, sys
from pyiceberg.table import Table
commits = []
def commit(self, updates, requirements, _regular=Table._do_commit):
    commits.append(self.name()[-1])
    if {condition}:
        os.kill(os.getpid(), signal.SIGKILL)
    return _regular(self, updates, requirements)
Table._do_commit = commit
"""
# As a REST catalog does.
_COMMIT_ONE_BY_ONE = """
from contextlib import nullcontext
from destinations.kinds.iceberg import publication
publication.commit_together = lambda catalog: nullcontext()
"""


@pytest.fixture(params=["iceberg"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace, by default with catalogs in SQLite."""
    return build_workspace(request, tmp_path)


@pytest.mark.parametrize("workspace", ICEBERGS, indirect=True)
def test_published_tables_equal_the_lake(make_gong: MakeGong, workspace: Workspace) -> None:
    """After changes, deletions and a maintenance, every table has the rows of the lake, and none twice."""
    gong = make_gong(calls=40)
    workspace.sync()
    assert_published(workspace)
    change_calls(gong)
    workspace.sync(*_ALL_CALLS)
    assert_published(workspace)
    gong.delete_call(public_calls(gong)[0].id)
    assert workspace.run("reconcile", "--json").json["erased"] == 1
    assert workspace.run("maintain").code == 0
    assert_published(workspace)
    # The library is a list of its own, which the next sync replaces.
    assert_warehouse_matches(workspace, gong)


def test_a_change_of_a_call_rewrites_its_rows_only(make_gong: MakeGong, workspace: Workspace) -> None:
    """Large tables are not published whole; the rows of other calls stay in their snapshot."""
    gong = make_gong(calls=40)
    workspace.sync()
    change_calls(gong)
    workspace.sync(*_ALL_CALLS)
    sentences = open_tables(workspace).load_table("gong.transcript_sentences")
    summaries = [snapshot.summary for snapshot in sentences.snapshots()]
    added = [int((summary and summary.additional_properties.get("added-records")) or 0) for summary in summaries]
    assert summaries[-1] is not None
    assert added[0] > 3_000
    assert added[-1] == 1, "the shortened transcript has one sentence"


@pytest.mark.parametrize("program", ["", pytest.param(_COMMIT_ONE_BY_ONE, id="one by one")])
@pytest.mark.parametrize("condition", ["len(commits) == 3", "commits[-1] == 'gong_loads'"])
def test_a_killed_publication_is_completed(
    make_gong: MakeGong, workspace: Workspace, program: str, condition: str
) -> None:
    """Until the next run, the views show the load before; a catalog in SQL shows it in the tables, too."""
    gong = make_gong(calls=40)
    workspace.sync()
    views = workspace.rows("SELECT count(*), max(lake_snapshot_id) FROM gong_loads")
    before, tables = count_rows(workspace), list_snapshots(workspace)
    change_calls(gong)
    killed = run_patched(workspace, _KILL.format(condition=condition) + program, "sync", *_ALL_CALLS)
    assert killed.code == -signal.SIGKILL
    assert workspace.rows("SELECT count(*), max(lake_snapshot_id) FROM gong_loads") == views
    assert count_rows(workspace) == before
    assert (list_snapshots(workspace) == tables) == (not program)

    workspace.delete_working_folder()
    workspace.sync()
    assert_published(workspace)
    assert_all_tables_match(workspace, gong)


def test_a_load_that_was_never_published_survives_maintain(make_gong: MakeGong, workspace: Workspace) -> None:
    """Maintenance removes the snapshots of the lake that a publication compares, and publishes before."""
    gong = make_gong(calls=40)
    workspace.sync()
    change_calls(gong)
    condition = "commits[-1] != 'gong_loads'"
    assert run_patched(workspace, _KILL.format(condition=condition), "sync", *_ALL_CALLS).code == -signal.SIGKILL
    assert workspace.run("maintain").code == 0
    assert_published(workspace)


def test_tables_are_published_whole_if_the_lake_has_forgotten(make_gong: MakeGong, workspace: Workspace) -> None:
    """Another program may have expired the snapshot of the lake that was published last."""
    gong = make_gong(calls=40)
    workspace.sync()
    change_calls(gong)
    condition = "commits[-1] != 'gong_loads'"
    assert run_patched(workspace, _KILL.format(condition=condition), "sync", *_ALL_CALLS).code == -signal.SIGKILL
    workspace.execute(
        "CALL ducklake_expire_snapshots(current_database(), older_than => now() + INTERVAL '1 day')",
    )
    workspace.execute("CALL ducklake_cleanup_old_files(current_database(), cleanup_all => true)")
    workspace.sync()
    assert_published(workspace)
    assert_all_tables_match(workspace, gong)


def test_an_earlier_copy_of_the_lake_is_published_whole(make_gong: MakeGong, workspace: Workspace) -> None:
    """A backup of the lake lacks what was published since, and its next snapshots have numbers that were published."""
    gong = make_gong(calls=40)
    workspace.sync()
    backup = workspace.folder / "backup"
    shutil.copytree(workspace.folder / "lake", backup / "lake")
    for file in workspace.folder.glob("catalog.sqlite*"):
        shutil.copy(file, backup)
    change_calls(gong)
    for _ in range(2):
        workspace.sync(*_ALL_CALLS)

    for file in workspace.folder.glob("catalog.sqlite*"):
        file.unlink()
    shutil.copytree(backup, workspace.folder, dirs_exist_ok=True)
    assert workspace.run("reconcile").code == 0
    assert_published(workspace)


def test_new_columns_and_dropped_tables_follow(gong: SimulatedGong, workspace: Workspace) -> None:
    """A column of the lake becomes one of the Iceberg table; a table without a lake's is dropped."""
    workspace.sync("--select", "calls,transcripts,users")
    workspace.execute("ALTER TABLE gong.calls ADD COLUMN reviewed BOOLEAN")
    workspace.execute("UPDATE gong.calls SET reviewed = true")
    workspace.execute("CREATE TABLE gong.mine AS SELECT 1 AS x")
    workspace.sync("--select", "users")
    assert workspace.rows("SELECT DISTINCT reviewed FROM calls") == [(True,)]
    assert workspace.rows("FROM mine") == [(1,)]

    workspace.execute("ALTER TABLE gong.calls DROP COLUMN reviewed")
    workspace.execute("DROP TABLE gong.mine")
    workspace.sync("--select", "users")
    assert "reviewed" not in workspace.columns("calls")
    assert_published(workspace)


def test_maintain_removes_erased_calls_from_the_files(make_gong: MakeGong, workspace: Workspace) -> None:
    """Nothing of an erased call is in a file of the lake or of the tables; what the views name remains."""
    gong = make_gong(calls=40)
    workspace.sync()
    deleted, *_ = [call for call in public_calls(gong) if call.transcript_json]
    gong.delete_call(deleted.id)
    assert workspace.run("reconcile", "--json").json["erased"] == 1
    assert deleted.id in read_call_ids(workspace)
    assert workspace.run("maintain").code == 0
    assert deleted.id not in read_call_ids(workspace)
    assert_published(workspace)
    snapshots = {name: len(table.snapshots()) for name, table in load_tables(workspace).items()}
    # The command's own row is published after the maintenance.
    assert {name for name, count in snapshots.items() if count > 1} <= {"gong_loads", "gong_runs"}


def test_a_table_that_cannot_be_written_is_one_line(make_gong: MakeGong, workspace: Workspace) -> None:
    """A thread writes the files; its error ends the publication, and the next run repeats it."""
    gong = make_gong(calls=40)
    obstacle = workspace.folder / "iceberg" / "gong" / "call_parties" / "data"
    obstacle.parent.mkdir(parents=True)
    obstacle.touch()
    result = workspace.run("sync")
    assert result.code == 1
    assert len(result.err.strip().splitlines()) == 1, result.err
    assert "was not published to Iceberg" in result.err
    assert load_tables(workspace) == {}

    obstacle.unlink()
    workspace.sync()
    assert_published(workspace)
    assert_all_tables_match(workspace, gong)


@pytest.mark.parametrize(
    ("catalog", "message"),
    [
        ({"type": "rset"}, "destination.iceberg.catalog.type 'rset' is not a catalog of pyiceberg"),
        ({"type": "rest"}, "destination.iceberg.catalog.uri is missing"),
        ({"type": "rest", "uri": "http://127.0.0.1:1"}, "was not published to Iceberg"),
    ],
)
def test_an_invalid_catalog_is_one_line(
    gong: SimulatedGong, workspace: Workspace, catalog: Mapping[str, str], message: str
) -> None:
    """The line names the setting or the reason, and has no traceback."""
    workspace.settings["DESTINATION__ICEBERG__CATALOG"] = json.dumps(catalog)
    result = workspace.run("sync", "--select", "users")
    assert result.code != 0
    assert len(result.err.strip().splitlines()) == 1, result.err
    assert message in result.err


def assert_published(workspace: Workspace) -> None:
    """Assert that each table of the lake has the same rows as its view, and that no other table is published."""
    warehouse = workspace.other_warehouse
    assert isinstance(warehouse, IcebergConnection)
    tables = warehouse.lake.rows(
        "SELECT table_name, string_agg(concat('CAST(\"', column_name, '\" AS VARCHAR)') ORDER BY column_name)"
        " FROM information_schema.columns WHERE table_schema = 'gong' AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\'"
        " AND table_catalog = current_database() GROUP BY ALL"
    )
    published = {f"gong{name}" if name.startswith("_") else name for name, _ in tables}
    assert load_tables(workspace).keys() == published | {"gong_loads"}
    with warehouse.connect(" ".join(name for name, _ in tables)) as views:
        ((database,),) = views.execute("SELECT current_database()").fetchall()
        for name, columns in tables:
            rows = f"SELECT {columns} FROM gong.{name}", f"SELECT {columns} FROM lake_{database}.gong.{name}"
            for some, others in (rows, rows[::-1]):
                assert views.execute(f"{some} EXCEPT ALL {others}").fetchall() == [], name


def open_tables(workspace: Workspace) -> Catalog:
    """Return the catalog as another program opens it."""
    warehouse = workspace.other_warehouse
    assert isinstance(warehouse, IcebergConnection)
    return load_catalog("gong_elt", type="sql", uri=warehouse.catalog_url)


def load_tables(workspace: Workspace) -> dict[str, Any]:
    """Return the tables of the catalog by name."""
    catalog = open_tables(workspace)
    return {name: catalog.load_table(("gong", name)) for _, name in catalog.list_tables("gong")}


def list_snapshots(workspace: Workspace) -> dict[str, int | None]:
    """Return the current snapshot of each table of the catalog."""
    return {name: table.metadata.current_snapshot_id for name, table in load_tables(workspace).items()}


def count_rows(workspace: Workspace) -> list[tuple[Any, ...]]:
    """Return what the views show of calls and sentences."""
    return workspace.rows(
        "SELECT (SELECT md5(string_agg(concat(id, title), '' ORDER BY id)) FROM calls),"
        " (SELECT count(*) FROM call_parties), (SELECT count(*) FROM transcript_sentences)"
    )


def read_call_ids(workspace: Workspace) -> set[str]:
    """Return the calls of all Parquet files of sentences."""
    files = [
        file
        for file in workspace.folder.rglob("*.parquet")
        if "transcript_sentences" in str(file) and not file.stem.endswith("-delete")
    ]
    return {call for file in files for call in pq.read_table(file, columns=["call_id"])["call_id"].to_pylist()}
