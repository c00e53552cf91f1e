"""Waits on PostgreSQL: bounded, explained, without effect on other readers, and ended with the command."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from destinations.kinds.postgres.client import parse_lock_timeout
from destinations.warehouse import InvalidWarehouseError
from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, rewrite
from tests.support.companies import find_call, public_calls
from tests.support.expected_warehouse import assert_warehouse_matches
from tests.support.gong_api import EXTENSIVE, edit_call_in_page
from tests.support.process.command import CommandResult
from tests.support.process.waiting import wait_until
from tests.support.servers.postgres import PostgresServer, hold_transaction
from tests.support.workspace import Workspace

pytestmark = pytest.mark.slow

_READ_ALL = (
    "SELECT count(*) FROM gong.users",
    "SELECT count(*) FROM gong.calls",
    "SELECT count(*) FROM gong_staging.users",
)


def url_of(workspace: Workspace) -> str:
    """Return the URL of the workspace's database."""
    assert workspace.postgres is not None
    return workspace.postgres


def set_lock_timeout(workspace: Workspace, text: str) -> None:
    """Set how long the commands of a workspace wait for locks."""
    workspace.settings["DESTINATION__POSTGRES__LOCK_TIMEOUT"] = text


def rename_user(gong: SimulatedGong, name: str) -> None:
    """Change a user in Gong, so that the next sync replaces the list of users."""
    gong.company.users[0]["firstName"] = name
    gong.clear_response_cache()


def add_field(gong: SimulatedGong) -> None:
    """Let Gong send a new field of a call, for which a sync adds a column."""
    call = find_call(gong, "topics")
    edit = edit_call_in_page(call.id, lambda record: record["metaData"].update(mood="calm"))
    gong.faults.append(Fault(rewrite(edit), EXTENSIVE))


@contextmanager
def count_blocked_reads(url: str, sql: str, *, longer_than_seconds: float) -> Iterator[list[float]]:
    """Read a table again and again beside the block; yield the durations of reads that were delayed."""
    delayed: list[float] = []
    is_over = threading.Event()

    def read() -> None:
        connection = psycopg2.connect(url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not is_over.wait(0.01):
                start = time.monotonic()
                cursor.execute(sql)
                duration = time.monotonic() - start
                if duration > longer_than_seconds:
                    delayed.append(duration)
        connection.close()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield delayed
    finally:
        is_over.set()
        thread.join()


def assert_names_blocker(result: CommandResult, pid: int, relation: str) -> None:
    """Assert that the command explains which session holds a lock on which table."""
    text = result.out + result.err
    assert f"pid {pid} (user postgres, idle in transaction" in text
    assert relation in text
    assert "Traceback" not in text


def test_an_open_transaction_of_a_reader_does_not_delay_a_sync(gong: SimulatedGong, workspace: Workspace) -> None:
    """Lists are replaced by DELETE and INSERT without waits, and the open transaction still sees the previous rows."""
    workspace.sync()
    rename_user(gong, "Renamed")
    url = url_of(workspace)
    with (
        hold_transaction(url, *_READ_ALL),
        count_blocked_reads(url, "SELECT count(*) FROM gong.users", longer_than_seconds=1) as delayed,
    ):
        start = time.monotonic()
        assert workspace.sync("--deadline", "60s")["status"] == "done"
        assert time.monotonic() - start < 30
    assert delayed == []
    assert workspace.rows("SELECT count(*) FROM users WHERE first_name = 'Renamed'") == [(1,)]
    assert workspace.count("users") == len(gong.company.users)


def test_readers_see_the_previous_list_until_the_new_one_is_complete(
    gong: SimulatedGong, workspace: Workspace, postgres: PostgresServer
) -> None:
    """A list is deleted and inserted in one transaction."""
    workspace.sync()
    workspace.execute(
        "CREATE FUNCTION gong.pause() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END'"
    )
    workspace.execute(
        "CREATE TRIGGER pause AFTER DELETE ON gong.users FOR EACH STATEMENT EXECUTE FUNCTION gong.pause()"
    )
    rename_user(gong, "Renamed")
    counts: set[int] = set()
    process = workspace.start("sync", "--select", "users")
    while process.poll() is None:
        counts.add(workspace.count("users"))
        time.sleep(0.02)
    assert process.returncode == 0
    assert counts == {len(gong.company.users)}


def test_a_new_column_waits_for_readers_and_then_names_one(gong: SimulatedGong, workspace: Workspace) -> None:
    """Adding a column needs an exclusive lock: other readers go on, and the sync ends in one line."""
    workspace.sync()
    add_field(gong)
    set_lock_timeout(workspace, "3s")
    url = url_of(workspace)
    with (
        hold_transaction(url, *_READ_ALL) as pid,
        count_blocked_reads(url, "SELECT count(*) FROM gong.calls", longer_than_seconds=1.5) as delayed,
    ):
        result = workspace.run("sync", "--since", "2020-01-01", timeout_seconds=40)
        assert result.code == 1
        assert_names_blocker(result, pid, "gong.calls")
        assert "waited 3 s" in result.out + result.err
    assert delayed == []

    add_field(gong)
    workspace.sync("--since", "2020-01-01")
    assert workspace.rows("SELECT mood FROM calls WHERE mood IS NOT NULL") == [("calm",)]


@pytest.mark.parametrize("command", ["sync", "status", "reconcile"])
def test_a_locked_table_ends_a_command_in_one_line(gong: SimulatedGong, workspace: Workspace, command: str) -> None:
    """A command that must wait ends after the lock timeout and names the session; it does not repeat the statement."""
    workspace.sync()
    set_lock_timeout(workspace, "1500ms")
    with hold_transaction(url_of(workspace), "LOCK TABLE gong.calls IN ACCESS EXCLUSIVE MODE") as pid:
        start = time.monotonic()
        result = workspace.run(command, timeout_seconds=40)
        assert time.monotonic() - start < 20
        assert result.code == 1
        assert_names_blocker(result, pid, "gong.calls")


def test_the_deadline_bounds_a_wait_for_a_row(gong: SimulatedGong, workspace: Workspace) -> None:
    """A run that waits for a writer stops at its deadline with exit code 3 and keeps its bookmark."""
    before = workspace.sync()["bookmark"]
    call = find_call(gong, "topics")
    gong.edit_call(call.id, title="Renamed")
    with hold_transaction(url_of(workspace), "UPDATE gong.calls SET title = title") as pid:
        start = time.monotonic()
        options = ("--since", "2020-01-01", "--deadline", "6s")
        result = workspace.run("sync", "--json", *options, timeout_seconds=40)
        assert time.monotonic() - start < 15
        assert result.code == 3, result.out + result.err
        assert result.json["status"] == "stopped"
        assert result.json["bookmark"] == before
        assert_names_blocker(result, pid, "calls")
    assert workspace.rows("SELECT status FROM _runs ORDER BY started_at DESC LIMIT 1") == [("stopped",)]

    workspace.sync("--since", "2020-01-01")
    assert_warehouse_matches(workspace, gong)


def test_the_deadline_bounds_the_waits_of_a_reconcile(gong: SimulatedGong, workspace: Workspace) -> None:
    """A reconcile that waits for a writer stops at its deadline; the next one erases what it found."""
    workspace.sync()
    deleted = public_calls(gong)[0]
    gong.delete_call(deleted.id)
    with hold_transaction(url_of(workspace), "UPDATE gong.calls SET title = title") as pid:
        result = workspace.run("reconcile", "--json", "--deadline", "5s", timeout_seconds=40)
        assert result.code == 3, result.out + result.err
        assert_names_blocker(result, pid, "calls")
    assert workspace.run("reconcile", "--json").json["erased"] == 1


def test_an_open_transaction_of_a_reader_does_not_delay_a_reconcile(gong: SimulatedGong, workspace: Workspace) -> None:
    """Erasing deletes rows, which needs no lock against readers."""
    workspace.sync()
    deleted = public_calls(gong)[0]
    gong.delete_call(deleted.id)
    url = url_of(workspace)
    with (
        hold_transaction(url, *_READ_ALL),
        count_blocked_reads(url, "SELECT count(*) FROM gong.calls", longer_than_seconds=1) as delayed,
    ):
        assert workspace.run("reconcile", "--json", timeout_seconds=40).json["erased"] == 1
    assert delayed == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_command_leaves_no_statement_in_the_queue(
    gong: SimulatedGong, workspace: Workspace, postgres: PostgresServer, number: signal.Signals
) -> None:
    """The server ends the statement of a client that is gone, so it blocks no reader."""
    workspace.sync()
    with hold_transaction(url_of(workspace), "LOCK TABLE gong.calls IN ACCESS EXCLUSIVE MODE"):
        process = workspace.start("sync")
        wait_until(postgres.waiting_sessions)
        process.send_signal(number)
        start = time.monotonic()
        process.wait(10)
        # Two seconds on an idle machine; with default signal handling and a driver in C it would be the lock timeout.
        assert time.monotonic() - start < 15
        wait_until(lambda: not postgres.waiting_sessions(), seconds=5)
    workspace.sync()
    assert_warehouse_matches(workspace, gong)


def test_a_run_that_loses_its_lock_loads_nothing_more(gong: SimulatedGong, workspace: Workspace) -> None:
    """Another run could have taken the lock: the first one ends with exit code 1 and one line."""
    gong.settings.latency_seconds = 0.5
    process = subprocess.Popen(
        workspace.command("sync", "--select", "calls,transcripts"),
        cwd=workspace.folder,
        env=workspace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    held = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
    wait_until(lambda: process.poll() is not None or (gong.requests and workspace.rows(held)))
    workspace.rows(f"SELECT pg_terminate_backend(pid) FROM ({held}) AS holders")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "lock of this run was lost" in out + err
    assert "Traceback" not in out + err
    assert workspace.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'gong' AND tablename = 'calls'") == [(0,)]

    gong.settings.latency_seconds = 0.0
    workspace.sync("--select", "calls,transcripts")
    assert_warehouse_matches(workspace, gong)


def test_a_run_that_loses_its_lock_erases_nothing(gong: SimulatedGong, workspace: Workspace) -> None:
    """Reconcile checks its lock as well."""
    workspace.sync()
    gong.delete_call(public_calls(gong)[0].id)
    gong.settings.latency_seconds = 0.5
    process = workspace.start("reconcile")
    held = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
    wait_until(lambda: process.poll() is not None or workspace.rows(held))
    workspace.rows(f"SELECT pg_terminate_backend(pid) FROM ({held}) AS holders")
    assert process.wait(60) == 1
    assert workspace.rows("SELECT count(*) FROM calls WHERE _deleted_at IS NOT NULL") == [(0,)]


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("500ms", 0.5), ("2m", 120), ("1.5 min", 90), ("0", 0), (" 1h ", 3600)]
)
def test_a_lock_timeout_has_a_unit(text: str, seconds: float) -> None:
    """The units are those of other durations of gong-elt and of PostgreSQL."""
    assert parse_lock_timeout(text, "postgres") == seconds


@pytest.mark.parametrize("text", ["30", "soon", "", "-1s", "1d", "1e9s"])
def test_an_invalid_lock_timeout_is_refused(text: str) -> None:
    """The message names the setting."""
    with pytest.raises(InvalidWarehouseError, match=r"destination\.postgres\.lock_timeout"):
        parse_lock_timeout(text, "postgres")
