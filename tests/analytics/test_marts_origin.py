"""Marts belong to the dataset from which they were built: no other one replaces, reads or erases them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.serving import serve
from tests.support.companies import build_recent_gong, public_calls
from tests.support.marts import build_models, export_transcripts
from tests.support.servers.warehouses import WAREHOUSES, build_workspace
from tests.support.workspace import Workspace

pytestmark = pytest.mark.slow

EMEA = ("--connection", "emea", "--dataset", "gong_emea")
GUARDED = (
    "models",
    "search price",
    "report",
    "show 1",
    "export transcripts",
    "export accounts --to files",
    "superset",
    "notebook",
)


@pytest.fixture(params=WAREHOUSES)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with an empty warehouse of each kind."""
    return build_workspace(request, tmp_path)


@pytest.fixture
def accounts(workspace: Workspace) -> Iterator[tuple[SimulatedGong, SimulatedGong]]:
    """Load two companies as two connections into two datasets of one warehouse."""
    with ExitStack() as servers:
        main, emea = build_recent_gong(calls=12, days=6, seed=1), build_recent_gong(calls=8, days=6, seed=2)
        workspace.configure(
            base_url=servers.enter_context(serve(main.app)),
            emea__base_url=servers.enter_context(serve(emea.app)),
            emea__credentials__access_token="demo-token",
        )
        workspace.sync()
        workspace.sync(*EMEA)
        yield main, emea


def ids(gong: SimulatedGong) -> set[str]:
    """Return the ids of a company's public calls."""
    return {call.id for call in public_calls(gong)}


def marts_of(workspace: Workspace, dataset: str) -> set[str]:
    """Return the ids of the calls in the marts of a dataset."""
    return {call for (call,) in workspace.rows(f"SELECT call_id FROM {dataset}.calls_enriched")}


def test_marts_of_two_accounts_do_not_replace_each_other(
    workspace: Workspace, accounts: tuple[SimulatedGong, SimulatedGong]
) -> None:
    """One company's words must not appear under the name of another one, in any command."""
    main, emea = accounts
    build_models(workspace)
    assert build_models(workspace, *EMEA)["analytics"] == "gong_emea_analytics"
    assert marts_of(workspace, "gong_analytics") == ids(main)
    assert marts_of(workspace, "gong_emea_analytics") == ids(emea)

    for command in GUARDED:
        ended = workspace.run(*command.split(), *EMEA, "--analytics", "gong_analytics")
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended
        assert "gong_analytics has the marts of dataset gong, not of gong_emea" in ended.err
        assert "use --analytics gong_emea_analytics" in ended.err
    assert marts_of(workspace, "gong_analytics") == ids(main)

    exported = {line["call_id"] for line in export_transcripts(workspace, *EMEA)}
    assert exported
    assert exported <= ids(emea)


@pytest.mark.parametrize("workspace", ["postgres"], indirect=True)
def test_reconcile_erases_from_all_marts_of_the_warehouse(
    workspace: Workspace, accounts: tuple[SimulatedGong, SimulatedGong]
) -> None:
    """Erasure reaches marts under any name, and no other call."""
    main, emea = accounts
    build_models(workspace)
    build_models(workspace, "--analytics", "bi")
    build_models(workspace, *EMEA)
    deleted = public_calls(main)[0]
    main.delete_call(deleted.id)

    assert workspace.run("reconcile", "--force", "--json").json["erased"] == 1

    for dataset in ("gong_analytics", "bi"):
        assert marts_of(workspace, dataset) == ids(main)
    assert marts_of(workspace, "gong_emea_analytics") == ids(emea)


@pytest.mark.parametrize("workspace", ["duckdb"], indirect=True)
def test_marts_without_a_record_belong_to_the_dataset_of_their_views(
    workspace: Workspace, accounts: tuple[SimulatedGong, SimulatedGong]
) -> None:
    """Marts of an earlier version are used and built again, but not by another account."""
    main, _ = accounts
    build_models(workspace)
    workspace.execute("DROP TABLE gong_analytics._marts")

    ended = workspace.run("models", *EMEA, "--analytics", "gong_analytics")
    assert ended.code == 2
    assert "has the marts of dataset gong, not of gong_emea" in ended.err
    assert {line["call_id"] for line in export_transcripts(workspace)} <= ids(main)

    deleted = public_calls(main)[0]
    main.delete_call(deleted.id)
    assert workspace.run("reconcile", "--force", "--json").json["erased"] == 1
    assert deleted.id not in marts_of(workspace, "gong_analytics")
    build_models(workspace)
    assert workspace.rows("SELECT dataset, connection FROM gong_analytics._marts") == [("gong", "gong")]


def test_tables_of_another_program_are_not_replaced_by_marts(workspace: Workspace) -> None:
    """Dbt drops any relation that has the name of a model."""
    gong = build_recent_gong(calls=6, days=3)
    with serve(gong.app) as base_url:
        workspace.configure(base_url=base_url)
        workspace.sync()
    workspace.execute("CREATE SCHEMA bi")
    workspace.execute("CREATE TABLE bi.rep_week (own integer)")

    ended = workspace.run("models", "--analytics", "bi")

    assert ended.code == 2
    assert "has tables that gong-elt did not build and would replace (rep_week)" in ended.err
    assert workspace.rows("SELECT * FROM bi.rep_week") == []


def test_a_dataset_that_differs_only_in_case_is_refused(workspace: Workspace) -> None:
    """DuckDB and dbt cannot distinguish the two."""
    gong = build_recent_gong(calls=6, days=3)
    with serve(gong.app) as base_url:
        workspace.configure(base_url=base_url)
        workspace.sync()
    workspace.execute('CREATE SCHEMA "Gong_Analytics"')

    ended = workspace.run("models")

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "differs only in case from the existing dataset 'Gong_Analytics'" in ended.err
