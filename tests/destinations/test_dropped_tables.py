"""Tables that a user dropped: the next sync creates and fills them again, other commands name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, respond
from sources.gong import RESOURCES, table_names
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.gong_api import TRANSCRIPT
from tests.support.servers.warehouses import ALL_WAREHOUSES, build_workspace
from tests.support.whole_loads import is_mariadb
from tests.support.workspace import Workspace

pytestmark = pytest.mark.slow

BOOKKEEPING = ("_runs", "_missing_calls", "_uploads", "_media", "_rejected")
DLT = ("_dlt_version", "_dlt_loads", "_dlt_pipeline_state")
LOADED = tuple(dict.fromkeys(table for resource in RESOURCES for table in table_names(resource)))


@pytest.fixture(params=ALL_WAREHOUSES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty warehouse of each kind."""
    return build_workspace(request, tmp_path)


@pytest.mark.parametrize(
    "table",
    ["call_topics", "transcripts", "calls", "library_calls"],
)
def test_a_dropped_table_is_created_and_filled_again(gong: SimulatedGong, workspace: Workspace, table: str) -> None:
    """Calls that are older than the lookback are read again as well, because their rows were dropped, too."""
    workspace.sync()
    before = workspace.count(table)
    workspace.execute(f"DROP TABLE {table}")

    summary = workspace.sync()

    assert summary["status"] == "done"
    assert summary["warning"] == f"{table} missing: created and filled again"
    assert workspace.count(table) == before > 0
    assert_all_tables_match(workspace, gong)
    again = workspace.sync()
    assert again["warning"] is None
    assert sum(resource["rows"] for resource in again["resources"].values()) == 0


@pytest.mark.parametrize("tables", [BOOKKEEPING, *((table,) for table in DLT)], ids=lambda tables: tables[0])
def test_a_dropped_table_of_bookkeeping_is_created_again(
    gong: SimulatedGong, workspace: Workspace, tables: tuple[str, ...]
) -> None:
    """Without its own tables, dlt's included, a sync still loads correctly, and so does the next one."""
    workspace.sync()
    for table in tables:
        workspace.execute(f"DROP TABLE {table}")

    warning = workspace.sync()["warning"]
    assert [table for table in tables if table not in warning] == []
    assert_all_tables_match(workspace, gong)
    again = workspace.sync()
    assert (again["status"], again["warning"]) == ("done", None)
    assert_all_tables_match(workspace, gong)
    assert workspace.run("reconcile", "--json").json["status"] == "done"


def test_all_tables_can_be_dropped_one_by_one(gong: SimulatedGong, workspace: Workspace) -> None:
    """Every table of the default resources is created again, not only those with call content."""
    workspace.sync()
    for table in LOADED:
        workspace.execute(f"DROP TABLE {table}")

    assert workspace.sync()["status"] == "done"
    assert_all_tables_match(workspace, gong)


def test_a_dropped_opt_in_table_is_filled_again(gong: SimulatedGong, workspace: Workspace) -> None:
    """A resource that was selected once is read again by a sync that does not select it."""
    workspace.sync("--select", "calls,transcripts,flows,user_activity_daily")
    before = {table: workspace.count(table) for table in ("flows", "user_activity_daily")}
    for table in before:
        workspace.execute(f"DROP TABLE {table}")

    summary = workspace.sync("--select", "calls")

    assert {"flows", "user_activity_daily"} <= summary["resources"].keys()
    assert {table: workspace.count(table) for table in before} == before


def test_an_interrupted_refill_is_reported_until_it_is_complete(gong: SimulatedGong, workspace: Workspace) -> None:
    """A table that is only filled in part must not look complete."""
    workspace.sync()
    workspace.execute("DROP TABLE call_topics")
    gong.faults.append(Fault(respond(500), TRANSCRIPT))
    workspace.sync(code=1)
    gong.faults.clear()

    warning = workspace.sync()["warning"]
    assert "rows of calls from" in warning
    since = warning.rpartition(" ")[2]
    assert workspace.sync("--since", since)["warning"] is None
    assert_warehouse_matches(workspace, gong)
    assert workspace.sync()["warning"] is None


def test_other_commands_name_the_dropped_table(gong: SimulatedGong, workspace: Workspace) -> None:
    """A message of the database alone has no remedy."""
    workspace.sync()
    workspace.execute("DROP TABLE call_topics")
    # There are no marts in MariaDB.
    for command in ("reconcile", "download-media", *([] if is_mariadb(workspace) else ["models"])):
        ended = workspace.run(command)
        assert (ended.code, ended.err.count("\n")) == (2, 1), ended
        assert "gong.call_topics missing" in ended.err
        assert "run gong-elt sync" in ended.err

    workspace.execute("DROP TABLE transcripts")
    ended = workspace.run("status")
    assert (ended.code, ended.err.count("\n")) == (1, 1), ended
    assert "transcripts" in ended.err
    assert "gong-elt sync creates missing tables again" in ended.err


def test_a_window_that_ends_in_the_past_does_not_refill(make_gong: MakeGong, workspace: Workspace) -> None:
    """Rows of later calls would stay missing, so the run is refused with the command that fills the table."""
    gong = make_gong(calls=20)
    workspace.sync()
    workspace.execute("DROP TABLE call_topics")
    requests = len(gong.requests)

    ended = workspace.run("sync", "--since", "2020-01-01", "--until", "2021-01-01")

    assert ended.code == 2
    assert "gong.call_topics missing" in ended.err
    assert len(gong.requests) == requests
    assert len(public_calls(gong)) == workspace.count("calls")
