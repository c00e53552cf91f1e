"""Failures of commands: three lines at most, each cause once, on stderr, in time, with the documented exit code."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.demo.server.app import SimulatedGong
from pipelines.demo.server.faults import Fault, respond
from pipelines.demo.server.serving import serve
from tests.support.companies import build_recent_gong
from tests.support.gong_api import USERS
from tests.support.workspace import COMMAND, Workspace
from tests.system.failure_table import FAILURES, judge, prepare_workspace, run_cell

FAST_CELLS = [
    *((command, failure) for failure in ("wrong key", "unreachable host") for command in FAILURES[failure].commands),
    *((command, "no destination settings") for command in ("check", "sync", "sync --json", "status", "reconcile")),
    *((command, "server down") for command in ("check", "sync", "sync --json", "status", "reconcile", "upload")),
    ("check", "file in use"),
]
"""Cells that need no marts and end in seconds; `tests/system/failure_table.py` runs all."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, SimulatedGong]]:
    """Return a workspace with a loaded warehouse, and the simulated Gong that it was loaded from."""
    gong = build_recent_gong(calls=20, days=10)
    with serve(gong.app) as base_url:
        yield prepare_workspace(tmp_path_factory.mktemp("prepared"), gong, base_url, marts=False), gong


@pytest.mark.slow
@pytest.mark.parametrize(("command", "failure"), FAST_CELLS)
def test_a_failure_is_short_and_in_time(prepared: tuple[Workspace, SimulatedGong], command: str, failure: str) -> None:
    """Each command reports each failure in three lines at most, within its time, with its exit code."""
    outcome = run_cell(*prepared, command, failure)

    assert judge(command, failure, outcome) == [], outcome


@pytest.mark.parametrize("command", ["check", "sync", "reconcile", "get"])
def test_an_unreachable_host_is_one_line_that_names_base_url(
    prepared: tuple[Workspace, SimulatedGong], command: str
) -> None:
    """The user learns which setting to check."""
    outcome = run_cell(*prepared, command, "unreachable host")

    (line,) = outcome.lines
    assert "https://127.0.0.1:1 cannot be reached (" in line
    assert "check base_url" in line


def test_a_first_sync_that_fails_prints_its_cause_once(gong: SimulatedGong, workspace: Workspace) -> None:
    """A rejected key affects every resource, and nothing was loaded: one line on stderr, nothing on stdout."""
    workspace.configure(credentials__access_key_secret="wrong")
    for _ in range(2):
        ended = workspace.run("sync")
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.count("\n") == 1
        assert "does not accept the credential" in ended.err


def test_a_sync_that_fails_in_part_prints_what_it_loaded_and_each_cause_once(
    gong: SimulatedGong, workspace: Workspace
) -> None:
    """What was loaded is on stdout, and what failed on stderr with the resources that it affects."""
    gong.faults.append(Fault(respond(418), "/v2/settings/"))
    ended = workspace.run("sync")

    assert ended.code == 1
    assert "transcript_sentences" in ended.out
    assert "failed" not in ended.out
    (line,) = ended.err.splitlines()
    assert "HTTP 418" in line
    assert "scorecards" in line


def test_a_usage_error_with_json_is_one_object_and_one_line(workspace: Workspace) -> None:
    """A script that parses stdout gets an object for every outcome."""
    for arguments in (("sync", "--since", "soon"), ("sync", "--everything"), ("status", "--dataset", "warehouse")):
        ended = workspace.run(*arguments, "--json")
        assert ended.code == 2
        printed = json.loads(ended.out)
        assert printed["status"] == "failed"
        (line,) = ended.err.splitlines()
        assert printed["reason"] in line


def test_an_unknown_option_or_command_is_one_line(workspace: Workspace) -> None:
    """Errors of the command-line parser look like all others."""
    for arguments, message in (
        (("sync", "--everything"), "No such option: --everything"),
        (("snyc",), "Did you mean 'sync'"),
        (("search",), "Missing argument"),
    ):
        ended = workspace.run(*arguments)
        assert ended.code == 2
        (line,) = ended.err.splitlines()
        assert message in line


@pytest.mark.slow
def test_a_full_disk_below_stdout_is_one_line(gong: SimulatedGong, workspace: Workspace) -> None:
    """A result that cannot be printed is an error, not a traceback."""
    workspace.sync("--select", "users")
    for arguments in (("status",), ("status", "--json"), ("get", "calls"), ("check",), ("--help",)):
        with Path("/dev/full").open("wb") as full:
            ended = subprocess.run(
                [str(COMMAND), *arguments],
                cwd=workspace.folder,
                env=workspace.environment,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert ended.returncode == 1, arguments
        (line,) = ended.stderr.splitlines()
        assert "No space left on device" in line


def test_check_stops_at_a_silent_host(workspace: Workspace) -> None:
    """A host that accepts connections and never responds is reported within ten seconds."""
    with silent_host() as base_url:
        workspace.configure(base_url=base_url)
        ended = workspace.run("check", timeout_seconds=15)

    assert ended.code == 1
    (line,) = ended.err.splitlines()
    assert "check base_url" in line


def test_a_host_that_answers_no_probe_is_one_cause(gong: SimulatedGong, workspace: Workspace) -> None:
    """`check` stops if the first endpoint has no usable response, because the others have none either."""
    gong.faults.append(Fault(respond(503)))
    ended = workspace.run("check")

    assert (ended.code, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    assert "HTTP 503" in line


def test_check_ends_with_a_verdict_and_the_next_command(gong: SimulatedGong, workspace: Workspace) -> None:
    """A new user learns whether the key suffices and what to run; a failed endpoint is named on stderr."""
    ended = workspace.run("check", "--dataset", "gong")
    assert ended.out.splitlines()[-1] == "ready: run gong-elt sync --dataset gong"

    gong.faults.append(Fault(respond(418), USERS))
    ended = workspace.run("check")
    assert ended.code == 1
    assert ended.err.startswith(f"gong-elt: not ready: GET {USERS}: HTTP 418")


@contextmanager
def silent_host() -> Iterator[str]:
    """Accept connections and send nothing; yield the base URL."""
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connections.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for connection in connections:
        connection.close()
