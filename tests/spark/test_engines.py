"""Engines that read the published Iceberg tables find the same rows and sums."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spark.engines import ENGINES, TABLES, run_engine
from tests.spark.spark_marts import SparkWorkspace
from tests.support.companies import build_recent_gong, public_calls
from tests.support.marts import sync_company
from tests.support.servers.iceberg import IcebergConnection
from tests.support.workspace import days_ago

pytestmark = pytest.mark.spark


def test_engines_read_equal_sums(workspace: SparkWorkspace) -> None:
    """Spark, chDB, Polars and DuckDB read what the lake has, also after calls were changed and deleted."""
    gong = build_recent_gong(calls=30, days=10)
    with sync_company(workspace, gong):
        edited, shortened, deleted = [call for call in public_calls(gong) if call.transcript_json][:3]
        gong.edit_call(edited.id, title="Renamed")
        gong.replace_transcript(shortened.id, (shortened.transcript or [])[:1])
        gong.delete_call(deleted.id)
        workspace.sync("--since", days_ago(20))
        assert workspace.run("reconcile", "--force").code == 0
    warehouse = workspace.warehouse
    assert isinstance(warehouse, IcebergConnection)
    expected = {}
    for table, (call_id, number) in TABLES.items():
        (row,) = warehouse.lake.rows(f"SELECT count(*), count(DISTINCT {call_id}), sum({number}) FROM gong.{table}")
        expected[table] = [int(value) for value in row]
    assert all(min(sums) > 0 for sums in expected.values())
    for engine in ENGINES:
        assert run_engine(engine, workspace.folder, workspace.environment).sums == expected, engine


@pytest.mark.usefixtures("workspace")
def test_spark_refuses_a_catalog_in_sqlite(tmp_path: Path) -> None:
    """There is no driver of SQLite for Java; the message names the setting."""
    ended = SparkWorkspace(tmp_path, other_warehouse=IcebergConnection(tmp_path)).run("models")
    assert ended.code == 2
    assert ended.err.strip().endswith("set destination.iceberg.credentials.catalog to the URL of a PostgreSQL database")
