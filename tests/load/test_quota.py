"""The daily quota and the deadline: planned in advance, counted over runs, and never exceeded."""

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


def run_plan(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """Run `gong-elt sync --plan --json` and return the printed object."""
    result = workspace.run("sync", "--plan", "--json", *arguments)
    assert result.code == 0, result.err
    printed: dict[str, Any] = json.loads(result.out)
    return printed


def test_a_plan_predicts_the_requests_of_the_sync_and_loads_nothing(make_gong: MakeGong, workspace: Workspace) -> None:
    """`sync --plan` counts the same requests as the sync that follows."""
    gong = make_gong(calls=350)
    planned = run_plan(workspace)
    assert len(gong.requests) <= 6
    assert not (workspace.folder / "warehouse.duckdb").exists()
    assert planned["calls"] == len(gong.list_calls())

    gong.requests.clear()
    assert workspace.sync()["requests"] == planned["requests_total"] == len(gong.requests)

    again = run_plan(workspace)
    assert again["requests"]["calls"] == 1
    assert again["requests_left"] == 10_000 - len(gong.requests) + 5


def test_a_plan_reports_the_days_that_the_quota_requires(make_gong: MakeGong, workspace: Workspace) -> None:
    """A backfill larger than the daily quota is planned over several days."""
    make_gong(calls=450)
    workspace.configure(requests_per_day=4, requests_per_second=2)
    planned = run_plan(workspace, "--select", "calls,transcripts")
    assert planned["requests"] == {"calls": 5, "transcripts": 5}
    assert planned["days"] == 3
    assert 24 < planned["hours"] <= 72

    printed = workspace.run("sync", "--plan", "--select", "calls,transcripts").out
    assert "over 3 days" in printed
    assert "run it daily" in printed


def test_a_plan_of_a_selection_requests_nothing_else(gong: SimulatedGong, workspace: Workspace) -> None:
    """Only the selected resources are estimated."""
    assert run_plan(workspace, "--select", "users")["requests"] == {"users": 1}
    assert {request.path for request in gong.requests} == {"/v2/users"}


def test_invalid_folders_do_not_stop_a_plan(gong: SimulatedGong, workspace: Workspace) -> None:
    """Invalid records are counted as a sync would request them."""

    def add(page: dict[str, list[Any]]) -> None:
        page["folders"] += [None, "text", {"name": "No id"}, {"id": "12345678901234567890"}]

    gong.faults.append(Fault(rewrite(add), "/v2/library/folders"))
    planned = run_plan(workspace, "--select", "library")
    assert workspace.sync("--select", "library")["requests"] == planned["requests"]["library"] + 1


@pytest.mark.slow
def test_a_deadline_stops_the_run_and_the_next_one_continues(make_gong: MakeGong, workspace: Workspace) -> None:
    """Complete pages are loaded and the bookmark moves to their end."""
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
    """Neither a hanging request nor a Retry-After extends a run beyond `--deadline`."""
    gong.faults.append(Fault(act, EXTENSIVE))
    started_at = time.monotonic()
    summary = workspace.sync("--select", "calls,transcripts", "--deadline", "4s", code=3)
    assert time.monotonic() - started_at < 20
    assert summary["status"] == "stopped"


@pytest.mark.parametrize(
    "text", ["soon", "2020-01-01", "0m", "-5m"], ids=["not a time", "in the past", "zero", "negative"]
)
def test_an_invalid_deadline_is_a_usage_error_in_one_line(gong: SimulatedGong, workspace: Workspace, text: str) -> None:
    """A deadline in the past or without a duration ends with exit code 2, before any request."""
    result = workspace.run("sync", f"--deadline={text}")
    assert result.code == 2
    assert "--deadline" in result.err
    assert len(result.err.splitlines()) == 1
    assert not gong.requests


def test_a_deadline_can_be_a_datetime(gong: SimulatedGong, workspace: Workspace) -> None:
    """`--deadline` also takes an ISO 8601 date-time."""
    workspace.sync("--deadline", (datetime.now(UTC) + timedelta(minutes=5)).isoformat(timespec="seconds"))
    assert_warehouse_matches(workspace, gong)


@pytest.mark.slow
def test_requests_of_killed_runs_count_towards_the_quota(make_gong: MakeGong, workspace: Workspace) -> None:
    """`_runs` has the requests of a run that could not write its own end."""
    gong = make_gong(calls=350)
    workspace.sync("--until", days_ago(100), "--select", "calls,transcripts")
    workspace.configure(requests_per_day=30)
    gong.requests.clear()
    process = workspace.start("sync", "--select", "calls,transcripts")
    while process.poll() is None and not _has_load_package(workspace):
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


def _has_load_package(workspace: Workspace) -> bool:
    """Return whether a load package is ready: everything was read, nothing is loaded."""
    return any(
        name.endswith(".parquet") and f"{os.sep}load{os.sep}" in folder
        for folder, _, names in os.walk(workspace.folder / "working")
        for name in names
    )
