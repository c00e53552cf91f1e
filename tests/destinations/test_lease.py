"""The lock between machines on servers without locks: PostgreSQL is used here as any SQL destination of dlt."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import psycopg2
import pytest

from destinations.lease import TABLE, Lease, LeaseLostError, parse_expiry
from pipelines.demo.server.app import SimulatedGong
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.paths import REPOSITORY
from tests.support.process.waiting import wait_until
from tests.support.workspace import Workspace

_SYNC = ("sync", "--select", "calls,transcripts", "--destination", "postgres")
_EXPIRY = timedelta(minutes=2)
MakePipeline = Callable[[], dlt.Pipeline]


def _start(workspace: Workspace, *arguments: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "tests.support.process.any_sql_destination", *arguments]
    environment = {**workspace.environment, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(program, cwd=workspace.folder, env=environment, stderr=subprocess.PIPE, text=True)


def _finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, err = process.communicate(timeout=120)
    return process.returncode, err


def _leases(workspace: Workspace) -> list[tuple[Any, ...]]:
    with suppress(psycopg2.errors.UndefinedTable):
        return workspace.rows("SELECT owner, expires_at FROM gong._locks")
    return []


def _start_reading(gong: SimulatedGong, workspace: Workspace, *arguments: str) -> subprocess.Popen[str]:
    """Start a sync and return it when it holds the lease and waits for Gong."""
    gong.settings.latency_seconds = 1.0
    process = _start(workspace, *_SYNC, *arguments)
    wait_until(lambda: (gong.requests and _leases(workspace)) or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    # The next command runs on another machine, which does not see the lock in this working folder.
    workspace.settings["DLT_DATA_DIR"] = str(workspace.folder / "elsewhere")
    return process


def test_two_commands_do_not_run_at_the_same_time(gong: SimulatedGong, workspace: Workspace) -> None:
    """The second command names the holder, and the lease is released when the first one ends."""
    first = _start_reading(gong, workspace)
    code, err = _finish(_start(workspace, *_SYNC, "--wait", "0"))
    assert code == 1
    assert "another run holds the lock: gong-elt on " in err
    assert f"pid {first.pid}, since 20" in err
    assert len(err.splitlines()) == 1

    gong.settings.latency_seconds = 0.0
    assert _finish(first) == (0, "")
    assert _leases(workspace) == []
    assert _finish(_start(workspace, *_SYNC))[0] == 0
    assert_warehouse_matches(workspace, gong)


def test_the_lease_of_a_killed_run_is_taken_over_when_it_expires(gong: SimulatedGong, workspace: Workspace) -> None:
    """A killed run blocks the next one until then, and loses nothing."""
    workspace.settings["DESTINATION__POSTGRES__LOCK_EXPIRY"] = "3s"
    killed = _start_reading(gong, workspace)
    killed.kill()
    _finish(killed)
    ((owner, _),) = _leases(workspace)

    gong.settings.latency_seconds = 0.0
    code, err = _finish(_start(workspace, *_SYNC, "--wait", "30s"))
    assert code == 0, err
    assert owner not in [row[0] for row in _leases(workspace)]
    assert_warehouse_matches(workspace, gong)


def test_a_run_renews_its_lease_while_it_waits_for_gong(gong: SimulatedGong, workspace: Workspace) -> None:
    """A lease that is shorter than the run does not expire during it."""
    workspace.settings["DESTINATION__POSTGRES__LOCK_EXPIRY"] = "2s"
    process = _start_reading(gong, workspace)
    ((owner, first_expiry),) = _leases(workspace)

    def is_renewed() -> bool:
        return any(row[0] == owner and row[1] > first_expiry + timedelta(seconds=1) for row in _leases(workspace))

    wait_until(lambda: is_renewed() or process.poll() is not None)
    assert is_renewed()
    gong.settings.latency_seconds = 0.0
    assert _finish(process)[0] == 0


def test_a_run_that_lost_its_lease_commits_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    """Its load is rolled back, because another run may have read what it replaces."""
    process = _start_reading(gong, workspace)
    workspace.execute("DELETE FROM gong._locks")
    gong.settings.latency_seconds = 0.0

    code, err = _finish(process)
    assert code == 1
    assert "the lock of this run was lost" in err
    assert len(err.splitlines()) == 1
    assert workspace.rows("SELECT count(*) FROM gong.calls") == [(0,)]


def test_an_invalid_expiry_is_named(workspace: Workspace) -> None:
    """The setting is checked before anything runs."""
    workspace.settings["DESTINATION__POSTGRES__LOCK_EXPIRY"] = "soon"
    code, err = _finish(_start(workspace, *_SYNC))
    assert code == 2
    assert "destination.postgres.lock_expiry 'soon'" in err


@pytest.fixture
def make_pipeline(workspace: Workspace, tmp_path: Path) -> MakePipeline:
    """Return a function that builds a pipeline of another machine."""

    def make() -> dlt.Pipeline:
        folder = tmp_path / os.urandom(4).hex()
        destination = dlt.destinations.postgres(credentials=str(workspace.postgres))
        return dlt.pipeline("gong", destination=destination, dataset_name="gong", pipelines_dir=str(folder))

    return make


def test_of_runs_that_begin_at_once_at_most_one_holds_the_lease(make_pipeline: MakePipeline) -> None:
    """Nothing but the statements themselves decides: the table has no unique constraint."""
    with Lease(_EXPIRY).hold(make_pipeline(), "first") as holder:
        assert holder is None
    for _ in range(5):
        barrier = threading.Barrier(4)
        holders: list[str | None] = []

        def begin(pipeline: dlt.Pipeline, barrier: threading.Barrier, holders: list[str | None]) -> None:
            barrier.wait()
            with Lease(_EXPIRY).hold(pipeline, "gong") as holder:
                holders.append(holder)
                # No run releases the lease before all have tried.
                barrier.wait()

        threads = [
            threading.Thread(target=begin, args=(pipeline, barrier, holders))
            for pipeline in [make_pipeline() for _ in range(4)]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(holders) == 4
        assert holders.count(None) <= 1


def test_a_lease_is_lost_in_the_transaction_of_a_load(make_pipeline: MakePipeline, workspace: Workspace) -> None:
    """A run whose lease was taken over cannot confirm it, and one that confirms it cannot lose it before its commit."""
    lease, pipeline = Lease(_EXPIRY), make_pipeline()
    with lease.hold(pipeline, "gong") as holder, pipeline.sql_client() as sql:
        assert holder is None
        with sql.begin_transaction():
            lease.confirm(sql)
        before: datetime = workspace.rows(f"SELECT expires_at FROM gong.{TABLE}")[0][0]
        workspace.execute(f"UPDATE gong.{TABLE} SET expires_at = ?", [before - timedelta(days=1)])
        with Lease(_EXPIRY).hold(make_pipeline(), "gong") as other:
            assert other is None
            with pytest.raises(LeaseLostError), sql.begin_transaction():
                lease.confirm(sql)
            with pytest.raises(LeaseLostError):
                lease.confirm()


def test_a_renewal_of_the_other_thread_is_no_loss(
    make_pipeline: MakePipeline, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come between the statement that confirms the lease and the one that reads what was written."""
    lease, pipeline = Lease(_EXPIRY), make_pipeline()
    with lease.hold(pipeline, "gong"), pipeline.sql_client() as sql:
        regular = sql.execute_sql
        renewals: list[int] = []

        def execute(statement: Any, *parameters: Any) -> Any:
            rows = regular(statement, *parameters)
            if statement.startswith("UPDATE") and not renewals:
                workspace.execute(f"UPDATE gong.{TABLE} SET renewal = 'of the thread'")
                renewals.append(1)
            return rows

        monkeypatch.setattr(sql, "execute_sql", execute)
        lease.confirm(sql)
        assert renewals


@pytest.mark.parametrize("text", ["", "2", "0s", "-1m", "1.5m", "2 days"])
def test_an_expiry_is_a_number_and_a_unit(text: str) -> None:
    """Other texts are refused."""
    with pytest.raises(ValueError, match=f"^{text}$"):
        parse_expiry(text)
    assert parse_expiry("90s") == timedelta(seconds=90)
