"""`gong-elt maintain` on DuckLake: few files, and nothing of erased calls in files, snapshots and the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.warehouses import LAKES, build_workspace
from tests.support.workspace import Workspace

pytestmark = pytest.mark.ducklake

_ALL_CALLS = ("--since", "2020-01-01")
_ERASED = "zzz-erased-words"


@pytest.fixture(params=LAKES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with a lake of each kind."""
    return build_workspace(request, tmp_path)


def test_erased_calls_are_gone_from_files_and_catalog(make_gong: MakeGong, workspace: Workspace) -> None:
    """One call was loaded with all others, into files, and another one alone, into the catalog."""
    gong = make_gong(calls=40)
    many, single = [call for call in public_calls(gong) if call.transcript_json][:2]
    gong.edit_call(many.id, title=f"{_ERASED} 1")
    workspace.sync()
    gong.edit_call(single.id, title=f"{_ERASED} 2")
    workspace.sync(*_ALL_CALLS)
    for call in (many, single):
        gong.delete_call(call.id)
    assert workspace.run("reconcile", "--force", "--json").json["erased"] == 2
    assert _ERASED in "".join(_stored_texts(workspace))

    result = workspace.run("maintain", "--json")
    assert result.code == 0, result.err
    assert _ERASED not in "".join(_stored_texts(workspace))
    assert len(_snapshots(workspace)) <= 3
    assert_warehouse_matches(workspace, gong)
    assert workspace.sync(*_ALL_CALLS)["calls"] == 0


def test_files_of_many_loads_are_merged(make_gong: MakeGong, workspace: Workspace) -> None:
    """Each load adds files; afterwards a table has one, or one per month."""
    gong = make_gong(calls=60)
    for number in range(3):
        for call in public_calls(gong)[number::3]:
            gong.edit_call(call.id, title=f"Renamed {number}")
        workspace.sync(*_ALL_CALLS)

    result = workspace.run("maintain", "--json").json
    assert result["files_after"] < result["files_before"] / 1.5
    assert result["files_after"] == len(list((workspace.folder / "lake").rglob("*.parquet")))
    files = "SELECT table_name, file_count, delete_file_count FROM ducklake_table_info(current_database())"
    ((months,),) = workspace.rows("SELECT count(DISTINCT _call_month) FROM gong.calls")
    for table, count, delete_count in workspace.rows(files):
        is_partitioned = table == "transcript_sentences"
        assert (count, delete_count) in ([(months, 0)] if is_partitioned else [(0, 0), (1, 0)])
    assert_all_tables_match(workspace, gong)


def test_what_a_query_may_still_read_is_kept(make_gong: MakeGong, workspace: Workspace) -> None:
    """Within the retention, files that were replaced and earlier snapshots stay."""
    workspace.settings["DESTINATION__DUCKLAKE__SNAPSHOT_RETENTION"] = "1h"
    gong = make_gong(calls=30)
    workspace.sync()
    for call in public_calls(gong)[::2]:
        gong.delete_call(call.id)
    workspace.run("reconcile", "--force")
    files = set((workspace.folder / "lake").rglob("*.parquet"))
    snapshots = _snapshots(workspace)

    assert workspace.run("maintain").code == 0
    assert files <= set((workspace.folder / "lake").rglob("*.parquet"))
    assert set(snapshots) <= set(_snapshots(workspace))
    assert_warehouse_matches(workspace, gong)


def _snapshots(workspace: Workspace) -> list[int]:
    rows = workspace.rows("SELECT snapshot_id FROM ducklake_snapshots(current_database()) ORDER BY snapshot_id")
    return [snapshot for (snapshot,) in rows]


def _stored_texts(workspace: Workspace) -> Iterator[str]:
    """Yield all rows of all Parquet files, whether a snapshot names them or not, and the content of the catalog."""
    lake = workspace.warehouse
    assert isinstance(lake, DuckLakeConnection)
    for file in (workspace.folder / "lake").rglob("*.parquet"):
        yield from (str(row) for row in lake.rows("SELECT * FROM read_parquet(?)", [str(file)]))
    if lake.postgres is None:
        for file in workspace.folder.glob("catalog.sqlite*"):
            yield file.read_bytes().decode("latin-1")
        return
    with closing(psycopg2.connect(lake.postgres)) as catalog, catalog.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'ducklake'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT * FROM ducklake."{table}"')
            yield from (
                str([bytes(value) if isinstance(value, memoryview) else value for value in row])
                for row in cursor.fetchall()
            )
