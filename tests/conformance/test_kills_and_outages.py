"""Promises about kills, other runs and unreachable servers."""

from __future__ import annotations

import random
import time

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.conformance.promises import promise
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match, assert_warehouse_matches
from tests.support.servers.postgres import PASSWORD
from tests.support.workspace import Workspace

_OUTAGE_SECONDS = 30


@promise("kill")
@pytest.mark.parametrize("seed", [3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 14))])
def test_a_killed_run_is_completed_by_the_next(make_gong: MakeGong, workspace: Workspace, seed: int) -> None:
    """Kills at random moments of the first and of a later run lose and duplicate nothing."""
    gong, rng = make_gong(calls=150), random.Random(seed)
    _kill_after(gong, workspace, requests=rng.randint(1, 8), seconds=rng.uniform(0, 1.5))
    workspace.delete_working_folder()
    workspace.sync()
    assert_all_tables_match(workspace, gong)

    for call in public_calls(gong)[::2]:
        gong.edit_call(call.id, title=f"Renamed {call.id}")
    _kill_after(gong, workspace, requests=rng.randint(1, 8), seconds=rng.uniform(0, 1.0))
    workspace.sync("--since", "2020-01-01")
    assert_all_tables_match(workspace, gong)


def _kill_after(gong: SimulatedGong, workspace: Workspace, *, requests: int, seconds: float) -> None:
    """Start a sync of all calls and kill it some time after Gong has received that number of requests."""
    gong.requests.clear()
    process = workspace.start("sync", "--since", "2020-01-01")
    while len(gong.requests) < requests and process.poll() is None:
        time.sleep(0.005)
    time.sleep(seconds)
    process.kill()
    process.wait()


@promise("one run")
def test_two_machines_do_not_run_at_the_same_time(gong: SimulatedGong, workspace: Workspace) -> None:
    """The second run ends with the holder of the lock in its message."""
    gong.settings.latency_seconds = 1.0
    first = workspace.start("sync", "--select", "calls,transcripts")
    while not gong.requests and first.poll() is None:
        time.sleep(0.01)
    # Another machine does not see the lock in the working folder of the first one.
    workspace.settings["DLT_DATA_DIR"] = str(workspace.folder / "elsewhere")

    result = workspace.run("sync", "--select", "calls,transcripts", "--wait", "0")
    assert result.code == 1
    assert "another run holds the lock" in result.err
    assert f"pid {first.pid}" in result.err
    assert len(result.err.splitlines()) == 1
    assert first.wait(60) == 0

    gong.settings.latency_seconds = 0.0
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


@promise("outage")
def test_an_unreachable_server_is_one_line_without_the_password(gong: SimulatedGong, workspace: Workspace) -> None:
    """Every command ends within its limits."""
    workspace.settings |= workspace.warehouse.unreachable_environment
    for command in ("sync", "status", "reconcile"):
        start = time.monotonic()
        result = workspace.run(command)
        assert time.monotonic() - start < _OUTAGE_SECONDS
        assert result.code == 1
        assert PASSWORD not in result.out + result.err
        assert "Traceback" not in result.out + result.err
        assert len(result.err.splitlines()) == 1, result.err
    assert gong.requests == []
