"""A clock that was ahead or behind: no run fails because of it later, and no call is missed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, parse_datetime
from tests.support.workspace import Workspace

AHEAD = [timedelta(hours=26), timedelta(days=8), timedelta(days=300)]
SELECT = ("--select", "calls,transcripts")


@contextmanager
def shifted_clock(workspace: Workspace, shift: timedelta) -> Iterator[None]:
    """Run the commands inside of the context with a clock that is ahead, or behind if negative."""
    workspace.clock_shift = shift
    try:
        yield
    finally:
        workspace.clock_shift = None


def add_call(gong: SimulatedGong, call_id: str, age: timedelta) -> None:
    """Add a call that took place that long ago and can be read now."""
    model = public_calls(gong)[0]
    start = (datetime.now(UTC) - age).isoformat()
    meta = {**model.record["metaData"], "id": call_id, "started": start, "scheduled": start}
    # Its transcript is not ready yet.
    gong.add_call({**model.record, "metaData": meta}, visible_from=datetime.now(UTC))


@pytest.mark.parametrize("shift", AHEAD)
def test_a_run_whose_clock_is_ahead_warns_and_keeps_gongs_time(
    gong: SimulatedGong, workspace: Workspace, shift: timedelta
) -> None:
    """The bookmark never passes Gong's time, and the next run with the right clock finds what came in between."""
    workspace.sync(*SELECT)
    with shifted_clock(workspace, shift):
        ahead = workspace.sync(*SELECT)
    assert "clock is" in ahead["warning"]
    assert "ahead of Gong's" in ahead["warning"]
    assert parse_datetime(ahead["bookmark"]) <= datetime.now(UTC)

    add_call(gong, "7000000000000000001", timedelta(minutes=1))
    after = workspace.sync(*SELECT)
    assert after["warning"] is None
    assert_warehouse_matches(workspace, gong)


def test_rows_get_the_time_of_gong(gong: SimulatedGong, workspace: Workspace) -> None:
    """A later change must have a later `_synced_at`, by which incremental models find it."""
    gong.faults.append(Fault(rewrite(lambda page: page["calls"][0].update(parties="none")), EXTENSIVE, count=1))
    with shifted_clock(workspace, timedelta(days=8)):
        assert workspace.sync(*SELECT)["rejected"] == 1
    for table in ("calls", "transcripts", "_rejected"):
        ((latest,),) = workspace.rows(f"SELECT max(_synced_at) FROM {table}")
        assert latest is not None
        assert latest <= datetime.now(UTC)


@pytest.mark.parametrize("select", ["calls,users,answered_scorecards", "answered_scorecards"])
def test_reviews_are_read_up_to_gongs_today(gong: SimulatedGong, workspace: Workspace, select: str) -> None:
    """Gong rejects later dates, and it shows its own date only with the first response."""
    workspace.sync("--select", select)
    reviews = workspace.count("answered_scorecards")
    with shifted_clock(workspace, timedelta(days=400)):
        ahead = workspace.sync("--select", select)
        explicit = workspace.sync("--select", select, "--since", f"{datetime.now(UTC) - timedelta(days=5):%Y-%m-%d}")
    assert "ahead of Gong's" in ahead["warning"]
    assert explicit["resources"]["answered_scorecards"]["status"] == "loaded"

    workspace.sync("--select", select)
    assert workspace.count("answered_scorecards") == reviews > 0


@pytest.mark.parametrize("shift", AHEAD)
def test_a_bookmark_in_the_future_is_corrected(gong: SimulatedGong, workspace: Workspace, shift: timedelta) -> None:
    """A response without `Date` does not show that the clock is ahead; later runs do, warn, and miss nothing."""
    workspace.sync(*SELECT)
    gong.settings.sends_date = False
    with shifted_clock(workspace, shift):
        ahead = workspace.sync(*SELECT)
    assert parse_datetime(ahead["bookmark"]) > datetime.now(UTC) + timedelta(hours=25)
    add_call(gong, "7000000000000000001", timedelta(seconds=1))

    status = json.loads(workspace.run("status", "--json").out)
    assert "is later than now" in status["warning"]
    assert parse_datetime(status["bookmarks"]["calls"]) <= datetime.now(UTC)
    check = json.loads(workspace.run("check", "--json").out)
    assert any("is later than now" in finding["detail"] for finding in check["findings"])
    plan = workspace.run("sync", "--plan", *SELECT)
    assert plan.code == 0, plan.err

    after = workspace.sync(*SELECT)
    assert "is later than now" in after["warning"]
    assert parse_datetime(after["bookmark"]) <= datetime.now(UTC)
    loaded = {call_id for (call_id,) in workspace.rows("SELECT id FROM calls")}
    assert loaded == {call.id for call in public_calls(gong)}

    again = workspace.sync(*SELECT)
    assert again["warning"] is None


def test_an_explicit_window_does_not_depend_on_the_bookmark(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--since` works after any wrong clock."""
    gong.settings.sends_date = False
    with shifted_clock(workspace, timedelta(days=400)):
        workspace.sync(*SELECT)
    workspace.sync(*SELECT, "--since", "2020-01-01")
    assert_warehouse_matches(workspace, gong)


def test_a_first_run_whose_clock_is_ahead_loses_no_history(gong: SimulatedGong, workspace: Workspace) -> None:
    """Its default start lies in the future, so it reads nothing; the next run reads everything."""
    with shifted_clock(workspace, timedelta(days=400)):
        assert workspace.sync(*SELECT)["calls"] == 0
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_a_run_whose_clock_is_behind_loses_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    """The bookmark is later than its now; it reads what it can, warns, and the next run is complete."""
    workspace.sync(*SELECT)
    with shifted_clock(workspace, -timedelta(days=5)):
        behind = workspace.sync(*SELECT)
    assert "behind Gong's" in behind["warning"]
    add_call(gong, "7000000000000000001", timedelta(minutes=1))
    workspace.sync(*SELECT)
    assert_warehouse_matches(workspace, gong)


def test_a_clock_a_few_seconds_ahead_is_no_reason_to_warn(gong: SimulatedGong, workspace: Workspace) -> None:
    """Clocks of two machines are never equal."""
    with shifted_clock(workspace, timedelta(seconds=20)):
        assert workspace.sync(*SELECT)["warning"] is None
    gong.requests.clear()
    workspace.sync(*SELECT)
    assert [request.path for request in gong.requests if request.path == EXTENSIVE] == [EXTENSIVE]
