"""A warehouse that was altered by hand, is full, or whose connection breaks: one line, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import psycopg2
import pytest

from pipelines.demo.server.app import SimulatedGong
from tests.conftest import MakeGong
from tests.support.companies import public_calls
from tests.support.expected_warehouse import assert_all_tables_match
from tests.support.workspace import Workspace

ALL_CALLS = ("--since", "2020-01-01")
_DROP_DURATION = "ALTER TABLE gong.call_topics DROP COLUMN duration"
_ADD_DURATION = "ALTER TABLE gong.call_topics ADD COLUMN duration"
# Limits the size of each file that the command writes, as a full disk does.
_ON_A_FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, resource.RLIM_INFINITY))
from pipelines.cli.app import main
sys.argv = ["gong-elt", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(
    ("change", "undo", "named"),
    [
        (["ALTER TABLE gong.calls ADD COLUMN mine INTEGER"], [], None),
        (["ALTER TABLE gong.transcripts DROP COLUMN word_count"], [], None),
        ([_DROP_DURATION, f"{_ADD_DURATION} DATE"], [_DROP_DURATION, f"{_ADD_DURATION} BIGINT"], "call_topics"),
    ],
    ids=["column added", "column dropped", "type changed"],
)
def test_a_table_that_was_altered_by_hand(
    gong: SimulatedGong, workspace: Workspace, change: list[str], undo: list[str], named: str | None
) -> None:
    """A column is kept or created again, and a table whose types cannot hold the values is named."""
    workspace.sync()
    for statement in change:
        workspace.execute(statement)
    for call in public_calls(gong)[::3]:
        gong.edit_call(call.id, title=f"Renamed {call.id}")
    for call in public_calls(gong)[::4]:
        if call.transcript_json:
            gong.replace_transcript(call.id, (call.transcript or [])[:2])

    result = workspace.run("sync", *ALL_CALLS)
    if named is not None:
        assert result.code == 1
        assert len(result.err.splitlines()) == 1, result.err
        assert named in result.err
        for statement in undo:
            workspace.execute(statement)
        result = workspace.run("sync", *ALL_CALLS)
    assert result.code == 0, result.err
    assert_all_tables_match(workspace, gong)


@pytest.mark.slow
@pytest.mark.parametrize("workspace", ["postgres"], indirect=True)
def test_a_connection_that_is_lost_during_the_load(make_gong: MakeGong, workspace: Workspace) -> None:
    """Sessions that an administrator ends again and again: the run succeeds or says so, and the next one is right."""
    gong = make_gong(calls=150)
    is_over = threading.Event()

    def end_sessions() -> None:
        connection = psycopg2.connect(workspace.postgres)
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not is_over.wait(0.15):
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND datname = current_database() AND (query ILIKE 'COPY%' OR query ILIKE 'INSERT%')"
                )
        connection.close()

    thread = threading.Thread(target=end_sessions)
    thread.start()
    try:
        result = workspace.run("sync", timeout_seconds=60)
    finally:
        is_over.set()
        thread.join()
    assert result.code in (0, 1)
    assert "Traceback" not in result.err
    assert len(result.err.splitlines()) <= 1, result.err

    workspace.sync()
    assert_all_tables_match(workspace, gong)


@pytest.mark.parametrize("workspace", ["duckdb"], indirect=True)
def test_a_full_disk_is_one_line_and_the_next_run_is_right(make_gong: MakeGong, workspace: Workspace) -> None:
    """The load that does not fit is rolled back; what was there stays readable."""
    gong = make_gong(calls=20)
    workspace.sync()
    before = workspace.count("calls")
    larger = make_gong(calls=400, seed=8)
    program = [sys.executable, "-c", _ON_A_FULL_DISK, "sync", *ALL_CALLS]
    environment = {**workspace.environment, "PYTHONPATH": ":".join(sys.path)}
    start = time.monotonic()
    result = subprocess.run(
        program, cwd=workspace.folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert time.monotonic() - start < 60
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) <= 3, result.stderr
    assert workspace.count("calls") == before
    assert gong is not larger

    workspace.sync(*ALL_CALLS)
    assert workspace.count("calls") == before + len(public_calls(larger))
