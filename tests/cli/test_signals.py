"""Ctrl-C, SIGTERM and SIGHUP end every command within two seconds, with one line, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import cycle

import psycopg2
import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, hang
from tests.support.marts import build_models, sync_company
from tests.support.servers.postgres import postgres_server
from tests.support.upload_files import build_upload_rows, write_csv
from tests.support.workspace import Workspace

pytestmark = pytest.mark.slow

SIGNALS = [signal.SIGINT, signal.SIGTERM]
COMMANDS = [
    ("sync", "--json"),
    ("sync", "--plan"),
    ("reconcile",),
    ("upload", "calls.csv"),
    ("download-media",),
    ("check",),
    ("get", "calls"),
    ("get", "transcripts"),
]
"""Further commands that wait for a response of Gong."""

_LINE = "gong-elt: interrupted; nothing is lost, run again"
# Two seconds, and several times as long on a busy machine.
_MAX_SECONDS = 8


class Command:
    """A running command with its own folder for temporary files."""

    def __init__(self, workspace: Workspace, *arguments: str) -> None:
        self._temporary = workspace.folder / "tmp"
        self._temporary.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            workspace.command(*arguments),
            cwd=workspace.folder,
            env={**workspace.environment, "TMPDIR": str(self._temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds while the command runs."""
        deadline = time.monotonic() + 60
        while not condition():
            assert self._process.poll() is None, self._process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    @property
    def pid(self) -> int:
        """The command's process."""
        return self._process.pid

    def has_temporary_folder(self) -> bool:
        """Return whether the command has created a temporary folder."""
        return any(self._temporary.glob("gong-elt-*"))

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        """Send the signal and return exit code, stdout and stderr, once the command has ended in time."""
        self._process.send_signal(number)
        started = time.monotonic()
        try:
            out, err = self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        assert time.monotonic() - started < _MAX_SECONDS
        assert list(self._temporary.glob("gong-elt-*")) == []
        return self._process.returncode, out, err


@pytest.fixture
def held_gong(gong: SimulatedGong) -> Iterator[Fault]:
    """Serve a Gong that does not respond; return the fault, which counts the requests."""
    fault = Fault(hang(60), "/v2/")
    yield fault
    fault.path = "/none"


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        *((("sync",), number) for number in (*SIGNALS, signal.SIGHUP)),
        *zip(COMMANDS, cycle(SIGNALS), strict=False),
    ],
    ids=str,
)
def test_a_signal_ends_a_command_that_waits_for_gong(
    gong: SimulatedGong, held_gong: Fault, workspace: Workspace, arguments: tuple[str, ...], number: signal.Signals
) -> None:
    """A scheduler that stops a command gets one line and an exit code, and the run log names the reason."""
    workspace.sync()
    write_csv(workspace.folder, build_upload_rows(gong, 3))
    gong.faults.append(held_gong)
    command = Command(workspace, *arguments)
    command.wait_until(lambda: held_gong.hit_count > 0)

    code, out, err = command.end(number)
    result = '{"status": "failed", "reason": "interrupted; nothing is lost, run again"}\n'
    assert (code, out, err.splitlines()) == (1, result if "--json" in arguments else "", [_LINE])
    runs = workspace.rows("SELECT command, status, reason FROM _runs ORDER BY started_at OFFSET 1")
    has_row = arguments[0] in ("sync", "reconcile", "upload", "download-media") and "--plan" not in arguments
    assert runs == ([(arguments[0], "failed", "interrupted")] if has_row else [])

    if arguments == ("sync",):
        gong.faults.clear()
        assert workspace.sync()["abandoned_loads"] == 0


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_a_build_of_the_models(gong: SimulatedGong, workspace: Workspace, number: signal.Signals) -> None:
    """A signal must not look like a build of nothing, and the next build is complete."""
    workspace.sync()
    command = Command(workspace, "models")
    wal = workspace.folder / "warehouse.duckdb.wal"
    command.wait_until(wal.exists)

    assert command.end(number) == (1, "", f"{_LINE}\n")
    assert build_models(workspace)["failed"] == []


@pytest.mark.parametrize("arguments", [("report",), ("search", "price"), ("superset",), ("export", "transcripts")])
def test_a_signal_ends_a_command_that_reads_the_marts(duckdb_marts: Workspace, arguments: tuple[str, ...]) -> None:
    """Their temporary folders are removed, and no file is half written."""
    command = Command(duckdb_marts, *arguments)
    command.wait_until(command.has_temporary_folder)

    code, out, err = command.end(signal.SIGTERM)
    # A quick command may have ended before the signal arrived.
    assert (code, err) in ((1, f"{_LINE}\n"), (0, "")), out


def test_a_signal_ends_a_load_that_is_blocked_in_the_driver(gong: SimulatedGong, workspace: Workspace) -> None:
    """A thread that waits for a lock in PostgreSQL executes no Python code; the row is closed even then."""
    with postgres_server() as server:
        workspace.postgres = server.create_database()
        with sync_company(workspace, gong):
            gong.company.users[0]["firstName"] = "Renamed"
            reader = psycopg2.connect(workspace.postgres)
            reader.cursor().execute("LOCK TABLE gong.users IN ACCESS EXCLUSIVE MODE")
            command = Command(workspace, "sync")
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'gong.users'::regclass"
            command.wait_until(lambda: bool(workspace.rows(waiting)))

            assert command.end(signal.SIGTERM) == (1, "", f"{_LINE}\n")
            assert workspace.rows("SELECT status, reason FROM _runs ORDER BY started_at") == [
                ("done", None),
                ("failed", "interrupted"),
            ]
            reader.close()
            workspace.sync()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_the_demo(workspace: Workspace, number: signal.Signals) -> None:
    """It stops its server, too."""
    command = Command(workspace, "demo", "--calls", "60")
    command.wait_until((workspace.folder / "demo" / "warehouse.duckdb").exists)

    code, _, err = command.end(number)
    assert code == 1
    assert err.splitlines()[-1] == _LINE


def test_an_ignored_signal_stays_ignored(gong: SimulatedGong, held_gong: Fault, workspace: Workspace) -> None:
    """`nohup gong-elt sync` survives the end of its terminal."""
    gong.faults.append(held_gong)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        command = Command(workspace, "sync")
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    command.wait_until(lambda: held_gong.hit_count > 0)
    os.kill(command.pid, signal.SIGHUP)
    time.sleep(2)

    assert command.end(signal.SIGTERM)[0] == 1
