"""Marts on DuckLake have the rows of those in DuckDB, and the commands that read marts work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import build_recent_gong
from tests.support.marts import (
    assert_commands_read_the_same,
    assert_marts_are_equal,
    assert_marts_follow_changes,
    build_models,
    sync_company,
)
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.postgres import PASSWORD
from tests.support.servers.warehouses import LAKES, build_workspace
from tests.support.workspace import Workspace

pytestmark = pytest.mark.ducklake

# Opens the lake as duckdb-engine does.
_SUPERSET = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], **json.loads(sys.argv[2]))
print(*connection.execute("SELECT count(*) FROM gong_analytics.calls_enriched").fetchone())
"""


@pytest.fixture(params=LAKES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with a lake of each kind."""
    return build_workspace(request, tmp_path)


@pytest.fixture
def gong() -> SimulatedGong:
    """Return a small company."""
    return build_recent_gong(calls=30, days=10)


@pytest.fixture
def reference(gong: SimulatedGong, tmp_path: Path) -> Iterator[Workspace]:
    """Load the same company into DuckDB and build its marts."""
    (tmp_path / "duckdb").mkdir()
    with sync_company(Workspace(tmp_path / "duckdb"), gong) as place:
        build_models(place)
        yield place


def test_marts_have_the_rows_of_those_in_duckdb(
    gong: SimulatedGong, workspace: Workspace, reference: Workspace
) -> None:
    """All models build, and after a change an incremental build and an erasure give the same rows, too."""
    with sync_company(workspace, gong):
        assert build_models(workspace)["failed"] == []
        assert_marts_are_equal(workspace, reference)
        assert_commands_read_the_same(workspace, reference)
        assert_superset_reads_the_marts(workspace)
        assert_marts_follow_changes(workspace, reference, gong)


def assert_superset_reads_the_marts(workspace: Workspace) -> None:
    """Assert that the address in Superset's file is right, in a process whose DuckDB was prepared as documented."""
    assert isinstance(workspace.warehouse, DuckLakeConnection)
    home = workspace.folder / "superset"
    workspace.warehouse.prepare_reader(home)
    result = workspace.run("superset", "--to", str(home / "superset.zip"))
    assert result.code == 0, result.err
    assert ("DuckDB secret gong_lake" in result.out) == bool(workspace.warehouse.postgres)
    with ZipFile(home / "superset.zip") as bundle:
        text = bundle.read("gong-elt/databases/gong.yaml").decode()
    assert PASSWORD not in text
    database = yaml.safe_load(text)
    path = database["sqlalchemy_uri"].removeprefix("duckdb:///")
    arguments = [path, json.dumps(database["extra"]["engine_params"]["connect_args"])]
    read = subprocess.run(
        [sys.executable, "-c", _SUPERSET, *arguments],
        env={"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert read.stdout.split() == [str(workspace.rows("SELECT count(*) FROM gong_analytics.calls_enriched")[0][0])]
