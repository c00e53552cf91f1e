"""The day's requests: told before, counted over runs, and ended in good order when they or the time are spent."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, hang, rewrite, too_many_requests
from tests.conftest import MakeGong
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE
from tests.support.workspace import Workspace, days_ago


def plan(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """What `gong-elt sync --plan --json` prints."""
    ended = workspace.run("sync", "--plan", "--json", *arguments)
    assert ended.code == 0, ended.err
    printed: dict[str, Any] = json.loads(ended.out)
    return printed


def test_a_plan_tells_what_the_sync_then_costs_and_loads_nothing(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=350)
    told = plan(workspace)
    assert len(gong.requests) <= 6
    assert not (workspace.folder / "warehouse.duckdb").exists()
    assert told["calls"] == len(gong.list_calls())
    gong.requests.clear()
    assert workspace.sync()["requests"] == told["requests_total"] == len(gong.requests)
    again = plan(workspace)
    assert again["requests"]["calls"] == 1
    assert again["requests_left"] == 10_000 - len(gong.requests) + 5


def test_a_plan_spreads_over_days_what_one_days_quota_does_not_hold(make_gong: MakeGong, workspace: Workspace) -> None:
    make_gong(calls=450)
    workspace.configure(requests_per_day=4, requests_per_second=2)
    told = plan(workspace, "--select", "calls,transcripts")
    assert told["requests"] == {"calls": 5, "transcripts": 5}
    assert told["days"] == 3
    assert 24 < told["hours"] <= 72
    printed = workspace.run("sync", "--plan", "--select", "calls,transcripts").out
    assert "over 3 days" in printed
    assert "run it daily" in printed


def test_a_plan_of_a_selection_asks_for_nothing_else(gong: SimulatedGong, workspace: Workspace) -> None:
    assert plan(workspace, "--select", "users")["requests"] == {"users": 1}
    assert {request.path for request in gong.requests} == {"/v2/users"}


def test_odd_folders_do_not_stop_a_plan(gong: SimulatedGong, workspace: Workspace) -> None:
    def add(answer: dict[str, list[Any]]) -> None:
        answer["folders"] += [None, "text", {"name": "No id"}, {"id": "12345678901234567890"}]

    gong.faults.append(Fault(rewrite(add), "/v2/library/folders"))
    told = plan(workspace, "--select", "library")
    assert workspace.sync("--select", "library")["requests"] == told["requests"]["library"] + 1


def test_a_deadline_stops_in_good_order_and_the_next_run_goes_on(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=700)
    gong.settings.latency_seconds = 0.6
    summary = workspace.sync("--select", "calls,transcripts", "--deadline", "4s", code=3)
    assert summary["status"] == "stopped"
    assert "deadline" in summary["reason"]
    assert summary["bookmark"] is not None
    assert 0 < summary["calls"] < 650
    gong.settings.latency_seconds = 0.0
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


@pytest.mark.parametrize("act", [hang(60), too_many_requests(30)], ids=["hang", "429"])
def test_no_wait_is_longer_than_the_deadline(gong: SimulatedGong, workspace: Workspace, act: Any) -> None:
    gong.faults.append(Fault(act, EXTENSIVE))
    began = time.monotonic()
    summary = workspace.sync("--select", "calls,transcripts", "--deadline", "4s", code=3)
    assert time.monotonic() - began < 20
    assert summary["status"] == "stopped"


@pytest.mark.parametrize("words", ["soon", "2020-01-01", "0m", "-5m"], ids=["no time", "over", "no length", "negative"])
def test_a_deadline_that_cannot_be_kept_is_refused_in_one_line(
    gong: SimulatedGong, workspace: Workspace, words: str
) -> None:
    ended = workspace.run("sync", f"--deadline={words}")
    assert ended.code == 2
    assert "--deadline" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not gong.requests


def test_a_deadline_can_be_an_instant(gong: SimulatedGong, workspace: Workspace) -> None:
    workspace.sync("--deadline", (datetime.now(UTC) + timedelta(minutes=5)).isoformat(timespec="seconds"))
    assert_warehouse_matches(workspace, gong)


def test_the_budget_counts_runs_that_were_killed(make_gong: MakeGong, workspace: Workspace) -> None:
    gong = make_gong(calls=350)
    workspace.sync("--until", days_ago(100), "--select", "calls,transcripts")
    workspace.configure(requests_per_day=30)
    gong.requests.clear()
    process = workspace.start("sync", "--select", "calls,transcripts")
    while process.poll() is None and not _normalized(workspace):
        time.sleep(0.005)
    process.kill()
    process.wait()
    spent = len(gong.requests)
    status = workspace.run("status", "--json").json
    assert status["requests_left"] == 30 - 1 - spent
    workspace.sync("--select", "calls,transcripts")
    runs = workspace.rows("SELECT status, requests FROM _runs ORDER BY started_at")
    assert runs[1] == ("killed", spent)
    assert_warehouse_matches(workspace, gong)


def _normalized(workspace: Workspace) -> bool:
    """Whether a load package is ready: everything was read, nothing is in the warehouse yet."""
    return any(
        name.endswith(".parquet") and f"{os.sep}load{os.sep}" in folder
        for folder, _, names in os.walk(workspace.folder / "working")
        for name in names
    )
