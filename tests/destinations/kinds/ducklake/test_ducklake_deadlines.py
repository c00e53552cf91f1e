"""A run on DuckLake that waits for its catalog, which another program has locked, ends at its deadline."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match
from tests.support.servers.ducklake import DuckLakeConnection
from tests.support.servers.postgres import hold_transaction
from tests.support.servers.warehouses import build_workspace
from tests.support.workspace import Workspace

pytestmark = pytest.mark.ducklake

_ALL_CALLS = ("--since", "2020-01-01")
_LOCK_SQLITE = """
import sqlite3, sys
catalog = sqlite3.connect(sys.argv[1], isolation_level=None)
catalog.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """Return a workspace with a lake."""
    return build_workspace(request, tmp_path)


@contextmanager
def lock_catalog(workspace: Workspace, mode: str) -> Iterator[str]:
    """Lock the catalog in another session within a `with` block; yield how a message names it."""
    lake = workspace.warehouse
    assert isinstance(lake, DuckLakeConnection)
    if lake.postgres is not None:
        with hold_transaction(lake.postgres, f"LOCK TABLE ducklake.ducklake_snapshot IN {mode} MODE") as pid:
            yield f"held by pid {pid}"
        return
    program = [sys.executable, "-c", _LOCK_SQLITE, str(lake.folder / "catalog.sqlite")]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield "which another program has locked"
        process.kill()


@pytest.mark.parametrize(
    ("workspace", "mode"),
    [
        pytest.param("ducklake", "EXCLUSIVE", id="sqlite"),
        pytest.param("ducklake-postgres", "SHARE", id="writes"),
        pytest.param("ducklake-postgres", "ACCESS EXCLUSIVE", id="reads"),
    ],
    indirect=["workspace"],
)
def test_the_deadline_bounds_a_wait_for_the_catalog(gong: SimulatedGong, workspace: Workspace, mode: str) -> None:
    """The run ends with exit code 3 and one line that names what it waited for, and the next run does its work."""
    workspace.sync()
    gong.edit_call(public_calls(gong)[0].id, title="Edited")
    with lock_catalog(workspace, mode) as holder:
        start = time.monotonic()
        result = workspace.run("sync", *_ALL_CALLS, "--deadline", "8s", timeout_seconds=60)
        assert time.monotonic() - start < 25
    assert (result.code, result.err.count("\n")) == (3, 1), result
    assert "the deadline, " in result.err
    assert holder in result.err

    workspace.sync(*_ALL_CALLS)
    assert_all_tables_match(workspace, gong)
