"""The marts that Spark builds have the rows of those in DuckDB, and follow changes as those do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.spark.spark_marts import SparkMarts, SparkWorkspace
from tests.support.companies import build_recent_gong, public_calls
from tests.support.marts import assert_marts_are_equal, build_models, sync_company
from tests.support.workspace import Workspace, days_ago

pytestmark = pytest.mark.spark

_OF_SENTENCES = ("transcript_lines", "speaker_turns", "transcript_chunks")


def test_marts_of_spark_have_the_rows_of_those_in_duckdb(workspace: SparkWorkspace, tmp_path: Path) -> None:
    """All models pass their tests, at first and in an incremental build after every kind of change.

    A table of another program is not replaced. Text of deleted calls is in no file after `maintain`.
    """
    gong = build_recent_gong(calls=30, days=10)
    (tmp_path / "duckdb").mkdir()
    reference = Workspace(tmp_path / "duckdb")
    with sync_company(workspace, gong), sync_company(reference, gong):
        _assert_other_tables_are_kept(workspace)
        for place in (workspace, reference):
            built = build_models(place)
            assert built["failed"] == []
            assert built["tests"] > 80
        assert_marts_are_equal(workspace, reference)

        added, erased = _change(gong)
        for place in (workspace, reference):
            place.sync("--since", days_ago(20))
            assert place.run("reconcile", "--force").code == 0
            assert build_models(place)["failed"] == []
        assert_marts_are_equal(workspace, reference)

    for mart in _OF_SENTENCES:
        call_ids = {call for (call,) in workspace.rows(f"SELECT call_id FROM gong_analytics.{mart}")}
        assert added in call_ids, mart
        assert not call_ids & erased, mart
    _assert_maintenance_removes_files(workspace, reference, erased)


def _assert_other_tables_are_kept(workspace: SparkWorkspace) -> None:
    assert isinstance(workspace.warehouse, SparkMarts)
    catalog = workspace.warehouse.catalog
    catalog.create_namespace("bi")
    catalog.create_table(("bi", "rep_week"), pa.schema([("own", pa.int64())]))
    ended = workspace.run("models", "--analytics", "bi")
    assert ended.code == 2
    assert ended.err.strip() == (
        "gong-elt: Iceberg tables would be replaced that are no marts of dataset gong (bi.rep_week): use another"
        " --analytics, or rename them"
    )


def _assert_maintenance_removes_files(workspace: SparkWorkspace, reference: Workspace, erased: set[str]) -> None:
    """Assert that no file of the marts has a call's id after `maintain`, and that the marts keep their rows."""
    folder = workspace.folder / "iceberg" / "gong_analytics" / "transcript_lines"
    assert _call_ids(folder) & erased
    workspace.settings["DESTINATION__ICEBERG__SNAPSHOT_RETENTION"] = "0s"
    ended = workspace.run("maintain", "--json")
    assert ended.code == 0, ended.err
    assert not _call_ids(folder) & erased
    assert_marts_are_equal(workspace, reference)


def _call_ids(folder: Path) -> set[str]:
    """Return the ids of calls in the data files of a table."""
    return {call for file in folder.rglob("*.parquet") for call in pq.read_table(file)["call_id"].to_pylist()}


def _change(gong: SimulatedGong) -> tuple[str, set[str]]:
    """Change calls in every way; return the id of a new one, and the ids of those that leave all marts of sentences."""
    transcribed = [call for call in public_calls(gong) if call.transcript_json]
    renamed, hidden, shortened, deleted, emptied, copied = transcribed[:6]
    for party in renamed.record["parties"]:
        party["name"] = "Renamed Person"
    gong.replace_call(renamed.id, renamed.record)
    gong.edit_call(hidden.id, isPrivate=True)
    gong.replace_transcript(shortened.id, (shortened.transcript or [])[:2])
    gong.delete_call(deleted.id)
    gong.replace_transcript(emptied.id, [])
    # A path of three folders, and two folders that are each other's parents.
    _, second, third, *_, first_of_cycle, second_of_cycle = (entry.folder for entry in gong.company.folders)
    third["parentFolderId"] = second["id"]
    first_of_cycle["parentFolderId"], second_of_cycle["parentFolderId"] = second_of_cycle["id"], first_of_cycle["id"]
    started = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    meta = {**copied.record["metaData"], "id": "9000000000000000001", "started": started, "scheduled": started}
    gong.add_call({**copied.record, "metaData": meta}, msgspec.json.decode(copied.transcript_json or b"[]"))
    return meta["id"], {hidden.id, deleted.id, emptied.id}
