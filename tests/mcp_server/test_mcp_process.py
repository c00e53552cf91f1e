"""The process `gong-elt mcp`: what it prints, how it ends, unexpected errors, and a missing package."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.agents.mcp_client import ask_http, call_tool, environment_without_gong, run_http_server
from tests.support.process.patched_command import run_patched
from tests.support.workspace import COMMAND, Workspace

HELLO = (
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},'
    '"clientInfo":{"name":"test","version":"1"}}}\n{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
)
STATUS = '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"status","arguments":{}}}\n'

BREAK_STATUS = """
from pipelines.evidence.evidence import Evidence
def fail(self): raise RuntimeError("words of a customer\\nand a password")
Evidence.status = fail
"""
HIDE_PACKAGE = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "mcp" else find(name, *more)
"""


@contextmanager
def run_stdio_server(workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """Run the server, wait until it has answered the handshake, and kill it at the end of the block."""
    with subprocess.Popen(
        [str(COMMAND), "mcp"],
        cwd=workspace.folder,
        env=environment_without_gong(workspace),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(HELLO)
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "gong-elt"
            yield process
        finally:
            process.kill()


def test_stdout_has_the_protocol_only(duckdb_marts: Workspace) -> None:
    """A client reads a message per line; when it closes standard input, the server ends."""
    with run_stdio_server(duckdb_marts) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("not a message\n" + STATUS)
        server.stdin.flush()
        messages = [json.loads(server.stdout.readline()) for _ in range(1)]
        assert "freshness" in messages[-1]["result"]["structuredContent"]
        out, err = server.communicate(timeout=20)
        assert (server.returncode, out) == (0, "")
        assert "Traceback" not in err


@pytest.fixture
def default_hangup() -> Iterator[None]:
    """Let processes take SIGHUP, also if the tests run with `nohup`, which lets them inherit that it is ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("default_hangup")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_server_on_standard_input(duckdb_marts: Workspace, number: signal.Signals) -> None:
    """The server waits for the next message, and ends at once all the same."""
    with run_stdio_server(duckdb_marts) as server:
        started = time.monotonic()
        server.send_signal(number)
        assert server.wait(10) == 0
        assert time.monotonic() - started < 2
        assert server.stderr is not None
        assert server.stderr.read() == "gong-elt: ended by a signal\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_over_http(duckdb_marts: Workspace, number: signal.Signals) -> None:
    """A client that stays connected does not delay the end."""
    with run_http_server(duckdb_marts) as server:
        assert ask_http(server.url, call_tool("status"), mode="legacy").is_error is False
        started = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
        assert time.monotonic() - started < 2
        assert server.process.stderr is not None
        assert server.process.stderr.read() == "gong-elt: ended by a signal\n"


def test_a_client_that_stops_reading_ends_the_server(duckdb_marts: Workspace) -> None:
    """A killed client leaves no server behind."""
    with run_stdio_server(duckdb_marts) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdout.close()
        server.stdin.write(STATUS)
        server.stdin.flush()
        assert server.wait(20) == 0


def test_a_port_in_use_is_reported(duckdb_marts: Workspace) -> None:
    """The second server names the port."""
    with run_http_server(duckdb_marts) as server:
        port = server.url.rpartition(":")[2].partition("/")[0]
        ended = duckdb_marts.run("mcp", "--http", "--port", port)
        assert ended.code == 2
        assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in ended.err
        assert ended.err.count("\n") == 1


def test_an_unexpected_error_is_answered_without_its_text(duckdb_marts: Workspace) -> None:
    """Its text can have contents and secrets: it goes to stderr, in one line."""
    program = BREAK_STATUS + "\nimport io, os, sys\n"
    # The client closes standard input when it has the answer; a pipe of the test would be closed too early.
    program += f"r, w = os.pipe(); os.write(w, {(HELLO + STATUS)!r}.encode()); os.dup2(r, 0)\n"
    program += "import threading; threading.Timer(8, os.close, [w]).start()\n"
    ended = run_patched(duckdb_marts, program, "mcp")
    assert ended.code == 0, ended.err
    answer = json.loads(ended.out.splitlines()[1])["result"]
    assert answer["isError"] is True
    assert answer["content"][0]["text"] == "an unexpected error; the server has printed it to its stderr"
    assert ended.err == "gong-elt: status failed: words of a customer and a password\n"


def test_a_missing_package_is_named(duckdb_marts: Workspace) -> None:
    """The wheel without extras has the command."""
    ended = run_patched(duckdb_marts, HIDE_PACKAGE, "mcp")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "gong-elt: the MCP server is not installed: pip install 'gong-elt[mcp]'\n"
