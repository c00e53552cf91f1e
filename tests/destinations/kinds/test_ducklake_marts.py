"""Marts on DuckLake have the rows of those in DuckDB, and the commands that read marts work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import build_recent_gong
from tests.support.marts import (
    assert_commands_read_the_same,
    assert_marts_are_equal,
    assert_marts_follow_changes,
    build_models,
    sync_company,
)
from tests.support.servers.warehouses import LAKES, build_workspace
from tests.support.workspace import Workspace

pytestmark = pytest.mark.ducklake


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
        assert_marts_follow_changes(workspace, reference, gong)
