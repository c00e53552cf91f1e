"""The marts in emulated warehouses have the rows of the marts in DuckDB, and follow changes as those do."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipelines.demo.server.app import SimulatedGong
from tests.conformance.promises import promise
from tests.support.companies import build_recent_gong
from tests.support.marts import (
    assert_commands_read_the_same,
    assert_marts_are_equal,
    assert_marts_follow_changes,
    build_models,
    sync_company,
)
from tests.support.workspace import Workspace

pytestmark = pytest.mark.emulator


@pytest.fixture
def reference(gong: SimulatedGong, tmp_path: Path) -> Iterator[Workspace]:
    """Load the same company into DuckDB and build its marts."""
    (tmp_path / "duckdb").mkdir()
    with sync_company(Workspace(tmp_path / "duckdb"), gong) as place:
        build_models(place)
        yield place


@pytest.fixture
def gong() -> SimulatedGong:
    """Return a small company."""
    return build_recent_gong(calls=30, days=10)


@promise("models")
def test_marts_have_the_rows_of_those_in_duckdb(
    gong: SimulatedGong, workspace: Workspace, reference: Workspace
) -> None:
    """All models build, and after a change an incremental build and an erasure give the same rows, too."""
    with sync_company(workspace, gong):
        assert build_models(workspace)["failed"] == []
        assert_marts_are_equal(workspace, reference)
        assert_commands_read_the_same(workspace, reference)
        _assert_dashboards_are_equal(workspace, reference)
        assert_marts_follow_changes(workspace, reference, gong)


def test_tables_of_another_program_are_not_replaced_by_marts(gong: SimulatedGong, workspace: Workspace) -> None:
    """Dbt drops any relation that has the name of a model."""
    with sync_company(workspace, gong):
        workspace.execute("CREATE SCHEMA bi")
        workspace.execute("CREATE TABLE bi.rep_week AS SELECT 1 AS own")
        ended = workspace.run("models", "--analytics", "bi")
    assert ended.code == 2
    assert "has tables that gong-elt did not build and would replace (rep_week)" in ended.err
    assert workspace.rows("SELECT own FROM bi.rep_week") == [(1,)]


def _assert_dashboards_are_equal(place: Workspace, reference: Workspace) -> None:
    dashboard = place.run("superset", "--json")
    assert dashboard.code == reference.run("superset").code == 0, dashboard.err
    assert dashboard.json["uri"].startswith(f"{place.warehouse.destination}://")
    assert _dashboard_columns(place) == _dashboard_columns(reference)


def _dashboard_columns(place: Workspace) -> dict[str, list[str]]:
    """Return the columns of each dataset of Superset's file."""
    with zipfile.ZipFile(place.folder / "gong-superset.zip") as file:
        names = [name for name in file.namelist() if "/datasets/" in name]
        datasets = [yaml.safe_load(file.read(name)) for name in names]
    return {dataset["table_name"]: [column["column_name"] for column in dataset["columns"]] for dataset in datasets}
