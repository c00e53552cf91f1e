"""Datasets: names that work, several in one warehouse, and tables of other programs beside or inside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.servers.warehouses import ALL_WAREHOUSES, build_workspace
from tests.support.workspace import Workspace

FOREIGN = ("calls", "users", "transcripts", "_runs", "_rejected", "_dlt_loads", "_dlt_version")


@pytest.fixture(params=ALL_WAREHOUSES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty warehouse of each kind."""
    return build_workspace(request, tmp_path)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("My Data", "use my_data"),
        ("Ünï", "use _nx"),
        (" gong", "use gong"),
        ("gong ", "use gong"),
        ("Gong", "use gong"),
        ("gong__emea", "use gong_emea"),
        ("gong-emea", "use gong_emea"),
        ("", "use gong"),
        (" ", "use gong"),
        ("a/../b", "use a_b"),
        ("information_schema", "is reserved"),
        ("pg_catalog", "is reserved"),
        ("pg_gong", "is reserved"),
        ("g" * 64, "has 64 characters"),
    ],
)
def test_a_dataset_name_that_dlt_would_change_is_refused(workspace: Workspace, name: str, advice: str) -> None:
    """Commands would disagree on the dataset: dlt changes the name, and dbt does not."""
    ended = workspace.run("status", "--dataset", name)

    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended
    assert advice in ended.err
    assert "--dataset" in ended.err
    assert list(workspace.folder.iterdir()) == []


def test_every_command_refuses_such_a_name(gong: SimulatedGong, workspace: Workspace) -> None:
    """The name is checked before anything is opened or requested."""
    commands = ("sync", "check", "reconcile", "models", "search price", "report")
    for command in commands:
        for option in ("--dataset", "--analytics") if commands.index(command) > 2 else ("--dataset",):
            ended = workspace.run(*command.split(), option, "My Data")

            assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended
            assert "use my_data" in ended.err
            assert option in ended.err
    assert gong.requests == []
    assert list(workspace.folder.iterdir()) == []


def test_own_tables_in_the_default_schema_are_left_alone(gong: SimulatedGong, workspace: Workspace) -> None:
    """Names without a schema would lead to the user's own tables, where the dataset has none yet."""
    schema = "public" if workspace.postgres else "main"
    for name in ("gong", schema):
        workspace.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
    for table in FOREIGN:
        workspace.execute(f"CREATE TABLE {schema}.{table} (own integer)")
        workspace.execute(f"INSERT INTO {schema}.{table} VALUES (7)")

    assert workspace.run("status", "--json").json["loaded"] is False
    workspace.sync()
    assert_warehouse_matches(workspace, gong)
    assert workspace.sync()["calls"] == 0
    assert workspace.run("status", "--json").json["contents"]["calls"] == len(public_calls(gong))
    gong.delete_call(public_calls(gong)[0].id)
    assert workspace.run("reconcile", "--json").json["erased"] == 1
    assert [workspace.rows(f"SELECT * FROM {schema}.{table}") for table in FOREIGN] == [[(7,)]] * len(FOREIGN)


@pytest.mark.parametrize("first", ["default schema", pytest.param("emea", marks=pytest.mark.slow)])
def test_a_second_dataset_is_loaded_beside_the_first(gong: SimulatedGong, workspace: Workspace, first: str) -> None:
    """Tables of one dataset, also of the default schema, are not taken for those of another one."""
    if first == "default schema":
        first = "public" if workspace.postgres else "main"
    workspace.sync("--dataset", first)
    workspace.sync()
    assert_warehouse_matches(workspace, gong)

    for dataset in (first, "gong"):
        assert workspace.sync("--dataset", dataset)["calls"] == 0
        contents = workspace.run("status", "--json", "--dataset", dataset).json["contents"]
        assert contents["calls"] == len(public_calls(gong))


@pytest.mark.parametrize("table", ["calls", "users", "_runs"])
def test_a_dataset_with_tables_of_another_program_is_refused(
    gong: SimulatedGong, workspace: Workspace, table: str
) -> None:
    """A load would add columns and rows to a table that happens to have one of our names."""
    workspace.execute("CREATE SCHEMA IF NOT EXISTS gong")
    workspace.execute(f"CREATE TABLE gong.{table} (own integer)")
    workspace.execute(f"INSERT INTO gong.{table} VALUES (7)")

    for command in ("sync", "status", "reconcile"):
        ended = workspace.run(command)
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended
        assert f"has tables that gong-elt did not create ({table})" in ended.err
    assert workspace.rows(f"SELECT * FROM gong.{table}") == [(7,)]
    assert gong.requests == []
