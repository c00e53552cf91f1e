"""Job of `gong-elt notebook`: serve the notebook with marimo on the loopback interface until a signal ends it."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from ...runtime.atomic_file import write_output_file
from ...runtime.connection import Connection
from ...runtime.errors import UsageError, one_line
from ...runtime.process.interruption import cleanup_on_signal, temporary_folder
from ...runtime.run_options import check_port
from ...runtime.target import Target
from ..marts import open_marts

NOTEBOOK = Path(__file__).with_name("notebook.py")
HOST = "127.0.0.1"

_START_TIMEOUT_SECONDS = 60.0
_STOP_TIMEOUT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class NotebookOptions:
    """Options of the notebook.

    Attributes:
        analytics: Dataset of the marts.
        edit: File that becomes a copy of the notebook, unless it exists, and is opened for changes; None to show the
            notebook without its code.
        port: Port on the loopback interface.
    """

    analytics: str
    edit: Path | None
    port: int


def serve_notebook(
    connection: Connection, target: Target, options: NotebookOptions, report: Callable[[str], None]
) -> None:
    """Serve the notebook until a signal ends the process.

    Args:
        connection: The Gong account.
        target: The warehouse of the marts.
        options: Marts, file and port.
        report: Called with the address as soon as it responds.

    Raises:
        UsageError: If marimo or the marts are missing, or the port or file cannot be used.
        RuntimeError: If marimo ends.
        KeyboardInterrupt: If a signal has ended it.
    """
    if not notebook_packages_are_installed():
        raise UsageError("marimo is not installed: pip install 'gong-elt[notebook]'")
    _refuse_used_port(options.port)
    with open_marts(connection, target, options.analytics) as marts:
        # Missing and outdated marts are reported here, not in the browser.
        marts.rows(f"SELECT is_external, started_epoch_ms FROM {marts.schema}.calls_enriched WHERE 1 = 0")
    file = NOTEBOOK if options.edit is None else _copy_notebook(options.edit)
    token = secrets.token_urlsafe(24)
    settings = {
        "GONG_ELT__DESTINATION": target.name,
        "GONG_ELT__DATASET": target.dataset,
        "GONG_ELT__CONNECTION": connection.name,
        "GONG_ELT__ANALYTICS": options.analytics,
        # Otherwise marimo asks the package registry for a newer version.
        "MARIMO_SKIP_UPDATE_CHECK": "1",
    }
    command = [
        *(sys.executable, "-m", "marimo", "--yes", "run" if options.edit is None else "edit", str(file)),
        *(
            "--no-sandbox",
            "--headless",
            "--host",
            HOST,
            "--port",
            str(options.port),
            "--token",
            "--token-password-file",
            "-",
        ),
    ]
    with temporary_folder("notebook") as folder, _run_server(command, settings, token, folder / "log") as server:
        _wait_until_served(server, options.port, folder / "log")
        report(f"http://{HOST}:{options.port}/?access_token={token}")
        server.wait()
        raise RuntimeError(_describe_end(folder / "log"))


def notebook_packages_are_installed() -> bool:
    """Return whether the packages of the extra `notebook` are installed, without importing them."""
    return find_spec("marimo") is not None and find_spec("altair") is not None


def _refuse_used_port(port: int) -> None:
    check_port(port)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise UsageError(f"--port {port} cannot be used ({error.strerror}): use another one") from None


def _copy_notebook(file: Path) -> Path:
    """Copy the notebook to a file, unless the file exists, and return the file."""
    if file.suffix != ".py":
        raise UsageError(f"--edit {file} is invalid: a notebook is a file with the ending .py")
    if not file.exists():
        write_output_file(file, [NOTEBOOK.read_bytes()], "--edit")
    return file


@contextmanager
def _run_server(
    command: list[str], settings: dict[str, str], token: str, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run marimo in a process group of its own: on Ctrl-C it would ask whether to end."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            env=os.environ | settings,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with cleanup_on_signal(lambda: _signal_group(server, signal.SIGKILL)):
        try:
            # As an argument, other users of the machine could read the token.
            assert server.stdin is not None
            with suppress(BrokenPipeError), server.stdin as pipe:
                pipe.write(token.encode())
            yield server
        finally:
            _signal_group(server, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                server.wait(_STOP_TIMEOUT_SECONDS)
            _signal_group(server, signal.SIGKILL)
            server.wait()


def _signal_group(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the server and the processes in which it runs notebooks."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, number)


def _wait_until_served(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return as soon as the server responds.

    Raises:
        RuntimeError: If it has ended, or does not respond in time.
    """
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        # It responds with an error while it starts, and until then the port is closed.
        with suppress(URLError, ConnectionError, TimeoutError), urlopen(f"http://{HOST}:{port}/health", timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(_describe_end(log))


def _describe_end(log: Path) -> str:
    """Return why the server has ended: the last line that it has written."""
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    return f"marimo has ended: {one_line(lines[-1])}" if lines else "marimo has ended without a message"
