"""`--publish`: files that cannot be written, full disks, signals and kills leave the previous copy."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, hang, run_before_response
from tests.support.companies import public_calls
from tests.support.gong_api import EXTENSIVE
from tests.support.marts import sync_company
from tests.support.paths import REPOSITORY
from tests.support.process.waiting import wait_until
from tests.support.readers.copies import COPY, list_remnants, read_tables
from tests.support.servers.postgres import PostgresServer
from tests.support.workspace import Workspace


@pytest.mark.slow
def test_an_interrupted_run_is_not_published(gong: SimulatedGong, workspace: Workspace, copy: Path) -> None:
    """Ctrl-C ends a run at once, and the copy stays as it is."""
    workspace.sync("--publish", COPY)
    before = copy.read_bytes()
    fault = Fault(hang(60), EXTENSIVE)
    gong.faults.append(fault)
    process = workspace.start("sync", "--publish", COPY)
    wait_until(lambda: fault.hit_count > 0)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 1
    assert copy.read_bytes() == before
    assert list_remnants(copy) == []


def _break_missing_folder(workspace: Workspace) -> str:
    return "missing/copy.duckdb"


def _break_folder(workspace: Workspace) -> str:
    return "bi"


def _break_warehouse(workspace: Workspace) -> str:
    return "./bi/../warehouse.duckdb"


def _break_link(workspace: Workspace) -> str:
    (workspace.folder / "linked.duckdb").hardlink_to(workspace.folder / "warehouse.duckdb")
    return "linked.duckdb"


def _break_dataset(workspace: Workspace) -> str:
    return "bi/Gong.duckdb"


def _break_marts(workspace: Workspace) -> str:
    return "bi/gong_analytics.duckdb"


def _break_other_file(workspace: Workspace) -> str:
    (workspace.folder / "thesis.txt").write_text("three years of work")
    return "thesis.txt"


def _break_read_only(workspace: Workspace) -> str:
    return "/proc/copy.duckdb"


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (_break_missing_folder, "does not exist: create it"),
        (_break_folder, "is a folder"),
        (_break_warehouse, "is the warehouse itself"),
        (_break_link, "is the warehouse itself"),
        (_break_dataset, "has the name of dataset 'gong'"),
        (_break_marts, "has the name of dataset 'gong_analytics'"),
        (_break_other_file, "is not a DuckDB file"),
        (_break_read_only, "cannot be written"),
    ],
)
@pytest.mark.parametrize("command", ["sync", "reconcile", "models"])
def test_a_file_that_cannot_be_published_is_refused_before_the_run(
    duckdb_marts: Workspace, tmp_path: Path, command: str, break_it: Callable[[Workspace], str], words: str
) -> None:
    """A typing error costs no run: exit code 2, one line, no request and no change."""
    shutil.copy(duckdb_marts.folder / "warehouse.duckdb", tmp_path)
    (tmp_path / "bi").mkdir()
    workspace = Workspace(tmp_path, settings={**duckdb_marts.settings, "SOURCES__GONG__BASE_URL": "http://127.0.0.1:9"})
    before = (tmp_path / "warehouse.duckdb").read_bytes()
    name = break_it(workspace)
    result = workspace.run(command, "--publish", name)
    assert (result.code, result.out) == (2, ""), result.err
    assert words in result.err
    assert repr(name) in result.err
    assert len(result.err.splitlines()) == 1
    assert (tmp_path / "warehouse.duckdb").read_bytes() == before
    assert not list((tmp_path / "bi").iterdir())


def test_a_server_has_no_file_to_publish(workspace: Workspace, postgres: PostgresServer) -> None:
    """PostgreSQL has readers of its own."""
    workspace.postgres = postgres.create_database()
    result = workspace.run("sync", "--publish", COPY)
    assert result.code == 2
    assert "destination 'postgres' has none" in result.err
    assert len(result.err.splitlines()) == 1


def test_a_copy_that_cannot_be_written_fails_the_run_after_its_load(
    gong: SimulatedGong, workspace: Workspace, copy: Path
) -> None:
    """The data is loaded; the exit code and one line tell a scheduler that the copy is old."""
    gong.faults.append(Fault(run_before_response(lambda: shutil.rmtree(copy.parent)), EXTENSIVE, nth=1))
    result = workspace.run("sync", "--publish", COPY)
    assert result.code == 1
    assert "was not replaced and has the state of an earlier run" in result.err
    assert len(result.err.splitlines()) == 1
    assert workspace.count("calls") == len(public_calls(gong))
    assert not copy.exists()


@pytest.mark.slow
def test_a_full_disk_leaves_the_previous_copy(gong: SimulatedGong, workspace: Workspace, copy: Path) -> None:
    """A copy is replaced only by a complete one, and a draft does not keep the disk full."""
    workspace.sync("--publish", COPY)
    before = copy.read_bytes()
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from pipelines.load import sync; load = sync.SyncJob.run;"
        "limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000));"
        "sync.SyncJob.run = lambda *arguments: (load(*arguments), limit());"
        "from pipelines.cli.app import main; sys.argv = ['gong-elt', *sys.argv[1:]]; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "sync", "--publish", COPY],
        cwd=workspace.folder,
        env={**workspace.environment, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert "was not replaced and has the state of an earlier run" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert copy.read_bytes() == before
    assert list_remnants(copy) == []


def test_what_a_killed_run_left_is_deleted(gong: SimulatedGong, workspace: Workspace, copy: Path) -> None:
    """Drafts are as large as the copy, and must not add up."""
    copy.with_name(f".{copy.name}.part").write_bytes(b"left by a killed run")
    copy.with_name(f".{copy.name}.part.wal").write_bytes(b"left by a killed run")
    copy.with_name(f".{copy.name}.part.tmp").mkdir()
    workspace.sync("--publish", COPY)
    assert list_remnants(copy) == []
    assert read_tables(copy) == read_tables(workspace.folder / "warehouse.duckdb")


@pytest.mark.slow
def test_kills_leave_a_whole_copy(duckdb_marts: Workspace, marts_gong: SimulatedGong, tmp_path: Path) -> None:
    """A run that is killed at any moment leaves the previous copy or the next one, and no litter after the next run."""
    with sync_company(Workspace(tmp_path), marts_gong) as workspace:
        copy = tmp_path / "copy.duckdb"
        workspace.sync("--publish", copy.name)
        whole = read_tables(copy)["gong.calls"]
        started = time.monotonic()
        workspace.sync("--publish", copy.name)
        seconds = time.monotonic() - started
        for kill in range(12):
            process = workspace.start("sync", "--publish", copy.name)
            time.sleep(seconds * (0.6 + 0.05 * kill))
            process.kill()
            process.wait()
            assert read_tables(copy)["gong.calls"] == whole
        workspace.sync("--publish", copy.name)
        assert [name for name in list_remnants(copy) if name.startswith(f".{copy.name}")] == []
