"""Settings that change between runs: what became wider is backfilled, what became narrower is removed or reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE
from tests.support.workspace import Workspace, days_ago

CALLS = ("--select", "calls,transcripts")


def call_ids(workspace: Workspace, condition: str = "true") -> set[str]:
    """Return the ids of the calls in the warehouse that meet a condition."""
    return {call_id for (call_id,) in workspace.rows(f"SELECT id FROM calls WHERE {condition}")}


def private_ids(gong: SimulatedGong) -> set[str]:
    """Return the ids of Gong's private calls."""
    return {call.id for call in gong.list_calls()} - {call.id for call in public_calls(gong)}


def test_an_earlier_start_date_is_backfilled(gong: SimulatedGong, workspace: Workspace) -> None:
    """The next run reads what lies before, says so, and the run after it nothing."""
    workspace.configure(start_date=days_ago(6))
    assert workspace.sync()["calls"] < len(public_calls(gong))

    workspace.configure(start_date=days_ago(40))
    planned = json.loads(workspace.run("sync", "--plan", "--json", *CALLS).out)
    assert planned["since"] < days_ago(39)
    summary = workspace.sync()
    assert "read calls since" in summary["warning"]
    assert_warehouse_matches(workspace, gong)

    again = workspace.sync()
    assert (again["warning"], again["calls"], again["resources"]["calls"]["rows"]) == (None, 0, 0)


def test_a_start_date_that_is_removed_is_an_earlier_one(gong: SimulatedGong, workspace: Workspace) -> None:
    """The default start is 365 days ago."""
    workspace.configure(start_date=days_ago(6))
    workspace.sync(*CALLS)
    del workspace.settings["SOURCES__GONG__START_DATE"]
    workspace.sync(*CALLS)
    assert_warehouse_matches(workspace, gong)


@pytest.mark.parametrize("setting", ["workspace_id", "primary_user_ids", "call_ids"])
def test_a_filter_that_is_lifted_is_backfilled(gong: SimulatedGong, workspace: Workspace, setting: str) -> None:
    """Calls that a filter held back are read once it is gone."""
    call = min(public_calls(gong), key=lambda call: call.record["metaData"]["started"])
    value: Any = {
        "workspace_id": call.record["metaData"]["workspaceId"],
        "primary_user_ids": [call.record["metaData"]["primaryUserId"]],
        "call_ids": [call.id],
    }[setting]
    workspace.configure(**{setting: value})
    assert 0 < workspace.sync()["calls"] < len(public_calls(gong))

    del workspace.settings[f"SOURCES__GONG__{setting.upper()}"]
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


@pytest.mark.slow
def test_a_backfill_that_the_quota_stops_continues(make_gong: MakeGong, workspace: Workspace) -> None:
    """New calls come first; the backfill goes on where it ended, over several runs."""
    gong = make_gong(calls=900, days=60)
    workspace.configure(start_date=days_ago(2))
    requests = workspace.sync(*CALLS)["requests"]
    workspace.configure(start_date=days_ago(80))
    for allowance in [8] * 8:
        requests += allowance
        workspace.configure(requests_per_day=requests)
        result = workspace.run("sync", "--json", *CALLS)
        requests = requests - allowance + json.loads(result.out)["requests"]
        if result.code == 0:
            break
        assert result.code == 3
    assert result.code == 0
    assert_warehouse_matches(workspace, gong)
    begins = [request.body["filter"]["fromDateTime"] for request in gong.requests if request.path == EXTENSIVE]
    backfills = [begin for begin in begins if begin < days_ago(4)]
    assert backfills == sorted(backfills)
    assert len(set(backfills)) >= 3


def test_what_became_narrower_is_reported_once(gong: SimulatedGong, workspace: Workspace) -> None:
    """Calls outside of the new filters stay, and the run says that they are no longer updated."""
    workspace.sync(*CALLS)
    before = call_ids(workspace)
    workspace.configure(start_date=days_ago(5), workspace_id=public_calls(gong)[0].record["metaData"]["workspaceId"])

    summary = workspace.sync(*CALLS)
    assert "workspace_id" in summary["warning"]
    assert "start_date" in summary["warning"]
    assert call_ids(workspace) == before
    assert workspace.sync(*CALLS)["warning"] is None


def test_private_calls_that_are_excluded_again_leave_the_warehouse(gong: SimulatedGong, workspace: Workspace) -> None:
    """Nothing of them stays, and the run says how many there were."""
    workspace.configure(private_calls="include")
    workspace.sync()
    private = private_ids(gong)
    assert private <= call_ids(workspace)

    workspace.configure(private_calls="exclude")
    summary = workspace.sync()
    assert f"erased {len(private)} private calls" in summary["warning"]
    assert_warehouse_matches(workspace, gong)
    assert workspace.sync()["warning"] is None


def test_private_calls_keep_their_metadata_only(gong: SimulatedGong, workspace: Workspace) -> None:
    """From `include` to `metadata`, content and transcript go, title and times stay."""
    workspace.configure(private_calls="include")
    workspace.sync()
    titles = workspace.rows("SELECT id, title, started FROM calls WHERE is_private ORDER BY id")

    workspace.configure(private_calls="metadata")
    summary = workspace.sync("--select", "users")
    assert summary["warning"] is None
    summary = workspace.sync()
    assert f"erased the content of {len(titles)} private calls" in summary["warning"]
    assert workspace.rows("SELECT id, title, started FROM calls WHERE is_private ORDER BY id") == titles
    for table in ("call_parties", "transcripts", "transcript_sentences", "call_trackers"):
        condition = "call_id IN (SELECT id FROM calls WHERE is_private)"
        assert workspace.rows(f"SELECT count(*) FROM {table} WHERE {condition}") == [(0,)]
    assert workspace.rows("SELECT count(*) FROM calls WHERE is_private AND brief IS NOT NULL") == [(0,)]
    assert workspace.sync()["warning"] is None


def test_private_calls_that_are_included_are_backfilled(gong: SimulatedGong, workspace: Workspace) -> None:
    """What was excluded before is read from the start."""
    workspace.sync()
    workspace.configure(private_calls="include", lookback="1h")
    workspace.sync()
    assert private_ids(gong) <= call_ids(workspace)


def test_hashed_values_are_not_stored_in_clear_by_accident(gong: SimulatedGong, workspace: Workspace) -> None:
    """A forgotten `pii = "hash"` ends the run before anything is read."""
    workspace.configure(pii="hash", pii_key="a secret of the test suite")
    workspace.sync()
    before = workspace.rows("SELECT email_address FROM users ORDER BY id")

    del workspace.settings["SOURCES__GONG__PII"]
    gong.requests.clear()
    refused = workspace.run("sync")
    assert (refused.code, len(refused.err.splitlines()), gong.requests) == (2, 1, [])
    assert "--allow-clear-text" in refused.err
    assert workspace.rows("SELECT email_address FROM users ORDER BY id") == before

    workspace.sync("--allow-clear-text")
    assert workspace.rows("SELECT count(*) FROM users WHERE email_address LIKE '%@%'")[0][0] > 0
    workspace.sync()
