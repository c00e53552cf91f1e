"""Commands that run at the same time on one DuckDB file: readers beside each other, writers one after the other."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, hang
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE
from tests.support.marts import build_models
from tests.support.process.waiting import wait_until
from tests.support.workspace import Workspace

pytestmark = pytest.mark.slow

_HOLD = """
import sys, duckdb
warehouse = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read_only")
warehouse.execute("SELECT 1")
print("open", flush=True)
sys.stdin.read()
"""

READING_COMMANDS = {
    "status": ("status",),
    "check": ("check",),
    "plan": ("sync", "--plan"),
    "search": ("search", "price"),
    "report": ("report",),
    "export": ("export", "transcripts", "--to", "calls.jsonl"),
    "superset": ("superset",),
}


@contextmanager
def hold_file(workspace: Workspace, mode: str) -> Iterator[subprocess.Popen[str]]:
    """Keep the warehouse open in another process; closing its stdin ends the process."""
    file = workspace.folder / "warehouse.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(file), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process


@pytest.fixture(scope="module")
def built(duckdb_marts: Workspace) -> Workspace:
    """Return a warehouse with marts. Its simulated Gong responds as long as the session lasts."""
    return duckdb_marts


@pytest.mark.parametrize("command", READING_COMMANDS.values(), ids=READING_COMMANDS.keys())
def test_reading_commands_work_beside_a_reader_and_write_nothing(built: Workspace, command: tuple[str, ...]) -> None:
    """An analyst with an open, read-only connection does not stop them, and the file is left as it is."""
    before = (built.folder / "warehouse.duckdb").read_bytes()
    with hold_file(built, "read_only"):
        result = built.run(*command, "--wait", "0")

    assert result.code == 0, result.err
    assert (built.folder / "warehouse.duckdb").read_bytes() == before
    assert not (built.folder / "warehouse.duckdb.wal").exists()


@pytest.mark.parametrize("command", [*READING_COMMANDS.values(), ("sync",), ("reconcile",), ("models",)], ids=" ".join)
def test_a_file_in_use_is_one_line_with_the_holder(built: Workspace, command: tuple[str, ...]) -> None:
    """The user reads which process to end, not DuckDB's advice."""
    with hold_file(built, "write") as holder:
        result = built.run(*command, "--wait", "0")

    assert result.code == 1
    lines = (result.out + result.err).splitlines()
    assert [line for line in lines if f"pid {holder.pid}" in line], lines
    assert "duckdb.org" not in result.out + result.err
    if command[0] != "check":
        assert len(lines) == 1
        assert result.out == ""


def test_a_sync_waits_for_a_reader_and_then_loads(gong: SimulatedGong, workspace: Workspace) -> None:
    """A reader delays a sync and does not fail it."""
    workspace.sync("--select", "users")
    with hold_file(workspace, "read_only") as reader:
        process = workspace.start("sync")
        time.sleep(3)
        assert process.poll() is None
        assert not [request for request in gong.requests if request.path == EXTENSIVE]
        reader.communicate("")
        assert process.wait(60) == 0
    assert_warehouse_matches(workspace, gong)


def test_the_deadline_bounds_the_wait(gong: SimulatedGong, workspace: Workspace) -> None:
    """A run with a deadline ends with its exit code, also while it waits for a reader."""
    workspace.sync("--select", "users")
    with hold_file(workspace, "read_only") as reader:
        result = workspace.run("sync", "--deadline", "1s")

    assert result.code == 3, result.err
    assert f"pid {reader.pid}" in result.out + result.err


def test_sync_search_and_status_started_together_all_succeed(gong: SimulatedGong, workspace: Workspace) -> None:
    """A scheduler, an analyst and a monitor need not know of each other."""
    workspace.sync()
    assert build_models(workspace)["failed"] == []
    for _ in range(8):
        processes = {
            name: workspace.start(*arguments)
            for name, arguments in {"sync": ["sync"], "search": ["search", "price"], "status": ["status"]}.items()
        }
        assert {name: process.wait(120) for name, process in processes.items()} == dict.fromkeys(processes, 0)
    assert_warehouse_matches(workspace, gong)


def test_two_syncs_started_together_run_one_after_the_other(gong: SimulatedGong, workspace: Workspace) -> None:
    """The second one waits for the lock, and finds nothing new; also on a machine with another working folder."""
    others = Workspace(workspace.folder, {**workspace.settings, "DLT_DATA_DIR": str(workspace.folder / "elsewhere")})
    for second in (workspace, others):
        processes = [workspace.start("sync"), second.start("sync")]
        assert [process.wait(120) for process in processes] == [0, 0]
        assert_warehouse_matches(workspace, gong)

    assert workspace.rows("SELECT DISTINCT status FROM _runs") == [("done",)]


def test_a_sync_with_another_working_folder_does_not_run_at_the_same_time(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """The lock beside the file protects it from a run that cannot see the lock in the working folder."""
    fault = Fault(hang(60), EXTENSIVE)
    gong.faults.append(fault)
    first = workspace.start("sync")
    try:
        wait_until(lambda: fault.hit_count > 0, seconds=60)
        workspace.settings["DLT_DATA_DIR"] = str(workspace.folder / "elsewhere")
        result = workspace.run("sync", "--wait", "0")
    finally:
        first.kill()
        first.wait()

    assert result.code == 1
    assert f"pid {first.pid}" in result.err
    assert len(result.err.splitlines()) == 1


def test_status_works_during_a_sync_and_shows_its_progress(gong: SimulatedGong, workspace: Workspace) -> None:
    """While a sync waits for Gong, everyone can use the file, and `status` describes the run."""
    workspace.sync("--select", "users")
    fault = Fault(hang(60), EXTENSIVE, nth=2)
    gong.faults.append(fault)
    gong.settings.page_size = 10
    process = workspace.start("sync", "--since", "2020-01-01")
    try:
        wait_until(lambda: fault.hit_count > 0, seconds=60)
        # The sync may still be loading what it has read before.
        wait_until(lambda: workspace.run("status", "--wait", "0").code == 0, seconds=60)
        status = workspace.run("status", "--json", "--wait", "0")
        text = workspace.run("status", "--wait", "0").out
        with duckdb.connect(str(workspace.folder / "warehouse.duckdb")) as warehouse:
            assert warehouse.execute("SELECT count(*) FROM gong.users").fetchone() == (len(gong.company.users),)
    finally:
        process.kill()
        process.wait()

    assert status.code == 0, status.err
    running = status.json["running"]
    assert (running["command"], running["pid"]) == ("sync", process.pid)
    assert 0 < running["progress"]["calls_read"] < len(public_calls(gong))
    assert running["progress"]["requests"] > 0
    (run, *_) = status.json["runs"]
    assert (run["run_id"], run["status"]) == (running["run_id"], "running")
    assert f"sync is running: run {running['run_id']}, pid {process.pid}" in text

    assert workspace.run("status", "--json").json["running"] is None


def test_status_shows_a_first_sync_that_has_loaded_nothing_yet(gong: SimulatedGong, workspace: Workspace) -> None:
    """The first load of a large company takes hours; `status` must not advise to start it."""
    fault = Fault(hang(60), "/v2/")
    gong.faults.append(fault)
    process = workspace.start("sync")
    try:
        wait_until(lambda: fault.hit_count > 0, seconds=60)
        result = workspace.run("status")
    finally:
        process.kill()
        process.wait()

    assert result.code == 0
    assert f"pid {process.pid}" in result.out
    assert "run gong-elt sync" not in result.out
    assert not (workspace.folder / "warehouse.duckdb").exists()
