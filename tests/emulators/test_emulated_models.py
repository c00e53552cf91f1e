"""The marts in emulated warehouses have the rows of the marts in DuckDB, and follow changes as those do."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.analytics.dbt_build import PROJECT
from pipelines.demo.server.app import SimulatedGong
from tests.conformance.promises import promise
from tests.support.companies import build_recent_gong, public_calls
from tests.support.marts import build_models, round_figure, sync_company
from tests.support.workspace import Workspace

pytestmark = pytest.mark.emulator

# Columns with the time of a load, which differs between two warehouses.
_LOAD_TIMES = ("_synced_at", "_synced_epoch_ms")


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
        _assert_marts_are_equal(workspace, reference)
        _assert_commands_read_the_same(workspace, reference)

        edited, deleted = [call for call in public_calls(gong) if call.transcript_json][:2]
        gong.edit_call(edited.id, title="Renamed")
        gong.delete_call(deleted.id)
        for place in (workspace, reference):
            place.configure(base_url=workspace.settings["SOURCES__GONG__BASE_URL"])
            place.sync("--select", "calls,transcripts", "--since", "2020-01-01")
            assert place.run("reconcile", "--force").code == 0
            call_ids = {call for (call,) in place.rows("SELECT call_id FROM gong_analytics.transcript_lines")}
            assert deleted.id not in call_ids
            assert edited.id in call_ids
        assert build_models(workspace)["failed"] == []
        assert build_models(reference)["failed"] == []
        _assert_marts_are_equal(workspace, reference)


def test_tables_of_another_program_are_not_replaced_by_marts(gong: SimulatedGong, workspace: Workspace) -> None:
    """Dbt drops any relation that has the name of a model."""
    with sync_company(workspace, gong):
        workspace.execute("CREATE SCHEMA bi")
        workspace.execute("CREATE TABLE bi.rep_week AS SELECT 1 AS own")
        ended = workspace.run("models", "--analytics", "bi")
    assert ended.code == 2
    assert "has tables that gong-elt did not build and would replace (rep_week)" in ended.err
    assert workspace.rows("SELECT own FROM bi.rep_week") == [(1,)]


def _assert_commands_read_the_same(place: Workspace, reference: Workspace) -> None:
    exported, expected = (sorted(each.run("export", "transcripts").out.splitlines()) for each in (place, reference))
    assert exported == expected
    assert len(exported) > 10
    # Hits with the same score have no order.
    found, expected_count = (each.run("search", "price", "--json").json["count"] for each in (place, reference))
    assert found == expected_count > 1
    assert place.run("report").code == 0
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


def _assert_marts_are_equal(place: Workspace, reference: Workspace) -> None:
    marts = {file.stem for file in (PROJECT / "marts").glob("*.sql")}
    assert len(marts) > 10
    for mart in sorted(marts):
        names = reference.rows(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'gong_analytics' AND table_name = ?",
            [mart],
        )
        columns = ", ".join(name for (name,) in names if name not in _LOAD_TIMES)
        built, expected = (
            sorted(
                str([_plain(value) for value in row])
                for row in each.rows(f"SELECT {columns} FROM gong_analytics.{mart}")
            )
            for each in (place, reference)
        )
        assert built == expected, mart


def _plain(value: Any) -> Any:
    """Return a value in the form that both warehouses share."""
    if isinstance(value, Decimal | float):
        return round_figure(float(value))
    return value.astimezone(UTC) if isinstance(value, datetime) else value
